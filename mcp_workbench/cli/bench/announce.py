"""How a server under measurement says that it is ready, what it has seen itself, and when it ends: with its stdin, so never an orphan."""

from __future__ import annotations

import importlib.metadata
import os
import sys
import threading
from collections.abc import Callable

import msgspec

from mcp_workbench.cli.bench.wires import Target


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The one line a server prints."""

    targets: dict[str, Target]
    versions: dict[str, str]
    sees: bool = False
    """Whether it answers an `Ask`."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One line on a server's stdin: what have you seen of this target since you were last asked?"""

    target: str


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """As seen by the server, from a request's arrival until its answer was sent; times in microseconds."""

    calls: int
    p50_us: float | None
    p90_us: float | None
    p99_us: float | None
    p999_us: float | None
    """None below 1,000 calls; all of them without any."""
    max_us: float | None


def versions_of(*distributions: str) -> dict[str, str]:
    """Installed versions by name."""
    return {name: importlib.metadata.version(name) for name in distributions}


def announce(ready: Ready) -> None:
    """Print the line."""
    sys.stdout.buffer.write(msgspec.json.encode(ready) + b"\n")
    sys.stdout.buffer.flush()


def answer_until_end(see: Callable[[str], Seen]) -> None:
    """Answer what the parent asks, until it closes stdin or dies.

    Args:
        see: Target -> what was seen of it since the last time.
    """
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(msgspec.json.encode(see(msgspec.json.decode(line, type=Ask).target)) + b"\n")
        sys.stdout.buffer.flush()


def wait_for_end() -> None:
    """Block until the parent closes stdin or dies."""
    sys.stdin.buffer.read()


def end_with_stdin() -> None:
    """The same for a server whose main thread is taken: end the process there and then."""
    threading.Thread(target=_exit_at_end, daemon=True).start()


def _exit_at_end() -> None:
    wait_for_end()
    os._exit(0)

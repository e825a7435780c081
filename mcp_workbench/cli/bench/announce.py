"""How a server under measurement says that it is ready, and when it ends: with its stdin, so never an orphan."""

from __future__ import annotations

import importlib.metadata
import os
import sys
import threading

import msgspec

from mcp_workbench.cli.bench.wires import Target


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The one line a server prints."""

    targets: dict[str, Target]
    versions: dict[str, str]


def versions_of(*distributions: str) -> dict[str, str]:
    """Installed versions by name."""
    return {name: importlib.metadata.version(name) for name in distributions}


def announce(ready: Ready) -> None:
    """Print the line."""
    sys.stdout.buffer.write(msgspec.json.encode(ready) + b"\n")
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

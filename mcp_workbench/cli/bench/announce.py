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
    """Print the line; from now on the process ends when its parent closes stdin or dies."""
    sys.stdout.buffer.write(msgspec.json.encode(ready) + b"\n")
    sys.stdout.buffer.flush()
    threading.Thread(target=_end_with_stdin, daemon=True).start()


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(0)

"""`mcp-workbench tap`: a tap without a notebook, for a host's settings or between two programs.

With stdio as its door it stands in a host's settings in place of the command it taps. Nothing of what it says to people goes to
stdout then: that is the protocol's. A server's token comes from the environment, never from the command line, which other users
of the machine can read.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring.recording.format import SUFFIX
from mcp_workbench.exploring.recording.recorder import Recorder, recording_path
from mcp_workbench.offer import TOKEN_VARIABLE
from mcp_workbench.secret import Secret, hidden
from mcp_workbench.tapping.tap import Tap
from mcp_workbench.wording import plain
from mcp_workbench.workbench import Workbench

UPSTREAM_TOKEN = "MCP_TAP_TOKEN"  # noqa: S105  # the name of the variable
"""Environment variable with the token of the server behind the tap."""

MOST_RECORDINGS = 9_999
"""Under one name."""


def run_tap(upstream: Sequence[str], *, listen: str | None, record: Path | None) -> int:
    """Tap until the host has ended, or Ctrl-C.

    Args:
        upstream: An address, or a command with its arguments.
        listen: As `Workbench.tap`; None: stdio for a command, else as the server is spoken with.
        record: File to write what passes to; None: none. What was recorded there before stays: the next is `name-2`.

    Returns:
        The exit code: 0 ended; 1 it could not be started, a sentence on stderr says why.
    """
    is_address = len(upstream) == 1 and "://" in upstream[0]
    door = listen or (None if is_address else "stdio")
    if door != "stdio" and not os.environ.get(TOKEN_VARIABLE):
        return _refuse(
            f"set {TOKEN_VARIABLE} to the token that the tap's clients shall show; "
            "python -c 'import secrets; print(secrets.token_urlsafe())' makes one"
        )
    where: Any = hidden(upstream[0]) if is_address else list(upstream)
    try:
        workbench = Workbench("tap")
        with workbench.tap(where, listen=door, token=_upstream_token(), env=None if is_address else _of_the_command()) as tap:
            if record is None:
                return _serve(tap)
            with _recorder(workbench, record) as recorder:
                sys.stderr.write(f"mcp-workbench tap: recording into {plain(str(recorder.path))}\n")
                return _serve(tap)
    except (ValueError, OSError, WorkbenchError) as error:
        return _refuse(str(error))


def _recorder(workbench: Workbench, path: Path) -> Recorder:
    """A recording of its own for each start: a host starts its servers anew for each of its sessions, also two at a time."""
    file = recording_path(path)
    ending = SUFFIX if file.name.endswith(SUFFIX) else file.suffix
    begins = file.name.removesuffix(ending)
    for number in range(2, MOST_RECORDINGS + 2):
        try:
            return workbench.record(file)
        except FileExistsError:
            file = file.with_name(f"{begins}-{number}{ending}")
    raise FileExistsError(f"there are {MOST_RECORDINGS:,} recordings called {begins} there already: move them away, or choose another name")


def _serve(tap: Tap) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):  # which is how people end it, and SIGTERM
        _begin(tap)
        tap.wait()
    trouble = tap.trouble
    if trouble:
        sys.stderr.write(f"{trouble.rstrip()}\n")  # in the place of a command, its stderr is ours
    return 1 if tap.failed else 0


def _begin(tap: Tap) -> None:
    if tap.door.transport == "stdio":
        from mcp_workbench.transports.stdio import TakenStdio

        tap.serve_host(TakenStdio.take())
        return
    sys.stdout.write(f"tapping {plain(tap.upstream.label)} at {tap.url}; clients show the token in {TOKEN_VARIABLE}. Ctrl-C ends it.\n")
    sys.stdout.flush()


def _of_the_command() -> dict[str, str]:
    """The environment for a command in whose place the tap stands: the host's, without what is the tap's own."""
    return {name: value for name, value in os.environ.items() if name not in (TOKEN_VARIABLE, UPSTREAM_TOKEN)}


def _upstream_token() -> Secret | None:
    return hidden(os.environ.get(UPSTREAM_TOKEN) or None)


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"mcp-workbench tap: {plain(sentence)}\n")
    return 1

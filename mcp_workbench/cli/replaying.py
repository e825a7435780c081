"""`mcp-workbench replay`: a recording as a server, for hosts and clients without the notebook.

Clients show the token in the environment variable, which stands on no command line. Ends with Ctrl-C, and then says what was asked
in vain.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring.recorded import recording_of
from mcp_workbench.exploring.replaying.replay import Replay
from mcp_workbench.offer import TOKEN_VARIABLE
from mcp_workbench.secret import hidden
from mcp_workbench.wording import counted, plain


def run_replay(file: Path, *, port: int, speed: float | None, volatile: Sequence[str], repeat: bool, as_json: bool) -> int:
    """Serve until Ctrl-C, or a SIGTERM.

    Args:
        file: The recording.
        port: Of 127.0.0.1; 0: any free one.
        speed: 1: answers take as long as they took; None: no time.
        volatile: Places in params that are not compared.
        repeat: Whether the last of equal calls is answered again.
        as_json: One JSON document instead of a sentence, when it serves.

    Returns:
        The exit code: 0 ended; 1 it could not be started, a sentence on stderr says why.
    """
    token = hidden(os.environ.get(TOKEN_VARIABLE) or None)
    if token is None:
        return _refuse(
            f"set {TOKEN_VARIABLE} to the token that clients shall show; "
            "python -c 'import secrets; print(secrets.token_urlsafe())' makes one"
        )
    try:
        replay = Replay(recording_of(str(file)), volatile, repeat=True if repeat else None, speed=speed, port=port, token=token)
    except (ValueError, OSError, WorkbenchError) as error:
        return _refuse(str(error))
    with replay:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):  # which is how people end it
            sys.stdout.write(_as_json(replay, file) if as_json else _as_text(replay, file))
            sys.stdout.flush()
            threading.Event().wait()
        for sentence in replay.unanswered:
            sys.stderr.write(f"not answered: {plain(sentence)}\n")
    return 0


def _as_text(replay: Replay, file: Path) -> str:
    answers = counted(len(replay.tape), "answer")
    return f"replaying {answers} of {plain(str(file))} at {replay.url}; clients show the token in {TOKEN_VARIABLE}. Ctrl-C ends it.\n"


def _as_json(replay: Replay, file: Path) -> str:
    told = {"url": replay.url, "file": str(file), "server": replay.recording.header.server, "answers": len(replay.tape)}
    return json.dumps(told | {"not_answered_when_recorded": replay.tape.missing}) + "\n"


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"mcp-workbench replay: {plain(sentence)}\n")
    return 1

"""Sessions of mcpdump, version 1.

Read as its own reader does (https://github.com/xsw77492-code/mcpdump, `src/mcpdump/services/recorder.py`): lines of JSON, first
`{"format": "mcpdump-session", "version": 1, "at": ISO 8601, "argv": [command]}`, then for each message `seq`, `atMs` since the
beginning, `direction` (`to_server` or `to_client`), `method`, `elapsedMs` and `line`, the text as it crossed. One session of a client with
a server over stdio. Of the command only the program is taken over: its arguments may hold keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Annotated, Literal

import msgspec

from mcp_workbench.exploring.imports.texts import LONGEST_MS, message_line, seconds_of
from mcp_workbench.exploring.recording.format import FORMAT, VERSION, AnyLine, Clock, Header, Number, RecordingError, Session
from mcp_workbench.exploring.recording.reader import MAX_LINE, Problems, Recording, check_file
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.telemetry.records import Side

SESSION = "tap1"
_VERSION = 1


class _Header(msgspec.Struct):
    format: Literal["mcpdump-session"]
    version: int
    at: str | None = None
    argv: list[str] = []


class _Frame(msgspec.Struct):
    seq: Number
    atMs: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_MS)]  # noqa: N815  # its name on their disk
    direction: Literal["to_server", "to_client"]
    line: str


def is_mcpdump(beginning: bytes) -> bool:
    """Whether a file that begins so is one."""
    return b'"mcpdump-session"' in beginning.split(b"\n", 1)[0]


def read_mcpdump(path: str | Path, *, strict: bool = True) -> Recording:
    """Open a session of mcpdump.

    Args:
        path: The file.
        strict: A damaged line is an error; False: it is passed over and counted in `problems`.

    Raises:
        RecordingError: It is none, or of a later version; while lines are read: one is damaged.
    """
    path, problems = Path(path), Problems()
    check_file(path)
    with path.open("rb") as file:
        theirs = _header(path, file.readline(MAX_LINE))
    at = seconds_of(theirs.at)
    program = PurePath(theirs.argv[0]).name if theirs.argv else ""
    header = Header(
        format=FORMAT,
        version=VERSION,
        written_by=f"mcpdump, version {theirs.version}",
        at=at,
        clock=Clock(at),
        server=program,
        source=str(path),
    )
    session = Session(SESSION, Side.TAP, "stdio", program, "", at)
    return Recording(header, lambda: _lines(path, session, problems, strict=strict), name=str(path), problems=problems)


def _lines(path: Path, session: Session, problems: Problems, *, strict: bool) -> Iterator[AnyLine]:
    problems.lines = problems.truncated = 0
    problems.first.clear()
    yield session
    with path.open("rb") as file:
        file.readline(MAX_LINE)
        number = 1
        while text := file.readline(MAX_LINE):
            number += 1
            if not text.strip():
                continue
            try:
                frame = msgspec.json.decode(text, type=_Frame)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                _complain(f"{path}, line {number}: {error}", problems, cut_off=not text.endswith(b"\n"), strict=strict)
                continue
            direction = Direction.IN if frame.direction == "to_server" else Direction.OUT
            yield message_line(frame.seq, session, direction, frame.line.encode("utf-8", "replace"), frame.atMs / 1000)


def _complain(sentence: str, problems: Problems, *, cut_off: bool, strict: bool) -> None:
    if cut_off:
        problems.truncated += 1
    elif strict:
        raise RecordingError(f"{sentence}. Mend or delete the line, or read with strict=False, which passes over and counts such lines")
    else:
        problems.lines += 1
    problems.add(sentence)


def _header(path: Path, text: bytes) -> _Header:
    try:
        theirs = msgspec.json.decode(text, type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"{path}: expected the header of a session of mcpdump ({error})") from None
    if theirs.version != _VERSION:
        raise RecordingError(f"{path} is of version {theirs.version} of mcpdump's format, this program reads version {_VERSION}")
    return theirs

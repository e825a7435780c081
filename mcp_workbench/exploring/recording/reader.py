"""A recording that is read: its messages and its calls, one after the other, however large its files are.

Nothing is kept but what waits for its answer. A file whose last line was cut off in the middle, as when a machine went
down, is read to its last whole line; what is damaged elsewhere is an error that says where, or with `strict=False` passed over
and counted. `paired` makes calls; `imports` makes recordings of other programs' files.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mcp_workbench.exploring.recording.format import (
    AnyLine,
    Header,
    Lost,
    MessageLine,
    Note,
    RecordedTool,
    RecordingError,
    Tools,
    decode_header,
    decode_line,
)
from mcp_workbench.exploring.recording.paired import Paired
from mcp_workbench.exploring.recording.rotation import files_of
from mcp_workbench.limits import MIB
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CallRecord, SessionRecord
from mcp_workbench.wording import counted

MAX_LINE = 128 * MIB
"""Bytes of a line; what is longer is no message of anybody's."""
_SPELLED_OUT = 10


@dataclass(slots=True)
class Problems:
    """What the last reading passed over."""

    lines: int = 0
    """Lines that could not be read."""
    unknown: int = 0
    """Lines of kinds that a later version writes."""
    truncated: int = 0
    """Files whose last line was cut off."""
    first: list[str] = field(default_factory=list)
    """The first of them, in words."""

    def add(self, sentence: str) -> None:
        """Keep one, if it is among the first."""
        if len(self.first) < _SPELLED_OUT:
            self.first.append(sentence)

    def __bool__(self) -> bool:
        return bool(self.lines or self.truncated or self.first)

    def __str__(self) -> str:
        return "; ".join(self.first) if self else "none"


class Recording:
    """Messages and calls, read anew by each who asks.

    Args:
        header: Who wrote it, when, and how.
        lines: Begins a reading: every line after the header, in order.
        name: For people.
        problems: What `lines` has found.
    """

    def __init__(self, header: Header, lines: Callable[[], Iterator[AnyLine]], *, name: str = "", problems: Problems | None = None) -> None:
        self.header = header
        """The first line of its oldest file."""
        self.lines = lines
        self.name = name
        self.problems = Problems() if problems is None else problems
        """What the last reading passed over; a reading that was not finished has not found all."""

    def __repr__(self) -> str:
        return f"<Recording {self.name or self.header.server!r} by {self.header.written_by or self.header.source}>"

    def messages(self) -> Iterator[Message]:
        """Every message, in the order they crossed.

        Yields:
            Messages with the text that stands in the file, which is empty where it was withheld; `size` is what crossed. Times
            (`at_ns`) count from the beginning of the recording.
        """
        return (message_of(line) for line in self.lines() if isinstance(line, MessageLine))

    def calls(self) -> Iterator[CallRecord]:
        """Every call, about in the order they ended; last those that had not when the recording did, whose outcome is pending.

        Yields:
            Records as `Telemetry.calls` gives them: with what the server knew of them where it was recorded, else as the
            messages tell.
        """
        paired = Paired()
        for line in self.lines():
            message = message_of(line) if isinstance(line, MessageLine) else None
            yield from paired.take(line, message)
        yield from paired.rest()

    def sessions(self) -> list[SessionRecord]:
        """All sessions, in the order they began; reads the whole recording."""
        paired = Paired()
        for line in self.lines():
            message = message_of(line) if isinstance(line, MessageLine) else None
            for _ in paired.take(line, message):
                pass
        return paired.sessions()

    def tools(self) -> tuple[RecordedTool, ...]:
        """What the server offered last; reads the whole recording."""
        tools = self.header.tools
        for line in self.lines():
            if isinstance(line, Tools):
                tools = line.tools
        return tools

    def to_har(self, path: str | Path) -> Path:
        """Write it as HAR 1.2 into a new file, for the network panel of a browser; returns the file."""
        from mcp_workbench.exploring.exports.har import write_har  # it stands on this module

        return write_har(self, path)

    def to_parquet(self, folder: str | Path) -> tuple[Path, Path]:
        """Write `calls.parquet` and `messages.parquet` into a folder, new files; returns them. Needs pyarrow."""
        from mcp_workbench.exploring.exports.parquet import write_parquet  # it stands on this module

        return write_parquet(self, folder)

    def notes(self) -> Iterator[Note]:
        """What a person wrote beside it."""
        return (line for line in self.lines() if isinstance(line, Note))

    def lost(self) -> Iterator[Lost]:
        """Where something is missing."""
        return (line for line in self.lines() if isinstance(line, Lost))


def read(path: str | Path, *, strict: bool = True) -> Recording:
    """Open a recording, with its older files (`x.1`, `x.2` …) as one.

    Args:
        path: Its newest file, which `record` was given.
        strict: A damaged line is an error. False: it is passed over, counted in `problems`, and what follows is read.

    Raises:
        FileNotFoundError: There is none.
        RecordingError: It is no recording, or one of a version that this program does not read. While lines are read: one is damaged.
    """
    path = Path(path)
    there = [each for each in files_of(path) if each.exists()] if path.parent.is_dir() else []
    if not there:
        raise FileNotFoundError(f"there is no recording {path}: record(path) makes one")
    for file in there:
        check_file(file)
    problems = Problems()
    header = _header_of(there[0])
    return Recording(header, lambda: _Reading(path, problems, strict=strict).lines(), name=str(path), problems=problems)


def check_file(path: Path) -> None:
    """See that reading begins at once, and ends.

    Raises:
        RecordingError: It is a pipe, a device or a folder.
    """
    if path.exists() and not path.is_file():
        raise RecordingError(f"{path} is no file: a recording is one that can be read again and again")


def message_of(line: MessageLine) -> Message:
    """The message a line tells of."""
    return Message(line.session, line.dir, line.at_ns, line.at, line.size, _text_of(line), line.seq)


def _text_of(line: MessageLine) -> bytes:
    if line.text is not None:
        return line.text.encode()
    if line.base64 is not None:
        try:
            return base64.b64decode(line.base64, validate=True)
        except (binascii.Error, ValueError):
            return b""
    return bytes(line.m)


class _Reading:
    """One pass over the files."""

    def __init__(self, path: Path, problems: Problems, *, strict: bool) -> None:
        self._path, self._problems, self._strict = path, problems, strict
        problems.lines = problems.unknown = problems.truncated = 0
        problems.first.clear()

    def lines(self) -> Iterator[AnyLine]:
        before: Header | None = None
        for file in files_of(self._path):
            if not file.is_file():  # it is just being moved
                continue
            header = _header_of(file)
            if before is not None and header.recording != before.recording:
                self._complain(f"{file} belongs to another recording than {self._path.name}'s oldest file: move one of them away")
                continue
            if before is not None and header.part > before.part + 1:
                missing = header.part - before.part - 1
                self._problems.add(f"{counted(missing, 'file')} before {file} {'is' if missing == 1 else 'are'} missing")
            before = header
            yield from self._lines_of(file)

    def _lines_of(self, file: Path) -> Iterator[AnyLine]:
        with file.open("rb") as stream:
            stream.readline(MAX_LINE)
            number = 1
            while text := stream.readline(MAX_LINE):
                number += 1
                whole = text.endswith(b"\n")
                if not whole and len(text) >= MAX_LINE:
                    while (more := stream.readline(MAX_LINE)) and not more.endswith(b"\n"):
                        continue
                    self._bad_line(file, number, f"it is longer than {MAX_LINE // MIB} MiB")
                elif text.strip():
                    line = self._line(file, number, text, whole=whole)
                    if line is not None:
                        yield line

    def _line(self, file: Path, number: int, text: bytes, *, whole: bool) -> AnyLine | None:
        try:
            line = decode_line(text)
        except RecordingError as error:
            if whole:
                self._bad_line(file, number, str(error))
            else:
                self._problems.truncated += 1
                self._problems.add(f"{file}, line {number}: the last line was cut off, and is left out")
            return None
        if line is None:
            self._problems.unknown += 1
        return line

    def _bad_line(self, file: Path, number: int, reason: str) -> None:
        self._problems.lines += 1
        self._complain(f"{file}, line {number}: {reason}")

    def _complain(self, sentence: str) -> None:
        if self._strict:
            raise RecordingError(f"{sentence}. Mend or delete the line, or read with strict=False, which passes over and counts such lines")
        self._problems.add(sentence)


def _header_of(file: Path) -> Header:
    with file.open("rb") as stream:
        text = stream.readline(MAX_LINE)
    if not text.strip():
        raise RecordingError(f"{file} is empty: a recording begins with a header; what wrote it never got that far")
    try:
        return decode_header(text)
    except RecordingError as error:
        raise RecordingError(f"{file}: {error}") from None

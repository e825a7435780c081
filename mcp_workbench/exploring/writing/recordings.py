"""Some calls or messages -> a recording, in a file or in memory, with what is secret withheld.

The same lines that `wb.record` writes. All of it is there at once, so what gives itself away as a secret late is withheld before,
too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import uuid4

import msgspec

from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.origin import Origin
from mcp_workbench.exploring.recording.format import (
    FORMAT,
    VERSION,
    Clock,
    Header,
    Note,
    RecordedTool,
    Stop,
    decode_header,
    decode_line,
    encode_line,
)
from mcp_workbench.exploring.recording.lines import Crossed, Lines
from mcp_workbench.exploring.recording.reader import Recording
from mcp_workbench.exploring.recording.recorder import AT_ONCE, recording_path
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.recording.rotation import Files
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.version import __version__


def save(
    path: str | os.PathLike[str],
    calls: Sequence[CallRecord],
    messages: Sequence[Message],
    origin: Origin,
    annotations: Annotations | None = None,
    *,
    overwrite: bool = False,
) -> Path:
    """Write a recording.

    Args:
        path: The file; without an ending it is given `.mcptraffic.jsonl`.
        calls: What only who answered them knows.
        messages: What crossed, in order.
        origin: Where it comes from.
        annotations: What stands beside the calls.
        overwrite: Replace what a recording has left there.

    Returns:
        Where it is.

    Raises:
        FileExistsError: Something is there.
        OSError: It cannot be written.
    """
    file = recording_path(path)
    header, lines = _written(calls, messages, origin, annotations)
    files = Files(file, lambda _part: header, overwrite=overwrite)
    try:
        _, error = files.write(lines)
    finally:
        files.close()
    if error is not None:
        file.unlink(missing_ok=True)
        raise error
    return file


def withheld(calls: Sequence[CallRecord], messages: Sequence[Message], origin: Origin) -> Recording:
    """The same in memory: what would be read of the file."""
    header, lines = _written(calls, messages, origin, None)
    read = [line for text in lines if (line := decode_line(text)) is not None]
    return Recording(decode_header(header), lambda: iter(read), name="these calls")


def _written(
    calls: Sequence[CallRecord], messages: Sequence[Message], origin: Origin, annotations: Annotations | None
) -> tuple[bytes, list[bytes]]:
    redactor = origin.redactor()
    redactor.begin()
    began = min((message.at_ns for message in messages if message.at_ns), default=min((call.received_ns for call in calls), default=0))
    at = min((message.at for message in messages), default=min((call.received_at for call in calls), default=time.time()))
    sessions = {record.session_id: record for record in origin.sessions()}
    lines = Lines(Clock(at, began), redactor, sessions.get)
    items = _in_order(calls, messages)
    texts = _lines_of(items, lines)
    if redactor.learned:  # what was found to be a secret may stand before the place that gave it away
        lines.forget_sessions()
        texts = _lines_of(items, lines)
    ends = [lines.end(sessions[name]) for name in dict.fromkeys(call.session_id for call in calls) if _is_over(sessions.get(name))]
    notes = [] if annotations is None else _notes(calls, annotations, lines)
    stop = encode_line(Stop(time.time(), sum(isinstance(item, tuple) for item in items), len(calls)))
    header = Header(
        format=FORMAT,
        version=VERSION,
        written_by=f"mcp-workbench {__version__}",
        at=at,
        clock=Clock(at),
        recording=uuid4().hex,
        server=lines.text(origin.server()),
        tools=tuple(_tool(tool, redactor) for tool in origin.tools()),
        redaction=redactor.rules(),
    )
    return encode_line(header), [*texts, *notes, *ends, stop]


def _lines_of(items: Sequence[Crossed | CallRecord], lines: Lines) -> list[bytes]:
    return [line for begin in range(0, len(items), AT_ONCE) for line in lines.of(items[begin : begin + AT_ONCE])]


def _in_order(calls: Sequence[CallRecord], messages: Sequence[Message]) -> list[Crossed | CallRecord]:
    """Messages as they crossed, each call behind its answer; what has lost its text is left out."""
    waiting: dict[int, list[CallRecord]] = {}
    for call in calls:
        last = call.answer or call.request
        waiting.setdefault(0 if last is None or not last.raw else last.seq, []).append(call)
    items: list[Crossed | CallRecord] = []
    for message in messages:
        if message.raw:
            items.append((message, message.raw))
            items += waiting.pop(message.seq, ())
    return items + [call for each in waiting.values() for call in each]


def _notes(calls: Iterable[CallRecord], annotations: Annotations, lines: Lines) -> list[bytes]:
    return [
        encode_line(Note(call.received_at, lines.text(words), None if call.request is None else call.request.seq))
        for call in calls
        for words in annotations.of(call)
    ]


def _is_over(session: object) -> bool:
    return session is not None and getattr(session, "until", None) is not None


def _tool(tool: RecordedTool, redactor: Redactor) -> RecordedTool:
    return msgspec.structs.replace(tool, listed=msgspec.Raw(redactor.message(bytes(tool.listed))))

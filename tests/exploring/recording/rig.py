"""A memory that is recorded, and files that are read, without a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcp_workbench.events import Era
from mcp_workbench.exploring.recording.recorder import Recorder, Sources
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.telemetry import CallRecord, Direction, Message, Messages, Outcome, SessionRecord, Telemetry

HEADER = {"format": "mcptraffic", "version": 1, "written_by": "test", "at": 1.0, "clock": {"at": 1.0}, "recording": "r", "part": 1}


class Stage:
    """A server's memory, and those who speak."""

    def __init__(self, messages: Messages | None = None) -> None:
        self.telemetry = Telemetry(messages=messages)
        self.told: list[str] = []
        self.known = {"s1": SessionRecord("s1", "websocket", "127.0.0.1:1", "default", 5.0, client_name="Claude", era=Era.LEGACY)}

    def say(self, raw: bytes, direction: Direction = Direction.IN, session: str = "s1") -> Message:
        message = Message(session, direction, 1_000, 2.0, len(raw), raw)
        self.telemetry.messages.add(message)
        return message

    def call(self, number: int, tool: str = "add", text: str = "3", **facts: Any) -> CallRecord:
        """A whole exchange."""
        request = self.say(json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": tool}}).encode())
        answer = self.say(json.dumps({"jsonrpc": "2.0", "id": number, "result": {"content": [text]}}).encode(), Direction.OUT)
        record = CallRecord(f"c{number}", "s1", "default", Era.LEGACY, "tools/call", tool, number, request.at_ns, request.at, request.size)
        record.started_ns, record.returned_ns, record.rendered_ns, record.sent_ns = 2_000, 3_000, 4_000, 5_000
        record.request, record.answer, record.bytes_out, record.outcome = request, answer, answer.size, Outcome.OK
        for name, value in facts.items():
            setattr(record, name, value)
        self.telemetry.record(record)
        return record

    @property
    def sources(self) -> Sources:
        return Sources(lambda: self.telemetry, lambda: None, self.known.get, tuple, self.told.append, "here")


@contextmanager
def recorded(stage: Stage, path: Path, redactor: Redactor | None = None, **options: Any) -> Iterator[Recorder]:
    """A recording of a stage, stopped at the end."""
    with Recorder(path, stage.sources, redactor, **options) as recorder:
        yield recorder


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a file, read by somebody else's JSON; every one is whole."""
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def of_kind(path: Path, kind: str) -> list[dict[str, Any]]:
    return [line for line in lines_of(path) if line.get("k") == kind]


def written(path: Path, *lines: object, header: object = HEADER) -> Path:
    """A file of lines: objects as JSON, bytes as they are."""
    path.write_bytes(b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in (header, *lines)))
    return path


def message_line(seq: int, m: object, direction: str = "in", session: str = "s1", **more: object) -> dict[str, object]:
    size = len(json.dumps(m))
    return {
        "k": "message",
        "seq": seq,
        "at": 2.0,
        "at_ns": seq,
        "session": session,
        "side": "tap",
        "dir": direction,
        "size": size,
        "m": m,
    } | more

"""HAR 1.2: what browsers' network panels and HAR viewers open. Each session is one entry with its messages.

The format: http://www.softwareishard.com/blog/har-12-spec/. Chromium writes what crossed a WebSocket into a field of its own,
`_webSocketMessages` (`type` send or receive, as the client sees it, `time` in seconds since 1970, `opcode` 1 for text, `data`), and
other tools read that; here sessions over HTTP and stdio are written so too. The whole file is made in memory, as viewers read it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from mcp_workbench.errors import in_one_line
from mcp_workbench.exploring.exports.new_files import check_new
from mcp_workbench.exploring.recording.format import MessageLine
from mcp_workbench.exploring.recording.reader import Recording, message_of
from mcp_workbench.platforms import create_private_file
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.telemetry.records import SessionRecord, Side
from mcp_workbench.version import __version__

_SCHEMES = {"websocket": "ws", "http": "http"}
_TEXT = 1
"""The opcode of a frame of text (RFC 6455, 5.2)."""


@in_one_line(FileExistsError)
def write_har(recording: Recording, path: str | Path) -> Path:
    """Write a recording as HAR 1.2; only its owner may read the file.

    Args:
        recording: What to write; secrets are as in it.
        path: A new file.

    Raises:
        FileExistsError: Something is there.
    """
    path = Path(path)
    check_new(path, "name")
    with open(create_private_file(path), "wb") as file:  # noqa: PTH123  # a descriptor
        file.write(msgspec.json.format(msgspec.json.encode(har_of(recording)), indent=1) + b"\n")
    return path


def har_of(recording: Recording) -> dict[str, Any]:
    """A recording as HAR 1.2, plain values."""
    messages: dict[str, list[Message]] = {}
    for line in recording.lines():
        if isinstance(line, MessageLine):
            messages.setdefault(line.session, []).append(message_of(line))
    entries = [_entry(session, messages.get(session.session_id, [])) for session in recording.sessions()]
    comment = f"{recording.header.server} recorded by {recording.header.written_by}".strip()
    creator = {"name": "mcp-workbench", "version": __version__}
    return {"log": {"version": "1.2", "creator": creator, "entries": entries, "comment": comment}}


def _entry(session: SessionRecord, messages: list[Message]) -> dict[str, Any]:
    began = session.since or (messages[0].at if messages else 0.0)
    ended = session.until or (messages[-1].at if messages else began)
    took_ms = max(0.0, ended - began) * 1000
    out = Direction.OUT if session.side is Side.CLIENT else Direction.IN
    return {
        "startedDateTime": datetime.fromtimestamp(began, UTC).isoformat(timespec="milliseconds"),
        "time": took_ms,
        "request": {
            "method": "GET",
            "url": _url(session),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [],
            "queryString": [],
            "headersSize": -1,
            "bodySize": -1,
        },
        "response": {
            "status": 101,
            "statusText": "Switching Protocols",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [],
            "content": {"size": 0, "mimeType": "application/json"},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": took_ms},
        "connection": session.session_id,
        "comment": f"session {session.session_id}, {session.transport or 'unknown transport'}, {session.client_name or 'unknown client'}",
        "_resourceType": "websocket",
        "_webSocketMessages": [_message(message, out) for message in messages],
    }


def _message(message: Message, out: Direction) -> dict[str, Any]:
    kept = {"type": "send" if message.direction is out else "receive", "time": message.at, "opcode": _TEXT}
    kept["data"] = message.raw.decode("utf-8", "replace")
    return kept if message.kept else kept | {"_withheld": message.size}


def _url(session: SessionRecord) -> str:
    if "://" in session.remote:
        return quote(session.remote, safe=":/?#[]@!$&'()*+,;=%")
    return f"{_SCHEMES.get(session.transport, session.transport or 'mcp')}://mcp-workbench/{quote(session.session_id, safe='')}"

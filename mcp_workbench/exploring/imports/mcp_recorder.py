"""Cassettes of mcp-recorder, version 1.x.

Read as its models say (https://github.com/devhelmhq/mcp-recorder, `src/mcp_recorder/_types.py`, `proxy.py`): one JSON object with
`version` "1.0", `metadata` (`recorded_at` ISO 8601, `server_url`, `protocol_version`, `server_info`) and `interactions`, in the
order in which they ended. Each is a `jsonrpc_request` with `request`, `response` and `latency_ms`, a `notification`, or a `lifecycle`
(GET and DELETE of the HTTP session), which holds no message. It tells no times but latencies, so requests are taken to follow one
another. Of a response that came as a stream of events it holds the first event alone. The whole file is read at once; of the
address only scheme, host and path are taken over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from mcp_workbench.exploring.imports.texts import LONGEST_MS, message_line, seconds_of
from mcp_workbench.exploring.recording.format import FORMAT, VERSION, AnyLine, Clock, End, Header, RecordingError, Session
from mcp_workbench.exploring.recording.reader import Recording, check_file
from mcp_workbench.limits import MIB
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.telemetry.records import Side

MAX_BYTES = 256 * MIB
"""Larger cassettes are not read: it would take several times their size in memory."""
SESSION = "tap1"


class _Metadata(msgspec.Struct):
    recorded_at: str | None = None
    server_url: str = ""
    server_info: dict[str, Any] | None = None


class _Interaction(msgspec.Struct):
    type: str
    request: msgspec.Raw = msgspec.Raw(b"null")
    response: msgspec.Raw = msgspec.Raw(b"null")
    latency_ms: Annotated[float, msgspec.Meta(le=LONGEST_MS)] = 0
    http_method: str | None = None


class _Cassette(msgspec.Struct):
    version: str
    interactions: list[_Interaction]
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


def is_cassette(beginning: bytes) -> bool:
    """Whether a file that begins so is one."""
    return beginning.lstrip()[:1] == b"{" and b'"metadata"' in beginning and b'"interactions"' in beginning


def read_cassette(path: str | Path) -> Recording:
    """Open a cassette of mcp-recorder.

    Raises:
        RecordingError: It is none, is of a later version, or is too large.
    """
    path = Path(path)
    check_file(path)
    if path.stat().st_size > MAX_BYTES:
        raise RecordingError(f"{path} is larger than the {MAX_BYTES // MIB} MiB of a cassette that are read: cut it into several")
    try:
        cassette = msgspec.json.decode(path.read_bytes(), type=_Cassette)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"{path}: expected a cassette of mcp-recorder ({error})") from None
    if cassette.version.partition(".")[0] != "1":
        raise RecordingError(f"{path} is of version {cassette.version[:20]} of mcp-recorder's format, this program reads version 1")
    at, url = seconds_of(cassette.metadata.recorded_at), _bare(cassette.metadata.server_url)
    name = (cassette.metadata.server_info or {}).get("name", "")
    header = Header(
        format=FORMAT,
        version=VERSION,
        written_by=f"mcp-recorder, version {cassette.version[:20]}",
        at=at,
        clock=Clock(at),
        server=str(name),
        source=str(path),
    )
    session = Session(SESSION, Side.TAP, "http", url, "", at)
    return Recording(header, lambda: _lines(cassette, session), name=str(path))


def _lines(cassette: _Cassette, session: Session) -> Iterator[AnyLine]:
    yield session
    seq, after_s = 0, 0.0
    for interaction in cassette.interactions:
        for text, direction in ((interaction.request, Direction.IN), (interaction.response, Direction.OUT)):
            if direction is Direction.OUT:
                after_s += max(0.0, interaction.latency_ms) / 1000
                if after_s > LONGEST_MS / 1000:
                    raise RecordingError(f"its latencies are {after_s / 86400:,.0f} days together: no cassette is of such a session")
            if bytes(text) != b"null":
                seq += 1
                yield message_line(seq, session, direction, _one_line(bytes(text)), after_s)
        if interaction.type == "lifecycle" and interaction.http_method == "DELETE":
            yield End(session.id, session.since + after_s)


def _one_line(text: bytes) -> bytes:
    """As it may have crossed: cassettes are indented."""
    return bytes(msgspec.json.format(text, indent=-1))


def _bare(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}" if parts.scheme else ""

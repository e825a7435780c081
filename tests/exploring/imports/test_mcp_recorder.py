from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench.exploring.imports import mcp_recorder, open_recording, read_cassette
from mcp_workbench.exploring.recording import RecordingError
from mcp_workbench.telemetry import Outcome
from tests.exploring.recording.rig import Stage, recorded


def cassette(path: Path, *interactions: dict[str, Any], version: str = "1.0") -> Path:
    metadata = {
        "recorded_at": "2026-03-01T10:00:00+00:00",
        "server_url": "http://bob:s3cret@127.0.0.1:8000/mcp?key=s3cret",
        "protocol_version": "2025-11-25",
        "server_info": {"name": "Calculator", "version": "2"},
    }
    path.write_text(json.dumps({"version": version, "metadata": metadata, "interactions": interactions}, indent=2))
    return path


def asked(request_id: int, method: str, params: object, response: object, latency_ms: int = 7) -> dict[str, Any]:
    request = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
    return {"type": "jsonrpc_request", "request": request, "response": response, "latency_ms": latency_ms, "response_is_sse": True}


BEGIN = asked(
    0,
    "initialize",
    {"protocolVersion": "2025-11-25", "clientInfo": {"name": "mcp", "version": "0.1"}, "capabilities": {}},
    {"jsonrpc": "2.0", "id": 0, "result": {"protocolVersion": "2025-11-25", "capabilities": {}}},
)
BEGUN = {"type": "notification", "request": {"jsonrpc": "2.0", "method": "notifications/initialized"}, "response": None, "latency_ms": 1}
ADD = asked(1, "tools/call", {"name": "add", "arguments": {"a": 2.0}}, {"jsonrpc": "2.0", "id": 1, "result": {"content": []}}, 18)
END = {"type": "lifecycle", "request": None, "response": None, "http_method": "DELETE", "http_path": "/mcp", "latency_ms": 1}


def test_a_cassette_becomes_a_recording_with_its_latencies(tmp_path: Path) -> None:
    recording = open_recording(cassette(tmp_path / "x.json", BEGIN, BEGUN, ADD, END))
    first, second = recording.calls()
    assert (first.method, second.target, second.outcome) == ("initialize", "add", Outcome.OK)
    assert (first.total_ns, second.total_ns) == (7_000_000, 18_000_000)
    assert [message.direction.value for message in recording.messages()] == ["in", "out", "in", "in", "out"]
    assert b'{"a":2.0}' in next(message.raw for message in recording.messages() if message.seq == 4)
    [session] = recording.sessions()
    assert (session.client_name, session.protocol_version, session.until) == ("mcp", "2025-11-25", 1772359200.027)
    assert (session.remote, recording.header.server) == ("http://127.0.0.1:8000/mcp", "Calculator")


def test_a_request_that_was_never_answered_is_pending(tmp_path: Path) -> None:
    assert [call.outcome for call in read_cassette(cassette(tmp_path / "x.json", asked(1, "ping", {}, None))).calls()] == [Outcome.PENDING]


def test_what_is_none_of_a_later_version_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecordingError, match=r"version 2\.0"):
        read_cassette(cassette(tmp_path / "later.json", version="2.0"))
    (tmp_path / "bad.json").write_text('{"version": "1.0", "metadata": {}, "interactions": [1]}')
    with pytest.raises(RecordingError, match="expected a cassette"):
        open_recording(tmp_path / "bad.json")
    monkeypatch.setattr(mcp_recorder, "MAX_BYTES", 10)
    with pytest.raises(RecordingError, match="larger"):
        read_cassette(cassette(tmp_path / "x.json"))


def test_our_own_are_opened_too_and_where_there_is_none_it_says_so(tmp_path: Path) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file):
        stage.call(1)
    assert len(list(open_recording(file).calls())) == 1
    with pytest.raises(FileNotFoundError):
        open_recording(tmp_path / "none.jsonl")


def test_latencies_that_no_session_has_are_refused(tmp_path: Path) -> None:
    response = {"jsonrpc": "2.0", "id": 1, "result": {}}
    with pytest.raises(RecordingError, match="expected a cassette"):
        open_recording(cassette(tmp_path / "x.json", asked(1, "ping", {}, response, latency_ms=10**300)))
    long = cassette(tmp_path / "y.json", *(asked(number, "ping", {}, response | {"id": number}, latency_ms=2**41) for number in (1, 2)))
    with pytest.raises(RecordingError, match="days together"):
        list(open_recording(long).calls())

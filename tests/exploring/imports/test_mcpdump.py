from __future__ import annotations

import json
from pathlib import Path

import pytest

from mcp_workbench.exploring.imports import open_recording, read_mcpdump
from mcp_workbench.exploring.recording import RecordingError
from mcp_workbench.telemetry import Outcome, Side
from tests.exploring.recording.rig import written

HEADER = {
    "format": "mcpdump-session",
    "version": 1,
    "at": "2026-03-01T10:00:00+00:00",
    "argv": ["/usr/bin/python", "server.py", "--key=s3cret"],
}


def frame(seq: int, at_ms: float, direction: str, message: object) -> dict[str, object]:
    line = message if isinstance(message, str) else json.dumps(message)
    return {"seq": seq, "atMs": at_ms, "direction": direction, "method": "x", "elapsedMs": None, "line": line}


ASKED = frame(1, 0.5, "to_server", {"jsonrpc": "2.0", "id": 0, "method": "tools/call", "params": {"name": "add"}})
TOLD = frame(2, 12.75, "to_client", {"jsonrpc": "2.0", "id": 0, "result": {"content": [], "isError": True}})


def test_a_session_becomes_a_recording_with_its_times(tmp_path: Path) -> None:
    recording = open_recording(written(tmp_path / "x.jsonl", ASKED, TOLD, frame(3, 20, "to_client", "a banner"), header=HEADER))
    [call] = recording.calls()
    assert (call.target, call.outcome, call.side, call.total_ns) == ("add", Outcome.TOOL_ERROR, Side.TAP, 12_250_000)
    assert call.received_at == 1772359200.0005
    messages = list(recording.messages())
    assert [message.seq for message in messages] == [1, 2, 3]
    assert messages[2].raw == b"a banner"
    assert (recording.header.server, recording.header.written_by) == ("python", "mcpdump, version 1")
    assert "s3cret" not in repr(recording) + repr(recording.header) + repr(recording.sessions())


def test_damaged_lines_are_told_or_passed_over(tmp_path: Path) -> None:
    file = written(tmp_path / "x.jsonl", ASKED, b"{}\n", b"\n", TOLD, b'{"seq": 3', header=HEADER)
    with pytest.raises(RecordingError, match=r"line 3: .*strict=False"):
        list(read_mcpdump(file).messages())
    recording = read_mcpdump(file, strict=False)
    assert [call.outcome for call in recording.calls()] == [Outcome.TOOL_ERROR]
    assert (recording.problems.lines, recording.problems.truncated) == (1, 1)


@pytest.mark.parametrize(("header", "reason"), [(HEADER | {"version": 2}, "version 2"), ({"format": "x"}, "mcpdump"), (b"\xff", "mcpdump")])
def test_what_is_none_or_of_a_later_version_is_refused(tmp_path: Path, header: object, reason: str) -> None:
    with pytest.raises(RecordingError, match=reason):
        read_mcpdump(written(tmp_path / "x.jsonl", header=header))


def test_a_moment_nobody_can_read_is_no_reason_to_refuse(tmp_path: Path) -> None:
    recording = read_mcpdump(written(tmp_path / "x.jsonl", ASKED, header={"format": "mcpdump-session", "version": 1, "at": "yesterday"}))
    assert recording.header.at == 0.0
    assert len(list(recording.messages())) == 1


def test_times_that_no_session_has_are_refused(tmp_path: Path) -> None:
    for at_ms in (1e300, -1):
        recording = open_recording(written(tmp_path / "x.jsonl", frame(1, at_ms, "to_server", {}), header=HEADER))
        with pytest.raises(RecordingError, match="line 2"):
            list(recording.calls())
    recording = open_recording(written(tmp_path / "x.jsonl", ASKED, TOLD, header=HEADER | {"at": "9999-12-31T23:59:59+00:00"}))
    assert recording.header.at == 0

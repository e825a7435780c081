from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest

from mcp_workbench.exploring.imports import open_recording, read_cassette, read_mcpdump
from mcp_workbench.exploring.recording import RecordingError, read
from mcp_workbench.exploring.recording.format import FORMAT, VERSION
from mcp_workbench.limits import MIB
from mcp_workbench.telemetry import Direction, Outcome, Side
from tests.exploring.recording.rig import HEADER, message_line, written


def ask(seq: int, number: int, tool: str = "add", session: str = "s1") -> dict[str, object]:
    return message_line(seq, {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": tool}}, session=session)


def answer(seq: int, number: int, session: str = "s1") -> dict[str, object]:
    return message_line(seq, {"jsonrpc": "2.0", "id": number, "result": {"content": []}}, "out", session=session)


def test_messages_alone_make_calls_and_those_without_an_answer_are_pending(tmp_path: Path) -> None:
    session = {"k": "session", "id": "s1", "side": "tap", "transport": "stdio", "remote": "x", "principal": "p", "since": 1.0}
    file = written(tmp_path / "x.jsonl", session, ask(1, 1), ask(2, 2), answer(3, 1), ask(4, 3))
    calls = list(read(file).calls())
    assert [(call.request_id, call.outcome, call.side, call.principal) for call in calls] == [
        (1, Outcome.OK, Side.TAP, "p"),
        (2, Outcome.PENDING, Side.TAP, "p"),
        (3, Outcome.PENDING, Side.TAP, "p"),
    ]
    assert (calls[0].received_ns, calls[0].sent_ns, calls[0].bytes_in) == (1, 3, calls[0].request.size if calls[0].request else 0)


def test_the_end_of_a_session_drops_what_waits(tmp_path: Path) -> None:
    end = {"k": "end", "id": "s1", "until": 9.0, "code": 1006, "reason": "gone", "ignored": {"x": 2}}
    recording = read(written(tmp_path / "x.jsonl", ask(1, 1), end))
    assert [call.outcome for call in recording.calls()] == [Outcome.DROPPED]
    [session] = recording.sessions()
    assert (session.close_code, session.close_reason, session.until, session.ignored) == (1006, "gone", 9.0, {"x": 2})


def test_conversations_that_share_a_session_and_use_the_same_ids_are_told_apart_by_the_lines_of_their_calls(tmp_path: Path) -> None:
    def told(request: int, reply: int) -> dict[str, object]:
        facts = {"id": 1, "method": "tools/call", "target": "add", "outcome": "ok", "received_ns": request, "at": 1.0, "bytes_in": 1}
        return {"k": "call", "session": "s1", "request": request, "answer": reply, "side": "server", "dir": "in"} | facts

    file = written(tmp_path / "x.jsonl", ask(1, 1), ask(2, 1), answer(3, 1), told(2, 3), answer(4, 1), told(1, 4))
    calls = list(read(file).calls())
    assert [(call.request.seq if call.request else 0, call.answer.seq if call.answer else 0) for call in calls] == [(2, 3), (1, 4)]


def test_a_line_that_comes_before_the_messages_tell_of_the_end_counts_once(tmp_path: Path) -> None:
    call = {"k": "call", "session": "s1", "request": 1, "answer": 0, "side": "server", "dir": "in", "id": 1, "method": "tools/call"}
    call |= {"target": "add", "outcome": "timeout", "received_ns": 1, "at": 1.0, "bytes_in": 1}
    file = written(tmp_path / "x.jsonl", ask(1, 1), call, answer(2, 1))
    assert [call.outcome for call in read(file).calls()] == [Outcome.TIMEOUT]


def test_a_line_that_comes_before_the_answer_it_names_waits_for_it(tmp_path: Path) -> None:
    call = {"k": "call", "session": "s1", "request": 1, "answer": 2, "side": "client", "dir": "in", "id": 1, "method": "tools/call"}
    call |= {"target": "add", "outcome": "ok", "received_ns": 1, "at": 1.0, "bytes_in": 1, "call": "c1"}
    [found] = read(written(tmp_path / "x.jsonl", ask(1, 1), call, answer(2, 1))).calls()
    assert (found.call_id, found.answer.seq if found.answer else 0) == ("c1", 2)
    [alone] = read(written(tmp_path / "y.jsonl", ask(1, 1), call)).calls()
    assert (alone.call_id, alone.answer) == ("c1", None)


def test_a_last_line_that_was_cut_off_is_left_out_and_told(tmp_path: Path) -> None:
    file = written(tmp_path / "x.jsonl", ask(1, 1), answer(2, 1), json.dumps(ask(3, 2)).encode()[:50])
    recording = read(file)
    assert len(list(recording.messages())) == 2
    assert recording.problems.truncated == 1
    assert "line 4" in str(recording.problems)
    list(recording.messages())
    assert recording.problems.truncated == 1, "each reading counts anew"


def test_a_damaged_line_is_an_error_that_says_where_or_is_passed_over_and_counted(tmp_path: Path) -> None:
    file = written(tmp_path / "x.jsonl", ask(1, 1), b"{nope}\n", b'{"k":"message","seq":"x"}\n', b"\xff\n", b"\n", answer(2, 1))
    with pytest.raises(RecordingError, match=r"line 3: .*strict=False"):
        list(read(file).messages())
    recording = read(file, strict=False)
    assert [message.seq for message in recording.messages()] == [1, 2]
    assert recording.problems.lines == 3
    assert "line 4" in str(recording.problems)
    assert [call.outcome for call in recording.calls()] == [Outcome.OK]


def test_kinds_of_lines_and_members_that_a_later_program_writes_are_passed_over(tmp_path: Path) -> None:
    later = {"k": "hologram", "data": [1]}
    recording = read(written(tmp_path / "x.jsonl", later, ask(1, 1) | {"colour": "red"}, header=HEADER | {"mood": "good"}))
    assert len(list(recording.messages())) == 1
    assert recording.problems.unknown == 1
    assert not recording.problems


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (HEADER | {"version": VERSION + 1}, f"version {VERSION + 1}, this program reads version {VERSION}"),
        (HEADER | {"version": "x" * 500}, "version x"),
        (HEADER | {"format": "har"}, f'"format":"{FORMAT}"'),
        ({"log": {}}, "expected the header"),
        (b"\x00\x01 binary", "expected the header"),
        (b"[1]\n", "expected the header"),
        (b"", "is empty"),
        ({"format": FORMAT, "version": VERSION}, "damaged"),
    ],
)
def test_what_is_no_recording_of_this_version_is_refused_at_once(tmp_path: Path, header: object, reason: str) -> None:
    file = written(tmp_path / "x.jsonl", header=header)
    with pytest.raises(RecordingError) as refused:
        read(file)
    assert reason in str(refused.value)
    assert len(str(refused.value)) < 400
    assert str(file) in str(refused.value)


def test_where_there_is_none_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"record\(path\)"):
        read(tmp_path / "none.jsonl")


def test_large_files_are_read_with_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "large.jsonl"
    filler = "x" * 20_000
    with file.open("wb") as stream:
        stream.write(json.dumps(HEADER).encode() + b"\n")
        for number in range(1, 1_601):
            asked = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": "add", "arguments": {"x": filler}}}
            stream.write(json.dumps(message_line(2 * number - 1, asked)).encode() + b"\n")
            told = {"jsonrpc": "2.0", "id": number, "result": {"content": [filler]}}
            stream.write(json.dumps(message_line(2 * number, told, "out")).encode() + b"\n")
    assert file.stat().st_size > 60 * MIB
    recording = read(file)
    tracemalloc.start()
    try:
        assert sum(1 for _ in recording.messages()) == 3_200
        assert tracemalloc.get_traced_memory()[1] < 2 * MIB
        assert sum(call.outcome is Outcome.OK for call in recording.calls()) == 1_600
        assert tracemalloc.get_traced_memory()[1] < 40 * MIB, "what waits for its line is bounded: two times 16 MiB"
    finally:
        tracemalloc.stop()


def test_a_line_without_end_is_no_reason_to_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_workbench.exploring.recording.reader.MAX_LINE", 1_000)
    file = written(tmp_path / "x.jsonl", b'{"k":"' + b"x" * 5_000 + b"\n", ask(1, 1))
    with pytest.raises(RecordingError, match="line 2: it is longer"):
        list(read(file).messages())
    recording = read(file, strict=False)
    assert [message.direction for message in recording.messages()] == [Direction.IN]
    assert recording.problems.lines == 1


def test_a_code_that_nothing_can_hold_is_none(tmp_path: Path) -> None:
    call = {"k": "call", "session": "s1", "request": 1, "answer": 2, "side": "tap", "dir": "in", "id": 1, "method": "tools/call"}
    call |= {"target": "add", "outcome": "rpc_error", "received_ns": 1, "at": 1.0, "bytes_in": 1, "code": 10**30, "error": "no"}
    [told] = read(written(tmp_path / "x.jsonl", ask(1, 1), answer(2, 1), call)).calls()
    assert (told.code, told.error, told.outcome) == (None, "no", Outcome.RPC_ERROR)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_and_a_folder_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")  # noqa: TID251  # skipped where there is none
    (tmp_path / "folder.jsonl").mkdir()
    for name in ("pipe.jsonl", "folder.jsonl"):
        for opening in (read, open_recording, read_mcpdump, read_cassette):
            with pytest.raises(RecordingError, match="is no file"):
                opening(tmp_path / name)

from __future__ import annotations

import asyncio
import errno
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench import Workbench
from mcp_workbench.exploring.filters import FilterError
from mcp_workbench.exploring.recording import read
from mcp_workbench.exploring.recording.lines import Lines
from mcp_workbench.exploring.recording.recorder import Recorder, recording_path
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.recording.rotation import Files
from mcp_workbench.limits import Limits
from mcp_workbench.telemetry import Direction, Message, Messages, SessionRecord, Side, freeze_exception
from tests.exploring.recording.rig import Stage, lines_of, of_kind, recorded
from tests.exploring.rig import ANSWER, QUESTION, calling


class Held:
    """A disk that waits for permission, and may be full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = threading.Event()
        self.free.set()
        self.room: int | None = None
        self._write = os.write
        monkeypatch.setattr("mcp_workbench.exploring.recording.rotation.os.write", self.write)

    def write(self, file: int, data: Any) -> int:
        self.free.wait(10)
        if self.room is None:
            return self._write(file, data)
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = self._write(file, bytes(data)[: self.room])
        self.room -= taken
        return taken


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)


def test_what_crosses_is_in_the_file_with_who_said_it_and_what_became_of_it(tmp_path: Path) -> None:
    stage, file = Stage(), tmp_path / "x.mcptraffic.jsonl"
    with recorded(stage, file) as recorder:
        stage.call(1, notes=("flights v17",), tool_version="v2@1f3a9c0e")
        assert recorder.flush()
        header, session, request, answer, call = lines_of(file)
        stage.telemetry.record_session(stage.known["s1"])
        recorder.annotate("now it ends")
    assert (header["format"], header["version"], header["server"], header["part"]) == ("mcptraffic", 1, "here", 1)
    assert (session["id"], session["client"], session["transport"]) == ("s1", "Claude", "websocket")
    assert (request["dir"], request["m"]["method"], answer["seq"]) == ("in", "tools/call", 2)
    assert (call["request"], call["answer"], call["target"], call["outcome"], call["notes"]) == (1, 2, "add", "ok", ["flights v17"])
    assert [line["k"] for line in lines_of(file)[5:]] == ["end", "note", "stop"]
    assert str(recorder.status) == f"{file}: stopped, 2 messages, 1 call, {file.stat().st_size / 1024:.1f} KiB"
    assert repr(recorder).startswith("<Recorder ")


def test_a_recording_read_back_gives_the_same_calls(tmp_path: Path) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file):
        for number in range(5):
            stage.call(number, is_authors=bool(number))
        try:
            raise ValueError("broken \udcff")
        except ValueError as error:
            stage.call(9, error="broken", exception=freeze_exception(error))
    again = list(read(file).calls())
    for call, same in zip(stage.telemetry.calls(), again, strict=True):
        for name in (
            "call_id",
            "method",
            "target",
            "request_id",
            "outcome",
            "wait_ns",
            "run_ns",
            "send_ns",
            "total_ns",
            "bytes_in",
            "is_authors",
        ):
            assert getattr(call, name) == getattr(same, name)
        assert call.request is not None
        assert same.request is not None
        assert same.request.raw == call.request.raw
        assert (same.answer is None) == (call.answer is None)
    assert again[-1].traceback_text is not None
    assert again[-1].traceback_text.startswith("Traceback (most recent call last):")


def test_texts_the_memory_cannot_keep_are_recorded_all_the_same(tmp_path: Path) -> None:
    stage, file = Stage(Messages(count=1, max_bytes=0)), tmp_path / "x.jsonl"
    with recorded(stage, file):
        for number in range(50):
            stage.call(number)
    assert [bool(line["m"]) for line in of_kind(file, "message")] == [True] * 100
    assert len(list(read(file).calls())) == 50


def test_what_finds_no_room_is_counted_told_once_and_noted_where_it_is_missing(tmp_path: Path, disk: Held) -> None:
    stage, file = Stage(Messages(10, 0)), tmp_path / "x.jsonl"
    with recorded(stage, file, max_waiting=1_000) as recorder:
        disk.free.clear()
        stage.call(1)
        for number in range(2, 20):
            stage.call(number)
        disk.free.set()
        assert recorder.flush()
        stage.call(20)
        assert recorder.flush()
        assert recorder.status.lost == sum(line["messages"] + line["calls"] for line in of_kind(file, "lost")) > 30
    kinds = [line.get("k") for line in lines_of(file)]
    assert kinds.index("lost") < len(kinds) - 4, "where it is missing, not at the end"
    assert len(stage.told) == 1
    assert "cannot keep up" in stage.told[0]


def test_a_full_disk_leaves_whole_lines_and_the_recording_goes_on_when_there_is_room(tmp_path: Path, disk: Held) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file) as recorder:
        stage.call(1)
        assert recorder.flush()
        disk.room = 200
        stage.call(2)
        assert not recorder.flush()
        assert "No space left" in recorder.status.state
        assert len(list(read(file).messages())) >= 2, "readable to its last whole line, strictly"
        before = recorder.status.lost
        stage.call(3)
        assert not recorder.flush()
        assert recorder.status.lost == before + 3
        disk.room = None
        stage.call(4)
        assert recorder.flush()
    [lost] = of_kind(file, "lost")
    assert lost["messages"] + lost["calls"] == recorder.status.lost
    assert "No space left" in lost["why"]
    assert len(stage.told) == 1
    assert "Traffic goes on" in stage.told[0]
    calls = [(call.request_id, call.outcome.value) for call in read(file).calls()]
    assert calls == [(1, "ok"), (4, "ok"), (2, "pending")], "of the second only the request found room"


def test_without_redaction_everything_stands_there_as_it_crossed_and_the_header_says_so(tmp_path: Path) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    texts = [b'{"password":"hunter2"}', b"no json", b"\xff\xfe", b'{\n"a": 1.50,\n"a": 2\n}', b'[{"a":1}]', b""]
    with recorded(stage, file):
        for text in texts:
            stage.say(text)
    assert lines_of(file)[0]["redaction"]["on"] is False
    raws = [message.raw for message in read(file).messages()]
    assert raws == [texts[0], texts[1], texts[2], b'{ "a": 1.50, "a": 2 }', texts[4], b""]
    assert [line.get("batch") for line in of_kind(file, "message")] == [None, None, None, None, True, None]


def test_with_redaction_what_cannot_be_read_is_withheld_whole_with_its_size_and_the_reason(tmp_path: Path) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file, Redactor()):
        stage.say(b"password is hunter2")
        stage.say(b'{"password":"hunter2-long"}')
        stage.call(1, error="no entry for hunter2-long", printed=None)
    text = file.read_text(encoding="utf-8")
    assert "hunter2" not in text
    assert (of_kind(file, "message")[0]["withheld"], of_kind(file, "message")[0]["size"]) == ("no JSON", 19)
    assert lines_of(file)[0]["redaction"]["on"] is True
    assert of_kind(file, "call")[0]["error"].startswith("no entry for ‹redacted:")
    assert [message.kept for message in read(file).messages()] == [False, True, True, True]


def test_only_the_sessions_and_the_messages_that_are_wanted_with_their_calls(tmp_path: Path) -> None:
    stage, one, two = Stage(), tmp_path / "one.jsonl", tmp_path / "two.jsonl"

    def wanted(message: Message) -> bool:
        return b'"id": 2' in message.raw

    with recorded(stage, one, sessions=["s2"]), recorded(stage, two, wanted=wanted):
        stage.call(1)
        stage.say(b"{}", session="s2")
        stage.call(2)
    assert [line["session"] for line in of_kind(one, "message")] == ["s2"]
    assert of_kind(one, "call") == []
    assert [call.request_id for call in read(two).calls()] == [2]
    assert len(of_kind(two, "message")) == 2


def test_a_filter_that_fails_is_told_once_and_what_it_fails_at_is_not_recorded(tmp_path: Path) -> None:
    stage = Stage()
    with recorded(stage, tmp_path / "x.jsonl", wanted=lambda message: message.seq < 1 / 0):
        stage.call(1)
        stage.call(2)
    assert len(of_kind(tmp_path / "x.jsonl", "message")) == 0
    assert [("ZeroDivisionError" in sentence) for sentence in stage.told] == [True]


def test_a_filter_that_would_end_the_program_ends_nothing(tmp_path: Path) -> None:
    def wanted(message: Message) -> bool:
        return message.seq != 1 or sys.exit()

    stage = Stage()
    with recorded(stage, tmp_path / "x.jsonl", wanted=wanted) as recorder:
        stage.call(1)
        assert recorder.flush()
        stage.call(2)
        assert recorder.recording
    assert [line["seq"] for line in of_kind(tmp_path / "x.jsonl", "message")] == [2, 3, 4]
    assert [("SystemExit" in sentence) for sentence in stage.told] == [True]


def test_what_crossed_is_in_the_file_when_the_process_has_ended_without_a_stop(tmp_path: Path) -> None:
    script = f"""
import asyncio, threading
from mcp_workbench import Workbench
workbench = Workbench("script").start()
workbench.record({str(tmp_path / "x")!r})
async def main():
    session = await workbench.connect()
    await session.list_tools()
    return session
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()
session = asyncio.run_coroutine_threadsafe(main(), loop).result(30)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=60)
    file = tmp_path / "x.mcptraffic.jsonl"
    assert [line["k"] for line in lines_of(file)[-2:]] == ["end", "stop"], "and it has heard the server end"
    assert "tools/list" in [call.method for call in read(file).calls()]


def test_a_filter_is_a_text_or_a_function_and_one_name_is_one_name(tmp_path: Path) -> None:
    workbench = Workbench("x")
    with pytest.raises(FilterError, match="method"):
        workbench.record(tmp_path / "x", filter="methd:tools/call")
    with pytest.raises(TypeError, match="got int"):
        workbench.record(tmp_path / "x", filter=1)  # type: ignore[arg-type]  # that is the point
    with workbench.record(tmp_path / "chosen", filter="tool:add") as recorder:
        heard = workbench._offer.overhearing.begin(Side.TAP, "default", "memory", "there")
        heard.note(Direction.IN, QUESTION)
        heard.note(Direction.IN, QUESTION.replace(b'"add"', b'"sub"'))
        recorder.flush()
        assert [line["m"]["params"]["name"] for line in lines_of(recorder.path) if line.get("k") == "message"] == ["add"]
    with workbench.record(tmp_path / "x", redact="ssn") as recorder:
        pass
    assert read(recorder.path).header.redaction.keys[-1] == "ssn"
    wrong: list[tuple[Any, str]] = [
        (["", "a"], "one that is empty"),
        (["a", None], "NoneType among them"),
        (5, "got int"),
        (None, "got NoneType"),
    ]
    for redact, said in wrong:
        with pytest.raises((TypeError, ValueError), match=said):
            workbench.record(tmp_path / "never", redact=redact)
    assert not (tmp_path / "never.mcptraffic.jsonl").exists()


def test_a_call_whose_answer_waits_for_its_client_is_written_when_it_was_read(tmp_path: Path) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file) as recorder:
        waiting = Message("s1", Direction.OUT, 0, 0.0, 2, b"{}")
        stage.call(1, answer=waiting)
        recorder.flush()
        assert of_kind(file, "call") == []
        stage.telemetry.messages.add(waiting)
        recorder.flush()
        assert of_kind(file, "call")[0]["answer"] == waiting.seq
        stage.call(2, answer=Message("s1", Direction.OUT, 0, 0.0, 2, b"{}"))
        stage.telemetry.record_session(SessionRecord("s1", "websocket", "", "default", 0.0))
        recorder.flush()
        assert [line["answer"] for line in of_kind(file, "call")] == [waiting.seq, 0], "its client is gone"


def test_files_are_their_owners_alone_and_neither_links_nor_what_is_there_are_touched(tmp_path: Path) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError, match="overwrite=True"):
        Recorder(file, stage.sources, None)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    for name, target in (("link.jsonl", victim), ("dangling.jsonl", tmp_path / "nowhere")):
        (tmp_path / name).symlink_to(target)
        for overwrite in (False, True):
            with pytest.raises(FileExistsError, match="link"):
                Recorder(tmp_path / name, stage.sources, None, overwrite=overwrite)
    assert victim.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
    with recorded(stage, file, overwrite=True):
        assert len(lines_of(file)) == 1
    with pytest.raises(FileNotFoundError):
        Recorder(tmp_path / "no" / "folder.jsonl", stage.sources, None)
    assert stage.telemetry.messages.readers == ()


def test_a_fault_of_ours_ends_the_recording_not_the_traffic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()

    def broken(self: Lines, items: object) -> list[bytes]:
        raise RuntimeError("a fault")

    with recorded(stage, tmp_path / "x.jsonl") as recorder:
        monkeypatch.setattr(Lines, "of", broken)
        stage.call(1)
        recorder._thread.join(10)
        assert not recorder.recording
        stage.call(2)
    assert len(stage.telemetry.calls()) == 2
    assert "ended by a fault" in stage.told[0]


def test_an_interrupt_while_a_stop_waits_ends_the_wait_alone(tmp_path: Path, disk: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    recorder = Recorder(file, stage.sources, None)
    disk.free.clear()
    stage.call(1)

    def interrupted(timeout_s: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(recorder._thread, "join", interrupted)
        with pytest.raises(KeyboardInterrupt):
            recorder.stop()
    assert recorder.status.state == "recording", "it still writes"
    disk.free.set()
    recorder._thread.join(10)
    assert recorder.status.state == "stopped"
    assert not recorder.recording
    assert [line["k"] for line in lines_of(file)[-2:]] == ["call", "stop"]
    recorder.stop()


def test_a_forked_child_leaves_the_file_to_its_parent(tmp_path: Path) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file) as recorder:
        followers = stage.telemetry.messages.readers
        assert len(followers) == 1
        copy = object.__new__(Recorder)
        vars(copy).update(vars(recorder), _files=type("NoFile", (), {"abandon": lambda self: None})())
        copy.abandon_in_child()
        assert not copy.recording
        copy.stop()


def test_names_without_an_ending_are_given_one(tmp_path: Path) -> None:
    assert recording_path(tmp_path / "monday") == tmp_path / "monday.mcptraffic.jsonl"
    assert recording_path(tmp_path / "monday.jsonl") == tmp_path / "monday.jsonl"


def test_a_workbench_records_its_server_its_client_and_goes_on_over_a_stop(tmp_path: Path) -> None:
    other, ours = Workbench("other"), Workbench("ours")
    other.tool(name="add", description="Adds.")(lambda a: a)

    @ours.tool(redact=["pin"])
    def pay(name: str, pin: str) -> str:
        """Pays."""
        raise ValueError(f"{name} has not {pin}")

    async def main() -> None:
        async with other.connect(other.url, token=other.token) as session:  # heard by nobody here
            await session.call_tool("add", a=1)
        async with ours.connect(other.url, token=other.token) as session:
            await session.call_tool("add", a=1)
        async with ours.connect() as session:
            await session.call_tool("pay", name="Ann", pin="pin-123456")
            await session.call_tool("notebook_call", function="pay", arguments={"name": "Ann", "pin": "pin-654321"})
            await session.call_tool("pay", name=ours.token, pin=ours.ticket_url())

    recorder = ours.record(tmp_path / "all")
    with pytest.raises(FileExistsError, match="another recording"):
        ours.record(tmp_path / "all", overwrite=True)
    with calling(other):
        # Other limits: the memory is another, and the recorder follows that one.
        ours.start(limits=Limits(messages=7, messages_bytes=0))
        asyncio.run(main())
        assert recorder.flush()
        assert f"recording {recorder.path}: recording" in repr(ours.status())
        ours.stop()
    with calling(ours):
        asyncio.run(_list(ours))
    recorder.stop()
    recorder.stop()
    assert "recording" not in repr(ours.status())
    text = recorder.path.read_text(encoding="utf-8")
    for secret in ("pin-123456", "pin-654321", ours.token, other.token):
        assert secret not in text
    recording = read(recorder.path)
    calls = [call for call in recording.calls() if call.method == "tools/call"]
    assert [(call.side.value, call.target, call.outcome.value) for call in calls] == [
        ("client", "add", "ok"),
        ("server", "pay", "tool_error"),
        ("server", "pay", "tool_error"),
        ("server", "pay", "tool_error"),
    ]
    live = [call for call in ours.telemetry.calls() if call.method == "tools/call"]
    assert [call.run_ns for call in calls[1:]] == [call.run_ns for call in live if call.side.value == "server"]
    assert calls[1].traceback_text is not None
    assert [tool.name for tool in recording.tools()][-1] == "pay"
    assert {"s1", "out1"} <= {session.session_id for session in recording.sessions()}
    assert recording.header.redaction.tools == {"pay": ("pin",)}


async def _list(workbench: Workbench) -> None:
    async with workbench.connect() as session:
        await session.list_tools()


def test_what_is_overheard_while_no_server_runs_is_in_the_file_though_nobody_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workbench, wrote = Workbench("quiet"), threading.Event()
    append = Files._append

    def told(self: Files, lines: Sequence[bytes]) -> tuple[int, OSError | None]:
        done = append(self, lines)
        if b'"k":"call"' in b"".join(lines):
            wrote.set()
        return done

    monkeypatch.setattr(Files, "_append", told)
    with workbench.record(tmp_path / "x.jsonl") as recorder:
        heard = workbench._offer.overhearing.begin(Side.TAP, "default", "stdio", "there")
        heard.note(Direction.IN, QUESTION)
        heard.note(Direction.OUT, ANSWER)
        assert wrote.wait(10)
        assert [line["dir"] for line in of_kind(recorder.path, "message")] == ["in", "out"]
    assert workbench._offer.overhearing.on_waiting == []


def test_the_path_only_puts_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, no encoding and no waiting on the thread that speaks."""
    stage, here = Stage(), threading.current_thread()
    writers: set[threading.Thread] = set()
    of = Lines.of

    def watched(self: Lines, items: Any) -> list[bytes]:
        writers.add(threading.current_thread())
        return of(self, items)

    monkeypatch.setattr(Lines, "of", watched)
    with recorded(stage, tmp_path / "x.jsonl") as recorder:
        for number in range(1_000):
            stage.call(number)
        assert recorder.flush()
    assert len(writers) == 1
    assert here not in writers
    assert recorder.status.calls == 1_000

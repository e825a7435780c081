"""Calls that are saved are what `record` would have written of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_workbench import Context, Workbench
from mcp_workbench.exploring.comparing.asking import not_again
from mcp_workbench.exploring.comparing.questions import Questions
from mcp_workbench.exploring.recording.reader import read
from mcp_workbench.exploring.replaying.replay import replay
from mcp_workbench.exploring.traffic import Traffic
from tests.exploring.rig import calling

SECRET = "correct horse battery staple"


@pytest.fixture
def workbench() -> Iterator[Workbench]:
    workbench = Workbench("saved")

    @workbench.tool
    def add(a: int, ctx: Context, b: int = 2) -> int:
        """Add."""
        ctx.report_progress(1, 2)
        return a + b

    @workbench.tool(redact=["ssn"])
    def enter(password: str, ssn: str, echo: str = "") -> str:
        """Repeat what is secret."""
        return f"entered with {password} and {echo}"

    async def visit() -> None:
        async with workbench.connect() as session:
            await session.call_tool("add", a=1, on_progress=lambda *_: None)
            await session.call_tool("add", {"a": 2, "ctx": SECRET})
            await session.call_tool("enter", password=SECRET, ssn="078-05-1120", echo=workbench.token)

    with calling(workbench):
        asyncio.run(visit())
        yield workbench


def test_what_is_read_again_are_the_same_calls(workbench: Workbench, tmp_path: Path) -> None:
    calls = workbench.traffic.calls("tool:add")
    workbench.traffic.annotate(calls[0], "the first")
    path = calls.save(tmp_path / "some")
    assert path.name == "some.mcptraffic.jsonl"
    loaded = Traffic.load(path).calls()
    assert len(loaded) == 2
    before, after = calls[0], loaded[0]
    assert (after.arguments, after.result, after.outcome) == (before.arguments, before.result, before.outcome)
    assert after.record.tool_version == before.record.tool_version
    assert (after.run_ms, after.total_ms) == (before.run_ms, before.total_ms)
    assert [notice["method"] for notice in after.notifications] == ["notifications/progress"]
    assert after.annotations == ("the first",)
    assert {tool.name for tool in read(path).tools()} >= {"add", "enter"}
    [session] = Traffic.load(path).sessions
    assert session.client_name == "mcp-workbench"


def test_secrets_are_withheld_wherever_they_stand_also_before_they_gave_themselves_away(workbench: Workbench, tmp_path: Path) -> None:
    path = workbench.traffic.calls().save(tmp_path / "all")
    text = path.read_text(encoding="utf-8")
    for secret in (SECRET, "078-05-1120", workbench.token):
        assert secret not in text
    assert "entered with ‹redacted:" in text
    assert SECRET not in repr(workbench.traffic.calls().withheld().messages)


def test_a_saved_recording_is_replayed(workbench: Workbench, tmp_path: Path) -> None:
    path = workbench.traffic.calls("tool:add").save(tmp_path / "played")

    async def again() -> str:
        async with replaying.connect() as session:
            return (await session.call_tool("add", a=1)).text

    with replay(path) as replaying:
        assert asyncio.run(again()) == "3"


def test_messages_are_saved_too(workbench: Workbench, tmp_path: Path) -> None:
    messages = workbench.traffic.messages()
    loaded = Traffic.load(messages.save(tmp_path / "messages"))
    assert len(loaded.messages()) == len(messages)
    assert [call.target for call in loaded.calls("method:tools/call")] == ["add", "add", "enter"]


def test_nothing_is_written_over_unless_that_is_said(workbench: Workbench, tmp_path: Path) -> None:
    calls = workbench.traffic.calls()
    path = calls.save(tmp_path / "x")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        calls.save(path)
    calls[:1].save(path, overwrite=True)
    assert len(Traffic.load(path).calls()) == 1


def test_calls_whose_texts_are_gone_and_no_calls_at_all_are_saved_as_far_as_they_are_known(workbench: Workbench, tmp_path: Path) -> None:
    calls = workbench.traffic.calls("tool:add")
    for message in calls[0].messages:
        message.raw = b""
    gone, kept = Traffic.load(calls.save(tmp_path / "gone")).calls().where("tool:add")[:2]
    assert {(each.arguments is None, each.outcome) for each in (gone, kept)} == {(True, "ok"), (False, "tool_error")}
    assert len(Traffic.load(calls[:0].save(tmp_path / "none")).calls()) == 0


def test_how_a_task_ended_is_saved_with_its_call(tmp_path: Path) -> None:
    workbench = Workbench("tasks")

    @workbench.tool(needs_task=True)
    def long(n: int) -> int:
        """Go on as a task."""
        return n

    async def visit() -> None:
        async with workbench.connect(era="modern") as session:
            assert (await session.call_tool("long", n=4)).text == "4"

    with calling(workbench):
        asyncio.run(visit())
        calls = workbench.traffic.calls("tool:long method:tools/call")
        loaded = Traffic.load(calls.save(tmp_path / "task"))
    told = [message.raw for message in loaded.messages() if b'"taskId"' in message.raw]
    assert any(b'"status":"completed"' in text for text in told)
    assert not_again(loaded.calls()[0], Questions([])) == "went on as a job or task, and its answer says only that"

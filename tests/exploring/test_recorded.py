"""A recording is looked at like what crossed here."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench import Workbench
from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring import recorded
from mcp_workbench.exploring.recording.format import RecordingError
from mcp_workbench.exploring.recording.reader import read
from mcp_workbench.exploring.traffic import Traffic
from tests.exploring.recording.rig import Stage, written
from tests.exploring.recording.rig import recorded as recording
from tests.exploring.rig import calling


@pytest.fixture
def path(tmp_path: Path) -> Path:
    stage, path = Stage(), tmp_path / "r.mcptraffic.jsonl"
    with recording(stage, path) as recorder:
        for number in range(5):
            call = stage.call(number, tool=f"tool{number}")
        recorder.annotate("looks odd", call)
    return path


def test_everything_of_traffic_works_on_it(path: Path) -> None:
    traffic = Traffic.load(path)
    assert [call.target for call in traffic.calls("tool:tool1 | tool:tool3")] == ["tool1", "tool3"]
    assert [call.record.seq for call in traffic.calls()] == [1, 2, 3, 4, 5]
    assert len(traffic.messages("kind:request")) == 5
    assert traffic.calls().df(["tool", "outcome"])["tool"].tolist()[-1] == "tool4"
    assert traffic.stats(by="session")["s1"].n == 5
    assert traffic.calls()[-1].annotations == ("looks odd",)
    assert [session.client_name for session in traffic.sessions] == ["Claude"]
    assert "5 calls" in repr(traffic)
    assert Traffic.load(read(path)).calls()[0].target == "tool0"


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_calls_stand_in_it_as_they_stood_and_are_counted_alike(tmp_path: Path, era: Any) -> None:
    workbench = Workbench("recorded")
    second = asyncio.Event()

    @workbench.tool
    async def first() -> str:
        """Ends last."""
        await second.wait()
        return "first"

    @workbench.tool
    async def other() -> str:
        """Ends first."""
        second.set()
        return "other"

    async def visit() -> None:
        async with workbench.connect(era=era) as session:
            waiting = session.call_tool("first")
            await asyncio.gather(waiting, session.call_tool("other"))
            await session.list_tools()

    with calling(workbench), workbench.record(tmp_path / "r") as recording:
        asyncio.run(visit())
    there, loaded = (
        [(call.method, call.target) for call in calls] for calls in (workbench.traffic.calls(), Traffic.load(recording.path).calls())
    )
    assert loaded == there
    assert loaded[0][0] == ("initialize" if era == "legacy" else "server/discover")
    assert f"{len(loaded)} calls" in str(recording.status)


def test_of_a_long_one_the_latest_are_kept_and_that_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "CALLS", 2)
    traffic = Traffic.load(path)
    with pytest.warns(UserWarning, match="has 5 calls, of which the latest 2 are looked at"):
        assert [call.target for call in traffic.calls()] == ["tool3", "tool4"]
    assert len(traffic.calls()) == 2, "it is read once"


def test_what_needs_a_server_says_that_there_is_none(path: Path) -> None:
    traffic = Traffic.load(path)
    with pytest.raises(WorkbenchError, match="no server that could show it"):
        traffic.publish()
    with pytest.raises(WorkbenchError, match="not published"):
        traffic.unpublish()


def test_what_is_no_recording_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Traffic.load(tmp_path / "none")
    broken = written(tmp_path / "broken.mcptraffic.jsonl", b"not json\n")
    with pytest.raises(RecordingError, match="line 2"):
        Traffic.load(broken).calls()

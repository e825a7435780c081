"""A recording is looked at like what crossed here."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring import recorded
from mcp_workbench.exploring.recording.format import RecordingError
from mcp_workbench.exploring.recording.reader import read
from mcp_workbench.exploring.traffic import Traffic
from tests.exploring.recording.rig import Stage, written
from tests.exploring.recording.rig import recorded as recording


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

"""The recordings that the tutorials read: whole, small, and nothing in them of the machine they were made on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mcp_workbench.exploring.recording.reader import read
from mcp_workbench.telemetry import Outcome, Side

RECORDINGS = sorted((Path(__file__).parents[2] / "notebooks" / "data").glob("*.mcptraffic.jsonl"))
OF_A_MACHINE = re.compile(rb"/(home|root|Users|tmp|work|var|usr)\b|[A-Z]:\\\\|127\.0\.0\.1|localhost|[\w.]+@[\w-]+\.\w")

pytestmark = pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name.partition(".")[0])


def test_it_is_read_to_its_end_without_a_problem_and_small_enough_to_be_shipped(path: Path) -> None:
    recording = read(path)
    calls = list(recording.calls())
    assert not recording.problems, str(recording.problems)
    assert recording.header.redaction.on
    assert {call.side for call in calls} == {Side.TAP}
    assert [call.target for call in calls if call.outcome is Outcome.TOOL_ERROR] != [], "an error is part of the story"
    assert path.stat().st_size < 50_000


def test_nothing_of_the_machine_it_was_made_on_is_in_it(path: Path) -> None:
    assert OF_A_MACHINE.findall(path.read_bytes()) == []

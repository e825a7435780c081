"""A call is ended by the notebook's author: unlike one that its client takes back, it is answered."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_workbench.limits import Limits
from tests.sessions.rig import Rig

SMALL = Limits(running_calls=1, backlog_messages=4)


def numbers(rig: Rig) -> dict[str, int]:
    """What runs or waits: what it waits for, and its number."""
    return {work.waits: work.number for work in rig.session.open_calls()}


@pytest.mark.parametrize(("waits", "answer"), [("", (1, "stopped")), ("its turn", (2, "stopped before it began"))])
def test_a_call_that_runs_or_waits_is_answered_and_gone(waits: str, answer: Any) -> None:
    rig = Rig(SMALL)
    rig.call(1, "runs")
    rig.call(2, "waits")
    record = rig.session.stop(numbers(rig)[waits])
    assert record is not None
    assert rig.replies == [answer]
    assert record.seq == rig.telemetry.recorded
    assert (rig.session.statistics()["backlog_bytes"] == 0, len(rig.session.open_calls())) == (True, 1)
    assert "waits" in rig.started if not waits else "waits" not in rig.started


def test_a_parked_call_is_answered() -> None:
    rig = Rig(SMALL)
    rig.call(1, "parks")
    assert rig.session.stop(numbers(rig)["news"]) is not None
    assert (rig.replies, rig.session.open_calls()) == ([(1, "stopped")], [])


def test_one_that_has_ended_and_one_that_never_was_are_none() -> None:
    rig = Rig(SMALL)
    rig.call(1, "runs")
    number = numbers(rig)[""]
    rig.work("runs").end()
    assert (rig.session.stop(number), rig.session.stop(99)) == (None, None)
    rig.call(1, "again")
    assert numbers(rig)[""] != number, "a later call of the same request id is another"


def test_nothing_is_stopped_in_a_session_that_ends() -> None:
    rig = Rig(SMALL)
    rig.call(1, "runs")
    number = numbers(rig)[""]
    rig.session.close(1008, "revoked")
    assert rig.session.stop(number) is None

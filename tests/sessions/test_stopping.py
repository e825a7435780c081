"""A call is ended by the notebook's author: unlike one that its client takes back, it is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcp_workbench.limits import Limits
from mcp_workbench.telemetry.texts import MAX_TEXT
from tests.sessions.rig import Rig, call, notification, request, said

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


# --- the texts of calls --------------------------------------------------------------------------------------


def test_request_and_answer_are_kept_as_they_went_over_the_wire() -> None:
    rig = Rig()
    rig.call(7, "add")
    rig.work("add").end("4")
    [answer] = rig.channel.texts
    texts = rig.telemetry.calls()[-1].texts
    assert texts is not None
    assert (texts.request, texts.answer) == (call(7, "add"), answer)
    assert (texts.request_bytes, texts.answer_bytes) == (len(texts.request), len(texts.answer))


def test_of_a_long_text_the_beginning_is_kept_and_its_size() -> None:
    rig = Rig(Limits(max_result_bytes=1 << 20))
    long = request(7, "tools/call", name="add", arguments={"text": "x" * MAX_TEXT})
    rig.channel.deliver(long)
    rig.work("add").done(said("y" * MAX_TEXT))  # type: ignore[misc]  # it was started
    texts = rig.telemetry.calls()[-1].texts
    assert texts is not None
    assert (texts.request, texts.request_bytes) == (long[:MAX_TEXT], len(long))
    assert len(texts.answer) == MAX_TEXT < texts.answer_bytes


def test_a_call_that_came_in_a_batch_shows_the_batch() -> None:
    rig = Rig(version="2025-03-26")
    batch = b"[%s]" % b",".join([call(1, "inline a"), notification("notifications/cancelled", requestId=9), call(2, "inline b")])
    rig.channel.deliver(batch)
    kept = [record.texts for record in rig.telemetry.calls()[-2:]]
    assert [texts and texts.request for texts in kept] == [batch, batch]
    assert [entry["id"] for entry in json.loads(kept[1].answer)] == [1, 2]  # type: ignore[union-attr]  # it is there


def test_a_call_that_was_never_answered_has_no_answer() -> None:
    rig = Rig()
    rig.call(7, "add")
    rig.channel.end(1006, "")
    rig.work("add").end(None)
    texts = rig.telemetry.calls()[-1].texts
    assert texts is not None
    assert (texts.request, texts.answer, texts.answer_bytes) == (call(7, "add"), b"", 0)

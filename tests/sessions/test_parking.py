"""Works that may wait for long: they take no place from those that run, and have a bound of their own."""

from __future__ import annotations

from mcp_workbench.limits import Limits
from mcp_workbench.telemetry.records import Outcome
from tests.sessions.rig import Rig, cancel, request

SMALL = Limits(running_calls=1, backlog_messages=1, parked_calls=2)


def reading(rig: Rig) -> tuple[int, int, int]:
    statistics = rig.session.statistics()
    return statistics["running"], statistics["parked"], statistics["backlog"]


def test_parked_works_take_no_place_from_those_that_run() -> None:
    rig = Rig(SMALL)
    rig.call(1, "parks a")
    rig.call(2, "runs")
    rig.call(3, "waits")
    rig.call(4, "parks b")
    assert (rig.started, reading(rig)) == (["parks a", "runs", "parks b"], (1, 2, 1))
    rig.work("parks a").end()
    assert (rig.replies, rig.started) == ([1], ["parks a", "runs", "parks b"]), "a place that it did not take is not given on"
    rig.work("runs").end()
    assert rig.started == ["parks a", "runs", "waits", "parks b"]
    for name in ("waits", "parks b"):
        rig.work(name).end()
    assert (sorted(rig.replies), reading(rig), rig.session.running) == ([2, 3, 4], (0, 0, 0), 0)


def test_a_full_backlog_stops_no_work_that_parks() -> None:
    rig = Rig(SMALL)
    rig.call(1, "runs")
    rig.call(2, "waits")
    rig.call(3, "parks")
    assert rig.started == ["runs", "parks"]
    rig.work("parks").end()
    assert rig.replies == [3]


def test_past_their_bound_they_are_refused_with_a_sentence() -> None:
    rig = Rig(SMALL)
    for number in range(3):
        rig.call(number, f"parks {number}")
    [(request_id, sentence)] = rig.replies
    assert (request_id, sentence) == (2, "Busy: 2 calls of this connection wait already, which is all that may. Wait for answers first.")
    assert rig.telemetry.calls()[-1].outcome is Outcome.REJECTED
    rig.work("parks 0").end()
    rig.call(4, "parks 4")
    assert (rig.replies, rig.started) == ([0], ["parks 0", "parks 1", "parks 4"])


def test_one_that_has_something_to_say_at_once_is_answered_at_once() -> None:
    rig = Rig(SMALL)
    rig.call(1, "inline parks")
    assert (rig.replies, reading(rig)) == ([1], (0, 0, 0))


def test_one_that_is_taken_back_is_told_and_not_answered() -> None:
    rig = Rig(SMALL)
    rig.call(1, "parks")
    rig.channel.deliver(cancel(1, "changed my mind"))
    assert rig.work("parks").cancelled == ["changed my mind"]
    rig.work("parks").end()
    assert (rig.replies, reading(rig)) == ([], (0, 0, 0))
    assert [record.outcome for record in rig.handled()] == [Outcome.CANCELLED]


def test_those_that_wait_are_told_when_the_connection_is_gone() -> None:
    rig = Rig(SMALL)
    rig.call(1, "parks")
    assert not rig.session.ending
    rig.channel.end(1006, "gone")
    assert (rig.work("parks").cancelled, rig.session.ending) == (["the connection was closed (1006)"], True)
    rig.work("parks").end()
    assert (rig.replies, reading(rig)) == ([], (0, 0, 0))


def test_a_session_that_closes_says_so_before_its_channel_has_ended() -> None:
    rig = Rig(SMALL)
    rig.session.close(1008, "revoked")
    assert (rig.session.ending, rig.session.closed) == (True, False)


def test_a_server_that_stops_takes_none_on_and_waits_for_those_it_has() -> None:
    rig = Rig(SMALL)
    rig.call(1, "parks")
    rig.session.refuse_new("stopping")
    rig.call(2, "parks too")
    assert rig.replies == [(2, "stopping")]
    assert rig.session.running == 1
    rig.channel.deliver(request(3, "ping"))
    rig.work("parks").end()
    assert rig.replies == [3, 1]

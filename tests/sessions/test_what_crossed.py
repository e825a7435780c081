"""What one session writes down of what crosses, in both directions."""

from __future__ import annotations

import json
from typing import Any

from mcp_workbench.limits import Limits
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.telemetry import CallRecord, Direction, Outcome
from tests.sessions.rig import Rig, call, notification, request, said


def crossed(rig: Rig) -> list[tuple[str, bytes]]:
    return [(str(message.direction), message.raw) for message in rig.telemetry.messages.latest()]


def texts(record: CallRecord) -> tuple[bytes | None, bytes | None]:
    return record.request.raw if record.request else None, record.answer.raw if record.answer else None


def test_request_and_answer_are_kept_as_they_went_over_the_wire() -> None:
    rig = Rig()
    before = len(crossed(rig))
    rig.call(7, "add")
    rig.work("add").end("4")
    [answer] = rig.channel.texts
    assert texts(rig.telemetry.calls()[-1]) == (call(7, "add"), answer)
    assert crossed(rig)[before:] == [("in", call(7, "add")), ("out", answer)]
    asked, told = rig.telemetry.messages.latest(2)
    assert 0 < asked.at_ns <= told.at_ns
    assert asked.session_id == told.session_id == rig.session.id


def test_a_long_text_is_kept_whole() -> None:
    rig = Rig(Limits(max_result_bytes=1 << 20))
    long = request(7, "tools/call", name="add", arguments={"text": "x" * 300_000})
    rig.channel.deliver(long)
    rig.work("add").done(said("y" * 300_000))  # type: ignore[misc]  # it was started
    sent, answered = texts(rig.telemetry.calls()[-1])
    assert sent == long
    assert answered == rig.channel.texts[-1]


def test_a_call_that_came_in_a_batch_shows_the_batch() -> None:
    rig = Rig(version="2025-03-26")
    batch = b"[%s]" % b",".join([call(1, "inline a"), notification("notifications/cancelled", requestId=9), call(2, "inline b")])
    rig.channel.deliver(batch)
    first, second = rig.telemetry.calls()[-2:]
    assert (texts(first), texts(second)[0]) == ((batch, None), batch)
    assert [entry["id"] for entry in json.loads(texts(second)[1] or b"")] == [1, 2]


def test_a_call_that_was_never_answered_has_no_answer() -> None:
    rig = Rig()
    rig.call(7, "add")
    rig.channel.end(1006, "")
    rig.work("add").end(None)
    assert texts(rig.telemetry.calls()[-1]) == (call(7, "add"), None)


def test_what_cancels_a_call_belongs_to_it() -> None:
    rig = Rig()
    rig.call(7, "add")
    cancel = notification("notifications/cancelled", requestId=7)
    rig.channel.deliver(cancel)
    rig.work("add").end(None)
    record = rig.telemetry.calls()[-1]
    assert ([message.raw for message in record.said_meanwhile()], record.outcome) == ([cancel], Outcome.CANCELLED)


def test_a_text_counts_as_crossed_when_the_channel_takes_it_and_never_when_a_newer_one_took_its_place() -> None:
    rig = Rig()
    before = rig.telemetry.messages.total
    rig.channel.room = 0
    replaced = rig.session.notify(b"old", key="k")
    latest = rig.session.notify(b"new", key="k")
    assert (rig.telemetry.messages.total, latest.seq, latest.at_ns) == (before, 0, 0)
    rig.channel.room = 1 << 20
    rig.session.receive_writable()
    assert crossed(rig)[before:] == [("out", b"new")]
    assert (replaced.seq, latest.seq, latest.at_ns > 0) == (0, before + 1, True)


class Heard:
    """Who waits for what the client answers."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def receive_result(self, result: dict[str, Any]) -> None:
        self.heard.append(result)

    def receive_error(self, error: Exception) -> None:
        self.heard.append(error)


def exchange_of(rig: Rig) -> Exchange:
    exchange = rig.work("add").exchange
    assert exchange is not None
    return exchange


def asking(rig: Rig) -> tuple[Heard, Any, bytes]:
    rig.call(7, "add")
    heard = Heard()
    pending = rig.session.ask(exchange_of(rig), "roots/list", {}, heard)
    return heard, pending, rig.channel.texts[-1]


def test_what_the_client_is_asked_is_an_exchange_of_its_own_and_belongs_to_the_call_that_asks() -> None:
    rig = Rig()
    heard, pending, question = asking(rig)
    answer = json.dumps({"jsonrpc": "2.0", "id": pending.id, "result": {"roots": []}}).encode()
    rig.channel.deliver(answer)
    asked = rig.telemetry.calls()[-1]
    assert (asked.direction, asked.method, asked.outcome, texts(asked)) == (Direction.OUT, "roots/list", Outcome.OK, (question, answer))
    rig.work("add").end("done")
    assert [message.raw for message in rig.telemetry.calls()[-1].said_meanwhile()] == [question]
    assert heard.heard == [{"roots": []}]


def test_a_question_ends_once_whether_it_fails_is_taken_back_or_its_client_goes() -> None:
    rig = Rig()
    _, pending, _ = asking(rig)
    rig.channel.deliver(json.dumps({"jsonrpc": "2.0", "id": pending.id, "error": {"code": -1, "message": "no"}}).encode())
    assert (rig.telemetry.calls()[-1].outcome, rig.telemetry.calls()[-1].code) == (Outcome.RPC_ERROR, -1)
    exchange = exchange_of(rig)
    rig.session.take_back(exchange, rig.session.ask(exchange, "roots/list", {}, Heard()), "not needed")
    taken_back = rig.telemetry.calls()[-1]
    assert (taken_back.outcome, len(taken_back.said_meanwhile())) == (Outcome.CANCELLED, 1)
    rig.session.ask(exchange, "roots/list", {}, Heard())
    rig.channel.end(1006, "")
    assert rig.telemetry.calls()[-1].outcome is Outcome.DROPPED
    assert len([record for record in rig.telemetry.calls() if record.direction is Direction.OUT]) == 3

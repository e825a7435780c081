"""The driver of one client, with everything around it played by the test."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcp_workbench.errors import ConnectionClosed, LocalProtocolError, PeerError
from mcp_workbench.limits import Limits
from mcp_workbench.protocol.exchange import Fate
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.sessions.places import Places
from mcp_workbench.telemetry.records import Outcome
from tests.sessions.rig import Rig, call, cancel, notification, request
from tests.support.protocol import META

SMALL = Limits(running_calls=2, backlog_messages=3)


def outcomes(rig: Rig) -> list[tuple[Any, Outcome]]:
    return [(record.request_id, record.outcome) for record in rig.handled()]


# --- asking the client -----------------------------------------------------------------------------------------


class Heard:
    """What a question of ours was told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def receive_result(self, result: dict[str, Any]) -> None:
        self.told.append(result)

    def receive_error(self, error: PeerError | ConnectionClosed) -> None:
        self.told.append(error.code)


def test_a_question_is_answered_refused_taken_back_or_lost_once() -> None:
    rig, heard = Rig(), [Heard() for _ in range(4)]
    rig.call(1)
    exchange = next(iter(rig.session.peer.open_exchanges))
    pendings = [rig.session.ask(exchange, "roots/list", {}, each) for each in heard]
    assert rig.replies == ["roots/list"] * 4
    first, second, third, _ = (json.dumps(pending.id) for pending in pendings)
    rig.channel.deliver(f'{{"jsonrpc":"2.0","id":{first},"result":{{"roots":[]}}}}'.encode())
    rig.channel.deliver(f'{{"jsonrpc":"2.0","id":{second},"error":{{"code":-1,"message":"no"}}}}'.encode())
    rig.session.take_back(exchange, pendings[2], "enough")
    rig.session.take_back(exchange, pendings[0], "too late")
    assert rig.replies == ["notifications/cancelled"]
    rig.channel.deliver(f'{{"jsonrpc":"2.0","id":{third},"result":{{}}}}'.encode())
    assert rig.session.record.ignored == {"response to an unknown request": 1}
    rig.session.receive_close(1006, "gone")
    assert [each.told for each in heard] == [[{"roots": []}], [-1], [], [1006]]
    rig.session.take_back(exchange, pendings[3], "gone anyway")
    assert rig.replies == []


def test_who_has_not_shaken_hands_to_the_end_is_asked_nothing() -> None:
    rig = Rig(version="modern")
    rig.channel.deliver(request(1, "tools/call", name="a", _meta=META))
    with pytest.raises(LocalProtocolError):
        rig.session.ask(next(iter(rig.session.peer.open_exchanges)), "roots/list", {}, Heard())


# --- answering ---------------------------------------------------------------------------------------------


def test_what_needs_no_user_code_is_answered_at_once_and_in_order() -> None:
    rig = Rig()
    rig.call("slow")
    for number, method in enumerate(["ping", "tools/list", "no/such", "tools/list"]):
        rig.channel.deliver(request(number, method))
    rig.call(4, "unknown")
    assert rig.replies == [0, 1, (2, -32601), 3, (4, -32602)]
    rig.work("slow").end()
    assert rig.replies == ["slow"]


def test_a_work_that_ends_at_once_is_answered_at_once() -> None:
    rig = Rig()
    rig.call(1, "inline")
    rig.channel.deliver(request(2, "ping"))
    assert rig.replies == [1, 2]
    assert rig.session.running == 0


def test_answers_leave_in_the_order_in_which_works_end() -> None:
    rig = Rig()
    for number in (1, 2, 3):
        rig.call(number)
    for number in (3, 1, 2):
        rig.work(str(number)).end()
    assert rig.replies == [3, 1, 2]


def test_a_work_that_ends_twice_is_answered_once() -> None:
    rig = Rig()
    rig.call(1)
    rig.work("1").end()
    rig.work("1").end()
    assert rig.replies == [1]
    assert outcomes(rig) == [(1, Outcome.OK)]


def test_a_handler_that_raises_is_answered_and_the_session_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.call(1, "fault")
    rig.call(2, "bad start")
    rig.channel.deliver(request(3, "ping"))
    assert rig.replies == [(1, -32603), (2, -32603), 3]
    assert (rig.session.running, rig.channel.closes) == (0, [])
    assert [record.traceback_text is not None for record in rig.handled()] == [True, True]
    assert len(caplog.records) == 2


def test_a_result_that_is_too_long_or_has_no_json_form_is_replaced() -> None:
    rig = Rig()
    rig.call(1, "long")
    rig.call(2, "unwritable")
    assert rig.replies == [(1, f"too large: {rig.limits.max_result_bytes}"), (2, "unwritable")]
    assert rig.channel.closes == []


def test_each_call_is_written_down_with_how_it_ended() -> None:
    rig = Rig()
    rig.call(1, "inline")
    rig.call(2, "unknown")
    rig.channel.deliver(request("l", "tools/list"))
    rig.call(4)
    rig.work("4").end(None)
    assert outcomes(rig) == [(1, Outcome.OK), (2, Outcome.RPC_ERROR), ("l", Outcome.OK), (4, Outcome.CANCELLED)]
    first, second = rig.handled()[:2]
    assert (first.session_id, first.principal, first.method, first.bytes_in) == ("s1", "default", "tools/call", len(call(1, "inline")))
    assert first.bytes_out > 0
    assert (second.code, second.error) == (-32602, "Unknown tool")


def test_the_session_record_counts_what_passed() -> None:
    rig = Rig()
    record = rig.session.record
    before = record.messages_in, record.messages_out
    rig.call(1, "inline")
    rig.channel.deliver(notification("no/such"))
    rig.channel.deliver(notification("no/such"))
    rig.channel.deliver(cancel(99))
    assert (record.messages_in - before[0], record.messages_out - before[1], record.calls) == (4, 1, 1)
    assert record.ignored == {"unknown notification": 2, "cancel of an unknown or finished request": 1}
    assert (record.client_name, record.client_version, record.protocol_version, record.era) == ("agent", "2", "2025-11-25", "legacy")


# --- how many run ------------------------------------------------------------------------------------------


def test_64_calls_of_a_session_run_and_the_others_wait_in_order() -> None:
    rig = Rig()
    for number in range(70):
        rig.call(number)
    assert rig.started == [str(number) for number in range(64)]
    statistics = rig.session.statistics()
    assert (statistics["running"], statistics["backlog"], rig.session.waiting) == (64, 6, 6)
    assert statistics["backlog_bytes"] == sum(len(call(number)) for number in range(64, 70))
    rig.work("5").end()
    rig.work("6").end()
    assert rig.started[64:] == ["64", "65"]
    for name in rig.started:
        rig.work(name).end()
    assert rig.started == [str(number) for number in range(70)]
    for number in range(66, 70):
        rig.work(str(number)).end()
    assert sorted(rig.replies) == list(range(70))
    assert rig.session.statistics() | {"subscriptions": 0} == dict.fromkeys(rig.session.statistics(), 0) | {"subscriptions": 0}


def test_a_full_backlog_refuses_with_an_answer_and_keeps_reading() -> None:
    rig = Rig(SMALL)
    for number in range(7):
        rig.call(number)
    refused = rig.replies
    assert [number for number, _ in refused] == [5, 6]
    assert refused[0][1].startswith("Busy: 2 calls of this connection are running and 3 are waiting")
    assert not rig.channel.paused
    rig.channel.deliver(request("p", "ping"))
    assert rig.replies == ["p"]
    assert outcomes(rig) == [(5, Outcome.REJECTED), (6, Outcome.REJECTED)]
    rig.work("0").end()
    rig.call(7)
    assert rig.replies == [0]
    assert rig.started == ["0", "1", "2"]


def test_the_backlog_is_bounded_in_bytes_too() -> None:
    size = len(call(1))
    rig = Rig(Limits(running_calls=1, backlog_bytes=2 * size))
    for number in range(5):
        rig.call(number)
    assert [number for number, _ in rig.replies] == [3, 4]
    assert rig.session.statistics()["backlog_bytes"] == 2 * size


def test_a_thousand_inline_calls_waiting_behind_one_do_not_recurse() -> None:
    rig = Rig(Limits(running_calls=1, backlog_messages=5000, backlog_bytes=10_000_000))
    rig.call("first")
    for number in range(3000):
        rig.call(number, "inline")
    rig.work("first").end()
    assert rig.replies == ["first", *range(3000)]
    assert rig.session.statistics()["backlog"] == 0


# --- cancelling ----------------------------------------------------------------------------------------------


def test_a_cancel_in_the_backlog_takes_the_call_out_and_is_never_answered() -> None:
    rig = Rig(SMALL)
    for number in range(4):
        rig.call(number)
    rig.channel.deliver(cancel(2))
    assert rig.session.statistics()["backlog_bytes"] == len(call(3))
    rig.work("0").end()
    rig.work("1").end()
    assert rig.started == ["0", "1", "3"]
    rig.work("3").end()
    assert rig.replies == [0, 1, 3]
    assert (2, Outcome.CANCELLED) in outcomes(rig)
    assert rig.work("2").cancelled == []


def test_a_cancel_of_a_running_call_reaches_the_work_with_the_reason() -> None:
    rig = Rig()
    rig.call(1)
    rig.call(2)
    rig.channel.deliver(cancel(1, "too slow"))
    rig.channel.deliver(cancel(2))
    assert (rig.work("1").cancelled, rig.work("2").cancelled) == (["too slow"], ["the client cancelled the request"])
    assert rig.session.running == 2
    rig.work("1").end(None)
    rig.work("2").end("an answer all the same")
    assert rig.replies == []
    assert outcomes(rig) == [(1, Outcome.CANCELLED), (2, Outcome.CANCELLED)]


def test_a_cancelled_call_keeps_its_place_until_its_work_has_ended() -> None:
    rig = Rig(Limits(running_calls=1))
    rig.call(1)
    rig.call(2)
    rig.channel.deliver(cancel(1))
    assert rig.started == ["1"]
    rig.work("1").end(None)
    assert rig.started == ["1", "2"]


def test_a_work_that_ends_inside_its_cancel_makes_room_at_once() -> None:
    rig = Rig(Limits(running_calls=1))
    rig.call(1)
    rig.call(2)
    rig.work("1").on_cancel = lambda: rig.work("1").end(None)
    rig.channel.deliver(cancel(1))
    assert rig.started == ["1", "2"]


def test_a_cancel_that_raises_is_logged_and_the_session_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.call(1)

    def fail() -> None:
        raise KeyError("cancel")

    rig.work("1").on_cancel = fail
    rig.channel.deliver(cancel(1))
    rig.channel.deliver(request(2, "ping"))
    assert rig.replies == [2]
    assert len(caplog.records) == 1


def test_an_id_may_be_used_again_while_the_cancelled_call_still_runs() -> None:
    rig = Rig()
    rig.call(1, "old")
    rig.channel.deliver(cancel(1))
    rig.call(1, "new")
    rig.work("old").end()
    assert rig.replies == []
    rig.work("new").end()
    assert rig.replies == [1]


# --- a client that does not read ---------------------------------------------------------------------------


def test_while_the_client_does_not_read_answers_wait_and_then_leave_in_order() -> None:
    rig = Rig()
    rig.channel.room = 1
    for number in range(4):
        rig.channel.deliver(request(number, "ping"))
    assert rig.replies == [0]
    assert rig.session.statistics()["outbox"] == 3
    rig.channel.drain(room=2)
    assert rig.replies == [1, 2]
    rig.channel.drain()
    assert rig.replies == [3]


def test_past_the_outbox_bound_the_session_is_not_read_until_the_client_reads() -> None:
    rig = Rig(Limits(outbox_bytes=100))
    rig.channel.room = 0
    number = 0
    while not rig.channel.paused:
        rig.channel.deliver(request(number, "tools/list"))
        number += 1
    assert rig.session.outbox.queued_bytes > 100
    rig.channel.drain(room=1)
    assert rig.channel.paused is rig.session.outbox.full
    rig.channel.drain()
    assert not rig.channel.paused
    assert rig.replies == list(range(number))


def test_nothing_is_started_for_a_client_that_does_not_read() -> None:
    rig = Rig(Limits(outbox_bytes=10))
    rig.call("first")
    rig.channel.room = 0
    rig.work("first").end()
    assert rig.channel.paused
    assert rig.channel.receiver is not None
    rig.channel.receiver.receive_text(call("second"))  # one that was on its way when reading stopped
    assert rig.started == ["first"]
    rig.channel.drain()
    assert rig.started == ["first", "second"]
    assert rig.replies == ["first"]


def test_updates_that_wait_are_told_once_and_the_latest_wins() -> None:
    rig = Rig()
    rig.channel.deliver(request(1, "resources/subscribe", uri="df://a"))
    rig.channel.deliver(request(2, "resources/subscribe", uri="df://b"))
    assert rig.replies == [1, 2]
    rig.channel.room = 0
    for _ in range(5):
        rig.session.notify_updated(["df://a", "df://b", "df://unwanted"])
        rig.session.notify_list_changed(Listing.TOOLS)
        rig.session.notify_list_changed(Listing.PROMPTS)
    assert rig.session.statistics()["outbox"] == 4
    rig.channel.drain()
    updated = "notifications/resources/updated"
    assert rig.replies == [updated, updated, "notifications/tools/list_changed", "notifications/prompts/list_changed"]


def test_each_listen_keeps_its_own_waiting_update() -> None:
    rig = Rig(version="modern")
    wanted = {"resourceSubscriptions": ["df://a"], "toolsListChanged": True}
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    for listen_id in (1, "1"):
        rig.channel.deliver(request(listen_id, "subscriptions/listen", notifications=wanted, _meta=meta))
    assert rig.replies == ["notifications/subscriptions/acknowledged"] * 2
    rig.channel.room = 0
    for _ in range(3):
        rig.session.notify_updated(["df://a"])
    rig.channel.drain()
    streams = [json.loads(text)["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] for text in rig.channel.texts]
    assert streams == [1, "1"]


def test_notifications_without_a_key_are_dropped_and_counted_once_the_outbox_is_full() -> None:
    rig = Rig(Limits(outbox_bytes=50))
    rig.channel.room = 0
    for _ in range(10):
        rig.session.notify(notification("notifications/message", level="info", data="x"))
    statistics = rig.session.statistics()
    assert statistics["outbox"] + statistics["dropped_notifications"] == 10
    assert statistics["outbox_bytes"] <= 50 + len(notification("notifications/message", level="info", data="x"))


# --- batches (2025-03-26) ------------------------------------------------------------------------------------


def test_a_batch_goes_through_the_backlog_and_is_answered_with_one_array() -> None:
    rig = Rig(SMALL, version="2025-03-26")
    rig.channel.deliver(b"[" + b",".join(call(number) for number in range(6)) + b"]")
    assert rig.started == ["0", "1"]
    assert rig.replies == []
    for number in range(5):
        rig.work(str(number)).end()
    ((refused_id, sentence), *rest) = rig.replies[0]
    assert (refused_id, rest) == (5, [0, 1, 2, 3, 4])
    assert sentence.startswith("Busy")


def test_a_cancel_of_the_last_open_entry_completes_the_array() -> None:
    rig = Rig(version="2025-03-26")
    rig.channel.deliver(b"[" + call(1) + b"," + call(2) + b"]")
    rig.work("1").end()
    assert rig.replies == []
    rig.channel.deliver(cancel(2))
    assert rig.replies == [[1]]


# --- the end -------------------------------------------------------------------------------------------------


def test_replies_after_the_end_are_dropped_and_written_down() -> None:
    rig = Rig(SMALL)
    for number in range(3):
        rig.call(number)
    rig.channel.end(1006, "")
    assert rig.session.closed
    assert rig.work("0").cancelled == ["the connection was closed (1006)"]
    assert rig.work("2").done is None
    rig.work("0").end()
    rig.work("1").end(None)
    assert rig.channel.texts == []
    assert rig.started == ["0", "1"]
    assert outcomes(rig) == [(2, Outcome.DROPPED), (0, Outcome.DROPPED), (1, Outcome.CANCELLED)]
    assert rig.session.statistics()["backlog_bytes"] == 0


def test_a_work_that_ends_inside_the_cancel_at_the_end_is_dropped() -> None:
    rig = Rig()
    rig.call(1)
    rig.work("1").on_cancel = lambda: rig.work("1").end()
    rig.channel.end(1006, "")
    assert outcomes(rig) == [(1, Outcome.DROPPED)]


def test_the_end_is_told_exactly_once_and_the_session_is_remembered() -> None:
    rig = Rig()
    receiver = rig.channel.receiver
    rig.channel.end(1000, "bye")
    assert receiver is not None
    receiver.receive_close(1006, "again")
    rig.session.close(1011, "late")
    assert rig.handler.closed == [rig.session]
    assert len(rig.sessions) == 0
    (record,) = rig.telemetry.sessions()
    assert (record.close_code, record.close_reason, record.session_id) == (1000, "bye", "s1")
    assert record.until is not None
    assert rig.channel.closes == []


def test_the_session_is_forgotten_even_if_its_end_meets_faults(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.call(1)
    rig.call(2)

    def fail() -> None:
        raise KeyError("end")

    rig.work("1").on_cancel = fail
    rig.handler.on_closed = fail
    rig.channel.end(1006, "")
    assert rig.work("2").cancelled
    assert len(rig.sessions) == 0
    assert rig.telemetry.statistics().sessions_ended == 1
    assert len(caplog.records) == 2


def test_a_fault_of_the_peer_ends_this_session_only_and_is_kept(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    other_channel, other = rig.connect()

    def fail(text: bytes) -> None:
        raise ZeroDivisionError("peer")

    monkeypatch.setattr(rig.session.peer, "receive_text", fail)
    rig.channel.deliver(request(1, "ping"))
    rig.channel.deliver(request(2, "ping"))
    ((code, reason),) = rig.channel.closes
    assert code == 1011
    assert "peer" not in reason
    assert rig.session.record.crash is not None
    assert "ZeroDivisionError" in rig.session.record.crash
    rig.channel.end()
    other_channel.deliver(request(1, "ping"))
    assert len(other_channel.texts) == 1
    assert not other.closed
    assert [record.close_code for record in rig.telemetry.sessions()] == [1011]
    assert "peer" not in caplog.text


@pytest.mark.parametrize("moment", ["finish", "writable"])
def test_a_fault_of_ours_outside_receiving_ends_the_session_too(
    moment: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig()
    rig.call(1)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(rig.session.peer, "answer", fail)
    monkeypatch.setattr(rig.session.peer, "answer_error", fail)
    monkeypatch.setattr(Places, "start_waiting", fail)
    if moment == "finish":
        rig.work("1").end()
    else:
        rig.channel.drain()
    assert [code for code, _ in rig.channel.closes] == [1011]
    assert "ZeroDivisionError" in (rig.session.record.crash or "")
    assert len(caplog.records) == 1


def test_closing_flushes_what_waits_and_takes_nothing_more() -> None:
    rig = Rig()
    rig.channel.room = 0
    rig.channel.deliver(request(1, "ping"))
    rig.call(2)
    rig.session.close(1008, "revoked")
    rig.session.close(1011, "again")
    assert rig.channel.closes == [(1008, "revoked")]
    assert rig.replies == [1]
    rig.channel.deliver(call(3))
    assert rig.started == ["2"]
    rig.channel.end()
    assert (rig.session.record.close_code, rig.session.record.close_reason) == (1008, "revoked")


def test_nothing_that_waits_is_started_once_the_session_is_closing() -> None:
    rig = Rig(Limits(running_calls=1))
    rig.call(1)
    rig.call(2)
    rig.session.close(1008, "revoked")
    rig.work("1").end()
    assert rig.started == ["1"]
    rig.channel.end()
    assert (2, Outcome.DROPPED) in outcomes(rig)


def test_going_away_ends_listens_with_their_response() -> None:
    rig = Rig(version="modern")
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    for listen_id in (7, 8):
        rig.channel.deliver(request(listen_id, "subscriptions/listen", notifications={"toolsListChanged": True}, _meta=meta))
    exchanges = [listen.exchange for listen in rig.session.peer.subscriptions.listens]
    assert len(rig.replies) == 2
    rig.session.close(1001, "server is shutting down")
    assert rig.replies == [7, 8]
    assert [exchange.fate for exchange in exchanges] == [Fate.ANSWERED] * 2


def test_refusing_new_calls_answers_what_waits_and_what_still_comes_while_running_ones_go_on() -> None:
    rig = Rig(SMALL)
    for number in range(4):
        rig.call(number)
    rig.session.refuse_new("The server is shutting down.")
    rig.call(4)
    rig.channel.deliver(request("p", "ping"))
    sentence = "The server is shutting down."
    assert rig.replies == [(2, sentence), (3, sentence), (4, sentence), "p"]
    rig.work("0").end()
    assert rig.replies == [0]
    assert rig.started == ["0", "1"]
    assert rig.session.statistics()["backlog_bytes"] == 0
    assert [outcome for _, outcome in outcomes(rig)] == [Outcome.REJECTED] * 3 + [Outcome.OK]


def test_a_session_names_itself_without_naming_secrets() -> None:
    rig = Rig()
    assert repr(rig.session) == "<Session s1 agent>"
    _, fresh = rig.connect(version="")
    assert repr(fresh) == "<Session s2 ?>"

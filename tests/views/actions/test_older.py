"""What came before that which a view has been told; with a filter, all that is kept is looked through."""

from __future__ import annotations

from typing import Any, cast

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Outcome, Telemetry
from mcp_workbench.views.actions import older as module
from mcp_workbench.views.actions.older import MOST, get_older, get_older_messages
from mcp_workbench.views.asks import Ask
from mcp_workbench.views.messages import Done, GetOlder, GetOlderMessages, Message, OlderCalls, OlderMessages
from tests.views.rig import answer_of, no_server
from tests.views.wire_log import WireLog


def older(telemetry: Telemetry, before: int, limit: int) -> OlderCalls:
    sent: list[Message] = []
    get_older(Ask(GetOlder(id=4, before=before, limit=limit), no_server(telemetry), sent.append, lambda _: True))
    [answer] = sent
    return cast(OlderCalls, answer)


def test_the_calls_right_before_one_are_given_ascending_as_far_as_they_are_kept() -> None:
    telemetry = Telemetry(records=800)
    for _ in range(1_000):
        telemetry.record(CallRecord("", "s1", "default", Era.LEGACY, "ping", "", 1, 0, 0.0, 1, outcome=Outcome.OK))
    answer = older(telemetry, 901, 10_000)
    assert (answer.re, [row.seq for row in answer.rows], answer.oldest) == (4, list(range(901 - MOST, 901)), 201)
    for before, limit, seqs in (
        (210, 20, list(range(201, 210))),
        (201, 20, []),
        (0, 20, []),
        (-5, 20, []),
        (500, 0, []),
        (500, -1, []),
        (9_999, 2, [999, 1_000]),
    ):
        assert [row.seq for row in older(telemetry, before, limit).rows] == seqs


def test_where_nothing_has_ended_there_is_nothing() -> None:
    assert older(Telemetry(), 1, 10) == OlderCalls(re=4)


def test_with_a_filter_all_that_is_kept_is_looked_through_until_enough_fit() -> None:
    log = WireLog()
    for n in range(60):
        log.call("rare" if n % 20 == 0 else "add", request_id=n)
    sources = no_server(log.telemetry)
    for before, limit, seqs, reached in ((61, 10, [1, 21, 41], 1), (61, 2, [21, 41], 21), (21, 2, [1], 1), (1, 2, [], 1)):
        answer = answer_of(get_older, GetOlder(id=4, before=before, limit=limit, filter="tool:rare"), sources)
        assert isinstance(answer, OlderCalls)
        assert ([row.seq for row in answer.rows], answer.reached) == (seqs, reached)


def test_a_text_that_is_no_filter_is_refused_with_what_is_wrong() -> None:
    answer = answer_of(get_older, GetOlder(id=4, before=9, limit=9, filter="tol:rare"), no_server())
    assert isinstance(answer, Done)
    assert "tool" in answer.sentence


def test_older_messages_are_given_ascending_all_or_those_that_fit() -> None:
    log = WireLog()
    for n in range(5):
        log.call(request_id=n)
    sources = no_server(log.telemetry)
    answer = answer_of(get_older_messages, GetOlderMessages(id=4, before=9, limit=3), sources)
    assert isinstance(answer, OlderMessages)
    assert [(row.seq, row.kind) for row in answer.rows] == [(6, "response"), (7, "request"), (8, "response")]
    answer = answer_of(get_older_messages, GetOlderMessages(id=4, before=9, limit=3, filter="kind:request"), sources)
    assert isinstance(answer, OlderMessages)
    assert ([row.seq for row in answer.rows], answer.reached, answer.oldest) == ([3, 5, 7], 3, 1)


def test_an_answer_fits_with_its_request_also_where_that_is_in_an_earlier_stretch(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "STRETCH", 3)
    log = WireLog()
    for n in range(8):
        log.call("rare" if n % 4 == 0 else "add", request_id=n)
    sources = no_server(log.telemetry)
    for limit, seqs, reached in ((9, [1, 2, 9, 10], 1), (2, [9, 10], 9)):
        asked = GetOlderMessages(id=4, before=17, limit=limit, filter="tool:rare")
        answer = answer_of(get_older_messages, asked, sources)
        assert isinstance(answer, OlderMessages)
        assert ([row.seq for row in answer.rows], answer.reached) == (seqs, reached)

from __future__ import annotations

from typing import cast

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Outcome, Telemetry
from mcp_workbench.views.actions.older import MOST, get_older
from mcp_workbench.views.asks import Ask
from mcp_workbench.views.messages import GetOlder, Message, OlderCalls
from tests.views.rig import no_server


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

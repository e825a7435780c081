from __future__ import annotations

from typing import Any

from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.origin import Origin
from mcp_workbench.telemetry import Side
from tests.exploring.comparing.rig import made


def of_session(session: str, method: str, result: Any, side: Side) -> Call:
    call = made(method, {"name": "look"} if method == "tools/call" else {}, result, side=side)
    call.record.session_id = session
    return call


def listing(session: str, tool: str, side: Side) -> Call:
    return of_session(session, "tools/list", {"tools": [{"name": tool, "inputSchema": {}}]}, side)


def test_what_another_server_offers_is_no_promise_of_this_one() -> None:
    for side in (Side.CLIENT, Side.TAP):
        calls = [listing("x1", "theirs", side), listing("x2", "look", side), of_session("x3", "tools/call", {}, side)]
        origin = Origin(calls=lambda calls=calls: [call.record for call in calls])  # type: ignore[misc]  # the default binds the loop's
        assert set(origin.offered([calls[0].record])) == {"theirs"}
        assert set(origin.offered([of_session("x2", "tools/call", {}, side).record])) == {"look"}
        assert origin.offered([calls[2].record]) == {}


def test_every_session_with_this_server_was_offered_the_same() -> None:
    there = listing("s1", "look", Side.SERVER)
    origin = Origin(calls=lambda: [there.record])
    assert set(origin.offered([of_session("s2", "tools/call", {}, Side.SERVER).record])) == {"look"}


def test_a_list_of_tools_that_is_none_offers_nothing() -> None:
    for tools in (5, "x", {"name": "look"}, [1, {"name": 5}], None):
        answer = of_session("x1", "tools/list", {"tools": tools}, Side.CLIENT)
        assert Origin(calls=lambda answer=answer: [answer.record]).offered([answer.record]) == {}  # type: ignore[misc]  # as above

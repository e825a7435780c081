"""Messages read in order: what an answer answers."""

from __future__ import annotations

import json
from typing import Any

from mcp_workbench.exploring.answering import KEPT, InOrder
from mcp_workbench.exploring.filters import parse
from mcp_workbench.exploring.message_list import MessageList
from mcp_workbench.telemetry.messages import Direction, Message

IN, OUT = Direction.IN, Direction.OUT


def said(direction: Direction, session: str = "s1", **members: Any) -> Message:
    raw = json.dumps({"jsonrpc": "2.0", **members}).encode()
    return Message(session, direction, 1, 1.0, len(raw), raw)


def call(tool: str, request_id: int = 1, session: str = "s1", direction: Direction = IN) -> Message:
    return said(direction, session, id=request_id, method="tools/call", params={"name": tool, "arguments": {"tool": "x"}})


def test_an_answer_is_of_the_latest_request_of_its_id_in_its_session_that_went_the_other_way() -> None:
    in_order = InOrder()
    messages = [
        call("add"),
        call("other", session="s2"),
        said(IN, id=1, result={}),  # the same way: answers nothing here
        said(OUT, id=1, result={}),
        said(OUT, id=1, result={}),  # answered already
        call("sum"),
        said(OUT, "s2", id=1, error={"code": 1, "message": "no"}),
        said(OUT, id=1, result={}),
        said(OUT, method="notifications/progress", params={"progressToken": 1}),
    ]
    targets = [in_order.read(message).target for message in messages]
    assert targets == ["add", "other", "", "add", "", "sum", "other", "sum", ""]


def test_a_filter_for_a_tool_finds_both_and_leaves_both_out() -> None:
    messages = MessageList([call("add", 1), call("sum", 2), said(OUT, id=2, result={}), said(OUT, id=1, result={"content": []})])
    assert [each.raw for each in messages.where("tool:add")] == [messages[0].raw, messages[3].raw]
    assert [each.raw for each in messages.where("-tool:add")] == [messages[1].raw, messages[2].raw]
    assert [each.raw for each in messages.where("tool:add kind:response")] == [messages[3].raw]
    assert len(messages.where("args.tool:x")) == 2, "what was asked is the request's alone"
    assert messages.where("method:tools/call").df()["target"].tolist() == ["add", "sum", "sum", "add"]


def test_one_message_alone_is_what_its_text_says() -> None:
    assert not parse("tool:add").matches_message(said(OUT, id=1, result={}))


def test_only_so_many_requests_wait_for_their_answers() -> None:
    in_order = InOrder()
    for number in range(KEPT + 1):
        in_order.read(call("add", number))
    assert [in_order.read(said(OUT, id=number, result={})).target for number in (0, 1)] == ["", "add"]

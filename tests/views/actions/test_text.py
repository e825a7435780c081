"""The text of one message, and which others belong to it."""

from __future__ import annotations

import json

from mcp_workbench.telemetry import Direction
from mcp_workbench.views.actions.text import BEGINNING, WHOLE, get_text
from mcp_workbench.views.messages import Done, GetText, Message, MessageText
from tests.views.rig import answer_of, no_server
from tests.views.wire_log import WireLog


def text(log: WireLog, seq: int, *, whole: bool = False) -> Message:
    return answer_of(get_text, GetText(id=8, seq=seq, whole=whole), no_server(log.telemetry))


def test_a_message_is_given_with_its_call_and_what_else_belongs_to_it() -> None:
    log = WireLog()
    log.call("other", 1)
    call = log.call("add", 2, a=1)
    asked = log.said(Direction.OUT, id=1, method="elicitation/create", params={})
    call.note(asked)
    answer = text(log, 4)
    assert isinstance(answer, MessageText)
    assert answer.text is not None
    assert json.loads(answer.text.text)["id"] == 2
    assert (answer.row.kind, answer.call, [row.seq for row in answer.others]) == ("response", call.seq, [3, asked.seq])


def test_of_a_long_text_the_beginning_is_given_and_all_of_it_when_asked_for() -> None:
    log = WireLog()
    log.text(Direction.OUT, b"x" * (WHOLE + 1))
    beginning, whole = text(log, 1), text(log, 1, whole=True)
    assert isinstance(beginning, MessageText)
    assert isinstance(whole, MessageText)
    assert beginning.text is not None
    assert whole.text is not None
    assert [(len(one.text), one.size) for one in (beginning.text, whole.text)] == [(BEGINNING, WHOLE + 1), (WHOLE, WHOLE + 1)]


def test_a_text_that_was_pushed_out_is_none_and_what_is_not_kept_is_refused() -> None:
    log = WireLog(count=2, max_bytes=30)
    for _ in range(3):
        log.text(Direction.IN, b"x" * 20)
    answer = text(log, 2)
    assert isinstance(answer, MessageText)
    assert (answer.text, answer.row.gone, answer.row.size) == (None, True, 20)
    for seq in (1, 0, -1, 99):
        refused = text(log, seq)
        assert isinstance(refused, Done)
        assert "the oldest that is kept is 2" in refused.sentence

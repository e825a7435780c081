from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from mcp_workbench.views.asks import THREAD_NAME, Ask
from mcp_workbench.views.messages import Done, Message, Stop
from tests.views.rig import no_server


def worked_out(function: Callable[[], Message]) -> tuple[list[Message], list[Message]]:
    """What was sent before the loop had its turn, and after."""
    sent: list[Message] = []
    posted: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def post(function: Callable[[], None]) -> bool:
        posted.put(function)
        return True

    Ask(Stop(id=3, key="j1"), no_server(), sent.append, post).work_out(function)
    send = posted.get(timeout=10)
    before = sent.copy()
    send()
    return before, sent


def test_an_answer_is_worked_out_in_a_thread_and_sent_on_the_loop() -> None:
    def name() -> Message:
        return Done(re=3, ok=True, sentence=threading.current_thread().name)

    assert worked_out(name) == ([], [Done(re=3, ok=True, sentence=THREAD_NAME)])


def test_one_that_cannot_be_worked_out_is_answered_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> Message:
        raise KeyError("no")

    before, [answer] = worked_out(fail)
    assert before == []
    assert isinstance(answer, Done)
    assert (answer.re, answer.ok) == (3, False)
    assert "Stop" in caplog.text

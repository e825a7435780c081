from __future__ import annotations

from mcp_workbench.exploring.recording.choosing import Choice
from mcp_workbench.exploring.recording.lines import Crossed
from mcp_workbench.telemetry import CallRecord, Message
from tests.exploring.recording.rig import Stage


def test_a_message_is_looked_at_as_it_was_when_it_crossed_and_its_call_follows_it() -> None:
    stage, failed = Stage(), list[BaseException]()
    call, other = stage.call(1), stage.call(2)
    assert call.request is not None
    assert call.answer is not None
    raw, call.request.raw = call.request.raw, b""  # pushed out since
    items: list[Crossed | CallRecord] = [(call.request, raw), (call.answer, call.answer.raw), call, other]
    assert Choice(None, lambda message: b'"method"' in message.raw, failed.append).of(items) == [items[0], call]
    assert Choice(["s2"], None, failed.append).of(items) == []
    assert Choice(None, None, failed.append).of(items) == items
    assert failed == []


def test_a_session_that_is_not_wanted_is_not_even_asked_about() -> None:
    stage, asked = Stage(), list[Message]()
    message = stage.say(b"{}")

    def wanted(message: Message) -> bool:
        asked.append(message)
        return True

    assert Choice(["s2"], wanted, lambda _: None).of([(message, b"{}")]) == []
    assert asked == []

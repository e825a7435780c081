from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Direction, Message, Messages, Outcome, Side, Telemetry
from mcp_workbench.telemetry.records import OTHERS


def said(text: bytes = b"{}", session: str = "s1") -> Message:
    return Message(session, Direction.IN, 1, 1.0, len(text), text)


@given(st.lists(st.binary(max_size=30), max_size=40), st.integers(1, 12), st.integers(0, 100))
def test_the_latest_are_kept_by_count_and_their_texts_by_bytes(texts: list[bytes], count: int, max_bytes: int) -> None:
    messages, every = Messages(count, max_bytes), [said(text) for text in texts]
    for message in every:
        messages.add(message)
    assert messages.latest() == every[-count:]
    assert [message.seq for message in every] == list(range(1, len(every) + 1))
    with_text = every[-count:]
    while sum(message.size for message in with_text) > max_bytes:
        with_text = with_text[1:]
    assert [message.raw for message in every] == [text if message in with_text else b"" for message, text in zip(every, texts, strict=True)]
    assert (messages.bytes, messages.total) == (sum(message.size for message in with_text), len(texts))
    assert messages.oldest == (every[-count:][0].seq if every else 0)


def test_what_crossed_between_two_numbers_is_found_as_far_as_it_is_kept() -> None:
    messages = Messages(3)
    for number in range(5):
        messages.add(said(b"%d" % number))
    assert [message.raw for message in messages.between(0, 4)] == [b"2", b"3"]
    assert messages.between(5, 9) == []


def test_a_message_without_its_text_says_so() -> None:
    messages, first, empty = Messages(10, max_bytes=3), said(b"{}"), said(b"")
    messages.add(first)
    messages.add(empty)
    assert (first.kept, empty.kept) == (True, True)
    messages.add(said(b"[]"))
    assert (first.kept, first.size, first.at) == (False, 2, 1.0)


def call(side: Side = Side.SERVER, outcome: Outcome = Outcome.OK) -> CallRecord:
    record = CallRecord("c1", "s1", "default", Era.LEGACY, "tools/call", "add", 1, 0, 0.0, 1, outcome=outcome, sent_ns=5)
    record.side = side
    return record


def test_of_what_belongs_to_a_call_the_latest_is_kept_in_order() -> None:
    record = call()
    assert record.said_meanwhile() == []
    others = [said(b"%d" % number) for number in range(OTHERS + 3)]
    for message in others:
        record.note(message)
    assert record.said_meanwhile() == others[3:]


def test_what_passed_a_tap_or_was_asked_by_the_notebook_is_remembered_and_counts_for_nothing_of_ours() -> None:
    telemetry = Telemetry()
    telemetry.record(call(Side.TAP, Outcome.TOOL_ERROR))
    telemetry.record(call(Side.CLIENT))
    assert (len(telemetry.calls()), telemetry.by_tool(), telemetry.failures()) == (2, [], [])
    assert (telemetry.statistics().calls, telemetry.statistics().errors, telemetry.added_up) == (2, 0, 2)


def test_a_call_that_was_answered_with_a_question_counts_once_it_has_its_answer() -> None:
    telemetry = Telemetry()
    telemetry.record(call(outcome=Outcome.INPUT_REQUIRED))
    assert [(row.n, row.errors, row.p50_ns) for row in telemetry.by_tool()] == [(0, 0, None)]
    telemetry.record(call())
    assert [(row.n, row.errors) for row in telemetry.by_tool()] == [(1, 0)]

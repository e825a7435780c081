from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Outcome, Telemetry
from mcp_workbench.telemetry.texts import MAX_TEXT, NOTIFICATIONS, KeptTexts, Texts


def call(request: bytes = b"q", answer: bytes = b"") -> CallRecord:
    record = CallRecord("c1", "s1", "default", Era.LEGACY, "tools/call", "add", 1, 0, 0.0, len(request))
    record.texts = Texts(request, len(request), answer, len(answer))
    record.outcome = Outcome.OK
    return record


@given(st.lists(st.binary(max_size=30), max_size=30), st.integers(0, 8), st.integers(0, 100))
def test_the_latest_calls_keep_their_texts_within_both_bounds(requests: list[bytes], calls: int, max_bytes: int) -> None:
    kept, records = KeptTexts(calls, max_bytes), [call(request) for request in requests]
    expected: deque[CallRecord] = deque()
    for record in records:
        assert record.texts is not None
        kept.add(record, record.texts)
        expected.append(record)
        while len(expected) > calls or sum(each.bytes_in for each in expected) > max_bytes:
            expected.popleft()
    assert [record for record in records if record.texts is not None] == list(expected)
    assert (len(kept), kept.bytes) == (len(expected), sum(each.bytes_in for each in expected))


def test_telemetry_keeps_what_a_call_was_given_and_counts_all_of_it() -> None:
    telemetry = Telemetry()
    told = call(b"request", b"answer")
    assert told.texts is not None
    told.texts.note(b"progress")
    telemetry.record(told)
    telemetry.record(CallRecord("", "s1", "default", Era.LEGACY, "ping", "", 1, 0, 0.0, 1, outcome=Outcome.OK))
    assert (len(telemetry.texts), telemetry.texts.bytes) == (1, len(b"requestanswerprogress"))
    telemetry.texts.bound(0, 100)
    telemetry.record(call())
    assert getattr(told, "texts") is None  # noqa: B009  # to the type checker it is what was narrowed above
    assert telemetry.texts.bytes == 0


def test_of_many_notifications_the_latest_are_kept_and_of_a_long_one_its_beginning() -> None:
    record = call()
    assert record.texts is not None
    for number in range(NOTIFICATIONS + 5):
        record.texts.note(b"%d" % number)
    record.texts.note(b"x" * (MAX_TEXT + 7))
    assert record.texts.notifications is not None
    first, *_, last = record.texts.notifications
    assert (len(record.texts.notifications), first.text) == (NOTIFICATIONS, b"6")
    assert (len(last.text), last.size) == (MAX_TEXT, MAX_TEXT + 7)


def test_what_is_noted_after_the_end_is_let_go() -> None:
    kept, record = KeptTexts(), call()
    assert record.texts is not None
    kept.add(record, record.texts)
    record.texts.note(b"late")
    assert record.texts.notifications is None

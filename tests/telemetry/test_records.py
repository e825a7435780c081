from __future__ import annotations

import gc
import weakref

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Outcome, SessionRecord, freeze_exception


def _call() -> CallRecord:
    return CallRecord("c1", "s1", "default", Era.LEGACY, "tools/call", "add", 1, 1_000, 1.7e9, 120)


def test_wait_run_and_send_add_up_to_the_total() -> None:
    call = _call()
    call.started_ns, call.returned_ns, call.rendered_ns, call.sent_ns = 1_500, 4_500, 4_700, 5_000
    assert (call.wait_ns, call.run_ns, call.send_ns, call.total_ns) == (500, 3_000, 500, 4_000)


def test_a_phase_that_was_never_reached_has_no_duration() -> None:
    call = _call()
    call.outcome, call.sent_ns = Outcome.REJECTED, 1_300
    assert (call.wait_ns, call.run_ns, call.send_ns, call.total_ns) == (None, None, None, 300)


def test_only_what_ended_badly_has_failed() -> None:
    call = _call()
    failed = set()
    for outcome in Outcome:
        call.outcome = outcome
        if call.failed:
            failed.add(outcome)
    assert failed == set(Outcome) - {Outcome.OK, Outcome.PENDING, Outcome.CANCELLED, Outcome.INPUT_REQUIRED}


def test_a_frozen_exception_prints_like_python_and_keeps_no_local_variable_alive() -> None:
    class Big:
        pass

    witnesses: list[weakref.ref[Big]] = []

    def tool() -> None:
        big = Big()
        witnesses.append(weakref.ref(big))
        raise LookupError("no such route")

    call = _call()
    try:
        tool()
    except LookupError as error:
        call.exception = freeze_exception(error)
    gc.collect()
    assert witnesses[0]() is None
    text = call.traceback_text
    assert text is not None
    assert "in tool\n" in text
    assert text.endswith("LookupError: no such route\n")


def test_a_record_without_an_exception_has_no_traceback() -> None:
    assert _call().traceback_text is None


def test_a_record_is_freed_without_the_garbage_collector() -> None:
    call = _call()
    try:
        raise ValueError("x")
    except ValueError as error:
        call.exception = freeze_exception(error)
    alive = weakref.finalize(call.exception, lambda: None)
    gc.disable()
    try:
        del call
        assert not alive.alive
    finally:
        gc.enable()


def test_ignored_texts_are_counted_by_reason() -> None:
    session = SessionRecord("s1", "websocket", "127.0.0.1:50000", "default", 1.7e9)
    session.ignore("late cancel")
    session.ignore("unknown notification")
    session.ignore("late cancel")
    assert session.ignored == {"late cancel": 2, "unknown notification": 1}


def test_a_call_ended_as_long_after_its_arrival_as_it_took() -> None:
    call = CallRecord("c", "s", "default", Era.MODERN, "tools/call", "add", 1, 5_000, 1.7e9, 10)
    assert call.ended_at == 1.7e9
    call.sent_ns = 5_000 + 2_500_000_000
    assert call.ended_at == 1.7e9 + 2.5

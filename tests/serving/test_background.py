"""Which calls are answered early and when: one timer for all of them, and what is said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.execution.calls import Call, Progress
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.limits import Limits
from mcp_workbench.primitives.tools import define_tool
from mcp_workbench.protocol import wire
from mcp_workbench.serving.background import Background, JobPort, arguments_digest, early_answer, same_again, verdict
from mcp_workbench.serving.job import Job, JobState
from mcp_workbench.serving.jobs import Jobs
from mcp_workbench.serving.task_memory import TaskMemory
from mcp_workbench.telemetry.records import CallRecord, Outcome


class Timer:
    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when, self.callback, self.cancelled = when, callback, False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """What `Background` wants of a loop; time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[Timer] = []
        self.soon: list[Callable[[], None]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        self.timers.append(Timer(when, callback))
        return self.timers[-1]

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.soon.append(callback)

    def set_timers(self) -> list[Timer]:
        return [timer for timer in self.timers if not timer.cancelled]

    def let_pass(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [timer for timer in self.set_timers() if timer.when <= end]:
            first = min(due, key=lambda timer: timer.when)
            self.timers.remove(first)
            self.now = max(self.now, first.when)
            first.callback()
        self.now = end

    def turn(self) -> None:
        callbacks, self.soon = self.soon, []
        for callback in callbacks:
            callback()


class Expected:
    """A call that is answered when the test gives it room."""

    def __init__(self) -> None:
        self.room = True
        self.asked: list[float] = []
        self.then: Callable[[], None] = lambda: None

    def answer_early(self, waited_s: float) -> bool:
        self.asked.append(round(waited_s, 3))
        self.then()
        return self.room


def background() -> tuple[Clock, Background]:
    clock = Clock()
    jobs = Jobs(Limits(), clock=clock.time)
    return clock, Background(cast(asyncio.AbstractEventLoop, clock), jobs, lambda _record: None, lambda: True, TaskMemory(jobs))


# --- when ------------------------------------------------------------------------------------------------------------


def test_one_timer_does_for_all_and_stands_at_the_earliest() -> None:
    clock, waiting = background()
    calls = [Expected() for _ in range(4)]
    for call, after_s in zip(calls, (45, 45, 5, 100), strict=True):
        waiting.expect(call, after_s, 0)
    assert [timer.when for timer in clock.set_timers()] == [1005]
    clock.let_pass(5)
    assert [call.asked for call in calls] == [[], [], [5], []]
    assert [timer.when for timer in clock.set_timers()] == [1045]
    clock.let_pass(200)
    assert [call.asked for call in calls] == [[45], [45], [5], [100]]
    assert (len(waiting), clock.set_timers()) == (0, [])


def test_seconds_count_from_the_arrival_of_the_call_and_what_is_due_already_is_answered_at_once() -> None:
    clock, waiting = background()
    late, very_late = Expected(), Expected()
    waiting.expect(late, 45, 40)
    waiting.expect(very_late, 45, 70)
    clock.let_pass(0)
    assert (very_late.asked, late.asked) == ([70], [])
    clock.let_pass(5)
    assert late.asked == [45]


def test_a_call_that_ended_in_time_is_not_asked() -> None:
    clock, waiting = background()
    call, other = Expected(), Expected()
    waiting.expect(call, 45, 0)
    waiting.expect(other, 46, 0)
    waiting.forget(call)
    waiting.forget(call)
    clock.let_pass(100)
    assert (call.asked, other.asked) == ([], [46])


def test_a_timer_that_rings_a_little_early_answers_what_it_was_set_for() -> None:
    clock, waiting = background()
    call = Expected()
    waiting.expect(call, 45, 0)
    [timer] = clock.set_timers()
    clock.now = timer.when - 1e-4
    clock.timers.remove(timer)
    timer.callback()
    assert call.asked == [45]


def test_a_call_without_room_is_asked_again_when_a_job_ends_and_in_order_of_arrival() -> None:
    clock, waiting = background()
    calls = [Expected() for _ in range(3)]
    for call in calls:
        call.room = False
        waiting.expect(call, 45, 0)
        clock.let_pass(1)
    clock.let_pass(60)
    assert [call.asked for call in calls] == [[45]] * 3
    assert (len(waiting), clock.set_timers()) == (3, []), "nobody looks again and again"
    asked: list[int] = []
    for number, call in enumerate(calls):
        call.then = lambda number=number: asked.append(number)  # type: ignore[misc]  # the default binds it
    calls[1].room = True
    end_a_job(waiting)
    assert asked == [], "first those who are told of the end"
    clock.turn()
    assert asked == [0, 1, 2]
    end_a_job(waiting)
    end_a_job(waiting)
    clock.turn()
    assert (asked, len(waiting)) == ([0, 1, 2, 0, 2], 2)
    for call in calls:
        waiting.forget(call)
    end_a_job(waiting)
    clock.turn()
    assert (len(asked), len(waiting)) == (5, 0)


def test_one_that_cannot_be_answered_early_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    clock, waiting = background()
    broken, fine = Expected(), Expected()

    def fail() -> None:
        raise RuntimeError("no luck")

    broken.then = fail
    waiting.expect(broken, 45, 0)
    waiting.expect(fine, 45, 0)
    clock.let_pass(100)
    assert (broken.asked, fine.asked, len(waiting)) == ([45], [45], 0)
    assert "could not be answered early" in caplog.text


def test_one_that_ends_by_what_answering_another_set_free_is_not_asked() -> None:
    clock, waiting = background()
    first, second = Expected(), Expected()
    waiting.expect(first, 45, 0)
    waiting.expect(second, 45, 0)
    first.then = lambda: waiting.forget(second)
    clock.let_pass(100)
    assert (first.asked, second.asked) == ([45], [])


def test_when_the_server_stops_nobody_is_answered_early_any_more_and_the_jobs_forget_it() -> None:
    clock, waiting = background()
    others = [listener for listener in waiting.jobs.on_end if listener != waiting._job_ended]
    call, crowded, later = Expected(), Expected(), Expected()
    crowded.room = False
    waiting.expect(crowded, 1, 0)
    clock.let_pass(1)
    waiting.expect(call, 45, 0)
    end_a_job(waiting)
    waiting.close()
    clock.turn()
    waiting.expect(later, 1, 0)
    clock.let_pass(100)
    assert (call.asked, crowded.asked, later.asked) == ([], [1], [])
    assert (clock.set_timers(), waiting.jobs.on_end) == ([], others)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.001, 100), st.floats(0, 50), st.booleans()), max_size=20))
def test_each_is_answered_once_and_when_it_is_due(calls: list[tuple[float, float, bool]]) -> None:
    clock, waiting = background()
    expected = []
    for after_s, waited_s, ends in calls:
        call = Expected()
        waiting.expect(call, after_s, waited_s)
        expected.append((call, max(after_s, waited_s), ends))
        if ends:
            waiting.forget(call)
    clock.let_pass(200)
    for call, due, ends in expected:
        assert call.asked == ([] if ends else [pytest.approx(due, abs=0.002)])
    assert (len(waiting), clock.set_timers()) == (0, [])


def end_a_job(waiting: Background) -> None:
    call = Call("c1", "t", "thread")
    job = waiting.jobs.begin(define_tool(slow), "default", b"", call, lambda _reason: None, waited_s=0)
    assert job is not None
    waiting.jobs.end(job, JobState.DONE, wire.CallToolResult(content=[]))


# --- what is said ------------------------------------------------------------------------------------------------------


def slow(n: int = 0) -> str:
    return str(n)


def totals(n: int = 0) -> dict[str, int]:
    return {"n": n}


def a_job(function: Callable[..., Any] = slow, *, started: bool = True) -> tuple[Job, Call]:
    call = Call("c1", "slow", "thread")
    call.started_ns = 1 if started else 0
    job = Jobs(Limits(), clock=lambda: 0.0).begin(define_tool(function), "default", b"", call, lambda _reason: None, waited_s=45.2)
    assert job is not None
    return job, call


def text_of(result: wire.CallToolResult) -> str:
    [item] = result.content
    assert isinstance(item, wire.TextContent)
    return item.text


def test_an_early_answer_says_how_far_it_is_and_what_to_do() -> None:
    job, call = a_job()
    advice = 'call job_wait("j1") for its result; do not repeat this call.'
    assert text_of(early_answer(define_tool(slow), job)) == f"Running as job j1: {advice} Running 45 s so far."
    call.progress = Progress(62, 100, None)
    job.hear("page 7")
    assert text_of(early_answer(define_tool(slow), job)) == (
        f"Running as job j1 (62 %): {advice} Running 45 s so far. It said last: page 7"
    )
    assert text_of(same_again(define_tool(slow), job)) == (
        f"Already running as job j1 (62 %): {advice} It was not started again. It said last: page 7"
    )


def test_only_a_tool_that_promises_structure_is_answered_with_an_error() -> None:
    job, _ = a_job()
    for make in (early_answer, same_again):
        assert [make(define_tool(function), job).is_error for function in (slow, totals)] == [False, True]


def test_a_port_of_a_job_keeps_what_was_said_last_and_says_that_there_is_news() -> None:
    job, _ = a_job()
    news: list[Job] = []
    port = JobPort(job, news.append)
    port.send_progress(1, 2, "unheard")
    port.send_log("info", "first", None)
    port.send_log("debug", {"rows": [1]}, "logger")
    assert (job.said, port.request_id, port.wants_progress, port.wants_output("debug")) == ('{"rows":[1]}', None, True, True)
    assert news == [job] * 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=4), JSON, max_size=4), st.randoms())
def test_arguments_are_the_same_whatever_the_order_of_their_members(arguments: dict[str, Any], random: Any) -> None:
    names = list(arguments)
    random.shuffle(names)
    assert arguments_digest({name: arguments[name] for name in names}) == arguments_digest(arguments)
    assert arguments_digest(arguments | {"another": 1}) != arguments_digest(arguments | {"another": 2})


def a_record() -> CallRecord:
    return CallRecord("c1", "s1", "default", cast(Any, "legacy"), "job", "slow", 1, 0, 0.0, 0)


def test_how_a_job_ended_is_read_off_what_its_call_would_have_been_answered_with() -> None:
    fine, failed = wire.CallToolResult(content=[]), wire.CallToolResult(content=[], is_error=True)
    cases: list[tuple[Any, Outcome, JobState, Outcome]] = [
        (fine, Outcome.PENDING, JobState.DONE, Outcome.OK),
        (failed, Outcome.PENDING, JobState.FAILED, Outcome.TOOL_ERROR),
        (failed, Outcome.TIMEOUT, JobState.TIMED_OUT, Outcome.TIMEOUT),
        (failed, Outcome.REJECTED, JobState.FAILED, Outcome.REJECTED),
        (None, Outcome.PENDING, JobState.CANCELLED, Outcome.CANCELLED),
        (RemoteProtocolError(ErrorCode.INTERNAL_ERROR, "Internal error"), Outcome.PENDING, JobState.FAILED, Outcome.RPC_ERROR),
    ]
    for answer, before, state, after in cases:
        job, call = a_job()
        call.cancel_reason = "somebody asked"
        record = a_record()
        record.outcome = before
        found, result = verdict(job, call, answer, record)
        assert (found, record.outcome) == (state, after)
        assert result is answer or result.is_error


@pytest.mark.parametrize(
    ("run_on", "started", "sentence"),
    [
        ("thread", False, "Its code had not begun."),
        ("thread", True, "Python code in a thread cannot be made to."),
        ("async", True, "where it next awaits something"),
        ("main", True, "on the notebook's main thread, where the person can interrupt it."),
    ],
)
def test_a_cancelled_job_says_who_asked_and_whether_its_code_may_still_run(run_on: Any, started: bool, sentence: str) -> None:
    job, call = a_job(started=started)
    call.run_on, call.cancel_reason = run_on, "its client asked for it"
    record = a_record()
    _, result = verdict(job, call, None, record)
    assert text_of(result).startswith("Job j1 (slow) was cancelled: its client asked for it. ")
    assert sentence in text_of(result)
    assert record.error == text_of(result)

"""A call ends exactly once, whatever its code does and whoever gives up on it."""

from __future__ import annotations

import asyncio
import gc
import random
import subprocess
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mcp_workbench import errors
from mcp_workbench.execution.calls import Busy, Call, CallState, Cancelled, Outcome, Raised, Returned, RunOn, TimedOut
from mcp_workbench.execution.questions import Question
from mcp_workbench.execution.runner import Execution
from mcp_workbench.limits import Limits
from tests.execution.main_rig import Host

RUN_ON: tuple[RunOn, ...] = ("inline", "thread", "async")


class Bench:
    """An Execution on the running loop, and how its calls ended."""

    def __init__(self, **more: Any) -> None:
        limits = {name: more.pop(name) for name in ("tool_threads", "thread_queue", "async_calls") if name in more}
        self.execution = Execution(asyncio.get_running_loop(), Limits(**limits), **more)
        self.ended: list[tuple[str, Outcome]] = []
        self.threads: set[int] = set()
        self._came = asyncio.Event()

    def on_done(self, call: Call, outcome: Outcome) -> None:
        self.threads.add(threading.get_ident())
        self.ended.append((call.id, outcome))
        self._came.set()

    def start(self, run_on: RunOn, work: Callable[[], object], **more: Any) -> Call:
        finish = more.pop("finish", None)
        call = self.execution.new_call("tool", run_on, **more)
        call.work = work
        if finish is not None:
            call.finish = finish
        self.execution.start(call, self.on_done)
        return call

    def outcome(self, call: Call) -> Outcome:
        (outcome,) = [outcome for call_id, outcome in self.ended if call_id == call.id]
        return outcome

    async def came(self, many: int) -> None:
        while len(self.ended) < many:
            self._came.clear()
            await self._came.wait()

    def post(self, event: asyncio.Event) -> None:
        """Set an event of the loop, from a tool."""
        self.execution._portal.post(event.set)


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await main()

    asyncio.run(bounded())


async def until(condition: Callable[[], bool]) -> None:
    """Give up turns until it holds: for what other threads announce to the loop and to nobody else."""
    while not condition():  # noqa: ASYNC110 - there is no event: what is awaited is a reading of statistics
        await asyncio.sleep(0)


def as_tool(run_on: RunOn, function: Callable[[], object]) -> Callable[[], object]:
    """The function as a tool of its kind."""
    if run_on != "async":
        return function

    async def tool() -> object:
        return function()

    return tool


def threads_left(before: set[threading.Thread], *, stuck: frozenset[str] = frozenset()) -> set[str]:
    """Names of the threads that stay: all but the stuck ones were told to end and get time to."""
    for thread in set(threading.enumerate()) - before:
        if thread.name not in stuck:
            thread.join(10)
    return {thread.name for thread in set(threading.enumerate()) - before}


# --- how a call ends -----------------------------------------------------------------------------


def test_a_quick_call_runs_in_a_thread_of_its_own_kind_while_all_others_are_taken() -> None:
    async def main() -> None:
        bench = Bench(tool_threads=1)
        release = threading.Event()
        bench.start("thread", lambda: release.wait(5), owner="s1")
        bench.start("thread", int, owner="s1")
        quick = bench.start("thread", lambda: threading.current_thread().name, owner="s1", quick=True)
        await bench.came(1)
        assert bench.outcome(quick) == Returned("mcp-quick-1")
        assert (bench.execution.statistics().running, bench.execution.statistics().waiting) == (1, 1)
        release.set()
        await bench.came(3)
        await bench.execution.close(1.0)

    run(main)


@pytest.mark.parametrize("run_on", RUN_ON)
def test_a_call_returns_what_finish_gave_on_the_protocol_loop(run_on: RunOn) -> None:
    async def main() -> None:
        bench = Bench()
        call = bench.start(run_on, as_tool(run_on, lambda: [1, 2]), finish=len)
        await bench.came(1)
        assert bench.ended == [(call.id, Returned(2))]
        assert bench.threads == {threading.get_ident()}
        assert call.queued_ns <= call.started_ns <= call.returned_ns <= call.finished_ns
        assert call.state is CallState.ENDED
        await bench.execution.close(1)

    run(main)


def test_calls_are_numbered() -> None:
    async def main() -> None:
        bench = Bench()
        assert [bench.start("inline", int).id for _ in range(3)] == ["c1", "c2", "c3"]
        await bench.execution.close(1)

    run(main)


def test_an_inline_call_has_ended_before_start_returns() -> None:
    async def main() -> None:
        bench = Bench()
        call = bench.start("inline", threading.get_ident)
        assert bench.outcome(call) == Returned(threading.get_ident())
        await bench.execution.close(1)

    run(main)


def test_a_thread_call_renders_in_its_own_thread() -> None:
    async def main() -> None:
        bench = Bench()
        call = bench.start("thread", threading.get_ident, finish=lambda ran_in: ran_in == threading.get_ident())
        await bench.came(1)
        assert bench.outcome(call) == Returned(True)
        await bench.execution.close(1)

    run(main)


def test_an_async_call_renders_in_a_tool_thread() -> None:
    async def main() -> None:
        bench = Bench()

        async def tool() -> list[str]:
            return [threading.current_thread().name]

        def finish(value: object) -> object:
            assert isinstance(value, list)
            return [*value, threading.current_thread().name]

        call = bench.start("async", tool, finish=finish)
        await bench.came(1)
        assert bench.outcome(call) == Returned(["mcp-async-tools", "mcp-tool-1"])
        await bench.execution.close(1)

    run(main)


@pytest.mark.parametrize("run_on", RUN_ON)
@pytest.mark.parametrize(
    "kind", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, RecursionError, MemoryError, asyncio.CancelledError, BaseException]
)
def test_whatever_is_raised_ends_the_call_and_nothing_else(run_on: RunOn, kind: type[BaseException]) -> None:
    def work() -> None:
        raise kind("gone wrong")

    async def main() -> None:
        bench = Bench(tool_threads=1)
        for run_number in range(1, 4):
            call = bench.start(run_on, as_tool(run_on, work))
            await bench.came(run_number)
            outcome = bench.outcome(call)
            assert isinstance(outcome, Raised)
            assert type(outcome.exception) is kind
        call = bench.start(run_on, as_tool(run_on, lambda: 1))
        await bench.came(4)
        assert bench.outcome(call) == Returned(1)
        await bench.execution.close(1)

    run(main)


@pytest.mark.parametrize("run_on", RUN_ON)
def test_a_call_that_ended_keeps_nothing_of_the_user_alive(run_on: RunOn) -> None:
    class Big:
        """An argument."""

    async def main() -> None:
        bench = Bench()
        big = Big()
        gone = weakref.ref(big)

        def function(argument: object = big) -> list[str]:
            return [str(type(argument))]

        call = bench.start(run_on, as_tool(run_on, function), function=function)
        await bench.came(1)
        del big, function
        gc.disable()
        try:
            await until(lambda: gone() is None)  # by counting references alone, as nothing of ours makes a cycle
        finally:
            gc.enable()
        assert call.work is None
        await bench.execution.close(1)

    run(main)


def test_a_call_is_started_once_and_only_with_work() -> None:
    async def main() -> None:
        bench = Bench()
        call = bench.start("inline", int)
        with pytest.raises(errors.LocalProtocolError, match="it is ended"):
            bench.execution.start(call, bench.on_done)
        with pytest.raises(errors.LocalProtocolError, match="`work`"):
            bench.execution.start(bench.execution.new_call("tool", "thread"), bench.on_done)
        assert len(bench.ended) == 1
        await bench.execution.close(1)

    run(main)


# --- cancelling ----------------------------------------------------------------------------------


def test_a_waiting_call_that_is_cancelled_never_runs() -> None:
    async def main() -> None:
        bench = Bench(tool_threads=1)
        go = threading.Event()
        ran: list[int] = []
        bench.start("thread", lambda: go.wait(5))
        waiting = bench.start("thread", lambda: ran.append(1))
        assert bench.execution.statistics().waiting == 1
        assert bench.execution.cancel(waiting, "client asked") is True
        assert bench.outcome(waiting) == Cancelled("client asked", may_still_run=False)
        assert bench.execution.statistics().waiting == 0
        go.set()
        await bench.came(2)
        await bench.execution.close(1)
        assert ran == []

    run(main)


def test_a_running_thread_call_is_cancelled_at_once_and_its_late_result_dropped() -> None:
    async def main() -> None:
        bench = Bench()
        inside, go = asyncio.Event(), threading.Event()
        rendered: list[object] = []

        def work() -> str:
            bench.post(inside)
            go.wait(5)
            return "too late"

        call = bench.start("thread", work, finish=rendered.append)
        await inside.wait()
        assert bench.execution.cancel(call, "client asked")
        assert bench.outcome(call) == Cancelled("client asked", may_still_run=True)
        assert call.cancelled
        assert bench.execution.statistics().abandoned == 1
        assert bench.execution.cancel(call, "again") is False
        go.set()
        await until(lambda: bench.execution.statistics().late_results == 1)
        assert bench.execution.statistics().abandoned == 0
        assert len(bench.ended) == 1
        assert rendered == []
        await bench.execution.close(1)

    run(main)


def test_a_cooperative_tool_sees_the_cancellation_through_its_context() -> None:
    async def main() -> None:
        bench = Bench()
        inside, go, left = asyncio.Event(), threading.Event(), asyncio.Event()
        reasons: list[str] = []
        call = bench.execution.new_call("tool", "thread")
        ctx = bench.execution.context(call)

        def work() -> None:
            bench.post(inside)
            go.wait(5)
            try:
                ctx.check_cancelled()
            except errors.Cancelled as error:
                reasons.append(str(error))
                bench.post(left)
                raise

        call.work = work
        bench.execution.start(call, bench.on_done)
        await inside.wait()
        bench.execution.cancel(call, "client asked")
        go.set()
        await left.wait()
        await bench.execution.close(1)
        assert reasons == ["client asked"]
        assert len(bench.ended) == 1

    run(main)


def test_a_cancelled_async_tool_that_swallows_it_and_returns_is_late() -> None:
    async def main() -> None:
        bench = Bench()
        inside = asyncio.Event()

        async def tool() -> list[str]:
            bench.post(inside)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return ["swallowed"]
            return []

        call = bench.start("async", tool)
        await inside.wait()
        bench.execution.cancel(call, "client asked")
        assert bench.outcome(call) == Cancelled("client asked", may_still_run=True)
        await until(lambda: bench.execution.statistics().late_results == 1)
        assert len(bench.ended) == 1
        assert bench.execution.statistics().abandoned == 0
        await bench.execution.close(1)

    run(main)


def test_a_call_is_cancelled_while_its_value_waits_to_be_rendered() -> None:
    async def main() -> None:
        bench = Bench(tool_threads=1, thread_queue=1)
        go = threading.Event()
        rendered: list[object] = []

        async def tool() -> list[int]:
            return [1]

        bench.start("thread", lambda: go.wait(5))
        call = bench.start("async", tool, finish=rendered.append)
        await until(lambda: call.state is CallState.WAITING)
        bench.execution.cancel(call, "client asked")
        assert bench.outcome(call) == Cancelled("client asked", may_still_run=False)
        go.set()
        await bench.came(2)
        await bench.execution.close(1)
        assert rendered == []

    run(main)


def test_cancelling_what_was_never_started_does_nothing() -> None:
    async def main() -> None:
        bench = Bench()
        call = bench.execution.new_call("tool", "thread")
        assert bench.execution.cancel(call, "why not") is False
        assert call.cancelled is False
        await bench.execution.close(1)

    run(main)


# --- the main thread -----------------------------------------------------------------------------


def test_calls_for_the_main_thread_run_when_it_is_free_and_are_counted() -> None:
    async def main() -> None:
        host: Any = Host()
        looked: list[str] = []
        bench = Bench(host=host, after_main_job=lambda: looked.append("looked"))
        call = bench.start("main", lambda: 5, finish=str)
        statistics = bench.execution.statistics()
        assert (statistics.main_waiting, statistics.main_running, statistics.open_calls) == (1, 0, 1)
        host.turn()
        assert bench.execution.statistics().main_running == 1
        await bench.came(1)
        assert bench.outcome(call) == Returned("5")
        assert (call.run_on, looked) == ("main", ["looked"])
        assert bench.threads == {threading.get_ident()}
        await bench.execution.close(1)

    run(main)


def test_calls_for_the_main_thread_are_cancelled_before_and_while_they_run() -> None:
    async def main() -> None:
        host: Any = Host()
        bench = Bench(host=host)
        waiting = bench.start("main", lambda: pytest.fail("never"))
        assert bench.execution.cancel(waiting, "asked") is True
        assert bench.outcome(waiting) == Cancelled("asked", may_still_run=False)
        running = bench.start("main", lambda: bench.execution.cancel(running, "asked"))
        host.turn()
        assert bench.outcome(running) == Cancelled("asked", may_still_run=True)
        assert (bench.execution.statistics().abandoned, bench.execution.statistics().main_running) == (1, 0)
        await until(lambda: bench.execution.statistics().late_results == 1)
        assert bench.execution.statistics().abandoned == 0
        await bench.execution.close(1)
        assert len(bench.ended) == 2

    run(main)


def test_the_time_that_a_call_waits_for_the_main_thread_does_not_count() -> None:
    async def main() -> None:
        host: Any = Host()
        now_ns = 1
        bench = Bench(host=host, clock_ns=lambda: now_ns)
        call = bench.start("main", lambda: bench.execution._check_time(call, 10), timeout_s=10)
        now_ns = int(60e9)
        bench.execution._check_time(call, 10)  # the timer rings while it waits
        assert bench.ended == []
        host.turn()
        await bench.came(1)
        assert bench.outcome(call) == Returned(None)
        await bench.execution.close(1)

    run(main)


def test_closing_refuses_what_waits_for_the_main_thread() -> None:
    async def main() -> None:
        host: Any = Host()
        bench = Bench(host=host)
        waiting = bench.start("main", lambda: pytest.fail("never"))
        await bench.execution.close(0)
        outcome = bench.outcome(waiting)
        assert isinstance(outcome, Busy)
        assert "shutting down" in outcome.sentence
        host.turn()
        late = bench.start("main", lambda: pytest.fail("never"))
        assert isinstance(bench.outcome(late), Busy)

    run(main)


def test_a_forked_child_neither_runs_nor_tells_anything() -> None:
    async def main() -> None:
        host: Any = Host()
        bench = Bench(host=host)
        call = bench.start("main", lambda: pytest.fail("never"))
        bench.execution.abandon_in_child()
        host.turn()
        assert bench.execution._portal.post(lambda: None) is False
        assert (bench.ended, call.state) == ([], CallState.WAITING)
        await bench.execution.close(0)

    run(main)


# --- time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("run_on", ["thread", "async"])
def test_a_call_that_takes_too_long_times_out_and_its_code_is_asked_to_stop(run_on: RunOn) -> None:
    async def main() -> None:
        bench = Bench()
        go = threading.Event()
        asked: list[str] = []

        def work() -> None:
            go.wait(5)

        async def tool() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                asked.append("by CancelledError")
                raise

        call = bench.start(run_on, tool if run_on == "async" else work, timeout_s=0.01)
        await bench.came(1)
        assert bench.outcome(call) == TimedOut(0.01)
        assert call.cancelled
        assert "longer than its 0.01 s" in call.cancel_reason
        go.set()
        await bench.execution.close(1)
        assert bench.execution.statistics().late_results == 1
        assert asked == (["by CancelledError"] if run_on == "async" else [])

    run(main)


def test_time_in_line_does_not_count() -> None:
    async def main() -> None:
        now_ns = 1
        bench = Bench(tool_threads=1, clock_ns=lambda: now_ns)
        go, inside, leave = threading.Event(), asyncio.Event(), threading.Event()

        def second() -> None:
            bench.post(inside)
            leave.wait(5)

        bench.start("thread", lambda: go.wait(5))
        call = bench.start("thread", second, timeout_s=10)
        now_ns = int(60e9)
        bench.execution._check_time(call, 10)  # the timer rings while the call waits
        assert bench.execution.statistics().waiting == 1
        go.set()
        await inside.wait()
        now_ns = int(69e9)
        bench.execution._check_time(call, 10)
        assert bench.execution.statistics().open_calls == 1
        now_ns = int(70e9)
        bench.execution._check_time(call, 10)
        assert bench.outcome(call) == TimedOut(10)
        leave.set()
        await bench.execution.close(1)

    run(main)


def test_a_call_that_ends_in_time_leaves_no_timer() -> None:
    async def main() -> None:
        bench = Bench()
        bench.start("thread", int, timeout_s=60)
        await bench.came(1)
        assert bench.execution._timers == {}
        await bench.execution.close(1)

    run(main)


# --- bounds --------------------------------------------------------------------------------------


def test_past_every_bound_a_call_is_busy_with_a_sentence_before_start_returns() -> None:
    async def main() -> None:
        bench = Bench(tool_threads=1, thread_queue=1, async_calls=1)
        go = threading.Event()

        async def tool() -> None:
            await asyncio.Event().wait()

        for _ in range(2):
            bench.start("thread", lambda: go.wait(5))
        running = bench.start("async", tool)
        thread, coroutine = bench.start("thread", int), bench.start("async", tool)
        assert isinstance(busy := bench.outcome(thread), Busy)
        assert "1 tool threads are busy" in busy.sentence
        assert isinstance(busy := bench.outcome(coroutine), Busy)
        assert "1 async tools run already" in busy.sentence
        reading = bench.execution.statistics()
        assert (reading.running, reading.waiting, reading.async_running, reading.open_calls) == (1, 1, 1, 3)
        bench.execution.cancel(running, "enough")
        go.set()
        await bench.came(5)
        await bench.execution.close(1)

    run(main)


def test_a_demoted_inline_tool_runs_in_a_thread_and_says_so_once() -> None:
    async def main() -> None:
        now_ns = 1
        said: list[tuple[str, str]] = []

        def clock() -> int:
            return now_ns

        def slow() -> int:
            nonlocal now_ns
            now_ns += 6_000_000
            return threading.get_ident()

        bench = Bench(clock_ns=clock, cpu_ns=clock, on_demoted=lambda name, sentence: said.append((name, sentence)))
        calls = [bench.start("inline", slow, function=slow) for _ in range(5)]
        await bench.came(5)
        here = threading.get_ident()
        assert [bench.outcome(call) == Returned(here) for call in calls] == [True, True, True, False, False]
        assert [call.run_on for call in calls] == ["inline"] * 3 + ["thread"] * 2
        assert [name for name, _ in said] == ["tool"]
        assert bench.execution.statistics().demoted_tools == 1
        await bench.execution.close(1)

    run(main)


# --- what a tool says ------------------------------------------------------------------------------


class Port:
    """Keeps the order in which things arrive."""

    request_id = 1
    wants_progress = True

    def __init__(self, heard: list[object]) -> None:
        self.heard = heard

    def wants_output(self, level: str) -> bool:
        return True

    def send_progress(self, progress: float, total: float | None, message: str | None) -> None:
        self.heard.append(progress)

    def send_log(self, level: str, data: Any, logger: str | None) -> None:
        self.heard.append(data)

    def ask(self, question: Question) -> None:
        raise AssertionError("nothing to ask")


@pytest.mark.parametrize("run_on", RUN_ON)
def test_the_last_progress_and_log_come_before_the_result(run_on: RunOn) -> None:
    async def main() -> None:
        bench = Bench()
        heard: list[object] = []
        call = bench.execution.new_call("tool", run_on, port=Port(heard))
        ctx = bench.execution.async_context(call) if run_on == "async" else bench.execution.context(call)

        def work() -> None:
            for done in range(1, 51):
                ctx.report_progress(done, 50)
            ctx.log("done")

        call.work = as_tool(run_on, work)
        ended = asyncio.Event()

        def on_done(call: Call, outcome: Outcome) -> None:
            assert call.port is not None  # the answer still needs it
            heard.append(outcome)
            ended.set()

        bench.execution.start(call, on_done)
        await ended.wait()
        assert heard[-1] == Returned(None)
        progress = [value for value in heard if isinstance(value, float)]
        assert progress[-1] == 50.0
        assert progress == sorted(set(progress))
        assert "done" in heard
        assert call.port is None
        ctx.report_progress(51)
        await bench.execution.close(1)
        assert heard[-1] == Returned(None)

    run(main)


def test_dropped_log_messages_are_counted_when_the_call_ends() -> None:
    async def main() -> None:
        bench = Bench()
        heard: list[object] = []
        held, go = asyncio.Event(), threading.Event()
        call = bench.execution.new_call("tool", "thread", port=Port(heard))
        ctx = bench.execution.context(call)

        def work() -> None:
            for number in range(1003):
                ctx.log(number)
            bench.post(held)
            go.wait(5)

        call.work = work
        bench.execution.start(call, bench.on_done)
        while call.dropped_logs < 3:  # the loop does not turn, so nothing is fetched
            pass
        await held.wait()
        go.set()
        await bench.came(1)
        assert heard == list(range(1000))
        assert bench.execution.statistics().dropped_logs == 3
        await bench.execution.close(1)

    run(main)


# --- closing -------------------------------------------------------------------------------------


def test_closing_lets_open_calls_finish_and_refuses_new_ones() -> None:
    async def main() -> None:
        before = set(threading.enumerate())
        bench = Bench()
        go, inside = threading.Event(), asyncio.Event()

        def work() -> str:
            bench.post(inside)
            go.wait(5)
            return "finished"

        async def tool() -> str:
            return "done"

        call = bench.start("thread", work)
        bench.start("async", tool)
        await inside.wait()
        closing = asyncio.get_running_loop().create_task(bench.execution.close(10))
        await asyncio.sleep(0)
        refused = [bench.start(run_on, int) for run_on in RUN_ON]
        for one in refused:
            assert isinstance(busy := bench.outcome(one), Busy)
            assert "shutting down" in busy.sentence
        go.set()
        await closing
        assert bench.outcome(call) == Returned("finished")
        assert threads_left(before) == set()
        await bench.execution.close(1)  # closing twice is closing once

    run(main)


def test_closing_ends_stuck_calls_once_and_leaves_only_their_threads() -> None:
    release = threading.Event()

    async def main() -> None:
        before = set(threading.enumerate())
        bench = Bench(tool_threads=2)
        inside = [asyncio.Event() for _ in range(2)]

        def stuck() -> None:
            bench.post(inside[0])
            release.wait(20)

        async def swallows() -> None:
            bench.post(inside[1])
            while not release.is_set():
                try:
                    await asyncio.sleep(0)
                except asyncio.CancelledError:
                    continue

        calls = [bench.start("thread", stuck), bench.start("async", swallows)]
        bench.start("thread", int)
        for event in inside:
            await event.wait()
        await bench.came(1)
        await bench.execution.close(0)
        for call in calls:
            outcome = bench.outcome(call)
            assert isinstance(outcome, Cancelled)
            assert outcome.reason == "the server is shutting down"
        stuck_threads = frozenset({"mcp-tool-1", "mcp-async-tools"})
        assert threads_left(before, stuck=stuck_threads) == stuck_threads
        release.set()
        assert threads_left(before) == set()

    run(main)


def test_closing_is_not_held_up_by_an_async_tool_that_blocks() -> None:
    release = threading.Event()
    before = set(threading.enumerate())

    async def main() -> None:
        bench = Bench()
        inside = asyncio.Event()

        async def blocks() -> None:
            bench.post(inside)
            release.wait(20)

        call = bench.start("async", blocks)
        await inside.wait()
        await bench.execution.close(0)
        assert isinstance(bench.outcome(call), Cancelled)

    run(main)
    release.set()
    assert threads_left(before) == set()


@pytest.mark.leaks_threads("an Execution that nobody closed keeps its parked threads")
def test_a_result_after_the_loop_was_closed_is_dropped_quietly() -> None:
    release = threading.Event()
    stuck: list[threading.Thread] = []

    async def main() -> None:
        bench = Bench()
        inside = asyncio.Event()

        def work() -> None:
            stuck.append(threading.current_thread())
            bench.post(inside)
            release.wait(20)

        bench.start("thread", work)
        await inside.wait()  # and the loop ends without a close()

    run(main)
    release.set()
    stuck[0].join(5)
    assert not stuck[0].is_alive()


HANGING = """
import asyncio, threading
from mcp_workbench.execution.runner import Execution
from mcp_workbench.limits import Limits

ready = threading.Barrier(3)

def hangs():
    ready.wait()
    threading.Event().wait()

async def hangs_too():
    ready.wait()
    threading.Event().wait()

async def serve():
    execution = Execution(asyncio.get_running_loop(), Limits())
    for run_on, work in (("thread", hangs), ("async", hangs_too)):
        call = execution.new_call("tool", run_on)
        call.work = work
        execution.start(call, lambda call, outcome: None)
    await asyncio.Event().wait()

threading.Thread(target=asyncio.run, args=(serve(),), daemon=True).start()
ready.wait()
print("leaving")
"""


def test_hanging_tools_do_not_hold_up_the_interpreters_exit() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, "leaving\n")
    assert ended.stderr == ""


# --- exactly once ----------------------------------------------------------------------------------


def test_ten_thousand_calls_end_exactly_once_each() -> None:
    chance = random.Random(7)

    def work(value: int) -> int:
        if value % 5 == 0:
            raise ValueError(value)
        return value

    def tool(run_on: RunOn, value: int) -> Callable[[], object]:
        return as_tool(run_on, lambda: work(value))

    async def main() -> None:
        bench = Bench(tool_threads=4, thread_queue=200, async_calls=100)
        recent: list[Call] = []
        for number in range(10_000):
            run_on = chance.choice(RUN_ON)
            recent.append(bench.start(run_on, tool(run_on, number)))
            if chance.random() < 0.1:
                bench.execution.cancel(chance.choice(recent[-30:]), "by chance")
            if number % 150 == 0:
                await asyncio.sleep(0)
        await bench.came(10_000)
        await bench.execution.close(5)
        assert sorted(int(call_id[1:]) for call_id, _ in bench.ended) == list(range(1, 10_001))
        assert {type(outcome) for _, outcome in bench.ended} >= {Returned, Raised, Cancelled}
        reading = bench.execution.statistics()
        assert (reading.open_calls, reading.running, reading.async_running, reading.waiting) == (0, 0, 0, 0)

    run(main)


class EveryCallEndsOnce(RuleBasedStateMachine):
    """Any order of starting, cancelling and releasing, in two threads with a line of three."""

    def __init__(self) -> None:
        super().__init__()
        self.threads_before = set(threading.enumerate())
        self.loop = asyncio.new_event_loop()
        self.execution = Execution(self.loop, Limits(tool_threads=2, thread_queue=3, async_calls=2))
        self.calls: list[tuple[Call, threading.Event]] = []
        self.outcomes: dict[str, list[Outcome]] = {}

    def on_done(self, call: Call, outcome: Outcome) -> None:
        self.outcomes[call.id].append(outcome)

    def turn(self) -> None:
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    @rule(run_on=st.sampled_from(["thread", "async", "inline"]))
    def start(self, run_on: RunOn) -> None:
        go = threading.Event()
        call = self.execution.new_call("tool", run_on)

        async def tool() -> list[int]:
            while not go.is_set():  # noqa: ASYNC110 - released by a rule on another thread
                await asyncio.sleep(0)
            return [1]

        works: dict[RunOn, Callable[[], object]] = {"thread": lambda: go.wait(20), "async": tool, "inline": int}
        call.work = works[run_on]
        self.outcomes[call.id] = []
        self.calls.append((call, go))
        self.execution.start(call, self.on_done)

    @rule(pick=st.randoms(use_true_random=False))
    def cancel(self, pick: random.Random) -> None:
        if self.calls:
            call, _ = pick.choice(self.calls)
            was_open = not self.outcomes[call.id]
            assert self.execution.cancel(call, "by rule") is was_open
            assert len(self.outcomes[call.id]) == 1

    @rule(pick=st.randoms(use_true_random=False))
    def release(self, pick: random.Random) -> None:
        if self.calls:
            pick.choice(self.calls)[1].set()

    @rule()
    def let_the_loop_turn(self) -> None:
        self.turn()

    @invariant()
    def no_call_ends_twice_and_no_bound_is_passed(self) -> None:
        assert all(len(outcomes) <= 1 for outcomes in self.outcomes.values())
        reading = self.execution.statistics()
        assert reading.open_calls == sum(not outcomes for outcomes in self.outcomes.values())
        assert reading.running <= 2
        assert reading.async_running <= 2
        assert reading.threads <= 4
        # An async call that returned waits for a thread past the bound of the line: at most those that ran.
        assert reading.waiting <= 3 + 4

    def teardown(self) -> None:
        for _, go in self.calls:
            go.set()
        self.loop.run_until_complete(self.execution.close(10))
        self.loop.close()
        assert all(len(outcomes) == 1 for outcomes in self.outcomes.values())
        assert threads_left(self.threads_before) == set()


TestEveryCallEndsOnce = EveryCallEndsOnce.TestCase
TestEveryCallEndsOnce.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)

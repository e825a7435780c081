"""The loop of async tools: apart from everything else, and hard to bring down."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from itertools import count
from time import perf_counter_ns

import pytest

from mcp_workbench.execution.async_tools import SHORT_TEXT, AsyncTools, costs_nothing
from mcp_workbench.execution.calls import Call, CallState, Cancelled, Outcome, Raised, Returned
from mcp_workbench.execution.portal import Portal


class Tools:
    """Async tools at home on the running loop, and what came back."""

    def __init__(self, *, limit: int = 10) -> None:
        self.portal = Portal(asyncio.get_running_loop())
        self.tools = AsyncTools(self.portal, limit=limit, answer=self._answer, render=self._render, clock_ns=perf_counter_ns)
        self.outcomes: list[tuple[str, Outcome]] = []
        self.values: list[tuple[str, object]] = []
        self._numbers = count(1)
        self._came = asyncio.Event()

    def _answer(self, call: Call, outcome: Outcome) -> None:
        self.outcomes.append((call.id, outcome))
        self._came.set()

    def _render(self, call: Call, value: object) -> None:
        self.values.append((call.id, value))
        self._came.set()

    def start(self, work: Callable[[], object]) -> Call:
        call, refusal = self.offer(work)
        assert refusal is None
        return call

    def offer(self, work: Callable[[], object]) -> tuple[Call, str | None]:
        call = Call(f"c{next(self._numbers)}", "tool", "async")
        call.work = work
        return call, self.tools.start(call)

    def cancel(self, call: Call) -> bool:
        call.cancelled = True
        return self.tools.cancel(call)

    async def came(self, many: int) -> None:
        while len(self.outcomes) + len(self.values) < many:
            self._came.clear()
            await self._came.wait()

    async def stop(self) -> None:
        self.tools.stop()
        await self.tools.wait_gone()


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await main()

    asyncio.run(bounded())


def test_a_coroutine_runs_on_the_thread_of_async_tools() -> None:
    async def main() -> None:
        tools = Tools()

        async def tool() -> str:
            await asyncio.sleep(0)
            return threading.current_thread().name

        call = tools.start(tool)
        await tools.came(1)
        assert tools.outcomes == [(call.id, Returned("mcp-async-tools"))]
        assert 0 < call.started_ns <= call.returned_ns <= call.finished_ns
        await tools.stop()

    run(main)


def test_no_thread_is_made_before_the_first_async_tool() -> None:
    async def main() -> None:
        before = set(threading.enumerate())
        tools = Tools()
        assert set(threading.enumerate()) == before
        await tools.stop()

    run(main)


def test_a_value_that_may_be_dear_to_render_is_not_rendered_on_this_loop() -> None:
    async def main() -> None:
        tools = Tools()
        rendered_on: list[str] = []

        async def tool() -> list[int]:
            return [1, 2]

        call = Call("c9", "tool", "async")
        call.work = tool
        call.finish = lambda _: rendered_on.append(threading.current_thread().name)
        tools.tools.start(call)
        await tools.came(1)
        assert tools.values == [("c9", [1, 2])]
        assert rendered_on == []
        assert call.finished_ns == 0
        await tools.stop()

    run(main)


class Loud(str):
    """A text whose rendering may run anything."""

    __slots__ = ()


@pytest.mark.parametrize(("value", "cheap"), [(None, True), (True, True), (1, True), (1.5, True), ("x" * SHORT_TEXT, True)])
def test_values_that_cost_nothing(value: object, cheap: bool) -> None:
    assert costs_nothing(value) is cheap


@pytest.mark.parametrize("value", ["x" * (SHORT_TEXT + 1), Loud("x"), [], {}, object()])
def test_values_that_may_cost_something(value: object) -> None:
    assert costs_nothing(value) is False


@pytest.mark.parametrize(
    "kind", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, RecursionError, MemoryError, asyncio.CancelledError, BaseException]
)
def test_whatever_is_raised_becomes_an_outcome_and_the_loop_lives(kind: type[BaseException]) -> None:
    async def main() -> None:
        tools = Tools()

        async def raises() -> None:
            await asyncio.sleep(0)
            raise kind("gone wrong")

        async def fine() -> int:
            return 1

        tools.start(raises)
        await tools.came(1)
        outcome = tools.outcomes[0][1]
        assert isinstance(outcome, Raised)
        assert type(outcome.exception) is kind
        tools.start(fine)
        await tools.came(2)
        assert tools.outcomes[1][1] == Returned(1)
        await tools.stop()

    run(main)


def test_a_task_of_a_tool_that_exits_does_not_end_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        tools = Tools()

        async def leaves() -> None:
            raise SystemExit(3)

        async def tool() -> str:
            task = asyncio.get_running_loop().create_task(leaves())
            try:
                await task
            except SystemExit:
                return "survived"
            return "not reached"

        tools.start(tool)
        await tools.came(1)
        assert tools.outcomes[0][1] == Returned("survived")
        await tools.stop()

    with caplog.at_level(logging.ERROR, "mcp_workbench"):
        run(main)
    assert "the loop goes on" in caplog.text


def test_a_tool_that_stops_the_loop_stops_nothing() -> None:
    async def main() -> None:
        tools = Tools()

        async def tool() -> str:
            asyncio.get_running_loop().stop()
            await asyncio.sleep(0)
            return "still here"

        tools.start(tool)
        await tools.came(1)
        assert tools.outcomes[0][1] == Returned("still here")
        await tools.stop()

    run(main)


def test_an_async_generator_is_refused_with_a_sentence() -> None:
    async def main() -> None:
        tools = Tools()

        async def tool() -> AsyncIterator[int]:
            yield 1

        tools.start(tool)
        await tools.came(1)
        outcome = tools.outcomes[0][1]
        assert isinstance(outcome, Raised)
        assert "async generator" in str(outcome.exception)
        await tools.stop()

    run(main)


def test_a_cancelled_tool_gets_the_cancellation_across_threads() -> None:
    async def main() -> None:
        tools = Tools()
        inside = asyncio.Event()
        seen: list[str] = []

        async def tool() -> None:
            tools.portal.post(inside.set)
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("cleaned up")

        call = tools.start(tool)
        await inside.wait()
        assert tools.cancel(call) is True
        assert (tools.tools.running, tools.tools.abandoned) == (0, 1)
        await tools.came(1)
        assert seen == ["cleaned up"]
        assert (tools.tools.running, tools.tools.abandoned) == (0, 0)
        await tools.stop()

    run(main)


def test_a_tool_cancelled_before_its_first_step_never_runs() -> None:
    async def main() -> None:
        tools = Tools()
        held, go = asyncio.Event(), threading.Event()
        ran: list[int] = []

        async def blocks() -> None:
            tools.portal.post(held.set)
            go.wait(5)

        async def tool() -> None:
            ran.append(1)

        tools.start(blocks)
        await held.wait()
        call = tools.start(tool)
        tools.cancel(call)
        go.set()
        await tools.came(2)
        assert ran == []
        assert isinstance(dict(tools.outcomes)[call.id], Cancelled)
        assert (tools.tools.running, tools.tools.abandoned) == (0, 0)
        await tools.stop()

    run(main)


def test_cancelling_a_call_that_is_not_here_says_so() -> None:
    async def main() -> None:
        tools = Tools()
        assert tools.cancel(Call("c1", "tool", "async")) is False
        await tools.stop()

    run(main)


def test_past_the_limit_a_call_is_refused_and_abandoned_ones_count_up_to_twice_it() -> None:
    async def main() -> None:
        tools = Tools(limit=1)
        go = threading.Event()

        inside = [asyncio.Event(), asyncio.Event()]

        async def stubborn(entered: asyncio.Event) -> None:
            tools.portal.post(entered.set)
            while not go.is_set():
                try:
                    await asyncio.sleep(0)
                except asyncio.CancelledError:
                    continue

        async def fine() -> int:
            return 1

        first = tools.start(lambda: stubborn(inside[0]))
        await inside[0].wait()
        call, refusal = tools.offer(fine)
        assert call.state is CallState.NEW
        assert refusal is not None
        assert "try again when some have ended" in refusal
        tools.cancel(first)
        second = tools.start(fine)
        await tools.came(1)
        assert tools.outcomes == [(second.id, Returned(1))]
        third = tools.start(lambda: stubborn(inside[1]))
        await inside[1].wait()
        tools.cancel(third)
        assert tools.tools.abandoned == 2
        assert tools.offer(fine)[1] is not None
        go.set()
        await tools.stop()

    run(main)


def test_a_tool_that_swallows_its_cancellation_holds_up_only_its_own_thread() -> None:
    async def main() -> None:
        tools = Tools()
        swallowed, released = asyncio.Event(), threading.Event()

        async def stubborn() -> None:
            while not released.is_set():
                try:
                    await asyncio.sleep(0)
                except asyncio.CancelledError:
                    tools.portal.post(swallowed.set)

        tools.start(stubborn)
        await tools.came(0)
        tools.tools.stop()
        await swallowed.wait()
        gone = asyncio.get_running_loop().create_task(tools.tools.wait_gone())
        await asyncio.sleep(0)
        assert not gone.done()
        released.set()
        await gone

    run(main)


def test_stopping_cancels_also_what_tools_left_behind_and_started_while_leaving() -> None:
    async def main() -> None:
        before = set(threading.enumerate())
        tools = Tools()
        left: list[object] = []
        ended: list[str] = []

        async def waits(name: str) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(name)
                if name == "first":
                    left.append(asyncio.get_running_loop().create_task(waits("second")))
                    await asyncio.sleep(0)

        async def tool() -> int:
            left.append(asyncio.get_running_loop().create_task(waits("first")))
            await asyncio.sleep(0)
            return 1

        tools.start(tool)
        await tools.came(1)
        await tools.stop()
        assert ended == ["first", "second"]
        assert set(threading.enumerate()) == before

    run(main)


def test_context_variables_do_not_leak_from_one_call_to_the_next() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="clean")

    async def main() -> None:
        tools = Tools()

        async def sets() -> None:
            variable.set("dirty")

        async def reads() -> str:
            return variable.get()

        tools.start(sets)
        tools.start(reads)
        await tools.came(2)
        assert tools.outcomes[1][1] == Returned("clean")
        await tools.stop()

    run(main)

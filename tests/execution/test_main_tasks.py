"""One call's coroutine on the main thread, as a task of a running loop or run to its end."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import inspect
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from mcp_workbench.execution import main_tasks
from mcp_workbench.execution.calls import Call, Cancelled, Outcome, Raised, Returned, current_call
from mcp_workbench.execution.main_tasks import a_loop_runs_here, run_coroutine, run_to_end


def call_of(work: Callable[[], object], finish: Callable[[object], object] = str) -> Call:
    call = Call("c1", "tool", "main")
    call.work, call.finish = work, finish
    return call


def to_end(call: Call, *, loop: asyncio.AbstractEventLoop | None = None, begun: Callable[[Any], None] = lambda _task: None) -> Outcome:
    return contextvars.Context().run(lambda: run_to_end(call, lambda: 7, loop=loop, begun=begun))


def test_a_coroutine_is_run_in_its_call_rendered_and_stamped() -> None:
    seen: list[Call | None] = []
    here = current_call.get()

    async def tool() -> int:
        await asyncio.sleep(0)
        seen.append(current_call.get())
        return 5

    call = call_of(tool)
    assert to_end(call) == Returned("5")
    assert seen == [call]
    assert current_call.get() is here
    assert (call.started_ns, call.returned_ns, call.finished_ns) == (7, 7, 7)


@pytest.mark.parametrize("error", [ValueError("no luck"), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()])
def test_whatever_the_coroutine_raises_is_an_outcome(error: BaseException) -> None:
    async def tool() -> None:
        raise error

    outcome = to_end(call_of(tool))
    assert isinstance(outcome, Raised)
    assert outcome.exception is error


def test_a_coroutine_that_gives_another_one_is_refused() -> None:
    async def tool() -> object:
        return asyncio.sleep(0)

    outcome = to_end(call_of(tool))
    assert isinstance(outcome, Raised)
    assert "returned a coroutine" in str(outcome.exception)


def test_an_interrupt_while_the_value_is_rendered_is_an_outcome() -> None:
    async def tool() -> int:
        return 1

    outcome = to_end(call_of(tool, finish=lambda _value: signal.raise_signal(signal.SIGINT)))
    assert isinstance(outcome, Raised)
    assert isinstance(outcome.exception, KeyboardInterrupt)


def test_an_interrupt_before_the_first_step_leaves_no_coroutine_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_coroutine: object) -> None:
        raise KeyboardInterrupt

    async def tool() -> None:
        raise AssertionError("never")

    monkeypatch.setattr(main_tasks, "interruptible", interrupted)
    made: list[Coroutine[Any, Any, None]] = []

    def work() -> Coroutine[Any, Any, None]:
        made.append(tool())
        return made[0]

    outcome = to_end(call_of(work))
    assert isinstance(outcome, Raised)
    assert isinstance(outcome.exception, KeyboardInterrupt)
    assert inspect.getcoroutinestate(made[0]) == inspect.CORO_CLOSED


def test_a_call_that_is_over_is_not_run() -> None:
    call = call_of(lambda: pytest.fail("never"))
    call.cancelled, call.cancel_reason = True, "asked"
    assert to_end(call) == Cancelled("asked")


def test_without_a_loop_it_gets_one_of_its_own_with_all_that_belongs_to_it() -> None:
    ended: list[str] = []

    async def lingers() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("task")

    async def values() -> Any:
        try:
            yield 1
        finally:
            ended.append("generator")

    async def tool() -> int:
        task = asyncio.get_running_loop().create_task(lingers())
        generator = values()
        await anext(generator)
        keep.extend((task, generator))
        return await asyncio.to_thread(threading.get_ident)

    keep: list[object] = []
    assert isinstance(to_end(call_of(tool)), Returned)
    assert sorted(ended) == ["generator", "task"]


def test_it_runs_on_the_loop_it_is_given_which_stays() -> None:
    async def tool() -> bool:
        return asyncio.get_running_loop() is loop

    loop = asyncio.new_event_loop()
    assert [to_end(call_of(tool), loop=loop) for _ in range(2)] == [Returned("True")] * 2
    loop.close()


def test_its_task_is_handed_out_before_it_begins_and_may_be_cancelled() -> None:
    async def tool() -> None:
        tasks[0].get_loop().call_soon(tasks[0].cancel)
        await asyncio.Event().wait()

    tasks: list[asyncio.Task[Outcome]] = []
    outcome = to_end(call_of(tool), begun=tasks.append)
    assert isinstance(outcome, Raised)
    assert isinstance(outcome.exception, asyncio.CancelledError)


def test_an_interrupt_while_it_waits_cancels_it_and_is_raised() -> None:
    seen: list[str] = []

    async def tool() -> None:
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    with pytest.raises(KeyboardInterrupt):
        to_end(call_of(tool))
    assert seen == ["cancelled"]
    gc.collect()  # nothing complains of a task that was dropped


def test_within_a_running_loop_it_is_a_task_like_any_other() -> None:
    async def tool() -> bool:
        return a_loop_runs_here()

    async def main() -> None:
        assert await asyncio.get_running_loop().create_task(run_coroutine(call_of(tool), lambda: 1)) == Returned("True")

    assert not a_loop_runs_here()
    asyncio.run(main())

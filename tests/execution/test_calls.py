"""The two steps of a call, on whatever thread they are run."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from typing import Any

import pytest

from mcp_workbench.execution.calls import Call, Cancelled, Raised, Returned, current_call, run_finish, run_work


@pytest.fixture(autouse=True)
def outside_of_calls_again() -> Iterator[None]:
    """What runs a call does so in a context made for it; these tests run its steps in theirs."""
    token = current_call.set(None)
    yield
    current_call.reset(token)


def a_call(work: Callable[[], object]) -> Call:
    call = Call("c1", "tool", "thread")
    call.work = work
    return call


def clock() -> Callable[[], int]:
    ticks = count(10, 10)
    return lambda: next(ticks)


def test_a_value_goes_through_finish_and_every_step_is_stamped() -> None:
    call = a_call(lambda: 20)
    call.finish = lambda value: f"<{value}>"
    assert run_work(call, clock()) == Returned("<20>")
    assert (call.started_ns, call.returned_ns, call.finished_ns) == (10, 20, 30)


@pytest.mark.parametrize(
    "kind",
    [
        ValueError,
        SystemExit,
        KeyboardInterrupt,
        GeneratorExit,
        RecursionError,
        MemoryError,
        StopIteration,
        asyncio.CancelledError,
        BaseException,
    ],
)
def test_whatever_is_raised_becomes_an_outcome(kind: type[BaseException]) -> None:
    def work() -> None:
        raise kind("gone wrong")

    outcome = run_work(a_call(work), clock())
    assert isinstance(outcome, Raised)
    assert type(outcome.exception) is kind


def test_endless_recursion_becomes_an_outcome() -> None:
    def work() -> object:
        return work()

    outcome = run_work(a_call(work), clock())
    assert isinstance(outcome, Raised)
    assert isinstance(outcome.exception, RecursionError)


def test_the_traceback_begins_in_the_users_code() -> None:
    def the_tool() -> None:
        raise ValueError

    outcome = run_work(a_call(the_tool), clock())
    assert isinstance(outcome, Raised)
    assert [frame.name for frame in traceback.extract_tb(outcome.exception.__traceback__)] == ["the_tool"]


def test_failed_rendering_is_told_from_a_failed_function_by_the_stamp() -> None:
    def finish(_: object) -> object:
        raise TypeError("no text for this")

    call = a_call(lambda: 1)
    call.finish = finish
    outcome = run_work(call, clock())
    assert isinstance(outcome, Raised)
    assert isinstance(outcome.exception, TypeError)
    assert call.returned_ns == 20
    assert call.finished_ns == 0


def test_a_returned_coroutine_is_refused_with_a_sentence_and_closed() -> None:
    async def tool() -> int:
        return 1

    outcome = run_work(a_call(tool), clock())
    assert isinstance(outcome, Raised)
    assert "define it with `async def`" in str(outcome.exception)


def test_an_async_generator_is_refused_with_a_sentence() -> None:
    async def tool() -> AsyncIterator[int]:
        yield 1

    outcome = run_work(a_call(tool), clock())
    assert isinstance(outcome, Raised)
    assert "async generator" in str(outcome.exception)


def test_a_call_cancelled_before_it_ran_runs_nothing() -> None:
    ran: list[Any] = []
    call = a_call(lambda: ran.append(1))
    call.cancelled, call.cancel_reason = True, "client asked"
    assert run_work(call, clock()) == Cancelled("client asked")
    assert ran == []
    assert call.started_ns == 0


def test_a_result_nobody_waits_for_is_not_rendered() -> None:
    rendered: list[object] = []
    call = a_call(lambda: 1)
    call.finish = rendered.append
    call.cancelled = True
    assert isinstance(run_finish(call, 1, clock()), Cancelled)
    assert rendered == []


def test_a_call_that_lets_go_holds_nothing_of_the_user() -> None:
    call = a_call(lambda: 1)
    call.function = object()
    call.finish = str
    call.let_go()
    assert call.work is None
    assert call.function is None
    value = object()
    assert call.finish(value) is value

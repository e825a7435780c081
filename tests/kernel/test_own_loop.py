"""A coroutine on a loop of its own, while somebody waits for it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import pytest

from mcp_workbench.kernel.own_loop import run_on_own_loop


def wait(future: Future[str]) -> str:
    return future.result(10)


def test_it_runs_beside_the_loop_of_the_thread_that_waits() -> None:
    async def where() -> str:
        return threading.current_thread().name

    async def main() -> str:
        return run_on_own_loop(where, wait)

    assert asyncio.run(main()) == "mcp-workbench-magic"


def test_what_it_raises_is_raised_where_it_is_waited_for() -> None:
    async def fail() -> str:
        raise LookupError("there")

    with pytest.raises(LookupError, match="there"):
        run_on_own_loop(fail, wait)


def test_when_the_waiting_ends_early_it_is_cancelled() -> None:
    begun, ended = threading.Event(), threading.Event()

    async def hang() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    def interrupted(future: Future[str]) -> str:
        assert begun.wait(10)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_on_own_loop(hang, interrupted)
    assert ended.is_set()


def test_an_interrupt_before_it_has_begun_cancels_it_too() -> None:
    may_begin = threading.Event()

    async def hang() -> str:
        await asyncio.Event().wait()
        return ""

    def slow_to_make() -> None:
        assert may_begin.wait(10)

    async def begin() -> str:
        slow_to_make()
        return await hang()

    def interrupted(future: Future[str]) -> str:
        may_begin.set()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_on_own_loop(begin, interrupted)

"""Many threads post, one loop runs."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mcp_workbench.execution.portal import Portal


def test_what_one_thread_posts_runs_in_order_on_the_loop() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        portal = Portal(loop)
        seen: list[int] = []
        threads_of_runs: set[int] = set()
        done = asyncio.Event()

        def take(value: int) -> None:
            seen.append(value)
            threads_of_runs.add(threading.get_ident())
            if value == 999:
                done.set()

        threading.Thread(target=lambda: [portal.post(take, value) for value in range(1000)]).start()
        async with asyncio.timeout(5):
            await done.wait()
        assert seen == list(range(1000))
        assert threads_of_runs == {threading.get_ident()}

    asyncio.run(main())


def test_many_postings_wake_the_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        wakes: list[object] = []
        real = loop.call_soon_threadsafe

        def counted(callback: Callable[..., object], *args: Any, context: Any = None) -> asyncio.Handle:
            wakes.append(callback)
            return real(callback, *args, context=context)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        portal = Portal(loop)
        done = asyncio.Event()
        for _ in range(50):
            portal.post(int)
        portal.post(done.set)
        async with asyncio.timeout(5):
            await done.wait()
        assert len(wakes) == 1
        portal.post(int)
        assert len(wakes) == 2

    asyncio.run(main())


def test_nothing_is_lost_when_many_threads_post_at_once() -> None:
    async def main() -> None:
        portal = Portal(asyncio.get_running_loop())
        left = 8 * 500
        done = asyncio.Event()
        barrier = threading.Barrier(8)

        def take() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                done.set()

        def poster() -> None:
            barrier.wait(5)
            for _ in range(500):
                portal.post(take)

        for _ in range(8):
            threading.Thread(target=poster).start()
        async with asyncio.timeout(10):
            await done.wait()

    asyncio.run(main())


def test_a_posted_function_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        portal = Portal(asyncio.get_running_loop())
        done = asyncio.Event()
        portal.post(int, "not a number")
        portal.post(done.set)
        async with asyncio.timeout(5):
            await done.wait()

    with caplog.at_level(logging.ERROR, "mcp_workbench"):
        asyncio.run(main())
    assert "a function posted to the loop failed" in caplog.text


def test_posting_to_a_closed_loop_is_refused_quietly() -> None:
    loop = asyncio.new_event_loop()
    portal = Portal(loop)
    loop.close()
    assert portal.post(int) is False
    assert portal.post(int) is False


def test_closing_forgets_what_was_not_yet_run() -> None:
    async def main() -> None:
        portal = Portal(asyncio.get_running_loop())
        ran: list[int] = []
        portal.post(portal.close)
        portal.post(ran.append, 1)
        turn = asyncio.Event()
        asyncio.get_running_loop().call_soon(turn.set)
        await turn.wait()
        assert ran == []
        assert portal.post(ran.append, 2) is False

    asyncio.run(main())


def test_a_portal_knows_whether_it_is_asked_from_its_own_loop() -> None:
    async def main() -> bool:
        return Portal(asyncio.get_running_loop()).is_here()

    assert asyncio.run(main())
    other = asyncio.new_event_loop()
    portal = Portal(other)
    assert portal.is_here() is False

    async def asked_elsewhere() -> bool:
        return portal.is_here()

    assert asyncio.run(asked_elsewhere()) is False
    other.close()

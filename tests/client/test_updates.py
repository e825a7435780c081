"""Updates are a level trigger: bounded, nothing lost, ended as the feed says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_workbench.client.updates import Sink, Updates
from mcp_workbench.errors import ConnectionClosed, LocalProtocolError, PeerError, WorkbenchError


class HandFed:
    """A feed whose news the test makes."""

    def __init__(self, refusal: WorkbenchError | None = None) -> None:
        self.refusal = refusal
        self.sink: Sink[int] | None = None
        self.closed = 0

    async def open(self, sink: Sink[int]) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.sink = sink

    async def close(self, sink: Sink[int]) -> None:
        self.closed += 1

    def tell(self, key: str) -> None:
        assert self.sink is not None
        self.sink.push(key, count)

    def end(self, error: WorkbenchError | None) -> None:
        assert self.sink is not None
        self.sink.end(error)


def count(before: int | None) -> int:
    return (before or 0) + 1


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "read"]), max_size=40))
def test_a_slow_reader_gets_each_thing_once_with_everything_folded_into_it(script: list[str]) -> None:
    async def main() -> None:
        feed = HandFed()
        told = read = 0
        waiting: set[str] = set()
        async with asyncio.timeout(5), Updates(feed) as updates:
            for step in script:
                if step != "read":
                    feed.tell(step)
                    told += 1
                    waiting.add(step)
                elif waiting:
                    read += await anext(updates)
                    waiting = set(updates._waiting)
                assert len(updates._waiting) <= 2
            feed.end(None)
            async for update in updates:
                read += update
        assert read == told

    asyncio.run(main())


def test_a_waiting_reader_is_woken() -> None:
    async def main() -> None:
        feed = HandFed()
        async with asyncio.timeout(5), Updates(feed) as updates, asyncio.TaskGroup() as group:
            reader = group.create_task(updates.__anext__())
            await asyncio.sleep(0)
            feed.tell("a")
            feed.tell("a")
            assert await reader == 2

    asyncio.run(main())


def test_a_cancelled_wait_loses_nothing() -> None:
    async def main() -> None:
        feed = HandFed()
        async with asyncio.timeout(5), Updates(feed) as updates:
            reader = asyncio.get_running_loop().create_task(updates.__anext__())
            await asyncio.sleep(0)
            feed.tell("a")
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader
            feed.tell("a")
            assert await anext(updates) == 2

    asyncio.run(main())


def test_two_tasks_cannot_wait_for_the_same_updates() -> None:
    async def main() -> None:
        async with asyncio.timeout(5), Updates(HandFed()) as updates:
            reader = asyncio.get_running_loop().create_task(updates.__anext__())
            await asyncio.sleep(0)
            with pytest.raises(LocalProtocolError, match="subscribe once for each"):
                await anext(updates)
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader

    asyncio.run(main())


def test_what_waits_is_read_before_the_end() -> None:
    async def main() -> None:
        feed = HandFed()
        async with asyncio.timeout(5), Updates(feed) as updates:
            feed.tell("a")
            feed.end(PeerError(-32603, "gone"))
            feed.tell("a")
            assert await anext(updates) == 1
            for _ in range(2):
                with pytest.raises(PeerError, match="gone"):
                    await anext(updates)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("error", "raised"), [(None, False), (ConnectionClosed(1000), False), (ConnectionClosed(1001), True), (ConnectionClosed(1006), True)]
)
def test_an_end_in_good_order_ends_the_iteration_and_any_other_is_raised(error: WorkbenchError | None, raised: bool) -> None:
    async def read_all(updates: Updates[int]) -> list[int]:
        return [update async for update in updates]

    async def main() -> None:
        feed = HandFed()
        async with asyncio.timeout(5), Updates(feed) as updates, asyncio.TaskGroup() as group:
            reader = group.create_task(outcome(read_all, updates))
            await asyncio.sleep(0)
            feed.end(error)
            assert isinstance(await reader, ConnectionClosed) is raised

    asyncio.run(main())


async def outcome(function: Callable[..., object], *arguments: object) -> object:
    try:
        return await function(*arguments)  # type: ignore[misc]  # coroutine functions only
    except WorkbenchError as error:
        return error


def test_iterating_without_entering_subscribes_and_aclose_unsubscribes() -> None:
    async def main() -> None:
        feed = HandFed()
        updates = Updates(feed)
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            reader = group.create_task(updates.__anext__())
            await asyncio.sleep(0)
            feed.tell("a")
            assert await reader == 1
            await updates.aclose()
            await updates.aclose()
        assert feed.closed == 1
        with pytest.raises(StopAsyncIteration):
            await anext(updates)

    asyncio.run(main())


def test_a_refusal_is_raised_and_nothing_is_closed() -> None:
    async def main() -> None:
        feed = HandFed(PeerError(-32002, "no such resource"))
        updates = Updates(feed)
        async with asyncio.timeout(5):
            with pytest.raises(PeerError, match="no such resource"):
                await updates.__aenter__()
            await updates.aclose()
            with pytest.raises(LocalProtocolError, match="subscribe anew"):
                await updates.__aenter__()
        assert feed.closed == 0

    asyncio.run(main())

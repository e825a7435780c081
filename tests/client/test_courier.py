"""A courier delivers in order, one at a time, bounded, and survives what it delivers to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_workbench.client.courier import Courier


@settings(deadline=None)
@given(st.integers(0, 30), st.integers(1, 10))
def test_deliveries_come_in_order_and_the_oldest_are_dropped_past_the_bound(count: int, bound: int) -> None:
    async def main() -> None:
        got: list[int] = []
        courier = Courier(got.append, "on_log", bound)
        for number in range(count):
            courier.deliver(number)
        await courier.finish(5)
        assert got == list(range(count))[-bound:]
        assert courier.dropped == max(0, count - bound)

    asyncio.run(main())


def test_one_delivery_at_a_time() -> None:
    async def main() -> None:
        got: list[str] = []

        async def slow(name: str) -> None:
            got.append(f"{name} begins")
            await asyncio.sleep(0)
            got.append(f"{name} ends")

        courier = Courier(slow, "on_log", 10)
        courier.deliver("a")
        courier.deliver("b")
        await courier.finish(5)
        assert got == ["a begins", "a ends", "b begins", "b ends"]

    asyncio.run(main())


def test_what_the_function_raises_is_logged_and_the_next_delivery_comes(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        got: list[int] = []

        def fussy(number: int) -> None:
            if number == 1:
                raise ValueError("not this one")
            got.append(number)

        courier = Courier(fussy, "on_progress", 10)
        for number in range(3):
            courier.deliver(number)
        await courier.finish(5)
        assert got == [0, 2]

    asyncio.run(main())
    assert "on_progress failed" in caplog.text


def test_closed_it_takes_nothing_more_but_delivers_what_waits() -> None:
    async def main() -> None:
        got: list[int] = []
        courier = Courier(got.append, "on_log", 10)
        courier.deliver(1)
        courier.close()
        courier.deliver(2)
        await courier.finish(5)
        assert got == [1]

    asyncio.run(main())


def test_stopped_it_drops_what_waits_and_cancels_what_runs() -> None:
    async def main() -> None:
        got: list[Any] = []
        begun, ended = asyncio.Event(), asyncio.Event()

        async def stuck(number: int) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                got.append(number)
                ended.set()

        courier = Courier(stuck, "on_log", 10)
        courier.deliver(1)
        courier.deliver(2)
        async with asyncio.timeout(5):
            await begun.wait()
            await courier.finish(0.001)
            courier.stop()
            await ended.wait()
        courier.deliver(3)
        await courier.finish(5)
        assert got == [1]

    asyncio.run(main())

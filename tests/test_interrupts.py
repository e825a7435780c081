"""Whose Ctrl-C it is while the main thread runs a call."""

from __future__ import annotations

import asyncio
import signal
import types
from collections.abc import Iterator

import pytest

from mcp_workbench.interrupts import Interrupts, interruptible


def press() -> None:
    """Ctrl-C, now, on this thread."""
    signal.raise_signal(signal.SIGINT)


@pytest.fixture
def owner() -> Iterator[list[str]]:
    """Somebody who has the signal around the call, and what came to them."""
    heard: list[str] = []

    def hear(number: int, frame: types.FrameType | None) -> None:
        heard.append("interrupt")

    before = signal.signal(signal.SIGINT, hear)
    yield heard
    assert signal.getsignal(signal.SIGINT) is hear
    signal.signal(signal.SIGINT, before)


def test_code_that_is_run_gets_the_interrupt_whatever_the_owner_does_with_it(owner: list[str]) -> None:
    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt):
        interrupts.run(press)
    assert owner == []


def test_the_code_gets_its_arguments_and_its_value_comes_back(owner: list[str]) -> None:
    with Interrupts() as interrupts:
        assert interrupts.run(divmod, 7, 2) == (3, 1)


def test_around_the_code_an_interrupt_is_held_back_and_then_given_to_the_owner(owner: list[str]) -> None:
    with Interrupts() as interrupts:
        press()
        assert owner == []
        assert interrupts.run(lambda: "undisturbed") == "undisturbed"
        press()
        assert owner == []
    assert owner == ["interrupt"]


def test_an_owner_that_ignores_the_signal_goes_on_to(owner: list[str]) -> None:
    around = signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupts() as interrupts:
        press()
        with pytest.raises(KeyboardInterrupt):
            interrupts.run(press)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, around)
    assert owner == []


def test_a_handler_that_python_did_not_set_is_left_alone(owner: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "getsignal", lambda _number: None)
    with Interrupts() as interrupts:
        assert interrupts.run(lambda: "ran") == "ran"
        press()
    monkeypatch.undo()
    assert owner == ["interrupt"]


class Door:
    """Something to await that a test opens."""

    def __init__(self) -> None:
        self.open = asyncio.get_running_loop().create_future()


def test_each_step_of_a_coroutine_gets_the_interrupt_and_between_two_it_is_the_owners(owner: list[str]) -> None:
    async def main() -> None:
        door, steps = Door(), []

        async def tool() -> None:
            try:
                press()
            except KeyboardInterrupt:
                steps.append("first step")
            await door.open
            try:
                press()
            except KeyboardInterrupt:
                steps.append("second step")

        async def awaited() -> None:
            await interruptible(tool())

        task = asyncio.get_running_loop().create_task(awaited())
        await asyncio.sleep(0)
        assert (steps, owner) == (["first step"], [])
        press()
        assert owner == ["interrupt"]
        door.open.set_result(None)
        await task
        assert (steps, owner) == (["first step", "second step"], ["interrupt"])

    asyncio.run(main())


def test_what_the_loop_throws_into_the_task_reaches_the_coroutine(owner: list[str]) -> None:
    async def main() -> None:
        seen: list[str] = []

        async def tool() -> str:
            try:
                await Door().open
            except asyncio.CancelledError:
                seen.append("cancelled")
            return "went on"

        async def awaited() -> str:
            return await interruptible(tool())

        task = asyncio.get_running_loop().create_task(awaited())
        await asyncio.sleep(0)
        task.cancel()
        assert await task == "went on"
        assert seen == ["cancelled"]

    asyncio.run(main())


def test_a_coroutine_whose_loop_goes_away_is_closed(owner: list[str]) -> None:
    seen: list[str] = []

    @types.coroutine
    def wait() -> Iterator[None]:
        yield

    async def tool() -> None:
        try:
            await wait()
        finally:
            seen.append("closed")

    async def awaited() -> None:
        await interruptible(tool())

    coroutine = awaited()
    coroutine.send(None)
    coroutine.close()
    assert seen == ["closed"]

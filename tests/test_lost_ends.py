"""Ctrl-C in the very moment in which a cell begins or ends: no end is lost, and one that is lost all the same is told later."""

from __future__ import annotations

import _thread
import asyncio
import signal
import sys
import threading
import types
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

import pytest

from mcp_workbench import hosts, interrupts
from mcp_workbench.hosts import IpykernelHost
from tests.test_hosts import Followed, Shell, kernel_on

OURS = {hosts.__file__, interrupts.__file__}
BEFORE_TRY = 3
"""Lines of the callback, its decorator's the first, on which nothing can guard against an interrupt."""
TWICE = ["begins", "ends", "begins", "ends"]


class InterruptedShell(Shell):
    """Runs cells and calls callbacks as IPython does: what they raise is printed, and it goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.printed: list[str] = []
        self.last_execution_result: Any = None

    def trigger(self, event: str, *arguments: object) -> None:
        for callback in list(self.callbacks[event]):
            try:
                callback(*arguments)
            except (Exception, KeyboardInterrupt) as error:  # as IPython
                self.printed.append(f"{event}: {type(error).__name__}")

    async def run_cell_async(self, code: Callable[[], Awaitable[object]]) -> Any:
        info = self.begin()
        await code()
        self.last_execution_result = types.SimpleNamespace(info=info, success=True)
        return self.last_execution_result

    def announce_end(self, result: Any) -> None:
        self.trigger("post_execute")
        self.trigger("post_run_cell", result)

    def run_cell(self, code: Callable[[], object] = lambda: None) -> None:
        self.announce_end(self.run_cell_and_lose_its_end(code))

    def run_cell_and_lose_its_end(self, code: Callable[[], object] = lambda: None) -> Any:
        async def awaited() -> None:
            code()

        return to_its_end(self.run_cell_async(awaited))


def to_its_end(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it awaits")


@pytest.fixture
def python_decides() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, as it does while a cell runs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


class Strikes:
    """While this is entered: Ctrl-C at one of the lines of our callbacks that run, the call of each function counting as one.

    Left out is the moment that nothing can guard, before the `try` of what is called first.
    """

    def __init__(self, at: int) -> None:
        self._at = at
        self._before: Any = None
        self.lines = 0

    def __enter__(self) -> Strikes:
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: types.FrameType, event: str, _argument: object) -> Any:
        code = frame.f_code
        if code.co_filename not in OURS:
            return None
        unguarded = code.co_qualname == "unbroken.<locals>.run" and frame.f_lineno <= code.co_firstlineno + BEFORE_TRY
        if event in ("call", "line") and not unguarded:
            self.lines += 1
            if self.lines == self._at:
                sys.settrace(None)
                signal.raise_signal(signal.SIGINT)
        return self._trace


def run_cells(shell: InterruptedShell) -> None:
    """One within another, and one after them."""
    shell.run_cell(shell.run_cell)
    shell.run_cell()


def test_an_interrupt_at_any_line_of_our_callbacks_neither_loses_an_end_nor_is_printed(
    python_decides: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    later: list[object] = []
    monkeypatch.setattr(_thread, "start_new_thread", lambda function, _: later.append(function))
    at, lines = 0, 0
    while at <= lines:
        shell = InterruptedShell()
        followed = Followed(shell)
        with Strikes(at) as strikes:
            run_cells(shell)
        assert (at, shell.printed, followed.heard) == (at, [], TWICE)
        assert followed.host.cell() is None
        lines, at = lines or strikes.lines, at + 1
    assert lines > 100
    assert 0 < len(later) < lines, "what comes as a cell begins is that cell's; what comes at its end is nobody's"


def test_an_interrupt_as_a_cell_begins_reaches_its_code(python_decides: None) -> None:
    shell, never = InterruptedShell(), threading.Event()
    heard: list[str] = []
    hosts.IPythonHost(shell).on_cell(lambda _: signal.raise_signal(signal.SIGINT), lambda _, __: heard.append("ends"))

    def code() -> None:
        try:
            never.wait(10)
        except KeyboardInterrupt:
            heard.append("interrupted")

    shell.run_cell(code)
    assert (heard, shell.printed) == (["interrupted", "ends"], [])


def test_an_interrupt_as_the_outermost_cell_ends_has_nothing_left_to_end(python_decides: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: pytest.fail("nothing is at work"))
    shell = InterruptedShell()
    hosts.IPythonHost(shell).on_cell(lambda _: None, lambda _, __: signal.raise_signal(signal.SIGINT))
    shell.run_cell()
    assert shell.printed == []


# --- an end that was lost all the same ------------------------------------------------------------------


def test_the_next_cell_tells_of_a_lost_end_and_is_an_outermost_one() -> None:
    shell = InterruptedShell()
    followed = Followed(shell)
    shell.run_cell_and_lose_its_end()
    assert followed.host.cell() is not None
    shell.run_cell(lambda: followed.heard.append("runs"))
    assert followed.heard == ["begins", "ends", "begins", "runs", "ends"]
    assert followed.host.cell() is None


def test_a_lost_end_within_a_cell_ends_nothing_around_it() -> None:
    shell = InterruptedShell()
    followed = Followed(shell)

    def code() -> None:
        shell.run_cell_and_lose_its_end()
        shell.run_cell()
        followed.heard.append("runs")

    shell.run_cell(code)
    assert followed.heard == ["begins", "runs", "ends"]


def test_whoever_wants_the_main_thread_finds_a_lost_end() -> None:
    async def main() -> None:
        shell = InterruptedShell()
        followed = Followed(shell, IpykernelHost(shell, kernel_on(asyncio.get_running_loop())))
        shell.run_cell_and_lose_its_end()
        assert followed.host.run_between_cells(lambda: pytest.fail("its end is announced instead")) is False
        assert followed.host.run_between_cells(lambda: pytest.fail("its end is announced instead")) is False
        await turns(3)
        assert (followed.heard, followed.host.cell()) == (["begins", "ends"], None)

    asyncio.run(main())


def test_a_cell_that_awaits_or_whose_loop_turns_within_is_not_taken_for_ended() -> None:
    async def main() -> None:
        shell, door = InterruptedShell(), asyncio.Event()
        followed = Followed(shell, IpykernelHost(shell, kernel_on(asyncio.get_running_loop())))
        cell = asyncio.get_running_loop().create_task(shell.run_cell_async(door.wait))
        await turns(1)
        for _ in range(2):
            followed.host.run_between_cells(lambda: None)
            await turns(3)
        shell.run_cell()  # by somebody's callback, while it awaits
        assert followed.heard == ["begins"]
        door.set()
        shell.announce_end(await cell)
        assert followed.heard == ["begins", "ends"]

        shell.run_cell(followed.host._end_lost)
        assert followed.heard == TWICE

    asyncio.run(main())


def test_the_end_of_a_cell_that_awaited_is_announced_before_it_is_taken_for_lost() -> None:
    async def main() -> None:
        shell, how = InterruptedShell(), []
        host = IpykernelHost(shell, kernel_on(asyncio.get_running_loop()))
        host.on_cell(lambda _: None, lambda _, well: how.append(well))

        async def code() -> None:
            host.run_between_cells(lambda: None)  # looks a turn after the cell's last step

        shell.announce_end(await asyncio.get_running_loop().create_task(shell.run_cell_async(code)))
        await turns(3)
        assert how == [True]

    asyncio.run(main())


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)

"""Time that passes when a test says so: a loop of its own whose clock leaps, and a running server's clock pushed ahead.

Neither waits. On a `SimulatedLoop` minutes pass in no time, in the order in which timers are due; `Later` lets the
timers of a server on its own thread ring as if so many seconds had gone by.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Awaitable, Callable
from typing import Any

from mcp_workbench import Workbench
from tests.support.stage import on_loop, server_of

PATIENCE_S = 10.0
"""Real seconds in which another thread must have done what the loop waits for."""
HOLD_S = 0.001
"""Real seconds between two looks at it."""


class SimulatedLoop(asyncio.SelectorEventLoop):
    """A loop on which time passes only when nothing else is left to do, and then at once."""

    def __init__(self) -> None:
        self.now = 0.0
        self.holds: list[Callable[[], bool]] = []
        """Each says whether another thread is at work that must be awaited before time goes on."""
        super().__init__(_Leaping(self))

    def time(self) -> float:
        return self.now


class _Leaping(selectors.DefaultSelector):
    """Instead of sleeping until the next timer, makes it that time."""

    def __init__(self, loop: SimulatedLoop) -> None:
        super().__init__()
        self._loop_of_it = loop
        self._held_since = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            ready = super().select(PATIENCE_S)
            assert ready, "nothing is left that could happen"
            return ready
        if any(holds() for holds in self._loop_of_it.holds):
            # What is awaited may come without a word to this loop: it looks again soon, and time stands still meanwhile.
            self._held_since = self._held_since or time.monotonic()
            assert time.monotonic() - self._held_since < PATIENCE_S, "nothing is left that could happen"
            return super().select(HOLD_S)
        self._held_since = 0.0
        self._loop_of_it.now += timeout
        return []


def in_simulated_time(main: Callable[[SimulatedLoop], Awaitable[None]]) -> None:
    """Run a coroutine function on a loop whose clock leaps."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, SimulatedLoop)

        async def act() -> None:
            await main(loop)

        runner.run(act())


class Later:
    """The clock of a running server, and of its jobs: as the real one, but ahead by what the test has let pass.

    Args:
        workbench: It runs.
    """

    def __init__(self, workbench: Workbench) -> None:
        self.ahead_s = 0.0
        self._workbench = workbench
        loop: Any = server_of(workbench)._engine.loop
        self._real = loop.time
        loop.time = self.time
        workbench._offer.jobs._clock = self.time

    def time(self) -> float:
        """Seconds."""
        now: float = self._real()
        return now + self.ahead_s

    def let_pass(self, seconds: float) -> None:
        """Let time pass; the timers that are due ring before the server does anything that is asked of it from now on."""

        def leap() -> None:
            self.ahead_s += seconds

        on_loop(self._workbench, leap)
        on_loop(self._workbench, lambda: None)

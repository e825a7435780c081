"""What the kernel is doing: the cell that runs, the call that has the main thread, and every queue.

A call that has had the main thread for less than half a second is not told, so that quick ones do not flicker.
Cells and calls are told when they change, everything that only counts once a second. What began when is known by a clock that
only grows; it is said as the time of day, the same each time while the thing lasts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import msgspec

from mcp_workbench.execution.main_thread import MainQueue
from mcp_workbench.hosts import Cell
from mcp_workbench.views.messages import Kernel, Message, Queue, Watch
from mcp_workbench.views.open_calls import main_work

EVERY_S = 1.0
"""What is counted is not told anew before so long."""


class KernelFeed:
    """Gives `Kernel`.

    Args:
        cell: The cell that runs, if any (`Host.cell`).
        main: The queue of the main thread.
        queues: Reads every queue (`queues.readings`).
        clock: As `Cell.began`; injected by tests.
    """

    panel = "kernel"

    def __init__(
        self,
        cell: Callable[[], Cell | None],
        main: MainQueue,
        queues: Callable[[], tuple[Queue, ...]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cell = cell
        self._main = main
        self._queues = queues
        self._clock = clock
        self._cell_since = _Since(clock)
        self._main_since = _Since(clock)
        self._told: Kernel | None = None
        self._counted = float("-inf")

    def watch(self, wanted: Watch) -> None:
        """There is nothing to choose."""

    def look(self, now: float, *, last: bool = False) -> Iterator[Message]:
        """The whole state, if it has changed."""
        told, state = self._told, self._doing(now)
        if told is None or abs(now - self._counted) >= EVERY_S:  # also when the clock was set back
            self._counted = now
            state = msgspec.structs.replace(state, main_waiting=self._main.waiting, queues=self._queues())
        else:
            state = msgspec.structs.replace(state, main_waiting=told.main_waiting, queues=told.queues)
        if state != told:
            self._told = state
            yield state

    def _doing(self, now: float) -> Kernel:
        cell, work = self._cell(), main_work(self._main, self._clock)
        return Kernel(
            cell="" if cell is None else cell.label,
            cell_since=0 if cell is None else self._cell_since.of(cell.began, now),
            main_call="" if work is None else work.name,
            main_call_id="" if work is None else work.call_id,
            main_since=0 if work is None else self._main_since.of(work.began, now),
        )


class _Since:
    """The time of day at which something began."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = float("-inf")
        self._at = 0.0

    def of(self, began: float, now: float) -> float:
        """Seconds since 1970 of a reading of the clock; of the same one always the same."""
        if began != self._began:
            self._began, self._at = began, now - (self._clock() - began)
        return self._at

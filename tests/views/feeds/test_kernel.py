"""What a view is told of the kernel."""

from __future__ import annotations

from typing import Any

from mcp_workbench.execution.main_thread import Running
from mcp_workbench.hosts import Cell
from mcp_workbench.views.feeds.kernel import KernelFeed
from mcp_workbench.views.messages import Kernel, Queue

T0 = 1_700_000_000.0


class Main:
    """The queue of the main thread, as far as it is read."""

    at_work: Running | None = None
    waiting = 0


class Stage:
    def __init__(self) -> None:
        self.clock_s = 50.0
        self.cell: Cell | None = None
        self.main = Main()
        self.queues = (Queue(name="records", value=0),)
        self.read = 0
        main: Any = self.main
        self.feed = KernelFeed(lambda: self.cell, main, self._read, clock=lambda: self.clock_s)

    def _read(self) -> tuple[Queue, ...]:
        self.read += 1
        return self.queues

    def look(self, later_s: float = 0.0) -> Kernel | None:
        self.clock_s += later_s
        # A clock of the day that runs otherwise than the other one.
        told = list(self.feed.look(T0 + self.clock_s * 1.01))
        assert len(told) <= 1
        message = told[0] if told else None
        assert message is None or isinstance(message, Kernel)
        return message


def test_a_cell_is_told_when_it_begins_and_ends_with_one_time_of_day() -> None:
    stage = Stage()
    assert stage.look() == Kernel(queues=stage.queues)
    stage.cell = Cell("[12]", None, stage.clock_s - 2)
    told = stage.look(0.25)
    assert told is not None
    assert (told.cell, round(told.cell_since - (T0 + 1.01 * 50.25 - 2.25), 6)) == ("[12]", 0)
    assert stage.look(10) is None, "the time at which it began stays as it was said"
    stage.cell = Cell("[12]", None, stage.clock_s)
    again = stage.look()
    assert again is not None
    assert again.cell_since > told.cell_since, "the same cell, run again"
    stage.cell = None
    assert stage.look(0.25) == Kernel(queues=stage.queues)


def test_the_call_that_has_the_main_thread_is_told_when_it_has_it_for_half_a_second() -> None:
    stage = Stage()
    stage.look()
    stage.main.at_work = Running("fit", stage.clock_s, "c7")
    assert stage.look(0.25) is None
    told = stage.look(0.5)
    assert told is not None
    assert (told.main_call, told.main_call_id, round(told.main_since - (T0 + 1.01 * 50.75 - 0.75), 6)) == ("fit", "c7", 0)
    assert stage.look(5) is None
    stage.main.at_work = None
    assert stage.look() == Kernel(queues=stage.queues)


def test_what_only_counts_is_read_and_told_once_a_second() -> None:
    stage = Stage()
    stage.look()
    stage.main.waiting, stage.queues = 3, (Queue(name="records", value=9),)
    assert (stage.look(0.5), stage.read) == (None, 1)
    stage.cell = Cell("[12]", None, stage.clock_s)
    told = stage.look()
    assert told is not None
    assert (told.cell, told.main_waiting, told.queues[0].value) == ("[12]", 0, 0)
    told = stage.look(0.6)
    assert told is not None
    assert (told.main_waiting, told.queues[0].value, stage.read) == (3, 9, 2)
    assert (stage.look(2), stage.read) == (None, 3)

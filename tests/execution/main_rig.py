"""A main thread without threads: the host, the protocol loop's timers and the way back to it, all moved by the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from mcp_workbench.events import Principal
from mcp_workbench.execution.calls import Call, Outcome
from mcp_workbench.execution.main_thread import MainQueue
from mcp_workbench.execution.questions import Question
from mcp_workbench.hosts import Cell, MainIsFree


class Timer:
    """A timer that rings when the test says what time it is."""

    def __init__(self, due: float, ring: Callable[[], object]) -> None:
        self.due = due
        self.ring = ring
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """Time, and the timers of a loop that is none."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[Timer] = []

    def call_later(self, delay: float, function: Callable[..., object], *args: object) -> Timer:
        timer = Timer(self.now + delay, lambda: function(*args))
        self.timers.append(timer)
        return timer

    def pass_by(self, seconds: float) -> None:
        """Let time pass; timers ring in order."""
        end = self.now + seconds
        while due := sorted((timer for timer in self.timers if not timer.cancelled and timer.due <= end), key=lambda timer: timer.due):
            self.timers.remove(due[0])
            self.now = max(self.now, due[0].due)
            due[0].ring()
        self.now = end

    @property
    def running(self) -> int:
        """Timers that will ring."""
        return sum(not timer.cancelled for timer in self.timers)


class Host:
    """Where the main thread is: what is posted runs when the test lets its loop turn."""

    def __init__(self, main_is_free: MainIsFree = "between cells") -> None:
        self.main_is_free = main_is_free
        self.loop_rests = False
        self.at_work: Cell | None = None
        self.posted: list[Callable[[], object]] = []
        self.loop: asyncio.AbstractEventLoop | None = None

    def cell(self) -> Cell | None:
        return self.at_work

    def run_between_cells(self, function: Callable[[], None]) -> bool:
        if self.at_work is not None:
            return False
        return self.run_on_loop(lambda: None if self.at_work is not None else function())

    def run_on_loop(self, function: Callable[[], object]) -> bool:
        if self.main_is_free != "between cells":
            return False
        self.posted.append(function)
        return True

    def main_loop(self) -> asyncio.AbstractEventLoop | None:
        return self.loop

    def turn(self) -> bool:
        """One turn of the main thread's loop; says whether there was anything to do."""
        posted, self.posted = self.posted, []
        for function in posted:
            function()
        return bool(posted)


class Port:
    """A caller, and what it was told."""

    request_id = 1

    def __init__(self) -> None:
        self.wants_progress = True
        self.told: list[str | None] = []
        self.latest = 0.0

    def wants_output(self, level: str) -> bool:
        return False

    def send_progress(self, progress: float, total: float | None, message: str | None) -> None:
        assert self.latest < progress < 1e-3, "it must grow, and leave room for the tool's own"
        self.latest = progress
        self.told.append(message)

    def send_log(self, level: str, data: object, logger: str | None) -> None:
        raise AssertionError("nothing to log")

    def ask(self, question: Question) -> None:
        raise AssertionError("nothing to ask")


class Rig:
    """A queue for the main thread, on which the test plays all threads in turn."""

    def __init__(self, main_is_free: MainIsFree = "between cells", *, limit: int = 64, wait_s: float = 600.0) -> None:
        self.clock, self.host = Clock(), Host(main_is_free)
        self.posted: list[tuple[Callable[..., object], tuple[object, ...]]] = []
        self.ended: list[tuple[str, Outcome]] = []
        self.looked = 0
        loop: Any = self.clock
        me: Any = self
        host: Any = self.host
        self.queue = MainQueue(
            loop,
            me,
            host=host,
            limit=limit,
            wait_s=wait_s,
            answer=lambda call, outcome: self.ended.append((call.id, outcome)),
            after_job=self._look,
            clock_ns=lambda: 5,
            clock_s=lambda: self.clock.now,
        )
        self._made = 0

    def _look(self) -> None:
        self.looked += 1

    def post(self, function: Callable[..., object], *args: object) -> bool:
        """As the portal."""
        self.posted.append((function, args))
        return True

    def home(self) -> None:
        """Let the protocol loop run what was posted to it."""
        while self.posted:
            function, args = self.posted.pop(0)
            function(*args)

    def call(self, work: Callable[[], object], *, own: bool = False, name: str = "tool") -> Call:
        """A new call, not yet submitted."""
        self._made += 1
        call = Call(f"c{self._made}", name, "main")
        call.work = work
        call.principal = Principal("default", own=own)
        port: Any = Port()
        call.port = port
        return call

    def submit(self, work: Callable[[], object], **more: Any) -> Call:
        """A call that was taken."""
        call = self.call(work, **more)
        assert self.queue.submit(call) is None
        return call

    def begin_cell(self, label: str = "[12]") -> None:
        self.host.at_work = Cell(label, None, self.clock.now)

    def end_cell(self) -> None:
        self.host.at_work = None
        self.queue.cell_ended()

    def settle(self) -> None:
        """Turn both loops until nothing is left to do."""
        self.home()
        while self.host.turn() or self.posted:
            self.home()

    def outcome(self, call: Call) -> Outcome:
        """How it ended; it must have, once."""
        [outcome] = [outcome for call_id, outcome in self.ended if call_id == call.id]
        return outcome


def told(call: Call) -> list[str | None]:
    """What a call's client was told."""
    port: Any = call.port
    messages: list[str | None] = port.told
    return messages

"""The kernel's main thread: where `run_on="main"` calls run, one after the other, between the person's cells.

One queue is the truth. It is filled on the protocol loop and emptied on the main thread, whenever that comes
free: at a turn of the kernel's own loop between cells, at the end of a cell, and while something waits there
on purpose (`pump_until`: `wb.wait()`, `wb.stop()`, a magic that calls a tool). Everything that tells the main
thread of work is only a wake-up: it may come too early, twice, or never, and is repeated with the news that
callers get.

A cell that awaits is still a cell at work: a tool never sees what a cell has half done. Calls that the cell's
own client made (`wb.connect()` in this process) are the exception: the cell waits for just them.

A `def` runs to its end, and no second one meanwhile; between two the kernel's loop has its turn, so cells that
wait are not starved. An `async def` runs as a task on the kernel's loop, beside the others.

Knows calls and the host; not IPython, not sessions, not DataFrames (`after_job` looks at those).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from enum import Enum
from functools import partial
from inspect import iscoroutinefunction
from typing import TypeVar

from mcp_workbench.execution.calls import Busy, Call, CallState, Cancelled, Clock, Outcome, Progress, Raised, from_user_code, run_work
from mcp_workbench.execution.interrupts import Interrupts
from mcp_workbench.execution.main_tasks import run_coroutine, run_to_end
from mcp_workbench.execution.portal import Portal
from mcp_workbench.hosts import Host

logger = logging.getLogger("mcp_workbench")

T = TypeVar("T")

TELL_EVERY_S = 5.0
"""How often a waiting caller is told what it waits for; the main thread is woken again as often."""
WAIT_SLICE_S = 0.5
"""How long the main thread waits at a time: on Windows no interrupt reaches it in between."""


class Place(Enum):
    """At what the main thread is when it looks for work."""

    BETWEEN_CELLS = "between cells"
    AWAITING = "in a cell that awaits"
    PUMPING = "in something that waits on purpose"


@dataclass(slots=True, eq=False)
class Job:
    """A call on its way to the main thread."""

    call: Call
    is_async: bool
    own: bool
    """Whether a client in this very process made it."""
    timer: asyncio.TimerHandle | None = None
    """Ends the waiting."""
    told: int = 0
    """How often its caller was told that it waits."""


@dataclass(frozen=True, slots=True)
class Running:
    """What has the main thread now."""

    name: str
    began: float


class MainQueue:
    """Calls for the main thread. Made on the protocol loop.

    Threads: `submit`, `drop`, `stop` belong to the protocol loop; `cell_ended` and `abandon_in_child` to the main
    thread; `pump_until` waits on any thread and works on the main one; the readings may be read anywhere. What
    both sides change is behind one lock, held for a few instructions.

    Args:
        loop: The protocol loop, for its timers.
        portal: The way back to it.
        host: Where the main thread is.
        limit: Calls that may wait.
        wait_s: Seconds a call may wait.
        answer: Told, on the protocol loop, how a call has ended.
        after_job: Called on the main thread when a call has run and no cell is at work.
        is_own: Whether a client of this process made the call.
        clock_ns: Stamps calls.
        clock_s: Measures how long the main thread has been busy; as `Cell.began`.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        portal: Portal,
        *,
        host: Host,
        limit: int,
        wait_s: float,
        answer: Callable[[Call, Outcome], None],
        after_job: Callable[[], None] = lambda: None,
        is_own: Callable[[Call], bool] = lambda _call: False,
        clock_ns: Clock = time.perf_counter_ns,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop = loop
        self._portal = portal
        self._host = host
        self._limit = limit
        self._wait_s = wait_s
        self._answer = answer
        self._after_job = after_job
        self._is_own = is_own
        self._clock_ns = clock_ns
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._waiting: dict[str, Job] = {}
        self._taken: dict[str, Job] = {}
        self._abandoned: set[str] = set()
        self._tasks: dict[str, asyncio.Task[Outcome]] = {}
        self._running: Running | None = None
        self._turn_due = False
        self._pumps = 0
        self._has_pumped = False
        self._stir = threading.Event()
        self._teller: asyncio.TimerHandle | None = None
        self._stopped = False

    # --- readings -----------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Calls in line."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Calls that were taken and whose result is still wanted."""
        return len(self._taken) - len(self._abandoned)

    @property
    def abandoned(self) -> int:
        """Calls that were taken, whose result nobody waits for, and whose code may still run."""
        return len(self._abandoned)

    def obstacle(self) -> str | None:
        """What a call that came now would wait for: `cell [12], running 8 s`. None: nothing that is known."""
        running, cell = self._running, self._host.cell()
        if running is not None:
            return f"the call of {running.name}, running {self._since(running.began)}"
        if self._pumps:
            return None
        if cell is not None:
            return f"cell {cell.label}, running {self._since(cell.began)}"
        return _NEVER_BY_ITSELF.get(self._host.main_is_free)

    def _since(self, began: float) -> str:
        return f"{max(0.0, self._clock_s() - began):.0f} s"

    # --- the protocol loop's thread -------------------------------------------------------------------

    def submit(self, call: Call) -> str | None:
        """Have the main thread run a call as soon as it is free.

        Returns:
            None when it was taken, else the sentence that says why not.
        """
        job = Job(call, iscoroutinefunction(call.work), self._is_own(call))
        refusal = self._refusal(job)
        if refusal is not None:
            return refusal
        call.state = CallState.WAITING
        obstacle = self._obstacle_for(job)
        with self._lock:
            self._waiting[call.id] = job
        job.timer = self._loop.call_later(self._wait_s, self._give_up, job)
        if self._teller is None:
            self._teller = self._loop.call_later(TELL_EVERY_S, self._tell_all)
        if obstacle is not None:
            self._tell(job, obstacle)
        self._wake()
        return None

    def drop(self, call: Call) -> bool:
        """Nobody waits for this call any more: take it out of the line; a task is cancelled, running code is left alone.

        Returns:
            Whether its code may still run.
        """
        if (job := self._take_out(call.id)) is not None:
            self._forget_timer(job)
            return False
        if (job := self._taken.get(call.id)) is None:
            return False
        self._abandoned.add(call.id)
        if job.is_async:
            self._host.run_on_loop(partial(self._cancel_task, call.id))
        return True

    def stop(self) -> None:
        """Take nothing any more. Who still waits is dropped by whoever stops us."""
        self._stopped = True
        if self._teller is not None:
            self._teller.cancel()

    def _refusal(self, job: Job) -> str | None:
        name = job.call.name
        if len(self._waiting) >= self._limit:
            behind = self.obstacle()
            return (
                f"{name} was not run: {len(self._waiting)} calls wait for the notebook's main thread already"
                f"{f', behind {behind}' if behind else ''}; try again when it is free"
            )
        if self._host.main_is_free == "on request" and not self._has_pumped:
            return (
                f"{name} was not run: it is for the main thread, which belongs to a script that lends it to nobody. "
                'The script\'s author can call wb.wait() there, or leave out run_on="main"'
            )
        if job.own and job.is_async and self._pumps and self._host.main_is_free == "between cells":
            return (
                f"{name} was not run: it is an async tool of the kernel's own loop, which the cell that waits for it blocks. "
                f"Await it instead: `async with wb.connect() as session: await session.call_tool({name!r})`"
            )
        return None

    def _obstacle_for(self, job: Job) -> str | None:
        """What this call waits for; None when it is about to run."""
        if job.own and self._running is None:
            return None
        obstacle, ahead = self.obstacle(), len(self._waiting)
        if not ahead:
            return obstacle
        others = f"{ahead} other call{'s' if ahead > 1 else ''}"
        return others if obstacle is None else f"{obstacle}, and {others}"

    def _tell_all(self) -> None:
        with self._lock:
            jobs = list(self._waiting.values())
        self._teller = self._loop.call_later(TELL_EVERY_S, self._tell_all) if jobs and not self._stopped else None
        obstacle = self.obstacle() or "the notebook's main thread, which is at work"
        for ahead, job in enumerate(jobs):
            self._tell(job, f"{obstacle}, and {ahead} other call{'s' if ahead > 1 else ''}" if ahead else obstacle)
        if jobs:
            self._wake()

    def _tell(self, job: Job, obstacle: str) -> None:
        call = job.call
        with self._lock:
            if call.id not in self._waiting:
                return
            call.waiting_for = obstacle
            call.queued_behind = call.queued_behind or obstacle
        self._say(job, f"queued behind {obstacle}")

    def _say(self, job: Job, message: str) -> None:
        port = job.call.port
        if port is None or not port.wants_progress:
            return
        job.told += 1
        # The protocol wants progress to grow: these steps are smaller than any that a tool will report.
        job.call.progress = progress = Progress(job.told * 1e-6, None, message)
        try:
            port.send_progress(progress.progress, None, message)
        except Exception:  # the border to serving: news of the waiting must not end it
            logger.exception("the caller of %s could not be told that it waits", job.call.id)

    def _give_up(self, job: Job) -> None:
        if self._take_out(job.call.id) is None:
            return
        obstacle = self.obstacle() or "other work there"
        self._answer(
            job.call,
            Busy(
                f"{job.call.name} was not run: it waited {self._wait_s:g} s for the notebook's main thread, behind {obstacle}. "
                "Ask the person to interrupt that, or call again when it has ended"
            ),
        )

    def _take_out(self, call_id: str) -> Job | None:
        with self._lock:
            return self._waiting.pop(call_id, None)

    def _forget_timer(self, job: Job) -> None:
        if job.timer is not None:
            job.timer.cancel()
            job.timer = None

    def _begun(self, job: Job) -> None:
        self._forget_timer(job)
        if job.call.state is CallState.WAITING:
            job.call.state = CallState.RUNNING
            if job.told:
                self._say(job, "running")

    def _ended(self, job: Job, outcome: Outcome) -> None:
        with self._lock:
            self._taken.pop(job.call.id, None)
        self._abandoned.discard(job.call.id)
        self._answer(job.call, outcome)

    # --- any thread -------------------------------------------------------------------------------------

    def _wake(self) -> None:
        """Tell the main thread that there is work; it looks when it is free."""
        self._stir.set()
        if not self._turn_due:
            self._turn_due = True
            if not self._host.run_between_cells(self._turn):
                self._turn_due = False  # a cell is at work, whose end comes here, or nobody is there to be told
        with self._lock:
            own = any(job.own for job in self._waiting.values())
        if own:
            self._host.run_on_loop(self._turn_for_own)

    def pump_until(self, future: concurrent.futures.Future[T], timeout_s: float | None = None) -> T:
        """Wait for a future; on the main thread, run the calls that are queued for it meanwhile.

        Whatever blocks the main thread while it waits for a client, or for the server, waits through this:
        the call it waits for may be in the queue. Within a call that the queue runs, and on any other thread,
        it only waits. An interrupt ends the call that runs, or else this waiting.

        Args:
            future: Done by another thread.
            timeout_s: Seconds until it is given up; None: never. A call that runs then is run to its end.

        Returns:
            What the future returns; what it raises is raised.

        Raises:
            TimeoutError: It was not done in time.
        """
        if self._running is not None or threading.current_thread() is not threading.main_thread():
            return future.result(timeout_s)
        future.add_done_callback(lambda _: self._stir.set())
        deadline = None if timeout_s is None else self._clock_s() + timeout_s
        self._pumps += 1
        self._has_pumped = True
        try:
            while not self._pumped(future, deadline):
                pass
        finally:
            self._pumps -= 1
        return future.result(0)

    def _pumped(self, future: concurrent.futures.Future[T], deadline: float | None) -> bool:
        """One look for work, or a short wait for some; says whether the pumping is over."""
        self._stir.clear()  # before looking: what comes from here on is seen by the wait
        left = WAIT_SLICE_S if deadline is None else deadline - self._clock_s()
        if future.done() or left <= 0:
            return True
        if not self._run_next(Place.PUMPING):
            self._stir.wait(min(left, WAIT_SLICE_S))
        return False

    # --- the main thread ----------------------------------------------------------------------------------

    def cell_ended(self) -> None:
        """No cell is at work now: run the next call, all of them where nobody else comes by.

        Only one otherwise, as a cell may wait; it is run here because the next cell may begin before the loop's turn.
        """
        self._turn_due = False
        while self._run_next(Place.BETWEEN_CELLS) and self._host.main_is_free != "between cells":
            pass
        if self._waiting:
            self._wake()

    def refuse(self) -> None:
        """Run nothing any more, for instance because the interpreter ends. From any thread."""
        self._stopped = True

    def abandon_in_child(self) -> None:
        """After a fork: what waits here is the parent's."""
        self._stopped = True
        self._lock = threading.Lock()  # it may have been held by a thread that is not here
        self._waiting = {}

    def _turn(self) -> None:
        self._turn_due = False
        self._run_next(Place.BETWEEN_CELLS)
        if self._waiting:
            self._wake()

    def _turn_for_own(self) -> None:
        if self._run_next(Place.AWAITING) and self._waiting:
            self._wake()

    def _run_next(self, place: Place) -> bool:
        """Run the next call that can run here; says whether there was one."""
        if self._running is not None or not self._waiting:
            return False
        with Interrupts() as interrupts:
            job = self._take(place)
            if job is None:
                return False
            self._portal.post(self._begun, job)
            loop = self._host.main_loop() if job.is_async else None
            if loop is not None and loop.is_running():
                task = loop.create_task(self._run_task(job), name=f"{job.call.id} {job.call.name}", context=Context())
                self._tasks[job.call.id] = task
                task.add_done_callback(partial(self._task_done, job))
            else:
                self._run(job, interrupts, loop, place)
        return True

    def _take(self, place: Place) -> Job | None:
        with self._lock:
            job = None if self._stopped else next((job for job in self._waiting.values() if self._fits(job, place)), None)
            if job is not None:
                del self._waiting[job.call.id]
                self._taken[job.call.id] = job
                job.call.waiting_for = None
            return job

    def _fits(self, job: Job, place: Place) -> bool:
        if place is Place.AWAITING:
            return job.own
        # What waits on purpose blocks the kernel's loop, so no task of it would get on.
        return place is Place.BETWEEN_CELLS or not (job.is_async and self._host.main_is_free == "between cells")

    def _run(self, job: Job, interrupts: Interrupts, loop: asyncio.AbstractEventLoop | None, place: Place) -> None:
        call = job.call
        self._running = Running(call.name, self._clock_s())
        step = partial(run_to_end, loop=loop) if job.is_async else run_work
        try:
            outcome = interrupts.run(Context().run, step, call, self._clock_ns)
        except BaseException as error:  # noqa: BLE001  # an interrupt just before or after the author's code, which ends nothing else
            outcome = Raised(from_user_code(error))
        self._running = None
        if place is Place.BETWEEN_CELLS:
            self._look_after_job()
        self._portal.post(self._ended, job, outcome)

    async def _run_task(self, job: Job) -> Outcome:
        outcome = await run_coroutine(job.call, self._clock_ns)
        if self._host.cell() is None:
            self._look_after_job()
        return outcome

    def _task_done(self, job: Job, task: asyncio.Task[Outcome]) -> None:
        self._tasks.pop(job.call.id, None)
        # Cancelled before its first step, it had nothing to say.
        outcome = Cancelled(job.call.cancel_reason) if task.cancelled() else task.result()
        self._portal.post(self._ended, job, outcome)

    def _cancel_task(self, call_id: str) -> None:
        task = self._tasks.get(call_id)
        if task is not None:
            task.cancel()

    def _look_after_job(self) -> None:
        try:
            self._after_job()
        except Exception:  # the border to the notebook's side: the call's own outcome must still be told
            logger.exception("looking for changes after a call of the main thread failed")


_NEVER_BY_ITSELF = {
    "after cells": "the prompt: in a terminal such calls run when a cell has run, or in wb.wait()",
    "on request": "the script, which runs such calls in wb.wait()",
}

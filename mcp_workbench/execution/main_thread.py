"""The kernel's main thread: where `run_on="main"` calls run, one after the other, between the person's cells.

One queue is the truth. It is filled on the protocol loop and emptied on the main thread, whenever that comes
free: at a turn of the kernel's own loop between cells, at the end of a cell, and while something waits there
on purpose (`pump_until`: `wb.wait()`, a magic that calls a tool). Everything that tells the main thread of work
is only a wake-up: it may come too early, twice, or never, and is repeated with the news that callers get.

A cell that awaits is still a cell at work: a tool never sees what a cell has half done. Calls that a cell's
own client made (`wb.connect()`) are the exception: the cell waits for just them.

A `def` runs to its end, and no second one meanwhile; between two the kernel's loop has its turn, so cells that
wait are not starved. An `async def` runs as a task on the kernel's loop, beside the others.

Knows calls and the host; not IPython, not sessions, not DataFrames (`after_job` looks at those). Neighbours:
`main_line.py` keeps the calls that wait, `main_tasks.py` runs coroutines, `interrupts.py` says whose Ctrl-C is.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from enum import Enum
from functools import partial
from inspect import iscoroutinefunction
from typing import TypeVar

from mcp_workbench.execution.calls import Busy, Call, CallState, Cancelled, Clock, Outcome, Raised, from_user_code, run_work
from mcp_workbench.execution.main_line import Job, MainLine
from mcp_workbench.execution.main_tasks import a_loop_runs_here, run_coroutine, run_to_end
from mcp_workbench.execution.portal import Portal
from mcp_workbench.hosts import Host
from mcp_workbench.interrupts import Interrupts

logger = logging.getLogger("mcp_workbench")

T = TypeVar("T")

WAIT_SLICE_S = 0.5
"""How long the main thread waits at a time: on Windows no interrupt reaches it in between."""
PUSH_EVERY_S = 0.1
"""How often a loop that rests is made to turn while tasks of calls are on it."""
UNLENT_S = 5.0
"""How long a call waits for a script that has never lent its main thread: it may be about to."""


class Place(Enum):
    """At what the main thread is when it looks for work."""

    BETWEEN_CELLS = "between cells"
    AWAITING = "in a cell that awaits"
    PUMPING = "in something that waits on purpose"


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """What has the main thread now."""

    name: str
    began: float
    """As `Cell.began`."""
    call_id: str


class MainQueue:
    """Calls for the main thread. Made on the protocol loop.

    Threads: `submit`, `drop` and `stop` belong to the protocol loop; `cell_ended` and `abandon_in_child` to the main
    thread; `pump_until` waits on any thread and works on the main one; the readings may be read anywhere.

    Args:
        loop: The protocol loop, for its timers.
        portal: The way back to it.
        host: Where the main thread is.
        limit: Calls that may wait.
        wait_s: Seconds a call may wait.
        answer: Told, on the protocol loop, how a call has ended.
        after_job: Called on the main thread when a call has run and no cell is at work.
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
        self._clock_ns = clock_ns
        self._clock_s = clock_s
        self._line = MainLine(loop, obstacle=self._obstacle, late=self._too_late, again=self._wake_again)
        self._taken: dict[str, Job] = {}
        self._abandoned: set[str] = set()
        self._tasks: dict[str, asyncio.Task[Outcome]] = {}
        self._running: Running | None = None
        self._waits_within: Running | None = None
        """The call that waits on purpose, when it is the one that runs: then nothing of the queue can run before it ends."""
        self._turn_due = False
        self._pumps = 0
        self._pump_blocks_loop = False
        self._has_pumped = False
        self._stir = threading.Event()
        self._stopped = False

    # --- readings -----------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Calls in line."""
        return len(self._line)

    @property
    def at_work(self) -> Running | None:
        """The call that has the main thread to itself now, so that cells wait; None: none has."""
        return self._running

    @property
    def running(self) -> int:
        """Calls that were taken and whose result is still wanted."""
        return len(self._taken) - len(self._abandoned)

    @property
    def abandoned(self) -> int:
        """Calls that were taken, whose result nobody waits for, and whose code may still run."""
        return len(self._abandoned)

    # --- the protocol loop's thread -------------------------------------------------------------------

    def submit(self, call: Call) -> str | None:
        """Have the main thread run a call as soon as it is free.

        Returns:
            None when it was taken, else the sentence that says why not.
        """
        own = call.principal is not None and call.principal.own
        job = Job(call, iscoroutinefunction(call.work), own, self._clock_s())
        refusal = self._refusal(job)
        if refusal is not None:
            return refusal
        call.state = CallState.WAITING
        self._line.add(job, min(self._wait_s, UNLENT_S) if self._is_never_lent else self._wait_s)
        self._wake()
        return None

    def drop(self, call: Call) -> bool:
        """Nobody waits for this call any more: take it out of the line; a task is cancelled, running code is left alone.

        Returns:
            Whether its code may still run.
        """
        # One that is being taken at this moment has not begun and sees by itself that it is over.
        if self._line.remove(call.id) is not None or (job := self._taken.get(call.id)) is None:
            return False
        self._abandoned.add(call.id)
        task = self._tasks.get(call.id) if job.is_async else None
        if task is not None and not self._host.run_on_loop(task.cancel):
            with suppress(RuntimeError):  # its loop is closed: it has ended
                task.get_loop().call_soon_threadsafe(task.cancel)
        return True

    def stop(self) -> None:
        """Take nothing any more and refuse what waits; what runs is left alone."""
        self._stopped = True
        for job in self._line.close():
            self._answer(job.call, Busy(_shutting_down(job.call.name)))

    @property
    def _is_never_lent(self) -> bool:
        return self._host.main_is_free == "on request" and not self._has_pumped

    def _refusal(self, job: Job) -> str | None:
        name = job.call.name
        if self._stopped:
            return _shutting_down(name)
        if job.own and (waiting := self._waits_within) is not None and waiting is self._running:
            return _behind_itself(name, waiting.name)
        if (full := self._full(job.call)) is not None:
            behind = self._obstacle(job)
            return f"{name} was not run: {full}{f', behind {behind}' if behind else ''}; try again when it is free"
        if job.own and job.is_async and self._pumps and self._pump_blocks_loop:
            return (
                f"{name} was not run: it is an async tool of the main thread's own loop, which the code that waits for it blocks. "
                f"Await it instead: `async with wb.connect() as session: await session.call_tool({name!r})`"
            )
        return None

    def _full(self, call: Call) -> str | None:
        """What is full, when one more of this call's principal may not wait; each gets one more while it holds fewer than are left."""
        waiting, own = len(self._line), 0 if call.holder is None else self._line.waiting_of(call.holder)
        if waiting >= self._limit:
            return f"{waiting} calls wait for the notebook's main thread already"
        if self._limit - waiting <= own:
            return f"{own} calls of this client wait for the notebook's main thread already, which is its share"
        return None

    def _too_late(self, job: Job) -> None:
        name = job.call.name
        if self._is_never_lent:
            sentence = (
                f"{name} was not run: it is for the main thread, which belongs to a script that lends it to nobody. "
                'The script\'s author can call wb.wait() there, or leave out run_on="main"'
            )
        else:
            obstacle = self._obstacle(job) or "other work there"
            sentence = (
                f"{name} was not run: it waited {self._wait_s:g} s for the notebook's main thread, behind {obstacle}. "
                "Ask the person to interrupt that, or call again when it has ended"
            )
        self._answer(job.call, Busy(sentence))

    def _obstacle(self, job: Job) -> str | None:
        """What this job waits for, beside the others in line: `cell [12], running 8 s`. None: nothing that is known."""
        running, cell = self._running, self._host.cell()
        if running is not None:
            return f"the call of {running.name}, running {self._since(running.began)}"
        if self._pumps and self._fits(job, Place.PUMPING):
            return None
        if cell is not None:
            return f"cell {cell.label}, running {self._since(cell.began)}"
        return _NEVER_BY_ITSELF.get(self._host.main_is_free)

    def _since(self, began: float) -> str:
        return f"{max(0.0, self._clock_s() - began):.0f} s"

    def _begun(self, job: Job) -> None:
        if job.call.state is CallState.WAITING:
            job.call.state = CallState.RUNNING
        self._line.begun(job)
        if job.is_async and self._host.loop_rests:
            self._loop.call_later(PUSH_EVERY_S, self._push, job)

    def _refuse_behind(self, running: Running) -> None:
        for job in self._line.remove_all(lambda job: job.own and job.came >= running.began and self._running is running):
            self._answer(job.call, Busy(_behind_itself(job.call.name, running.name)))

    def _push(self, job: Job) -> None:
        """Make the main thread's loop turn for a task that a GUI's loop would keep waiting."""
        if job.call.id in self._taken and not self._stopped:
            self._host.run_on_loop(lambda: None)
            self._loop.call_later(PUSH_EVERY_S, self._push, job)

    def _ended(self, job: Job, outcome: Outcome) -> None:
        self._taken.pop(job.call.id, None)
        self._abandoned.discard(job.call.id)
        self._answer(job.call, outcome)

    # --- any thread -------------------------------------------------------------------------------------

    def _wake_again(self) -> None:
        self._turn_due = False  # it may have been lost
        self._wake()

    def _wake(self) -> None:
        """Tell the main thread that there is work; it looks when it is free."""
        self._stir.set()
        if not self._turn_due:
            self._turn_due = True
            if not self._host.run_between_cells(self._turn):
                self._turn_due = False  # a cell is at work, whose end comes here, or nobody is there to be told
        if self._line.has_own():
            self._host.run_on_loop(self._turn_for_own)

    def pump_until(self, future: concurrent.futures.Future[T], timeout_s: float | None = None) -> T:
        """Wait for a future; on the main thread, run the calls that are queued for it meanwhile.

        Whatever blocks the main thread while it waits for a client, or for the server, waits through this:
        the call it waits for may be in the queue. On any other thread it only waits. So it does within a call that
        the queue runs, and calls of this process's own clients, which it may be waiting for, are refused meanwhile:
        they could not run before it ends. An interrupt ends the call that runs, or else this waiting.

        Args:
            future: Done by another thread.
            timeout_s: Seconds until it is given up; None: never. A call that runs then is run to its end.

        Returns:
            What the future returns; what it raises is raised.

        Raises:
            TimeoutError: It was not done in time.
        """
        if threading.current_thread() is not threading.main_thread():
            return future.result(timeout_s)
        if self._running is not None:
            return self._wait_within(self._running, future, timeout_s)
        future.add_done_callback(lambda _: self._stir.set())
        deadline = None if timeout_s is None else self._clock_s() + timeout_s
        self._pump_blocks_loop = a_loop_runs_here()
        self._has_pumped = True
        self._pumps += 1
        try:
            while not self._pumped(future, deadline):
                pass
        finally:
            self._pumps -= 1
        return future.result(0)

    def _wait_within(self, running: Running, future: concurrent.futures.Future[T], timeout_s: float | None) -> T:
        self._waits_within = running
        self._portal.post(self._refuse_behind, running)  # what it waits for may have come just before
        try:
            return future.result(timeout_s)
        finally:
            self._waits_within = None

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
        if self._line and self._running is None:
            self._wake()

    def abandon_in_child(self) -> None:
        """After a fork: what waits here is the parent's."""
        self._stopped = True
        self._line.forget_in_child()

    def _turn(self) -> None:
        self._turn_due = False
        self._go_on(ran=self._run_next(Place.BETWEEN_CELLS))

    def _turn_for_own(self) -> None:
        self._go_on(ran=self._run_next(Place.AWAITING))

    def _go_on(self, *, ran: bool) -> None:
        # Where nothing ran a call is running around us, or a cell has begun: its end comes by.
        if ran and self._line:
            self._wake()

    def _run_next(self, place: Place) -> bool:
        """Run the next call that can run here; says whether there was one."""
        if self._running is not None or self._stopped or not self._line:
            return False
        with Interrupts() as interrupts:
            job = self._line.take(lambda job: self._fits(job, place))
            if job is None:
                return False
            self._taken[job.call.id] = job
            self._portal.post(self._begun, job)
            loop = self._host.main_loop() if job.is_async else None
            if loop is not None and loop.is_running():
                self._begin_task(job, loop)
            else:
                self._run(job, interrupts, loop, place)
        return True

    def _fits(self, job: Job, place: Place) -> bool:
        if place is Place.AWAITING:
            return job.own
        # What waits on purpose may block the loop that runs here, and then no task of it would get on.
        return place is Place.BETWEEN_CELLS or not (job.is_async and self._pump_blocks_loop)

    def _run(self, job: Job, interrupts: Interrupts, loop: asyncio.AbstractEventLoop | None, place: Place) -> None:
        call = job.call
        self._running = Running(call.name, self._clock_s(), call.id)
        keep = partial(self._tasks.__setitem__, call.id)
        step = partial(run_to_end, loop=loop, begun=keep) if job.is_async else run_work
        try:
            outcome = interrupts.run(Context().run, step, call, self._clock_ns)
        except BaseException as error:  # noqa: BLE001  # an interrupt just before or after the author's code, which ends nothing else
            outcome = Raised(from_user_code(error))
        self._tasks.pop(call.id, None)
        self._running = None
        if place is Place.BETWEEN_CELLS:
            self._look_after_job()
        self._portal.post(self._ended, job, outcome)

    def _begin_task(self, job: Job, loop: asyncio.AbstractEventLoop) -> None:
        task = loop.create_task(self._run_task(job), name=f"{job.call.id} {job.call.name}", context=Context())
        self._tasks[job.call.id] = task
        task.add_done_callback(partial(self._task_done, job))

    async def _run_task(self, job: Job) -> Outcome:
        outcome = await run_coroutine(job.call, self._clock_ns)
        if self._host.cell() is None:
            self._look_after_job()
        return outcome

    def _task_done(self, job: Job, task: asyncio.Task[Outcome]) -> None:
        self._tasks.pop(job.call.id, None)
        if task.cancelled():  # before its first step, so it had nothing to say
            outcome: Outcome = Cancelled(job.call.cancel_reason)
        else:
            error = task.exception()
            outcome = task.result() if error is None else Raised(error)
        self._portal.post(self._ended, job, outcome)

    def _look_after_job(self) -> None:
        try:
            self._after_job()
        except Exception:  # the border to the notebook's side: the call's own outcome must still be told
            logger.exception("looking for changes after a call of the main thread failed")


def _shutting_down(name: str) -> str:
    return f"{name} was not run: the server is shutting down. Reconnect later and call again."


def _behind_itself(name: str, running: str) -> str:
    return (
        f"{name} was not run: it is for the main thread, which the call of {running} has and blocks while it waits for an answer. "
        f'Call the function itself there instead, or leave out run_on="main" of {running}'
    )


_NEVER_BY_ITSELF = {
    "after cells": "the prompt: in a terminal such calls run when a cell has run, or in wb.wait()",
    "on request": "the script, which runs such calls in wb.wait()",
}
"""Hosts whose main thread does not come free by itself."""

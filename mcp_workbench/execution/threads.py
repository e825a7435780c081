"""The threads that run `def` tools and render results: `mcp-tool-1`, `mcp-tool-2` …

Our own daemon threads and not a ThreadPoolExecutor, which makes the interpreter wait at exit for
whatever still runs. The waiting line lives on the protocol loop: a thread is handed one call only when
it is free, so cancelling a waiting call is a dictionary removal and nothing here needs a lock. Free
threads are a stack: the last one used is used next, and those at the bottom retire.

No session has all threads, and no principal: a session gets a further one only while its principal holds fewer than are
left; past that, while it holds fewer itself than are left but for a quarter, which is kept for other principals. One alone
gets half of them, all sessions of one principal three quarters, and whoever comes next finds some free. What is over the
share waits in a line of the session's own (`lines.py`), which is bounded for each principal. Calls that
belong to nobody have no share to keep to.

A thread whose call was cancelled or timed out cannot be stopped. It is *abandoned*: it no longer counts
against `limit` nor a share, so hung tools do not stop the service, until `2 * limit` threads exist in all; then calls
wait. An abandoned thread that comes back is used again, or ends when there are more than `limit`.

Starting a thread waits until it runs, which costs a switch interval (5 ms) while a cell computes;
thirty at once held the loop for 160 ms. So `mcp-tool-starter`, a thread that never runs user code,
starts the others, and a thread that comes free meanwhile takes over the oldest call whose own thread is
still being started.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from queue import Empty, SimpleQueue

from mcp_workbench.execution.calls import Busy, Call, CallState, Outcome, Raised
from mcp_workbench.execution.lines import Job, Lines, Step
from mcp_workbench.execution.portal import Portal

logger = logging.getLogger("mcp_workbench")

IDLE_S = 30.0
"""How long a thread without work is kept."""


class Worker:
    """One thread. It empties `inbox` and sets `started`; everything else belongs to the protocol loop."""

    __slots__ = ("idle_since", "inbox", "job", "started", "thread")

    def __init__(self, name: str, serve: Callable[[Worker], None]) -> None:
        self.inbox: SimpleQueue[Job | None] = SimpleQueue()
        self.job: Job | None = None
        self.started = False
        self.idle_since = 0.0
        self.thread = threading.Thread(target=serve, args=(self,), name=name, daemon=True)


class ToolThreads:
    """Runs steps of calls in threads. All public methods: the protocol loop's thread only.

    Args:
        loop: The protocol loop.
        portal: The way back to it.
        limit: Threads with calls whose result is wanted.
        queue: Calls that wait, of all principals.
        answer: Told how a step ended, on the loop.
        name: Of the threads, before their number.
        idle_s: How long a thread without work is kept.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        portal: Portal,
        *,
        limit: int,
        queue: int,
        answer: Callable[[Call, Outcome], None],
        name: str = "mcp-tool",
        idle_s: float = IDLE_S,
    ) -> None:
        self._loop = loop
        self._portal = portal
        self._limit = limit
        self._kept = limit // 4
        self._queue = queue
        self._answer = answer
        self._name = name
        self._idle_s = idle_s
        self._waiting = Lines(queue)
        self._workers: set[Worker] = set()
        self._leaving: set[Worker] = set()
        self._idle: list[Worker] = []
        self._starting: deque[Worker] = deque()
        self._busy: dict[str, Worker] = {}
        self._held: dict[str | None, int] = {}
        self._held_by: dict[str | None, int] = {}
        self._abandoned: set[str] = set()
        self._made = 0
        self._starter: threading.Thread | None = None
        self._to_start: SimpleQueue[Worker | None] = SimpleQueue()
        self._retiring: asyncio.TimerHandle | None = None
        self._stopping = False
        self._all_gone = asyncio.Event()
        self._ended: list[threading.Thread] = []

    @property
    def threads(self) -> int:
        """Threads alive or being started."""
        return len(self._workers) + len(self._leaving)

    @property
    def idle(self) -> int:
        """Threads without work."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Calls in line."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Calls in threads whose result is still wanted."""
        return len(self._busy) - len(self._abandoned)

    @property
    def abandoned(self) -> int:
        """Calls in threads whose result nobody waits for."""
        return len(self._abandoned)

    def submit(self, call: Call, step: Step, *, past_bound: bool = False) -> str | None:
        """Run a step in a free thread, in a new one, or when one comes free that its session may have.

        Args:
            call: Whose step it is; at most one step of a call at a time.
            step: Runs in a tool thread inside a fresh copy of that thread's context.
            past_bound: Wait in line even when it is full, because the call has already run elsewhere.

        Returns:
            None when it was taken, else the sentence that says what is full.
        """
        free = self._free
        if self._may_have(call, free):
            self._hand(self._idle.pop() if self._idle else self._new_worker(), call, step)
        elif past_bound or self._waiting.may_join(call):
            call.state = CallState.WAITING
            self._waiting.join((call, step))
        else:
            busy = (
                f"this connection has its share of the {self._limit} tool threads" if free else f"all {self._limit} tool threads are busy"
            )
            waiting = len(self._waiting)
            wait = f"{waiting} calls wait" if waiting >= self._queue else f"{waiting} calls, its share, wait"
            return f"{busy} and {wait} already; try again in a moment"
        return None

    def drop(self, call: Call) -> bool:
        """Nobody waits for this call any more: take it out of the line, or abandon its thread.

        Returns:
            Whether its code may still run.
        """
        if self._waiting.leave(call) or (worker := self._busy.get(call.id)) is None:
            return False
        if self._take_back(worker) is not None:
            if not self._take_waiting(worker):
                self._rest(worker, at=0)
            return False
        self._abandoned.add(call.id)
        self._give_back(call)
        self._refill()
        return True

    def stop(self) -> None:
        """End every free thread now and every busy one after its call. Nothing may be submitted after."""
        self._stopping = True
        if self._retiring is not None:
            self._retiring.cancel()
        for worker in self._idle:
            self._dismiss(worker)
        self._idle.clear()
        self._to_start.put(None)
        self._note_gone()

    async def wait_gone(self) -> None:
        """Wait until every thread has ended; with a stuck one, for ever."""
        await self._all_gone.wait()
        for thread in self._ended:
            thread.join()  # it has said goodbye and runs no code of anybody's any more

    # --- the protocol loop's thread ---------------------------------------------------------------

    @property
    def _free(self) -> int:
        """Calls that could be run now."""
        growth = self._limit - len(self._workers)
        if self._abandoned:
            growth = min(growth + len(self._abandoned), growth + self._limit)
        return len(self._idle) + growth if growth > 0 else len(self._idle)

    def _may_have(self, call: Call, free: int) -> bool:
        """Whether a call may have one of so many free threads."""
        if call.owner is None:
            return free > 0
        return free > self._held_by.get(call.holder, 0) or free - self._kept > self._held.get(call.owner, 0)

    def _give_back(self, call: Call) -> None:
        _take_one(self._held, call.owner)
        _take_one(self._held_by, call.holder)

    def _new_worker(self) -> Worker:
        if self._starter is None:
            self._starter = threading.Thread(target=self._start_workers, name=f"{self._name}-starter", daemon=True)
            self._starter.start()
        self._made += 1
        worker = Worker(f"{self._name}-{self._made}", self._serve)
        self._workers.add(worker)
        self._to_start.put(worker)
        return worker

    def _hand(self, worker: Worker, call: Call, step: Step) -> None:
        call.state = CallState.RUNNING
        worker.job = (call, step)
        self._busy[call.id] = worker
        owner = call.owner
        self._held[owner] = self._held.get(owner, 0) + 1
        holder = call.holder
        self._held_by[holder] = self._held_by.get(holder, 0) + 1
        worker.inbox.put(worker.job)
        if not worker.started:
            self._starting.append(worker)

    def _returned(self, worker: Worker, call: Call, outcome: Outcome) -> None:
        self._forget_job(worker)
        self._occupy(worker)  # before the answer, so the thread and the loop work side by side
        self._answer(call, outcome)

    def _forget_job(self, worker: Worker) -> None:
        if worker.job is not None:
            call = worker.job[0]
            del self._busy[call.id]
            if call.id in self._abandoned:
                self._abandoned.remove(call.id)
            else:
                self._give_back(call)
            worker.job = None

    def _occupy(self, worker: Worker) -> None:
        if self._stopping or len(self._workers) - len(self._abandoned) > self._limit:
            self._dismiss(worker)
        elif not self._take_over(worker) and not self._take_waiting(worker):
            self._rest(worker, at=len(self._idle))

    def _take_over(self, worker: Worker) -> bool:
        while self._starting:
            late = self._starting.popleft()
            if (job := self._take_back(late)) is not None:
                self._hand(worker, *job)
                if not self._take_waiting(late):
                    self._rest(late, at=0)
                return True
        return False

    def _take_back(self, worker: Worker) -> Job | None:
        """The call handed to a thread that has not looked yet; whoever empties the inbox first has it."""
        try:
            job = worker.inbox.get_nowait()
        except Empty:
            return None
        if job is None:  # not a call but its dismissal
            worker.inbox.put(None)
            return None
        self._forget_job(worker)
        return job

    def _take_waiting(self, worker: Worker) -> bool:
        """Give a thread that has come free, and is not among the free ones yet, to the next call in line that may have it."""
        if not self._waiting or (job := self._next(self._free + 1)) is None:
            return False
        self._hand(worker, *job)
        return True

    def _next(self, free: int) -> Job | None:
        return self._waiting.next(lambda call: self._may_have(call, free))

    def _rest(self, worker: Worker, *, at: int) -> None:
        worker.idle_since = self._loop.time()
        self._idle.insert(at, worker)
        if self._retiring is None:
            self._retiring = self._loop.call_later(self._idle_s, self._retire)

    def _retire(self) -> None:
        self._retiring = None
        now = self._loop.time()
        keep_from = next((i for i, worker in enumerate(self._idle) if now - worker.idle_since < self._idle_s), len(self._idle))
        for worker in self._idle[:keep_from]:
            self._dismiss(worker)
        del self._idle[:keep_from]
        if self._idle:
            self._retiring = self._loop.call_later(self._idle[0].idle_since + self._idle_s - now, self._retire)

    def _dismiss(self, worker: Worker) -> None:
        self._workers.discard(worker)
        self._leaving.add(worker)
        worker.inbox.put(None)

    def _gone(self, worker: Worker) -> None:
        self._workers.discard(worker)
        self._leaving.discard(worker)
        if worker.job is not None:  # a tool's library killed the thread from outside (PyThreadState_SetAsyncExc)
            call = worker.job[0]
            self._forget_job(worker)
            self._answer(call, Raised(RuntimeError(f"the thread that ran {call.name!r} was ended from outside")))
        self._refill()
        self._note_gone(worker.thread)

    def _start_failed(self, worker: Worker) -> None:
        self._workers.discard(worker)
        self._leaving.discard(worker)
        for place in (self._starting, self._idle):
            if worker in place:
                place.remove(worker)
        job = worker.job
        self._forget_job(worker)
        if job is not None and not job[0].is_over():
            job[0].state = CallState.WAITING
            self._waiting.join(job, in_front=True)
        if not self._workers:  # nobody is left who would ever come free
            while (waiting := self._waiting.next()) is not None:
                self._answer(waiting[0], Busy("the operating system gives this kernel no more threads; try again later"))
        self._note_gone()

    def _refill(self) -> None:
        while self._waiting and not self._stopping and (job := self._next(self._free)) is not None:
            self._hand(self._idle.pop() if self._idle else self._new_worker(), *job)

    def _note_gone(self, thread: threading.Thread | None = None) -> None:
        if not self._stopping:
            return
        if thread is not None:
            self._ended.append(thread)
        starter_gone = self._starter is None or self._starter in self._ended
        if starter_gone and not self._workers and not self._leaving:
            self._all_gone.set()

    # --- the threads themselves -------------------------------------------------------------------

    def _serve(self, worker: Worker) -> None:
        worker.started = True
        try:
            while (job := worker.inbox.get()) is not None:
                call, step = job
                outcome = copy_context().run(step, call)
                if not self._portal.post(self._returned, worker, call, outcome):
                    return
                del job, call, step, outcome  # a free thread keeps no argument and no result alive
        finally:
            self._portal.post(self._gone, worker)

    def _start_workers(self) -> None:
        while (worker := self._to_start.get()) is not None:
            try:
                worker.thread.start()
            except RuntimeError:
                logger.warning("no further tool thread could be started")
                self._portal.post(self._start_failed, worker)
            del worker
        self._portal.post(self._note_gone, threading.current_thread())


def _take_one(counts: dict[str | None, int], whose: str | None) -> None:
    left = counts[whose] - 1
    if left:
        counts[whose] = left
    else:
        del counts[whose]

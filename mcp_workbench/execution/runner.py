"""How a call is started, and how it ends: exactly once, however it is run.

`Execution` is the one door of this room. It hands a call to where it runs, and from that moment the
first of five things ends it: the code returns, raises, is cancelled, takes too long, or was never taken.
What comes after is counted as late and dropped. All state lives on the protocol loop's thread, so the
race between a result and a cancellation is decided by which the loop meets first, without a lock.

Neighbours: `threads.py`, `async_tools.py`, `inline.py`, `main_thread.py` run the code; `context.py` is what the code sees;
`serving` says what to run and turns outcomes into results. Nothing here knows messages or schemas.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count

from mcp_workbench import errors
from mcp_workbench.events import Principal
from mcp_workbench.execution.async_tools import AsyncTools
from mcp_workbench.execution.calls import (
    Busy,
    Call,
    CallPort,
    CallState,
    Cancelled,
    Clock,
    Outcome,
    RunOn,
    SessionFacts,
    TimedOut,
    render_value,
    run_work,
)
from mcp_workbench.execution.context import AsyncContext, Context
from mcp_workbench.execution.inline import InlineTools
from mcp_workbench.execution.main_thread import MainQueue
from mcp_workbench.execution.output import STREAMS
from mcp_workbench.execution.portal import Portal
from mcp_workbench.execution.threads import ToolThreads
from mcp_workbench.hosts import Host, PlainHost
from mcp_workbench.limits import Limits

logger = logging.getLogger("mcp_workbench")

SETTLE_S = 0.25
"""How long `close` waits for what it has just cancelled to notice; what has not by then is left to its daemon thread."""
SHUTTING_DOWN = "the notebook's server is shutting down and takes no further calls; connect again when it is back"
QUICK_THREADS = 2
"""Threads for calls of the workbench's own that are quick, so that they are answered whatever the others do."""
ALMOST_NS = 1_000_000
"""A loop's timer may ring this much early."""

OnDone = Callable[[Call, Outcome], None]


@dataclass(frozen=True, slots=True)
class ExecutionStatistics:
    """A reading of every queue and count of this room."""

    threads: int
    """Tool threads alive."""
    idle_threads: int
    waiting: int
    """Calls in line for a tool thread; bound: `limits.thread_queue`."""
    running: int
    """Calls in tool threads whose result is wanted; bound: `limits.tool_threads`, and 2 for quick ones."""
    async_running: int
    """`async def` tools whose result is wanted; bound: `limits.async_calls`."""
    main_waiting: int
    """Calls in line for the notebook's main thread; bound: `limits.main_queue`."""
    main_running: int
    """Calls on the main thread whose result is wanted: one `def`, and any number of `async def`."""
    abandoned: int
    """Calls that ended by cancel or timeout and whose code still runs, in threads or as tasks."""
    open_calls: int
    """Calls whose `on_done` is still to come."""
    late_results: int
    """Results that came after their call had ended, since the start."""
    dropped_logs: int
    """Log messages dropped because 1,000 of the same call were waiting, since the start."""
    demoted_tools: int
    """Inline tools that now run in a thread because they were slow, since the start."""


class Execution:
    """Runs calls. Made anywhere; every method is called on the protocol loop's thread.

    `close` it: the threads of one that is dropped with its loop wait until the interpreter ends.

    Args:
        loop: The protocol loop; outcomes come back on it.
        limits: `tool_threads`, `thread_queue`, `async_calls`, `main_queue` and `main_wait_s` are used.
        host: Where the main thread is; None: a process that has nothing of a notebook.
        after_main_job: Called on the main thread when a call has run there and no cell is at work.
        on_demoted: Told once per inline tool that was too slow: its name and a sentence.
        clock_ns: Stamps calls; injected by tests.
        cpu_ns: Processor time of the calling thread; injected by tests.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: Limits,
        *,
        host: Host | None = None,
        after_main_job: Callable[[], None] = lambda: None,
        on_demoted: Callable[[str, str], None] | None = None,
        clock_ns: Clock = time.perf_counter_ns,
        cpu_ns: Clock = time.thread_time_ns,
    ) -> None:
        self._loop = loop
        self._clock_ns = clock_ns
        self._portal = Portal(loop)
        self._run_work = partial(run_work, clock_ns=clock_ns)
        threads = partial(ToolThreads, loop, self._portal, queue=limits.thread_queue, answer=self._receive_outcome)
        self._threads = threads(limit=limits.tool_threads)
        self._quick = threads(limit=QUICK_THREADS, name="mcp-quick")
        self._async = AsyncTools(
            self._portal, limit=limits.async_calls, answer=self._receive_outcome, render=self._render, clock_ns=clock_ns
        )
        self._inline = InlineTools(on_demoted or _announce, clock_ns=clock_ns, cpu_ns=cpu_ns)
        self.main = MainQueue(
            loop,
            self._portal,
            host=host or PlainHost(),
            limit=limits.main_queue,
            wait_s=limits.main_wait_s,
            answer=self._receive_outcome,
            after_job=after_main_job,
            clock_ns=clock_ns,
        )
        """The calls for the notebook's main thread."""
        self._numbers = count(1)
        self._open: dict[str, Call] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._late_results = 0
        self._dropped_logs = 0
        self._closing = False
        self._drained = asyncio.Event()

    # --- making a call ----------------------------------------------------------------------------

    def new_call(
        self,
        name: str,
        run_on: RunOn,
        *,
        function: object = None,
        timeout_s: float | None = None,
        principal: Principal | None = None,
        session: SessionFacts | None = None,
        port: CallPort | None = None,
        owner: str | None = None,
        quick: bool = False,
    ) -> Call:
        """Make a call; set its `work`, and its `finish` where the value is to be rendered, before starting it.

        Args:
            name: The tool's name.
            run_on: `thread`, `async`, `inline` or `main`.
            function: The tool's function as registered; a demotion is remembered for this very object.
            timeout_s: Seconds the code may run, counted from when it starts; None for any time. An inline
                call cannot be interrupted, so it has none.
            principal: Whose credential was presented.
            session: What `ctx` tells of the session.
            port: The exchange this call answers; None when nobody listens.
            owner: Whose share of the tool threads it takes: the session's id; None: nobody's.
            quick: Run it in a thread kept for what takes milliseconds and is ours, where it would run in a tool thread.
        """
        call = Call(f"c{next(self._numbers)}", name, run_on)
        call.function = function
        call.timeout_s = timeout_s
        call.principal = principal
        call.session = session
        call.port = port
        call.owner, call.quick = owner, quick
        call.portal = self._portal
        return call

    def context(self, call: Call) -> Context:
        """`ctx` for a `def` tool."""
        call.context = context = Context(call, self._portal, self._clock_ns)
        return context

    def async_context(self, call: Call) -> AsyncContext:
        """`ctx` for an `async def` tool."""
        call.context = context = AsyncContext(call, self._portal, self._clock_ns)
        return context

    # --- starting and ending ----------------------------------------------------------------------

    def start(self, call: Call, on_done: OnDone) -> None:
        """Run a call.

        Args:
            call: A new call with its `work` set.
            on_done: Called exactly once, on the protocol loop's thread: before `start` returns for an inline
                call and for `Busy`, else later. It must not raise.

        Raises:
            LocalProtocolError: If the call was started before, or has no `work`.
        """
        if call.state is not CallState.NEW or call.work is None:
            raise errors.LocalProtocolError(f"call {call.id} must be new and have its `work` set; it is {call.state.value}")
        call.queued_ns = self._clock_ns()
        STREAMS.look()
        if call.run_on == "inline" and not self._closing and not self._inline.demoted(call):
            self._run_inline(call, on_done)
            return
        call.on_done = on_done
        self._open[call.id] = call
        if self._closing:
            self._end(call, Busy(SHUTTING_DOWN))
        else:
            self._start_elsewhere(call)

    def cancel(self, call: Call, reason: str) -> bool:
        """End a call now: `on_done(Cancelled)` is called before this returns, and what the code still gives is dropped.

        A waiting call is never run. A coroutine gets a CancelledError. Code in a thread is asked through
        `ctx.cancelled` and `ctx.check_cancelled()`; its thread stays occupied until it returns.

        Args:
            call: Any call; one that has ended, or was never started, is left as it is.
            reason: Who cancelled and why, for the tool and the panel.

        Returns:
            Whether the call was still open.
        """
        if call.id not in self._open:
            return False
        self._end(call, Cancelled(reason, may_still_run=self._abandon(call, reason)))
        return True

    async def close(self, grace_s: float) -> None:
        """Refuse new calls, let open ones finish, cancel the rest, end the threads.

        Returns soon after `grace_s` also when code is stuck: that code keeps its daemon thread, which does not
        hold up the interpreter's exit. Cancelling this skips the waiting and does the rest.

        Args:
            grace_s: Seconds that open calls get.
        """
        self._closing = True
        try:
            if self._open:
                await _at_most(grace_s, self._drained.wait())
        finally:
            self.main.stop()
            for call in list(self._open.values()):
                self.cancel(call, "the server is shutting down")
            self._threads.stop()
            self._quick.stop()
            self._async.stop()
        await _at_most(SETTLE_S, self._threads.wait_gone())
        await _at_most(SETTLE_S, self._quick.wait_gone())
        await _at_most(SETTLE_S, self._async.wait_gone())
        self._portal.close()  # also the end of a free thread that was not gone by now

    def find(self, call_id: str) -> Call | None:
        """An open call by its id; None when it has ended. From any thread."""
        return self._open.get(call_id)

    def statistics(self) -> ExecutionStatistics:
        """A reading for the panel and `status()`."""
        return ExecutionStatistics(
            threads=self._threads.threads + self._quick.threads,
            idle_threads=self._threads.idle + self._quick.idle,
            waiting=self._threads.waiting + self._quick.waiting,
            running=self._threads.running + self._quick.running,
            async_running=self._async.running,
            main_waiting=self.main.waiting,
            main_running=self.main.running,
            abandoned=self._threads.abandoned + self._quick.abandoned + self._async.abandoned + self.main.abandoned,
            open_calls=len(self._open),
            late_results=self._late_results,
            dropped_logs=self._dropped_logs,
            demoted_tools=self._inline.demotions,
        )

    def abandon_in_child(self) -> None:
        """After a fork, on the child's main thread: what waits and runs here is the parent's, and nothing is told any more."""
        self.main.abandon_in_child()
        self._portal.close()

    # --- inside -----------------------------------------------------------------------------------

    def _run_inline(self, call: Call, on_done: OnDone) -> None:
        """Begins and ends here, so nobody can cancel it or wait for it meanwhile: it is never among the open calls."""
        outcome = self._inline.run(call)
        if call.output is not None:
            call.output.end()
        call.state = CallState.ENDED
        self._dropped_logs += call.dropped_logs
        try:
            on_done(call, outcome)
        finally:
            call.let_go()

    def _start_elsewhere(self, call: Call) -> None:
        if call.run_on == "async":
            refusal = self._async.start(call)
        elif call.run_on == "main":
            refusal = self.main.submit(call)
        else:
            call.run_on = "thread"
            refusal = self._pool(call).submit(call, self._run_work)
        if refusal is not None:
            self._end(call, Busy(refusal))
        elif call.timeout_s is not None:
            self._timers[call.id] = self._loop.call_later(call.timeout_s, self._check_time, call, call.timeout_s)

    def _pool(self, call: Call) -> ToolThreads:
        return self._quick if call.quick else self._threads

    def _render(self, call: Call, value: object) -> None:
        if call.state is CallState.ENDED:
            self._late_results += 1
        else:
            self._pool(call).submit(call, partial(render_value, value=value, clock_ns=self._clock_ns), past_bound=True)

    def _receive_outcome(self, call: Call, outcome: Outcome) -> None:
        if call.state is not CallState.ENDED:
            self._end(call, outcome)
        elif call.started_ns:
            self._late_results += 1

    def _check_time(self, call: Call, timeout_s: float) -> None:
        # The thread stamps `started_ns` without telling the loop, which saves a hop per call; a call that
        # waited in line first is therefore met here early, and gets what it has left.
        # Waiting for the client's answer is not running: nobody's code can hurry a person.
        now_ns = self._clock_ns()
        left_ns = int(timeout_s * 1e9) - (now_ns - call.started_ns - call.asking_ns(now_ns) if call.started_ns else 0)
        if left_ns > ALMOST_NS:
            self._timers[call.id] = self._loop.call_later(left_ns / 1e9, self._check_time, call, timeout_s)
        else:
            self._abandon(call, f"it ran longer than its {timeout_s:g} s")
            self._end(call, TimedOut(timeout_s))

    def _abandon(self, call: Call, reason: str) -> bool:
        call.cancel_reason = reason
        call.cancelled = True
        if call.run_on == "main":
            return self.main.drop(call)
        dropped = self._pool(call).drop(call)
        return self._async.cancel(call) or dropped

    def _end(self, call: Call, outcome: Outcome) -> None:
        if call.output is not None:
            call.output.end()
        call.state = CallState.ENDED
        for question in tuple(call.questions):
            question.fail(errors.Cancelled(call.cancel_reason or "the call has ended"))
        del self._open[call.id]
        if timer := self._timers.pop(call.id, None):
            timer.cancel()
        if not call.finished_ns:
            call.finished_ns = self._clock_ns()
        self._dropped_logs += call.dropped_logs
        on_done, call.on_done = call.on_done, None
        try:
            if on_done is not None:
                on_done(call, outcome)
        finally:
            call.let_go()
            if self._closing and not self._open:
                self._drained.set()


def _announce(name: str, sentence: str) -> None:
    logger.warning("%s: %s", name, sentence)


async def _at_most(seconds: float, waiting: Awaitable[object]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await waiting

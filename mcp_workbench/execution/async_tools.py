"""The loop that runs `async def` tools: one daemon thread, `mcp-async-tools`, started by the first of them.

A tool that blocks there hurts only other async tools, never sockets or sessions. Values travel back to
the protocol loop, which has them rendered in a tool thread; only values that cost nothing to render
(None, a bool, a number, a short text) are rendered where they are, which saves two thread hops.

Cancelling is asking: the task gets a CancelledError, its result is not waited for. A tool that swallows
it is *abandoned*; like an abandoned thread it does not count against the limit until `2 * limit` tasks
exist in all, and it keeps nobody waiting but this thread, which ends when the last task does.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextvars import copy_context
from inspect import isawaitable

from mcp_workbench.execution.calls import (
    Call,
    CallState,
    Cancelled,
    Clock,
    Outcome,
    Raised,
    current_call,
    from_user_code,
    refuse_unawaited,
    run_finish,
)
from mcp_workbench.execution.portal import Portal
from mcp_workbench.sharing import Shares

logger = logging.getLogger("mcp_workbench")

SHORT_TEXT = 4096
"""Characters up to which a text is rendered on the loop of async tools."""
COSTS_NOTHING = frozenset({type(None), bool, int, float})
"""Exact types whose values are rendered there too."""


class AsyncTools:
    """Starts and cancels the coroutines of calls. Everything here: the protocol loop's thread only."""

    def __init__(
        self,
        portal: Portal,
        *,
        limit: int,
        answer: Callable[[Call, Outcome], None],
        render: Callable[[Call, object], None],
        clock_ns: Clock,
    ) -> None:
        self._portal = portal
        self._limit = limit
        self._answer = answer
        self._render = render
        self._clock_ns = clock_ns
        self._tool_loop: ToolLoop | None = None
        self._running: set[str] = set()
        self._abandoned: set[str] = set()
        self._wanted = Shares(limit)
        self._gone = asyncio.Event()

    @property
    def running(self) -> int:
        """Coroutines whose result is still wanted."""
        return self._wanted.total

    @property
    def abandoned(self) -> int:
        """Coroutines that were cancelled, or timed out, and have not ended."""
        return len(self._abandoned)

    def start(self, call: Call) -> str | None:
        """Run `call.work()` as a task of its own in a fresh context.

        Returns:
            None when it was taken, else the sentence that says what is full.
        """
        wanted = self._wanted
        if wanted.full or len(self._running) >= 2 * self._limit:
            return f"{len(self._running)} async tools run already; try again when some have ended"
        if not wanted.may_take(call.holder):
            return f"{wanted.held(call.holder)} async tools run for this client already, which is its share; try again when some have ended"
        if self._tool_loop is None:
            self._tool_loop = ToolLoop(self)
        self._running.add(call.id)
        wanted.take(call.holder)
        call.state = CallState.RUNNING
        self._tool_loop.portal.post(self._tool_loop.begin, call)
        return None

    def cancel(self, call: Call) -> bool:
        """Ask the task to end; nobody waits for it any more.

        Returns:
            Whether its code may still run.
        """
        if call.id not in self._running or self._tool_loop is None:
            return False
        if call.id not in self._abandoned:
            self._abandoned.add(call.id)
            self._wanted.give_back(call.holder)
        self._tool_loop.portal.post(self._tool_loop.cancel, call.id)
        return True

    def stop(self) -> None:
        """Cancel every task and end the thread after the last one. Nothing may be started after."""
        if self._tool_loop is None:
            self._gone.set()
        else:
            self._tool_loop.portal.post(self._tool_loop.stop)

    async def wait_gone(self) -> None:
        """Wait until the thread has ended; with a stuck tool, for ever."""
        await self._gone.wait()
        if self._tool_loop is not None:
            self._tool_loop.thread.join()  # it has said goodbye and runs no code of anybody's any more

    # --- what the tool loop sends home ------------------------------------------------------------

    def post_ended(self, call: Call, outcome: Outcome) -> None:
        """The coroutine has ended and there is nothing left to render. Any thread."""
        self._portal.post(self._take_ended, call, outcome)

    def post_returned(self, call: Call, value: object) -> None:
        """The coroutine returned a value that may be dear to render. Any thread."""
        self._portal.post(self._take_returned, call, value)

    def post_gone(self) -> None:
        """The thread ends. Any thread."""
        self._portal.post(self._gone.set)

    @property
    def clock_ns(self) -> Clock:
        """Stamps the calls."""
        return self._clock_ns

    def _take_ended(self, call: Call, outcome: Outcome) -> None:
        self._forget(call)
        self._answer(call, outcome)

    def _take_returned(self, call: Call, value: object) -> None:
        self._forget(call)
        self._render(call, value)

    def _forget(self, call: Call) -> None:
        self._running.discard(call.id)
        if call.id in self._abandoned:
            self._abandoned.remove(call.id)
        else:
            self._wanted.give_back(call.holder)


class ToolLoop:
    """The thread `mcp-async-tools` and its loop. Made by the protocol loop; everything else happens on its own thread."""

    def __init__(self, home: AsyncTools) -> None:
        self._home = home
        self._clock_ns = home.clock_ns
        self._loop = asyncio.new_event_loop()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._rest: set[asyncio.Task[None]] = set()
        self._finished = False
        self.portal = Portal(self._loop)
        self.thread = threading.Thread(target=self._main, name="mcp-async-tools", daemon=True)
        self.thread.start()

    def begin(self, call: Call) -> None:
        """Start the call's task."""
        self._loop.create_task(self._run(call), name=f"{call.id} {call.name}", context=copy_context())

    def cancel(self, call_id: str) -> None:
        """Throw CancelledError into the call's task; one that has not taken its first step sees `call.cancelled` instead."""
        task = self._tasks.get(call_id)
        if task is not None:
            task.cancel()

    def stop(self) -> None:
        """Cancel every task, also those the tools started themselves, and finish after the last one."""
        # One turn later, so that a call begun in this turn takes its first step and reports its end.
        self._loop.call_soon(self._cancel_rest)

    def _cancel_rest(self) -> None:
        self._rest = asyncio.all_tasks(self._loop)
        for task in self._rest:
            task.cancel()
            task.add_done_callback(self._note_done)
        if not self._rest:
            self._finished = True
            self._loop.stop()

    def _note_done(self, task: asyncio.Task[None]) -> None:
        self._rest.discard(task)
        if not self._rest:
            self._cancel_rest()  # the last ones may have started others on their way out

    async def _run(self, call: Call) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is a task's coroutine
        self._tasks[call.id] = task
        try:
            await self._run_work(call)
        finally:
            del self._tasks[call.id]

    async def _run_work(self, call: Call) -> None:
        work = call.work
        if call.is_over() or work is None:
            self._home.post_ended(call, Cancelled(call.cancel_reason))
            return
        current_call.set(call)
        call.started_ns = self._clock_ns()
        try:
            value = work()
            if isawaitable(value):
                value = await value
            refuse_unawaited(call.name, value)
        except BaseException as error:  # noqa: BLE001 - the named boundary: user code ends here, whatever it raises
            self._home.post_ended(call, Raised(from_user_code(error)))
            return
        call.returned_ns = self._clock_ns()
        if call.is_over() or (call.drawings is None and costs_nothing(value)):
            self._home.post_ended(call, run_finish(call, value, self._clock_ns))
        else:
            self._home.post_returned(call, value)

    def _main(self) -> None:
        while not self._finished:
            try:
                self._loop.run_forever()
            except BaseException:  # asyncio lets SystemExit and KeyboardInterrupt of a tool's own tasks end the loop
                logger.exception("a task started by an async tool tried to end the loop of async tools; the loop goes on")
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()
        self._home.post_gone()


def costs_nothing(value: object) -> bool:
    """Whether rendering is certain to be quick: exact types only, as a subclass may carry a costly `__str__`."""
    if isinstance(value, str):
        return type(value) is str and len(value) <= SHORT_TEXT
    return type(value) in COSTS_NOTHING

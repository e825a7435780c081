"""Coroutines on the main thread: one call's `async def`, as a task of a running loop or run to its end.

Where the kernel's loop runs, the call is a task of it and may use its objects. Where none runs (a script, a
terminal between two prompts) the coroutine is run to its end on the loop the host names, or on one of its own.
A task that waits blocks nobody, so an interrupt is none of its business: its caller can cancel it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

from mcp_workbench.execution.calls import (
    Call,
    Cancelled,
    Clock,
    Outcome,
    Raised,
    current_call,
    from_user_code,
    refuse_unawaited,
    run_finish,
)
from mcp_workbench.interrupts import Interrupts, interruptible


async def run_coroutine(call: Call, clock_ns: Clock) -> Outcome:
    """Run `call.work()`, await it and render its value, each step of it interruptible.

    Returns:
        As `run_work`; `Raised` also for a CancelledError, whose call has ended by then.
    """
    work = call.work
    if call.is_over() or work is None:
        return Cancelled(call.cancel_reason)
    current_call.set(call)
    call.started_ns = clock_ns()
    coroutine: Coroutine[Any, Any, object] | None = None
    try:
        with Interrupts():  # it is made and known, or neither
            coroutine = cast("Coroutine[Any, Any, object]", work())
        value = await interruptible(coroutine)
        refuse_unawaited(call.name, value)
        call.returned_ns = clock_ns()
        with Interrupts() as interrupts:
            return interrupts.run(run_finish, call, value, clock_ns)
    except GeneratorExit:  # the loop is gone
        raise
    except BaseException as error:  # noqa: BLE001 - the named boundary: user code ends here, whatever it raises
        if coroutine is not None:  # the interrupt may have come before its first step, or between two
            coroutine.close()
        return Raised(from_user_code(error))


def run_to_end(
    call: Call, clock_ns: Clock, *, loop: asyncio.AbstractEventLoop | None, begun: Callable[[asyncio.Task[Outcome]], None]
) -> Outcome:
    """The same where no loop runs, in the foreground.

    Args:
        call: Its `work` makes a coroutine.
        clock_ns: Stamps it.
        loop: The loop to run it on; None: one of its own, with all that belongs to it.
        begun: Given the task before its first step.

    Raises:
        KeyboardInterrupt: It came while the coroutine waited; the coroutine was cancelled.
    """
    if loop is not None:
        return _run_on(loop, call, clock_ns, begun)
    # With a factory the runner leaves alone what the thread's own event loop is.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return _run_on(runner.get_loop(), call, clock_ns, begun)


def _run_on(loop: asyncio.AbstractEventLoop, call: Call, clock_ns: Clock, begun: Callable[[asyncio.Task[Outcome]], None]) -> Outcome:
    task = loop.create_task(run_coroutine(call, clock_ns))
    begun(task)
    try:
        return loop.run_until_complete(task)
    except BaseException:
        task.cancel()
        loop.run_until_complete(asyncio.wait((task,)))
        raise


def a_loop_runs_here() -> bool:
    """Whether the calling code was called by an event loop of this thread, which waits for it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True

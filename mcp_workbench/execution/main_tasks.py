"""Coroutines on the main thread: one call's `async def`, as a task of a running loop or run to its end.

Where the kernel's loop runs, the call is a task of it and may use its objects. Where none runs (a script, a
terminal between two prompts) the coroutine is run to its end on the loop the host names, or on one of its own.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from mcp_workbench.execution.calls import Call, Cancelled, Clock, Outcome, Raised, from_user_code, refuse_unawaited, run_finish
from mcp_workbench.execution.interrupts import Interrupts, interruptible


async def run_coroutine(call: Call, clock_ns: Clock) -> Outcome:
    """Run `call.work()`, await it and render its value, each step of it interruptible.

    Returns:
        As `run_work`; `Raised` also for a CancelledError, whose call has ended by then.
    """
    work = call.work
    if call.is_over() or work is None:
        return Cancelled(call.cancel_reason)
    call.started_ns = clock_ns()
    try:
        value = await interruptible(cast("Any", work()))
        refuse_unawaited(call.name, value)
        call.returned_ns = clock_ns()
        with Interrupts() as interrupts:
            return interrupts.run(run_finish, call, value, clock_ns)
    except GeneratorExit:  # the loop is gone
        raise
    except BaseException as error:  # noqa: BLE001 - the named boundary: user code ends here, whatever it raises
        return Raised(from_user_code(error))


def run_to_end(call: Call, clock_ns: Clock, *, loop: asyncio.AbstractEventLoop | None) -> Outcome:
    """The same where no loop runs, in the foreground.

    Args:
        call: Its `work` makes a coroutine.
        clock_ns: Stamps it.
        loop: The loop to run it on; None: one of its own.

    Raises:
        KeyboardInterrupt: It came while the coroutine waited; the coroutine was cancelled.
    """
    own = asyncio.new_event_loop() if loop is None else loop
    try:
        task = own.create_task(run_coroutine(call, clock_ns))
        try:
            return own.run_until_complete(task)
        except BaseException:
            task.cancel()
            own.run_until_complete(task)
            raise
    finally:
        if loop is None:
            own.run_until_complete(own.shutdown_asyncgens())
            own.close()

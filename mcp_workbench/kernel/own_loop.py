"""A coroutine run to its end while the cell waits, on a loop and thread of its own.

The main thread has a loop already, which a cell blocks while it runs; the protocol loop is for the server alone. So what a
magic awaits gets a thread for as long as it takes. The cell waits by a function it is given, and an interrupt of that waiting
cancels the coroutine.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")

CANCEL_PATIENCE_S = 2.0
"""How long a cancelled coroutine may take to say goodbye before the cell goes on without it."""


class _Run(Generic[T]):
    """One coroutine on its thread."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self.future: Future[T] = Future()
        self._make = make
        self._cancelled = False
        self._lock = threading.Lock()
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None

    def run(self) -> None:
        """The thread."""
        try:
            self.future.set_result(asyncio.run(self._body()))
        except BaseException as error:  # noqa: BLE001  # whatever ends the coroutine is raised where the cell waits
            self.future.set_exception(error)

    async def _body(self) -> T:
        task = asyncio.current_task()
        if task is not None:
            with self._lock:
                self._running = asyncio.get_running_loop(), task
                if self._cancelled:
                    task.cancel()
        return await self._make()

    def cancel(self) -> None:
        """From another thread."""
        with self._lock:
            self._cancelled = True
            if self._running is not None:
                loop, task = self._running
                with suppress(RuntimeError):  # it has ended, and its loop with it
                    loop.call_soon_threadsafe(task.cancel)


def run_on_own_loop(make: Callable[[], Coroutine[Any, Any, T]], wait: Callable[[Future[T]], T]) -> T:
    """Run a coroutine to its end.

    Args:
        make: Makes the coroutine, on its own thread.
        wait: Waits for a future, on this thread.

    Returns:
        What the coroutine returns; what it raises is raised.

    Raises:
        KeyboardInterrupt: The waiting was interrupted; the coroutine is cancelled then.
    """
    run = _Run(make)
    thread = threading.Thread(target=run.run, name="mcp-workbench-magic", daemon=True)
    thread.start()
    try:
        return wait(run.future)
    except BaseException:
        run.cancel()
        raise
    finally:
        thread.join(CANCEL_PATIENCE_S)

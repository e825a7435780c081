"""The thread `mcp-workbench` and its asyncio loop.

Every socket, session and message lives on this loop. Other threads reach it through three doors: `call`
(wait for a function's result), `run` (wait for a coroutine) and `post` (do not wait). The waiting ones
refuse to be used from the loop itself, where they would wait for ever.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import logging
import threading
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

from mcp_workbench.errors import LocalProtocolError
from mcp_workbench.tasks import start_task

logger = logging.getLogger("mcp_workbench")

T = TypeVar("T")

THREAD_NAME = "mcp-workbench"
TOLD_EVERY_S = 60.0
"""Between two warnings that no file descriptor is left."""


class Engine:
    """Owns the protocol loop. Made and stopped by any thread; daemon, so it never delays the interpreter's exit."""

    def __init__(self, name: str = THREAD_NAME) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._log_error)
        self._out_of_files_told = float("-inf")
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._abandoned = self._stop_asked = False

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The protocol loop."""
        return self._loop

    @property
    def running(self) -> bool:
        """Whether the thread is alive, in this process."""
        return self._thread.is_alive() and not self._abandoned

    @property
    def is_here(self) -> bool:
        """Whether the caller runs on the loop's thread."""
        return threading.current_thread() is self._thread

    def start(self) -> None:
        """Begin; returns once the thread runs."""
        self._thread.start()

    def post(self, function: Callable[..., object], *args: object) -> bool:
        """Have the loop call a function, from any thread, without waiting.

        Returns:
            False when the loop is closed and nothing will be called.
        """
        try:
            # A context of nobody: what a tool posts must not run as if it were the tool.
            self._loop.call_soon_threadsafe(function, *args, context=Context())
        except RuntimeError:  # the loop was closed: at exit, after stop()
            return False
        return True

    def call(self, function: Callable[..., T], *args: object, timeout_s: float = 30.0) -> T:
        """Have the loop call a function and wait for what it returns or raises.

        Raises:
            LocalProtocolError: Called on the loop's own thread.
            TimeoutError: The loop was blocked for `timeout_s` seconds.
        """

        async def once() -> T:
            return function(*args)

        return self.run(once(), timeout_s=timeout_s)

    def run(self, coroutine: Coroutine[Any, Any, T], *, timeout_s: float = 30.0) -> T:
        """Run a coroutine on the loop and wait for it; raises as `call`. When time is up it goes on unwatched."""
        if self.is_here:
            coroutine.close()
            raise LocalProtocolError("waiting for the protocol loop on its own thread would never end")
        answer: concurrent.futures.Future[T] = concurrent.futures.Future()
        if not self.post(self._begin, coroutine, answer):
            coroutine.close()
            raise RuntimeError("the server's loop is closed: it was stopped, or the interpreter is exiting")
        return answer.result(timeout_s)

    def _begin(self, coroutine: Coroutine[Any, Any, T], answer: concurrent.futures.Future[T]) -> None:
        async def carry() -> None:
            try:
                answer.set_result(await coroutine)
            except BaseException as error:  # noqa: BLE001  # a named boundary: it is raised on the waiting thread
                answer.set_exception(error)

        # Cancelled before its first step, it would leave behind a coroutine that was never begun.
        start_task(carry(), name="engine.run").add_done_callback(lambda _: coroutine.close())

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the loop and its thread; whatever still runs on it is cancelled."""
        if self.running and not self.is_here:
            self._stop_asked = True
            self.post(self._loop.stop)
            self._thread.join(timeout_s)

    def abandon_in_child(self) -> None:
        """After a fork: the thread exists only in the parent; never touch the loop here again."""
        self._abandoned = True

    def _log_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Never print into a cell: what reaches the loop's last handler goes to the log."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            self._tell_out_of_files()
        else:
            logger.error("protocol loop: %s", context.get("message"), exc_info=error if isinstance(error, BaseException) else None)

    def _tell_out_of_files(self) -> None:
        """Say it once a minute: asyncio waits a second and tries again, some hundred times each."""
        now = self._loop.time()
        if now - self._out_of_files_told >= TOLD_EVERY_S:
            self._out_of_files_told = now
            logger.warning("no connection can be accepted: no file descriptor is left (ulimit -n); it is tried again every second")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._run_until_stopped()
        finally:
            _cancel_all(self._loop)
            self._loop.close()

    def _run_until_stopped(self) -> None:
        while True:
            try:
                self._loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                # asyncio lets these two through a task: one of users' code would end every connection there is.
                logger.exception("protocol loop: a task wanted to end the program; the loop goes on")
                if not self._stop_asked:
                    continue
            return


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=1.0))
    loop.run_until_complete(loop.shutdown_asyncgens())

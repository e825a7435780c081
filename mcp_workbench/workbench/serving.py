"""Serving and ceasing to: start, stop, wait, and the host of a script on stdin and stdout."""

from __future__ import annotations

import asyncio
import atexit
import functools
import threading
import warnings
import weakref
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Self, TypeVar

from mcp_workbench.assembly import RunningServer
from mcp_workbench.errors import WorkbenchError
from mcp_workbench.hosts import PlainHost, current_host
from mcp_workbench.platforms import call_in_forked_children
from mcp_workbench.settings import Settings

if TYPE_CHECKING:
    import concurrent.futures
    from types import TracebackType

    from mcp_workbench.stdio_host import StdioHost


from mcp_workbench.workbench.core import Core

T = TypeVar("T")

EXIT_GRACE_S = 0.5
STOP_PATIENCE_S = 5.0
"""How long the loop may be blocked before `stop()` gives it up."""


class Serving(Core):
    """Starting and stopping."""

    def start(self, name: str | None = None, **settings: Any) -> Self:
        """Start the server; on a running one it changes nothing.

        Args:
            name: Shown to clients; default: the notebook's name.
            settings: host ("127.0.0.1"), port (0: any), http (False; True: Streamable HTTP too), http_port (0: any),
                switch_interval (0.0005 s), limits (`Limits()`), allow_remote (False), allowed_hosts (()),
                allowed_origins (()), builtin_tools (True), channels (False). Each may also come from `MCP_WORKBENCH_…`.

        Returns:
            This Workbench.

        Raises:
            ValueError: A setting makes no sense, or opens more than `allow_remote` permits.
            OSError: The port is taken.
        """
        given = self._given | ({} if name is None else {"name": name}) | settings
        if self._forked:
            raise WorkbenchError("this process was forked from one that runs the server: make a Workbench of its own with wb.Workbench()")
        wanted = Settings.read(given)
        with self._starting:
            if self._running is None:
                from mcp_workbench.views.door import ViewDoor  # not before it is needed: it takes as long as all of this package

                self._view_door = ViewDoor(self._offer)
                self._running = RunningServer(self._offer, wanted, self._following(), [self._view_door], found=self._stdio is None)
                self._given, self._settings = given, wanted
                atexit.register(self._stop_at_exit)
                self._watch_forks()
                if self._display is not None:
                    self._display.go_on()
        if wanted != self._running.settings:
            asked = ", ".join(f"{name}={value!r}" for name, value in self._differing(wanted, self._running.settings))
            warnings.warn(
                f"the server already runs at {self.url}, and with other settings than {asked}; nothing was changed: wb.stop() first",
                stacklevel=2,
            )
        return self

    @staticmethod
    def _differing(wanted: Settings, running: Settings) -> list[tuple[str, Any]]:
        pairs = ((each.name, getattr(wanted, each.name)) for each in fields(Settings))
        return [(name, value) for name, value in pairs if value != getattr(running, name)]

    def stop(self) -> None:
        """Stop the server: refuse new calls, let running ones end (`limits.stop_grace_s`), close every connection.

        What was registered stays; `start()` serves it again. Calling it on a stopped server does nothing.

        Raises:
            WorkbenchError: Called by an inline tool, on the server's own thread, which cannot wait for itself.
        """
        self._stop(self._settings.limits.stop_grace_s, STOP_PATIENCE_S)

    def _stop(self, grace_s: float, patience_s: float) -> None:
        if self._running is not None and self._running.on_own_thread:
            raise WorkbenchError('an inline tool cannot stop the server it runs on: register it without run_on="inline"')
        with self._starting:
            running, self._running = self._running, None
        if running is not None:
            atexit.unregister(self._stop_at_exit)
            try:
                running.close(grace_s, patience_s)
            finally:
                if self._display is not None:
                    self._display.rest()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the server is stopped, and lend this thread to tools with `run_on="main"` meanwhile: the last line of a script.

        On other threads than the main one it only waits.

        Args:
            timeout_s: Seconds after which it gives up waiting; a call that runs then is run to its end. None: never.

        Returns:
            Whether the server was stopped.

        Raises:
            KeyboardInterrupt: Ctrl-C, or the notebook's interrupt, came while no tool ran; one that runs is ended instead.
            WorkbenchError: The server is not running, or this is its own thread.
        """
        try:
            self._wait_for(self._server().stopped, timeout_s)
        except TimeoutError:
            return False
        return True

    def reserve_stdio(self) -> None:
        """Take stdin and stdout for `run_stdio()` now: the first line of a stdio server that prints before it serves.

        From here on what is printed goes to stderr, flushed or not, by Python, C code and programs that are started; `run_stdio()`
        alone does so only from its own line on. What was printed before, and flushed (`PYTHONUNBUFFERED=1` and `python -u` flush every
        print), has reached the host already.

        Raises:
            WorkbenchError: This is a notebook or IPython, which no host has started.
        """
        self._stdio_host()

    def _stdio_host(self) -> StdioHost:
        from mcp_workbench.stdio_host import StdioHost  # not before the first use, as in show()

        if not isinstance(current_host(), PlainHost):
            raise WorkbenchError("run_stdio() is the last line of a script that an agent's host starts; here it is start()")
        if self._stdio is None:
            self._stdio = StdioHost()
        return self._stdio

    def run_stdio(self, name: str | None = None, **settings: Any) -> None:
        """Serve the host that started this script, on its stdin and stdout, until it ends: the last line of a stdio server.

        Blocks like `wait()`, and lends this thread to tools with `run_on="main"`. The server is started if it does not run; then
        `mcp-workbench panel` shows it, and the bridge, which looks for notebooks, does not find it. What is printed goes to stderr,
        also what was printed before and not flushed (8 KiB); for what is printed before and flushed there is `reserve_stdio()`. When
        the host has closed stdin, what runs may still answer for 1 s; then the server is stopped. A Ctrl-C that a host's terminal sends
        to all is not for it, but for a `run_on="main"` tool that runs.

        Args:
            name: Shown to clients; default: the script's name.
            settings: As `start()` takes them.

        Raises:
            KeyboardInterrupt: Ctrl-C in a terminal in which a person has started it.
            ValueError: A setting makes no sense, or opens more than `allow_remote` permits.
            WorkbenchError: This is a notebook or IPython, which no host has started.
        """
        host = self._stdio_host()
        with host.ignoring_interrupts():
            try:
                self.start(name, **settings)
                host.serve(self._server())
                self._wait_for(host.over)
            finally:
                self._stop(0, STOP_PATIENCE_S)
                host.close()
                self._stdio = None

    def _wait_for(self, future: concurrent.futures.Future[T], timeout_s: float | None = None) -> T:
        """As `future.result(timeout_s)`; on the main thread, calls that are queued for it run meanwhile, which it may be waiting for."""
        running = self._running
        if running is None:
            return future.result(timeout_s)
        if running.on_own_thread:
            raise WorkbenchError('an inline tool cannot wait on the server\'s own thread: register it without run_on="inline"')
        return running.execution.main.pump_until(future, timeout_s)

    def _stop_at_exit(self) -> None:
        serves = self._running is not None  # a fork does not, and the display is its parent's
        with suppress(WorkbenchError):  # a loop that is blocked now will not be waited for: its thread is a daemon
            self._stop(EXIT_GRACE_S, EXIT_GRACE_S)
        if serves and self._display is not None:
            self._display.end()

    def _watch_forks(self) -> None:
        if not self._watches_forks:
            call_in_forked_children(functools.partial(_mark_forked, weakref.ref(self)))
            self._watches_forks = True

    async def __aenter__(self) -> Self:
        """Start."""
        return self.start()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop, without blocking the calling loop."""
        await asyncio.to_thread(self.stop)

    # --- where it is ---------------------------------------------------------------------------------------


def _mark_forked(reference: weakref.ref[Serving]) -> None:
    """In a forked child: our sockets belong to the parent."""
    workbench = reference()
    if workbench is not None and workbench._running is not None:  # noqa: SLF001  # the class above
        workbench._starting, workbench._registering = threading.Lock(), threading.Lock()  # noqa: SLF001  # held by threads that are not here
        workbench._showing = threading.Lock()  # noqa: SLF001  # the same
        if workbench._notebook is not None:  # noqa: SLF001  # the class above
            workbench._notebook.registrar.lock = threading.Lock()  # noqa: SLF001  # the class above
        if workbench._stdio is not None:  # noqa: SLF001  # the class above
            workbench._stdio.close_in_child()  # noqa: SLF001  # the class above
        running, workbench._running = workbench._running, None  # noqa: SLF001  # the class above
        workbench._forked = True  # noqa: SLF001  # the class above
        running.abandon_in_child()

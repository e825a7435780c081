"""`wb.run_stdio()`: the host that started this script, as one more session of its server.

The host has this process's stdin and stdout from the moment it is made; its requests go the way all others do, and it
is a principal of its own. Knows a `RunningServer` and nothing above; who waits for its end, and stops the server then, is
the Workbench. What is printed is kept apart by `transports.stdio` and, in calls, by `execution.output`.
"""

from __future__ import annotations

import concurrent.futures
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mcp_workbench.assembly import RunningServer
from mcp_workbench.events import STDIO, Principal
from mcp_workbench.jsonrpc import ErrorCode, encode_error
from mcp_workbench.tasks import start_task
from mcp_workbench.transports.stdio import HostChannel, TakenStdio

LAST_ANSWERS_S = 1.0
"""How long what was asked before the end of stdin may still take."""
FOR_PEOPLE = (
    "This is an MCP server: an agent's host starts it and speaks to it on stdin. Ctrl-D ends it; `wb.start(); wb.wait()` is for people.\n"
)


class StdioHost:
    """Takes stdin and stdout. Made, waited for and closed on the thread that serves; `_accept` and `_end` run on the protocol loop."""

    def __init__(self) -> None:
        self.by_hand = os.isatty(0)
        """Whether a person has started it in a terminal, instead of a host."""
        if self.by_hand:
            sys.stderr.write(FOR_PEOPLE)
        self.over: concurrent.futures.Future[None] = concurrent.futures.Future()
        """Done when the host has ended, or the server."""
        self._pipes: TakenStdio = TakenStdio.take()
        self._channel: HostChannel | None = None

    def serve(self, running: RunningServer) -> None:
        """Begin."""
        running.stopped.add_done_callback(lambda _: self._settle())
        running.post(self._accept, running)

    def close(self) -> None:
        """Give the descriptors back where no channel has them."""
        if self._channel is None:
            self.close_in_child()

    def close_in_child(self) -> None:
        """After a fork: the host is the parent's, and shall hear that it has ended."""
        for descriptor in (self._pipes.source, self._pipes.sink):
            with suppress(OSError):
                os.close(descriptor)

    @contextmanager
    def ignoring_interrupts(self) -> Iterator[None]:
        """A Ctrl-C in the terminal of a host reaches all that it has started, and is meant for what its agent does."""
        if self.by_hand or threading.current_thread() is not threading.main_thread():
            yield
            return
        # A function, because SIG_IGN would be inherited by programs that tools start.
        before = signal.signal(signal.SIGINT, _ignore)
        try:
            yield
        finally:
            if before is not None:  # a handler that Python did not set, and could not set again
                signal.signal(signal.SIGINT, before)

    def _accept(self, running: RunningServer) -> None:
        most = running.settings.limits.max_message_bytes
        too_long = f"Invalid request: a message may have at most {most:,} bytes; this one was longer and was not read. Pass data by name."
        self._channel = HostChannel(
            self._pipes,
            lambda: self._end(running),
            max_message_bytes=most,
            too_long=encode_error(None, ErrorCode.INVALID_REQUEST, too_long),
        )
        # Claude Code asks for the newest revision first, and would hear nothing of the channel there.
        modern = not running.settings.channels
        self._channel.open(running.sessions.accept(self._channel, Principal(STDIO), modern=modern))

    def _end(self, running: RunningServer) -> None:
        start_task(self._let_answer(running), name="stdio.last answers")

    async def _let_answer(self, running: RunningServer) -> None:
        await running.sessions.settle(LAST_ANSWERS_S)
        self._settle()

    def _settle(self) -> None:
        with suppress(concurrent.futures.InvalidStateError):  # the host and the server may end at the same time
            self.over.set_result(None)


def _ignore(_signal: int, _frame: types.FrameType | None) -> None:
    """A handler."""

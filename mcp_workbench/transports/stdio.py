"""This process as somebody's stdio server: its stdout belongs to the protocol from then on.

Everything else that is printed, by Python, C code or children, goes to stderr, and what was printed before and not
written yet too. The other way round, a command as our server, is `command` beside it; the pipes are in `pipes`.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.limits import MIB
from mcp_workbench.transports.pipes import PipeChannel


def take_stdio(*, max_message_bytes: int = 64 * MIB, too_long: bytes | None = None) -> PipeChannel:
    """Make this process's stdin and stdout a channel, once; from then on prints go to stderr and stdin is empty.

    Args:
        max_message_bytes: Longest text accepted.
        too_long: What to send for a longer one, which is then read over; None: it ends the channel with 1009.
    """
    pipes = TakenStdio.take()
    return PipeChannel(pipes.source, pipes.sink, remote="host", max_message_bytes=max_message_bytes, too_long=too_long)


@dataclass(frozen=True, slots=True)
class TakenStdio:
    """This process's stdin and stdout, kept for the protocol; a channel may be made of them on another thread."""

    source: int
    """Descriptor that was stdin."""
    sink: int
    """Descriptor that was stdout."""

    @classmethod
    def take(cls) -> Self:
        """Take them, once.

        Raises:
            WorkbenchError: One of them is closed.
        """
        source, sink = _open_ones()
        empty = os.open(os.devnull, os.O_RDONLY)
        os.dup2(empty, 0)
        os.close(empty)
        os.dup2(2, 1)
        sys.stdout.flush()  # only now: what was printed and not written yet is no message either
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)  # as stderr, among whose lines it is from now on
        return cls(source, sink)


class HostChannel(PipeChannel):
    """A channel to a host whose closed stdin is no end yet: what it asked before may still be answered, until `close`.

    Args:
        pipes: This process's.
        on_end: Called once, on the loop, when nothing more will come; then `close` it.
        max_message_bytes: Longest text accepted.
        too_long: What to send for a longer one, which is then read over.
    """

    def __init__(self, pipes: TakenStdio, on_end: Callable[[], None], *, max_message_bytes: int, too_long: bytes) -> None:
        super().__init__(pipes.source, pipes.sink, remote="host", max_message_bytes=max_message_bytes, too_long=too_long)
        self._on_end: Callable[[], None] | None = on_end

    @property
    def _over(self) -> bool:
        return self._closing and super()._over

    def _tell_end(self) -> None:
        if self._end is not None and not self._texts and self._on_end is not None:
            on_end, self._on_end = self._on_end, None
            on_end()
        super()._tell_end()


def _open_ones() -> tuple[int, int]:
    """Copies of stdin and stdout."""
    closed = "stdin, stdout or stderr is closed: a host speaks to this program on the first two, so start it with all three open"
    # Where a program was started with one of them closed its number may belong to any other file by now.
    if None in (sys.__stdin__, sys.__stdout__, sys.__stderr__) or sys.stdout is None or sys.stdout.closed:
        raise WorkbenchError(closed)
    try:
        os.fstat(2)
        source = os.dup(0)
    except OSError:
        raise WorkbenchError(closed) from None
    try:
        return source, os.dup(1)
    except OSError:
        os.close(source)
        raise WorkbenchError(closed) from None

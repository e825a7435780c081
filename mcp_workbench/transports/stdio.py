"""MCP's stdio transport, both ends: this process as somebody's server, and a command as our server.

A server's stdout belongs to the protocol: `take_stdio` keeps the pipe for itself and lets everything else that is
printed, by Python, C code or children, go to stderr. A command is ended as the specification says: its stdin is
closed, then it is asked, then it is killed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from mcp_workbench.errors import ConnectionClosed, LocalProtocolError
from mcp_workbench.limits import MIB
from mcp_workbench.transports.pipes import PipeChannel

END_WITHIN_S = 2.0
"""A command whose stdin was closed has this long until it is asked to end, and then as long until it is killed."""


def take_stdio(*, max_message_bytes: int = 64 * MIB, too_long: bytes | None = None) -> PipeChannel:
    """Make this process's stdin and stdout a channel, once; from then on prints go to stderr and stdin is empty.

    Args:
        max_message_bytes: Longest text accepted.
        too_long: What to send for a longer one, which is then read over; None: it ends the channel with 1009.
    """
    sys.stdout.flush()
    source, sink = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return PipeChannel(source, sink, remote="host", max_message_bytes=max_message_bytes, too_long=too_long)


async def open_command(command: Sequence[str], *, max_message_bytes: int = 64 * MIB) -> CommandChannel:
    """Start a program that speaks MCP on its stdin and stdout; its stderr is ours.

    Args:
        command: Program and arguments; no shell is involved.
        max_message_bytes: Longest text accepted; a longer one ends the channel with 1009.

    Returns:
        The channel; nothing is delivered before its `open(receiver)`.

    Raises:
        ConnectionClosed: It cannot be started.
    """
    program = Path(command[0]).name
    try:
        process = _start(command)
    except OSError as error:
        raise ConnectionClosed(1006, f"{program} cannot be started: {error.strerror or type(error).__name__}") from error
    return CommandChannel(process, remote=program, max_message_bytes=max_message_bytes)


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)  # noqa: S603  # the caller's own command


class CommandChannel(PipeChannel):
    """A `Channel` to a child process, which ends with it."""

    _drains = True

    def __init__(self, process: subprocess.Popen[bytes], *, remote: str, max_message_bytes: int) -> None:
        self._process = process
        self._timers: list[asyncio.TimerHandle] = []
        self._exited = False
        self._ended_by_us = False
        source, sink = _take(process.stdout), _take(process.stdin)
        super().__init__(source, sink, remote=remote, max_message_bytes=max_message_bytes)

    @property
    def pid(self) -> int:
        """Of the child process."""
        return self._process.pid

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close its stdin behind what was sent; the receiver is told when it has ended."""
        if not self._closing:
            self._ended_by_us = self._reading
            self._timers.append(self._loop.call_later(END_WITHIN_S, self._process.terminate))
            self._timers.append(self._loop.call_later(2 * END_WITHIN_S, self._process.kill))
        super().close(code, reason)

    def abort(self) -> None:
        """Kill it."""
        self._process.kill()
        super().abort()

    def _lose_sink(self, problem: str) -> None:
        super()._lose_sink(problem)
        self._ended_by_us = False

    def _source_is_closed(self) -> None:
        """Wait for the end of the process, in a thread; one that only closed its stdout is asked to end."""
        self._post(self.close)
        threading.Thread(target=self._wait_for_exit, name=f"mcp-process {self.facts.remote}", daemon=True).start()

    def _wait_for_exit(self) -> None:
        self._post(self._exit, self._process.wait())

    def _exit(self, status: int) -> None:
        self._exited = True
        for timer in self._timers:
            timer.cancel()
        if status and not self._ended_by_us:
            self._end = (1006, f"{self.facts.remote} ended with exit code {status}")
        self._tell_end()

    @property
    def _over(self) -> bool:
        return super()._over and self._exited


def _take(file: IO[bytes] | None) -> int:
    """The descriptor of one of Popen's files, which is closed with the channel and not with the file."""
    if file is None:
        raise LocalProtocolError("the process was started without pipes")
    with file:
        return os.dup(file.fileno())

"""A command as our server: a program that speaks MCP on its stdin and stdout, and whatever it wants on its stderr.

It is ended as the specification says: its stdin is closed, then it is asked, then it is killed, each time with all that
it has started. What it says beside the protocol, on stderr or wrongly on stdout, is kept to be shown when something
goes wrong. Of this process's environment it is given only what every program needs. What differs between systems is
in `platforms`; the pipes are in `pipes`; `stdio` beside it is the other way round. Loop thread only, but for the threads
that wait for the program and for its stderr.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from mcp_workbench.errors import ConnectionClosed, LocalProtocolError
from mcp_workbench.limits import KIB, MIB
from mcp_workbench.platforms import Keeper, call_in_forked_children, end_group, harmless_variables, start_group
from mcp_workbench.secret import Secret, hidden_values
from mcp_workbench.transports.channel import ChannelFacts
from mcp_workbench.transports.pipes import PipeChannel

END_WITHIN_S = 2.0
"""A command whose stdin was closed has this long until it is asked to end, and then as long until it is killed."""
SAID_BYTES = 64 * KIB
"""Kept of what a command says beside the protocol: the latest."""
SHOWN_CHARS = 1000
"""Shown of it in an error: the last."""
LAST_WORDS_WITHIN_S = 0.5
"""What a command that has ended wrote last is waited for so long: what it has started may hold its stderr open."""


async def open_command(
    command: Sequence[str],
    *,
    env: Mapping[str, str | Secret] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    max_message_bytes: int = 64 * MIB,
) -> CommandChannel:
    """Start a program that speaks MCP on its stdin and stdout.

    Args:
        command: Program and arguments; no shell is involved.
        env: Variables for it, beside the few that every program needs (PATH, HOME …); no others of this process are passed on.
        cwd: Folder it is started in; None: this process's.
        max_message_bytes: Longest text accepted; a longer one ends the channel with 1009.

    Returns:
        The channel; nothing is delivered before its `open(receiver)`.

    Raises:
        ConnectionClosed: It cannot be started.
    """
    program = Path(command[0]).name
    env = hidden_values(env)
    try:
        process = start_group(command, env=harmless_variables() | {name: value.reveal() for name, value in env.items()}, cwd=cwd)
    except OSError as error:
        raise ConnectionClosed(1006, f"{program} cannot be started: {_why_not(error, command[0], cwd)}") from None  # its variables hold env
    return CommandChannel(process, remote=program, max_message_bytes=max_message_bytes)


class Said:
    """What a command has said beside the protocol, the latest 64 KiB of it. Written by two threads, read by any."""

    def __init__(self) -> None:
        self._kept = b""
        self._lock = threading.Lock()
        self.strays = 0
        """Lines of its stdout that are no messages."""
        self._first_stray = ""

    def add(self, data: bytes) -> None:
        """It said more."""
        with self._lock:
            self._kept = (self._kept + data)[-SAID_BYTES:]

    def add_stray(self, line: bytes) -> None:
        """It printed a line where only messages may be."""
        self.strays += 1
        self._first_stray = self._first_stray or _shown(line[:SHOWN_CHARS].decode(errors="replace"))[:200]
        self.add(line.rstrip(b"\r")[-SAID_BYTES:] + b"\n")

    def __str__(self) -> str:
        return self._kept.decode(errors="replace")

    def explain(self) -> str:
        """The end of a sentence about what went wrong; empty when it has said nothing."""
        parts = []
        if self.strays:
            lines = "1 other line" if self.strays == 1 else f"{self.strays:,} other lines, the first"
            advice = "what a server says to people belongs on its stderr"
            parts.append(f"its stdout, which is for messages only, had {lines}: {self._first_stray} ({advice})")
        if words := _shown(str(self)[-SHOWN_CHARS:]):
            parts.append(f"it said last: {words}")
        return "".join(f"; {part}" for part in parts)


class CommandChannel(PipeChannel):
    """A `Channel` to a child process, which ends with it."""

    _drains = True

    def __init__(self, process: subprocess.Popen[bytes], *, remote: str, max_message_bytes: int) -> None:
        self._process = process
        self._keeper = Keeper(process)
        self._timers: list[asyncio.TimerHandle] = []
        self._exited = False
        self._ended_by_us = False
        self._said = Said()
        source, sink, stderr = _take(process.stdout), _take(process.stdin), _take(process.stderr)
        super().__init__(source, sink, remote=remote, max_message_bytes=max_message_bytes)
        self.facts = ChannelFacts("stdio", remote, said=self._said.__str__, explain=self._said.explain)
        self._hears_stderr = threading.Thread(target=self._hear, args=(stderr,), name=f"mcp-stderr {remote}", daemon=True)
        self._hears_stderr.start()
        _open.add(self)

    @property
    def pid(self) -> int:
        """Of the child process."""
        return self._process.pid

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close its stdin behind what was sent; the receiver is told when it has ended."""
        _open.discard(self)
        if not self._closing:
            self._ended_by_us = self._reading
            self._timers.append(self._loop.call_later(END_WITHIN_S, end_group, self._process))
            self._timers.append(self._loop.call_later(2 * END_WITHIN_S, self._kill))
        super().close(code, reason)

    def abort(self) -> None:
        """Kill it."""
        self._kill()
        super().abort()

    def close_in_child(self) -> None:
        """After a fork: as long as copies of its stdin are open it would not hear that we have gone."""
        os.close(self._sink)
        self._keeper.forget_in_child()

    def _kill(self) -> None:
        end_group(self._process, at_once=True)

    def _is_message(self, text: bytes) -> bool:
        """Programs print greetings where they should not; what cannot be a message is kept beside what stderr says."""
        start = text.lstrip()
        if start[:1] == b"{" or (start[:1] == b"[" and start[1:].lstrip()[:1] in (b"{", b"]")):
            return True
        self._said.add_stray(text)
        return False

    def _lose_sink(self, problem: str) -> None:
        super()._lose_sink(problem)
        self._ended_by_us = False

    def _source_is_closed(self) -> None:
        """Wait for the end of the process, in a thread; one that only closed its stdout is asked to end."""
        self._post(self.close)
        threading.Thread(target=self._wait_for_exit, name=f"mcp-process {self.facts.remote}", daemon=True).start()

    def _hear(self, stderr: int) -> None:
        """The thread of its stderr."""
        with open(stderr, "rb", buffering=0) as file:
            while data := file.read(SAID_BYTES):
                self._said.add(data)

    def _wait_for_exit(self) -> None:
        status = self._process.wait()
        end_group(self._process)  # what it has started and left behind
        self._keeper.release()
        self._hears_stderr.join(LAST_WORDS_WITHIN_S)
        self._post(self._exit, status)

    def _exit(self, status: int) -> None:
        self._exited = True
        for timer in self._timers:
            timer.cancel()
        if not self._ended_by_us:
            how = f"with exit code {status}" if status >= 0 else f"by signal {-status}"
            self._end = (1006 if status else 1000, f"{self.facts.remote} ended {how}{self._said.explain()}")
        self._tell_end()

    @property
    def _over(self) -> bool:
        return super()._over and self._exited


_open: weakref.WeakSet[CommandChannel] = weakref.WeakSet()
"""Channels whose descriptors a forked child would hold; such a hook cannot be taken back, so there is one for all."""


@call_in_forked_children
def _close_in_child() -> None:
    for channel in tuple(_open):
        channel.close_in_child()


def _take(file: IO[bytes] | None) -> int:
    """The descriptor of one of Popen's files, which is closed with the channel and not with the file."""
    if file is None:
        raise LocalProtocolError("the process was started without pipes")
    with file:
        return os.dup(file.fileno())


def _why_not(error: OSError, program: str, cwd: str | os.PathLike[str] | None) -> str:
    if cwd is not None and not Path(cwd).is_dir():
        return f"there is no folder {os.fspath(cwd)}"
    if isinstance(error, FileNotFoundError) and not os.path.dirname(program):  # noqa: PTH120  # a program's name is no path
        return "no program of that name is on the PATH; install it, or give its whole path"
    return error.strerror or type(error).__name__


def _shown(text: str) -> str:
    """One line for a sentence: what a terminal would act on is left out."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())

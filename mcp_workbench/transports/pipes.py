"""Two pipes as a channel: one text per line, as MCP's stdio transport has it.

Where the loop can tell that a pipe or socket is ready, it reads, and writes what is short, at once: a thread between
costs each call 20 to 50 µs. Everything else is done by two daemon threads, which work alike with terminals and files, on every
system; no flag of a descriptor that others may share is changed. What bounds memory: reading stops 1 MiB ahead of the
receiver, and `writable` tells when the other end does not read. `stdio` beside it makes these channels.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import select
import stat
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVarTuple

from mcp_workbench.limits import KIB, MIB
from mcp_workbench.transports.channel import ChannelFacts, Receiver

logger = logging.getLogger("mcp_workbench")

Ts = TypeVarTuple("Ts")

READ_BYTES = 64 * KIB
READS_AHEAD = 16
"""Reads whose texts the receiver has not taken yet: 1 MiB at most."""
WRITE_BYTES = 256 * KIB
"""Written at a time by the thread, so that `unsent_bytes` moves while a long text drains."""
AT_ONCE_BYTES = getattr(select, "PIPE_BUF", 512)
"""POSIX: a pipe that is ready for writing takes this much without blocking."""
PING_BYTES = 2
"""What a ping counts for in `bytes_received`, as in `memory`."""
HIGH_WATER_BYTES = 64 * KIB
LOW_WATER_BYTES = 16 * KIB


class PipeChannel:
    """A `Channel` over a descriptor to read from and one to write to; both are closed by it.

    The two directions end separately: after `receive_close` told that nothing more will come, what is sent is still
    written, until `close`. Everything but the two threads, `_read` and `_write`, runs on the loop's thread.

    Args:
        source: Descriptor to read from.
        sink: Descriptor to write to.
        remote: What the other end is called.
        max_message_bytes: Longest text accepted.
        too_long: What to send for a longer one, which is then read over and not delivered; None: it ends the channel with 1009.
    """

    _drains = False
    """Whether what still comes after a `close` is read and dropped, so that the other side can finish writing."""

    def __init__(self, source: int, sink: int, *, remote: str, max_message_bytes: int = 64 * MIB, too_long: bytes | None = None) -> None:
        self.facts = ChannelFacts("stdio", remote)
        self.bytes_received = 0
        self.bytes_sent = 0
        self.unsent_bytes = 0
        """Bytes the operating system has not taken yet."""
        self._loop = asyncio.get_running_loop()
        self._source = source
        self._sink = sink
        self._max_message_bytes = max_message_bytes
        self._too_long = too_long
        self._skipping = False
        """What comes belongs to a text that was too long, until it ends."""
        self._receiver: Receiver | None = None
        self._opened = False
        self._closing = False
        self._full = False
        self._sink_closed = asyncio.Event()
        self._ready = _readiness(sink)
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._may_read = threading.Semaphore(READS_AHEAD)
        self._reads_held = 0
        self._reading = True
        self._thread_reads = False
        self._watched = False
        """Whether the loop tells when there is something to read."""
        self._source_open = True
        self._pieces: list[bytes] = []
        self._piece_bytes = 0
        self._texts: deque[bytes] = deque()
        self._paused = False
        self._delivering = False
        self._end: tuple[int, str] | None = None
        """How the source ended, told behind the last text."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self.facts.remote}{', closing' if self._closing else ''}>"

    # What the receiver calls

    @property
    def writable(self) -> bool:
        """False while 64 KiB or more wait for the other end to read, and once closed."""
        return not self._closing and not self._full

    def open(self, receiver: Receiver) -> None:
        """Start reading and delivering."""
        self._receiver = receiver
        self._start_reading()
        self._loop.call_soon(self._deliver)

    def send(self, text: bytes) -> None:
        """Write one line; a line break in the text, which JSON has between tokens only, becomes a space."""
        if self._closing:
            return
        line = (text.replace(b"\n", b" ") if b"\n" in text else text) + b"\n"
        self.bytes_sent += len(line)
        if self.unsent_bytes or len(line) > AT_ONCE_BYTES or not self._ready():
            self._queue(line)
            return
        try:
            os.write(self._sink, line)
        except OSError as error:
            self._loop.call_soon(self._lose_sink, _why(error))

    def pause_receiving(self) -> None:
        """Deliver no further text until `resume_receiving`; reading stops 1 MiB later."""
        self._paused = True

    def resume_receiving(self) -> None:
        """Deliver again, from the loop's next turn on."""
        self._paused = False
        self._loop.call_soon(self._deliver)

    def ping(self) -> None:
        """Get a sign of life: the system tells at once when the other end is gone, so it is there."""
        if not self._closing:
            self.bytes_received += PING_BYTES

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Write what was sent before, then close; the receiver is told when that is done."""
        if self._closing:
            return
        self._closing = True
        self._stop_reading(code, reason)
        if self._writer is None:
            os.close(self._sink)
            self._sink_is_closed()
        else:
            self._outgoing.put(None)

    def abort(self) -> None:
        """Forget what was not written yet, and close."""
        while not self._outgoing.empty():
            self._outgoing.get_nowait()
        self.close(1006, "dropped by this side")

    async def wait_closed(self) -> None:
        """Until everything sent before `close` has been written, or cannot be any more."""
        await self._sink_closed.wait()

    # Writing

    def _queue(self, line: bytes) -> None:
        self.unsent_bytes += len(line)
        self._full = self._full or self.unsent_bytes >= HIGH_WATER_BYTES
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name=f"mcp-pipe-out {self.facts.remote}", daemon=True)
            self._writer.start()
        self._outgoing.put(line)

    def _write(self) -> None:
        """The writing thread: until None comes."""
        problem = ""
        while (line := self._outgoing.get()) is not None:
            rest = memoryview(line)
            while rest and not problem:
                try:
                    written = os.write(self._sink, rest[:WRITE_BYTES])
                except OSError as error:
                    problem = _why(error)
                    self._post(self._lose_sink, problem)
                else:
                    rest = rest[written:]
                    self._post(self._drained, written)
        os.close(self._sink)
        self._post(self._sink_is_closed)

    def _drained(self, count: int) -> None:
        self.unsent_bytes -= count
        if self._full and self.unsent_bytes <= LOW_WATER_BYTES:
            self._full = False
            if self._receiver is not None and not self._closing:
                self._tell(self._receiver.receive_writable)

    def _lose_sink(self, problem: str) -> None:
        """The other end does not read any more: nothing can be said to it, and nobody is there to be heard."""
        self.unsent_bytes = 0
        self._texts.clear()
        self.close(1006, problem)

    def _sink_is_closed(self) -> None:
        self.unsent_bytes = 0
        self._sink_closed.set()
        self._deliver()

    # Reading

    def _start_reading(self) -> None:
        if self._opened or not self._reading:
            return
        self._opened = True
        self._watch_or_read()

    def _watch_or_read(self) -> None:
        if not self._watch():
            self._thread_reads = True
            threading.Thread(target=self._read, name=f"mcp-pipe-in {self.facts.remote}", daemon=True).start()

    def _watch(self) -> bool:
        """Have the loop tell when there is something to read; says whether it can."""
        if self._watched:
            return True
        if not _tells_when_ready(self._source):
            return False
        try:
            self._loop.add_reader(self._source, self._read_once)
        except NotImplementedError:  # the loop of Windows
            return False
        self._watched = True
        return True

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            self._loop.remove_reader(self._source)

    def _read_once(self) -> None:
        """There is something to read, or the end of it."""
        try:
            data = os.read(self._source, READ_BYTES)
        except BlockingIOError:  # another holder of the pipe was faster, and has made it non-blocking
            return
        except OSError as error:
            self._close_source()
            self._source_ended(1006, _why(error))
            return
        if not data:
            self._close_source()
            self._source_ended(1000, "the other side closed its end")
            return
        self._arrived(data)
        if self._reading and self._reads_held >= READS_AHEAD:
            self._unwatch()

    def _read(self) -> None:
        """The reading thread: until the other end closes, or this one does not want more."""
        while self._may_read.acquire() and self._reading:
            try:
                data = os.read(self._source, READ_BYTES)
            except OSError as error:
                self._post(self._source_ended, 1006, _why(error))
                break
            if not data:
                self._post(self._source_ended, 1000, "the other side closed its end")
                break
            self._post(self._arrived, data)
        with suppress(OSError):
            while self._drains and os.read(self._source, READ_BYTES):
                pass
        os.close(self._source)
        self._source_is_closed()

    def _close_source(self) -> None:
        """Where no thread reads; one that does closes it itself."""
        if self._source_open:
            self._source_open = False
            self._unwatch()
            os.close(self._source)
            self._source_is_closed()

    def _source_is_closed(self) -> None:
        """Nothing more will be read; on the loop's thread or the reading one. For who has to do something then."""

    def _arrived(self, data: bytes) -> None:
        self.bytes_received += len(data)
        self._reads_held += 1
        if not self._reading:
            return
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._keep(piece)
            if not self._skipping:
                self._texts.append(b"".join(self._pieces))
            self._forget_pieces()
            self._skipping = False
        if rest:
            self._keep(rest)
        self._deliver()

    def _keep(self, piece: bytes) -> None:
        """A piece of the text that is being read, unless there are too many by now."""
        if self._skipping:
            return
        self._pieces.append(piece)
        self._piece_bytes += len(piece)
        if self._piece_bytes <= self._max_message_bytes:
            return
        self._skipping = True
        self._forget_pieces()
        if self._too_long is None:
            self.close(1009, f"a message may have at most {self._max_message_bytes:,} bytes")
        else:
            self.send(self._too_long)

    def _forget_pieces(self) -> None:
        self._pieces.clear()
        self._piece_bytes = 0

    def _source_ended(self, code: int, reason: str) -> None:
        if self._reading:
            if self._pieces:  # a file need not end in a line break
                self._texts.append(b"".join(self._pieces))
            self._stop_reading(code, reason)
        self._deliver()

    def _stop_reading(self, code: int, reason: str) -> None:
        self._end = self._end or (code, reason)
        self._reading = False
        self._pieces.clear()
        if self._thread_reads:
            self._may_read.release()
        elif self._drains and self._source_open:
            self._watch_or_read()
        else:
            self._close_source()

    def _deliver(self) -> None:
        if self._delivering or self._receiver is None:
            return
        self._delivering = True
        while self._texts and not self._paused and not self._closing:
            text = self._texts.popleft()
            if text and not text.isspace() and self._is_message(text):
                self._tell(self._receiver.receive_text, text)
        self._delivering = False
        if not self._texts:
            self._read_on()
        self._tell_end()

    def _is_message(self, text: bytes) -> bool:
        """Whether the receiver is given a line. For who knows of others."""
        return True

    def _read_on(self) -> None:
        """Everything that was read was delivered."""
        held, self._reads_held = self._reads_held, 0
        if self._thread_reads:
            for _ in range(held):
                self._may_read.release()
        elif held >= READS_AHEAD and self._source_open:
            self._watch()

    @property
    def _over(self) -> bool:
        """Whether the last text was delivered, or after a close of ours the last byte written."""
        return self._sink_closed.is_set() if self._closing else not self._texts and not self._paused

    def _tell_end(self) -> None:
        if self._end is None or not self._over or self._receiver is None:
            return
        receiver, self._receiver = self._receiver, None
        try:
            receiver.receive_close(*self._end)
        except Exception:
            logger.exception("the receiver of %s failed while it was told of the end", self.facts.remote)

    def _tell(self, tell: Callable[[*Ts], None], *what: *Ts) -> None:
        try:
            tell(*what)
        except Exception:
            logger.exception("the receiver of %s failed; the connection is closed", self.facts.remote)
            self.close(1011, "internal error")

    def _post(self, function: Callable[[*Ts], None], *arguments: *Ts) -> None:
        """From the two threads: run this on the loop; one that has ended needs to know nothing."""
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            self._reading = False


def _why(error: OSError) -> str:
    return f"the other side is gone: {error.strerror or type(error).__name__}"


def _tells_when_ready(descriptor: int) -> bool:
    """Whether a selector can wait for it: for pipes and sockets on POSIX."""
    mode = os.fstat(descriptor).st_mode
    return hasattr(select, "poll") and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))


def _readiness(sink: int) -> Callable[[], bool]:
    """A question whether a short write would not block; where it cannot be asked, the answer is no and the thread writes."""
    if not _tells_when_ready(sink):
        return lambda: False
    poll = select.poll()
    poll.register(sink, select.POLLOUT)
    return lambda: bool(poll.poll(0))

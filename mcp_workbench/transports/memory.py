"""Two channels joined inside one loop: the same contract as a WebSocket, without socket and framing.

For tests, and for a client in the process of its server. Each text travels by one turn of the loop, so
that sender and receiver never run inside each other.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from mcp_workbench.limits import KIB
from mcp_workbench.transports.channel import ChannelFacts, Receiver

logger = logging.getLogger("mcp_workbench")

HIGH_WATER_BYTES = 64 * KIB
LOW_WATER_BYTES = 16 * KIB
TURN_TEXTS = 64
PING_BYTES = 2
"""What a ping and its pong count for in `bytes_received`."""


def memory_pair() -> tuple[MemoryChannel, MemoryChannel]:
    """Make both ends of a connection on the running loop."""
    one, other = MemoryChannel("memory:1"), MemoryChannel("memory:2")
    one.join(other)
    other.join(one)
    return one, other


class MemoryChannel:
    """One end; made by `memory_pair`."""

    def __init__(self, remote: str) -> None:
        self.facts = ChannelFacts("memory", remote)
        self.bytes_received = 0
        self.bytes_sent = 0
        self._loop = asyncio.get_running_loop()
        self._other: MemoryChannel
        self._receiver: Receiver | None = None
        self._inbox: deque[bytes] = deque()
        self.waiting_bytes = 0
        self.full = False
        self._paused = False
        self._turn_due = False
        self._closing = False
        self._ending: tuple[int, str] | None = None
        """How it ended, told behind the last text."""

    def __repr__(self) -> str:
        return f"<MemoryChannel to {self.facts.remote}{', closed' if self._closing else ''}>"

    def join(self, other: MemoryChannel) -> None:
        """Name the other end; called once by `memory_pair`."""
        self._other = other

    @property
    def writable(self) -> bool:
        """False while more than 64 KiB wait for the other end to take them, and once closed."""
        return not self._closing and not self._other.full

    @property
    def unsent_bytes(self) -> int:
        """Bytes the other end has not taken yet."""
        return self._other.waiting_bytes

    def open(self, receiver: Receiver) -> None:
        """Start delivering to `receiver`."""
        self._receiver = receiver
        self._schedule_turn()

    def send(self, text: bytes) -> None:
        """Hand one text to the other end; ignored once closed."""
        if not self._closing:
            self.bytes_sent += len(text)
            self._other.arrive(text)

    def pause_receiving(self) -> None:
        """Deliver no further text until `resume_receiving`."""
        self._paused = True

    def resume_receiving(self) -> None:
        """Deliver again, from the loop's next turn on."""
        self._paused = False
        self._schedule_turn()

    def ping(self) -> None:
        """Get a sign of life, unless the other end has paused."""
        if not self._closing:
            self._loop.call_soon(self._other.answer_ping)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End both ends, the other behind what was sent; texts on their way to this end are dropped."""
        if not self._closing:
            self.end(code, reason)
            self._other.end(code, reason, deliver=True)

    def abort(self) -> None:
        """End both ends at once with 1006, dropping what was on its way."""
        if self._ending is None or self._inbox:
            self.end(1006, "")
            self._other.end(1006, "")

    def arrive(self, text: bytes) -> None:
        """Take a text; the other end calls this."""
        self._inbox.append(text)
        self.waiting_bytes += len(text)
        self.full = self.full or self.waiting_bytes > HIGH_WATER_BYTES
        self._schedule_turn()

    def answer_ping(self) -> None:
        """Give a sign of life; the other end calls this."""
        if not self._closing and not self._paused:
            self.bytes_received += PING_BYTES
            self._other.bytes_received += PING_BYTES

    def end(self, code: int, reason: str, *, deliver: bool = False) -> None:
        """Stop taking and sending texts; each end calls this on both."""
        self._closing = True
        self._ending = self._ending or (code, reason)
        if not deliver:
            self._inbox.clear()
            self.waiting_bytes = 0
            self._paused = False
        self._schedule_turn()

    def drained(self) -> None:
        """Say that texts are taken again; the other end calls this."""
        if self._closing or self._receiver is None:
            return
        try:
            self._receiver.receive_writable()
        except Exception:
            logger.exception("the receiver of a memory connection failed; the connection is closed")
            self.close(1011, "internal error")

    def _schedule_turn(self) -> None:
        if not self._turn_due and self._receiver is not None:
            self._turn_due = True
            self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._turn_due = False
        for _ in range(TURN_TEXTS):
            if self._paused or not self._inbox:
                break
            self._deliver(self._inbox.popleft())
        self._tell_drained()
        if self._paused:
            return
        if self._inbox:
            self._schedule_turn()
        elif self._ending is not None:
            self._report_close(*self._ending)

    def _deliver(self, text: bytes) -> None:
        self.waiting_bytes -= len(text)
        self.bytes_received += len(text)
        if self._receiver is None:
            return
        try:
            self._receiver.receive_text(text)
        except Exception:
            logger.exception("the receiver of a memory connection failed; the connection is closed")
            self.close(1011, "internal error")

    def _tell_drained(self) -> None:
        if not self.full or self.waiting_bytes > LOW_WATER_BYTES:
            return
        self.full = False
        self._other.drained()

    def _report_close(self, code: int, reason: str) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            return
        try:
            receiver.receive_close(code, reason)
        except Exception:
            logger.exception("the receiver of a memory connection failed while it was told of the end")

"""The latest messages, as they crossed the wire, in both directions.

One thread adds (the protocol loop's), any may read. Bounded by count, and their texts by bytes too: a message that is
pushed out by bytes keeps its place, its size and its times, and loses its text. What a message says is read from its text
by whoever wants to know (`traffic`); here it is not looked into.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Protocol

import msgspec

from mcp_workbench.limits import MIB
from mcp_workbench.telemetry.ring import Ring


class Direction(StrEnum):
    """Which way, as seen from here."""

    IN = "in"
    """From the other end to us; at a tap: from the client to the server."""
    OUT = "out"
    """From us to the other end; at a tap: from the server to the client."""


class Message(msgspec.Struct, eq=False, gc=False):
    """One text of the wire: a request, a notification, a response, or a 2025-03-26 batch of them.

    By position, as `CallRecord`: two are made in every call.
    """

    session_id: str
    direction: Direction
    at_ns: int
    """`time.perf_counter_ns()` when it had arrived, or was handed to the operating system; 0: it waits for its client to read."""
    at: float
    """The same moment in seconds since 1970, for people."""
    size: int
    """Bytes of its text."""
    raw: bytes
    """Its text; empty when newer ones have pushed it out."""
    seq: int = 0
    """Counted from 1 in the order they crossed; 0: it did not, it waits or was replaced by a newer one."""

    def __repr__(self) -> str:
        """Without its text, which may hold secrets: outputs are saved with notebooks."""
        arrow = "→" if self.direction is Direction.IN else "←"
        return f"<Message {self.seq} {arrow} {self.session_id}, {self.size:,} bytes; .raw has its text>"

    @property
    def kept(self) -> bool:
        """Whether its text is here; of a recording's message, what was written of it."""
        return bool(self.raw) or not self.size


class Reader(Protocol):
    """Who reads what is kept by and by, from a thread of its own, and misses nothing."""

    read: int
    """`seq` of the latest message that it has read."""

    def message_leaves(self, message: Message) -> None:
        """It was not read yet, and its text goes now. On the path of calls: put it aside and return."""

    def wake_up(self) -> None:
        """A message has crossed. On the path of calls, too."""


class Messages:
    """The memory of what crossed. One thread adds; any thread may read.

    Args:
        count: Messages kept.
        max_bytes: Bytes of their texts; the oldest go first. 0: no text is kept.
    """

    def __init__(self, count: int = 100_000, max_bytes: int = 32 * MIB) -> None:
        self.max_count, self.max_bytes = count, max_bytes
        self._ring: Ring[Message] = Ring(count)
        self._with_text: deque[Message] = deque()
        self.bytes = 0
        """Bytes of texts kept now."""
        self.bytes_crossed = 0
        """Of all texts that ever crossed."""
        self.readers: tuple[Reader, ...] = ()
        """Who reads everything by and by (`Telemetry.follow`)."""
        self.sleepers: dict[Reader, None] = {}
        """Those that are to be woken when the next message has crossed; each says so itself, and again the next time."""

    def __len__(self) -> int:
        """Count those that are kept."""
        return len(self._ring)

    @property
    def total(self) -> int:
        """Messages that ever crossed: `seq` of the latest."""
        return self._ring.total

    @property
    def oldest(self) -> int:
        """`seq` of the oldest that is kept; 0: there is none."""
        return self._ring.total - len(self._ring) + 1 if len(self._ring) else 0

    @property
    def oldest_text(self) -> int:
        """`seq` of the oldest whose text is kept; 0: there is none. The adding thread only."""
        return self._with_text[0].seq if self._with_text else 0

    def add(self, message: Message) -> None:
        """It crosses now: number it, keep it, and let the texts go that are too many."""
        ring, texts = self._ring, self._with_text
        message.seq = ring.total + 1
        texts.append(message)
        self.bytes += message.size
        self.bytes_crossed += message.size
        while self.bytes > self.max_bytes or len(texts) > self.max_count:
            pushed_out = texts.popleft()
            for reader in self.readers:
                if pushed_out.seq > reader.read:
                    reader.message_leaves(pushed_out)
            self.bytes -= pushed_out.size
            pushed_out.raw = b""
        ring.append(message)  # now, for what it takes the place of has been put aside by those who had not read it
        if self.sleepers:
            self._wake()

    def _wake(self) -> None:
        for reader in tuple(self.sleepers):
            self.sleepers.pop(reader, None)
            reader.wake_up()

    def latest(self, limit: int | None = None) -> list[Message]:
        """The newest, oldest first; `limit` None: all that are kept."""
        return self._ring.latest(limit)

    def after(self, seq: int, most: int) -> list[Message]:
        """Those that crossed after the one with this `seq` and are still kept, oldest first, at most so many. Any thread."""
        return self._ring.after(seq, most)

    def between(self, after: int, until: int) -> list[Message]:
        """Those that crossed after the one with `seq` `after`, up to and including `until`, as far as kept. The adding thread only."""
        return self._ring.between(after, until)

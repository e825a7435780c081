"""The texts of the latest calls, as they went over the wire, so that people can read what was said.

A record is given its texts by whoever drives the call, and loses them here when newer calls have pushed it out: so many calls and
so many bytes are kept, whichever is reached first. Of a long text the beginning is kept, and how long it was.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from mcp_workbench.limits import KIB, MIB

if TYPE_CHECKING:
    from mcp_workbench.telemetry.records import CallRecord

MAX_TEXT = 256 * KIB
"""Bytes kept of one text."""
NOTIFICATIONS = 20
"""Latest notifications of one call that are kept."""


class Sent(msgspec.Struct, frozen=True, gc=False):
    """One text, or its beginning."""

    text: bytes
    size: int
    """Bytes of the whole."""


class Texts(msgspec.Struct, eq=False, gc=False):
    """What was said in one call. The protocol loop's thread."""

    request: bytes
    """As it came, a batch as a whole; at most `MAX_TEXT` bytes of it."""
    request_bytes: int
    """Bytes of the whole; 0: there was none, of a job whose request had been answered."""
    answer: bytes = b""
    """As it was sent."""
    answer_bytes: int = 0
    """Bytes of the whole; 0: there was none."""
    notifications: deque[Sent] | None = None
    """What was sent for it meanwhile, the latest of it."""
    kept_bytes: int = 0
    """What it counts for among those that are kept; 0 before that."""

    def note(self, text: bytes) -> None:
        """A notification was sent for it."""
        if self.kept_bytes:
            return  # it has been counted: what comes late is let go
        if self.notifications is None:
            self.notifications = deque(maxlen=NOTIFICATIONS)
        self.notifications.append(Sent(text[:MAX_TEXT], len(text)))


class KeptTexts:
    """Which calls have their texts. The protocol loop's thread adds; the readings may be taken from any.

    Args:
        calls: How many at most; 0: none.
        max_bytes: Bytes of them all.
    """

    def __init__(self, calls: int = 1000, max_bytes: int = 16 * MIB) -> None:
        self.bound(calls, max_bytes)
        self._calls: deque[CallRecord] = deque()
        self.bytes = 0
        """Bytes kept now."""

    def __len__(self) -> int:
        return len(self._calls)

    def bound(self, calls: int, max_bytes: int) -> None:
        """Take other bounds; they hold from the next call on."""
        self._most, self._max_bytes = calls, max_bytes

    def add(self, call: CallRecord, texts: Texts) -> None:
        """Keep a call's texts, and let those go that are too many."""
        calls = self._calls
        calls.append(call)
        size = len(texts.request) + len(texts.answer)
        if texts.notifications is not None:
            size += sum(len(sent.text) for sent in texts.notifications)
        texts.kept_bytes = size
        self.bytes += size
        while self.bytes > self._max_bytes or len(calls) > self._most:
            pushed_out = calls.popleft()
            if pushed_out.texts is not None:
                self.bytes -= pushed_out.texts.kept_bytes
                pushed_out.texts = None

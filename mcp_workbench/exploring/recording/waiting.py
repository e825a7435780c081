"""What has crossed and is not in the file yet: the one place where the path of calls and the recorder's thread meet.

The path puts aside, without a lock and without looking into anything; the thread takes. Bounded by bytes: what comes past the bound
is counted, and a gap stands in its place.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from mcp_workbench.exploring.recording.format import Note
from mcp_workbench.exploring.recording.lines import Crossed
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CallRecord, SessionRecord

ITEM = 300
"""Bytes that one costs beside its text."""


@dataclass(slots=True)
class Gap:
    """What stands nowhere."""

    messages: int = 0
    calls: int = 0
    bytes: int = 0

    def __bool__(self) -> bool:
        return bool(self.messages or self.calls)


Item = Crossed | CallRecord | SessionRecord | Gap | Note | threading.Event
"""An event is set when everything before it was taken."""


class Waiting:
    """Follows a telemetry. Its first three methods are called by who writes that; `take` and `taken` by the recorder's thread.

    Args:
        max_bytes: Of what waits.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.items: deque[Item] = deque()
        self.missed = 0
        """Messages and calls that found no room, so far."""
        self.wake = threading.Event()
        """Something waits."""
        self._put = self._taken = 0
        """Bytes ever put aside and taken: each is written by one side alone."""
        self._gap: Gap | None = None
        """What found no room since the last that did."""

    @property
    def bytes(self) -> int:
        """Bytes that wait now."""
        return max(0, self._put - self._taken)

    def message_crossed(self, message: Message) -> None:
        """Put it aside, text and all."""
        raw = message.raw
        if self._put - self._taken > self.max_bytes:
            self._miss(1, 0, len(raw))
            return
        if self._gap is not None:
            self.close_gap()
        self._put += len(raw) + ITEM
        self.items.append((message, raw))
        if not self.wake.is_set():
            self.wake.set()

    def call_ended(self, call: CallRecord) -> None:
        """Put it aside."""
        if self._put - self._taken > self.max_bytes:
            self._miss(0, 1, 0)
            return
        self._put += ITEM
        self.items.append(call)
        if not self.wake.is_set():
            self.wake.set()

    def session_ended(self, session: SessionRecord) -> None:
        """Put it aside, whatever waits: there are few."""
        self.put(session)

    def put(self, item: Note | SessionRecord | threading.Event) -> None:
        """One of those that cost next to nothing; from any thread."""
        self.items.append(item)
        self.wake.set()

    def heard(self) -> None:
        """Something was overheard that is no message of the telemetry yet; from any thread."""
        if not self.wake.is_set():
            self.wake.set()

    def close_gap(self) -> None:
        """What was missed until now is put aside as such."""
        if (gap := self._gap) is not None:
            self._gap = None
            self.items.append(gap)

    def taken(self, size: int) -> None:
        """So many bytes have been written, or thrown away."""
        self._taken += size

    def _miss(self, messages: int, calls: int, size: int) -> None:
        if (gap := self._gap) is None:
            gap = self._gap = Gap()
        gap.messages, gap.calls, gap.bytes = gap.messages + messages, gap.calls + calls, gap.bytes + size
        self.missed += 1

"""What has crossed and is not in the file yet: the one place where the path of calls and the recorder's thread meet.

Messages wait where they are kept anyway, in the telemetry's memory, and the path does nothing for them: to put each of them aside,
small as that is, cost calls a tenth more time under load. What the memory lets go before it was read is put aside here, bounded by
bytes; what comes past the bound is counted, and a gap stands in its place. Calls, and what else belongs between messages, wait in a
line of their own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mcp_workbench.exploring.recording.format import Note
from mcp_workbench.exploring.recording.lines import Crossed
from mcp_workbench.telemetry.messages import Message, Messages
from mcp_workbench.telemetry.records import CallRecord, SessionRecord

ITEM = 300
"""Bytes that one costs beside its text."""
_ENDLESS = 1 << 62
_Taken = tuple[Message, bytes | None]
"""None: it was missed."""


@dataclass(slots=True)
class Gap:
    """What stands nowhere."""

    messages: int = 0
    calls: int = 0
    bytes: int = 0

    def __bool__(self) -> bool:
        return bool(self.messages or self.calls)


Other = SessionRecord | Gap | Note | threading.Event
"""An event is set when everything before it was taken."""


@dataclass(frozen=True, slots=True)
class _Then:
    """Something that belongs behind a message."""

    after: int
    """`seq` of that."""
    item: Other


class Waiting:
    """Follows a telemetry (`Follower`). What `take` says is the recorder's thread's; the rest may be called from any other.

    Args:
        max_bytes: Of what the memory has let go.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.missed = 0
        """Messages and calls that found no room, so far."""
        self.wake = threading.Event()
        """Something waits."""
        self.read = 0
        """`seq` of the latest message that was taken."""
        self._memory = Messages(1)
        self._until = _ENDLESS
        """`seq` of the last message that is taken."""
        self._left: dict[int, Crossed] = {}
        """Messages that the memory has let go, by `seq`."""
        self._items: deque[CallRecord | _Then] = deque()
        self._passed = 0
        """Bytes of messages that were taken; written by the recorder's thread alone."""
        self._missing, self._told = Gap(), Gap()
        """What found no room, and how much of that stands in the file; written by the path, and by the recorder's thread."""
        self._missed_before = 0
        self._closing = False

    # --- from the path ------------------------------------------------------------------------------------------

    def memory_begins(self, messages: Messages) -> None:
        """What crosses from now on is kept there."""
        self._memory, self.read, self._passed = messages, messages.total, messages.bytes_crossed

    def memory_ends(self) -> None:
        """What crosses from now on is not wanted; what has crossed is kept until it is taken."""
        self._until = self._memory.total
        for message in self._memory.after(self.read, self._until - self.read):
            if message.seq not in self._left and (raw := message.raw):
                self._left[message.seq] = message, raw

    def message_leaves(self, message: Message) -> None:
        """The memory lets it go, and it was not taken yet: put it aside, text and all."""
        if self.bytes > self.max_bytes:
            self._miss(1, 0, message.size)
        else:
            self._left[message.seq] = message, message.raw

    def wake_up(self) -> None:
        """A message has crossed, or something was overheard that will be one."""
        if not self.wake.is_set():
            self.wake.set()

    def call_ended(self, call: CallRecord) -> None:
        """Put it aside."""
        if len(self._items) * ITEM > self.max_bytes:
            self._miss(0, 1, 0)
            return
        self._items.append(call)
        if not self.wake.is_set():
            self.wake.set()

    def session_ended(self, session: SessionRecord) -> None:
        """Put it aside, whatever waits: there are few."""
        self.put(session)

    def put(self, item: Note | SessionRecord | threading.Event) -> None:
        """One of those that cost next to nothing; from any thread."""
        self._items.append(_Then(self._memory.total, item))
        self.wake.set()

    def _miss(self, messages: int, calls: int, size: int) -> None:
        missing = self._missing
        missing.messages, missing.calls, missing.bytes = missing.messages + messages, missing.calls + calls, missing.bytes + size
        self.missed += 1

    # --- on the recorder's thread -------------------------------------------------------------------------------

    @property
    def bytes(self) -> int:
        """Bytes that wait now, wherever."""
        memory = self._memory
        unread = memory.bytes_crossed - self._passed - self._missing.bytes + ITEM * (memory.total - self.read)
        return max(0, unread) + ITEM * len(self._items)

    @property
    def anything(self) -> bool:
        """Whether there is something to take."""
        return min(self._memory.total, self._until) > self.read or bool(self._items) or (self._closing and self._untold())

    def fall_asleep(self) -> None:
        """Have `wake` set with the next message; at once where one waits."""
        for seq in tuple(self._left):
            if seq <= self.read:  # it left at the very moment at which it was taken
                self._left.pop(seq, None)
        self._memory.sleepers[self] = None
        if self.anything:
            self.wake.set()

    def close_gap(self) -> None:
        """Nothing is missed any more: what was is taken as such."""
        self._closing = True

    def take(self, most: int, most_bytes: int) -> tuple[list[Crossed | CallRecord], Other | None]:
        """What comes next: messages, calls that had ended by then, and right behind them something else, if there is.

        Args:
            most: Messages at most.
            most_bytes: Text of them; one is taken however long it is.
        """
        last = min(self._memory.total, self._until)
        found: list[Crossed | CallRecord] = [*self._next_messages(most, most_bytes)]
        reached = _ENDLESS if self.read >= last == self._until else self.read
        while self._items and len(found) < 2 * most:
            item = self._items[0]
            if (item.after if isinstance(item, _Then) else _crossed_by(item)) > reached:
                break
            if isinstance(item, _Then):
                if (gap := self._next_gap()) is not None:
                    return found, gap
                self._items.popleft()
                return found, item.item
            self._items.popleft()
            found.append(item)
        return found, self._next_gap()

    def _next_messages(self, most: int, most_bytes: int) -> list[Crossed]:
        messages = [each for each in self._memory.after(self.read, most) if each.seq <= self._until]
        let_go = self._let_go_before(messages, most)
        if not messages and not let_go and self._until < _ENDLESS:
            self.read = self._until  # the last that were wanted were missed, and the memory has others by now
        crossed, size = list[Crossed](), 0
        for message, raw in let_go or map(self._with_text, messages):
            self.read = message.seq
            self._left.pop(message.seq, None)
            if raw is not None:
                crossed.append((message, raw))
                self._passed += message.size
                size += len(raw)
            if size >= most_bytes:
                break
        return crossed

    def _let_go_before(self, messages: Sequence[Message], most: int) -> Sequence[_Taken]:
        """What crossed before these and is not in the memory any more: it was put aside before it went."""
        first = messages[0].seq if messages else self._until + 1
        if first == self.read + 1 or not self._left:
            return ()
        let_go = sorted(seq for seq in tuple(self._left) if self.read < seq < first)
        return [self._left[seq] for seq in let_go[:most]]

    def _with_text(self, message: Message) -> _Taken:
        raw = message.raw
        if raw or not message.size:
            return message, raw
        return self._left.get(message.seq, (message, None))  # put aside before it lost its text

    def _next_gap(self) -> Gap | None:
        """What was missed, once it is over: it is told in one line."""
        goes_on, self._missed_before = self.missed != self._missed_before, self.missed
        if not self._untold() or (goes_on and not self._closing):
            return None
        now, told = Gap(self._missing.messages, self._missing.calls, self._missing.bytes), self._told
        self._told = now
        return Gap(now.messages - told.messages, now.calls - told.calls, now.bytes - told.bytes)

    def _untold(self) -> bool:
        return (self._missing.messages, self._missing.calls) != (self._told.messages, self._told.calls)


def _crossed_by(call: CallRecord) -> int:
    """`seq` of the last of the messages that a call is known by."""
    both: Iterable[Message | None] = (call.request, call.answer)
    return max((message.seq for message in both if message is not None), default=0)

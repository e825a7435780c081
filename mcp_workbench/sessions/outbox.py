"""What one session has still to say.

Texts go straight to the channel while it takes them, and wait here while it does not; each with the request it
belongs to, for channels that have a stream for each. Answers are always
admitted (their number is bounded by the calls that may run), notifications with a key replace the one
that waits under the same key, and notifications without one are dropped, counted, once the outbox is full.

What is handed to the channel is written down (`telemetry.messages`) at that moment, so that what was replaced or dropped is not.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from time import perf_counter_ns, time

from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.telemetry.messages import Message, Messages
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.streams import Streams

_Waiting = tuple[Message, RequestId | None, int | None]
"""A message, its owner, and what it settles."""


class Outbox:
    """Queue of one session. Loop thread only.

    Args:
        channel: Where the texts go.
        max_bytes: Past this `full` is true; one text of any size is admitted when nothing waits.
        messages: Where what crosses is written down.
        streams: The same channel, where requests have streams of their own.
    """

    __slots__ = ("_channel", "_max_bytes", "_messages", "_streams", "_waiting", "dropped", "queued_bytes")

    def __init__(self, channel: Channel, max_bytes: int, messages: Messages, streams: Streams | None = None) -> None:
        self._channel = channel
        self._messages = messages
        self._max_bytes = max_bytes
        self._streams = streams
        self._waiting: OrderedDict[tuple[RequestId | None, Hashable], _Waiting] = OrderedDict()
        """(owner, key) -> message and what becomes of its owner, in the order they leave."""
        self.queued_bytes = 0
        """Bytes waiting here."""
        self.dropped = 0
        """Notifications that found no room."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether nothing more should be started for this client before it reads."""
        return self.queued_bytes > self._max_bytes

    def send(self, message: Message, owner: RequestId | None = None, settles: int | None = None) -> None:
        """An answer, or another text that must not be lost: sent or queued, never dropped.

        Args:
            message: With its text.
            owner: Id of the request it belongs to; None: to no request.
            settles: As `Streams.send_for`.
        """
        if not self._waiting and self._channel.writable:
            self._hand_over(message, owner, settles)
            return
        # A key that nothing else can be equal to: an answer is never replaced, and never forgotten.
        self._queue((None, object()), (message, owner, settles))

    def notify(self, message: Message, *, owner: RequestId | None = None, key: Hashable | None = None) -> None:
        """A notification.

        Args:
            message: With its text.
            owner: Id of the request it belongs to, so that `forget` finds it; None: to no request.
            key: Says what it is about; a newer text replaces a waiting one of the same owner and key. None: never replaced.
        """
        if not self._waiting and self._channel.writable:
            self._hand_over(message, owner, None)
        elif key is None and self.full:
            self.dropped += 1
        else:
            self._queue((owner, object() if key is None else key), (message, owner, None))

    def forget(self, owner: RequestId) -> None:
        """A request was cancelled: nothing more may be sent for it, what waits included."""
        for entry in [entry for entry in self._waiting if entry[0] == owner and entry[0] is not None]:
            self.queued_bytes -= self._waiting.pop(entry)[0].size

    def flush(self) -> None:
        """The channel takes texts again."""
        while self._waiting and self._channel.writable:
            _, waiting = self._waiting.popitem(last=False)
            self.queued_bytes -= waiting[0].size
            self._hand_over(*waiting)

    def flush_all(self) -> None:
        """The session ends in order: hand everything over, however full the channel is."""
        for waiting in self._waiting.values():
            self._hand_over(*waiting)
        self.clear()

    def clear(self) -> None:
        """The connection is gone."""
        self._waiting.clear()
        self.queued_bytes = 0

    def _hand_over(self, message: Message, owner: RequestId | None, settles: int | None) -> None:
        text = message.raw  # once: it may be too long to be kept
        message.at_ns, message.at = perf_counter_ns(), time()
        self._messages.add(message)
        if self._streams is None:
            self._channel.send(text)
        else:
            self._streams.send_for(text, owner, settles)

    def _queue(self, key: tuple[RequestId | None, Hashable], waiting: _Waiting) -> None:
        replaced = self._waiting.get(key)
        self.queued_bytes += waiting[0].size - (0 if replaced is None else replaced[0].size)
        self._waiting[key] = waiting

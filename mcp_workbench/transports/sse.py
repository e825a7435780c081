"""Server-sent events: what a stream of bytes says, event by event. Pure; the client's side of it.

As WHATWG HTML section 9.2.6 has it: lines end in CR, LF or both, what begins with a colon is a comment, and an event
ends with an empty line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\n|\r")
_FIELD_BYTES = 16
"""What a line has beside its data."""


class EventTooLargeError(Exception):
    """An event is larger than what is taken."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event."""

    data: bytes
    """Its lines of data, joined by line feeds; empty where it had none: it brought an id only, or how long to wait."""
    kind: str = "message"
    event_id: str | None = None
    """Its own; None: it had none, and those before it still say where the stream is."""
    retry_ms: int | None = None
    """Milliseconds that it asks its reader to wait before coming again."""


class EventReader:
    """Reads one stream, each byte once or twice however it is cut up.

    Args:
        max_bytes: Most data of one event that is taken.
    """

    def __init__(self, max_bytes: int) -> None:
        self.last_id: str | None = None
        """Of the latest event that had one."""
        self.retry_ms: int | None = None
        """How long the server wishes to be left alone before it is asked for more."""
        self._max_bytes = max_bytes
        self._line = bytearray()
        """The begin of a line whose end has not come."""
        self._after_cr = False
        """A line feed that comes now belongs to the line end before it."""
        self._at_start = True
        self._data = bytearray()
        self._has_data = False
        self._size = 0
        self._kind = ""
        self._id: str | None = None
        self._retry_ms: int | None = None

    @property
    def held(self) -> int:
        """Bytes of an event that is not complete yet."""
        return len(self._line) + self._size

    @property
    def between_events(self) -> bool:
        """Whether nothing of the next event has come yet."""
        return not (self.held or self._has_data or self._kind or self._id is not None or self._retry_ms is not None)

    def feed(self, data: bytes) -> list[ServerEvent]:
        """Read on.

        Returns:
            The events that are complete now; those that say nothing are none.

        Raises:
            EventTooLargeError: One is larger than `max_bytes`.
        """
        events: list[ServerEvent] = []
        begin = 0
        for end in _LINE_END.finditer(data):
            if self._after_cr and end.start() == 0 and end[0] == b"\n":
                begin = 1
                continue
            self._read(bytes(self._line) + data[begin : end.start()], events)
            self._line.clear()
            begin = end.end()
        if data:
            self._after_cr = data.endswith(b"\r")
        self._line += data[begin:]
        self._check(len(self._line))
        return events

    def _read(self, line: bytes, events: list[ServerEvent]) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if line:
            self._field(line)
            self._check()
        elif (event := self._complete()) is not None:
            events.append(event)

    def _check(self, unread: int = 0) -> None:
        if self._size + unread > self._max_bytes + _FIELD_BYTES:
            raise EventTooLargeError(f"an event of more than {self._max_bytes:,} bytes")

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            # In one piece: a list of millions of empty lines would take many times their size.
            self._data += b"\n" * self._has_data + value
            self._has_data = True
            self._size += len(value) + 1
        elif name == b"event":
            self._kind = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self.last_id = self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) <= 9:
            self.retry_ms = self._retry_ms = int(value)

    def _begin_event(self) -> None:
        self._data, self._has_data, self._size = bytearray(), False, 0
        self._kind, self._id, self._retry_ms = "", None, None

    def _complete(self) -> ServerEvent | None:
        says_something = self._has_data or self._id is not None or self._retry_ms is not None
        event = ServerEvent(bytes(self._data), self._kind or "message", self._id, self._retry_ms) if says_something else None
        self._begin_event()
        return event

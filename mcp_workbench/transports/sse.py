"""Server-sent events: what a stream of bytes says, event by event. Pure; the client's side of it.

As WHATWG HTML section 9.2.6 has it: lines end in CR, LF or both, what begins with a colon is a comment, and an event
ends with an empty line.
"""

from __future__ import annotations

from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"


class EventTooLargeError(Exception):
    """An event is larger than what is taken."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event."""

    data: bytes
    """Its lines of data, joined by line feeds; empty where it had none: it brought an id only."""
    kind: str = "message"


class EventReader:
    """Reads one stream.

    Args:
        max_bytes: Largest event taken.
    """

    def __init__(self, max_bytes: int) -> None:
        self.last_id: str | None = None
        """Of the latest event that had one."""
        self.retry_ms: int | None = None
        """How long the server wishes to be left alone before it is asked for more."""
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._at_start = True
        self._data: list[bytes] = []
        self._size = 0
        self._kind = ""
        self._has_id = False

    def feed(self, data: bytes) -> list[ServerEvent]:
        """Read on.

        Returns:
            The events that are complete now; those without data and id are none.

        Raises:
            EventTooLargeError: One is larger than `max_bytes`.
        """
        self._buffer += data
        events: list[ServerEvent] = []
        while (line := self._line()) is not None:
            if line:
                self._field(line)
            elif (event := self._complete()) is not None:
                events.append(event)
        if len(self._buffer) + self._size > self._max_bytes:
            raise EventTooLargeError(f"an event of more than {self._max_bytes:,} bytes")
        return events

    def _line(self) -> bytes | None:
        if self._at_start and (len(self._buffer) >= len(_BOM) or not _BOM.startswith(self._buffer)):
            self._at_start = False
            if self._buffer.startswith(_BOM):
                del self._buffer[: len(_BOM)]
        if self._at_start:
            return None
        ends = [index for index in (self._buffer.find(b"\n"), self._buffer.find(b"\r")) if index >= 0]
        if not ends:
            return None
        end = min(ends)
        if self._buffer[end : end + 1] == b"\r" and end + 1 == len(self._buffer):
            return None  # a line feed may follow, and would belong to this line end
        line = bytes(self._buffer[:end])
        del self._buffer[: end + (2 if self._buffer[end : end + 2] == b"\r\n" else 1)]
        return line

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._size += len(value) + 1
        elif name == b"event":
            self._kind = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self.last_id = value.decode("utf-8", "replace")
            self._has_id = True
        elif name == b"retry" and value.isdigit() and len(value) <= 9:
            self.retry_ms = int(value)

    def _complete(self) -> ServerEvent | None:
        event = ServerEvent(b"\n".join(self._data), self._kind or "message") if self._data or self._has_id else None
        self._data, self._size, self._kind, self._has_id = [], 0, "", False
        return event

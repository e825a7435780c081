"""What was said on the event streams of one session, kept for a client that lost one and comes back. Pure.

An event's id names the session by a tag, the stream and the place in it, so that an id of another session is told
apart and means nothing here. Bounded: the oldest events go first, whatever stream they are of.
"""

from __future__ import annotations

import re
import secrets
from collections import deque

MAX_EVENTS = 1000

_ID = re.compile(r"([0-9a-f]{16})-([0-9]{1,9})-([0-9]{1,9})")


class Replay:
    """The events of one session.

    Args:
        max_bytes: Of texts kept; the newest stays whatever its size.
    """

    def __init__(self, max_bytes: int) -> None:
        self._tag = secrets.token_hex(8)
        self._max_bytes = max_bytes
        self._kept: deque[tuple[int, int, bytes]] = deque()
        """(stream, place, text), oldest first."""
        self._places: dict[int, int] = {}
        """Of each stream the place of its latest event."""
        self.bytes = 0

    def add(self, stream: int, text: bytes) -> str:
        """Keep a text.

        Args:
            stream: Number of the stream it was said on.
            text: The text; empty for the event that only gives a stream its first id.

        Returns:
            The event's id.
        """
        place = self._places[stream] = self._places.get(stream, 0) + 1
        if text:
            self._kept.append((stream, place, text))
            self.bytes += len(text)
        while len(self._kept) > MAX_EVENTS or (self.bytes > self._max_bytes and len(self._kept) > 1):
            self.bytes -= len(self._kept.popleft()[2])
        return self._id(stream, place)

    def find(self, event_id: str) -> int | None:
        """The stream an event was said on; None: nothing like it was said here."""
        match = _ID.fullmatch(event_id)
        if match is None or match[1] != self._tag:
            return None
        stream, place = int(match[2]), int(match[3])
        return stream if 0 < place <= self._places.get(stream, 0) else None

    def after(self, event_id: str) -> list[tuple[str, bytes]]:
        """Ids and texts of what was said behind an event on its stream, as far as it is kept."""
        stream, last = self.find(event_id), int(event_id.rpartition("-")[2])
        return [(self._id(of, place), text) for of, place, text in self._kept if of == stream and place > last]

    def forget(self, stream: int) -> None:
        """Nobody will ask for this stream any more."""
        self._places.pop(stream, None)
        self._kept = deque(each for each in self._kept if each[0] != stream)
        self.bytes = sum(len(text) for _, _, text in self._kept)

    def _id(self, stream: int, place: int) -> str:
        return f"{self._tag}-{stream}-{place}"

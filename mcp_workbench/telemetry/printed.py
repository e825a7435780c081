"""Text of any length of which the beginning and the end are kept, and what is between is counted."""

from __future__ import annotations

from collections import deque


class Printed:
    """What one call has printed. One thread at a time adds; any thread may read meanwhile.

    Args:
        bound: Characters kept of the beginning, and as many of the end.
    """

    __slots__ = ("_bound", "_head", "_head_room", "_tail", "_tail_chars", "length")

    def __init__(self, bound: int = 4096) -> None:
        self._bound = self._head_room = bound
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._tail_chars = 0
        self.length = 0
        """Characters added in all."""

    def add(self, text: str) -> None:
        """Add some at the end."""
        self.length += len(text)
        room = self._head_room
        if room:
            self._head.append(text[:room])
            self._head_room = room - len(self._head[-1])
        tail = text[max(room, len(text) - self._bound) :]
        if not tail:
            return
        self._tail.append(tail)
        self._tail_chars += len(tail)
        while self._tail_chars - len(self._tail[0]) >= self._bound:
            self._tail_chars -= len(self._tail.popleft())

    def text(self, at_most: int | None = None) -> str:
        """The text, or its two ends with a note between them.

        Args:
            at_most: Characters of it; None, or more than are kept: all that are. The note comes on top.

        Returns:
            Nothing that no JSON can carry; of a line that was written over with carriage returns, what was seen last.
        """
        head, tail = "".join(list(self._head)), "".join(list(self._tail))
        allowed = min(2 * self._bound, self.length if at_most is None else at_most)
        if self.length <= allowed:
            return _readable(head + tail)
        begin = min(len(head), (allowed + 1) // 2)
        end = tail if len(tail) >= self._bound else head + tail
        shown_end = end[len(end) - allowed // 2 :]
        return f"{_readable(head[:begin])}\n… {self.length - begin - len(shown_end):,} characters left out …\n{_readable(shown_end)}"


def _readable(text: str) -> str:
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return text.encode("utf-8", "replace").decode()

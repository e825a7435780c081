"""The latest N of something, written by one thread and read by any, without a lock."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Ring(Generic[T]):
    """Keeps the latest `size` items.

    One thread appends. Readers on other threads rely on three facts only: storing into a list and slicing
    a list each happen in one step; `total` is raised after the item is stored; and there is one slot more
    than items to keep, so the item being stored never replaces one that is still counted.
    """

    __slots__ = ("_size", "_slots", "total")

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"expected room for at least 1 item, got {size}")
        self._size = size
        self._slots: list[T] = []
        self.total = 0
        """Items ever appended; only `append` writes it."""

    def __len__(self) -> int:
        return min(self.total, self._size)

    def append(self, item: T) -> None:
        """Store an item, in place of the oldest when full."""
        total = self.total
        if total <= self._size:
            self._slots.append(item)
        else:
            self._slots[total % (self._size + 1)] = item
        self.total = total + 1

    def latest(self, limit: int | None = None) -> list[T]:
        """The newest items, oldest first.

        Args:
            limit: At most so many; None: all that are kept.
        """
        end = self.total
        slots = self._slots[:]
        # What the writer replaced between the two readings of `total` is left out.
        oldest = max(0, self.total - self._size, end - (end if limit is None else max(0, limit)))
        return [slots[number % (self._size + 1)] for number in range(oldest, end)]

    def after(self, begin: int, most: int) -> list[T]:
        """Those that are still kept of the items behind the first `begin`, oldest first. Any thread.

        Args:
            begin: Items appended before the first of them.
            most: At most so many.
        """
        slots, size, end = self._slots, self._size, self.total
        first = max(begin, end - size)
        found = [slots[number % (size + 1)] for number in range(first, min(end, first + most))]
        return found[max(0, self.total - size - first) :]  # what the writer may have replaced meanwhile is left out

    def between(self, begin: int, end: int) -> list[T]:
        """Those of the items that are still kept, oldest first; takes no longer for a large ring. The appending thread only.

        Args:
            begin: Items appended before the first of them.
            end: ... and including the last.
        """
        slots, size = self._slots, self._size
        first = max(begin, self.total - size, 0)
        return [slots[number % (size + 1)] for number in range(first, min(end, self.total))]

"""What is offered now: definitions by name, and one signal when what is published really changed.

The notebook's side (one thread at a time, as cells run) adds and removes; the protocol loop reads. Reads
take no lock: every change builds a new mapping and swaps it in by one attribute assignment, so a reader
sees the state before or after, never between.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from mcp_workbench.primitives.wording import nearest

_logger = logging.getLogger("mcp_workbench")


class Definition(Protocol):
    """What a registry holds."""

    @property
    def name(self) -> str:
        """Unique in its registry."""
        ...

    @property
    def digest(self) -> str:
        """Hash of what is published of it."""
        ...


T = TypeVar("T", bound=Definition)


class Registry(Generic[T]):
    """Definitions by name, in the order of their names.

    `add`, `remove` and `paused` belong to the notebook's side, one thread at a time; every other member
    may be used from any thread.

    Args:
        beside: Digests of what clients see in the same list and what is kept elsewhere; whoever keeps it calls `look`.

    Attributes:
        on_change: Called without arguments, on the thread that made the change, after the set of digests
            changed. One that raises is logged and skipped.
    """

    def __init__(self, beside: Callable[[], frozenset[str]] = frozenset) -> None:
        self._beside = beside
        self._definitions: MappingProxyType[str, T] = MappingProxyType({})
        self._ordered: tuple[T, ...] = ()
        self._announced: frozenset[str] = frozenset()
        self._pauses = 0
        self.on_change: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return len(self._ordered)

    def __contains__(self, name: object) -> bool:
        return name in self._definitions

    def __iter__(self) -> Iterator[T]:
        return iter(self._ordered)

    def get(self, name: str) -> T | None:
        """The definition of that name; None when there is none."""
        return self._definitions.get(name)

    def list(self) -> tuple[T, ...]:
        """All definitions by name: a snapshot, equal from call to call while nothing changes."""
        return self._ordered

    def nearest(self, name: str, count: int = 3) -> tuple[str, ...]:
        """The names that look most like `name`, best first; empty when none does."""
        return tuple(nearest(name, self._definitions, count))

    def add(self, definition: T) -> T | None:
        """Offer a definition.

        Args:
            definition: Takes the place of one of the same name, also when its digest is the same: a cell
                that ran again may have changed the function's body.

        Returns:
            What it replaced; None when the name is new. `defined_at` tells a re-run from a clash.
        """
        replaced = self._definitions.get(definition.name)
        self._swap({**self._definitions, definition.name: definition})
        return replaced

    def remove(self, name: str) -> T | None:
        """Withdraw a definition.

        Returns:
            What was removed; None when there was none of that name.
        """
        removed = self._definitions.get(name)
        if removed is not None:
            self._swap({key: value for key, value in self._definitions.items() if key != name})
        return removed

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hold the signal back: everything inside (one cell's run) makes at most one, or none if nothing differs after it."""
        self._pauses += 1
        try:
            yield
        finally:
            self._pauses -= 1
            self._announce()

    def _swap(self, definitions: dict[str, T]) -> None:
        self._definitions = MappingProxyType(definitions)
        self._ordered = tuple(definitions[name] for name in sorted(definitions))
        self._announce()

    def look(self) -> None:
        """What stands beside may have changed: tell of it, unless the signal is held back."""
        self._announce()

    def _announce(self) -> None:
        # Until it stands still: another thread may change something between the look and the note of what was told.
        while not self._pauses and (digests := self._digests()) != self._announced:
            self._announced = digests
            for listener in tuple(self.on_change):
                try:
                    listener()
                except Exception:
                    _logger.exception("a listener of changed definitions failed; the others are still called")

    def _digests(self) -> frozenset[str]:
        return frozenset(definition.digest for definition in self._ordered) | self._beside()

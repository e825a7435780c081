"""What was published under a name before: its version number, what has changed since, and when it was withdrawn.

The notebook's side settles the account after each cell (outside cells: after each registration); from then on the
definitions count as known to clients. The protocol loop asks when a call does not fit. What is kept is bounded, and
is texts: no old function stays alive.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from mcp_workbench.primitives.shapes import Shape, differences
from mcp_workbench.primitives.wording import shorten

EARLIER_KEPT = 3
"""Editions remembered of a name, besides the one that is published."""
WITHDRAWN_KEPT = 64
"""Names remembered that are not offered any more."""
MAX_CHANGES = 300
"""Characters in which changes are told."""


class Numbered(Protocol):
    """A definition with a version."""

    @property
    def name(self) -> str:
        """Unique in its registry."""

    @property
    def version(self) -> int:
        """Counted from 1."""

    @property
    def digest(self) -> str:
        """Hash of what is published of it."""


T = TypeVar("T", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Edition:
    """What was published under a name for a time."""

    version: int
    digest: str
    shape: Shape | None
    """What callers knew of it; None where nothing is called by arguments that are listed."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A name that is not offered any more."""

    at: float
    """Seconds since 1970."""
    cell: str | None
    """The cell that no longer defines it, `[7]`; None: the author took it back."""
    successors: tuple[str, ...]
    """What that cell registered instead: new names of the same run."""
    editions: tuple[Edition, ...]
    """Newest first."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A name whose callers have to learn something."""

    name: str
    version: int
    differences: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}: {told(self.differences)}"


@dataclass(frozen=True, slots=True)
class CellEnd:
    """What a cell that has ended did to one registry."""

    label: str
    """`[7]`."""
    registered: Collection[str] = field(default=())
    """Names it registered in this run."""
    left: Collection[str] = field(default=())
    """Names that were taken out because it no longer defines them."""


class History(Generic[T]):
    """The past of one registry.

    Threads: `withdrawn` and `changes_since` may be asked from any, and find what was settled last; the others belong to
    whoever changes the registry, one thread at a time.

    Args:
        shape_of: What callers know of a definition; default: nothing is compared.
        clock: Seconds since 1970.
    """

    def __init__(self, shape_of: Callable[[T], Shape | None] = lambda _definition: None, clock: Callable[[], float] = time.time) -> None:
        self._shape_of = shape_of
        self._clock = clock
        self._editions: dict[str, tuple[Edition, ...]] = {}
        self._withdrawn: dict[str, Withdrawn] = {}

    def version_of(self, name: str, digest: str) -> int:
        """The number a definition has if its author gave none: one more whenever something else was published before."""
        editions = self._remembered(name)
        if not editions:
            return 1
        return editions[0].version + (editions[0].digest != digest)

    def settle(self, definitions: Iterable[T], cell: CellEnd | None = None) -> tuple[Changed, ...]:
        """Take what is offered now as published.

        Args:
            definitions: All of the registry.
            cell: The cell that has ended; None: none did.

        Returns:
            Names whose callers have to learn something, by name.
        """
        offered = {definition.name: definition for definition in definitions}
        new = [name for name in offered if name not in self._editions]
        for name in [name for name in self._editions if name not in offered]:
            self.withdraw(name, cell, new)
        return tuple(changed for definition in offered.values() if (changed := self.publish(definition)) is not None)

    def withdrawn(self, name: str) -> Withdrawn | None:
        """When and by whom a name was taken out; None when it is offered, never was, or that was too long ago."""
        return self._withdrawn.get(name)

    def changes_since(self, definition: T, sent: Collection[str]) -> str | None:
        """What somebody has to learn who sent arguments of these names, if an earlier edition explains them.

        Args:
            definition: What is offered now.
            sent: Names of the arguments.

        Returns:
            `v1 -> v2: n int -> float; region removed`; None when callers never had to learn anything.
        """
        now, names = self._shape_of(definition), frozenset(sent)
        if now is None:
            return None
        found: tuple[Edition, tuple[str, ...]] | None = None
        for edition in self._editions.get(definition.name, ()):
            if edition.shape is None or not (different := differences(edition.shape, now)):
                continue
            if found is None or edition.shape.could_take(names):
                found = edition, different
            if edition.shape.could_take(names):
                break
        return None if found is None else f"v{found[0].version} -> v{definition.version}: {told(found[1])}"

    def publish(self, definition: T) -> Changed | None:
        """Take one definition as published; returns what its callers have to learn, None for nothing."""
        editions = self._remembered(definition.name)
        self._withdrawn.pop(definition.name, None)
        if editions and editions[0].digest == definition.digest and editions[0].version == definition.version:
            self._editions[definition.name] = editions
            return None
        edition = Edition(definition.version, definition.digest, self._shape_of(definition))
        self._editions[definition.name] = (edition, *editions)[: EARLIER_KEPT + 1]
        if not editions or editions[0].shape is None or edition.shape is None:
            return None
        different = differences(editions[0].shape, edition.shape)
        return Changed(definition.name, definition.version, different) if different else None

    def withdraw(self, name: str, cell: CellEnd | None = None, new: Collection[str] = ()) -> None:
        """Take a name as offered no longer.

        Args:
            name: It need not have been offered.
            cell: The cell that has ended; None: none did.
            new: Names that are offered since it ended.
        """
        editions = self._editions.pop(name, None)
        if editions is None:
            return
        if cell is not None and name in cell.left:
            successors = tuple(successor for successor in new if successor in cell.registered)
            self._withdrawn[name] = Withdrawn(self._clock(), cell.label, successors, editions)
        else:
            self._withdrawn[name] = Withdrawn(self._clock(), None, (), editions)
        if len(self._withdrawn) > WITHDRAWN_KEPT:
            del self._withdrawn[next(iter(self._withdrawn))]

    def _remembered(self, name: str) -> tuple[Edition, ...]:
        """Editions of a name, newest first, also when it was withdrawn since."""
        if name in self._editions:
            return self._editions[name]
        withdrawn = self._withdrawn.get(name)
        return () if withdrawn is None else withdrawn.editions


def told(changes: Iterable[str]) -> str:
    """Differences as one phrase of bounded length."""
    return shorten("; ".join(changes), MAX_CHANGES)

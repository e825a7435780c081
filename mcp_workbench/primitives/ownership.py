"""Which cell owns what, and what a cell that ran again no longer defines.

A cell owns what it registered last, by the id its front end gives it. When a run of it ends well, what it owned
before and did not register in this run is left behind. A run that ends otherwise leaves nothing behind: it may
not have come to the definition. Pure bookkeeping: what is done with the things is said elsewhere.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a cell can register."""

    TOOL = "tool"
    RESOURCE = "resource"
    PROMPT = "prompt"
    DATAFRAME = "DataFrame"


class Thing(NamedTuple):
    """One registered thing."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Ownership:
    """Who owns what. One thread at a time."""

    def __init__(self) -> None:
        self._owners: dict[Thing, str] = {}
        self._cell_id: str | None = None
        self._registered: set[Thing] = set()

    def owner(self, thing: Thing) -> str | None:
        """Id of the cell that owns it; None: nobody does."""
        return self._owners.get(thing)

    def registered_in_this_run(self, thing: Thing) -> bool:
        """Whether the cell that runs now has registered it already."""
        return thing in self._registered

    def registered(self) -> tuple[Thing, ...]:
        """What the cell that runs now has registered, by kind and name."""
        return tuple(sorted(self._registered))

    def begin(self, cell_id: str | None) -> None:
        """A cell begins; one whose end nobody announced has not ended well.

        Args:
            cell_id: The front end's id; None where it tells none, then nothing is owned by this run.
        """
        self._cell_id = cell_id
        self._registered = set()

    def register(self, thing: Thing, *, by_cell: bool) -> None:
        """A thing was registered; the newest owner wins.

        Args:
            thing: What.
            by_cell: By the cell that runs now; otherwise it is nobody's, and stays until it is taken back.
        """
        if by_cell and self._cell_id is not None:
            self._owners[thing] = self._cell_id
            self._registered.add(thing)
        else:
            self.forget(thing)

    def forget(self, thing: Thing) -> None:
        """It was taken back, or is nobody's from now on."""
        self._owners.pop(thing, None)
        self._registered.discard(thing)

    def end(self, *, well: bool) -> tuple[Thing, ...]:
        """The cell has ended.

        Args:
            well: Whether it reached its end.

        Returns:
            What it owned and did not register again, which is nobody's now; in the order it was registered first.
        """
        cell_id, registered = self._cell_id, self._registered
        self._cell_id, self._registered = None, set()
        if cell_id is None or not well:
            return ()
        left = tuple(thing for thing, owner in self._owners.items() if owner == cell_id and thing not in registered)
        for thing in left:
            del self._owners[thing]
        return left

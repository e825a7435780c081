"""Enters what is registered: whose it is, which version it is; and takes it out when its cell no longer defines it.

The bookkeeping is pure and stands elsewhere (`primitives.ownership`, `primitives.history`); here it meets the
registries, the DataFrames and the cell that runs. What the author should know of a run comes back from `end` as
lines for the cell's output. Knows no sessions and no sockets.

Owned is what a cell registers on the main thread. What other threads, callbacks between cells and modules register
while they are imported is nobody's: a cell that runs again does none of that a second time, and must not take it away.
"""

from __future__ import annotations

import dataclasses
import inspect
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Generic, TypeVar

from mcp_workbench.events import DefinedAt
from mcp_workbench.hosts import Cell, Host
from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.offer import Offer
from mcp_workbench.primitives.history import CellEnd, Changed, History
from mcp_workbench.primitives.options import edition_of
from mcp_workbench.primitives.ownership import Kind, Ownership, Thing
from mcp_workbench.primitives.prompts import PromptDefinition
from mcp_workbench.primitives.registry import Registry
from mcp_workbench.primitives.resources import ResourceDefinition
from mcp_workbench.primitives.tools import ToolDefinition
from mcp_workbench.primitives.wording import shorten
from mcp_workbench.wording import plain

MAX_LINES = 5
"""Lines in the output of one run of a cell."""
MAX_LINE = 200
"""Characters of one."""
_CLASHES_KEPT = 256

Definition = TypeVar("Definition", ToolDefinition, ResourceDefinition, PromptDefinition)


class Shelf(Generic[Definition]):
    """One registry and its past."""

    def __init__(self, registry: Registry[Definition], history: History[Definition]) -> None:
        self.registry: Registry[Definition] = registry
        self._history: History[Definition] = history
        self._settled: object = None

    def put(self, definition: Definition, *, numbered: bool, at: DefinedAt) -> tuple[Definition, Definition | None]:
        """Offer a definition; returns it as it is offered, and what it replaced.

        Args:
            definition: As its function says.
            numbered: Its author gave it a version.
            at: Where it was defined.
        """
        version = definition.version if numbered else self._history.version_of(definition.name, definition.digest)
        entered = dataclasses.replace(definition, version=version, edition=edition_of(version, definition.digest), defined_at=at)
        return entered, self.registry.add(entered)

    def publish(self, name: str) -> None:
        """A change outside of cells: what is offered now under this name counts as known at once."""
        definition = self.registry.get(name)
        if definition is None:
            self._history.withdraw(name)
        else:
            self._history.publish(definition)

    def settle(self, cell: CellEnd | None) -> tuple[Changed, ...]:
        """A cell has ended: what is offered now counts as known."""
        definitions = self.registry.list()
        if definitions is self._settled:
            return ()
        self._settled = definitions
        return self._history.settle(definitions, cell)


class Registrar:
    """Owners, versions and withdrawals of one offer.

    Threads: `begin` and `end` belong to the main thread, the others may be called from any.

    Args:
        offer: What is registered.
        host: Where the cells run.
    """

    def __init__(self, offer: Offer, host: Host) -> None:
        self.lock = threading.Lock()
        self._offer = offer
        self._host = host
        self._ownership = Ownership()
        self._cell: Cell | None = None
        self._clashes: dict[tuple[Thing, frozenset[str]], None] = {}
        self._lines: list[str] = []
        self._shelves: dict[Kind, Shelf[Any]] = {
            Kind.TOOL: Shelf(offer.tools, offer.catalog.history),
            Kind.RESOURCE: Shelf(offer.resources, History()),
            Kind.PROMPT: Shelf(offer.prompts, History()),
        }

    # --- registering -----------------------------------------------------------------------------------------

    def enter(self, kind: Kind, definition: Definition, *, numbered: bool) -> Definition | None:
        """Offer a definition from now on.

        Args:
            kind: Which registry.
            definition: As its function says.
            numbered: Its author gave it a version; otherwise it is counted.

        Returns:
            What it took the place of, where the author should be warned if that was another function: neither did its
            cell run again, nor did another cell define it (the output of this one tells of that).
        """
        thing, shelf = Thing(kind, definition.name), self._shelves[kind]
        cell, file = self._registering_cell()
        at = definition.defined_at
        if cell is not None and at.file == "<cell>" and file in (None, _file_of(definition.function)):
            at = dataclasses.replace(at, cell=cell.label)
        with self.lock:
            entered, replaced = shelf.put(definition, numbered=numbered, at=at)
            owner, twice = self._ownership.owner(thing), self._ownership.registered_in_this_run(thing)
            self._own(thing, cell)
            if self._cell is None:
                shelf.publish(definition.name)
            if owner is None or cell is None or cell.cell_id is None:
                return replaced
            if owner != cell.cell_id and replaced is not None:
                self._note_clash(thing, frozenset((owner, cell.cell_id)), replaced.defined_at, entered.defined_at)
            return replaced if twice else None

    def published(self, name: str) -> None:
        """A DataFrame was published."""
        cell, _ = self._registering_cell()
        with self.lock:
            self._own(Thing(Kind.DATAFRAME, name), cell)
        self._offer.resources.look()

    def withdraw(self, name: str) -> bool:
        """The author takes a name back; says whether anything was offered under it."""
        with self.lock:
            if name in self._offer.dataframes.names():
                return self._take_out(Thing(Kind.DATAFRAME, name))
            return any(self._take_out(Thing(kind, name)) for kind in self._shelves)

    # --- cells -------------------------------------------------------------------------------------------------

    def begin(self, cell: Cell) -> None:
        """A cell begins."""
        with self.lock:
            self._cell = cell
            self._ownership.begin(cell.cell_id)

    def end(self, *, well: bool) -> tuple[str, ...]:
        """The cell has ended, or something that was none.

        Args:
            well: Whether it reached its end: otherwise nothing is withdrawn.

        Returns:
            Lines for its output; the clients' news is held back by whoever pauses the registries.
        """
        with self.lock:
            cell, self._cell = self._cell, None
            registered = self._ownership.registered()
            left = [thing for thing in self._ownership.end(well=well) if self._take_out(thing)]
            changed: list[Changed] = []
            for kind, shelf in self._shelves.items():
                names = [tuple(thing.name for thing in things if thing.kind is kind) for things in (registered, left)]
                changed += shelf.settle(None if cell is None else CellEnd(cell.label, *names))
            lines, self._lines = self._lines, []
        if cell is None:
            return ()
        lines = [*map(str, changed), *lines]
        if left:
            lines.append(f"withdrawn: {', '.join(map(str, left))} (this cell no longer defines {'it' if len(left) == 1 else 'them'})")
        return _bounded(lines)

    # --- inside ------------------------------------------------------------------------------------------------

    def _own(self, thing: Thing, cell: Cell | None) -> None:
        self._ownership.register(thing, by_cell=cell is not None)

    def _registering_cell(self) -> tuple[Cell | None, str | None]:
        """The cell whose code registers now, and the file it was compiled under."""
        cell = self._cell
        if cell is None or threading.current_thread() is not threading.main_thread():
            return None, None
        importing, file = _outwards(self._host.namespace())
        return (None, None) if importing else (cell, file)

    def _take_out(self, thing: Thing) -> bool:
        self._ownership.forget(thing)
        if thing.kind is Kind.DATAFRAME:
            with suppress(NotFound):  # taken back by another thread since
                self._offer.dataframes.unpublish(thing.name)
                return True
            return False
        shelf = self._shelves[thing.kind]
        removed = shelf.registry.remove(thing.name)
        if removed is not None and self._cell is None:
            shelf.publish(thing.name)
        return removed is not None

    def _note_clash(self, thing: Thing, cells: frozenset[str], before: DefinedAt, now: DefinedAt) -> None:
        """Once for each two cells: whoever runs them in turns has been told."""
        if (thing, cells) in self._clashes:
            return
        self._clashes[thing, cells] = None
        if len(self._clashes) > _CLASHES_KEPT:
            del self._clashes[next(iter(self._clashes))]
        self._lines.append(f"{thing} is now defined in {now}; before, {before} defined it. If both are meant, rename one.")


def _bounded(lines: list[str]) -> tuple[str, ...]:
    shown = [shorten(plain(line), MAX_LINE) for line in lines[: MAX_LINES if len(lines) <= MAX_LINES else MAX_LINES - 1]]
    return (*shown, f"and {len(lines) - len(shown)} more changes of what this cell registered") if len(shown) < len(lines) else tuple(shown)


def _file_of(function: Any) -> str | None:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else code.co_filename


def _outwards(namespace: Mapping[str, Any] | None) -> tuple[bool, str | None]:
    """From whoever registers out to the cell: whether a module is being imported on the way, and the file of the cell's code."""
    frame, in_cell = inspect.currentframe(), False
    while frame is not None:
        if frame.f_globals is namespace:
            in_cell = True
            if frame.f_code.co_name == "<module>":
                return False, frame.f_code.co_filename
        elif not in_cell and frame.f_code.co_filename.startswith("<frozen importlib"):
            return True, None
        frame = frame.f_back
    return False, None

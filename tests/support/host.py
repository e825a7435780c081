"""A notebook without Jupyter: variables, and cells that run when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mcp_workbench.hosts import Begins, Cell, Ends, HostIdentity, MainIsFree, Renew


class ScriptedHost:
    """The host of a notebook whose cells are `with host.running_cell():` blocks on the test's main thread."""

    main_is_free: MainIsFree = "after cells"
    loop_rests = False

    def __init__(self) -> None:
        self.variables: dict[str, Any] = {}
        self._begins: list[Begins] = []
        self._ends: list[Ends] = []
        self._number = 0
        self._cell: Cell | None = None

    @contextmanager
    def running_cell(self, cell_id: str | None = None) -> Iterator[Cell]:
        """Run one cell; it ends well unless the block raises."""
        self._number += 1
        cell = self._cell = Cell(f"[{self._number}]", cell_id, 0.0)
        for begins in self._begins:
            begins(cell)
        well = False
        try:
            yield cell
            well = True
        finally:
            self._cell = None
            for ends in self._ends:
                ends(cell, well)

    def identity(self) -> HostIdentity:
        return HostIdentity("ipykernel", None, "/notebooks/scripted.ipynb")

    def namespace(self) -> Mapping[str, Any] | None:
        return self.variables

    def cell(self) -> Cell | None:
        return self._cell

    def on_cell(self, begins: Begins, ends: Ends) -> Callable[[], None]:
        self._begins.append(begins)
        self._ends.append(ends)
        if self._cell is not None:  # the cell that begins to follow has begun already
            begins(self._cell)

        def undo() -> None:
            self._begins.remove(begins)
            self._ends.remove(ends)

        return undo

    def run_between_cells(self, function: Callable[[], None]) -> bool:
        return False

    def run_on_loop(self, function: Callable[[], object]) -> bool:
        return False

    def main_loop(self) -> asyncio.AbstractEventLoop | None:
        return None

    def display(self, bundle: Mapping[str, str]) -> Renew | None:
        return None

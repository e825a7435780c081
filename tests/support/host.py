"""A notebook without Jupyter: variables, and cells that run when the test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mcp_workbench.hosts import HostIdentity


class ScriptedHost:
    """The host of a notebook whose cells are `with host.cell():` blocks on the test's main thread."""

    def __init__(self) -> None:
        self.variables: dict[str, Any] = {}
        self._begins: list[Callable[[], None]] = []
        self._ends: list[Callable[[], None]] = []
        self._number = 0
        self._inside = False

    @contextmanager
    def cell(self) -> Iterator[None]:
        """Run one cell."""
        self._number += 1
        self._inside = True
        for begins in self._begins:
            begins()
        try:
            yield
        finally:
            self._inside = False
            for ends in self._ends:
                ends()

    def identity(self) -> HostIdentity:
        return HostIdentity("ipykernel", None, "/notebooks/scripted.ipynb")

    def namespace(self) -> Mapping[str, Any] | None:
        return self.variables

    def cell_label(self) -> str | None:
        return f"[{self._number}]" if self._inside else None

    def on_cell(self, begins: Callable[[], None], ends: Callable[[], None]) -> Callable[[], None]:
        self._begins.append(begins)
        self._ends.append(ends)

        def undo() -> None:
            self._begins.remove(begins)
            self._ends.remove(ends)

        return undo

    def run_between_cells(self, function: Callable[[], None]) -> bool:
        return False

"""The notebook's side of a Workbench: what happens when a cell begins and when it has ended.

While a cell runs the registries hold their tongue; when it has ended, clients are told once what really
changed, the published DataFrames are looked at, the author is told what became of the cell's definitions, and
calls that wait for the main thread get it.
Followed from the first registration or start on, with or without a server, for as long as the Workbench lives.
Knows no sessions and no sockets.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from contextlib import ExitStack

from mcp_workbench.hosts import Cell, Host
from mcp_workbench.offer import Offer
from mcp_workbench.registrar import Registrar


class Notebook:
    """Follows the cells of one host for one offer. Main thread, except `look_soon` (any).

    Args:
        offer: What is registered by cells.
        host: Where the cells run.
    """

    def __init__(self, offer: Offer, host: Host) -> None:
        self.host = host
        self._offer = offer
        self._pause = ExitStack()
        self._check_pending = False
        self.on_cell_end: list[Callable[[], None]] = []
        """Called on the main thread when no cell is at work any more and all that it changed has been seen."""
        self.registrar = Registrar(offer, host)
        """Enters what is registered."""
        self._follow()

    def _follow(self) -> None:
        """Until nobody holds this any more: what the host calls does not keep it alive."""
        notebook = weakref.ref(self)

        def begins(cell: Cell) -> None:
            if (living := notebook()) is not None:
                living._cell_begins(cell)  # noqa: SLF001  # one thing in two pieces

        def ends(cell: Cell | None, well: bool) -> None:
            if (living := notebook()) is not None:
                living._cell_ends(well)  # noqa: SLF001  # one thing in two pieces

        weakref.finalize(self, self.host.on_cell(begins, ends)).atexit = False

    def _cell_begins(self, cell: Cell) -> None:
        """One `list_changed` per cell run: the registries hold their tongue until the cell ends."""
        self._pause.close()
        for registry in self._offer.listings().values():
            self._pause.enter_context(registry.paused())
        self.registrar.begin(cell)

    def _cell_ends(self, well: bool) -> None:
        with self._pause:  # so that an interrupt leaves nobody waiting for ever
            lines = self.registrar.end(well=well)
        self.check_dataframes()
        for line in lines:
            sys.stdout.write(line + "\n")
        for listener in tuple(self.on_cell_end):
            listener()

    def check_dataframes(self) -> None:
        """Look whether published DataFrames have changed."""
        self._check_pending = False
        namespace = self.host.namespace()
        if namespace is not None:
            self._offer.dataframes.check(namespace)

    def look_soon(self) -> None:
        """A tool has run in this process and may have changed a DataFrame: look, on the main thread, between cells."""
        if not self._check_pending and self._offer.dataframes.names():
            # Set before posting: the main thread may have looked, and reset it, before the post returns.
            self._check_pending = True
            if not self.host.run_between_cells(self.check_dataframes):
                self._check_pending = False

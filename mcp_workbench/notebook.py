"""The notebook's side of a Workbench: what happens when a cell begins and when it has ended.

While a cell runs the registries hold their tongue; when it has ended, clients are told once what really
changed, and the published DataFrames are looked at. Followed from the first registration or start on, with or
without a server. Knows no sessions and no sockets.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from mcp_workbench.hosts import Cell, Host
from mcp_workbench.offer import Offer


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
        self._unfollow: Callable[[], None] | None = None

    def follow(self) -> None:
        """Begin; a second time does nothing."""
        if self._unfollow is None:
            self._unfollow = self.host.on_cell(self._cell_begins, self._cell_ends)

    def leave(self) -> None:
        """Follow no longer."""
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None
        self._pause.close()

    def _cell_begins(self, cell: Cell) -> None:
        """One `list_changed` per cell run: the registries hold their tongue until the cell ends."""
        self._pause.close()
        for registry in self._offer.listings().values():
            self._pause.enter_context(registry.paused())

    def _cell_ends(self, cell: Cell | None, well: bool) -> None:
        self._pause.close()
        self.check_dataframes()

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

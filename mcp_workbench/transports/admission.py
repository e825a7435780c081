"""Which connections a server keeps: how many there may be, and who makes room when there are too many.

There may be `limits.sessions`, and all servers of this process together never take more than half of the files it may
open, or a notebook could not open its own. Whoever has shown no credential yet keeps nobody out: when everything is
taken, the one of those that has waited longest makes room. Knows transports only to tell them apart. Loop thread only,
but for `forget_all`, which a forked child calls.
"""

from __future__ import annotations

import asyncio

from mcp_workbench.limits import Limits
from mcp_workbench.platforms import most_open_files

_taken: dict[Admission, int] = {}
"""Connections of each server of this process, whichever loop it is on: a number that only its own loop writes."""


class Admission:
    """The connections of one server.

    Args:
        limits: `sessions` is used.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[asyncio.Transport, None] = {}
        self._strangers: dict[asyncio.Transport, None] = {}
        """Those that have shown no credential yet, oldest first."""
        self._leaving: set[asyncio.Transport] = set()
        """Those that made room, until they are gone."""
        self._by_files = False

    def __len__(self) -> int:
        return len(self._open)

    @property
    def transports(self) -> list[asyncio.Transport]:
        """All that are open."""
        return list(self._open)

    @property
    def overflow(self) -> int:
        """How many there are past the bound."""
        return len(self._open) - len(self._leaving) - self._bound()

    @property
    def sentence(self) -> str:
        """Why the latest one found no room."""
        if self._by_files:
            most = most_open_files() or 0
            return f"This kernel may open {most:,} files (ulimit -n) and has half of them open for connections: close one and try again."
        return f"This server takes {self._limits.sessions:,} connections and has them: close one and try again."

    def enter(self, transport: asyncio.Transport) -> bool:
        """Count a new connection; says whether there is room for it."""
        self._open[transport] = self._strangers[transport] = None
        _taken[self] = len(self._open)
        if self.overflow <= 0:
            return True
        longest = next(iter(self._strangers))
        del self._strangers[longest]
        if longest is transport:
            return False
        self._leaving.add(longest)
        longest.abort()
        return True

    def known(self, transport: asyncio.Transport) -> None:
        """It has shown a credential."""
        self._strangers.pop(transport, None)

    def leave(self, transport: asyncio.Transport) -> None:
        """Forget a connection that is gone."""
        self._open.pop(transport, None)
        self._strangers.pop(transport, None)
        self._leaving.discard(transport)
        if self._open:
            _taken[self] = len(self._open)
        else:
            _taken.pop(self, None)

    def forget_all(self) -> None:
        """In a forked child: they are the parent's."""
        _taken.pop(self, None)

    def _bound(self) -> int:
        most = most_open_files()
        if most is None:
            return self._limits.sessions
        others = sum(tuple(_taken.values())) - _taken.get(self, 0)
        by_files = max(1, most // 2 - others)
        self._by_files = by_files < self._limits.sessions
        return min(by_files, self._limits.sessions)

"""The connections of one HTTP client to one server: those that are free are used again. Loop thread only."""

from __future__ import annotations

import asyncio
import ssl as tls

from mcp_workbench.transports.http_connection import HttpAddress, HttpConnection

KEPT_CONNECTIONS = 16
KEPT_S = 4.0
"""Many servers drop a connection that was idle for 5 s."""


class ConnectionPool:
    """Connections to one server.

    Args:
        address: Where it is.
        context: TLS settings; None: without TLS.
        timeout_s: Seconds until a connection must be there.
    """

    def __init__(self, address: HttpAddress, context: tls.SSLContext | None, timeout_s: float) -> None:
        self.address = address
        self._context = context
        self._timeout_s = timeout_s
        self._free: list[tuple[float, HttpConnection]] = []
        self._closed = False

    async def dial(self) -> HttpConnection:
        """A new one."""
        return await HttpConnection.dial(self.address, self._context, self._timeout_s)

    async def take(self) -> HttpConnection:
        """One that is free, else a new one."""
        now = asyncio.get_running_loop().time()
        while self._free:
            since, connection = self._free.pop()
            if connection.reusable and now - since < KEPT_S:
                return connection
            connection.close()
        return await self.dial()

    def give_back(self, connection: HttpConnection) -> None:
        """Done with it."""
        if connection.reusable and len(self._free) < KEPT_CONNECTIONS and not self._closed:
            self._free.append((asyncio.get_running_loop().time(), connection))
        else:
            connection.close()

    def close(self) -> None:
        """Hang up on those that are free; those in use go when they are given back."""
        self._closed = True
        for _, connection in self._free:
            connection.close()
        self._free.clear()

"""The client's sockets for an open loop (`pacing.py`): many connections, one request in flight on each, and moments met exactly.

Waits in `select`, which knows microseconds where `epoll` knows milliseconds, and spins for the last stretch, so the process takes
a core while it measures.
"""

from __future__ import annotations

import selectors
from collections.abc import Iterator
from time import perf_counter_ns
from typing import Literal

import msgspec

from mcp_workbench.cli.bench.pacing import Paced, S, at_random, drive, evenly, summarise
from mcp_workbench.cli.bench.wires import FIRST_ID, BadAnswerError, Connection, Target

PATIENCE_S = 5.0
"""How long after the last moment answers are waited for."""
SPIN_NS = 300_000
"""The last stretch before a moment, which `select` may oversleep."""

Arrivals = Literal["random", "even"]


class PacedOrder(msgspec.Struct, frozen=True, kw_only=True, tag="paced"):
    """One measurement to make at one rate."""

    target: Target
    sessions: int
    rate: float
    """Requests a second."""
    seconds: float
    arrivals: Arrivals


def measure_paced(order: PacedOrder) -> Paced:
    """Open the sessions, then send at the order's rate."""
    connections = [Connection(order.target) for _ in range(order.sessions)]
    try:
        with selectors.SelectSelector() as selector:
            wire = SocketWire(connections, selector)
            intended = (evenly if order.arrivals == "even" else at_random)(order.rate, order.seconds)
            taken = drive(intended, wire, perf_counter_ns, patience_ns=int(PATIENCE_S * S))
    finally:
        for connection in connections:
            connection.close()
    return summarise(order.rate, taken)


class SocketWire:
    """Connections of which each has one request in flight at most."""

    def __init__(self, connections: list[Connection], selector: selectors.BaseSelector) -> None:
        self._free = list(connections)
        self._selector = selector
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)

    @property
    def idle(self) -> int:
        """Connections on which nothing is in flight."""
        return len(self._free)

    def send(self, number: int) -> Connection:
        """Send on an idle connection."""
        connection = self._free.pop()
        connection.socket.sendall(connection.request(FIRST_ID + number))
        return connection

    def wait(self, timeout_ns: int) -> Iterator[Connection]:
        """The connections whose answers arrive."""
        timeout_s = (timeout_ns - SPIN_NS) / S
        for key, _ in self._selector.select(max(0, timeout_s)):
            connection: Connection = key.data
            data = connection.socket.recv(65536)
            if not data:
                raise BadAnswerError(f"the server on port {connection.target.port} closed the connection instead of answering")
            answer = connection.feed(data)
            if answer is not None:
                self._free.append(connection)
                yield connection
                connection.check(answer)

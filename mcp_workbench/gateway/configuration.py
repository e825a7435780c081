"""What an administrator may choose, in Jupyter's own way: `c.McpWorkbenchGateway.… = …` in its configuration.

Also the count of what is connected, which those bounds are about, and what connections share. Loop thread only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from traitlets import Bool, Int
from traitlets.config import LoggingConfigurable

from mcp_workbench.limits import Limits
from mcp_workbench.transports.websocket import LANDING_BYTES


class McpWorkbenchGateway(LoggingConfigurable):
    """The gateway of one Jupyter Server."""

    agents = Bool(
        True,
        config=True,
        help="Whether agents with a Jupyter token may reach a kernel's tools at mcp-workbench/kernels/<id>/mcp. Views are not affected.",
    )
    max_message_bytes = Int(
        Limits().max_message_bytes,
        min=1,
        config=True,
        help="Largest message taken from a client. A kernel has a bound of its own, wb.Limits(max_message_bytes=…): raise both.",
    )
    http = Bool(
        True,
        config=True,
        help="Whether kernels that this Jupyter Server starts open their HTTP endpoint, to which agents are led (MCP_WORKBENCH_HTTP=1).",
    )
    max_body_bytes = Int(
        Limits().http_body_bytes,
        min=1,
        config=True,
        help="Largest body of an agent's HTTP request. A kernel has a bound of its own, wb.Limits(http_body_bytes=…): raise both.",
    )
    max_connections = Int(
        64,
        min=1,
        config=True,
        help="Connections to one kernel at a time, views and agents together; an HTTP request is one until it is answered.",
    )

    # traitlets leaves the type of **kwargs open.
    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._connections: Counter[str] = Counter()
        self.landing = memoryview(bytearray(LANDING_BYTES))
        """Shared by the halves to kernels: two thirds of what an idle connection would take."""

    def connections(self, kernel_id: str) -> int:
        """Connections to a kernel at this moment, those that are being opened included."""
        return self._connections[kernel_id]

    @contextmanager
    def place(self, kernel_id: str) -> Iterator[bool]:
        """Hold a connection's place for as long as the `with` lasts; gives False when all are taken."""
        if self._connections[kernel_id] >= self.max_connections:
            yield False
            return
        self._connections[kernel_id] += 1
        try:
            yield True
        finally:
            self._connections[kernel_id] -= 1
            if not self._connections[kernel_id]:
                del self._connections[kernel_id]

"""The Jupyter Server side: kernels of this server that serve, under one address that outlives their restarts.

A Jupyter Server loads this room into its own process, by the name `mcp_workbench.gateway`; a kernel never does. It
finds kernels by their discovery files and relays to their loopback ports: WebSockets for views (`…/view`) and for
agents (`…/mcp`), and agents' HTTP. Who may do so is Jupyter's decision; what is said goes through unread. Knows nothing of MCP's
messages, sessions or DataFrames. Importing it loads nothing of Jupyter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """What Jupyter Server asks an extension: where it is."""
    return [{"module": "mcp_workbench.gateway"}]


def _load_jupyter_server_extension(app: ServerApp) -> None:
    """What Jupyter Server calls: add the routes."""
    # Here, because Jupyter Server is no dependency of a kernel.
    from mcp_workbench.gateway.routes import add_routes

    add_routes(app)

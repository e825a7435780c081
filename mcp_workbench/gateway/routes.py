"""The gateway's addresses in a Jupyter Server, all under `<base_url>mcp-workbench/`."""

from __future__ import annotations

from typing import Any

from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join

from mcp_workbench.gateway.configuration import McpWorkbenchGateway
from mcp_workbench.gateway.doors import AGENTS, VIEW
from mcp_workbench.gateway.listing import Kernels
from mcp_workbench.gateway.proxy import Proxy

KERNEL_ID = r"(?P<kernel_id>[\w-]+)"


def add_routes(app: ServerApp) -> McpWorkbenchGateway:
    """Add them to a server that has not started."""
    gateway = McpWorkbenchGateway(parent=app)
    application: Any = app.web_app
    base = url_path_join(application.settings["base_url"], "mcp-workbench")
    doors = [(f"{base}/kernels/{KERNEL_ID}/{door.name}", Proxy, {"gateway": gateway, "door": door}) for door in (AGENTS, VIEW)]
    application.add_handlers(".*$", [(f"{base}/api/kernels", Kernels, {"gateway": gateway}), *doors])
    return gateway

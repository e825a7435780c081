"""The gateway's addresses in a Jupyter Server, all under `<base_url>mcp-workbench/`."""

from __future__ import annotations

import os
from typing import Any

from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from tornado.httputil import HTTPServerRequest
from tornado.routing import PathMatches

from mcp_workbench.gateway.configuration import McpWorkbenchGateway
from mcp_workbench.gateway.doors import AGENTS, VIEW
from mcp_workbench.gateway.http_proxy import HttpProxy
from mcp_workbench.gateway.listing import Kernels
from mcp_workbench.gateway.proxy import Proxy, is_upgrade

KERNEL_ID = r"(?P<kernel_id>[\w-]+)"
OPENS_HTTP = "MCP_WORKBENCH_HTTP"
"""The setting `http` of `wb.start()`, as the environment says it."""


class Upgrades(PathMatches):
    """Requests at a path that ask for a WebSocket."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """What tornado asks: what stands in the path, or None."""
        return super().match(request) if is_upgrade(request) else None


def add_routes(app: ServerApp) -> McpWorkbenchGateway:
    """Add them to a server that has not started."""
    gateway = McpWorkbenchGateway(parent=app)
    application: Any = app.web_app
    base = url_path_join(application.settings["base_url"], "mcp-workbench")
    agents, views = (f"{base}/kernels/{KERNEL_ID}/{door.name}" for door in (AGENTS, VIEW))
    rules = [
        (f"{base}/api/kernels", Kernels, {"gateway": gateway}),
        (Upgrades(agents), Proxy, {"gateway": gateway, "door": AGENTS}),
        (agents, HttpProxy, {"gateway": gateway, "door": AGENTS}),
        (views, Proxy, {"gateway": gateway, "door": VIEW}),
    ]
    application.add_handlers(".*$", rules)
    if gateway.agents and gateway.http:
        # Most hosts speak HTTP and no WebSocket, and whoever writes the notebook should not have to know that. Kernels
        # inherit this; what an administrator has set, or a notebook passes to wb.start(), counts more.
        os.environ.setdefault(OPENS_HTTP, "1")
    return gateway

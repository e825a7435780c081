"""Which kernels of this Jupyter Server serve: what a program asks before it connects.

No token, and no path but those that Jupyter itself shows: the notebook is named as Jupyter's sessions name it.
"""

from __future__ import annotations

import json
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from mcp_workbench.discovery import Entry
from mcp_workbench.gateway.answers import AnswersInJson
from mcp_workbench.gateway.configuration import McpWorkbenchGateway
from mcp_workbench.gateway.doors import AGENTS, VIEW, Door, entries
from mcp_workbench.gateway.sentences import NOT_AUTHORIZED


class Kernels(AnswersInJson, APIHandler):
    """`GET mcp-workbench/api/kernels`."""

    # Jupyter's word for "not a sign that somebody works here": the sidebar asks again and again, and idle servers are to be culled.
    _track_activity = False

    def initialize(self, gateway: McpWorkbenchGateway) -> None:
        """Tornado's constructor for handlers."""
        self._gateway = gateway

    @web.authenticated
    async def get(self) -> None:
        """List them, latest started first."""
        if not await self.may("read", "kernels"):
            self.refuse(403, NOT_AUTHORIZED)
            return
        agents, views = await entries(AGENTS), await entries(VIEW)
        ours = [entry for entry in {**views, **agents}.values() if entry.kernel_id in self.kernel_manager]
        notebooks = await self._notebooks() if ours else {}
        ours.sort(key=lambda entry: entry.started, reverse=True)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"kernels": [self._describe(entry, notebooks, agents, views) for entry in ours]}))

    def _describe(self, entry: Entry, notebooks: dict[str, str], agents: dict[str, Entry], views: dict[str, Entry]) -> dict[str, Any]:
        kernel_id = entry.kernel_id
        told: dict[str, Any] = {"kernelId": kernel_id, "name": entry.name, "since": entry.started}
        told["notebook"] = notebooks.get(kernel_id)
        if kernel_id in agents and self._gateway.agents:
            told["mcp"] = self._path(kernel_id, AGENTS)
            told["transports"] = ["websocket"] if agents[kernel_id].http_url is None else ["websocket", "http"]
        if kernel_id in views:
            told["view"] = self._path(kernel_id, VIEW)
        return told

    def _path(self, kernel_id: str, door: Door) -> str:
        return str(url_path_join(self.base_url, "mcp-workbench/kernels", kernel_id, door.name))

    async def _notebooks(self) -> dict[str, str]:
        """Kernel id -> path of its notebook, for who may see Jupyter's sessions."""
        if not await self.may("read", "sessions"):
            return {}
        manager: Any = self.session_manager
        sessions: list[dict[str, Any]] = await ensure_async(manager.list_sessions())
        return {session["kernel"]["id"]: session["path"] for session in sessions}

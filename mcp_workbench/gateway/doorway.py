"""Who may come in, asked alike of those who come by WebSocket and by HTTP, in the order of who may learn what."""

from __future__ import annotations

from mcp_workbench.gateway import sentences
from mcp_workbench.gateway.answers import AnswersInJson
from mcp_workbench.gateway.configuration import McpWorkbenchGateway
from mcp_workbench.gateway.doors import AGENTS, Door, is_elsewhere


class Doorway(AnswersInJson):
    """A handler that leads to one kind of endpoint of one kernel."""

    def initialize(self, gateway: McpWorkbenchGateway, door: Door) -> None:
        """Tornado's constructor for handlers."""
        self._gateway = gateway
        self._door = door

    async def objection(self, kernel_id: str) -> tuple[int, str] | None:
        """Why this client may not even ask for the kernel's server, as status and sentence; who it is has been asked before."""
        if self.is_foreign_page():
            return 403, sentences.FOREIGN_PAGE
        if not await self.may("execute", "kernels"):
            return 403, sentences.NOT_AUTHORIZED
        if self._door is AGENTS and not self._gateway.agents:
            return 403, sentences.NO_AGENTS
        if kernel_id not in self.kernel_manager:
            return 404, sentences.NO_KERNEL
        return None

    def is_foreign_page(self) -> bool:
        """Whether a browser asks for a page of another origin."""
        # Jupyter's rule, and tornado's from 6.6 on: a page cannot write Sec-Fetch-Site, so the browser's word counts.
        # Tornado asks the same again at a WebSocket's upgrade, after the kernel would have been connected.
        return self.request.headers.get("Sec-Fetch-Site") not in ("same-origin", "none") and not self.check_origin()

    def leads_elsewhere(self, kernel_id: str) -> bool:
        """Whether the kernel runs on another machine."""
        return kernel_id in self.kernel_manager and is_elsewhere(self.kernel_manager.get_kernel(kernel_id))

"""class Workbench: one server and what it offers. It only delegates; `assembly` builds what it delegates to."""

from __future__ import annotations

from mcp_workbench.events import Principal
from mcp_workbench.pasting import HostConfig, config
from mcp_workbench.transports.credentials import DEFAULT_NAME
from mcp_workbench.workbench.presenting import Presenting
from mcp_workbench.workbench.remembering import Remembering


class Workbench(Remembering, Presenting):
    """An MCP server in this process, and the tools, resources, prompts and DataFrames it offers.

    Args:
        name: Shown to clients; default: the notebook's name.
        settings: What `start()` takes; may also be given there.

    Everything may be registered before or after `start()`. Registering, publishing, starting and stopping belong to
    the main thread; `touch`, `get`, `status` and the readings may be called from any thread.
    """

    def __repr__(self) -> str:
        if self._running is None:
            return f"<Workbench {self._name!r} not running>"
        return f"<Workbench {self._name!r} at {' and '.join(filter(None, (self.url, self.http_url)))}>"

    @property
    def token(self) -> str:
        """The token of the principal `default`. A secret: it stands in no repr, status or log."""
        return self._offer.credentials.token()

    def ticket_url(self, ttl_s: float = 60.0, *, name: str = DEFAULT_NAME) -> str:
        """A WebSocket address that is good for one connection, for clients that cannot send an `Authorization` header.

        Over HTTP, where there are no connections to open, the same path opens one request; HTTP clients send the token.

        Args:
            ttl_s: Seconds until it expires unused; at most 3,600.
            name: Principal it stands for.

        Raises:
            ValueError: There is no principal of that name, or `ttl_s` is out of range.
        """
        self._offer.credentials.secret(name)  # a ticket for nobody would let a revoked principal in again
        return f"{self._server().url}/t/{self._offer.tickets.mint(Principal(name), ttl_s=ttl_s)}"

    def config(self, client: str = "json") -> HostConfig:
        """What to paste into an agent's host so that it finds this notebook and the next ones: once per machine, no token in it.

        Args:
            client: claude-code, claude-desktop, vscode, cursor, codex, gemini-cli, windsurf, or json for any other.

        Returns:
            Shell lines, file contents and the allow-list of the tools that only look; shows as text.

        Raises:
            ValueError: There is no such client; names the nearest.
        """
        return config(client, port=self._settings.port or None, http_port=self._settings.http_port or None)

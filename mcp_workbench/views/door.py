"""`/view`: how the page in JupyterLab, and whoever else shows people this kernel, reach the live views.

The credential is a secret of its own, made anew for each start: an agent's token opens nothing here, and this one nothing of the
agents'. It stands in one file, which only its user can read (`discovery.write_view`), and in nothing that is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from mcp_workbench import discovery
from mcp_workbench.assembly import RunningServer
from mcp_workbench.offer import Offer
from mcp_workbench.secret import Secret
from mcp_workbench.transports.credentials import OneSecret
from mcp_workbench.transports.gate import Endpoint, Page
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.page import VIEW_SUBPROTOCOL, VIEWER, OwnPage
from mcp_workbench.views.viewers import Viewers

PATH = "/view"


class ViewDoor:
    """The views' way into one running server.

    Args:
        offer: What it offers.
    """

    viewers: Viewers
    """All views of the server, from its start on."""
    page: OwnPage
    """The page of its own, from the server's start on."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self.secret = Secret.random()
        """What opens it."""

    def endpoints(self, running: RunningServer) -> Iterable[Endpoint | Page]:
        """`/view`, for programs, and what is under `/panel/`, for browsers."""
        credential = OneSecret(self.secret, VIEWER.name)
        self.viewers = Viewers(Sources(running, self._offer), asyncio.get_running_loop())
        self.page = OwnPage(self.viewers.accept, credential)
        return (Endpoint(PATH, credential, VIEW_SUBPROTOCOL, self.viewers.accept), *self.page.doors())

    def opened(self, running: RunningServer) -> None:
        """Leave the address and the secret where this user's programs find them."""
        running.announce(PATH, self.secret, discovery.write_view, "live views")

    def close(self) -> None:
        """Every view is told goodbye."""
        self.viewers.close()

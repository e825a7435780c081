"""How whoever shows people this kernel reaches its live views: by the page of its own.

The secret is made anew for each start: an agent's token opens nothing here, and this one nothing of the agents'. It stands in one
file, which only its user can read (`discovery.write_view`), and in nothing that is shown.
"""

from __future__ import annotations

from collections.abc import Iterable

from mcp_workbench import discovery
from mcp_workbench.assembly import RunningServer
from mcp_workbench.events import Principal
from mcp_workbench.offer import Offer
from mcp_workbench.transports.channel import Channel, Receiver
from mcp_workbench.transports.credentials import Credentials
from mcp_workbench.transports.gate import Endpoint, Page
from mcp_workbench.views.page import OwnPage

PATH = "/view"


class ViewDoor:
    """The views' way into one running server.

    Args:
        offer: What it offers.
    """

    page: OwnPage
    """The page of its own, from the server's start on."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._credentials = Credentials()

    def endpoints(self, running: RunningServer) -> Iterable[Endpoint | Page]:
        """The page and its WebSocket."""
        self.page = OwnPage(self._accept, self._credentials)
        return self.page.doors()

    def opened(self, running: RunningServer) -> None:
        """Leave the address and the secret where this user's programs find them."""
        running.announce(PATH, self._credentials.secret(), discovery.write_view, "live views")

    def close(self) -> None:
        """Nothing is open."""

    def _accept(self, channel: Channel, principal: Principal) -> Receiver | None:
        return None

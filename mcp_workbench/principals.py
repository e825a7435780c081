"""`wb.tokens`: who may connect.

Letting somebody in and keeping somebody out concerns more than the credentials: jobs and results belong to a principal, and
its sessions are open. Neighbours: `transports/credentials.py` keeps the tokens, `assembly.py` closes the sessions.
"""

from __future__ import annotations

from collections.abc import Callable

from mcp_workbench.assembly import RunningServer
from mcp_workbench.offer import Offer
from mcp_workbench.secret import hidden


class Tokens:
    """Who may connect; each name is a principal with a token of its own.

    Args:
        offer: Has the credentials, jobs and results.
        running: The server, asked for each time; None: not running.
    """

    def __init__(self, offer: Offer, running: Callable[[], RunningServer | None]) -> None:
        self._offer = offer
        self._running = running

    def __repr__(self) -> str:
        return f"<Tokens of {', '.join(self.names())}>"

    def names(self) -> tuple[str, ...]:
        """The principals; the first is `default`."""
        return self._offer.credentials.names()

    def add(self, name: str) -> str:
        """Let somebody in: returns a token for `name`, which is shown nowhere else.

        Raises:
            ValueError: The name is taken, or cannot be one.
        """
        token = hidden(self._offer.credentials.add(name))
        self._offer.results.admit(name)
        self._offer.jobs.admit(name)
        return token.reveal()

    def revoke(self, name: str) -> None:
        """Let `name` in no more: its token and tickets are void, its sessions closed with 1008, its jobs cancelled, its results forgotten.

        Raises:
            ValueError: There is nobody of that name.
        """
        running = self._running()
        self._offer.credentials.revoke(name)
        if running is not None:
            running.close_principal(name)
        self._offer.jobs.forget(name)
        self._offer.results.forget(name)  # last: calls that were running are over, and leave nothing any more

"""What feeds and actions read: one running server and what it offers.

A value of its own, so that a further feed can be given more without a change in those there are.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcp_workbench.assembly import RunningServer
from mcp_workbench.offer import Offer


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the facts are. Read on the protocol loop."""

    running: RunningServer
    offer: Offer

    def client_of(self, session_id: str, at: float) -> str:
        """What the client of a session calls itself; empty where that is not known any more.

        Args:
            session_id: The session's id.
            at: When it was heard of: an earlier start of the server had sessions of the same ids.
        """
        session = self.running.sessions.find(session_id)
        if session is not None and session.record.since <= at:
            return session.record.client_name or ""
        ended = (record for record in reversed(self.offer.telemetry.sessions(None)) if record.session_id == session_id)
        return next((record.client_name or "" for record in ended if record.since <= at), "")

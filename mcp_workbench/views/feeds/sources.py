"""What feeds and actions read: one running server and what it offers.

A value of its own, so that a further feed can be given more without a change in those there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mcp_workbench.assembly import RunningServer
from mcp_workbench.offer import Offer
from mcp_workbench.telemetry.records import SessionRecord
from mcp_workbench.views.messages import OpenCalls

T = TypeVar("T")


class Shared(Generic[T]):
    """What all views that look at the same moment are told, found out once."""

    def __init__(self) -> None:
        self._last: tuple[float, T] | None = None

    def at(self, now: float, look: Callable[[], T]) -> T:
        """What is told at a moment.

        Args:
            now: The moment, in seconds since 1970.
            look: Finds out.
        """
        if self._last is None or self._last[0] != now:
            self._last = now, look()
        return self._last[1]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the facts are. Read on the protocol loop."""

    running: RunningServer
    offer: Offer
    open_calls: Shared[OpenCalls] = field(default_factory=Shared, compare=False, repr=False)
    """Thousands of calls may wait, and dozens of views look."""

    def client_of(self, session_id: str, at: float) -> str:
        """What the client of a session calls itself; empty where that is not known any more. Args as `session_of`."""
        record = self.session_of(session_id, at)
        return "" if record is None else record.client_name or ""

    def session_of(self, session_id: str, at: float) -> SessionRecord | None:
        """The session, also one that is only heard; None where it is not known any more. From any thread.

        Args:
            session_id: The session's id.
            at: When it was heard of: an earlier start of the server had sessions of the same ids.
        """
        session = self.running.sessions.find(session_id)
        if session is not None and session.record.since <= at:
            return session.record
        others = (*self.offer.overhearing.sessions(), *reversed(self.offer.telemetry.sessions(None)))
        return next((record for record in others if record.session_id == session_id and record.since <= at), None)

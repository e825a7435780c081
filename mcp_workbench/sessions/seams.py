"""What a session asks of others: who answers its requests, where it lives, who waits for what the client answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from mcp_workbench.errors import ConnectionClosed, PeerError
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.sessions.work import Answer, Work
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from mcp_workbench.sessions.session import Session


class RequestHandler(Protocol):
    """Whoever answers requests; methods run on the loop thread and must not block."""

    def handle(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result | Work | None:
        """Answer one request.

        Args:
            session: Whose request it is.
            exchange: The request.
            record: What is written down about it; targets, versions and notes are filled in here.

        Returns:
            The result; or Work; or None when the exchange was answered, or stays open, through the session itself.

        Raises:
            RemoteProtocolError: The error to answer with.
        """

    def too_large(self, exchange: Exchange, size: int, limit: int) -> Answer:
        """The answer in place of one whose text would be `size` bytes."""

    def unwritable(self, exchange: Exchange) -> Answer:
        """The answer in place of one that has no JSON form."""

    def session_closed(self, session: Session) -> None:
        """The session is over."""


class SessionHome(Protocol):
    """Where a session lives: the registry, as far as one session sees it."""

    telemetry: Telemetry

    def forget(self, session: Session) -> None:
        """The session has ended."""

    def call_ended(self) -> None:
        """One of its calls has ended."""

    def sync_index(self, session: Session, exchange: Exchange) -> None:
        """One of its listens was cancelled."""


class Waiter(Protocol):
    """Who waits for what the client answers to a request of ours; told once, on the loop thread."""

    def receive_result(self, result: dict[str, Any]) -> None:
        """It was answered."""

    def receive_error(self, error: PeerError | ConnectionClosed) -> None:
        """It was answered with an error, or the client is gone."""

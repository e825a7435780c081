"""The seam between a session and what answers its requests.

A session knows no tools: it hands each request to a `RequestHandler`, which answers at once or returns
`Work` that runs user code. How many works run, wait or are refused is the session's business; how they
run is not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.telemetry.records import CallRecord

if TYPE_CHECKING:
    from mcp_workbench.sessions.session import Session

Answer = wire.Result | RemoteProtocolError
Done = Callable[[Answer | None], None]
"""Takes the answer, or None when there is nobody left to answer. Called on the loop thread, exactly once."""


class Work(ABC):
    """A request that needs user code. All methods are called on the loop thread."""

    __slots__ = ()

    @abstractmethod
    def start(self, done: Done) -> None:
        """Begin; `done` may be called before this returns."""

    @abstractmethod
    def cancel(self, reason: str) -> None:
        """Nobody wants the answer any more; `done` is called soon, at the latest when the work ends."""

    @abstractmethod
    def refuse(self, sentence: str) -> Answer:
        """The answer that says why this is not taken on; `start` will never be called."""


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

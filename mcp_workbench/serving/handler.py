"""One table from method to the room's function that answers it."""

from __future__ import annotations

from collections.abc import Callable

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.serving.failures import UNWRITABLE
from mcp_workbench.serving.rounds import Suspended
from mcp_workbench.serving.tools import tool_error
from mcp_workbench.sessions.session import Session
from mcp_workbench.sessions.work import Answer, Work
from mcp_workbench.telemetry.records import CallRecord

Respond = Callable[[Session, Exchange, CallRecord], wire.Result | Work | None]


class Handler:
    """Answers the requests of every session.

    Args:
        table: Method -> who answers it. The Peer answers `initialize`, `ping` and `server/discover` itself.
        suspended: Answers retries of calls that have asked their client something.
    """

    def __init__(self, table: dict[str, Respond], suspended: Suspended) -> None:
        self._suspended = suspended
        self._table = table | {"logging/setLevel": set_level}

    def handle(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result | Work | None:
        """Answer one request; see `RequestHandler`."""
        respond = self._table.get(exchange.method)
        if respond is None:
            raise RemoteProtocolError(ErrorCode.METHOD_NOT_FOUND, f"Method not found: {exchange.method[:100]}")
        return self._suspended.retry(session, exchange, record) or respond(session, exchange, record)

    def too_large(self, exchange: Exchange, size: int, limit: int) -> Answer:
        """The answer in place of one that the client would close the connection over."""
        sentence = (
            f"The result is {size:,} bytes long; this connection takes {limit:,}. Ask for less: fewer rows, fewer columns, a summary."
        )
        if exchange.method == "tools/call":
            return tool_error(sentence)
        return RemoteProtocolError(ErrorCode.INTERNAL_ERROR, sentence, {"reason": "result too large"})

    def unwritable(self, exchange: Exchange) -> Answer:
        """The answer in place of one that JSON cannot carry: a lone surrogate, or an object in a wire object of the author's."""
        if exchange.method == "tools/call":
            return tool_error(UNWRITABLE)
        return RemoteProtocolError(ErrorCode.INTERNAL_ERROR, UNWRITABLE, {"reason": "no JSON form"})

    def session_closed(self, session: Session) -> None:
        """Nothing is kept per session here."""


def set_level(session: Session, exchange: Exchange, record: CallRecord) -> wire.Result:
    """`logging/setLevel` (up to 2025-11-25)."""
    session.peer.log_level, session.peer.log_level_asked = exchange.params.level, True
    record.target = exchange.params.level
    return wire.EmptyResult()

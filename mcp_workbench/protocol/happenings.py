"""What the Peer reports after a text was received, in the order in which it happened."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from mcp_workbench.errors import PeerError
from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import ClientFacts, Exchange


class Ignored(StrEnum):
    """Why a text was not answered and changed nothing; counted under this name and shown."""

    BROKEN_NOTIFICATION = "broken notification"
    BROKEN_RESPONSE = "broken response"
    UNKNOWN_NOTIFICATION = "unknown notification"
    EARLY_NOTIFICATION = "notification before the first request"
    LATE_CANCEL = "cancel of an unknown or finished request"
    UNKNOWN_RESPONSE = "response to an unknown request"
    UNKNOWN_PROGRESS = "progress of an unknown request"


class RequestAnswered(msgspec.Struct, frozen=True):
    """The Peer answered a request by itself: `initialize`, `ping`, `server/discover`, and whatever it refuses.

    What a driver needs to write it down. Reported alone where the answer waits for the rest of its batch, else by its `TextToSend`.
    """

    method: str
    """As the other side wrote it, however long."""
    params: dict[str, Any] | None
    """As they came, unchecked."""
    id: RequestId
    era: Era
    bytes_in: int
    """Size of the request's text."""
    bytes_out: int
    """Size of the answer's text."""
    error: PeerError | None = None
    """What it was refused with; None: it was answered with a result."""


class TextToSend(msgspec.Struct, frozen=True):
    """The Peer answered by itself (handshake, ping, discover, protocol errors): send this text, in order."""

    text: bytes
    method: str | None = None
    """What was answered; None for a text that was no request."""
    code: int | None = None
    """The error code, when it is an error."""
    id: RequestId | None = None
    """Id of the request that is answered, of a batch that of one; None where none could be read."""
    answered: RequestAnswered | None = None
    """The request that is answered; None for a text that was no request, and for a batch that became whole by a cancel."""


class SessionBegan(msgspec.Struct, frozen=True):
    """The era of the connection is decided."""

    client: ClientFacts


class SessionInitialized(msgspec.Struct, frozen=True):
    """Legacy: `notifications/initialized` arrived."""


class RequestReceived(msgspec.Struct, frozen=True):
    """A request waits for `Peer.answer`, `Peer.answer_error` or its cancellation."""

    exchange: Exchange


class RequestCancelled(msgspec.Struct, frozen=True):
    """The other side no longer wants an answer; nothing more may be sent for this exchange."""

    exchange: Exchange
    reason: str


class Pending:
    """A request of ours that waits for its response."""

    __slots__ = ("id", "method", "waiter")

    def __init__(self, request_id: RequestId, method: str, waiter: Any = None) -> None:
        self.id = request_id
        self.method = method
        self.waiter = waiter
        """Whatever the driver wants to find again, for instance a future."""


class ResponseReceived(msgspec.Struct, frozen=True):
    """A request of ours was answered: exactly one of result and error."""

    pending: Pending
    result: dict[str, Any] | None
    error: PeerError | None


class ProgressReceived(msgspec.Struct, frozen=True):
    """A request of ours makes progress."""

    pending: Pending
    params: wire.ProgressParams


class NotificationReceived(msgspec.Struct, frozen=True):
    """A notification the driver may care about; its params have the method's shape."""

    method: str
    params: Any
    """The method's params Struct."""
    subscription_id: RequestId | None
    """Modern: the listen it belongs to."""


class TextIgnored(msgspec.Struct, frozen=True):
    """Nothing was done, for this reason."""

    reason: Ignored


Happening = (
    TextToSend
    | RequestAnswered
    | SessionBegan
    | SessionInitialized
    | RequestReceived
    | RequestCancelled
    | ResponseReceived
    | ProgressReceived
    | NotificationReceived
    | TextIgnored
)

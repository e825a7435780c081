"""One request and its outcome, and the facts about the client that asked.

An exchange is not a call: a call is one run of user code, which may outlive its exchange or gain a new
one. This module knows exchanges only.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import ErrorCode, RequestId
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import LATEST_MODERN


class ClientFacts(msgspec.Struct, frozen=True):
    """Who asked, as the client itself says: labels and abilities, never identity.

    Legacy: fixed by `initialize`. Modern: read from each request anew.
    """

    era: Era
    version: str
    """Protocol revision in force."""
    capabilities: wire.ClientCapabilities
    info: wire.Implementation | None = None

    @property
    def takes_tasks(self) -> bool:
        """Whether a call of it may be answered with a task: it has declared the extension, which there is in the modern era only."""
        return self.era is Era.MODERN and wire.TASKS in (self.capabilities.extensions or ())


class Fate(StrEnum):
    """What has become of an exchange."""

    OPEN = "open"
    ANSWERED = "answered"
    CANCELLED = "cancelled"


class Exchange:
    """A request that was received, until it is answered or cancelled. Made by the Peer only."""

    __slots__ = ("batch", "client", "fate", "id", "log_level", "method", "params", "progress_token", "text_bytes", "traceparent")

    def __init__(self, request_id: RequestId, method: str, params: Any, client: ClientFacts, text_bytes: int) -> None:
        self.id = request_id
        self.method = method
        self.params = params
        """The method's params Struct of `mcp_workbench.protocol.wire`."""
        self.client = client
        self.text_bytes = text_bytes
        """Size of the request's text."""
        self.progress_token: wire.ProgressToken | None = None
        self.log_level: wire.LogLevel | None = None
        """Modern: the level this request asked for; None means it wants no log messages."""
        self.traceparent: str | None = None
        """W3C trace context of the caller (SEP-414)."""
        self.batch: BatchReply | None = None
        self.fate = Fate.OPEN

    def resource_not_found(self, sentence: str) -> RemoteProtocolError:
        """The error for an unknown resource: -32002 up to 2025-11-25, -32602 since (SEP-2164)."""
        code = ErrorCode.INVALID_PARAMS if self.client.version >= LATEST_MODERN else ErrorCode.RESOURCE_NOT_FOUND
        return RemoteProtocolError(code, sentence, {"uri": self.params.uri} if isinstance(self.params, wire.UriParams) else None)

    def __repr__(self) -> str:
        return f"<Exchange {self.id!r} {self.method} {self.fate}>"


class BatchReply:
    """The one array that answers a batch, complete when every request in it is answered or cancelled."""

    __slots__ = ("_open", "_replies", "requests")

    def __init__(self, requests: int) -> None:
        self.requests = requests
        """How many share the array, and so its bound of bytes."""
        self._open = requests
        self._replies: list[bytes] = []

    def settle(self, reply: bytes | None) -> bytes | None:
        """Note one request's reply (None: cancelled); returns the array's text once nothing is open and something was answered."""
        self._open -= 1
        if reply is not None:
            self._replies.append(reply)
        if self._open or not self._replies:
            return None
        return b"[" + b",".join(self._replies) + b"]"

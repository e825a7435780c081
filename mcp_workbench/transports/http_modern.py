"""Streamable HTTP from 2026-07-28: each POST is a conversation of its own, and its connection the channel.

Requests of one connection come one after the other, so a conversation may serve several of them in turn and their ids
cannot collide; what one request said is nothing to the next. An answer that comes with nothing before it is plain
JSON, with the HTTP status that its error has; where something is told first, or 15 s pass, it is a stream of events.
A client that hangs up takes its request back. Loop thread only.
"""

from __future__ import annotations

from mcp_workbench.jsonrpc import ErrorCode, RequestId
from mcp_workbench.transports.channel import ChannelFacts, Receiver
from mcp_workbench.transports.http_incoming import COMMENT, JSON, Incoming, event

STATUS: dict[int, int] = {
    ErrorCode.PARSE_ERROR: 400,
    ErrorCode.INVALID_REQUEST: 400,
    ErrorCode.INVALID_PARAMS: 400,
    ErrorCode.HEADER_MISMATCH: 400,
    ErrorCode.MISSING_CLIENT_CAPABILITY: 400,
    ErrorCode.UNSUPPORTED_VERSION: 400,
    ErrorCode.METHOD_NOT_FOUND: 404,
}
"""HTTP status of an error; 200 for results and other errors."""


class ModernChannel:
    """The channel of one connection, for one client.

    Args:
        remote: A label for the other end.
    """

    __slots__ = ("_closed", "_incoming", "_receiver", "_sent", "bytes_received", "facts")

    def __init__(self, remote: str) -> None:
        self.facts = ChannelFacts("http", remote)
        self.bytes_received = 0
        self._sent = 0
        self._receiver: Receiver | None = None
        self._incoming: Incoming | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"<ModernChannel to {self.facts.remote}, {'closed' if self._closed else 'busy' if self._incoming else 'free'}>"

    @property
    def closed(self) -> bool:
        """Whether it takes no further request."""
        return self._closed

    # --- what the receiver calls ------------------------------------------------------------------------

    @property
    def writable(self) -> bool:
        """Whether the next text would be taken without piling up."""
        return not self._closed and (self._incoming is None or self._incoming.writable)

    @property
    def unsent_bytes(self) -> int:
        """Bytes of the answer at hand that the operating system has not taken yet."""
        return 0 if self._incoming is None else self._incoming.unsent_bytes

    @property
    def bytes_sent(self) -> int:
        """Bytes of texts ever handed over."""
        return self._sent

    def open(self, receiver: Receiver) -> None:
        """Deliver to `receiver` from now on."""
        self._receiver = receiver

    def send(self, text: bytes) -> None:
        """Say a text to the request at hand."""
        self.send_for(text, None, None)

    def send_for(self, text: bytes, owner: RequestId | None, settles: int | None) -> None:
        """Say a text to the request at hand: every text of a modern conversation belongs to it."""
        incoming = self._incoming
        if incoming is None:
            return
        self._sent += len(text)
        if settles is not None:
            self._incoming = None
            if not incoming.streaming:
                incoming.respond(STATUS.get(settles, 200), text, JSON)
                return
        incoming.begin()
        incoming.tell(event(text))
        if settles is not None:
            incoming.end()

    def pause_receiving(self) -> None:
        """Nothing to do: a connection brings no further request before the one at hand is answered."""

    def resume_receiving(self) -> None:
        """Nothing to do."""

    def ping(self) -> None:
        """The operating system tells when the other end has gone; a silent one is no dead one."""
        self.bytes_received += 1

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End the request at hand, and take no other."""
        if self._closed:
            return
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            incoming.on_gone = incoming.on_writable = incoming.on_beat = _nothing
            if not incoming.streaming:
                incoming.explain(503, f"This request was not answered: {reason or 'the server ended it'}.")
            elif incoming.writable:
                incoming.end()
            else:
                incoming.abort()  # a reader that has stopped would keep the connection for long
        self.end(code, reason)

    def abort(self) -> None:
        """Drop the connection."""
        if self._incoming is not None:
            self._incoming.abort()
        self.end(1006, "")

    # --- what HTTP brings -------------------------------------------------------------------------------

    def receive(self, incoming: Incoming) -> None:
        """The next request of this connection."""
        self._incoming = incoming
        incoming.on_gone = self._lost
        incoming.on_writable = self._drained
        incoming.on_beat = self._beat
        self.bytes_received += len(incoming.body)
        if self._receiver is not None:
            self._receiver.receive_text(incoming.body)

    def end(self, code: int, reason: str) -> None:
        """Nothing more will come."""
        self._closed = True
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.receive_close(code, reason)

    def _lost(self) -> None:
        # 2026-07-28 Streamable HTTP: closing the response stream is how a client cancels.
        self._incoming = None
        self.end(1006, "")

    def _drained(self) -> None:
        if self._receiver is not None:
            self._receiver.receive_writable()

    def _beat(self) -> None:
        if self._incoming is not None:
            self._incoming.begin()
            self._incoming.tell(COMMENT)


def _nothing() -> None:
    """The request at hand was ended."""

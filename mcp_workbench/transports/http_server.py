"""The HTTP/1.1 server under Streamable HTTP: connections, their requests one after the other, and their time limits.

Strict where being lenient lets one request hide in another, and with a time limit on every wait for the client: for
a head, for a body, for the reading of an answer. The gate decides when the head is there, before any of the body is
read. Bytes come in by asyncio's callback and the answer leaves in the same turn where it is known: no task, no queue
([decision 9](docs/decisions/0009-own-http-driver.md) says why no library stands here). Loop thread only.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl as tls
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Protocol, cast

from mcp_workbench.events import Principal
from mcp_workbench.limits import KIB, Limits
from mcp_workbench.transports.gate import Admit, Gate, HandshakeRequest, Refuse, Serve
from mcp_workbench.transports.http_body import BodyTooLargeError, BrokenBodyError, ChunkedBody, body_length
from mcp_workbench.transports.http_head import END_OF_HEAD, parse_request, refuse_early, render_page, render_refusal
from mcp_workbench.transports.http_incoming import Incoming, Keeper
from mcp_workbench.transports.listening import DELIVERY_S, LINGER_S, ListeningServer, label, listen

logger = logging.getLogger("mcp_workbench")

KEEP_S = 75.0
"""How long a connection may wait for its next request."""
BEAT_S = 15.0
"""Between two signs of life of an answer that is not complete: proxies cut what is silent, often after a minute."""
PIPELINED_BYTES = 64 * KIB
"""Most that a client may send behind a request that is not answered."""
HIGH_WATER_BYTES = 64 * KIB


class Binding(Protocol):
    """What the requests mean."""

    def receive(self, incoming: Incoming) -> None:
        """A request is there with its body: answer it, now or later."""


class HttpServer(ListeningServer):
    """A listening socket and what came in through it; made by `serve_http`."""

    def __init__(self, gate: Gate, binding: Binding, listener: socket.socket, limits: Limits, *, secure: bool) -> None:
        super().__init__(gate, listener, limits, secure=secure)
        self.binding = binding
        self._connections: dict[asyncio.Transport, _Connection] = {}
        self._beat: asyncio.TimerHandle | None = None

    async def start(self, ssl: tls.SSLContext | None) -> None:
        """Begin to accept; called once by `serve_http`."""
        await self.accept_with(partial(_Connection, self), ssl)

    def close_one(self, transport: asyncio.Transport) -> None:
        """End a connection; an answer that is complete still leaves."""
        self._connections[transport].end()

    def join(self, transport: asyncio.Transport, connection: _Connection) -> bool:
        """Count a new connection; says whether there is room for it."""
        self._connections[transport] = connection
        if self._beat is None:
            self._beat = asyncio.get_running_loop().call_later(BEAT_S, self._beat_all)
        return self.enter(transport)

    def leave(self, transport: asyncio.Transport) -> None:
        """Forget a connection that is gone."""
        self._connections.pop(transport, None)
        super().leave(transport)
        if not self._connections and self._beat is not None:
            self._beat.cancel()
            self._beat = None

    def _beat_all(self) -> None:
        self._beat = asyncio.get_running_loop().call_later(BEAT_S, self._beat_all)
        for connection in list(self._connections.values()):
            connection.beat()


class _Phase(Enum):
    HEAD = "the next request is awaited"
    BODY = "its body is awaited"
    ANSWER = "it is being answered"
    DELIVERY = "its answer waits for its reader"
    LAST = "the last answer was given"


class _Connection(asyncio.Protocol):
    """One connection: request, answer, request …"""

    __slots__ = (
        "_body",
        "_buffer",
        "_free_since",
        "_headers",
        "_incoming",
        "_length",
        "_phase",
        "_principal",
        "_request",
        "_scheduled",
        "_server",
        "_timer",
        "_transport",
        "full",
        "keeper",
    )

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._buffer = bytearray()
        self._phase = _Phase.HEAD
        self._incoming: Incoming | None = None
        self._request: HandshakeRequest
        self._principal: Principal
        self._headers: tuple[tuple[str, str], ...] = ()
        self._length: int | None = 0
        self._body: ChunkedBody | None = None
        self._scheduled = False
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._free_since = 0.0
        self.full = False
        self.keeper: Keeper | None = None

    # --- what asyncio calls -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        limits = self._server.limits
        self._set_timer(limits.handshake_timeout_s, self._transport.abort)
        if not self._server.join(self._transport, self):
            if (refusal := self._server.refusal()) is None:
                self._transport.abort()
            else:
                self._refuse(refusal)

    def data_received(self, data: bytes) -> None:
        if self._phase is _Phase.LAST:
            return
        begins = self._phase is _Phase.HEAD and not self._buffer
        self._buffer += data
        if self._phase is _Phase.HEAD or self._phase is _Phase.BODY:
            self._go_on()
            if begins and self._phase is _Phase.HEAD and self._buffer:
                self._set_timer(self._server.limits.handshake_timeout_s, self._transport.abort)
        elif len(self._buffer) > PIPELINED_BYTES:
            # Reading on is how a client that hangs up is noticed, so it cannot just be left unread.
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._phase = _Phase.LAST
        if self._timer is not None:
            self._timer.cancel()
        self._server.leave(self._transport)
        if self._incoming is not None:
            self._incoming.lost()
        if self.keeper is not None:
            self.keeper.lost()

    def pause_writing(self) -> None:
        """An answer waits for its reader."""
        self.full = True
        if self._phase is _Phase.LAST:
            self._set_timer(DELIVERY_S, self._transport.abort)

    def resume_writing(self) -> None:
        """What waited has left."""
        self.full = False
        if self._phase is _Phase.DELIVERY:
            self._await_next()
        elif self._phase is _Phase.LAST:
            self._set_timer(LINGER_S, self._transport.abort)
        elif self._incoming is not None:
            self._incoming.on_writable()

    # --- a request comes in ---------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Read what is there."""
        if self._phase is _Phase.HEAD:
            self._read_head()
        if self._phase is _Phase.BODY:
            self._read_body()

    def _read_head(self) -> None:
        end = self._buffer.find(END_OF_HEAD)
        if end < 0:
            if (refusal := refuse_early(self._buffer)) is not None:
                self._refuse(refusal)
            return
        head = bytes(self._buffer[:end])
        del self._buffer[: end + len(END_OF_HEAD)]
        request = parse_request(head, port=self._server.port, secure=self._server.secure)
        if isinstance(request, Refuse):
            self._refuse(request)
        else:
            self._admit(request)

    def _admit(self, request: HandshakeRequest) -> None:
        limits = self._server.limits
        decision = _decide(self._server.gate, request)
        if not isinstance(decision, Admit):
            self._finish(decision, head_only=request.method == "HEAD")
            return
        self._server.known(self._transport)
        self._headers = decision.headers
        length = body_length(request, limits.http_body_bytes)
        if isinstance(length, Refuse):
            self._refuse(length)
            return
        self._request, self._principal, self._length = request, decision.principal, length
        self._body = ChunkedBody(limits.http_body_bytes) if length is None else None
        self._phase = _Phase.BODY
        if length is None or length > len(self._buffer):
            self._set_timer(limits.body_timeout_s, self._transport.abort)
            # RFC 9110 section 10.1.1: some clients wait for this before they send a large body.
            if not self._buffer and [each.lower() for each in request.headers.get("expect", ())] == ["100-continue"]:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _read_body(self) -> None:
        if self._body is not None:
            data, self._buffer = bytes(self._buffer), bytearray()
            try:
                self._body.feed(data)
            except BodyTooLargeError as error:
                self._refuse(Refuse(413, f"{str(error).capitalize()}."))
                return
            except BrokenBodyError as error:
                self._refuse(Refuse(400, f"The body cannot be read: {error}."))
                return
            if self._body.ended:
                self._buffer += self._body.rest
                self._deliver(self._body.take())
        elif self._length is not None and len(self._buffer) >= self._length:
            body = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
            self._deliver(body)

    def _deliver(self, body: bytes) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._phase = _Phase.ANSWER
        incoming = self._incoming = Incoming(self, self._request, self._principal, body, self._headers)
        try:
            self._server.binding.receive(incoming)
        except Exception:
            logger.exception("an HTTP request could not be answered")
            incoming.explain(500, "This server failed to answer: its log says why.")
            incoming.abort()

    # --- its answer goes out: what `Incoming` calls ---------------------------------------------------------

    @property
    def remote(self) -> str:
        return label(self._transport.get_extra_info("peername"))

    @property
    def unsent_bytes(self) -> int:
        return self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def answered(self, *, keep: bool) -> None:
        self._incoming = None
        if self._phase is not _Phase.ANSWER:
            return
        if not keep:
            self._linger()
        elif self.full:
            # The next request must not make an answer that piles up on this one.
            self._phase = _Phase.DELIVERY
            self._set_timer(DELIVERY_S, self._transport.abort)
        else:
            self._await_next()

    def abort(self) -> None:
        self._incoming = None
        self._transport.abort()

    def beat(self) -> None:
        """Let an answer that takes long give a sign of life; hang up where nothing has been asked for long."""
        if self._incoming is not None:
            self._incoming.on_beat()
        elif self._phase is _Phase.HEAD and self._timer is None and asyncio.get_running_loop().time() - self._free_since > KEEP_S:
            self._transport.close()

    def end(self) -> None:
        """The server stops."""
        if self._phase is _Phase.HEAD and not self._buffer:
            self._transport.close()
        elif self._phase is _Phase.DELIVERY:
            self._linger()
        elif self._phase is not _Phase.LAST:
            self._transport.abort()

    # --- between requests, and the end ----------------------------------------------------------------------

    def _await_next(self) -> None:
        self._phase = _Phase.HEAD
        self._headers = ()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._free_since = asyncio.get_running_loop().time()
        if self._buffer and not self._scheduled:
            self._scheduled = True
            self._set_timer(self._server.limits.handshake_timeout_s, self._transport.abort)
            asyncio.get_running_loop().call_soon(self._take_pipelined)

    def _take_pipelined(self) -> None:
        self._scheduled = False
        if self._phase is _Phase.HEAD:
            self._go_on()

    def _refuse(self, refusal: Refuse) -> None:
        """Say no, and end: what stands behind a refused head is no request."""
        self._finish(replace(refusal, headers=(*refusal.headers, *self._headers)))

    def _finish(self, last: Refuse | Serve, *, head_only: bool = False) -> None:
        """Give the last answer; to HEAD without its body."""
        self._phase = _Phase.LAST
        text = render_refusal(last, head_only=head_only) if isinstance(last, Refuse) else render_page(last, head_only=head_only)
        self.write(text)
        self._linger()

    def _linger(self) -> None:
        """Let the client hang up: closing on unread bytes would reset the answer away."""
        self._phase = _Phase.LAST
        self._buffer.clear()
        self._set_timer(DELIVERY_S if self.full else LINGER_S, self._transport.abort)
        if self._transport.is_closing():
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def _set_timer(self, seconds: float, action: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, action)


def _decide(gate: Gate, request: HandshakeRequest) -> Admit | Serve | Refuse:
    try:
        return gate.decide(request)
    except Exception:  # a named boundary: a credential check failed, and the one who asked is told so
        logger.exception("a request could not be decided on")
        return Refuse(500, "This server failed to answer: its log says why.")


async def serve_http(
    gate: Gate, binding: Binding, *, host: str = "127.0.0.1", port: int = 0, limits: Limits | None = None, ssl: tls.SSLContext | None = None
) -> HttpServer:
    """Listen for HTTP requests on the running loop.

    Args:
        gate: Decides who may come in.
        binding: Answers.
        host: Address to listen at.
        port: TCP port; 0 takes any free one, see `HttpServer.port`.
        limits: Bounds; None for the defaults.
        ssl: With a context the server speaks https:// only.

    Returns:
        The running server.

    Raises:
        OSError: The address cannot be listened at, for instance because the port is taken.
    """
    listener = await listen(host, port)
    server = HttpServer(gate, binding, listener, limits or Limits(), secure=ssl is not None)
    await server.start(ssl)
    return server

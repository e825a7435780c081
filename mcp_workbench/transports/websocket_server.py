"""The listening end: accepts connections, asks the gate, and hands over channels.

Every connection starts as a `_Handshake`, which reads one request head, lets the gate decide and either answers
(refuses, or serves a page) or steps aside for a `WebSocketChannel` on the same transport. Frames that came along with the
request are looked at only after that. Loop thread only.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl as tls
from collections.abc import Callable
from functools import partial
from typing import cast

from websockets.protocol import Protocol as Wire
from websockets.protocol import Side, State

from mcp_workbench.limits import Limits
from mcp_workbench.transports.departures import Departures
from mcp_workbench.transports.gate import Admit, Gate, HandshakeRequest, Refuse, Serve
from mcp_workbench.transports.http_head import END_OF_HEAD, parse_request, refuse_early, render_page, render_refusal, render_switch
from mcp_workbench.transports.listening import DELIVERY_S, LINGER_S, ListeningServer, listen
from mcp_workbench.transports.websocket import LANDING_BYTES, WebSocketChannel, silent

logger = logging.getLogger("mcp_workbench")


class WebSocketServer(ListeningServer):
    """A listening socket and what came in through it; made by `serve_websocket`."""

    def __init__(self, gate: Gate, listener: socket.socket, limits: Limits, *, secure: bool) -> None:
        super().__init__(gate, listener, limits, secure=secure)
        self.landing = memoryview(bytearray(LANDING_BYTES))
        self.departures = Departures(asyncio.get_running_loop())
        self._channels: dict[asyncio.Transport, WebSocketChannel] = {}

    async def start(self, ssl: tls.SSLContext | None) -> None:
        """Begin to accept; called once by `serve_websocket`."""
        await self.accept_with(partial(_Handshake, self), ssl)

    def close_one(self, transport: asyncio.Transport) -> None:
        """End a connection with 1001; one that is no WebSocket yet at once."""
        channel = self._channels.get(transport)
        if channel is None:
            transport.abort()
        else:
            channel.close(1001, "the server is stopping")

    def upgrade(self, transport: asyncio.Transport, channel: WebSocketChannel) -> None:
        """Note that a connection has become a channel."""
        self.known(transport)
        self._channels[transport] = channel

    def leave(self, transport: asyncio.Transport) -> None:
        """Forget a connection that is gone."""
        self._channels.pop(transport, None)
        super().leave(transport)


class _Handshake(asyncio.Protocol):
    """A connection until it is answered or has become a channel."""

    __slots__ = ("_answered", "_head", "_server", "_timer", "_transport")

    def __init__(self, server: WebSocketServer) -> None:
        self._server = server
        self._head = bytearray()
        self._answered = False
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._timer = self._after(self._server.limits.handshake_timeout_s, self._transport.abort)
        if not self._server.enter(self._transport):
            if (refusal := self._server.refusal()) is None:
                self._transport.abort()
            else:
                self._refuse(refusal)

    def data_received(self, data: bytes) -> None:
        if self._answered:
            return
        searched = max(0, len(self._head) - len(END_OF_HEAD) + 1)
        self._head += data
        end = self._head.find(END_OF_HEAD, searched)
        if end >= 0:
            self._answer(bytes(self._head[:end]), bytes(self._head[end + len(END_OF_HEAD) :]))
        elif (refusal := refuse_early(self._head)) is not None:
            self._refuse(refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._server.leave(self._transport)

    def _answer(self, head: bytes, rest: bytes) -> None:
        request = parse_request(head, port=self._server.port, secure=self._server.secure)
        if isinstance(request, Refuse):
            self._refuse(request)
            return
        decision = _decide(self._server.gate, request)
        head_only = request.method == "HEAD"
        if isinstance(decision, Refuse):
            self._refuse(decision, head_only=head_only)
        elif isinstance(decision, Serve):
            self._respond(render_page(decision, head_only=head_only))
        else:
            self._admit(request, decision, rest)

    def _admit(self, request: HandshakeRequest, admit: Admit, rest: bytes) -> None:
        self._answered = True
        self._timer.cancel()
        transport, server = self._transport, self._server
        transport.write(render_switch(request.headers["sec-websocket-key"][0], admit.subprotocol))
        wire = Wire(Side.SERVER, state=State.OPEN, max_size=server.limits.max_message_bytes, logger=silent)
        on_lost = partial(server.leave, transport)
        channel = WebSocketChannel(
            wire, transport, subprotocol=admit.subprotocol, landing=server.landing, departures=server.departures, on_lost=on_lost
        )
        server.upgrade(transport, channel)
        _hand_over(channel, admit)
        if rest:
            channel.receive_bytes(rest)

    def _refuse(self, refusal: Refuse, *, head_only: bool = False) -> None:
        self._respond(render_refusal(refusal, head_only=head_only))

    def _respond(self, response: bytes) -> None:
        """Answer, then let the client hang up: closing on unread bytes would reset the answer away."""
        self._answered = True
        self._head.clear()
        self._timer.cancel()
        self._transport.set_write_buffer_limits(high=0)  # so that `resume_writing` says when all of it has left
        self._timer = self._after(LINGER_S, self._transport.abort)
        self._transport.write(response)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def pause_writing(self) -> None:
        """The answer waits for its reader."""
        self._timer.cancel()
        self._timer = self._after(DELIVERY_S, self._transport.abort)

    def resume_writing(self) -> None:
        """All of it has left."""
        self._timer.cancel()
        self._timer = self._after(LINGER_S, self._transport.abort)

    def _after(self, seconds: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, action)


def _decide(gate: Gate, request: HandshakeRequest) -> Admit | Serve | Refuse:
    try:
        return gate.decide(request)
    except Exception:  # a named boundary: a page or a credential check failed, and the one who asked is told so
        logger.exception("a request could not be decided on")
        return Refuse(500, "This server failed to answer: its log says why.")


def _hand_over(channel: WebSocketChannel, admit: Admit) -> None:
    try:
        receiver = admit.endpoint.accept(channel, admit.principal)
    except Exception:
        logger.exception("the endpoint %s failed to take a connection", admit.endpoint.path)
        channel.close(1011, "internal error")
        return
    if receiver is None:
        channel.close(1013, "this endpoint takes no connection now: try again later")
    else:
        channel.open(receiver)


async def serve_websocket(
    gate: Gate, *, host: str = "127.0.0.1", port: int = 0, limits: Limits | None = None, ssl: tls.SSLContext | None = None
) -> WebSocketServer:
    """Listen for WebSocket connections on the running loop.

    Args:
        gate: Decides who may come in, and where to.
        host: Address to listen at.
        port: TCP port; 0 takes any free one, see `WebSocketServer.port`.
        limits: Bounds on message size, connections and handshake time; None for the defaults.
        ssl: With a context the server speaks wss:// only.

    Returns:
        The running server.

    Raises:
        OSError: The address cannot be listened at, for instance because the port is taken.
    """
    listener = await listen(host, port)
    server = WebSocketServer(gate, listener, limits or Limits(), secure=ssl is not None)
    await server.start(ssl)
    return server

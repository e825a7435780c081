"""The calling end: opens a WebSocket to a server and returns the same channel the server has.

Secrets are handled with care: a token goes into a header only, over plain ws:// only to this machine
unless told otherwise, and no error shows it, nor the path, in which a ticket may be; nor does any variable
here, for tracebacks may show those. Proxies and redirects are not followed. Loop thread only.
"""

from __future__ import annotations

import asyncio
import ssl as tls
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus, InvalidURI
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI, parse_uri

from mcp_workbench.errors import ConnectionClosed, HandshakeRefused
from mcp_workbench.limits import MIB
from mcp_workbench.secret import Secret, hidden, hidden_values
from mcp_workbench.transports.http_connection import ResponseHead, secrets_of
from mcp_workbench.transports.http_refusals import Asker
from mcp_workbench.transports.outgoing import outgoing_headers
from mcp_workbench.transports.websocket import WebSocketChannel, silent

HOW_TO_START = "start it with `import mcp_workbench as wb; wb.start()` in the notebook"


async def open_websocket(
    url: str | Secret,
    *,
    token: str | Secret | None = None,
    headers: Mapping[str, str | Secret] | None = None,
    subprotocol: str | None = "mcp",
    max_message_bytes: int = 64 * MIB,
    open_timeout_s: float = 10.0,
    ssl: tls.SSLContext | None = None,
    allow_remote: bool = False,
    landing: memoryview | None = None,
) -> WebSocketChannel:
    """Connect to a WebSocket server.

    Args:
        url: `ws://` or `wss://` address; one with a ticket in its path needs no token.
        token: Sent as `Authorization: Bearer`.
        headers: Further request headers.
        subprotocol: Offered to the server; None offers none. What it selected is in `channel.facts`.
        max_message_bytes: Largest text accepted; larger ones close the connection with 1009.
        open_timeout_s: Seconds until the handshake must be complete.
        ssl: TLS settings for `wss://`; None takes the system's.
        allow_remote: Send credentials over plain `ws://` to other machines too.
        landing: As `WebSocketChannel`: memory that many connections of one loop may share; None makes one of 64 KiB.

    Returns:
        The open channel; nothing is delivered before its `open(receiver)`. Cancelling is safe: the connection is dropped.

    Raises:
        ValueError: The URL is not a WebSocket URL, or the token would leave this machine unprotected.
        HandshakeRefused: The server answered with an HTTP error.
        ConnectionClosed: Nothing listens there, or what does is no WebSocket server.
        TimeoutError: No answer in time.
    """
    url, token, headers = hidden(url), hidden(token), hidden_values(headers)
    address = _parse(url)
    protected = address.secure or allow_remote
    extra = outgoing_headers(token, headers, host=address.host, place=address.place, protected=protected, instead="wss://")
    offered = None if subprotocol is None else [Subprotocol(subprotocol)]
    wire = ClientProtocol(address.uri, subprotocols=offered, max_size=max_message_bytes, logger=silent)
    context = (ssl or tls.create_default_context()) if address.secure else None
    handshake = _Handshake(wire, extra, address.place, landing)
    try:
        async with asyncio.timeout(open_timeout_s):
            return await _connect(handshake, address, context)
    except TimeoutError:
        raise TimeoutError(
            f"no WebSocket was opened by {address.place} within {open_timeout_s:g} s: the process there may be blocked"
        ) from None


@dataclass(frozen=True, slots=True)
class _Address:
    """Where to connect."""

    host: str
    port: int
    secure: bool
    uri: WebSocketURI = field(repr=False)
    """In its path may be a ticket, or a password before its host: not to be read in a line that can fail."""

    @property
    def place(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


async def _connect(handshake: _Handshake, address: _Address, context: tls.SSLContext | None) -> WebSocketChannel:
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_connection(lambda: handshake, address.host, address.port, ssl=context)
    except ConnectionRefusedError as error:
        raise ConnectionClosed(1006, f"nothing listens at {handshake.place}: {HOW_TO_START}") from error
    except TimeoutError:
        raise
    except OSError as error:
        raise ConnectionClosed(1006, f"{handshake.place} cannot be reached: {error.strerror or type(error).__name__}") from error
    try:
        return await handshake.opened
    except BaseException:
        transport.abort()
        raise


class _Handshake(asyncio.Protocol):
    """A connection until the server has answered the request."""

    def __init__(self, wire: ClientProtocol, headers: Mapping[str, Secret], place: str, landing: memoryview | None) -> None:
        self.place = place
        self._landing = landing
        self.opened: asyncio.Future[WebSocketChannel] = asyncio.get_running_loop().create_future()
        self._wire = wire
        self._headers = headers
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._wire.send_request(self._request())
        self._transport.write(b"".join(self._wire.data_to_send()))

    def _request(self) -> Request:
        request = self._wire.connect()
        for name, value in self._headers.items():
            request.headers[name] = value.reveal()
        return request

    def data_received(self, data: bytes) -> None:
        self._wire.receive_data(data)
        self._look_for_answer()

    def eof_received(self) -> None:
        self._wire.receive_eof()
        self._look_for_answer()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionClosed(1006, f"{self.place} hung up during the handshake"))

    def _look_for_answer(self) -> None:
        problem = self._wire.handshake_exc
        if self.opened.done():
            return
        if isinstance(problem, InvalidStatus):
            self.opened.set_exception(self._refusal(problem.response))
        elif problem is not None:
            self.opened.set_exception(self._not_websocket())
        elif self._wire.state is not State.CONNECTING:
            channel = WebSocketChannel(self._wire, self._transport, subprotocol=self._wire.subprotocol, landing=self._landing)
            self.opened.set_result(channel)

    def _refusal(self, response: Response) -> HandshakeRefused:
        head = ResponseHead(response.status_code, {name.lower(): value for name, value in response.headers.raw_items()})
        return HandshakeRefused(head.status, self._asker().at_the_handshake(head, bytes(response.body)))

    def _asker(self) -> Asker:
        target = Secret(self._wire.uri.resource_name)
        path, _, query = target.reveal().partition("?")
        known = "/t/" in path or bool(query) or any(name.lower() in ("authorization", "cookie") for name in self._headers)
        return Asker(self.place, path.endswith("/mcp"), known, (*self._headers.values(), *secrets_of(target)), over_http=False)

    def _not_websocket(self) -> ConnectionClosed:
        return ConnectionClosed(1002, f"what listens at {self.place} does not speak WebSocket: check host and port")


def _parse(url: Secret) -> _Address:
    try:
        address = _address(parse_uri(url.reveal()))
    except (InvalidURI, ValueError):
        # The library's message repeats the URL, in which there may be a ticket.
        raise ValueError("a WebSocket address is wanted, for instance ws://127.0.0.1:8801/mcp") from None
    if address.uri.user_info is not None:
        raise ValueError("name and password in a URL end up in logs: pass token= instead")
    return address


def _address(uri: WebSocketURI) -> _Address:
    return _Address(uri.host, uri.port, uri.secure, uri)

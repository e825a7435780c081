"""A WebSocket taken out of tornado's hands once Jupyter has let it in: both halves are then channels of our own.

Tornado's way takes a task for each text it sends and several turns of the loop for each it receives, and was most of
what the gateway adds to a call (docs/gateway.md has figures). It stays for what only tornado can do: TLS that Jupyter
itself ends, and compression. From here on the socket is asyncio's, without TLS, and a text passes in the callback that
brought it. Loop thread only.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from tornado.iostream import IOStream
from websockets.protocol import Protocol as Wire
from websockets.protocol import Side, State

from mcp_workbench.gateway.closing import VANISHED, told_to_client, told_to_kernel
from mcp_workbench.tasks import start_task
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.websocket import LANDING_BYTES, WebSocketChannel, silent


async def take_over(stream: IOStream, *, subprotocol: str | None, max_message_bytes: int, landing: memoryview) -> Channel:
    """The channel of a client whose handshake tornado has answered; the stream is closed, its connection goes on.

    Args:
        stream: A plain one, detached.
        subprotocol: What the handshake selected.
        max_message_bytes: Largest text taken from the client.
        landing: As `WebSocketChannel`.

    Raises:
        StreamClosedError: The client has gone.
        OSError: The same, or there is no descriptor left.
    """
    await stream.write(b"")  # until the answer to the handshake has left
    sent_early = _sent_early(stream, max_message_bytes)
    ours = stream.socket.dup()
    stream.close()
    if ours.family in (socket.AF_INET, socket.AF_INET6):
        ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire = Wire(Side.SERVER, state=State.OPEN, max_size=max_message_bytes, logger=silent)
    _, arrival = await asyncio.get_running_loop().connect_accepted_socket(lambda: _Arrival(wire, subprotocol, landing), ours)
    if sent_early:
        arrival.channel.receive_bytes(sent_early)
    return arrival.channel


def _sent_early(stream: IOStream, max_bytes: int) -> bytes:
    """What a client has said without waiting for the answer, as far as tornado has read it; the stream is not to be read any more."""
    sent, most = bytearray(), LANDING_BYTES
    while (reading := cast("asyncio.Future[bytes]", stream.read_bytes(most, partial=True))).done():
        sent += reading.result()
        if len(sent) > max_bytes:
            if len(reading.result()) < most:
                break  # tornado holds nothing back: the rest waits in the socket, and a text too large is closed with 1009 there
            most -= 1  # less than it reads at a time: the rest of that comes alone, and is short, also where a client never stops
    return bytes(sent)


class _Arrival(asyncio.Protocol):
    """A connection for the moment until it has its channel."""

    def __init__(self, wire: Wire, subprotocol: str | None, landing: memoryview) -> None:
        self._wire, self._subprotocol, self._landing = wire, subprotocol, landing
        self.channel: WebSocketChannel

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.channel = WebSocketChannel(
            self._wire, cast("asyncio.Transport", transport), subprotocol=self._subprotocol, landing=self._landing
        )


class _Half:
    """Receives from one channel for the other, no faster than that one takes."""

    def __init__(self, source: Channel, target: Channel, told: Callable[[int, str], tuple[int, str]]) -> None:
        self._source = source
        self._target = target
        self._told = told
        self.ended = asyncio.Event()

    def receive_text(self, text: bytes) -> None:
        """Pass it on."""
        self._target.send(text)
        if not self._target.writable:
            self._source.pause_receiving()

    def receive_writable(self) -> None:
        """The source takes texts again: its counterpart may bring them."""
        self._target.resume_receiving()

    def receive_close(self, code: int, reason: str) -> None:
        """Its end is the other's."""
        self._target.close(*self._told(code, reason))
        self.ended.set()


async def join(client: Channel, kernel: Channel, *, ping_every_s: float, dead_after_s: float) -> None:
    """Relay between two channels until the client's has ended; the kernel's ends with it, 2 s later at the latest.

    Args:
        client: Towards the client.
        kernel: Towards the kernel.
        ping_every_s: How often the client is asked for a sign of life; the kernel asks by itself. 0: never.
        dead_after_s: For how long it may give none.
    """
    from_client = _Half(client, kernel, _told_to_kernel)
    pinging = start_task(_keep_alive(client, ping_every_s, dead_after_s), name="mcp-workbench pings")
    try:
        kernel.open(_Half(kernel, client, told_to_client))
        client.open(from_client)
        await from_client.ended.wait()
    finally:
        pinging.cancel()
        client.abort()


def _told_to_kernel(code: int, reason: str) -> tuple[int, str]:
    return told_to_kernel(None if code == VANISHED else code, reason)


async def _keep_alive(client: Channel, ping_every_s: float, dead_after_s: float) -> None:
    silent_s = 0.0
    while ping_every_s > 0:
        heard = client.bytes_received
        await asyncio.sleep(ping_every_s)
        silent_s = silent_s + ping_every_s if client.bytes_received == heard else 0.0
        if silent_s > dead_after_s:
            client.abort()
            return
        client.ping()

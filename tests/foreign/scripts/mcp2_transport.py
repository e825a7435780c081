"""Transports for `mcp` 2.x that tell what was sent: WebSocket, which it has none of its own for, and its own HTTP and stdio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import httpx2
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp import StdioServerParameters, stdio_client
from mcp.client import Transport
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Incoming = SessionMessage | Exception
Streams = tuple[MemoryObjectReceiveStream[Incoming], MemoryObjectSendStream[SessionMessage]]
OnSent = Callable[[str], None]
"""Told the method of each message that was sent; the empty text for a response."""


def websocket_transport(url: str, token: str, on_sent: OnSent) -> Transport:
    """A transport to a server that takes the token as a header."""
    return _transport(url, token, on_sent)


def http_transport(url: str, token: str, on_sent: OnSent) -> Transport:
    """The SDK's own transport over Streamable HTTP."""
    client = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=httpx2.Timeout(30, read=300))
    return _watched(_closing(client, streamable_http_client(url, http_client=client)), on_sent)


@asynccontextmanager
async def _closing(client: httpx2.AsyncClient, transport: Transport) -> AsyncIterator[Streams]:
    async with client, transport as streams:
        yield streams


def stdio_transport(command: list[str], environment: dict[str, str], on_sent: OnSent) -> Transport:
    """The SDK's own transport to a server that it starts."""
    program, *arguments = command
    return _watched(stdio_client(StdioServerParameters(command=program, args=arguments, env=environment, cwd="/")), on_sent)


@asynccontextmanager
async def _watched(transport: Transport, on_sent: OnSent) -> AsyncIterator[Streams]:
    outgoing, from_session = anyio.create_memory_object_stream[SessionMessage](0)

    async def forward(to_server: MemoryObjectSendStream[SessionMessage]) -> None:
        async with to_server, from_session:
            async for message in from_session:
                await to_server.send(message)
                on_sent(getattr(message.message, "method", ""))

    async with transport as (incoming, to_server), anyio.create_task_group() as tasks:
        tasks.start_soon(forward, to_server)
        yield incoming, outgoing
        outgoing.close()


@asynccontextmanager
async def _transport(url: str, token: str, on_sent: OnSent) -> AsyncIterator[Streams]:
    to_session, incoming = anyio.create_memory_object_stream[Incoming](0)
    outgoing, from_session = anyio.create_memory_object_stream[SessionMessage](0)
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        connect(url, subprotocols=[Subprotocol("mcp")], additional_headers=headers) as websocket,
        to_session,
        incoming,
        outgoing,
        from_session,
        anyio.create_task_group() as tasks,
    ):
        if websocket.subprotocol != "mcp":
            raise ConnectionError(f"expected the subprotocol mcp, the server chose {websocket.subprotocol}")
        tasks.start_soon(_receive, websocket, to_session)
        tasks.start_soon(_send, websocket, from_session, on_sent)
        yield incoming, outgoing
        tasks.cancel_scope.cancel()


async def _receive(websocket: ClientConnection, to_session: MemoryObjectSendStream[Incoming]) -> None:
    async with to_session:
        async for text in websocket:
            try:
                await to_session.send(SessionMessage(jsonrpc_message_adapter.validate_json(text, by_name=False)))
            except ValueError as error:
                await to_session.send(error)


async def _send(websocket: ClientConnection, from_session: MemoryObjectReceiveStream[SessionMessage], on_sent: OnSent) -> None:
    async with from_session:
        async for message in from_session:
            try:
                await websocket.send(message.message.model_dump_json(by_alias=True, exclude_unset=True))
            except ConnectionClosed:
                return
            on_sent(getattr(message.message, "method", ""))

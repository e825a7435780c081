"""Receivers and servers for tests of what moves texts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from mcp_workbench.events import Principal
from mcp_workbench.limits import Limits
from mcp_workbench.transports.channel import Channel, Receiver
from mcp_workbench.transports.credentials import Credentials
from mcp_workbench.transports.gate import Endpoint, Gate
from mcp_workbench.transports.websocket_server import WebSocketServer, serve_websocket


class Listener:
    """Keeps what it is told, and lets a test wait for it."""

    def __init__(self, on_text: Callable[[bytes], None] | None = None) -> None:
        self.texts: list[bytes] = []
        self.closes: list[tuple[int, str]] = []
        self.writable_again = 0
        self._on_text = on_text
        self._news = asyncio.Event()

    def receive_text(self, text: bytes) -> None:
        assert not self.closes, "a text came after the end"
        self.texts.append(text)
        self._news.set()
        if self._on_text is not None:
            self._on_text(text)

    def receive_writable(self) -> None:
        self.writable_again += 1
        self._news.set()

    def receive_close(self, code: int, reason: str) -> None:
        self.closes.append((code, reason))
        self._news.set()

    async def until(self, condition: Callable[[Listener], bool]) -> None:
        while not condition(self):
            self._news.clear()
            await self._news.wait()

    async def until_texts(self, count: int) -> list[bytes]:
        await self.until(lambda each: len(each.texts) >= count)
        return self.texts

    async def until_closed(self) -> tuple[int, str]:
        await self.until(lambda each: bool(each.closes))
        return self.closes[0]


@dataclass(slots=True)
class House:
    """A running server, what it let in, and the keys."""

    server: WebSocketServer
    credentials: Credentials
    channels: list[Channel] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)
    principals: list[Principal] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def token(self) -> str:
        return self.credentials.token()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/mcp"


@asynccontextmanager
async def house(
    limits: Limits | None = None,
    *,
    on_text: Callable[[Channel, bytes], None] | None = None,
    answers: Receiver | Exception | None = None,
    refuses: bool = False,
) -> AsyncIterator[House]:
    """A server at /mcp whose receivers keep what they hear; `on_text` may act on it.

    With `refuses` the endpoint takes nobody; with `answers` it gives that receiver, or raises that exception.
    """
    credentials = Credentials()

    def accept(channel: Channel, principal: Principal) -> Receiver | None:
        here.channels.append(channel)
        here.principals.append(principal)
        if isinstance(answers, Exception):
            raise answers
        if refuses or answers is not None:
            return answers
        listener = Listener(None if on_text is None else lambda text: on_text(channel, text))
        here.listeners.append(listener)
        return listener

    gate = Gate([Endpoint("/mcp", credentials, "mcp", accept, credentials.tickets)])
    here = House(await serve_websocket(gate, limits=limits), credentials)
    try:
        yield here
    finally:
        await here.server.close()


def echo(channel: Channel, text: bytes) -> None:
    channel.send(text)

"""A server for the client's tests: the server side of the Peer behind one end of a memory connection.

It answers by itself what the Peer answers (handshake, ping, discover) and asks the test's `answer` for
everything else. An `intercept` sees each message first and may misbehave. Every message is kept, and a
test can wait for one: no sleeping.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from mcp_workbench.client import ClientSession
from mcp_workbench.errors import PeerError, RemoteProtocolError
from mcp_workbench.jsonrpc import encode, encode_error, encode_result
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.protocol.happenings import RequestReceived, ResponseReceived, TextToSend
from mcp_workbench.protocol.peer import Peer
from mcp_workbench.protocol.sides import ServerDescription, Side
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.memory import MemoryChannel, memory_pair

Message = Any
"""A message as JSON: an object, or in 2025-03-26 an array of them."""
Answer = wire.Result | RemoteProtocolError | bytes | None
"""A result, an error, the bytes of a raw result object, or None to leave the request open."""

DESCRIPTION = ServerDescription(
    wire.Implementation(name="scripted", version="1"),
    wire.ServerCapabilities(
        tools=wire.ListChanged(list_changed=True),
        resources=wire.ResourcesCapability(subscribe=True, list_changed=True),
        prompts=wire.ListChanged(list_changed=True),
        logging={},
        completions={},
        extensions={wire.TASKS: {}},
    ),
    "be kind",
)


def said(text: str, **fields: Any) -> wire.CallToolResult:
    """A tool result with one text."""
    return wire.CallToolResult(content=[wire.TextContent(text=text)], **fields)


class ScriptedServer:
    """One end of a connection, as the other end of a client."""

    def __init__(
        self,
        channel: Channel,
        answer: Callable[[Exchange], Answer] | None = None,
        intercept: Callable[[ScriptedServer, Message], bool] | None = None,
    ) -> None:
        self.channel = channel
        self.peer = Peer(Side.SERVER, server=DESCRIPTION)
        self.answer = answer or (lambda exchange: None)
        self.intercept = intercept
        self.messages: list[Message] = []
        """Everything the client sent."""
        self.open: list[Exchange] = []
        """Requests left unanswered by `answer`."""
        self.responses: list[ResponseReceived] = []
        """The client's answers to requests of ours."""
        self.closed_with: tuple[int, str] | None = None
        self._news = asyncio.Event()

    def receive_text(self, text: bytes) -> None:
        message = json.loads(text)
        self.messages.append(message)
        if self.intercept is None or not self.intercept(self, message):
            for happening in self.peer.receive_text(text):
                if isinstance(happening, TextToSend):
                    self.channel.send(happening.text)
                elif isinstance(happening, ResponseReceived):
                    self.responses.append(happening)
                elif isinstance(happening, RequestReceived):
                    self._handle(happening.exchange)
        self._news.set()

    def receive_writable(self) -> None:
        self._news.set()

    def receive_close(self, code: int, reason: str) -> None:
        self.closed_with = (code, reason)
        self._news.set()

    def _handle(self, exchange: Exchange) -> None:
        answer = self.answer(exchange)
        if answer is None:
            self.open.append(exchange)
        else:
            self.reply(exchange, answer)

    def reply(self, exchange: Exchange, answer: wire.Result | RemoteProtocolError | bytes) -> None:
        """Answer now."""
        if isinstance(answer, RemoteProtocolError):
            self.send(self.peer.answer_error(exchange, answer.code, answer.message, answer.data))
        elif isinstance(answer, bytes):
            if self.peer.answer(exchange, wire.EmptyResult()) is not None:
                self.send(encode_result(exchange.id, answer))
        else:
            self.send(self.peer.answer(exchange, answer))

    def send(self, text: bytes | Message | None) -> None:
        """Send any text."""
        if text is not None:
            self.channel.send(text if isinstance(text, bytes) else encode(text))

    def refuse(self, message: Message, code: int, sentence: str = "no", data: Any = None) -> None:
        """Answer a raw message with an error, behind the Peer's back."""
        self.send(encode_error(message["id"], code, sentence, data))

    def methods(self) -> list[str]:
        """Methods of everything received, in order; responses are left out."""
        return [message["method"] for message in self.messages if isinstance(message, dict) and "method" in message]

    def sent(self, method: str) -> list[Message]:
        """What the client sent with this method."""
        return [message for message in self.messages if isinstance(message, dict) and message.get("method") == method]

    async def peer_round(self, session: ClientSession) -> None:
        """Return when the client has seen everything sent so far: any request and its answer, in either era."""
        with contextlib.suppress(PeerError):
            await session.request("no/such/method")

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something is so; looked at whenever something arrived."""
        while not condition():
            self._news.clear()
            await self._news.wait()

    async def saw(self, method: str, count: int = 1) -> Message:
        """Wait until the client has sent this method so often; the latest of them."""
        await self.until(lambda: len(self.sent(method)) >= count)
        return self.sent(method)[count - 1]


class Listener:
    """Makes a scripted server for each connection, as an opener for `connect`."""

    def __init__(
        self,
        answer: Callable[[Exchange], Answer] | None = None,
        intercept: Callable[[ScriptedServer, Message], bool] | None = None,
    ) -> None:
        self.servers: list[ScriptedServer] = []
        self._answer = answer
        self._intercept = intercept

    async def __call__(self) -> MemoryChannel:
        ours, theirs = memory_pair()
        theirs.open(self.accept(theirs))
        return ours

    def accept(self, channel: Channel) -> ScriptedServer:
        """A server for this connection, to be opened with."""
        self.servers.append(ScriptedServer(channel, self._answer, self._intercept))
        return self.server

    @property
    def server(self) -> ScriptedServer:
        """The one of the latest connection."""
        return self.servers[-1]

"""A client that says exactly what a test tells it to, and reads everything with the oracle.

`Talk` sits on any channel and speaks any revision. It sends what it is given, legal or not, keeps every
message that came until the test asks for it, and fails the test at the end if one of them was no MCP.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import count
from types import TracebackType
from typing import Any, Self

from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from mcp_workbench.transports.channel import Channel
from tests.support.oracle import Message, Oracle

CLIENT = {"name": "scripted", "version": "1"}
META = {wire.META_VERSION: LATEST_MODERN, wire.META_CAPABILITIES: {}, wire.META_CLIENT_INFO: CLIENT}
"""What every request of 2026-07-28 carries."""


class Talk:
    """One connection of a scripted client. Use it as `async with Talk(channel, version) as talk`.

    Args:
        channel: Open, not yet delivering.
        version: The revision it speaks.
        capabilities: What it declares.
        checked: Whether what comes is read by the oracle; off only where a test provokes nonsense in bulk.
    """

    def __init__(
        self, channel: Channel, version: str = LATEST_LEGACY, *, capabilities: Message | None = None, checked: bool = True
    ) -> None:
        self.channel = channel
        self.version = version
        self.capabilities = capabilities or {}
        self.oracle = Oracle(version)
        self.inbox: list[Message] = []
        """What came and was not asked for yet, in order."""
        self.history: list[Message] = []
        """Everything that came, in order."""
        self.texts = 0
        """Texts that came."""
        self.closed: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        """Code and reason of the end."""
        self._checked = checked
        self._faults: list[BaseException] = []
        self._ids = count(1)
        self._came = asyncio.Event()
        channel.open(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self.channel.abort()
        await self.hang_up()
        if error is None and self._faults:
            raise self._faults[0]

    async def hang_up(self) -> None:
        """Close the connection and wait until it is gone."""
        self.channel.close()
        await self.closed

    @property
    def modern(self) -> bool:
        """Whether requests carry their own facts."""
        return self.version == LATEST_MODERN

    # --- what the channel delivers --------------------------------------------------------------------

    def receive_text(self, text: bytes) -> None:
        self.texts += 1
        try:
            messages = self.oracle.check(text) if self._checked else [json.loads(text)]
        except Exception as fault:  # kept for the test: a receiver must not raise
            self._faults.append(fault)
            messages = [json.loads(text)]
        self.inbox.extend(messages)
        self.history.extend(messages)
        self._came.set()

    def receive_writable(self) -> None:
        """Nothing waits here."""

    def receive_close(self, code: int, reason: str) -> None:
        self.closed.set_result((code, reason))
        self._came.set()

    # --- saying -------------------------------------------------------------------------------------------

    def say(self, message: Any) -> None:
        """Send anything: bytes as they are, values as JSON."""
        self.oracle.note_sent(message)
        self.channel.send(message if isinstance(message, bytes) else json.dumps(message, separators=(",", ":")).encode())

    def ask(self, method: str, params: Message | None = None, *, request_id: str | int | None = None, **meta: Any) -> str | int:
        """Send a request.

        Args:
            method: Its method.
            params: Its params; in 2026-07-28 `_meta` is added.
            request_id: Default: the next number.
            meta: Further members of `_meta`.

        Returns:
            Its id.
        """
        request_id = next(self._ids) if request_id is None else request_id
        self.say({"jsonrpc": "2.0", "id": request_id, "method": method} | self._params(params, meta))
        return request_id

    def call(self, tool: str, request_id: str | int | None = None, /, **arguments: Any) -> str | int:
        """Ask for a tool to be called; returns the request's id."""
        return self.ask("tools/call", {"name": tool, "arguments": arguments}, request_id=request_id)

    def notify(self, method: str, params: Message | None = None) -> None:
        """Send a notification."""
        self.say({"jsonrpc": "2.0", "method": method} | ({} if params is None else {"params": params}))

    def cancel(self, request_id: str | int, reason: str | None = None) -> None:
        """Take a request back."""
        self.notify("notifications/cancelled", {"requestId": request_id} | ({} if reason is None else {"reason": reason}))

    def _params(self, params: Message | None, meta: Message) -> Message:
        if self.modern:
            meta = META | {wire.META_CAPABILITIES: self.capabilities} | meta
        if not meta:
            return {} if params is None else {"params": params}
        return {"params": {"_meta": meta} | (params or {})}

    # --- hearing --------------------------------------------------------------------------------------------

    async def take(self, wanted: Callable[[Message], bool]) -> Message:
        """The next message that is wanted; others wait in the inbox.

        Raises:
            AssertionError: The connection ended first.
        """
        while True:
            for position, message in enumerate(self.inbox):
                if wanted(message):
                    return self.inbox.pop(position)
            assert not self.closed.done(), f"the connection ended with {self.closed.result()}"
            self._came.clear()
            await self._came.wait()

    async def answer(self, request_id: str | int | None) -> Message:
        """The response to a request, result or error; the id's type counts."""
        return await self.take(lambda m: "method" not in m and type(m.get("id")) is type(request_id) and m.get("id") == request_id)

    async def news(self, method: str) -> Message:
        """The params of the next notification of this method."""
        message = await self.take(lambda m: m.get("method") == method)
        return message.get("params") or {}

    def heard(self, method: str) -> list[Message]:
        """The params of every notification of this method that waits; none of them waits any more."""
        found = [message for message in self.inbox if message.get("method") == method]
        self.inbox = [message for message in self.inbox if message.get("method") != method]
        return [message.get("params") or {} for message in found]

    async def question(self, method: str) -> Message:
        """The next request of the server's of this method."""
        return await self.take(lambda m: m.get("method") == method and "id" in m)

    def respond(self, question: Message, result: Message) -> None:
        """Answer a request of the server's."""
        self.say({"jsonrpc": "2.0", "id": question["id"], "result": result})

    # --- both -----------------------------------------------------------------------------------------------

    async def request(self, method: str, params: Message | None = None, /, **meta: Any) -> Message:
        """Ask, and hear the whole response."""
        return await self.answer(self.ask(method, params, **meta))

    async def result(self, method: str, params: Message | None = None, /, **meta: Any) -> Message:
        """Ask, and hear the result."""
        message = await self.request(method, params, **meta)
        assert "result" in message, message
        result: Message = message["result"]
        return result

    async def error(self, method: str, params: Message | None = None, /, **meta: Any) -> Message:
        """Ask, and hear the error."""
        message = await self.request(method, params, **meta)
        assert "error" in message, message
        error: Message = message["error"]
        return error

    async def called(self, tool: str, /, **arguments: Any) -> Message:
        """Call a tool and hear its result."""
        return await self.result("tools/call", {"name": tool, "arguments": arguments})

    async def fence(self) -> None:
        """Wait until the server has dealt with everything said so far: such answers come in order."""
        await self.request("server/discover" if self.modern else "ping")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that only the server's side can see, one round trip after the other."""
        while not condition():
            await self.fence()

    async def open(self) -> Message:
        """Open the conversation.

        Returns:
            The InitializeResult or DiscoverResult.
        """
        if self.modern:
            return await self.result("server/discover")
        opened = await self.result("initialize", {"protocolVersion": self.version, "capabilities": self.capabilities, "clientInfo": CLIENT})
        self.notify("notifications/initialized")
        await self.fence()  # list changes are told to initialized clients only
        return opened


def text_of(result: Message) -> str:
    """All texts of a tool result, one below the other."""
    return "\n".join(item["text"] for item in result["content"] if item["type"] == "text")

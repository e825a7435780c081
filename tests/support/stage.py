"""A running Workbench and scripted clients on it, over memory, a WebSocket, stdio or HTTP.

Over memory the server is the same: its protocol thread holds one end of a `memory_pair`, and the other end is
reached from the test's loop by a channel that carries each call across. Over stdio there are two pipes, with the
channel of `wb.run_stdio()` at the server's end; no process is started. So one test body shows one behaviour for
every transport and revision.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Literal

from mcp_workbench import Workbench
from mcp_workbench.assembly import RunningServer
from mcp_workbench.events import Principal
from mcp_workbench.protocol.versions import LATEST_LEGACY, LEGACY_VERSIONS, MODERN_VERSIONS
from mcp_workbench.transports.channel import Channel, ChannelFacts, Receiver
from mcp_workbench.transports.http_client import open_http
from mcp_workbench.transports.memory import MemoryChannel, memory_pair
from mcp_workbench.transports.pipes import PipeChannel
from mcp_workbench.transports.stdio import HostChannel, TakenStdio
from mcp_workbench.transports.websocket_client import open_websocket
from tests.support.talk import Talk

Transport = Literal["memory", "websocket", "stdio", "http"]
TRANSPORTS: tuple[Transport, ...] = ("memory", "websocket", "stdio", "http")
VERSIONS = (*LEGACY_VERSIONS, *MODERN_VERSIONS)
LEGACY = LEGACY_VERSIONS
MODERN = MODERN_VERSIONS
TEST_S = 10.0
"""No conversation of a test lasts as long."""


@contextmanager
def running(workbench: Workbench, **settings: Any) -> Iterator[Workbench]:
    """Start, and stop whatever happens."""
    workbench.start(**settings)
    try:
        yield workbench
    finally:
        workbench.stop()


def server_of(workbench: Workbench) -> RunningServer:
    """What lives while it runs."""
    assert workbench._running is not None, "it is not running"
    return workbench._running


def on_loop(workbench: Workbench, function: Callable[..., Any], *args: object) -> Any:
    """Call something on the protocol thread and wait for what it returns."""
    return server_of(workbench)._engine.call(function, *args)


async def open_channel(workbench: Workbench, transport: Transport = "websocket", principal: str = "default") -> Channel:
    """A connection from the running loop to the server."""
    if transport == "websocket":
        return await open_websocket(workbench.url, token=workbench._offer.credentials.token(principal))
    if transport == "http":
        return await open_http(str(workbench.http_url), token=workbench._offer.credentials.token(principal))
    if transport == "stdio":
        source, sink = await asyncio.to_thread(on_loop, workbench, _piped, workbench, principal)
        return PipeChannel(source, sink, remote="server")
    far = await asyncio.to_thread(on_loop, workbench, _joined, workbench, principal)
    return FarChannel(far, workbench)


@asynccontextmanager
async def talking(
    workbench: Workbench,
    version: str = LATEST_LEGACY,
    *,
    transport: Transport = "websocket",
    principal: str = "default",
    opened: bool = True,
    checked: bool = True,
    capabilities: dict[str, Any] | None = None,
) -> AsyncIterator[Talk]:
    """A scripted client; `opened` says whether it has shaken hands."""
    channel = await open_channel(workbench, transport, principal)
    async with Talk(channel, version, capabilities=capabilities, checked=checked) as talk:
        if opened:
            await talk.open()
        yield talk


def within(main: Callable[[], Awaitable[None]], seconds: float = TEST_S) -> None:
    """Run a coroutine function on a loop of its own; a hang is a failure."""

    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await main()

    asyncio.run(bounded())


async def happened(event: threading.Event) -> None:
    """Wait for something on another thread, without blocking this loop, and not for ever."""
    assert await asyncio.to_thread(event.wait, TEST_S), "it did not happen"


async def acquired(semaphore: threading.Semaphore, count: int) -> None:
    """The same, for something that happens so many times."""

    def all_of_them() -> bool:
        return all(semaphore.acquire(timeout=TEST_S) for _ in range(count))

    assert await asyncio.to_thread(all_of_them), "it did not happen as often"


class Stage:
    """A fresh Workbench for one test, one transport and one revision."""

    def __init__(self, transport: Transport, version: str) -> None:
        self.transport = transport
        self.version = version
        self.workbench = Workbench(name="stage", builtin_tools=False)  # what is tested here is what authors write

    def __repr__(self) -> str:
        return f"{self.transport}-{self.version}"

    @property
    def modern(self) -> bool:
        """Whether the client speaks 2026-07-28."""
        return self.version in MODERN

    def play(
        self,
        main: Callable[[Talk], Awaitable[None]],
        *,
        opened: bool = True,
        capabilities: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        """Start, connect, run the conversation, hang up, stop."""

        async def act() -> None:
            async with self.client(opened=opened, capabilities=capabilities) as talk:
                await main(talk)

        with running(self.workbench, http=self.transport == "http", **settings):
            within(act)

    @asynccontextmanager
    async def client(
        self, *, opened: bool = True, principal: str = "default", capabilities: dict[str, Any] | None = None
    ) -> AsyncIterator[Talk]:
        """One more client of the same kind."""
        async with talking(
            self.workbench, self.version, transport=self.transport, principal=principal, opened=opened, capabilities=capabilities
        ) as talk:
            yield talk


class FarChannel:
    """The client's end of a memory connection that lives on the protocol thread, for the test's loop.

    Args:
        far: The end to reach.
        workbench: Whose protocol thread it lives on.
    """

    def __init__(self, far: MemoryChannel, workbench: Workbench) -> None:
        self.facts = ChannelFacts("memory", far.facts.remote)
        self._far = far
        self._engine = server_of(workbench)._engine

    @property
    def writable(self) -> bool:
        return self._far.writable

    @property
    def unsent_bytes(self) -> int:
        return self._far.unsent_bytes

    @property
    def bytes_received(self) -> int:
        return self._far.bytes_received

    @property
    def bytes_sent(self) -> int:
        return self._far.bytes_sent

    def open(self, receiver: Receiver) -> None:
        self._engine.post(self._far.open, _Homeward(receiver))

    def send(self, text: bytes) -> None:
        self._engine.post(self._far.send, text)

    def pause_receiving(self) -> None:
        self._engine.post(self._far.pause_receiving)

    def resume_receiving(self) -> None:
        self._engine.post(self._far.resume_receiving)

    def ping(self) -> None:
        self._engine.post(self._far.ping)

    def close(self, code: int = 1000, reason: str = "") -> None:
        self._engine.post(self._far.close, code, reason)

    def abort(self) -> None:
        self._engine.post(self._far.abort)


class _Homeward:
    """Carries what the far end delivers to the test's loop."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()

    def receive_text(self, text: bytes) -> None:
        self._post(self._receiver.receive_text, text)

    def receive_writable(self) -> None:
        self._post(self._receiver.receive_writable)

    def receive_close(self, code: int, reason: str) -> None:
        self._post(self._receiver.receive_close, code, reason)

    def _post(self, function: Callable[..., None], *args: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *args)


def _joined(workbench: Workbench, principal: str) -> MemoryChannel:
    """On the protocol thread: a new session at one end, the other end for the client."""
    server, client = memory_pair()
    session = server_of(workbench).sessions.accept(server, Principal(principal))
    server.open(session)
    return client


def _piped(workbench: Workbench, principal: str) -> tuple[int, int]:
    """On the protocol thread: a new session on two pipes; the descriptors of the client's ends."""
    (source, to_server), (from_server, sink) = os.pipe(), os.pipe()
    most = workbench._settings.limits.max_message_bytes
    # `run_stdio` ends its server when stdin ends; here it is one session of several.
    channel = HostChannel(TakenStdio(source, sink), lambda: channel.close(), max_message_bytes=most, too_long=b"null")
    channel.open(server_of(workbench).sessions.accept(channel, Principal(principal)))
    return from_server, to_server

"""What `wb.tap()` gives: a server of its own whose answers come from somewhere else, with everything that passes in `wb.traffic`.

It lives on a thread and loop of its own, so that hooks, which are user code, hold up nothing else. Its door is guarded by the
same gate as every door.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit

from mcp_workbench.engine import Engine
from mcp_workbench.errors import ConnectionClosed, HandshakeRefused, WorkbenchError
from mcp_workbench.events import STDIO as HOST
from mcp_workbench.events import Principal
from mcp_workbench.exploring.overhearing import Overheard, Overhearing
from mcp_workbench.limits import Limits
from mcp_workbench.tapping.hooks import Hook, Hooks
from mcp_workbench.tapping.http import HttpTap, examine
from mcp_workbench.tapping.pump import Pump
from mcp_workbench.tapping.upstream import HTTP, MAX_TEXT, STDIO, WEBSOCKET, Upstream
from mcp_workbench.tasks import start_task
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.telemetry.records import SessionRecord, Side
from mcp_workbench.transports.channel import Channel, Receiver
from mcp_workbench.transports.credentials import Credentials, Tickets
from mcp_workbench.transports.gate import Endpoint, Gate
from mcp_workbench.transports.http_server import HttpServer, serve_http
from mcp_workbench.transports.pipes import PipeChannel
from mcp_workbench.transports.stdio import TakenStdio
from mcp_workbench.transports.websocket_server import WebSocketServer, serve_websocket

SUBPROTOCOL = "mcp"
DEFAULT_PATH = "/mcp"
CLOSE_WITHIN_S = 5.0
PATIENCE_S = 10.0
"""How long `close` waits for a hook that blocks the tap's thread."""
THREAD_NAME = "mcp-workbench-tap"

H = TypeVar("H", bound=Hook)


@dataclass(frozen=True, slots=True)
class Door:
    """Where a tap's clients come in; made by `door_of`."""

    transport: str
    """`websocket`, `http` or `stdio`."""
    host: str = "127.0.0.1"
    port: int = 0
    """0: any free one."""
    path: str = DEFAULT_PATH


def door_of(listen: str | None, upstream: Upstream) -> Door:
    """Read where a tap shall listen.

    Args:
        listen: `ws`, `http` or `stdio`; or an address of this machine, `ws://127.0.0.1:9000/mcp`; None: as the server is
            spoken with, and for a command over WebSocket.
        upstream: What is behind it.

    Raises:
        ValueError: It is none of them, or clients could not be joined with that server.
    """
    door = Door(HTTP if upstream.transport == HTTP else WEBSOCKET) if listen is None else _read_door(listen)
    if (door.transport == HTTP) != (upstream.transport == HTTP):
        raise ValueError(
            f"a tap passes HTTP on to HTTP, and WebSocket and stdio to each other; not {door.transport} to {upstream.transport}: "
            f"listen={'http' if upstream.transport == HTTP else 'ws'!r} fits this server"
        )
    return door


def _read_door(listen: str) -> Door:
    kinds = {"ws": WEBSOCKET, "http": HTTP, "stdio": STDIO}
    scheme, separator, _ = listen.partition("://")
    try:
        parts = urlsplit(listen if separator else f"{listen}://127.0.0.1")
        port = parts.port or 0
    except ValueError:
        port, parts = -1, urlsplit("")
    if scheme not in kinds or port < 0 or not parts.hostname or parts.query or "@" in parts.netloc:
        raise ValueError(f"listen is ws, http, stdio, or an address as ws://127.0.0.1:9000/mcp; got {listen[:60]!r}")
    return Door(kinds[scheme], parts.hostname, port, parts.path if len(parts.path) > 1 else DEFAULT_PATH)


class Tap:
    """A running tap. Made by `wb.tap()`; `with wb.tap(…) as tap:` closes it at the end. From any thread.

    Args:
        upstream: The server behind it.
        door: Where its clients come in.
        overhearing: Hears what passes.
        credentials: Who may come in.
        tickets: For clients that cannot send headers.
        limits: Bounds.
        allowed_hosts: `Host` names accepted beside those of loopback.
        allowed_origins: `Origin` values accepted beside those of this machine.

    Raises:
        OSError: It cannot listen there.
        ValueError: The server's token would leave this machine unprotected.
    """

    def __init__(
        self,
        upstream: Upstream,
        door: Door,
        overhearing: Overhearing,
        credentials: Credentials,
        tickets: Tickets,
        limits: Limits,
        *,
        allowed_hosts: Sequence[str] = (),
        allowed_origins: Sequence[str] = (),
    ) -> None:
        self.upstream, self.door = upstream, door
        self._overhearing = overhearing
        self._credentials, self._tickets = credentials, tickets
        self._limits = limits
        self._allowed = tuple(allowed_hosts), tuple(allowed_origins)
        self._hooks = Hooks()
        self._stopping = False
        self._trouble = ""
        self._pumps: set[Pump] = set()
        self._begun: list[SessionRecord] = []
        self._server: WebSocketServer | HttpServer | None = None
        self._http: HttpTap | None = None
        self._closed = threading.Event()
        self._shut_down = asyncio.Event()
        self._engine = Engine(name=THREAD_NAME)
        self._engine.start()
        try:
            self._engine.run(self._open())
        except BaseException:
            self._engine.stop()
            raise

    # --- for people -----------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        where = "closed" if self._closed.is_set() else f"at {self.url}" if self.url else "on stdio"
        return f"<Tap {where}, before {self.upstream.label}, {len(self.sessions)} connected>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where clients connect, with the workbench's token; empty for stdio."""
        if self._server is None:
            return ""
        scheme = "ws" if self.door.transport == WEBSOCKET else "http"
        host = f"[{self._server.host}]" if ":" in self._server.host else self._server.host
        return f"{scheme}://{host}:{self._server.port}{self.door.path}"

    def ticket_url(self, ttl_s: float = 60.0) -> str:
        """An address that opens one connection, for clients that cannot send headers.

        Args:
            ttl_s: Seconds it stays good.

        Raises:
            WorkbenchError: The tap's door is stdio, or it is closed.
        """
        if not self.url or self._closed.is_set():
            raise WorkbenchError("this tap has no address: it is closed, or its door is stdio")
        return f"{self.url}/t/{self._tickets.mint(Principal('default'), ttl_s=ttl_s)}"

    @property
    def sessions(self) -> list[SessionRecord]:
        """The conversations that pass now; `wb.traffic.calls("side:tap")` has their calls."""
        return _lasting(self._begun)

    @property
    def failures(self) -> list[str]:
        """Tracebacks of hooks that raised, the latest last."""
        return list(self._hooks.failures)

    @property
    def failed(self) -> bool:
        """Whether the latest client had no server, or one that ended by itself."""
        return bool(self._trouble) or any(pump.trouble for pump in self._pumps)

    @property
    def trouble(self) -> str:
        """Why the latest client had no server, and what a command behind the tap wrote to its stderr; empty: there was none."""
        return "\n".join(filter(None, (self._trouble, *(said for pump in self._pumps for said in (pump.said(), pump.trouble)))))

    @property
    def changed(self) -> int:
        """Messages that hooks have changed."""
        return self._hooks.changed

    @property
    def dropped(self) -> int:
        """Messages that hooks have dropped."""
        return self._hooks.dropped

    def on_request(self, hook: H) -> H:
        """Call a function with each message from the client to the server: `@tap.on_request`.

        Args:
            hook: Takes a `Passing`, sync or async; may `change` or `drop` it, and what it awaits delays it. It runs on the tap's
                own thread, one message after the other.
        """
        self._hooks.add(Direction.IN, hook)
        return hook

    def on_response(self, hook: H) -> H:
        """The same for each message from the server to the client, its notifications and questions included."""
        self._hooks.add(Direction.OUT, hook)
        return hook

    def serve_host(self, pipes: TakenStdio) -> None:
        """Join the host that started this process; `wait` returns when it has ended.

        Args:
            pipes: Its stdin and stdout.
        """
        self._engine.call(self._take_host, pipes)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until it is closed, or its stdio host has ended; says whether it was."""
        return self._closed.wait(timeout_s)

    def close(self) -> None:
        """End every connection on both sides, and stop listening. Calling it again does nothing.

        Raises:
            WorkbenchError: A hook blocks the tap's thread. Nobody new comes in; what is open goes as soon as the hook returns.
        """
        if self._engine.is_here:
            raise WorkbenchError("a hook cannot close the tap it runs on")
        if self._stopping or not self._engine.running:
            return
        self._stopping = True
        try:
            self._engine.run(self._shut(), timeout_s=PATIENCE_S)
        except TimeoutError:
            self._leave_behind()
            raise WorkbenchError(
                f"a hook has held this tap's thread for more than {PATIENCE_S:g} s: it takes no new clients, and what it has open "
                "goes when the hook returns. A hook that waits is better async: await asyncio.sleep(…)"
            ) from None
        else:
            self._engine.stop()
        finally:
            self._closed.set()

    def _leave_behind(self) -> None:
        """From another thread: what can be ended while the tap's own is held; the rest ends itself afterwards."""
        if self._server is not None:
            self._server.refuse_from_now_on()
        self._engine.post(self._stop_once_shut)

    # --- on its loop ----------------------------------------------------------------------------------------

    async def _open(self) -> None:
        door = self.door
        if door.transport == STDIO:
            return
        if door.transport == HTTP:
            pool, headers = self.upstream.pool()
            self._http = HttpTap(pool, headers, self._begin, self._hooks)
            self._server = await serve_http(self._gate(), self._http, host=door.host, port=door.port, limits=self._limits)
        else:
            self._server = await serve_websocket(self._gate(), host=door.host, port=door.port, limits=self._limits)

    def _gate(self) -> Gate:
        over_http = self.door.transport == HTTP
        endpoint = Endpoint(
            self.door.path,
            self._credentials,
            None if over_http else SUBPROTOCOL,
            self._accept,
            self._tickets,
            examine=examine if over_http else None,
        )
        hosts, origins = self._allowed
        return Gate([endpoint], allowed_hosts=hosts, allowed_origins=origins, bound_host=self.door.host)

    def _take_host(self, pipes: TakenStdio) -> None:
        channel = PipeChannel(pipes.source, pipes.sink, remote="host", max_message_bytes=MAX_TEXT)
        pump = self._pump(channel, Principal(HOST))
        channel.open(pump.receiver)
        start_task(self._close_with(pump, channel), name="tap.host")

    async def _close_with(self, pump: Pump, channel: PipeChannel) -> None:
        """The only client there will be: when it has ended, and has what was said to it, so has the tap."""
        await pump.over.wait()
        channel.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await channel.wait_closed()
        self._closed.set()

    def _accept(self, channel: Channel, principal: Principal) -> Receiver:
        return self._pump(channel, principal).receiver

    def _pump(self, channel: Channel, principal: Principal) -> Pump:
        overheard = self._begin(principal, channel.facts.remote)
        pump = Pump(channel, overheard, self._hooks)
        self._pumps = {each for each in self._pumps if not each.over.is_set()} | {pump}
        start_task(self._join(pump, channel.facts.subprotocol), name="tap.join")
        return pump

    def _begin(self, principal: Principal, remote: str) -> Overheard:
        overheard = self._overhearing.begin(Side.TAP, principal.name, self.door.transport, remote)
        self._begun = [*_lasting(self._begun), overheard.session]
        return overheard

    async def _join(self, pump: Pump, subprotocol: str | None) -> None:
        try:
            pump.join(await self.upstream.open(subprotocol))
        except (ConnectionClosed, HandshakeRefused, TimeoutError, OSError) as error:
            self._trouble = f"the server behind this tap: {error}"
            pump.fail(self._trouble)

    def _stop_once_shut(self) -> None:
        async def stop() -> None:
            await self._shut_down.wait()
            self._engine.loop.stop()

        start_task(stop(), name="tap.stop")

    async def _shut(self) -> None:
        try:
            await self._end_all()
        finally:
            self._shut_down.set()

    async def _end_all(self) -> None:
        for pump in list(self._pumps):
            pump.close(1001, "the tap was closed")
        if self._http is not None:
            self._http.close()
        if self._server is not None:
            await self._server.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                for pump in self._pumps:
                    await pump.over.wait()


def _lasting(sessions: Sequence[SessionRecord]) -> list[SessionRecord]:
    return [session for session in sessions if session.until is None]

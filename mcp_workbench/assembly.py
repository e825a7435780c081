"""What lives while the server runs: `RunningServer`, built anew by each start.

What it serves (`offer`) and what follows the cells (`notebook`) outlive it. This is the one place where
the rooms meet: nothing else knows both sessions and DataFrames, or execution and hosts.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from mcp_workbench import discovery
from mcp_workbench.apart import APART
from mcp_workbench.engine import Engine
from mcp_workbench.errors import WorkbenchError
from mcp_workbench.events import Change, Principal
from mcp_workbench.execution.runner import Execution
from mcp_workbench.hosts import Cell, HostIdentity, notebook_name
from mcp_workbench.notebook import Notebook
from mcp_workbench.offer import Offer
from mcp_workbench.primitives.tools import ToolDefinition
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.http_headers import ParamHeaders, param_headers_of
from mcp_workbench.protocol.sides import ServerDescription
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.secret import Secret
from mcp_workbench.serving.background import Background
from mcp_workbench.serving.builtin.notebook import KernelFacts
from mcp_workbench.serving.capabilities import CAPABILITIES, CHANNEL_CAPABILITIES, CHANNEL_INSTRUCTIONS
from mcp_workbench.serving.channel_news import ChannelNews
from mcp_workbench.serving.places import instructions, place_of
from mcp_workbench.serving.questions import Questions
from mcp_workbench.serving.rounds import Suspended
from mcp_workbench.serving.services import Services
from mcp_workbench.serving.waiting import News
from mcp_workbench.sessions.registry import Sessions
from mcp_workbench.sessions.session import Session
from mcp_workbench.settings import Settings
from mcp_workbench.switching import SwitchInterval
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.credentials import DEFAULT_NAME
from mcp_workbench.transports.gate import Endpoint, Gate, Page
from mcp_workbench.transports.websocket_server import WebSocketServer, serve_websocket
from mcp_workbench.version import __version__

if TYPE_CHECKING:
    from mcp_workbench.transports.http_legacy import LegacyChannel
    from mcp_workbench.transports.http_modern import ModernChannel
    from mcp_workbench.transports.http_server import HttpServer

logger = logging.getLogger("mcp_workbench")

PATH = "/mcp"
LOOPBACK_OF_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # named here, bound nowhere
"""Where programs of this machine reach a server that listens on every address."""
NOTICES_KEPT = 20
STOPPING = "This server is stopping: try again later."
SUBPROTOCOL = "mcp"


class Door(Protocol):
    """A further way into a server, brought by a room above this one; made for one start."""

    def endpoints(self, running: RunningServer) -> Iterable[Endpoint | Page]:
        """What there is to reach. Called once, on the protocol loop, before the server listens."""

    def opened(self, running: RunningServer) -> None:
        """The server listens: say so to whoever is to find it. On the thread of start()."""

    def close(self) -> None:
        """The server stops: end what came in. On the protocol loop."""


class RunningServer:
    """One run of the server, from start to stop. Made and closed on the thread that calls start() and stop().

    Args:
        offer: What is served.
        settings: How.
        notebook: Follows the cells.
        doors: Further ways in.
        found: Whether other programs of this user may find it, the bridge above all; the page that shows it can be opened anyway.
    """

    def __init__(self, offer: Offer, settings: Settings, notebook: Notebook, doors: Sequence[Door] = (), *, found: bool = True) -> None:
        self.settings = settings
        self._doors = doors
        self._notebook = notebook
        self.identity: HostIdentity = notebook.host.identity()
        self._place = place_of(self.identity.kind)
        self.name = settings.name or notebook_name(self.identity.notebook)
        self.since = time.time()
        """When it was started, in seconds since 1970."""
        self.stopped: concurrent.futures.Future[None] = concurrent.futures.Future()
        """Done when it has been stopped."""
        self._offer = offer
        offer.apply(settings.limits)
        offer.own_tools.offer(offered=settings.builtin_tools)
        self._engine = Engine()
        self._switching = SwitchInterval(settings.switch_interval)
        self._undo = ExitStack()
        self.notices: deque[str] = deque(maxlen=NOTICES_KEPT)
        """What the author should know; shown by `status()`."""
        self._files: list[Path] = []
        self._headers_of: dict[str, tuple[ToolDefinition, ParamHeaders]] = {}
        self.kernel_id = self._discovery_id()
        """By which other programs know it: the kernel's id; for a second server of the same kernel, and outside kernels, one of its own."""
        APART.begin()
        offer.overhearing.attach(self._engine)
        try:
            self._engine.start()
            self._engine.run(self._open())
        except BaseException:
            self._engine.stop()
            offer.overhearing.detach()
            APART.end()
            raise
        try:
            self._listen_to_offer()
            if found:
                self._announce()
            for door in doors:
                door.opened(self)
        except BaseException:
            self.close(0, 1)
            raise

    # --- building, on the loop -----------------------------------------------------------------------------

    async def _open(self) -> None:
        offer, settings, loop = self._offer, self.settings, asyncio.get_running_loop()
        self.execution = Execution(
            loop,
            settings.limits,
            host=self._notebook.host,
            after_main_job=self._notebook.check_dataframes,
            on_demoted=lambda _name, sentence: self._note(sentence),
        )
        self.news = News(loop)
        self._background = Background(loop, offer.jobs, offer.telemetry.record, lambda: "job_wait" in offer.builtins, offer.tasks)
        self.suspended = Suspended(Questions(loop, settings.limits, offer.telemetry.record))
        self._services = services = Services(
            tools=offer.catalog,
            resources=offer.resources,
            prompts=offer.prompts,
            dataframes=offer.dataframe_resources,
            documents=offer.documents,
            rendering=offer.rendering,
            execution=self.execution,
            news=self.news,
            limits=settings.limits,
            after_call=self._notebook.look_soon,
            background=self._background,
            suspended=self.suspended,
            tasks=offer.tasks,
        )
        self.sessions = Sessions(services.handler, self.describe, offer.telemetry, settings.limits, loop)
        self._feed = services.connect(self.sessions, loop)
        self.sessions.on_population.append(self._switching.follow)
        self._channel = (
            ChannelNews(loop, lambda: self.sessions, settings.limits.channel_every_s, own_tools=settings.builtin_tools)
            if settings.channels
            else None
        )
        endpoints: list[Endpoint | Page] = [Endpoint(PATH, offer.credentials, SUBPROTOCOL, self._accept, offer.tickets)]
        endpoints += [endpoint for door in self._doors for endpoint in door.endpoints(self)]
        self.server: WebSocketServer = await serve_websocket(
            self._gate(endpoints), host=settings.host, port=settings.port, limits=settings.limits
        )
        self.http_server: HttpServer | None = None
        if settings.http:
            try:
                self.http_server = await self._open_http()
            except BaseException:
                await self.server.close()
                raise

    async def _open_http(self) -> HttpServer:
        """The same sessions by another door: the same rules, a port of its own."""
        from mcp_workbench.transports.http_server import serve_http  # not before it is asked for: most servers never do
        from mcp_workbench.transports.streamable_http import UNAUTHORIZED, StreamableHttp, examine

        offer, settings = self._offer, self.settings
        binding = StreamableHttp(self._accept_legacy, self._accept_modern, self._param_headers, settings.limits)
        endpoint = Endpoint(
            PATH, offer.credentials, None, self._accept, offer.tickets, unauthorized=UNAUTHORIZED, examine=examine, cross_site=True
        )
        return await serve_http(self._gate([endpoint]), binding, host=settings.host, port=settings.http_port, limits=settings.limits)

    def _gate(self, doors: Iterable[Endpoint | Page]) -> Gate:
        settings = self.settings
        return Gate(doors, allowed_hosts=settings.allowed_hosts, allowed_origins=settings.allowed_origins, bound_host=settings.host)

    def _accept_legacy(self, channel: LegacyChannel, principal: Principal) -> Session | str:
        return STOPPING if self.sessions.closing else self.sessions.accept_http(channel, principal, channel.idle_since)

    def _accept_modern(self, channel: ModernChannel, principal: Principal, info: wire.Implementation | None) -> Session | str:
        return STOPPING if self.sessions.closing else self.sessions.accept_stateless(channel, principal, info)

    def _param_headers(self, name: str) -> ParamHeaders:
        """Which arguments of a tool are repeated in headers; worked out once per definition."""
        tool = self._offer.catalog.get(name)
        if tool is None:
            return {}
        known = self._headers_of.get(name)
        if known is None or known[0] is not tool:
            known = self._headers_of[name] = (tool, param_headers_of(tool.listed.input_schema) or {})
        return known[1]

    def _accept(self, channel: Channel, principal: Principal) -> Session | None:
        # A handshake may end after the listening socket was closed.
        return None if self.sessions.closing else self.sessions.accept(channel, principal)

    def describe(self) -> ServerDescription:
        """What a new session is told of this server."""
        info = wire.Implementation(name="mcp-workbench", version=__version__, title=f"{self._place.title} {self.name}")
        own_tools, channels = self.settings.builtin_tools, self.settings.channels
        capabilities = CHANNEL_CAPABILITIES if channels else CAPABILITIES
        more = CHANNEL_INSTRUCTIONS if channels else ""
        return ServerDescription(info, capabilities, instructions(self._place, own_tools=own_tools, more=more))

    # --- what is told of the offer ----------------------------------------------------------------------------

    def _listen_to_offer(self) -> None:
        undo, offer = self._undo, self._offer
        for listing, registry in offer.listings().items():
            undo.callback(_subscribe(registry.on_change, self._teller(listing)))
        undo.callback(_subscribe(offer.dataframes.on_change, self._dataframe_changed))
        undo.callback(_subscribe(offer.chronicle.on_line, self.tell_news))
        undo.callback(_subscribe(self._notebook.on_cell_end, self.execution.main.cell_ended))
        if self._channel is not None:
            undo.callback(_subscribe(offer.jobs.on_end, self._channel.job_ended))
        offer.jobs.run_on_loop, offer.jobs.server_stops = self._on_loop, False
        offer.dataframes.watched = self._is_watched
        offer.kernel_facts = self._kernel_facts
        undo.callback(setattr, offer, "kernel_facts", KernelFacts)

    def _dataframe_changed(self, change: Change) -> None:
        """From the thread that noticed."""
        self._engine.post(self._feed.changed, self._offer.dataframe_resources.topic(change.name))
        if self._channel is not None:
            self._engine.post(self._channel.dataframe_changed, change)

    def _on_loop(self, function: Callable[[], object]) -> object:
        """From any thread: what a function gives that runs on the protocol loop; as it is when there is no loop any more."""
        return function() if self._engine.is_here or not self._engine.running else self._engine.call(function)

    def topic_changed(self, topic: str) -> None:
        """From any thread: subscribers of this topic are told."""
        self._engine.post(self._feed.changed, topic)

    def list_changed(self, listing: Listing) -> None:
        """From any thread: clients that want to know are told."""
        self._engine.post(self.sessions.list_changed, listing)

    def tell_news(self) -> None:
        """From any thread: something happened, calls that wait for news are asked whether it is theirs."""
        self._engine.post(self.news.tell)

    def _kernel_facts(self) -> KernelFacts:
        """From any thread: what agents are told of the kernel."""
        queues = self.execution.statistics()
        waiting = queues.waiting + queues.main_waiting
        return KernelFacts(self.name, self.cell(), self.execution.main.at_work, waiting, self._place)

    def cell(self) -> Cell | None:
        """The cell at work now; from any thread."""
        return self._notebook.host.cell()

    def _teller(self, listing: Listing) -> Callable[[], None]:
        return lambda: self.list_changed(listing)

    def close_principal(self, name: str) -> None:
        """From any thread: a credential was revoked."""
        if self.on_own_thread:
            self._end_principal(name)
        else:
            self._engine.call(self._end_principal, name)

    def _end_principal(self, name: str) -> None:
        self.sessions.close_principal(name, "the credential of this connection was revoked")
        self.suspended.forget(name)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The protocol loop."""
        return self._engine.loop

    def post(self, function: Callable[..., object], *args: object) -> bool:
        """From any thread: have the protocol loop call a function; False when there is no loop any more."""
        return self._engine.post(function, *args)

    @property
    def on_own_thread(self) -> bool:
        """Whether the caller is on the protocol thread, where waiting for it would never end."""
        return self._engine.is_here

    def _is_watched(self, name: str) -> bool:
        told = self._channel is not None and len(self.sessions) > 0
        return told or self.sessions.index.watched(self._offer.dataframe_resources.topic(name))

    # --- being found --------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """`ws://127.0.0.1:PORT/mcp`."""
        return self._url(self.settings.host, PATH)

    @property
    def http_url(self) -> str | None:
        """`http://127.0.0.1:PORT/mcp`; None where HTTP was not asked for."""
        return self._http_url(self.settings.host)

    def _http_url(self, host: str) -> str | None:
        return None if self.http_server is None else f"http://{_authority(host, self.http_server.port)}{PATH}"

    @property
    def page_address(self) -> str:
        """`http://127.0.0.1:PORT`, for a browser of this machine."""
        return f"http://{_authority(LOOPBACK_OF_ALL.get(self.settings.host, self.settings.host), self.server.port)}"

    def _url(self, host: str, path: str) -> str:
        return f"ws://{_authority(host, self.server.port)}{path}"

    def _announce(self) -> None:
        if DEFAULT_NAME in self._offer.credentials.names():
            self.announce(PATH, self._offer.credentials.secret(), discovery.write, "other programs")
        else:
            self._note("other programs will not find this kernel: its token was revoked, so there is none to leave for them")

    def announce(self, path: str, token: Secret, write: Callable[[discovery.Entry], Path], readers: str) -> None:
        """Leave a file by which programs of this user find an endpoint, until the server stops. On the thread of start().

        Args:
            path: The endpoint's.
            token: Opens it.
            write: `discovery.write`, or `discovery.write_view`.
            readers: Who will not find it where that fails, for the notice.
        """
        host = LOOPBACK_OF_ALL.get(self.settings.host, self.settings.host)
        try:
            entry = discovery.describe_this_process(
                kernel_id=self.kernel_id,
                name=self.name,
                url=self._url(host, path),
                http_url=self._http_url(host) if path == PATH else None,
                token=token,
                notebook=self.identity.notebook,
                cwd=self.identity.folder,
            )
            self._files.append(write(entry))
        except ValueError as error:
            self._note(f"{readers} will not find this kernel: its discovery file {error}")
        except OSError as error:
            self._note(f"{readers} will not find this kernel: its discovery file could not be written ({error})")

    def _note(self, sentence: str) -> None:
        self.notices.append(sentence)
        logger.warning("%s", sentence)

    def note_once(self, sentence: str) -> None:
        """Tell the author, unless it stands there already."""
        if sentence not in self.notices:
            self._note(sentence)

    def _discovery_id(self) -> str:
        kernel_id = self.identity.kernel_id
        known = () if kernel_id is None else (*discovery.find(), *discovery.find_views())
        taken = any(entry.kernel_id == kernel_id for entry in known)
        return discovery.plain_kernel_id() if kernel_id is None or taken else kernel_id

    # --- the end ------------------------------------------------------------------------------------------------

    def close(self, grace_s: float, patience_s: float) -> None:
        """Refuse new work, let calls end, close every connection, give back everything.

        Args:
            grace_s: How long calls in flight may go on.
            patience_s: How long the loop may take beyond that; an inline tool that blocks it keeps it from doing anything.

        Raises:
            WorkbenchError: The loop was blocked; its daemon thread is left behind, and closes and ends when what blocks it does.
        """
        self._undo.close()
        while self._files:
            discovery.remove(self._files.pop())
        try:
            if self._engine.running:
                self._engine.run(self._shut(grace_s), timeout_s=2 * grace_s + patience_s)
            self._engine.stop(patience_s)
        except TimeoutError:
            raise WorkbenchError(
                'the server did not stop in time: its loop is blocked, most likely by a tool with run_on="inline" that waits'
            ) from None
        finally:
            self._switching.restore()
            self._offer.overhearing.detach()
            APART.end(still_running=self.execution.statistics().abandoned > 0)
            self.stopped.set_result(None)

    async def _shut(self, grace_s: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + grace_s
        self.server.stop_accepting()
        if self.http_server is not None:
            self.http_server.stop_accepting()
        self._background.close()
        self._offer.jobs.server_stops = True
        self.execution.main.stop()  # the main thread may be the one that waits for this
        self.news.close()
        self.suspended.close()
        await self.sessions.close(grace_s)
        await self.execution.close(max(0.0, until - loop.time()))  # what is left of the time is for jobs, which have no session
        self._feed.close()
        if self._channel is not None:
            self._channel.close()
        self._services.close()
        for door in self._doors:
            door.close()
        await self.server.close()
        if self.http_server is not None:
            await self.http_server.close()
        loop.call_soon(loop.stop)  # also when nobody waits for this any more

    def abandon_in_child(self) -> None:
        """After a fork: close this process's copies of the sockets; the parent goes on serving."""
        self.execution.abandon_in_child()
        self.server.close_in_child()
        if self.http_server is not None:
            self.http_server.close_in_child()
        self._engine.abandon_in_child()


L = TypeVar("L", bound=Callable[..., None])


def _subscribe(listeners: list[L], listener: L) -> Callable[[], None]:
    listeners.append(listener)
    return lambda: listeners.remove(listener)


def _authority(host: str, port: int) -> str:
    return f"{f'[{host}]' if ':' in host else host}:{port}"

"""A Jupyter Server in the test's own process and loop, and stand-ins for kernels whose servers a test holds in its hand."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from traitlets.config import Config

from mcp_workbench import discovery
from mcp_workbench.events import Principal
from mcp_workbench.gateway.routes import OPENS_HTTP
from mcp_workbench.limits import Limits
from mcp_workbench.transports.channel import Channel, Receiver
from mcp_workbench.transports.credentials import Credentials
from mcp_workbench.transports.gate import Admit, Endpoint, Gate, HandshakeRequest, Refuse, Serve
from mcp_workbench.transports.websocket_client import open_websocket
from mcp_workbench.transports.websocket_server import WebSocketServer, serve_websocket
from tests.support.channels import Listener, echo

BASE = "/user/x/"
DOORS = {"mcp": "mcp", "view": "mcp-workbench-view"}
"""Name of a door -> its subprotocol."""
KERNEL = "7d3f3ac1-0a8c-4b0e-9c0f-2f6b3d7a1e55"
OTHER = "11111111-2222-3333-4444-555555555555"


def run(main: Callable[[], Coroutine[Any, Any, None]], *, within_s: float = 20) -> None:
    """Run a test's coroutine; what escapes to the loop is a failure."""

    async def bounded() -> None:
        problems: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        async with asyncio.timeout(within_s):
            await main()
        assert problems == [], "an exception escaped to the loop"

    asyncio.run(bounded())


class _RecordingGate(Gate):
    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        super().__init__(endpoints)
        self.requests: list[HandshakeRequest] = []

    def decide(self, request: HandshakeRequest) -> Admit | Serve | Refuse:
        self.requests.append(request)
        return super().decide(request)


@dataclass(slots=True)
class Kernel:
    """The servers in a kernel, and what came to them."""

    gate: _RecordingGate
    server: WebSocketServer
    secrets: dict[str, str]
    """Name of a door -> what opens it."""
    channels: list[Channel] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)

    @property
    def requests(self) -> list[HandshakeRequest]:
        """Every handshake that was begun."""
        return self.gate.requests


@asynccontextmanager
async def kernel(
    kernel_id: str = KERNEL, *, on_text: Callable[[Channel, bytes], None] = echo, limits: Limits | None = None
) -> AsyncIterator[Kernel]:
    """Both servers of a kernel, announced."""
    credentials = {door: Credentials() for door in DOORS}

    def accept(channel: Channel, principal: Principal) -> Receiver:
        here.channels.append(channel)
        here.listeners.append(Listener(lambda text: on_text(channel, text)))
        return here.listeners[-1]

    gate = _RecordingGate(Endpoint(f"/{door}", credentials[door], DOORS[door], accept) for door in DOORS)
    here = Kernel(gate, await serve_websocket(gate, limits=limits), {door: each.token() for door, each in credentials.items()})
    files = [announce(kernel_id, door, here.server.port, here.secrets[door]) for door in DOORS]
    try:
        yield here
    finally:
        for file in files:
            discovery.remove(file)
        await here.server.close()


def announce(kernel_id: str, door: str, port: int, token: str, *, http_port: int | None = None) -> Path:
    """Write a discovery file."""
    from mcp_workbench.secret import Secret

    entry = discovery.describe_this_process(
        kernel_id=kernel_id,
        name="flights",
        url=f"ws://127.0.0.1:{port}/{door}",
        http_url=None if http_port is None else f"http://127.0.0.1:{http_port}/{door}",
        token=Secret(token),
    )
    return discovery.write(entry) if door == "mcp" else discovery.write_view(entry)


@dataclass(slots=True)
class Jupyter:
    """A running Jupyter Server."""

    app: ServerApp
    port: int
    token: str

    @property
    def origin(self) -> str:
        """What its own pages send."""
        return f"http://127.0.0.1:{self.port}"

    def url(self, door: str = "mcp", kernel_id: str = KERNEL, query: str = "") -> str:
        """A WebSocket address of the gateway's."""
        return f"ws://127.0.0.1:{self.port}{BASE}mcp-workbench/kernels/{kernel_id}/{door}{query}"

    async def open(self, door: str = "mcp", kernel_id: str = KERNEL) -> tuple[Channel, Listener]:
        """Connect as a program with Jupyter's token does."""
        return await listen(self.url(door, kernel_id), DOORS[door], {"Authorization": f"token {self.token}"})

    async def get(self, path: str, *, token: bool = True, query: str = "") -> HTTPResponse:
        """GET a path below the base URL."""
        client = AsyncHTTPClient(force_instance=True)
        try:
            headers = {"Authorization": f"token {self.token}"} if token else {}
            return await client.fetch(f"{self.origin}{BASE}{path}{query}", headers=headers, raise_error=False, follow_redirects=False)
        finally:
            client.close()

    async def cookie(self) -> str:
        """What a browser has after a login."""
        answer = await self.get("login", token=False, query=f"?token={self.token}")
        return "; ".join(each.partition(";")[0] for each in answer.headers.get_list("Set-Cookie"))


async def listen(url: str, subprotocol: str | None, headers: dict[str, str]) -> tuple[Channel, Listener]:
    """Open a WebSocket and keep what it hears."""
    channel = await open_websocket(url, headers=headers, subprotocol=subprotocol)
    listener = Listener()
    channel.open(listener)
    return channel, listener


@asynccontextmanager
async def jupyter(
    folder: Path,
    *,
    kernels: Iterable[str] = (KERNEL, OTHER),
    provisioner: object = None,
    tls: ssl.SSLContext | None = None,
    **settings: dict[str, Any],
) -> AsyncIterator[Jupyter]:
    """A Jupyter Server with the gateway.

    Args:
        folder: Everything it writes goes in here.
        kernels: Ids of kernels that it believes it runs.
        provisioner: Of those; None: a local one.
        tls: With it, https:// only.
        settings: Class name -> trait -> value.
    """
    token = secrets.token_urlsafe(32)
    config = Config({name: Config(values) for name, values in settings.items()})
    config.ServerApp.jpserver_extensions = {"mcp_workbench.gateway": True}
    config.ServerApp.log_level = logging.DEBUG
    config.IdentityProvider.setdefault("token", token)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
            patch.setenv(name, str(folder))
        patch.setenv("JUPYTER_NO_CONFIG", "1")
        patch.setenv(OPENS_HTTP, "")  # written by the extension; the run is to be left as it was
        patch.delenv(OPENS_HTTP)
        app = ServerApp(base_url=BASE, root_dir=str(folder), open_browser=False, allow_root=True, config=config)
        app.init_signal = lambda: None  # type: ignore[method-assign]  # signals are the test run's own
        app.initialize(argv=[], new_httpserver=False, find_extensions=False)
    app.kernel_manager._kernels.update({each: SimpleNamespace(provisioner=provisioner or LocalProvisioner()) for each in kernels})
    server = HTTPServer(app.web_app, ssl_options=tls)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    server.add_socket(listener)
    try:
        yield Jupyter(app, listener.getsockname()[1], token)
    finally:
        app.kernel_manager._kernels.clear()
        server.stop()
        await server.close_all_connections()
        await app._cleanup()

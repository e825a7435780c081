"""One relayed WebSocket: a client that Jupyter lets in, and a kernel's own endpoint on loopback.

What the client shows to Jupyter (token, cookie, headers) stays here; the kernel is shown the secret of its own
discovery file. Who may come in is asked in the order of who may learn what, and the kernel is connected before the
upgrade, so that what is in the way is an HTTP answer. Keepalive of the client's half is Jupyter's, of the other half the kernel's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.websocket import WebSocketMixin
from tornado.httputil import HTTPServerRequest
from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from mcp_workbench.discovery import Entry
from mcp_workbench.errors import ConnectionClosed
from mcp_workbench.gateway import sentences
from mcp_workbench.gateway.closing import TRY_AGAIN_LATER, UNSUPPORTED_DATA, told_to_kernel
from mcp_workbench.gateway.configuration import McpWorkbenchGateway
from mcp_workbench.gateway.direct import join, take_over
from mcp_workbench.gateway.doors import Door, entries
from mcp_workbench.gateway.doorway import Doorway
from mcp_workbench.gateway.pump import Pump
from mcp_workbench.limits import MIB
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.websocket_client import open_websocket

CONNECT_WITHIN_S = 5.0
MAX_BYTES_TO_CLIENT = 64 * MIB
"""Largest message of a kernel that is passed on; what kernels send by themselves is far smaller."""


def is_upgrade(request: HTTPServerRequest) -> bool:
    """Whether a WebSocket is asked for."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


class Proxy(WebSocketMixin, WebSocketHandler, Doorway):
    """`mcp-workbench/kernels/<id>/view` and `…/mcp`."""

    def initialize(self, gateway: McpWorkbenchGateway, door: Door) -> None:
        """Tornado's constructor for handlers."""
        super().initialize(gateway, door)
        self._kernel: Channel | None = None
        self._pump: Pump | None = None

    # --- before the upgrade ----------------------------------------------------------------------------------

    @ws_authenticated
    async def get(self, kernel_id: str) -> None:
        """Serve one connection, to its end."""
        if (no := await self.objection(kernel_id)) is not None:
            self.refuse(*no)
            return
        entry = (await entries(self._door)).get(kernel_id)
        if entry is not None:
            await self._lead_to(entry)
        elif self.leads_elsewhere(kernel_id):
            await super().get(kernel_id)  # a page sees no HTTP status: it is told by the close
        else:
            self.refuse(404, sentences.SERVES_NOTHING)

    async def objection(self, kernel_id: str) -> tuple[int, str] | None:
        """The same, and that it is no WebSocket."""
        if (no := await super().objection(kernel_id)) is not None:
            return no
        return None if is_upgrade(self.request) else (426, sentences.NOT_A_WEBSOCKET)

    async def _lead_to(self, entry: Entry) -> None:
        with self._gateway.place(entry.kernel_id) as is_free:
            if not is_free:
                self.refuse(503, sentences.full(self._gateway.max_connections))
                return
            try:
                kernel = await self._connect(entry)
            except (ConnectionClosed, TimeoutError, ValueError) as error:
                self.refuse(503, sentences.NOT_NOW + str(error))
                return
            await self._relay(entry.kernel_id, kernel)

    async def _connect(self, entry: Entry) -> Channel:
        return await open_websocket(
            entry.url,
            token=entry.token,
            subprotocol=self._door.subprotocol,
            max_message_bytes=MAX_BYTES_TO_CLIENT,
            open_timeout_s=CONNECT_WITHIN_S,
            landing=self._gateway.landing,
        )

    async def _relay(self, kernel_id: str, kernel: Channel) -> None:
        """Upgrade, and stay until the client's half has ended; the kernel's half ends with it."""
        self._kernel = kernel
        try:
            await super().get(kernel_id)  # returns when the client's half has ended, or was gone by now
        finally:
            kernel.close(*told_to_kernel(self.close_code, self.close_reason))
            self.log.debug("mcp-workbench: /%s of kernel %s was closed with %s", self._door.name, kernel_id, self.close_code)

    # --- what tornado asks and calls -------------------------------------------------------------------------

    @property
    def max_message_size(self) -> int:
        """Bound on what clients send, in bytes."""
        return self._gateway.max_message_bytes

    def get_compression_options(self) -> dict[str, object] | None:
        """As Jupyter's own WebSockets have it."""
        options: dict[str, object] | None = self.settings.get("websocket_compression_options")
        return options

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """The door's own, when it is offered."""
        return self._door.subprotocol if self._door.subprotocol in subprotocols else None

    async def open(self, kernel_id: str) -> None:
        """The client's half is open: stay here to its end, or leave it to tornado."""
        if self._kernel is None:
            super().open()
            self.close(TRY_AGAIN_LATER, sentences.ELSEWHERE)
        elif (stream := self._plain_stream()) is not None:
            await self._go_direct(stream, self._kernel)
        else:
            super().open()
            self.set_nodelay(True)
            self._pump = Pump(self._kernel, self)

    def _plain_stream(self) -> IOStream | None:
        """Tornado's stream, when nothing has to be done with what passes that only tornado can do."""
        stream = getattr(self.ws_connection, "stream", None)
        return stream if type(stream) is IOStream and self.get_compression_options() is None else None

    async def _go_direct(self, stream: IOStream, kernel: Channel) -> None:
        """Relay between channels of our own; what tornado goes on with then is a stream that is closed."""
        try:
            client = await take_over(
                stream,
                subprotocol=self.selected_subprotocol,
                max_message_bytes=self._gateway.max_message_bytes,
                landing=self._gateway.landing,
            )
        except (StreamClosedError, OSError):
            return
        # Jupyter counts both in milliseconds.
        await join(client, kernel, ping_every_s=self.ping_interval / 1000, dead_after_s=self.ping_timeout / 1000)

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """A text of the client's; the next one is read when what is returned is done."""
        if not isinstance(message, str):
            self.close(UNSUPPORTED_DATA, "only text frames are understood here")
        elif self._pump is not None:
            return self._pump.pass_on(message.encode())
        return None

    # --- what the pump calls ---------------------------------------------------------------------------------

    def send(self, text: bytes) -> asyncio.Future[None] | None:
        """Send the client a text."""
        try:
            return self.write_message(text)
        except WebSocketClosedError:
            return None

    def end(self, code: int, reason: str) -> None:
        """Close the client's half."""
        self.close(code, reason)

"""One relayed HTTP request of an agent's: to the kernel's own HTTP endpoint on loopback, and its answer as it comes.

The specification's own headers go through in both directions and no others: what the client shows to Jupyter (token,
cookie) stays here, the kernel is shown the secret of its discovery file. Everything that is wrong with a head is
said before any of its body is read. A stream of events is passed on piece by piece, each when the client has taken the
one before; a client that hangs up is one that the kernel sees hang up. The neighbour `proxy` does the same for WebSockets.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web
from tornado.iostream import StreamClosedError

from mcp_workbench.discovery import Entry
from mcp_workbench.errors import ConnectionClosed
from mcp_workbench.gateway import sentences
from mcp_workbench.gateway.configuration import McpWorkbenchGateway
from mcp_workbench.gateway.doors import Door, entries
from mcp_workbench.gateway.doorway import Doorway
from mcp_workbench.secret import Secret
from mcp_workbench.tasks import start_task
from mcp_workbench.transports.http_connection import BrokenResponseError, HttpAddress, HttpConnection, ResponseHead

CONNECT_WITHIN_S = 5.0
TO_KERNEL = re.compile(r"accept|content-type|last-event-id|mcp-[a-z0-9-]+", re.IGNORECASE)
TO_CLIENT = ("content-type", "content-length", "cache-control", "x-accel-buffering", "allow", "mcp-session-id")
# RFC 9110 section 5.5; what could end a header early is never passed on, whatever a proxy on the way has made of it.
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
INVALID_REQUEST, INTERNAL_ERROR = -32600, -32603
"""JSON-RPC's codes."""


@web.stream_request_body
class HttpProxy(Doorway):
    """`mcp-workbench/kernels/<id>/mcp` for whoever does not ask for a WebSocket."""

    SUPPORTED_METHODS = ("POST", "GET", "DELETE")  # tornado's list, of which an instance never writes

    def initialize(self, gateway: McpWorkbenchGateway, door: Door) -> None:
        """Tornado's constructor for handlers."""
        super().initialize(gateway, door)
        self._body = bytearray()
        self._too_large = False
        self._begun = False
        """The client has been told a status: nothing can be said by it any more."""
        self._relaying: asyncio.Task[None] | None = None
        # Jupyter's server compresses texts, event streams among them, for whoever takes that.
        self.request.headers.pop("Accept-Encoding", None)

    # --- before the body ---------------------------------------------------------------------------------------

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        """Say no as soon as the head is there, and never by a page for people."""
        try:
            no = (403, sentences.FOREIGN_PAGE) if self.is_foreign_page() else await self._who_asks(_redirect_to_login)
        except web.HTTPError as error:
            no = error.status_code, error.reason or HTTPStatus(error.status_code).phrase
        if no is not None:
            self._say(*no)
            self._begun = True
            # The answer is whole, and finished when the body is there: closing on it would reset the answer away.
            with suppress(StreamClosedError):
                await self.flush()

    async def _who_asks(self, redirect: bool) -> tuple[int, str] | None:  # as Jupyter has it
        await super().prepare(_redirect_to_login=redirect)
        if self.current_user is None:
            raise web.HTTPError(403)
        self.check_xsrf_cookie()  # Jupyter has asked by now, but not for a GET: a cookie alone opens none of these
        return await self.objection(self.path_kwargs["kernel_id"]) or self._fault()

    def skip_check_origin(self) -> bool:
        """Jupyter asks no page for its origin that has a token: an agent is no page, and one that has got hold of a token stays out."""
        return False

    def _fault(self) -> tuple[int, str] | None:
        size = self.request.headers.get("Content-Length", "0")
        if size.isdigit() and int(size) > self._gateway.max_body_bytes:
            return 413, sentences.too_large(self._gateway.max_body_bytes)
        if not all(_VALUE.fullmatch(value) for value in self._for_kernel().values()):
            return 400, sentences.NOT_A_HEADER
        return None

    def data_received(self, chunk: bytes) -> None:
        """A part of the body; of a request that was refused, and from its bound on, it is dropped."""
        self._too_large = self._too_large or len(self._body) + len(chunk) > self._gateway.max_body_bytes
        if self._too_large or self._begun:
            self._body.clear()
        else:
            self._body += chunk

    # --- the request -------------------------------------------------------------------------------------------

    @allow_unauthenticated  # asked in `prepare`
    async def post(self, kernel_id: str) -> None:
        """Relay it."""
        await self._serve(kernel_id)

    @allow_unauthenticated
    async def get(self, kernel_id: str) -> None:
        """Relay it."""
        await self._serve(kernel_id)

    @allow_unauthenticated
    async def delete(self, kernel_id: str) -> None:
        """Relay it."""
        await self._serve(kernel_id)

    async def _serve(self, kernel_id: str) -> None:
        if self._begun:
            return
        if self._too_large:
            self.refuse(413, sentences.too_large(self._gateway.max_body_bytes))
            return
        # A task of its own, for it is what ends when the client hangs up; tornado answers when its own is cancelled.
        self._relaying = start_task(self._lead_to(kernel_id), name="mcp-workbench relayed request")
        try:
            await asyncio.wait([self._relaying])
        finally:
            self._relaying.cancel()
        if not self._relaying.cancelled():
            self._relaying.result()

    def on_connection_close(self) -> None:
        """The client has hung up."""
        super().on_connection_close()
        if self._relaying is not None:
            self._relaying.cancel()

    async def _lead_to(self, kernel_id: str) -> None:
        entry = (await entries(self._door)).get(kernel_id)
        if entry is None:
            self.refuse(*((503, sentences.ELSEWHERE) if self.leads_elsewhere(kernel_id) else (404, sentences.SERVES_NOTHING)))
        elif entry.http_url is None:
            self.refuse(404, sentences.NO_HTTP)
        else:
            with self._gateway.place(kernel_id) as is_free:
                if is_free:
                    await self._relay(entry, HttpAddress.parse(Secret(entry.http_url)))
                else:
                    self.refuse(503, sentences.full(self._gateway.max_connections))

    async def _relay(self, entry: Entry, address: HttpAddress) -> None:
        """One connection for each request: its end is the request's end, and none is ever found to have been closed meanwhile."""
        try:
            connection = await HttpConnection.dial(address, None, CONNECT_WITHIN_S)
        except ConnectionClosed as error:
            self.refuse(503, sentences.NOT_NOW + error.reason)
            return
        try:
            await self._exchange(connection, {**self._for_kernel(), "Authorization": Secret(f"Bearer {entry.token.reveal()}")})
        except BrokenResponseError:
            self._break_off()
        except StreamClosedError:
            pass  # the client has hung up while it was written to
        finally:
            connection.close()

    def _for_kernel(self) -> dict[str, str]:
        """What of the client's headers the kernel is to see; several of one name as one, joined by commas."""
        return {name: value for name, value in self.request.headers.items() if TO_KERNEL.fullmatch(name)}

    # --- its answer --------------------------------------------------------------------------------------------

    async def _exchange(self, connection: HttpConnection, headers: Mapping[str, Secret | str]) -> None:
        head = await connection.ask(str(self.request.method), headers, bytes(self._body))
        if head.status == 401:
            self.refuse(503, sentences.NOT_NOW + "it has another secret by now.")
            return
        self._begin(head)
        if head.media_type == "text/event-stream":
            await self._pass_on(b"")  # the client is to know that there is a stream, also while nothing happens
        async for piece in connection.pieces():
            await self._pass_on(piece)
        await self.finish()

    async def _pass_on(self, piece: bytes) -> None:
        self.write(piece)
        self._begun = True
        await self.flush()

    def _begin(self, head: ResponseHead) -> None:
        self.set_status(head.status)
        self.clear_header("Content-Type")
        for name in TO_CLIENT:
            if name in head.headers:
                self.set_header(name, head.headers[name])

    def _break_off(self) -> None:
        """The kernel is gone: say so, or, where the answer has begun, end it as one that is not complete."""
        if self._begun:
            self.detach().close()
        else:
            self.clear()
            self.refuse(503, sentences.BROKEN)

    def refuse(self, status: int, sentence: str) -> None:
        """Answer with a sentence instead of what was asked for."""
        self._say(status, sentence)
        self.finish()

    def _say(self, status: int, sentence: str) -> None:
        """As MCP's clients expect it, an error of JSON-RPC beside the status; which request it was has not been read."""
        error = {"code": INTERNAL_ERROR if status >= 500 else INVALID_REQUEST, "message": sentence}
        answer = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.set_header("Content-Length", str(len(answer)))
        self.write(answer)

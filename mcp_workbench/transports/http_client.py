"""The calling end of Streamable HTTP: a channel whose texts are POSTs, in both eras, to servers of ours and of others.

A request's texts come back in the answer to its POST, as JSON or as events; up to 2025-11-25 there is a session with a
stream of its own beside that, and a lost stream is taken up again where the server gave its events ids. What goes
wrong with one request becomes an error response to it, so that whoever waits is told; what concerns all of them (no
access, the session gone, nobody there) ends the channel. Loop thread only.
"""

from __future__ import annotations

import asyncio
import logging
import ssl as tls
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any

from mcp_workbench.errors import ConnectionClosed
from mcp_workbench.jsonrpc import (
    Batch,
    Decoded,
    ErrorCode,
    ErrorResponse,
    Message,
    Notification,
    Request,
    RequestId,
    ResultResponse,
    decode,
    encode,
    encode_error,
    encode_result,
)
from mcp_workbench.limits import MIB
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.http_headers import VERSION_HEADER, ParamHeaders, header_values, param_headers_of
from mcp_workbench.secret import Secret, hidden, hidden_values
from mcp_workbench.tasks import start_task
from mcp_workbench.transports.channel import ChannelFacts, Receiver
from mcp_workbench.transports.http_connection import BrokenResponseError, HttpAddress, HttpConnection, ResponseHead
from mcp_workbench.transports.http_pool import ConnectionPool
from mcp_workbench.transports.http_refusals import GOING_AWAY, Asker
from mcp_workbench.transports.http_standing import Standing
from mcp_workbench.transports.outgoing import outgoing_headers
from mcp_workbench.transports.sse import EventReader, EventTooLargeError

logger = logging.getLogger("mcp_workbench")

ACCEPT = "application/json, text/event-stream"
SESSION_HEADER = "Mcp-Session-Id"
MAX_AT_ONCE = 128
"""Requests under way; further ones wait in the conversation."""
SHORTEST_PAUSE_S, FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 1.0, 30.0
MOST_RESUMED = 5
"""Times in a row that a stream that broke is taken up again; one that its server ended properly is polled until the answer comes."""
GOODBYE_S = 2.0


async def open_http(
    url: str | Secret,
    *,
    token: str | Secret | None = None,
    headers: Mapping[str, str | Secret] | None = None,
    max_message_bytes: int = 64 * MIB,
    open_timeout_s: float = 10.0,
    ssl: tls.SSLContext | None = None,
    allow_remote: bool = False,
) -> HttpChannel:
    """Make a channel to a server that speaks Streamable HTTP.

    Args:
        url: `http://` or `https://` address.
        token: Sent as `Authorization: Bearer`.
        headers: Further request headers.
        max_message_bytes: Largest text accepted.
        open_timeout_s: Seconds until a connection must be there.
        ssl: TLS settings for `https://`; None takes the system's.
        allow_remote: Send credentials over plain `http://` to other machines too.

    Returns:
        The channel; nothing is delivered before its `open(receiver)`. Cancelling is safe.

    Raises:
        ValueError: The URL is not an HTTP URL, or the token would leave this machine unprotected.
        ConnectionClosed: Nothing listens there.
    """
    url, token, more = hidden(url), hidden(token), hidden_values(headers)
    address = HttpAddress.parse(url)
    protected = address.secure or allow_remote
    sent = outgoing_headers(token, more, host=address.host, place=address.place, protected=protected, instead="https://")
    context = (ssl or tls.create_default_context()) if address.secure else None
    pool = ConnectionPool(address, context, open_timeout_s)
    pool.give_back(await pool.dial())
    return HttpChannel(pool, sent, max_message_bytes)


class HttpChannel:
    """One client's channel; made by `open_http`."""

    def __init__(self, pool: ConnectionPool, headers: Mapping[str, Secret], max_message_bytes: int) -> None:
        self.facts = ChannelFacts("http", pool.address.place, refused=lambda: self._refused_with)
        self.bytes_received = 0
        self.bytes_sent = 0
        self._pool = pool
        self._headers = headers
        has_token = any(name.lower() == "authorization" for name in headers)
        self._asker = Asker(pool.address.place, pool.address.is_usual_path, has_token, (*headers.values(), *pool.address.secrets))
        self._refused_with: int | None = None
        self._max_bytes = max_message_bytes
        self._receiver: Receiver | None = None
        self._open = asyncio.Event()
        """Cleared while nothing may be delivered."""
        self._tasks: dict[RequestId, asyncio.Task[None]] = {}
        self._modern: set[RequestId] = set()
        self._unsent: dict[RequestId, asyncio.Event] = {}
        """Requests that are not on their way yet; set when one is."""
        self._others: set[asyncio.Task[None]] = set()
        self._before: asyncio.Task[None] | None = None
        """The latest notification: what is sent behind it waits until the server has it."""
        self._session: Secret | None = None
        self._standing = Standing()
        self._renewing: asyncio.Task[None] | None = None
        self._version = ""
        self._param_headers: dict[str, ParamHeaders] = {}
        self._was_full = False
        self._closed = False

    def __repr__(self) -> str:
        return f"<HttpChannel to {self.facts.remote}{', closed' if self._closed else ''}>"

    # --- what the receiver calls ------------------------------------------------------------------------

    @property
    def writable(self) -> bool:
        """Whether another request may be sent now."""
        return not self._closed and len(self._tasks) < MAX_AT_ONCE

    @property
    def unsent_bytes(self) -> int:
        """Not known: each request has a connection of its own."""
        return 0

    def open(self, receiver: Receiver) -> None:
        """Start delivering to `receiver`."""
        self._receiver = receiver
        self._open.set()

    def send(self, text: bytes) -> None:
        """Send one text as a POST; ignored once closed."""
        message = decode(text)
        if self._closed or not isinstance(message, Message):
            return
        self.bytes_sent += len(text)
        self._standing.note_sent(message, text)
        if isinstance(message, Request):
            self._unsent[message.id] = asyncio.Event()
            self._tasks[message.id] = start_task(self._ask(message, text, self._before), name=f"mcp-http {message.method}")
            if _meta_version(message) is not None:
                self._modern.add(message.id)
            self._was_full = not self.writable
        elif not self._takes_back(message):
            self._before = self._start(self._tell(message, text, self._before, list(self._unsent.values())))

    def pause_receiving(self) -> None:
        """Deliver no further text until `resume_receiving`."""
        self._open.clear()

    def resume_receiving(self) -> None:
        """Deliver again."""
        self._open.set()

    def ping(self) -> None:
        """HTTP has no such thing."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session, where there is one, and hang up; requests under way are not answered."""
        if not self._closed:
            self._end(code, reason, goodbye=True)

    def abort(self) -> None:
        """Hang up at once."""
        if not self._closed:
            self._end(1006, "", goodbye=False)

    def _end(self, code: int, reason: str, *, goodbye: bool) -> None:
        self._closed = True
        for task in (*self._tasks.values(), *self._others):
            task.cancel()
        start_task(self._leave(code, reason, goodbye and self._session is not None), name="mcp-http goodbye")

    async def _leave(self, code: int, reason: str, goodbye: bool) -> None:  # passed on
        try:
            if goodbye:
                with suppress(TimeoutError, ConnectionClosed, BrokenResponseError):
                    async with asyncio.timeout(GOODBYE_S), self._exchange("DELETE", {}) as (_, connection):
                        await connection.body(self._max_bytes)
        finally:
            self._pool.close()
            receiver, self._receiver = self._receiver, None
            if receiver is not None:
                receiver.receive_close(code, reason)

    def _start(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = start_task(work, name="mcp-http")
        self._others.add(task)
        task.add_done_callback(self._others.discard)
        return task

    # --- requests ---------------------------------------------------------------------------------------

    def _takes_back(self, message: Message) -> bool:
        """Whether a notification is a modern cancel, which HTTP has none of: hanging up on the answer is one."""
        request_id = _cancelled_id(message)
        if request_id is None or request_id not in self._modern:
            return False
        self._tasks[request_id].cancel()
        return True

    async def _ask(self, request: Request, text: bytes, before: asyncio.Task[None] | None) -> None:
        try:
            await _behind(before)
            if not await self._post(request, text, may_renew=True):
                await self._post(request, text, may_renew=False)  # nobody had looked at it, and there is another session now
        except ConnectionClosed as error:
            self._fail(error.code, error.reason)
        except (BrokenResponseError, EventTooLargeError) as error:
            sentence = f"No answer to {request.method} came: {error}. It may have been carried out."
            await self._deliver(encode_error(request.id, ErrorCode.INTERNAL_ERROR, sentence))
        finally:
            self._tasks.pop(request.id, None)
            self._modern.discard(request.id)
            if (sent := self._unsent.pop(request.id, None)) is not None:
                sent.set()
            if self._was_full and self.writable and self._receiver is not None:
                self._was_full = False
                self._receiver.receive_writable()

    async def _post(self, request: Request, text: bytes, *, may_renew: bool) -> bool:
        """Ask, and deliver what comes of it; False: the session it was asked in had ended, and another one was begun."""
        sent, session = self._unsent.get(request.id), self._session
        async with self._exchange("POST", self._headers_for(request), text, sent) as (head, connection):
            self._unsent.pop(request.id, None)
            if may_renew and head.status == HTTPStatus.NOT_FOUND and await self._renewed(session):
                return False
            if not 200 <= head.status < 300 or head.media_type not in ("application/json", "text/event-stream"):
                await self._refused(request, head, connection)
                return True
            if request.method == "initialize":
                self._begin_session(head)
            if head.media_type == "application/json":
                body = await connection.body(self._max_bytes)
                if not await self._take(body, request):
                    raise BrokenResponseError(f"what the server sent in its place is no response to it ({len(body):,} bytes)")
                return True
            events = EventReader(self._max_bytes)
            answered = await self._follow(connection, events, request)
        if not answered:
            await self._resume(request, events)
        return True

    async def _follow(self, connection: HttpConnection, events: EventReader, request: Request | None) -> bool:
        """Deliver what a stream tells; whether the answer to its request was among it."""
        try:
            async for piece in connection.pieces():
                for event in events.feed(piece):
                    if event.data and event.kind == "message" and await self._take(event.data, request):
                        return True
        except BrokenResponseError:
            pass  # where there is an id, it is taken up again; else whoever waits is told
        return False

    async def _resume(self, request: Request, events: EventReader) -> None:
        """Up to 2025-11-25: take a lost stream up behind the last event that had an id."""
        lost = 0
        while lost < MOST_RESUMED and self._session is not None and events.last_id is not None:
            await asyncio.sleep(_pause_s(events, lost))
            lost += 1
            with suppress(BrokenResponseError):
                async with self._exchange("GET", self._headers_for(None) | {"Last-Event-ID": events.last_id}) as (head, connection):
                    if head.status != HTTPStatus.OK or head.media_type != "text/event-stream":
                        break
                    if await self._follow(connection, events, request):
                        return
                    lost = 0 if connection.complete else lost
        raise BrokenResponseError("the stream ended without one")

    async def _take(self, text: bytes, request: Request | None) -> bool:
        """Deliver one text; whether it answers the request."""
        answers = False
        if request is not None:
            message = decode(text)
            answers = _answers(message, request)
            if isinstance(message, ErrorResponse) and message.id is None:  # the server did not get as far as reading it
                text, answers = encode_error(request.id, message.code, message.message, message.data), True
            if request.method == "initialize" and isinstance(message, ResultResponse):
                self._version = str(message.result.get("protocolVersion", ""))
            elif answers and isinstance(message, ResultResponse):
                self._standing.note_answered(request)
            if request.method == "tools/list" and isinstance(message, ResultResponse) and answers:
                text = self._note_tools(text, message)
        await self._deliver(text)
        return answers

    async def _deliver(self, text: bytes) -> None:
        await self._open.wait()
        self.bytes_received += len(text)
        if self._receiver is not None:
            self._receiver.receive_text(text)

    def _note_tools(self, text: bytes, message: ResultResponse) -> bytes:
        """Remember which arguments are repeated in headers; a tool that says so wrongly is no tool (2026-07-28, custom headers)."""
        tools = message.result.get("tools")
        if not isinstance(tools, list):
            return text
        said = {id(tool): param_headers_of(tool.get("inputSchema")) for tool in tools if isinstance(tool, dict)}
        self._param_headers |= {str(tool.get("name")): found for tool in tools if (found := said.get(id(tool)))}
        if None not in said.values():
            return text
        return encode_result(message.id, encode(message.result | {"tools": [tool for tool in tools if said.get(id(tool), {}) is not None]}))

    async def _refused(self, request: Request, head: ResponseHead, connection: HttpConnection) -> None:
        """An answer that is none: pass on the error it holds, or make one of it."""
        body = await connection.body(self._max_bytes)
        message = decode(body) if head.media_type == "application/json" else None
        self._check_access(head, body, opening=request.method == "initialize")
        if isinstance(message, ErrorResponse):
            # Its id may be null, where the server did not get as far as reading it.
            await self._deliver(encode_error(request.id, message.code, message.message, message.data))
            return
        code = ErrorCode.METHOD_NOT_FOUND if head.status == HTTPStatus.NOT_FOUND else ErrorCode.INTERNAL_ERROR
        await self._deliver(encode_error(request.id, code, self._asker.sentence(head, body), {"status": head.status}))

    def _check_access(self, head: ResponseHead, body: bytes, *, opening: bool = False) -> None:
        """End the channel where everything is refused."""
        refusal = self._asker.refused_for_good(head, body, in_session=self._session is not None, opening=opening)
        if refusal is not None:
            self._refused_with = refusal.status
            raise ConnectionClosed(refusal.code, refusal.sentence)

    # --- a session that has ended -----------------------------------------------------------------------

    async def _renewed(self, ended: Secret | None) -> bool:
        """2025-11-25 session management: whoever is told 404 in a session begins another; whether there is one now."""
        if ended is None or self._standing.opening is None:
            return False
        if self._session is ended and (self._renewing is None or self._renewing.done()):
            # A task of its own: whoever waits for it may be cancelled, and others wait as well.
            self._renewing = self._start(self._renew())
        if self._renewing is not None:
            await asyncio.wait([self._renewing])
        return self._session is not None and self._session is not ended

    async def _renew(self) -> None:
        opening, self._session = self._standing.opening, None
        logger.warning("%s has ended the session; another one is begun, in which tools remember nothing of before", self.facts.remote)
        try:
            answer = None if opening is None else await self._ask_quietly(*opening)
            version = answer.result.get("protocolVersion") if isinstance(answer, ResultResponse) else None
            if version != self._version or self._session is None:
                raise ConnectionClosed(
                    GOING_AWAY, f"{self.facts.remote} has ended this session, and began no other like it: connect() again"
                )
            async with self._exchange("POST", self._headers_for(None), self._standing.ready) as (_, connection):
                await connection.body(self._max_bytes)
            for asked in self._standing.again():
                await self._ask_quietly(*asked)
        except ConnectionClosed as error:
            self._fail(error.code, error.reason)
        except (BrokenResponseError, EventTooLargeError) as error:
            self._fail(GOING_AWAY, f"{self.facts.remote} has ended this session, and another could not be begun: {error}")
        else:
            self._start(self._listen())
            for text in self._standing.news():
                await self._deliver(text)

    async def _ask_quietly(self, request: Request, text: bytes) -> Message | None:
        """Ask for ourselves: nobody waits for the answer, and nobody hears it."""
        async with self._exchange("POST", self._headers_for(request), text) as (head, connection):
            body = await connection.body(self._max_bytes)
            self._check_access(head, body, opening=request.method == "initialize")
            if request.method == "initialize":
                self._begin_session(head)
        events = EventReader(self._max_bytes)
        texts = [event.data for event in events.feed(body)] if head.media_type == "text/event-stream" else [body]
        answers = [message for message in map(decode, texts) if isinstance(message, ResultResponse | ErrorResponse)]
        return next((message for message in answers if message.id == request.id), None)

    # --- what is no request -----------------------------------------------------------------------------

    async def _tell(self, message: Message, text: bytes, before: asyncio.Task[None] | None, unsent: list[asyncio.Event]) -> None:
        try:
            await _behind(before)
            for request_sent in unsent:
                await request_sent.wait()  # a cancel must not arrive before its request
            session = self._session
            async with self._exchange("POST", self._headers_for(None), text) as (head, connection):
                body = await connection.body(self._max_bytes)
                if head.status == HTTPStatus.NOT_FOUND and await self._renewed(session):
                    return  # what it was about has ended with the session
                self._check_access(head, body)
        except BrokenResponseError:
            return  # nobody waits for an answer
        except ConnectionClosed as error:
            self._fail(error.code, error.reason)
            return
        if isinstance(message, Notification) and message.method == "notifications/initialized":
            self._start(self._listen())
        elif (request_id := _cancelled_id(message)) is not None and (task := self._tasks.get(request_id)) is not None:
            task.cancel()  # the server knows now, and ends its stream without an answer

    async def _listen(self) -> None:
        """Up to 2025-11-25: hear what belongs to no request, for as long as the session lasts."""
        events, silent = EventReader(self._max_bytes), 0
        while not self._closed:
            resume = {} if events.last_id is None else {"Last-Event-ID": events.last_id}
            before, session = self.bytes_received, self._session
            try:
                async with self._exchange("GET", self._headers_for(None) | resume) as (head, connection):
                    if head.status == HTTPStatus.NOT_FOUND and await self._renewed(session):
                        return  # the new session has a stream of its own
                    if head.status in (HTTPStatus.NOT_FOUND, HTTPStatus.UNAUTHORIZED):
                        self._check_access(head, await connection.body(self._max_bytes))
                    if head.status != HTTPStatus.OK or head.media_type != "text/event-stream":
                        return  # a server need not have such a stream
                    await self._follow(connection, events, None)
            except (BrokenResponseError, EventTooLargeError):
                pass
            except ConnectionClosed as error:
                self._fail(error.code, error.reason)
                return
            silent = silent + 1 if self.bytes_received == before else 0
            await asyncio.sleep(_pause_s(events, silent))

    def _begin_session(self, head: ResponseHead) -> None:
        session = head.headers.get(SESSION_HEADER.lower(), "")
        if session and session.isascii() and session.isprintable():
            self._session = Secret(session)

    def _fail(self, code: int, reason: str) -> None:
        if not self._closed:
            self._end(code, reason, goodbye=False)

    def _headers_for(self, request: Request | None) -> dict[str, Secret | str]:
        headers: dict[str, Secret | str] = {}
        version = None if request is None else _meta_version(request)
        if request is not None and version is not None:
            params = request.params or {}
            name = params.get("name") if request.method == "tools/call" else None
            headers[VERSION_HEADER] = version
            headers |= header_values(params, request.method, self._param_headers.get(str(name), {}))
        elif self._version and (request is None or request.method != "initialize"):
            headers[VERSION_HEADER] = self._version
        if self._session is not None and version is None:
            headers[SESSION_HEADER] = self._session
        return headers

    @asynccontextmanager
    async def _exchange(
        self, method: str, headers: Mapping[str, Secret | str], body: bytes = b"", sent: asyncio.Event | None = None
    ) -> AsyncIterator[tuple[ResponseHead, HttpConnection]]:
        """One request and the head of its response; on leaving, the connection is kept only where all was read."""
        kind = {"Content-Type": "application/json"} if method == "POST" else {}
        if method == "DELETE":
            headers = self._headers_for(None)
        connection = await self._pool.take()
        try:
            yield await connection.ask(method, {**self._headers, "Accept": ACCEPT, **kind, **headers}, body, sent), connection
        finally:
            self._pool.give_back(connection)


async def _behind(before: asyncio.Task[None] | None) -> None:
    """Wait until a notification has been taken; how it went is no business of those behind it."""
    if before is not None and not before.done():
        await asyncio.wait([before])


def _cancelled_id(message: Message) -> RequestId | None:
    if not isinstance(message, Notification) or message.method != "notifications/cancelled":
        return None
    request_id = (message.params or {}).get("requestId")
    return request_id if isinstance(request_id, str | int) else None


def _answers(message: Decoded, request: Request) -> bool:
    if isinstance(message, Batch):
        return any(_answers(each, request) for each in message.entries)
    return isinstance(message, ResultResponse | ErrorResponse) and message.id == request.id


def _pause_s(events: EventReader, silent: int) -> float:
    wished = FIRST_PAUSE_S if events.retry_ms is None else events.retry_ms / 1000
    return float(min(LONGEST_PAUSE_S, max(SHORTEST_PAUSE_S, wished) * 2 ** max(0, silent - 1)))


def _meta_version(request: Request) -> str | None:
    meta = (request.params or {}).get("_meta")
    version = meta.get(wire.META_VERSION) if isinstance(meta, dict) else None
    return version if isinstance(version, str) else None

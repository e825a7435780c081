"""Streamable HTTP through a tap: each request is asked again of the server behind it, and its answer passed on as it comes.

Bodies and events pass byte by byte where no hook wants them. Headers that belong to one of the two connections, and every
credential of the client's, stay on this side; the server's credential is the tap's own. A client that hangs up hangs up on the
server; one that reads slowly is not overrun. Loop thread only.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from mcp_workbench.errors import ConnectionClosed
from mcp_workbench.events import Principal
from mcp_workbench.exploring.overhearing import Overheard
from mcp_workbench.limits import MIB
from mcp_workbench.secret import Secret
from mcp_workbench.tapping.holdings import Holding, Holdings, TooMuchHeldError
from mcp_workbench.tapping.hooks import Hooks, Passing
from mcp_workbench.tasks import start_task
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.transports.gate import HandshakeRequest, Refuse
from mcp_workbench.transports.http_connection import BrokenResponseError, HttpConnection, ResponseHead
from mcp_workbench.transports.http_incoming import COMMENT, EVENTS, Incoming, event
from mcp_workbench.transports.http_pool import ConnectionPool
from mcp_workbench.transports.sse import EventReader, EventTooLargeError, ServerEvent

METHODS = ("POST", "GET", "DELETE")
BODY_BYTES = 64 * MIB
SESSIONS = 1024
"""Sessions of up to 2025-11-25 told apart; past it the one that was quiet longest is forgotten here."""
SESSION = "mcp-session-id"
_KNOWN = frozenset(HTTPStatus)

_PASSED_TO_SERVER = ("accept", "content-type", "last-event-id")
"""Beside all that begins with `mcp-`. Everything else, cookies and credentials above all, is between client and tap."""
_PASSED_TO_CLIENT = ("content-type", "allow", "retry-after")
_EVENT_STREAM = "text/event-stream"

Begin = Callable[[Principal, str], Overheard]
"""A conversation begins: whose, and the client's address."""


class HttpTap:
    """What the requests of a tap's HTTP door mean.

    Args:
        pool: Connections to the server behind it.
        headers: Sent with each request to it: its credential.
        begin: Begins a conversation to be overheard.
        hooks: May change what passes.
    """

    def __init__(self, pool: ConnectionPool, headers: Mapping[str, Secret], begin: Begin, hooks: Hooks) -> None:
        self._pool = pool
        self._headers = headers
        self._begin = begin
        self._hooks = hooks
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        """By `Mcp-Session-Id`; it is no credential here, for the gate has asked for one: whose it is, is remembered."""
        self._holdings = Holdings()
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self, incoming: Incoming) -> None:
        """Pass a request on."""
        task = start_task(self._pass_on(incoming), name="tap.http")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        incoming.on_gone = partial(_cancel, task)

    def close(self) -> None:
        """End what is under way."""
        for task in list(self._tasks):
            task.cancel()
        for session in self._sessions.values():
            session.overheard.end(1001, "the tap was closed")
        self._sessions.clear()
        self._pool.close()

    async def _pass_on(self, incoming: Incoming) -> None:
        overheard = self._conversation(incoming)
        if overheard is None:
            incoming.explain(HTTPStatus.NOT_FOUND, "No session of yours has this id here: begin another one.")
            return
        try:
            await self._ask(incoming, overheard)
        except TooMuchHeldError as error:
            self._fail(incoming, HTTPStatus.SERVICE_UNAVAILABLE, f"This tap cannot take the answer: {error}.")
        except (ConnectionClosed, BrokenResponseError, EventTooLargeError) as error:
            self._fail(incoming, HTTPStatus.BAD_GATEWAY, f"The server behind this tap gave no answer: {error}.")

    async def _ask(self, incoming: Incoming, overheard: Overheard) -> None:
        body = await self._through(overheard, Direction.IN, incoming.body) if incoming.body else b""
        if body is None:
            await asyncio.Event().wait()  # dropped: the client waits until it hangs up
            return
        connection = await self._pool.take()
        try:
            head = await connection.ask(incoming.request.method, self._request_headers(incoming.request), body)
            self._note_session(incoming, head, overheard)
            # Events are an answer's form where all went well; with any other status they are a body like others.
            if head.media_type == _EVENT_STREAM and head.status == HTTPStatus.OK:
                with self._holdings.begin() as holding:
                    await self._stream(incoming, head, connection, overheard, holding)
            else:
                await self._respond(incoming, head, connection, overheard)
        finally:
            self._pool.give_back(connection)

    async def _respond(self, incoming: Incoming, head: ResponseHead, connection: HttpConnection, overheard: Overheard) -> None:
        with self._holdings.begin() as holding:
            body: bytes | None = await _whole(connection, holding)
            if body and head.media_type == "application/json":
                body = await self._through(overheard, Direction.OUT, body)
            if body is None:
                await asyncio.Event().wait()
                return
            incoming.respond(head.status if head.status in _KNOWN else HTTPStatus.BAD_GATEWAY, body, list(_response_headers(head)))
        self._holdings.note_unread(incoming.line)

    async def _stream(
        self, incoming: Incoming, head: ResponseHead, connection: HttpConnection, overheard: Overheard, holding: Holding
    ) -> None:
        incoming.begin([(name, value) for name, value in _response_headers(head) if name != "content-type"])
        events, writable, as_it_comes = EventReader(BODY_BYTES), asyncio.Event(), True
        incoming.on_writable = writable.set
        async for piece in connection.pieces():
            if as_it_comes and self._hooks.any(Direction.OUT) and events.between_events:
                as_it_comes = False  # from here on the stream is written anew, its comments too
                incoming.on_beat = partial(incoming.tell, COMMENT)
            for each in events.feed(piece):
                if as_it_comes:
                    _note(overheard, each)
                else:
                    await self._pass_event(incoming, each, overheard)
            holding.now(events.held)
            if as_it_comes:
                incoming.tell(piece)
            while not incoming.writable:
                writable.clear()
                await writable.wait()
        incoming.end()

    async def _pass_event(self, incoming: Incoming, each: ServerEvent, overheard: Overheard) -> None:
        data: bytes | None = each.data
        if _is_message(each):
            data = await self._through(overheard, Direction.OUT, each.data)
        if data is not None:
            incoming.tell(event(data, each.event_id, kind=each.kind, retry_ms=each.retry_ms))

    async def _through(self, overheard: Overheard, direction: Direction, text: bytes) -> bytes | None:
        overheard.note(direction, text)
        if not self._hooks.any(direction):
            return text
        return await self._hooks.pass_through(Passing(overheard.session.session_id, direction, text))

    def _fail(self, incoming: Incoming, status: int, sentence: str) -> None:
        if incoming.streaming:
            incoming.abort()
        else:
            incoming.explain(status, sentence)

    # --- whose conversation it is ---------------------------------------------------------------------------

    def _conversation(self, incoming: Incoming) -> Overheard | None:
        """A session's, where it has one; else the connection's, on which one request follows the other. None: it is another's."""
        session = self._sessions.get(_session_of(incoming.request))
        if session is not None:
            self._sessions.move_to_end(_session_of(incoming.request))
            return session.overheard if session.principal == incoming.principal else None
        keeper = incoming.line.keeper
        if isinstance(keeper, _Line) and keeper.principal != incoming.principal:
            keeper.lost()
            keeper = None
        if not isinstance(keeper, _Line):
            keeper = incoming.line.keeper = _Line(self._begin(incoming.principal, incoming.line.remote), incoming.principal)
        return keeper.overheard

    def _note_session(self, incoming: Incoming, head: ResponseHead, overheard: Overheard) -> None:
        if incoming.request.method == "DELETE":
            self._note_end(_session_of(incoming.request), head.status)
            return
        session = head.headers.get(SESSION)
        if session is None or session in self._sessions:
            return
        self._sessions[session] = _Session(incoming.principal, overheard)
        incoming.line.keeper = None  # the conversation is the session's from now on
        if len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)[1].overheard.end(1001, "quiet for long")

    def _note_end(self, session_id: str, status: int) -> None:
        """A server may refuse to end a session, which goes on then (2025-11-25 session management)."""
        gone = 200 <= status < 300 or status == HTTPStatus.NOT_FOUND
        if gone and (ended := self._sessions.pop(session_id, None)) is not None:
            ended.overheard.end(1000, "the client has ended the session")

    def _request_headers(self, request: HandshakeRequest) -> dict[str, Secret | str]:
        passed: dict[str, Secret | str] = {
            name: ", ".join(values) for name, values in request.headers.items() if name in _PASSED_TO_SERVER or name.startswith("mcp-")
        }
        return {**passed, **self._headers}


@dataclass(frozen=True, slots=True)
class _Session:
    """A session's conversation, and whose it is."""

    principal: Principal
    overheard: Overheard


class _Line:
    """A connection's conversation; it ends with it."""

    def __init__(self, overheard: Overheard, principal: Principal) -> None:
        self.overheard = overheard
        self.principal = principal

    def lost(self) -> None:
        """The connection is gone."""
        self.overheard.end(1000, "")


def examine(request: HandshakeRequest) -> Refuse | None:
    """Whether a request may pass: its method is one of MCP's."""
    if request.method in METHODS:
        return None
    return Refuse(405, "An MCP endpoint takes POST, GET and DELETE.", (("Allow", ", ".join(METHODS)),))


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()


def _session_of(request: HandshakeRequest) -> str:
    return ", ".join(request.headers.get(SESSION, ()))  # as the server is told it


async def _whole(connection: HttpConnection, holding: Holding) -> bytes:
    whole = bytearray()
    async for piece in connection.pieces():
        whole += piece
        holding.now(len(whole))
        if len(whole) > BODY_BYTES:
            raise BrokenResponseError(f"it has more than {BODY_BYTES // MIB:,} MiB")
    return bytes(whole)


def _is_message(each: ServerEvent) -> bool:
    return bool(each.data) and each.kind == "message"


def _note(overheard: Overheard, each: ServerEvent) -> None:
    if _is_message(each):
        overheard.note(Direction.OUT, each.data)


def _response_headers(head: ResponseHead) -> Iterator[tuple[str, str]]:
    held_back = {name.lower() for name, _ in EVENTS} - {"content-type"}
    for name, value in head.headers.items():
        if (name in _PASSED_TO_CLIENT or name.startswith("mcp-")) and name not in held_back:
            yield name, value

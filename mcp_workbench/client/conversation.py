"""One conversation of a client: it joins a channel and a Peer, and gives every request exactly one outcome.

Pushed by the channel: a response resolves its request's future in the same turn of the loop; no task and
no queue stand between. What ends a request first wins, the others find it gone: its response, its
timeout, the caller's cancellation, or the end of the connection. Knows neither eras nor methods; the
neighbours are `opening` (which makes the conversation legacy or modern) and `session` (what people type).
Loop thread only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Literal, Protocol

from msgspec import UNSET

from mcp_workbench.client.courier import Courier
from mcp_workbench.client.handlers import Handlers
from mcp_workbench.client.server_requests import ServerRequests
from mcp_workbench.errors import CallTimedOut, ConnectionClosed, RequestRefused, WorkbenchError
from mcp_workbench.limits import MIB
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.happenings import (
    Happening,
    NotificationReceived,
    Pending,
    ProgressReceived,
    RequestCancelled,
    RequestReceived,
    ResponseReceived,
    TextToSend,
)
from mcp_workbench.protocol.peer import Peer
from mcp_workbench.protocol.sides import Side
from mcp_workbench.transports.channel import Channel

logger = logging.getLogger("mcp_workbench")

CLOSE_NORMAL = 1000
CLOSE_INTERNAL_ERROR = 1011
CLOSE_TRY_LATER = 1013
CLOSE_TIMEOUT_S = 5.0
"""How long `close` waits for the channel to report its end before it drops the connection."""
MAX_UNREAD_ANSWERS_BYTES = 8 * MIB
"""Answers piled up for a server that asks without reading; past it the connection is closed with 1013."""
MAX_ANSWER_BYTES = MIB
"""Longest answer to a server's request: servers close connections over longer texts."""
MAX_LOG_MESSAGES = 1000
"""Log messages that wait for `on_log`; past it the oldest are dropped."""
MAX_PROGRESS = 100
"""Progress reports of one request that wait for `on_progress`; past it the oldest are dropped."""


MessageListener = Callable[[Literal["sent", "received"], str], Any]
"""Told of each message as it crosses, by its direction and its text."""


class Waiter(Protocol):
    """Who waits for a response: an awaited request, or an open listen. Told exactly once how it ended."""

    def receive_result(self, result: dict[str, Any]) -> None:
        """The request was answered."""

    def receive_error(self, error: WorkbenchError) -> None:
        """It was answered with an error, took too long, or the connection is gone."""

    def receive_progress(self, params: wire.ProgressParams) -> None:
        """It makes progress."""


class Reply:
    """The waiter of an awaited request."""

    __slots__ = ("courier", "future", "timer")

    def __init__(self, courier: Courier | None) -> None:
        self.future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.courier = courier
        self.timer: asyncio.TimerHandle | None = None
        """Gives it up."""

    def receive_result(self, result: dict[str, Any]) -> None:
        """Resolve the future, unless its task was cancelled in this very turn."""
        if not self.future.done():
            self.future.set_result(result)

    def receive_error(self, error: WorkbenchError) -> None:
        """Fail the future, unless its task was cancelled in this very turn."""
        if not self.future.done():
            self.future.set_exception(error)

    def receive_progress(self, params: wire.ProgressParams) -> None:
        """Pass it on as progress, total, message."""
        if self.courier is not None:
            total = None if params.total is UNSET else params.total
            self.courier.deliver(params.progress, total, params.message or None)


class Conversation:
    """A Peer on a channel, as its receiver.

    Args:
        channel: An open channel; delivery starts here.
        handlers: Answer the server's requests.
        on_log: Called with each log message of the server; None ignores them.
        on_message: Called at once with each text that is sent or received, in their order; None tells nobody.
        client_info: Our name and version.
    """

    def __init__(
        self,
        channel: Channel,
        handlers: Handlers,
        *,
        on_log: Callable[[wire.LogParams], Any] | None = None,
        on_message: MessageListener | None = None,
        client_info: wire.Implementation | None = None,
    ) -> None:
        self.channel = channel
        self._on_message = on_message
        self.peer = Peer(Side.CLIENT, client=client_info, capabilities=handlers.capabilities(), max_text_bytes=MAX_ANSWER_BYTES)
        self.on_notification: Callable[[NotificationReceived], None] | None = None
        """Who is told of changes: the session's feeds."""
        self.on_end: Callable[[ConnectionClosed], None] | None = None
        """Told once when the conversation has ended."""
        self._server_requests = ServerRequests(self.peer, handlers, self._send_answer)
        self._log = None if on_log is None else Courier(on_log, "on_log", MAX_LOG_MESSAGES)
        self._end: tuple[int, str] | None = None
        self._gone = asyncio.Event()
        self._room: asyncio.Future[None] | None = None
        channel.open(self)

    @property
    def closed(self) -> bool:
        """Whether nothing can be asked any more."""
        return self._end is not None

    # --- what the channel delivers --------------------------------------------------------------------

    def receive_text(self, text: bytes) -> None:
        """One text arrived."""
        if self._end is not None:
            return
        self._tell_of("received", text)
        try:
            for happening in self.peer.receive_text(text):
                self._react(happening, text)
        except Exception:
            # The last line of defence: a fault of ours ends this conversation, and with it every open request.
            logger.exception("a fault of the client itself ended its connection")
            self._finish(CLOSE_INTERNAL_ERROR, "internal error of the client; see its log")
            self.channel.close(CLOSE_INTERNAL_ERROR, "internal error of the client")

    def receive_writable(self) -> None:
        """The server reads again: requests that waited are sent."""
        self._wake_senders()

    def receive_close(self, code: int, reason: str) -> None:
        """The connection is gone."""
        self._finish(code, reason)
        self._gone.set()

    def _react(self, happening: Happening, text: bytes) -> None:
        if isinstance(happening, ResponseReceived):
            _settle(happening)
        elif isinstance(happening, ProgressReceived):
            happening.pending.waiter.receive_progress(happening.params)
        elif isinstance(happening, NotificationReceived):
            self._notify(happening)
        elif isinstance(happening, RequestReceived):
            self._server_requests.receive(happening.exchange)
        elif isinstance(happening, RequestCancelled):
            self._server_requests.cancel(happening.exchange)
        elif isinstance(happening, TextToSend):
            self._send_answer(happening.text)

    def _notify(self, notification: NotificationReceived) -> None:
        if isinstance(notification.params, wire.LogParams):
            if self._log is not None:
                self._log.deliver(notification.params)
        elif self.on_notification is not None:
            self.on_notification(notification)

    # --- requests ---------------------------------------------------------------------------------------

    async def request(
        self, method: str, params: dict[str, Any] | None = None, *, timeout_s: float, on_progress: Callable[..., Any] | None = None
    ) -> dict[str, Any]:
        """Send a request and wait for its result.

        Cancelling is safe: the server is told with `notifications/cancelled`, a late response is ignored.

        Args:
            method: Its method.
            params: Its params, camelCase.
            timeout_s: Seconds until it is given up, waiting for room to send included; not while we answer what the server asks.
            on_progress: Called with progress, total, message; it has run for every report before this returns,
                unless it takes longer than `timeout_s`.

        Returns:
            The result object.

        Raises:
            PeerError: The server answered with an error.
            CallTimedOut: No answer in time; the server was told to stop.
            ConnectionClosed: The connection is gone.
        """
        courier = None if on_progress is None else Courier(on_progress, "on_progress", MAX_PROGRESS)
        return await self.exchange(
            lambda reply: self.begin(method, params, reply, progress=courier is not None), method, timeout_s=timeout_s, courier=courier
        )

    async def exchange(
        self, begin: Callable[[Reply], Pending], method: str, *, timeout_s: float, courier: Courier | None = None
    ) -> dict[str, Any]:
        """Like `request`, for a request that `begin` sends."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        await self.wait_for_room(deadline, method)
        reply = Reply(courier)
        pending = begin(reply)
        reply.timer = loop.call_at(deadline, self._time_out, pending, reply, timeout_s)
        try:
            result = await reply.future
            if courier is not None:
                await courier.finish(reply.timer.when() - loop.time())
            return result
        except asyncio.CancelledError:
            self.give_up(pending, "the caller no longer waits")
            raise
        finally:
            reply.timer.cancel()
            if courier is not None:
                courier.stop()

    def begin(self, method: str, params: dict[str, Any] | None, waiter: Waiter, *, progress: bool = False) -> Pending:
        """Send a request; `waiter` hears how it ends.

        Raises:
            ConnectionClosed: The connection is gone; the waiter hears nothing then.
            TypeError: The params hold something that is not JSON.
        """
        self.check_open()
        pending, text = self.peer.request(method, params, waiter=waiter, progress=progress)
        self.send(text)
        return pending

    def begin_initialize(self, waiter: Waiter) -> Pending:
        """Send `initialize`; like `begin`."""
        self.check_open()
        pending, text = self.peer.initialize(waiter=waiter)
        self.send(text)
        return pending

    def tell(self, method: str, params: dict[str, Any], *, timeout_s: float) -> None:
        """Send a request whose outcome changes nothing; it is forgotten after `timeout_s`."""
        reply = Reply(None)
        reply.future.cancel()
        pending = self.begin(method, params, reply)
        asyncio.get_running_loop().call_later(timeout_s, self.peer.cancel, pending)

    def give_up(self, pending: Pending, reason: str) -> None:
        """Stop waiting for a request and tell the server; nothing happens when it has ended already."""
        text = self.peer.cancel(pending, reason)
        if text is not None:
            self.send(text)

    def send(self, text: bytes) -> None:
        """Send one text: the one place where texts leave."""
        self._tell_of("sent", text)
        self.channel.send(text)

    def _tell_of(self, direction: Literal["sent", "received"], text: bytes) -> None:
        if self._on_message is None or self._end is not None:
            return
        try:
            self._on_message(direction, text.decode("utf-8", "replace"))
        except Exception:
            # The user's own function: what it raises must not end the connection.
            logger.exception("on_message failed")

    async def wait_for_room(self, deadline: float, method: str) -> None:
        """Wait until the channel takes another text: the server's reading bounds our sending.

        Raises:
            CallTimedOut: The deadline, in the loop's time, has passed.
        """
        while not self.channel.writable and self._end is None:
            left_s = deadline - asyncio.get_running_loop().time()
            if left_s <= 0:
                raise CallTimedOut(f"{method} could not be sent in time: the server does not read")
            if self._room is None:
                self._room = asyncio.get_running_loop().create_future()
            # `wait` leaves the shared future alone when this task is cancelled.
            await asyncio.wait([self._room], timeout=left_s)

    def _time_out(self, pending: Pending, reply: Reply, timeout_s: float) -> None:
        if len(self._server_requests):
            # It is us for whom the server waits, perhaps for a person: the time begins anew.
            reply.timer = asyncio.get_running_loop().call_later(timeout_s, self._time_out, pending, reply, timeout_s)
            return
        self.give_up(pending, f"no answer within {timeout_s:g} s")
        reply.receive_error(CallTimedOut(f"{pending.method} was not answered within {timeout_s:g} s; the server was told to stop"))

    def check_open(self) -> None:
        """Raise ConnectionClosed when nothing can be asked any more."""
        if self._end is not None:
            raise self._ending(*self._end)

    def _send_answer(self, text: bytes) -> None:
        self.send(text)
        if self.channel.unsent_bytes > MAX_UNREAD_ANSWERS_BYTES:
            self._finish(CLOSE_TRY_LATER, "the server asks without reading the answers")
            self.channel.close(CLOSE_TRY_LATER, "slow consumer: read the answers to your requests")

    def _wake_senders(self) -> None:
        if self._room is not None:
            self._room.set_result(None)
            self._room = None

    # --- the end ----------------------------------------------------------------------------------------

    async def close(self) -> None:
        """End the conversation: open requests fail with ConnectionClosed at once, then the connection is closed politely.

        Cancelling is safe: the connection is dropped.
        """
        self._finish(CLOSE_NORMAL, "closed by this side")
        self.channel.close(CLOSE_NORMAL)
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._gone.wait()
        except TimeoutError:
            self.channel.abort()
        except asyncio.CancelledError:
            self.channel.abort()
            raise
        if self._log is not None:
            await self._log.finish(CLOSE_TIMEOUT_S)
            self._log.stop()

    def abort(self) -> None:
        """Drop the connection at once."""
        self._finish(CLOSE_NORMAL, "dropped by this side")
        self.channel.abort()

    def _finish(self, code: int, reason: str) -> None:
        if self._end is not None:
            return
        self._end = (code, reason)
        self._server_requests.cancel_all()
        if self._log is not None:
            self._log.close()
        for pending in self.peer.close():
            pending.waiter.receive_error(self._ending(code, reason))
        self._wake_senders()
        if self.on_end is not None:
            self.on_end(self._ending(code, reason))

    def _ending(self, code: int, reason: str) -> ConnectionClosed:
        """A new exception each time: what is raised again would gather the tracebacks of all who were told."""
        status = self.channel.facts.refused()
        return ConnectionClosed(code, reason) if status is None else RequestRefused(status, code, reason)


def _settle(response: ResponseReceived) -> None:
    waiter: Waiter = response.pending.waiter
    if response.error is not None:
        waiter.receive_error(response.error)
    else:
        waiter.receive_result(response.result or {})

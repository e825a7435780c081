"""All sessions of one server: accepting, telling, ticking, ending.

The gate hands channels in, the rest of the house says "this topic changed" or "that list changed", and
the engine ends it. Everything runs on the loop thread unless a method says otherwise.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from mcp_workbench.events import Principal
from mcp_workbench.limits import Limits
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.protocol.peer import Peer
from mcp_workbench.protocol.sides import ServerDescription, Side
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.sessions.guests import Guests, IdleSince
from mcp_workbench.sessions.index import TopicIndex
from mcp_workbench.sessions.seams import RequestHandler
from mcp_workbench.sessions.session import CLOSE_GOING_AWAY, Session
from mcp_workbench.sessions.stateless import StatelessSession
from mcp_workbench.telemetry.records import SessionRecord
from mcp_workbench.telemetry.telemetry import Telemetry
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.streams import StreamingChannel, Streams

TICK_S = 1.0
"""Seconds between two looks at every session's signs of life; less when the limits are shorter than two of them."""


class Sessions:
    """The registry.

    Args:
        handler: Answers the requests of every session.
        describe: What the server says of itself, asked for each new session.
        telemetry: Where call records go.
        limits: Bounds.
        loop: The protocol loop.
    """

    def __init__(
        self,
        handler: RequestHandler,
        describe: Callable[[], ServerDescription],
        telemetry: Telemetry,
        limits: Limits,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.telemetry = telemetry
        self.index: TopicIndex[Session] = TopicIndex()
        self._tasks: TopicIndex[Session] = TopicIndex()
        """Who follows which task, by its id."""
        self._handler = handler
        self._describe = describe
        self._limits = limits
        self._tick_s = min(TICK_S, limits.ping_after_s / 2, limits.dead_after_s / 2, limits.slow_consumer_s / 2)
        self._loop = loop
        self.closing = False
        """The server stops: no further session should be accepted."""
        self._open: dict[str, Session] = {}
        self._stateless: dict[_Caller, StatelessSession] = {}
        self._guests = Guests(limits)
        self._count = 0
        self._ticker: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        self._empty.set()
        self._idle: asyncio.Event | None = None
        self.on_population: list[Callable[[int], None]] = []
        """Called with the number of open sessions when it changes."""

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)

    def find(self, session_id: str) -> Session | None:
        """An open session by its id."""
        return self._open.get(session_id)

    def records(self) -> list[SessionRecord]:
        """Ended sessions that are remembered, then open ones, oldest first; from any thread."""
        return self.telemetry.sessions() + [session.record for session in self]

    def accept(self, channel: Channel, principal: Principal, *, streams: Streams | None = None, modern: bool = True) -> Session:
        """A connection passed the gate: begin its session. The channel's owner opens the channel on it.

        Args:
            channel: The connection.
            principal: Whose it is.
            streams: The same channel, where requests have streams of their own.
            modern: Whether revisions from 2026-07-28 are spoken with it too.
        """
        session = Session(
            self._next_id(), channel, principal, self._make_peer(modern=modern), self._handler, self, self._limits, streams=streams
        )
        self._admit(session)
        return session

    def accept_http(self, channel: StreamingChannel, principal: Principal, idle_since: IdleSince) -> Session | str:
        """A session up to 2025-11-25 begins over HTTP, on no connection of its own.

        Args:
            channel: Where it is held.
            principal: Whose it is.
            idle_since: Since when none of its streams is read, by `time.monotonic`; None: one is.

        Returns:
            The session; or the sentence that says why there is none.
        """
        refusal = self._guests.refusal(principal.name)
        if refusal is not None:
            return refusal
        places = self._guests.places_of(principal.name)
        session = Session(
            self._next_id(), channel, principal, self._make_peer(), self._handler, self, self._limits, streams=channel, places=places
        )
        self._guests.add(session, places, lambda: None if session.running or session.waiting else idle_since())
        self._admit(session)
        return session

    def accept_stateless(self, channel: StreamingChannel, principal: Principal, info: wire.Implementation | None) -> Session | str:
        """A conversation of 2026-07-28 over HTTP begins; it is shown with the others of the same client.

        Args:
            channel: Where it is held.
            principal: Whose it is.
            info: What the client calls itself.

        Returns:
            The conversation; or the sentence that says why there is none.
        """
        caller = (principal.name, principal.own, None if info is None else info.name[:100], None if info is None else info.version[:40])
        session = self._stateless.get(caller)
        if session is None:
            refusal = self._guests.refusal(principal.name)
            if refusal is not None:
                return refusal
            facts, places = channel.facts, self._guests.places_of(principal.name)
            session = StatelessSession(self._next_id(), facts, principal, self._make_peer, self._handler, self, self._limits, places)
            self._stateless[caller] = session
            self._guests.add(session, places, session.idle_since)
            self._admit(session)
        return session.converse(channel)

    def _next_id(self) -> str:
        self._count += 1
        return f"s{self._count}"

    def _make_peer(self, *, modern: bool = True) -> Peer:
        limits, server = self._limits, self._describe()
        return Peer(
            Side.SERVER,
            server=server if modern else replace(server, modern=False),
            max_batch=limits.batch_entries,
            max_text_bytes=limits.max_result_bytes,
        )

    def _admit(self, session: Session) -> None:
        self._open[session.id] = session
        self._population_changed()

    def forget(self, session: Session) -> None:
        """A session has ended by itself or by us."""
        if self._open.pop(session.id, None) is not None:
            self.drop_watches(session)
            self._guests.forget(session)
            if isinstance(session, StatelessSession):
                self._stateless = {caller: each for caller, each in self._stateless.items() if each is not session}
            self.telemetry.record_session(session.record)
            self._population_changed()
            self.call_ended()

    def drop_watches(self, session: Session) -> None:
        """A conversation has ended: it watches nothing any more."""
        self.index.drop(session)
        self._tasks.drop(session)

    def watch(self, session: Session, uri: str, topic: str) -> None:
        """A session subscribed to `uri`, which belongs to `topic`."""
        self.index.add(session, uri, topic)

    def unwatch(self, session: Session, uri: str) -> None:
        """It no longer wants `uri`, unless another of its subscriptions or listens still names it."""
        subscriptions = session.peer.subscriptions
        if not subscriptions.wants_uri(uri) and not any(True for _ in subscriptions.listens_for_uri(uri)):
            self.index.discard(session, uri)

    def sync_index(self, session: Session, exchange: Exchange) -> None:
        """A listen was cancelled: forget the URIs and tasks only it named."""
        notifications = getattr(exchange.params, "notifications", None)
        for uri in (getattr(notifications, "resource_subscriptions", None) or ()) if notifications is not None else ():
            self.unwatch(session, uri)
        for task_id in getattr(notifications, "task_ids", None) or ():
            if not any(True for _ in session.peer.subscriptions.listens_for_task(task_id)):
                self._tasks.discard(session, task_id)

    def follow_task(self, session: Session, task_id: str) -> None:
        """A listen of a session named a task."""
        self._tasks.add(session, task_id, task_id)

    def task_followed(self, task_id: str) -> bool:
        """Whether anybody wants to be told of a task."""
        return self._tasks.watched(task_id)

    def task_changed(self, task: wire.Task) -> None:
        """Tell whoever follows this task."""
        for session, _ in self._tasks.watchers(task.task_id):
            session.notify_task(task)

    def topic_changed(self, topic: str) -> None:
        """Tell whoever watches this topic."""
        for session, uris in self.index.watchers(topic):
            session.notify_updated(uris)

    def list_changed(self, listing: Listing) -> None:
        """Tell whoever wants to know that a list has changed."""
        for session in self:
            session.notify_list_changed(listing)

    def close_principal(self, name: str, reason: str) -> None:
        """A credential was revoked: end the sessions it opened."""
        for session in self:
            if session.principal.name == name:
                session.close(1008, reason)

    async def close(self, grace_s: float) -> None:
        """End every session: what waits is refused, what runs gets `grace_s`, then 1001.

        Cancelling is safe; sessions not yet closed stay open.
        """
        self.closing = True
        for session in self:
            session.refuse_new("The server is shutting down; nothing was run. Reconnect later and call again.")
        await self.settle(grace_s)
        for session in self:
            session.close(CLOSE_GOING_AWAY, "server is shutting down")
        if not await _within(grace_s + 1, self._empty):
            for session in self:
                session.channel.abort()

    async def settle(self, within_s: float) -> None:
        """Wait until no call runs or is parked, or time is up."""
        self._idle = asyncio.Event()
        self.call_ended()
        await _within(within_s, self._idle)

    def call_ended(self) -> None:
        """A session's call has ended; whoever waits for quiet is told."""
        if self._idle is not None and not any(session.running for session in self):
            self._idle.set()

    # --- the ticker ---------------------------------------------------------------------------------

    def _population_changed(self) -> None:
        population = len(self._open)
        if population:
            self._empty.clear()
            if self._ticker is None:
                self._ticker = self._loop.call_later(self._tick_s, self._tick)
        else:
            self._empty.set()
            if self._ticker is not None:
                self._ticker.cancel()
                self._ticker = None
        for observer in self.on_population:
            observer(population)

    def _tick(self) -> None:
        now = time.monotonic()
        for session in self:
            session.tick(now)
        self._ticker = self._loop.call_later(self._tick_s, self._tick) if self._open else None


_Caller = tuple[str, bool, str | None, str | None]
"""Principal, whether its calls may be waited for by the main thread, and what the client calls itself."""


async def _within(seconds: float, event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True

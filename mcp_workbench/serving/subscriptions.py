"""`resources/subscribe`, `resources/unsubscribe`, `subscriptions/listen`, and the feed that tells subscribers.

A client subscribes to a URI; what changes is a topic. The feed coalesces per topic (first change at once,
then at most one notification per interval, the last change always told) and hands the rest to the
sessions' index.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from msgspec import UNSET

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.limits import Limits
from mcp_workbench.live.coalescing import Coalescer
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.serving.tasks import Tasks
from mcp_workbench.sessions.registry import Sessions
from mcp_workbench.sessions.session import Session
from mcp_workbench.telemetry.records import CallRecord, Outcome

INTERVAL_S = 0.25
"""Shortest time between two notifications about one topic."""


class Topics(Protocol):
    """Knows what a URI is about."""

    def topic_of(self, uri: str, principal: str) -> str | None:
        """The topic of a URI this principal may read; None when there is no such resource."""


class Subscriptions:
    """Answers the subscription methods.

    Args:
        topics: Resolves URIs.
        limits: How many subscriptions one session may hold.
        tasks: Knows which tasks there are, and tells how they stand.
    """

    def __init__(self, topics: Topics, limits: Limits, tasks: Tasks) -> None:
        self._topics = topics
        self._tasks = tasks
        self._limits = limits
        self.sessions: Sessions | None = None
        """Set by the assembly: sessions need a handler, the handler needs the sessions."""

    def subscribe(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result:
        """`resources/subscribe` (up to 2025-11-25)."""
        uri = record.target = exchange.params.uri
        topic = self._topics.topic_of(uri, session.principal.name)
        if topic is None:
            raise exchange.resource_not_found(f"No resource {uri[:200]} to subscribe to; resources/list names those there are")
        self._make_room(session, 1)
        session.peer.subscriptions.subscribe(uri)
        self._registry().watch(session, uri, topic)
        return wire.EmptyResult()

    def unsubscribe(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result:
        """`resources/unsubscribe` (up to 2025-11-25); what was not subscribed is no error."""
        uri = record.target = exchange.params.uri
        session.peer.subscriptions.unsubscribe(uri)
        self._registry().unwatch(session, uri)
        return wire.EmptyResult()

    def listen(self, session: Session, exchange: Exchange, record: CallRecord) -> None:
        """`subscriptions/listen` (2026-07-28): acknowledge what is honoured; the request stays open."""
        wanted: wire.ListenFilter = exchange.params.notifications
        uris = [] if wanted.resource_subscriptions is UNSET else list(dict.fromkeys(wanted.resource_subscriptions))
        topics = {uri: topic for uri in uris if (topic := self._topics.topic_of(uri, session.principal.name)) is not None}
        task_ids = wanted.task_ids
        tasks = [] if task_ids is UNSET else self._tasks.followed(exchange, session.principal.name, task_ids)
        self._make_room(session, 1 + len(topics) + len(tasks))
        honoured = wire.ListenFilter(
            tools_list_changed=wanted.tools_list_changed or UNSET,
            prompts_list_changed=wanted.prompts_list_changed or UNSET,
            resources_list_changed=wanted.resources_list_changed or UNSET,
            resource_subscriptions=UNSET if wanted.resource_subscriptions is UNSET else list(topics),
            task_ids=UNSET if task_ids is UNSET else [task.id for task in tasks],
        )
        session.send(session.peer.acknowledge(exchange, honoured), exchange.id)
        for uri, topic in topics.items():
            self._registry().watch(session, uri, topic)
        self._tasks.follow(session, exchange, tasks)
        session.finish_record(record, Outcome.OK)

    def _make_room(self, session: Session, more: int) -> None:
        limit = self._limits.subscriptions
        if len(session.peer.subscriptions) + more > limit:
            raise RemoteProtocolError(
                ErrorCode.INTERNAL_ERROR,
                f"A connection may hold {limit:,} subscriptions: unsubscribe from what is no longer needed",
                {"reason": "too many subscriptions"},
            )

    def _registry(self) -> Sessions:
        if self.sessions is None:
            raise RuntimeError("the assembly has not connected the sessions")
        return self.sessions


class UpdateFeed:
    """Tells subscribers of a topic that it changed. Loop thread only.

    Args:
        loop: The protocol loop, for its clock and timer.
        tell: Sends the notifications of one topic.
        interval_s: Shortest time between two notifications about one topic.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, tell: Callable[[str], None], interval_s: float = INTERVAL_S) -> None:
        self._loop = loop
        self._tell = tell
        self._coalescer: Coalescer[str, str] = Coalescer(interval_s)
        self._timer: asyncio.TimerHandle | None = None

    def changed(self, topic: str) -> None:
        """This topic has changed: told now, or when its interval is over."""
        if self._coalescer.changed(topic, topic, self._loop.time()):
            self._tell(topic)
        self._set_timer()

    def close(self) -> None:
        """Tell nobody any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        due = self._coalescer.next_due()
        if self._timer is None and due is not None:
            self._timer = self._loop.call_at(due, self._ring)

    def _ring(self) -> None:
        self._timer = None
        for topic in self._coalescer.due(self._loop.time()):
            self._tell(topic)
        self._set_timer()

"""A session on stateless HTTP, as people see it: the conversations of one client, until it has been silent for long.

From 2026-07-28 each request stands alone, so nothing here decides what a request means; who asks, by credential and by
the name it gives itself, is only put together under one id, one record and one row. Loop thread only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Protocol

from mcp_workbench.events import Principal
from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.limits import Limits
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.protocol.peer import Peer
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.sessions.places import Places
from mcp_workbench.sessions.seams import RequestHandler, SessionHome
from mcp_workbench.sessions.session import OpenWork, Session
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.transports.channel import ChannelFacts, Receiver
from mcp_workbench.transports.streams import StreamingChannel


class StatelessHome(SessionHome, Protocol):
    """The registry, as far as one of these sees it."""

    def drop_watches(self, session: Session) -> None:
        """A conversation has ended: it watches nothing any more."""


class _Conversation(Session):
    """Requests of one connection, one after the other; it ends unseen."""

    def note_end(self, code: int, reason: str) -> None:
        """The record is the whole session's, which goes on."""


class StatelessSession(Session):
    """One client's stay on stateless HTTP.

    Args:
        session_id: `s1`, `s2` …
        facts: Of the connection that was its first.
        principal: Whose credential is shown.
        make_peer: Makes the server side of each conversation.
        handler: Answers requests.
        home: The registry it belongs to.
        limits: Bounds.
        places: What the principal may have taken on, in all its sessions of this kind.
    """

    def __init__(
        self,
        session_id: str,
        facts: ChannelFacts,
        principal: Principal,
        make_peer: Callable[[], Peer],
        handler: RequestHandler,
        home: StatelessHome,
        limits: Limits,
        places: Places,
    ) -> None:
        super().__init__(session_id, _NoChannel(facts), principal, make_peer(), handler, home, limits, places=places)
        self.telemetry = home.telemetry
        self._make_peer = make_peer
        self._registry = home
        self._conversations: dict[Session, None] = {}
        self._idle_since = time.monotonic()

    def converse(self, channel: StreamingChannel) -> Session:
        """Begin a conversation. The channel's owner opens the channel on it."""
        conversation = _Conversation(
            self.id,
            channel,
            self.principal,
            self._make_peer(),
            self._handler,
            self,
            self._limits,
            streams=channel,
            record=self.record,
            places=self._places,
        )
        self._conversations[conversation] = None
        if self._refusal is not None:
            conversation.refuse_new(self._refusal)
        return conversation

    # --- as the home of its conversations ---------------------------------------------------------------

    def forget(self, session: Session) -> None:
        """A conversation has ended."""
        if session in self._conversations:
            del self._conversations[session]
            self._idle_since = time.monotonic()
            self._registry.drop_watches(session)

    def call_ended(self) -> None:
        """A call of one has ended."""
        self._registry.call_ended()

    def sync_index(self, session: Session, exchange: Exchange) -> None:
        """A listen of one was cancelled."""
        self._registry.sync_index(session, exchange)

    # --- readings: those of all conversations -----------------------------------------------------------

    @property
    def running(self) -> int:
        """Calls that run now, or are parked."""
        return sum(each.running for each in self._conversations)

    @property
    def waiting(self) -> int:
        """Calls that wait for one that runs to end."""
        return sum(each.waiting for each in self._conversations)

    def idle_since(self) -> float | None:
        """Since when, by `time.monotonic`, it has had no conversation; None: it has one."""
        return None if self._conversations else self._idle_since

    def open_calls(self) -> list[OpenWork]:
        """What runs or waits, oldest first. From any thread."""
        return sorted((call for each in tuple(self._conversations) for call in each.open_calls()), key=lambda call: call.number)

    def statistics(self) -> dict[str, int]:
        """Reading of every queue, summed up."""
        total = super().statistics()
        for each in tuple(self._conversations):
            for name, reading in each.statistics().items():
                total[name] += reading
        return total

    # --- what is done to all of them ----------------------------------------------------------------------

    def stop(self, number: int) -> CallRecord | None:
        """End a call, wherever it is; see `Session.stop`."""
        return next((record for each in tuple(self._conversations) if (record := each.stop(number)) is not None), None)

    def notify(self, text: bytes, *, owner: RequestId | None = None, key: Hashable | None = None) -> Message:
        """There is nobody to tell but who asks."""
        return Message(self.id, Direction.OUT, 0, 0.0, len(text), text)

    def notify_list_changed(self, listing: Listing) -> None:
        """Tell the conversations that listen."""
        for each in tuple(self._conversations):
            each.notify_list_changed(listing)

    def refuse_new(self, sentence: str) -> None:
        """The server stops; see `Session.refuse_new`."""
        super().refuse_new(sentence)
        for each in tuple(self._conversations):
            each.refuse_new(sentence)

    def tick(self, now: float) -> None:
        """Look at each conversation, and whether there has been none for long."""
        for each in tuple(self._conversations):
            each.tick(now)
        if not self._conversations and now - self._idle_since >= self._limits.idle_after_s:
            self.close(1000, f"idle for {self._limits.idle_after_s:g} s")

    def close(self, code: int, reason: str) -> None:
        """End every conversation, and the session."""
        for each in tuple(self._conversations):
            each.close(code, reason)
        self.receive_close(code, reason)


class _NoChannel:
    """Where the channel of a session would be: only conversations have one."""

    writable = True
    unsent_bytes = bytes_received = bytes_sent = 0

    def __init__(self, facts: ChannelFacts) -> None:
        self.facts = facts

    def open(self, receiver: Receiver) -> None:
        """Nothing will be delivered."""

    def send(self, text: bytes) -> None:
        """Nothing is sent."""

    def pause_receiving(self) -> None:
        """Nothing to do."""

    def resume_receiving(self) -> None:
        """Nothing to do."""

    def ping(self) -> None:
        """Nothing to do."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Nothing to do."""

    def abort(self) -> None:
        """Nothing to do."""

"""The sessions: those that are open, and the last that ended."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from mcp_workbench.telemetry.records import SessionRecord
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import Message, SessionRow, Sessions, Watch

MOST = 200
"""Sessions told of at once."""
ENDED = 20
"""... of which so many have ended, at most."""
EVERY_S = 1.0
"""A busy session is told of this often at most; one that is new, has said its name or has ended, at once."""

_NONE = {
    "running": 0,
    "parked": 0,
    "backlog": 0,
    "subscriptions": 0,
    "outbox_bytes": 0,
    "unsent_bytes": 0,
    "dropped_notifications": 0,
}


class SessionsFeed:
    """Tells of sessions that are new or have changed, and which are shown no longer."""

    panel = "sessions"

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._told: dict[str, _Told] = {}
        self._open = -1
        """How many were open, as told; -1: nothing was told yet."""

    def watch(self, wanted: Watch) -> None:
        """Every row is told again only when it has changed."""

    def look(self, now: float, *, last: bool = False) -> Iterable[Message]:
        """The rows that are others than the last time."""
        sessions = self._sources.running.sessions
        # Ids begin anew with each start of the server: those of an earlier one would be taken for those of now.
        ended = [record for record in self._sources.offer.telemetry.sessions(ENDED) if record.since >= self._sources.running.since]
        shown = list(sessions)[-(MOST - len(ended)) :]
        rows, told = [], self._told
        now_told: dict[str, _Told] = {}
        for record in ended:
            before, now_told[record.session_id] = told.get(record.session_id), _Told((record.until,), now)
            if before is None or before.brief != (record.until,):
                rows.append(row_of(record, _NONE))
        for session in shown:
            readings = session.statistics()
            brief, before = _brief(session.record, readings), told.get(session.id)
            if before is None or before.is_due(brief, now, at_once=last):
                before = _Told(brief, now)
                rows.append(row_of(session.record, readings))
            now_told[session.id] = before
        self._told = now_told
        gone = tuple(session_id for session_id in told if session_id not in now_told)
        if not rows and not gone and len(sessions) == self._open:
            return ()
        self._open = len(sessions)
        return (Sessions(rows=tuple(rows), gone=gone, open=self._open),)


class _Told(NamedTuple):
    """What stands in a session's row, in short."""

    brief: tuple[Hashable, ...]
    at: float

    def is_due(self, brief: tuple[Hashable, ...], now: float, *, at_once: bool) -> bool:
        """Whether the row is to be told anew."""
        named = brief[0] != self.brief[0]
        return named or (brief != self.brief and (at_once or abs(now - self.at) >= EVERY_S))  # abs: also where the clock was set back


def _brief(record: SessionRecord, readings: dict[str, int]) -> tuple[Hashable, ...]:
    """Another value whenever the row would be another; a fraction of the row's cost. The client's name comes first."""
    return (record.client_name, record.messages_in, record.messages_out, record.calls, *readings.values())


def row_of(record: SessionRecord, readings: dict[str, int]) -> SessionRow:
    """One session as a row.

    Args:
        record: What is known of it.
        readings: Of its queues, as `Session.statistics`.
    """
    return SessionRow(
        id=record.session_id,
        transport=record.transport,
        remote=record.remote,
        principal=record.principal,
        since=record.since,
        client=record.client_name or "",
        client_version=record.client_version or "",
        protocol=record.protocol_version or "",
        era=record.era or "",
        until=record.until or 0,
        close_code=record.close_code or 0,
        close_reason=record.close_reason,
        crash=record.crash or "",
        calls=record.calls,
        running=readings["running"],
        parked=readings["parked"],
        backlog=readings["backlog"],
        subscriptions=readings["subscriptions"],
        outbox_bytes=readings["outbox_bytes"],
        unsent_bytes=readings["unsent_bytes"],
        dropped=readings["dropped_notifications"],
        messages_in=record.messages_in,
        messages_out=record.messages_out,
        bytes_in=record.bytes_in,
        bytes_out=record.bytes_out,
        ignored=tuple(f"{reason}: {count}" for reason, count in record.ignored.items()),
    )

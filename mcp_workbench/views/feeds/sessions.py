"""The sessions: those that are open, and the last that ended."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from mcp_workbench.telemetry.records import SessionRecord
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import Message, SessionRow, Sessions, Watch

MOST = 200
"""Sessions told of at once."""
ENDED = 20
"""... of which so many have ended, at most."""

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
        self._told: dict[str, Hashable] = {}
        """What stood in each session's row, in short."""
        self._open = -1
        """How many were open, as told; -1: nothing was told yet."""

    def watch(self, wanted: Watch) -> None:
        """Every row is told again only when it has changed."""

    def look(self, now: float) -> Iterable[Message]:
        """The rows that are others than the last time."""
        sessions = self._sources.running.sessions
        # Ids begin anew with each start of the server: those of an earlier one would be taken for those of now.
        ended = [record for record in self._sources.offer.telemetry.sessions(ENDED) if record.since >= self._sources.running.since]
        shown = list(sessions)[-(MOST - len(ended)) :]
        rows, told = [], self._told
        now_told: dict[str, Hashable] = {}
        for record in ended:
            now_told[record.session_id] = record.until
            if told.get(record.session_id) != record.until:
                rows.append(row_of(record, _NONE))
        for session in shown:
            readings = session.statistics()
            now_told[session.id] = brief = _brief(session.record, readings)
            if told.get(session.id) != brief:
                rows.append(row_of(session.record, readings))
        self._told = now_told
        gone = tuple(session_id for session_id in told if session_id not in now_told)
        if not rows and not gone and len(sessions) == self._open:
            return ()
        self._open = len(sessions)
        return (Sessions(rows=tuple(rows), gone=gone, open=self._open),)


def _brief(record: SessionRecord, readings: dict[str, int]) -> Hashable:
    """Another value whenever the row would be another; a fraction of the row's cost."""
    return (record.messages_in, record.messages_out, record.calls, record.client_name, *readings.values())


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

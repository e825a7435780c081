"""Calls as bars over time, and what happened at moments beside them: notifications, new versions of DataFrames.

A bar holds times and names, nothing of what was said. Where more happen between two looks than fit, the newest are told, and how
many are left out is told too. With a filter only calls that fit are told, and notifications that fit it as messages: none where it
asks for what only calls have, such as how long they took. Versions of DataFrames are told whatever it says. What of the calls is
further back the view asks for (`GetOlder`), as it does where they stand in a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from mcp_workbench.exploring.reading import Kind, read
from mcp_workbench.limits import MIB
from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.telemetry import messages as wire
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.views.call_rows import CallRows
from mcp_workbench.views.feeds.following import Following, since
from mcp_workbench.views.feeds.pace import Pace, Piece
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.filtering import calls_filter, messages_filter
from mcp_workbench.views.messages import Mark, Message, Span, Timeline, Watch
from mcp_workbench.wording import visible

HISTORY = 5_000
AT_ONCE = 1_000
MARKS_AT_ONCE = 250
LONGEST_READ = MIB
"""Bytes; a longer message is not looked into for whether it is a notification."""
TEXT = 200


class TimelineFeed:
    """Gives `Timeline`."""

    panel = "timeline"

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._rows = CallRows(sources)
        self._calls: Following[CallRecord] = Following(self.panel, Pace(HISTORY, AT_ONCE), lambda text: calls_filter(text, sources))
        self._messages: Following[wire.Message] = Following(self.panel, Pace(HISTORY, AT_ONCE), lambda text: messages_filter(text, sources))
        self._versions: dict[str, int] = {}
        """The latest version of each DataFrame that was told."""

    def watch(self, wanted: Watch) -> None:
        """See `Following.watch`."""
        telemetry = self._sources.offer.telemetry
        self._messages.watch(wanted, telemetry.messages.total)
        if self._calls.watch(wanted, telemetry.recorded):
            self._versions.clear()

    def look(self, now: float, *, last: bool = False) -> Iterable[Message]:
        """What has happened since the last time; the first time also that nothing has."""
        telemetry = self._sources.offer.telemetry
        piece = self._calls.next(telemetry.recorded)
        spans, skipped = ((), 0) if piece is None else self._new_spans(piece)
        marks = [*self._notifications(), *self._new_versions()]
        kept = marks[-MARKS_AT_ONCE:]
        if spans or marks or skipped or (piece is not None and piece.is_first):
            yield Timeline(
                spans=spans,
                marks=tuple(kept),
                skipped=skipped,
                skipped_marks=len(marks) - len(kept),
                since=0 if piece is None else since(piece),
                filter=self._calls.filter,
            )

    def _new_spans(self, piece: Piece) -> tuple[tuple[Span, ...], int]:
        found, skipped = self._calls.chosen(piece, self._sources.offer.telemetry.calls_between(piece.after, piece.until))
        calls = found[-AT_ONCE:]
        return tuple(map(self._span, calls)), skipped + len(found) - len(calls)

    def _span(self, call: CallRecord) -> Span:
        row = self._rows.row(call)
        return Span(
            seq=row.seq,
            at=row.at,
            session=row.session,
            target=visible(row.target[:TEXT]),
            method=visible(row.method[:TEXT]),
            outcome=row.outcome,
            total_us=row.total_us or 0,
            wait_us=row.wait_us,
            run_us=row.run_us,
            client=row.client,
        )

    def _notifications(self) -> Iterator[Mark]:
        messages = self._sources.offer.telemetry.messages
        if (piece := self._messages.next(messages.total)) is None:
            return
        for message in messages.between(piece.after, piece.until):
            if (method := _notified(message)) is not None and self._messages.wants(message):
                out = message.direction is wire.Direction.OUT
                text = visible(method[:TEXT])
                yield Mark(at=message.at, kind="notification", text=text, session=message.session_id, out=out, seq=message.seq)

    def _new_versions(self) -> Iterator[Mark]:
        dataframes = self._sources.offer.dataframes
        for name in dataframes.names():
            told = self._versions.get(name, 0)
            try:
                versions = dataframes.publication(name).versions
            except NotFound:  # it has gone meanwhile
                continue
            new = islice(reversed(versions), sum(1 for one in versions if one.version > told))
            for one in reversed(list(new)):
                yield Mark(at=one.taken_at, kind="version", text=visible(f"{name} v{one.version}: {one.summary}"[:TEXT]))
            self._versions[name] = versions[-1].version


def _notified(message: wire.Message) -> str | None:
    """The method, where a message is a notification."""
    raw = message.raw
    if not raw or len(raw) > LONGEST_READ or b'"method"' not in raw:
        return None
    said = read(message)
    return said.method if said.kind is Kind.NOTIFICATION else None

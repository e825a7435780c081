"""The calls that have ended, each told once, in the order in which they ended; all of them, or those that fit a filter.

Where more have ended since the last look than fit, failed ones come before others and new ones before old ones, and how many are
left out is told too. With another filter the view is told from the beginning (`pace`); what is further back it asks for (`GetOlder`).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from mcp_workbench.telemetry.records import CallRecord, Outcome
from mcp_workbench.views.call_rows import CallRows
from mcp_workbench.views.feeds.pace import Pace, Piece
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.filtering import calls_filter, text_for
from mcp_workbench.views.messages import Calls, Message, Watch

HISTORY = 2_000
AT_ONCE = 500


class CallsFeed:
    """Tells of ended calls."""

    panel = "calls"

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._rows = CallRows(sources)
        self._pace = Pace(HISTORY, AT_ONCE)
        self._watched = False
        self._filter, self._matches = "", calls_filter("", sources)

    def watch(self, wanted: Watch) -> None:
        """A view that looks again is told the latest first of all, as one that begins; one that filters anew, all anew."""
        watched, text = self.panel in wanted.panels, text_for(self.panel, wanted)
        recorded = self._sources.offer.telemetry.recorded
        if watched and text != self._filter:
            self._filter, self._matches = text, calls_filter(text, self._sources)
            self._pace.restart(recorded)
        elif watched and not self._watched:
            self._pace.begin(recorded)
        self._watched = watched

    def look(self, now: float, *, last: bool = False) -> Iterable[Message]:
        """Calls that have ended since the last one that was told."""
        while (piece := self._pace.next(self._sources.offer.telemetry.recorded)) is not None:
            told = self._told(piece)
            if told.rows or told.skipped or piece.is_first:
                yield told
            if not last:
                return

    def _told(self, piece: Piece) -> Calls:
        telemetry, matches = self._sources.offer.telemetry, self._matches
        found = telemetry.calls_between(piece.after, piece.until)
        skipped = piece.passed_over
        if matches is None:
            skipped += piece.until - piece.after - len(found)
        else:
            found = [call for call in found if matches(call)]
        calls = found if len(found) <= AT_ONCE else _chosen(found)
        return Calls(
            rows=tuple(map(self._rows.row, calls)),
            skipped=skipped + len(found) - len(calls),
            oldest=telemetry.oldest,
            since=piece.after + 1 if piece.is_first and piece.after else 0,
            filter=self._filter,
        )


def _chosen(calls: list[CallRecord]) -> list[CallRecord]:
    """As many as are told at once: failed ones first, the newest first, ascending again."""
    dearest_first = sorted(calls, key=lambda call: (call.outcome is Outcome.OK, -call.seq))
    return sorted(islice(dearest_first, AT_ONCE), key=lambda call: call.seq)

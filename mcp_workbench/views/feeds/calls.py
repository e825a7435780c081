"""The calls that have ended, each told once, in the order in which they ended; all of them, or those that fit a filter.

Where more have ended since the last look than fit, failed ones come before others and new ones before old ones, and how many are
left out is told too. With another filter the view is told from the beginning (`pace`); what is further back it asks for (`GetOlder`).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from mcp_workbench.telemetry.records import CallRecord, Outcome
from mcp_workbench.views.call_rows import CallRows
from mcp_workbench.views.feeds.following import Following, since
from mcp_workbench.views.feeds.pace import Pace, Piece
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.filtering import calls_filter
from mcp_workbench.views.messages import Calls, Message, Watch

HISTORY = 2_000
AT_ONCE = 500


class CallsFeed:
    """Tells of ended calls."""

    panel = "calls"

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._rows = CallRows(sources)
        self._following: Following[CallRecord] = Following(self.panel, Pace(HISTORY, AT_ONCE), lambda text: calls_filter(text, sources))

    def watch(self, wanted: Watch) -> None:
        """See `Following.watch`."""
        self._following.watch(wanted, self._sources.offer.telemetry.recorded)

    def look(self, now: float, *, last: bool = False) -> Iterable[Message]:
        """Calls that have ended since the last one that was told."""
        while (piece := self._following.next(self._sources.offer.telemetry.recorded)) is not None:
            told = self._told(piece)
            if told.rows or told.skipped or piece.is_first:
                yield told
            if not last:
                return

    def _told(self, piece: Piece) -> Calls:
        telemetry = self._sources.offer.telemetry
        found, skipped = self._following.chosen(piece, telemetry.calls_between(piece.after, piece.until))
        calls = found if len(found) <= AT_ONCE else _chosen(found)
        return Calls(
            rows=tuple(map(self._rows.row, calls)),
            skipped=skipped + len(found) - len(calls),
            oldest=telemetry.oldest,
            newest=telemetry.recorded,
            since=since(piece),
            filter=self._following.filter,
        )


def _chosen(calls: list[CallRecord]) -> list[CallRecord]:
    """As many as are told at once: failed ones first, the newest first, ascending again."""
    dearest_first = sorted(calls, key=lambda call: (call.outcome is Outcome.OK, -call.seq))
    return sorted(islice(dearest_first, AT_ONCE), key=lambda call: call.seq)

"""The calls that have ended, each told once, in the order in which they ended.

A view that begins, or that looks again after a while, is first told the latest 2,000, in pieces, while others go on ending: it
catches up with them within a second. From then on each look tells what has ended since; where that is more than fits, failed
ones come before others and new ones before old ones, and how many are left out is told too.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from mcp_workbench.telemetry.records import CallRecord, Outcome
from mcp_workbench.views.call_rows import CallRows
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import Calls, Message, Watch

HISTORY = 2_000
AT_ONCE = 500


class CallsFeed:
    """Tells of ended calls."""

    panel = "calls"

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._rows = CallRows(sources)
        self._told: int | None = None
        """`seq` of the last call that was told, or left out."""
        self._history = 0
        """`seq` of the last call that had ended when the view began to look: up to it nothing is left out."""
        self._watched = False

    def watch(self, wanted: Watch) -> None:
        """A view that looks again is told the latest first of all, as one that begins."""
        watched = self.panel in wanted.panels
        if watched and not self._watched:
            self._history = self._sources.offer.telemetry.recorded
        self._watched = watched

    def look(self, now: float, *, last: bool = False) -> Iterable[Message]:
        """Calls that have ended since the last one that was told."""
        recorded = self._sources.offer.telemetry.recorded
        while self._told != recorded:
            yield self._news(recorded)
            if not last:
                return

    def _news(self, recorded: int) -> Calls:
        """Those that are told at once."""
        told = self._told
        begin = max(told or 0, self._history - HISTORY)
        skipped = 0 if told is None else begin - told
        calls, left_out = self._next(begin, recorded)
        return self._message(calls, skipped + left_out)

    def _next(self, begin: int, recorded: int) -> tuple[list[CallRecord], int]:
        """What is told now, and how many are left out of what it was chosen from."""
        telemetry = self._sources.offer.telemetry
        end = min(begin + AT_ONCE, recorded) if begin < self._history else recorded
        found = telemetry.calls_between(begin, end)
        self._told = end
        calls = found if len(found) <= AT_ONCE else _chosen(found)
        return calls, end - begin - len(calls)

    def _message(self, calls: list[CallRecord], skipped: int) -> Calls:
        return Calls(rows=tuple(map(self._rows.row, calls)), skipped=skipped, oldest=self._sources.offer.telemetry.oldest)


def _chosen(calls: list[CallRecord]) -> list[CallRecord]:
    """As many as are told at once: failed ones first, the newest first, ascending again."""
    dearest_first = sorted(calls, key=lambda call: (call.outcome is Outcome.OK, -call.seq))
    return sorted(islice(dearest_first, AT_ONCE), key=lambda call: call.seq)

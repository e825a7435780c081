"""The panel of latencies: a row for every tool, the histograms that are looked at, and the heatmap.

All times are as the server sees them, from a call's arrival until its answer was handed over. Quantiles and histograms are of
calls that ended well, since the start; `per_s` counts every call that ended, over the last ten seconds; the heatmap shows the last
ten minutes, a call in the column in which it ended. A call that was answered early counts when it is answered, and with its time
when its job ends.

Only tools with new calls are computed anew, once a second, and at most `ROWS` of them, those that have waited longest; the
others follow a second later, or with the next look as long as they were never told. A tool whose calls have stopped is looked
at until its rate has fallen to 0.
Knows telemetry alone; what is shown beside it, as the tools that were never called, is the view's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from mcp_workbench.telemetry.aggregates import SHARES, Phase, ToolSums
from mcp_workbench.telemetry.heatmap import Column
from mcp_workbench.telemetry.histogram import Histogram as Durations
from mcp_workbench.telemetry.telemetry import Telemetry
from mcp_workbench.views.messages import HeatColumn, Heatmap, Histogram, HistogramKey, Message, Quantiles, ToolRow, Tools, Watch

EVERY_S = 1.0
"""What has been told is not told anew before so long."""
ROWS = 50
"""Rows computed at once, some 100 µs each, in which the loop does nothing else."""


class LatencyFeed:
    """Gives `Tools`, `Histogram` and `Heatmap`.

    Args:
        telemetry: What happened.
    """

    panel = "latency"

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._rows = _Rows(telemetry)
        self._histograms: dict[HistogramKey, int] = {}
        """Those watched, and how many durations were in the one that was told; -1: none was."""
        self._heat: _Heat | None = None
        self._looked = float("-inf")

    def watch(self, wanted: Watch) -> None:
        """Other histograms, another heatmap; what goes on being watched is not told again."""
        told = self._histograms
        self._histograms = {key: told.get(key, -1) for key in wanted.histograms if key.phase in list(Phase)}
        if wanted.heatmap is None:
            self._heat = None
        elif self._heat is None or self._heat.tool != wanted.heatmap:
            self._heat = _Heat(self._telemetry, wanted.heatmap)

    def look(self, now: float, *, last: bool = False) -> Iterator[Message]:
        """What has changed; what is newly watched at once, the rest once a second."""
        is_due = abs(now - self._looked) >= EVERY_S or self._rows.is_new or last  # also when the clock was set back
        changed: frozenset[str] = frozenset()
        if is_due:
            self._looked = now
            changed = self._rows.look()
            if rows := self._rows.take(now):
                yield Tools(rows=rows)
        yield from self._histograms_of(changed)
        if self._heat is not None and (is_due or self._heat.is_new):
            yield from self._heat.look(now)

    def _histograms_of(self, changed: frozenset[str]) -> Iterator[Histogram]:
        for key, told in self._histograms.items():
            if told >= 0 and key.tool not in changed:
                continue
            durations = self._telemetry.histogram(key.tool, Phase(key.phase), failed=key.failed)
            if (n := durations.count) != told:
                self._histograms[key] = n
                yield _histogram(key, durations, n)


class _Rows:
    """The rows of tools: which have changed, and which have been told with a rate that will fall."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._upto = 0
        self._owed = -1
        """Of the tools there were at first, how many are still to be told; -1: nobody has looked yet."""
        self._waiting: dict[str, None] = {}
        """Tools that have changed and were not told, in the order in which they did."""
        self._busy: dict[str, ToolRow] = {}
        """The rows told with a rate above 0."""

    @property
    def is_new(self) -> bool:
        """Whether there are tools that were never told though they were there at first."""
        return self._owed != 0

    def look(self) -> frozenset[str]:
        """Note which tools have changed since the last look, and say so."""
        upto, after = self._telemetry.added_up, self._upto
        if upto == after:
            return frozenset()
        self._upto = upto
        names = self._telemetry.tools_after(after)
        self._waiting.update(dict.fromkeys(names))
        return frozenset(names)

    def take(self, now: float) -> tuple[ToolRow, ...]:
        """The rows to be told now."""
        if self._owed < 0:
            self._owed = len(self._waiting)
        names = list(islice(self._waiting, ROWS))
        self._owed = max(0, self._owed - len(names))
        for name in names:
            del self._waiting[name]
        sums = [self._telemetry.tool(name, now) for name in names]
        rows = [_row(one) for one in sums if one is not None]
        rows += self._slower({*names, *self._waiting}, now)
        self._busy.update((row.name, row) for row in rows)
        self._busy = {name: row for name, row in self._busy.items() if row.per_s}
        return tuple(rows)

    def _slower(self, but: set[str], now: float) -> list[ToolRow]:
        """The rows of which only the rate is another by now."""
        rates = ((row, self._telemetry.per_s(name, now)) for name, row in self._busy.items() if name not in but)
        return [msgspec.structs.replace(row, per_s=rate) for row, rate in rates if rate != row.per_s]


class _Heat:
    """The heatmap of one tool, or of all together."""

    def __init__(self, telemetry: Telemetry, tool: str) -> None:
        self._telemetry = telemetry
        self.tool = tool
        self.is_new = True
        """Nothing of it was told; the first message comes also where there is nothing to show, and takes the place of another's."""
        self._upto = -1

    def look(self, now: float) -> Iterable[Heatmap]:
        """The columns that have changed, if any."""
        upto, after = self._telemetry.added_up, self._upto
        if upto == after:
            return ()
        self._upto = upto
        columns = self._telemetry.heatmap(self.tool, now, after=after)
        if not columns and not self.is_new:
            return ()
        self.is_new = False
        return (Heatmap(tool=self.tool, columns=tuple(map(_column, columns))),)


def _row(sums: ToolSums) -> ToolRow:
    phases = {phase.value: Quantiles(*map(_us, quantiles)) for phase, quantiles in sums.quantiles_ns.items()}
    return ToolRow(name=sums.name, n=sums.n, errors=sums.errors, per_s=sums.per_s, **phases)


def _histogram(key: HistogramKey, durations: Durations, n: int) -> Histogram:
    return Histogram(
        tool=key.tool,
        phase=key.phase,
        failed=key.failed,
        n=n,
        buckets=tuple(durations.buckets.items()),
        min_us=_us(durations.min_ns),
        max_us=_us(durations.max_ns),
        mean_us=durations.sum_ns / n / 1000 if n else None,
        quantiles=Quantiles(*map(_us, durations.quantiles(*SHARES))),
    )


def _column(column: Column) -> HeatColumn:
    return HeatColumn(at=column.at, cells=column.cells, failed=column.failed)


def _us(ns: int | None) -> float | None:
    return None if ns is None else ns / 1000

"""Durations of two runs laid over each other: on the same axis, for each thing that was asked."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.markup import ACCENT, FAINT, GOOD, LINE, box, faint, framed, name, span, text, title
from mcp_workbench.telemetry.histogram import Histogram, bucket_bounds_ns
from mcp_workbench.wording import counted, duration, shown

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20
_BARS = 48
_HEIGHT_PX = 34
_COLOURS = (ACCENT, GOOD)
_SHARES = (0.5, 0.9, 0.99)


@dataclass(slots=True)
class Both:
    """Two histograms of the same thing, of calls that ended well."""

    a: Histogram = field(default_factory=Histogram)
    b: Histogram = field(default_factory=Histogram)

    @property
    def ratio(self) -> float | None:
        """The median of `b` as a multiple of that of `a`; None where one has none."""
        one, other = self.a.quantile(0.5), self.b.quantile(0.5)
        return None if not one or other is None else other / one

    def bins(self) -> list[tuple[int, int]]:
        """How many calls of each fell into each of at most 48 bars, from the shortest to the longest of both."""
        buckets = self.a.buckets, self.b.buckets
        indices = [index for each in buckets for index in each]
        if not indices:
            return []
        first = min(indices)
        a_bar = max(1, -(-(max(indices) - first + 1) // _BARS))
        counts = [[0, 0] for _ in range((max(indices) - first) // a_bar + 1)]
        for side, each in enumerate(buckets):
            for index, count in each.items():
                counts[(index - first) // a_bar][side] += count
        return [(one, other) for one, other in counts]


class Latencies(Mapping[str, Both]):
    """By method and target: a mapping to two histograms, drawn over each other, a DataFrame with `df()`.

    Args:
        pairs: Calls of equal requests; those of which both were answered well count.
        labels: What people call the two sides.
    """

    def __init__(self, pairs: Iterable[tuple[Call | None, Call | None]], labels: tuple[str, str]) -> None:
        self.labels = labels
        self._both: dict[str, Both] = {}
        self._first: dict[str, Call] = {}
        for a, b in pairs:
            if a is not None and b is not None and not a.failed and not b.failed:
                self._add(f"{a.method} {a.target}".strip(), a, b)

    def _add(self, key: str, a: Call, b: Call) -> None:
        a_ns, b_ns = a.record.total_ns, b.record.total_ns
        if a_ns is not None and b_ns is not None:
            self._first.setdefault(key, a)
            both = self._both.setdefault(key, Both())
            both.a.record(a_ns)
            both.b.record(b_ns)

    def __getitem__(self, key: str) -> Both:
        return self._both[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._both)

    def __len__(self) -> int:
        return len(self._both)

    def df(self) -> pd.DataFrame:
        """One row each: `n`, the medians `p50_ms_a` and `p50_ms_b`, p90 and p99 alike, and `ratio` of the medians."""
        import pandas as pd

        columns = ["n", *(f"p{round(100 * share)}_ms_{side}" for share in _SHARES for side in "ab"), "ratio"]
        rows = [[both.a.count, *_milliseconds(both), both.ratio] for both in self._both.values()]
        return pd.DataFrame(rows, columns=columns, index=pd.Index(self._both, name="target"))

    def buckets(self) -> pd.DataFrame:
        """One row a bucket that is not empty: `target`, `side`, `above_ms` (exclusive), `to_ms` (inclusive), `n`."""
        import pandas as pd

        rows = [
            (key, side, low / 1e6, high / 1e6, count)
            for key, both in self._both.items()
            for side, histogram in (("a", both.a), ("b", both.b))
            for index, count in histogram.buckets.items()
            for low, high in (bucket_bounds_ns(index),)
        ]
        return pd.DataFrame(rows, columns=["target", "side", "above_ms", "to_ms", "n"])

    def __repr__(self) -> str:
        return self.words()

    def words(self, withholding: Withholding | None = None) -> str:
        """As it is printed.

        Args:
            withholding: Of the output that it is a part of; None: it is all of it.
        """
        named = self._named(withholding)
        a, b = (shown(label, 24) for label in self.labels)
        lines = [f"{'':<40}{'n':>7}  median {a} → {b}"]
        for key, both in list(self._both.items())[:SHOWN]:
            lines.append(f"{shown(named[key], 39):<40}{both.a.count:>7,}  {_change(both)}")
            lines += [f"{'':<6}{shown(label, 32):<34}{_blocks(both, side)}" for side, label in enumerate(self.labels)]
        if len(self) > SHOWN:
            lines.append(f"and {len(self) - SHOWN} more: .df() has them all")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return framed(self.html())

    def html(self, withholding: Withholding | None = None) -> str:
        """Without the frame, to stand in another display; args as `words`."""
        named = self._named(withholding)
        if not self._both:
            return faint("no request was answered well on both sides")
        keys = [
            span(f"color:{colour};font-weight:600", text(shown(label, 40))) for colour, label in zip(_COLOURS, self.labels, strict=True)
        ]
        grid = "display:grid;grid-template-columns:minmax(0,auto) auto auto auto;gap:4px 14px;justify-content:start;align-items:end"
        cells = [
            cell
            for key, both in list(self._both.items())[:SHOWN]
            for cell in (
                name(shown(named[key], 60)),
                _overlaid(both),
                span("white-space:nowrap", text(_change(both))),
                faint(counted(both.a.count, "call")),
            )
        ]
        left = len(self) - SHOWN
        more = faint(f"and {left} more: .df() has them all") if left > 0 else ""
        return title("latency") + box("display:flex;gap:12px", *keys) + box(grid, *cells) + more

    def _named(self, withholding: Withholding | None) -> dict[str, str]:
        """What is shown, without secrets."""
        first = dict(list(self._first.items())[:SHOWN])
        if first and withholding is None:
            withholding = Withholding(next(iter(first.values())).redactor())
        return {} if withholding is None else {key: _name(call, withholding) for key, call in first.items()}


def _name(call: Call, withholding: Withholding) -> str:
    bare = copy.copy(call.record)
    bare.request = bare.answer = None  # nobody is shown its texts
    fit = withholding.call(bare)
    return f"{fit.method} {fit.target}".strip()


def _milliseconds(both: Both) -> list[float | None]:
    pairs = zip(both.a.quantiles(*_SHARES), both.b.quantiles(*_SHARES), strict=True)
    return [None if ns is None else ns / 1e6 for pair in pairs for ns in pair]


def _change(both: Both) -> str:
    ratio = "" if both.ratio is None else f" (×{_few_digits(both.ratio)})"
    return f"{duration(both.a.quantile(0.5))} → {duration(both.b.quantile(0.5))}{ratio}"


def _few_digits(ratio: float) -> str:
    """`0.0019`, `0.53`, `1.20`, `12`: two digits that say something, at the least."""
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.2g}"


def _blocks(both: Both, side: int) -> str:
    counts = [each[side] for each in both.bins()]
    highest = max((count for each in both.bins() for count in each), default=1)
    return "".join(" ▁▂▃▄▅▆▇█"[-(-8 * count // highest)] for count in counts)


def _overlaid(both: Both) -> str:
    """Each bar of the one behind that of the other, both half transparent."""
    bins = both.bins()
    highest = max((count for each in bins for count in each), default=1)
    columns = [
        box(
            "position:relative;width:5px;height:100%", *(_bar(count, highest, colour) for count, colour in zip(each, _COLOURS, strict=True))
        )
        for each in bins
    ]
    style = f"display:inline-flex;gap:1px;height:{_HEIGHT_PX}px;border-bottom:1px solid {LINE};justify-self:start"
    return span(style, *columns, title=_range(both))


def _bar(count: int, highest: int, colour: str) -> str:
    if not count:
        return ""
    height = max(2, round(_HEIGHT_PX * count / highest))
    return box(f"position:absolute;left:0;right:0;bottom:0;height:{height}px;background:{colour};{FAINT}")


def _range(both: Both) -> str:
    ends = [ns for histogram in (both.a, both.b) for ns in (histogram.min_ns, histogram.max_ns) if ns is not None]
    return f"{duration(min(ends))} to {duration(max(ends))}"

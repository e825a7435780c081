"""Calls added up: how many, how many failed, and how long they took, by whatever they have in common.

Success and failure apart, because how long it took to fail says nothing of how long a thing takes. "As seen by the server": from
the arrival of a request until its answer was sent, or as heard at a tap or by this notebook as a client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mcp_workbench.errors import in_one_line
from mcp_workbench.exploring.columns import BYTES_A_TOKEN, tool_of
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.markup import ACCENT, BAD, FAINT, LINE, box, faint, framed, name, span, text, title
from mcp_workbench.primitives.wording import nearest
from mcp_workbench.telemetry.aggregates import Phase
from mcp_workbench.telemetry.histogram import Histogram, bucket_bounds_ns
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.wording import counted, duration, plain, shown

if TYPE_CHECKING:
    import pandas as pd

SHARES = (0.5, 0.9, 0.99, 0.999)
_HEADS = ("p50", "p90", "p99", "p99.9")
_SHOWN = 20
_BARS = 32

_KEYS: dict[str, Callable[[CallRecord], str | None]] = {
    "tool": lambda call: tool_of(call.method, call.target),
    "method": lambda call: call.method,
    "target": lambda call: f"{call.method} {call.target}".strip(),
    "session": lambda call: call.session_id,
    "principal": lambda call: call.principal,
    "side": lambda call: call.side.value,
    "era": lambda call: call.era.value,
    "version": lambda call: call.tool_version and f"{call.target} {call.tool_version}".strip(),
}


@dataclass(slots=True)
class Sums:
    """What is known of the calls that have one thing in common."""

    n: int = 0
    errors: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    succeeded: Histogram = field(default_factory=Histogram)
    failed: Histogram = field(default_factory=Histogram)

    def add(self, call: CallRecord, phase: Phase) -> None:
        """Count one."""
        self.n += 1
        self.errors += call.failed
        self.bytes_in += call.bytes_in
        self.bytes_out += call.bytes_out
        took = TOOK[phase](call)
        if took is not None:
            (self.failed if call.failed else self.succeeded).record(took)

    def quantiles_ms(self) -> list[float | None]:
        """p50, p90, p99 and p99.9 of those that ended well; None where too few support it: p99.9 takes 1,000."""
        return [None if ns is None else ns / 1e6 for ns in self.succeeded.quantiles(*SHARES)]


TOOK: dict[Phase, Callable[[CallRecord], int | None]] = {
    Phase.TOTAL: lambda call: call.total_ns,
    Phase.WAIT: lambda call: call.wait_ns,
    Phase.RUN: lambda call: call.run_ns,
    Phase.SEND: lambda call: call.send_ns,
}


class Stats(Mapping[str, Sums]):
    """Sums by one key, the most called first: a mapping of name to `Sums`, a table for people, a DataFrame with `df()`.

    Args:
        calls: What is added up.
        by: `tool`, `method`, `target`, `session`, `principal`, `side`, `era` or `version`; calls that have none are left out.
        phase: Which stretch of a call: `total`, `wait`, `run` or `send`.
        redactor: Makes what withholds secrets from outputs.

    Raises:
        ValueError: There is no such key or phase; names the nearest.
    """

    def __init__(
        self, calls: Iterable[CallRecord], by: str = "target", phase: str = "total", redactor: Callable[[], Redactor] = Redactor
    ) -> None:
        key, self.phase = key_of(by), phase_of(phase)
        self.by, self.redactor = by, redactor
        sums: dict[str, Sums] = {}
        for call in calls:
            if (found := key(call)) is not None:
                one = sums.get(found)
                if one is None:
                    one = sums[found] = Sums()
                one.add(call, self.phase)
        self._sums = dict(sorted(sums.items(), key=lambda item: (-item[1].n, item[0])))

    def __getitem__(self, found: str) -> Sums:
        return self._sums[found]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sums)

    def __len__(self) -> int:
        return len(self._sums)

    def df(self) -> pd.DataFrame:
        """One row each: `n`, `errors`, `p50_ms`, `p90_ms`, `p99_ms`, `p99.9_ms` of successes, `bytes_in`, `bytes_out`, `tokens`."""
        import pandas as pd

        rows = [
            [one.n, one.errors, *one.quantiles_ms(), one.bytes_in, one.bytes_out, (one.bytes_in + one.bytes_out) // BYTES_A_TOKEN]
            for one in self._sums.values()
        ]
        columns = ["n", "errors", *(f"{head}_ms" for head in _HEADS), "bytes_in", "bytes_out", "tokens"]
        return pd.DataFrame(rows, columns=columns, index=pd.Index(self._sums, name=self.by))

    def _fit(self) -> list[tuple[str, Sums]]:
        """The first, by names that may stand in an output."""
        withholding = Withholding(self.redactor())
        return [(withholding.text(found), one) for found, one in list(self._sums.items())[:_SHOWN]]

    def __repr__(self) -> str:
        lines = [f"{self.by:<40}{'calls':>8}{'errors':>8}" + "".join(f"{head:>10}" for head in _HEADS)]
        for found, one in self._fit():
            lines.append(f"{shown(found, 39):<40}{one.n:>8,}{one.errors:>8,}" + "".join(f"{_took(q):>10}" for q in one.quantiles_ms()))
        if len(self._sums) > _SHOWN:
            lines.append(f"and {len(self._sums) - _SHOWN} more: .df() has them all")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        grid = "display:grid;grid-template-columns:minmax(0,auto) repeat(6,auto) auto;gap:0 14px;justify-content:start"
        heads = [
            title(self.by),
            *(span(f"{FAINT};text-align:right", word) for word in ("calls", "errors", *_HEADS)),
            faint(str(self.phase)),
        ]
        cells = [cell for found, one in self._fit() for cell in _row(found, one)]
        left = len(self._sums) - _SHOWN
        return framed(box(grid, *heads, *cells), faint(f"and {left} more: .df() has them all") if left > 0 else "")


def _row(found: str, one: Sums) -> list[str]:
    numbers = (f"{one.n:,}", f"{one.errors:,}", *map(_took, one.quantiles_ms()))
    styles = ("", f"color:{BAD};font-weight:600" if one.errors else FAINT, "", "", "", "")
    cells = [span(f"text-align:right;white-space:nowrap;{style}", text(words)) for words, style in zip(numbers, styles, strict=True)]
    return [name(shown(found, 60)), *cells, bars(one.succeeded)]


def bars(histogram: Histogram, height_px: int = 14, over: range | None = None) -> str:
    """A histogram as markup: each bar some buckets, from the shortest to the longest seen, or of those that it shares a scale with."""
    counts = _binned(histogram, over)
    highest = max(counts, default=0)
    heights = [max(2, round(height_px * count / highest)) if count else 0 for count in counts]
    parts = [span(f"width:5px;height:{height}px;background:{ACCENT}") for height in heights]
    around = f"display:inline-flex;gap:1px;align-items:flex-end;height:{height_px}px;border-bottom:1px solid {LINE};justify-self:start"
    return span(around, *parts, title=_range(histogram))


def _binned(histogram: Histogram, over: range | None = None) -> list[int]:
    buckets = histogram.buckets
    if not buckets:
        return []
    scale = _scale([histogram]) if over is None else over
    counts = [0] * len(scale)
    for index, count in buckets.items():
        counts[(index - scale.start) // scale.step] += count
    return counts


def _scale(histograms: Iterable[Histogram]) -> range:
    """The first bucket of each bar, so that the bars reach over all that these have seen."""
    indexes = [index for histogram in histograms for index in histogram.buckets]
    first, last = min(indexes, default=0), max(indexes, default=0)
    return range(first, last + 1, max(1, -(-(last - first + 1) // _BARS)))


def _range(histogram: Histogram) -> str:
    if not histogram.count:
        return "no call ended well"
    least, most = duration(histogram.min_ns), duration(histogram.max_ns)
    return f"{least if least == most else f'{least} to {most}'}, {counted(histogram.count, 'call')}"


class Histograms(Mapping[str, Histogram]):
    """One histogram each: a mapping of name to `Histogram`, drawn on one scale, a DataFrame of buckets with `df()`.

    Args:
        stats: What was added up.
        failed: Those of the calls that failed instead.
    """

    def __init__(self, stats: Stats, *, failed: bool = False) -> None:
        self.by, self.phase, self.redactor = stats.by, stats.phase, stats.redactor
        found = {key: one.failed if failed else one.succeeded for key, one in stats.items()}
        self._histograms = {key: histogram for key, histogram in found.items() if histogram.count}

    def __getitem__(self, key: str) -> Histogram:
        return self._histograms[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._histograms)

    def __len__(self) -> int:
        return len(self._histograms)

    def df(self) -> pd.DataFrame:
        """One row a bucket that is not empty: the key, `above_ms` (exclusive), `to_ms` (inclusive), `n`."""
        import pandas as pd

        rows = [
            (key, low / 1e6, high / 1e6, count)
            for key, histogram in self._histograms.items()
            for index, count in histogram.buckets.items()
            for low, high in (bucket_bounds_ns(index),)
        ]
        return pd.DataFrame(rows, columns=[self.by, "above_ms", "to_ms", "n"])

    def _fit(self) -> list[tuple[str, Histogram]]:
        """The first, by names that may stand in an output."""
        withholding = Withholding(self.redactor())
        return [(withholding.text(key), histogram) for key, histogram in list(self._histograms.items())[:_SHOWN]]

    def __repr__(self) -> str:
        drawn = self._fit()
        scale = _scale(histogram for _, histogram in drawn)
        lines = [f"{self.phase} by {self.by}"]
        lines += [f"{shown(key, 39):<40}{_blocks(histogram, scale)}  {_range(histogram)}" for key, histogram in drawn]
        return "\n".join([*lines, f"and {len(self) - len(drawn)} more: .df() has them all"] if len(self) > len(drawn) else lines)

    def _repr_html_(self) -> str:
        grid = "display:grid;grid-template-columns:minmax(0,auto) auto auto;gap:4px 14px;justify-content:start;align-items:end"
        drawn = self._fit()
        scale = _scale(histogram for _, histogram in drawn)
        cells = [cell for key, histogram in drawn for cell in (name(shown(key, 60)), bars(histogram, 40, scale), faint(_range(histogram)))]
        left = len(self) - len(drawn)
        return framed(title(f"{self.phase} by {self.by}"), box(grid, *cells), faint(f"and {left} more: .df() has them all") if left else "")


def _blocks(histogram: Histogram, over: range) -> str:
    counts = _binned(histogram, over)
    highest = max(counts, default=1)
    return "".join(" ▁▂▃▄▅▆▇█"[-(-8 * count // highest)] for count in counts)


def _took(ms: float | None) -> str:
    return duration(None if ms is None else round(ms * 1e6))


@in_one_line(ValueError)
def key_of(by: str) -> Callable[[CallRecord], str | None]:
    """What calls are told apart by; None of those that have none.

    Raises:
        ValueError: There is no such key; names the nearest.
    """
    if (by := str(by)) not in _KEYS:  # a list, for instance, is no key either
        hint = nearest(by, _KEYS)
        raise ValueError(f"by is one of {', '.join(_KEYS)}; got {plain(by[:40])!r}{f', nearest: {hint[0]}' if hint else ''}")
    return _KEYS[by]


@in_one_line(ValueError)
def phase_of(phase: str) -> Phase:
    """A stretch of a call by its name.

    Raises:
        ValueError: There is none.
    """
    try:
        return Phase(phase)
    except ValueError:
        raise ValueError(f"phase is one of {', '.join(Phase)}; got {plain(str(phase)[:40])!r}") from None

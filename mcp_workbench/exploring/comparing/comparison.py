"""Two runs of the same requests: equal ones paired in their order, where their answers differ, how long they took."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, overload

import msgspec

from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.comparing.answers import Volatile, asks_server, params_of
from mcp_workbench.exploring.comparing.call_diff import ARGUMENTS_CHARS, LABELS, WHAT_CHARS, CallDiff, Fitted, in_a_line
from mcp_workbench.exploring.comparing.differences import same
from mcp_workbench.exploring.comparing.latencies import Latencies
from mcp_workbench.exploring.reading import arguments_of
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.markup import BAD, FAINT, GOOD, MONO, ONE_LINE, box, faint, framed, name, span, text
from mcp_workbench.wording import counted, duration, shown

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20
_WITHHELD = "‹redacted:".encode()


class Comparison(Sequence[CallDiff]):
    """What became of each request on either side, in the order of the first.

    Args:
        diffs: The pairs.
        labels: What people call the two sides.
    """

    def __init__(self, diffs: Sequence[CallDiff], labels: tuple[str, str] = LABELS) -> None:
        self._diffs = diffs
        self.labels = labels

    def __len__(self) -> int:
        return len(self._diffs)

    @overload
    def __getitem__(self, at: int) -> CallDiff: ...

    @overload
    def __getitem__(self, at: slice) -> Comparison: ...

    def __getitem__(self, at: int | slice) -> CallDiff | Comparison:
        """One pair, or a part of them."""
        return Comparison(self._diffs[at], self.labels) if isinstance(at, slice) else self._diffs[at]

    @cached_property
    def differing(self) -> Comparison:
        """Those that were answered differently, or on one side only."""
        return Comparison([diff for diff in self._diffs if not diff.ok], self.labels)

    @property
    def ok(self) -> bool:
        """Whether every request stands on both sides and was answered alike."""
        return not len(self.differing)

    @cached_property
    def latencies(self) -> Latencies:
        """How long both took, of requests that both answered well."""
        return Latencies(((diff.a, diff.b) for diff in self._diffs if diff.timed), self.labels)

    def df(self) -> pd.DataFrame:
        """One row a request.

        Returns:
            Its columns: `method`, `target`, `arguments` (JSON text, as it was sent), `ok`, `differences`, `first` (where), `outcome_a`,
            `outcome_b`, `ms_a`, `ms_b`.
        """
        import pandas as pd

        columns = ["method", "target", "arguments", "ok", "differences", "first", "outcome_a", "outcome_b", "ms_a", "ms_b"]
        return pd.DataFrame([_row(diff) for diff in self._diffs], columns=columns)

    # --- for people -----------------------------------------------------------------------------------------

    def summary(self) -> str:
        """How many, how many of them differ."""
        alone = [sum(diff.b is None for diff in self._diffs), sum(diff.a is None for diff in self._diffs)]
        parts = [counted(len(self), "request"), f"{len(self.differing) - sum(alone):,} answered differently"]
        parts += [f"{count:,} only in {shown(label, 40)}" for count, label in zip(alone, self.labels, strict=True) if count]
        return ", ".join(parts)

    def __repr__(self) -> str:
        return self.words()

    def words(self, withholding: Withholding | None = None) -> str:
        """As it is printed.

        Args:
            withholding: Of the output that it is a part of; None: it is all of it.
        """
        lines, withholding = [self.summary()], self._withholding() if withholding is None else withholding
        lines += [f"[{number}] {_one_line(diff, Fitted(diff, withholding))}" for number, diff in self._numbered()]
        if (left := len(self.differing) - SHOWN) > 0:
            lines.append(f"and {left:,} more: .differing has them all")
        return "\n".join([*lines, self.latencies.words(withholding)] if len(self.latencies) else lines)

    def _repr_html_(self) -> str:
        return framed(self.html())

    def html(self, withholding: Withholding | None = None) -> str:
        """Without the frame, to stand in another display; args as `words`."""
        grid = "display:grid;grid-template-columns:auto fit-content(40ch) fit-content(32ch) minmax(0,1fr) auto;gap:0 12px"
        withholding = self._withholding() if withholding is None else withholding
        cells = [cell for number, diff in self._numbered() for cell in _cells(number, diff, Fitted(diff, withholding))]
        left = len(self.differing) - SHOWN
        more = faint(f"and {left:,} more: .differing has them all") if left > 0 else ""
        verdict = span(f"color:{GOOD if self.ok else BAD};font-weight:600", text(self.summary()))
        return box("", verdict) + (box(grid, *cells) if cells else "") + more + box("", self.latencies.html(withholding))

    def _withholding(self) -> Withholding | None:
        """For one output."""
        return Withholding(self._diffs[0].either.redactor()) if self._diffs else None

    def _numbered(self) -> list[tuple[int, CallDiff]]:
        """The first that differ, and where they stand in here."""
        return [(number, diff) for number, diff in enumerate(self._diffs) if not diff.ok][:SHOWN]


def compare(a: Iterable[Call], b: Iterable[Call], volatile: Volatile, labels: tuple[str, str] = LABELS) -> Comparison:
    """Pair the requests of two runs that a server answers, and compare.

    Args:
        a: The calls of one run, in order.
        b: Those of the other.
        volatile: What of params and results is not compared.
        labels: What people call the two.
    """
    pairs = _paired(list(filter(_comparable, a)), list(filter(_comparable, b)), volatile)
    return Comparison([CallDiff(one, other, volatile, labels=labels, same_request=True) for one, other in pairs], labels)


def _comparable(call: Call) -> bool:
    return asks_server(call.record)


def _paired(a: list[Call], b: list[Call], volatile: Volatile) -> list[tuple[Call | None, Call | None]]:
    """Equal requests in their order; then those that are equal but for what was withheld of them; then those of one side alone."""
    asked, keys = ([_key(call, volatile) for call in calls] for calls in (a, b))
    waiting: dict[bytes, deque[int]] = {}
    for number, key in enumerate(keys):
        waiting.setdefault(key, deque()).append(number)
    found = [waiting[key].popleft() if waiting.get(key) else None for key in asked]
    left = dict.fromkeys(number for numbers in waiting.values() for number in numbers)
    withheld = [number for number in left if _WITHHELD in keys[number]]
    for number, call in enumerate(a):
        if found[number] is None and left:
            at = _alike(call, b, left if _WITHHELD in asked[number] else (at for at in withheld if at in left), volatile)
            found[number] = at
            if at is not None:
                del left[at]
    pairs: list[tuple[Call | None, Call | None]] = [(call, None if at is None else b[at]) for call, at in zip(a, found, strict=True)]
    return pairs + [(None, b[number]) for number in sorted(left)]


def _key(call: Call, volatile: Volatile) -> bytes:
    return msgspec.json.encode([call.method, params_of(call, volatile)], order="sorted")


def _alike(call: Call, others: list[Call], numbers: Iterable[int], volatile: Volatile) -> int | None:
    asked = params_of(call, volatile)
    same_place = (number for number in numbers if (others[number].method, others[number].target) == (call.method, call.target))
    return next((number for number in same_place if same(asked, params_of(others[number], volatile))), None)


def _row(diff: CallDiff) -> tuple[object, ...]:
    first = diff.result[0].where if diff.result else None
    sides = (diff.a, diff.b)
    outcomes = [None if call is None else call.outcome for call in sides]
    took = [None if call is None else call.total_ms for call in sides]
    asked = diff.either.method, diff.either.target or None, arguments_of(diff.either.record)
    return (*asked, diff.ok, len(diff.result), first, *outcomes, *took)


def _what_differs(diff: CallDiff, fitted: Fitted) -> str:
    """The first difference, and how many more."""
    if not diff.result:
        return diff.summary()
    more = f" and {len(diff.result) - 1:,} more" if len(diff.result) > 1 else ""
    [first] = fitted.differences(diff.result[:1])
    return f"{in_a_line(first)}{more}"


def _took(diff: CallDiff) -> str:
    return " → ".join(duration(call.record.total_ns) for call in (diff.a, diff.b) if call is not None)


def _one_line(diff: CallDiff, fitted: Fitted) -> str:
    return f"{fitted.in_words()}: {_what_differs(diff, fitted)} ({_took(diff)})"


def _cells(number: int, diff: CallDiff, fitted: Fitted) -> list[str]:
    words = _what_differs(diff, fitted)
    return [
        faint(f"[{number}]"),
        name(shown(fitted.what, WHAT_CHARS)),
        span(f"{FAINT};{MONO};{ONE_LINE}", text(shown(fitted.asked, ARGUMENTS_CHARS)), title=shown(fitted.asked, 1000)),
        span(ONE_LINE, text(words), title=words),
        span(f"{FAINT};white-space:nowrap", text(_took(diff))),
    ]

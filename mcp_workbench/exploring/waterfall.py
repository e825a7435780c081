"""Calls against time, a lane for each session: what ran beside what, and what waited."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.markup import BAD, LINE, ODD, RUN, SEND, WAIT, box, faint, framed, name, span, title
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.wording import duration, ended, outcome, shown

if TYPE_CHECKING:
    import pandas as pd

_SHOWN_CALLS = 400
_SHOWN_LANES = 20
_LANE_PX = 14
_MOST_ROWS = 8
"""Rows of one lane in which calls stand that overlap; what overlaps more stands in the last."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One call in the waterfall."""

    call: CallRecord
    begin_ns: int
    end_ns: int
    row: int


class Timeline:
    """A waterfall, for people; `df()` has one row a call.

    Args:
        calls: In any order; the latest are drawn.
        redactor: Makes what withholds secrets from outputs.
    """

    def __init__(self, calls: Sequence[CallRecord], redactor: Callable[[], Redactor] = Redactor) -> None:
        self._calls = sorted(calls, key=lambda call: call.received_ns)
        self._redactor = redactor

    def __len__(self) -> int:
        return len(self._calls)

    def df(self) -> pd.DataFrame:
        """`session`, `method`, `target`, `outcome`, `begin_ms` after the first, `end_ms`, `started_ms` where user code began."""
        import pandas as pd

        origin = self._calls[0].received_ns if self._calls else 0
        rows = [
            (
                call.session_id,
                call.method,
                call.target,
                str(call.outcome),
                (call.received_ns - origin) / 1e6,
                None if call.sent_ns is None else (call.sent_ns - origin) / 1e6,
                None if call.started_ns is None else (call.started_ns - origin) / 1e6,
            )
            for call in self._calls
        ]
        return pd.DataFrame(rows, columns=["session", "method", "target", "outcome", "begin_ms", "end_ms", "started_ms"])

    def lanes(self) -> dict[str, list[Bar]]:
        """By session, in the order in which sessions first spoke: its calls, those that overlap in rows of their own."""
        lanes: dict[str, list[Bar]] = {}
        ends: dict[str, list[int]] = {}
        for call in self._calls[-_SHOWN_CALLS:]:
            end = call.sent_ns if call.sent_ns is not None else call.received_ns
            rows = ends.setdefault(call.session_id, [])
            row = next((number for number, last in enumerate(rows) if last <= call.received_ns), len(rows))
            if row == len(rows) and row < _MOST_ROWS:
                rows.append(end)
            row = min(row, _MOST_ROWS - 1)
            rows[row] = max(rows[row], end)
            lanes.setdefault(call.session_id, []).append(Bar(call, call.received_ns, end, row))
        return lanes

    def __repr__(self) -> str:
        return f"<Timeline of {len(self):,} calls; shows in a notebook, .df() has its numbers>"

    def _repr_html_(self) -> str:
        lanes = self.lanes()
        if not lanes:
            return framed(faint("no calls"))
        bars = [bar for lane in lanes.values() for bar in lane]
        begin, end = min(bar.begin_ns for bar in bars), max(bar.end_ns for bar in bars)
        whole = max(1, end - begin)
        shown_lanes = list(lanes.items())[:_SHOWN_LANES]
        fit = Withholding(self._redactor())
        cells = [cell for session, lane in shown_lanes for cell in (name(session), _lane(lane, begin, whole, fit))]
        left = [f"and {len(lanes) - _SHOWN_LANES} more sessions"] if len(lanes) > _SHOWN_LANES else []
        left += [f"the latest {_SHOWN_CALLS} of {len(self):,} calls are drawn"] if len(self) > _SHOWN_CALLS else []
        grid = "display:grid;grid-template-columns:auto minmax(0,1fr);gap:4px 10px;align-items:center"
        return framed(title(f"{duration(whole)}, time from left to right"), box(grid, *cells), _legend(), *map(faint, left))


def _lane(lane: list[Bar], begin_ns: int, whole_ns: int, fit: Withholding) -> str:
    height = (max(bar.row for bar in lane) + 1) * _LANE_PX
    parts = [_bar(bar, begin_ns, whole_ns, fit) for bar in lane]
    return box(f"position:relative;height:{height}px;border-bottom:1px solid {LINE};overflow:hidden", *parts)


def _bar(bar: Bar, begin_ns: int, whole_ns: int, fit: Withholding) -> str:
    call = bar.call
    tone = {"ok": RUN, "error": BAD, "timeout": BAD}.get(outcome(str(call.outcome)), ODD)
    left, width = 100 * (bar.begin_ns - begin_ns) / whole_ns, 100 * (bar.end_ns - bar.begin_ns) / whole_ns
    asked = " ".join(fit.named(call.method, call.target)).strip()
    what = f"{shown(asked, 80)}: {ended(str(call.outcome), call.total_ns)}"
    place = f"position:absolute;left:{left:.3f}%;width:max(2px,{width:.3f}%);top:{bar.row * _LANE_PX + 2}px;height:{_LANE_PX - 4}px"
    parts = _parts(call) if tone == RUN else ()
    return span(f"{place};background:{tone}", *parts, title=what)


def _parts(call: CallRecord) -> Iterator[str]:
    """What lies over a bar: its wait from the left, its sending from the right."""
    for side, ns, colour in (("left", call.wait_ns, WAIT), ("right", call.send_ns, SEND)):
        if ns and call.total_ns:
            width = f"{100 * ns / call.total_ns:.1f}%"
            yield span(f"position:absolute;{side}:0;top:0;bottom:0;width:{width};background:{colour}")


def _legend() -> str:
    """What the colours mean, as below the panels' timeline."""
    inks = (("wait", WAIT), ("run", RUN), ("send", SEND), ("failed", BAD), ("other", ODD))
    keys = (span("", span(f"color:{ink}", "■ "), span("", words)) for words, ink in inks)
    return box("display:flex;flex-wrap:wrap;gap:0 10px;opacity:.8", *keys)

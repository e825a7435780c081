from __future__ import annotations

from collections import Counter
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Outcome, Telemetry
from mcp_workbench.telemetry.heatmap import COLUMNS, Column, Heatmaps
from mcp_workbench.telemetry.histogram import bucket_index

T0 = 1_700_000_000.0
CALLED = st.tuples(st.integers(0, 700_000), st.integers(1, 10**12), st.sampled_from(["add", "fit", "rank"]), st.sampled_from(list("ofejJ")))
"""Milliseconds since the call before, nanoseconds it took, its tool, and how it went: `_record` says."""


def _record(ended_at: float, total_ns: int, tool: str, kind: str) -> CallRecord:
    """`o`: ended well; `f`: failed; `e`: answered early; `j`, `J`: a job that ended well, that failed."""
    call = CallRecord("c", "s", "default", Era.MODERN, "job" if kind in "jJ" else "tools/call", tool, 1, 5, ended_at - total_ns / 1e9, 10)
    call.started_ns, call.returned_ns, call.sent_ns = 5, 5 + total_ns, 5 + total_ns
    call.outcome = Outcome.TOOL_ERROR if kind in "fJ" else Outcome.OK
    call.job = "j1" if kind == "e" else None
    return call


def _row(total_ns: int) -> int:
    """The row by its definition, `2**(r/2) < seconds <= 2**((r+1)/2)`, in exact arithmetic: squared, no root is left."""
    squared, row = Fraction(total_ns, 10**9) ** 2, -70
    while squared > Fraction(2) ** (row + 1):
        row += 1
    return row


def _naive(calls: list[tuple[CallRecord, int, str]], tool: str, now: float) -> list[Column]:
    """The same from the records themselves."""
    current = int(now // 10)
    numbers = sorted(
        {number for call, _, kind in calls if kind != "e" for number in [int(call.ended_at // 10)] if tool in ("", call.target)}
    )
    columns = []
    for number in numbers:
        if number <= current - COLUMNS:
            continue
        its = [one for one in calls if int(one[0].ended_at // 10) == number and tool in ("", one[0].target)]
        cells = Counter(_row(total) for _, total, kind in its if kind in "oj")
        columns.append(Column(number * 10.0, tuple(sorted(cells.items())), sum(kind in "fJ" for _, _, kind in its)))
    return columns


@given(st.lists(CALLED, max_size=60), st.floats(0, 900))
def test_the_columns_are_what_the_records_of_the_last_ten_minutes_say(called: list[tuple[int, int, str, str]], later_s: float) -> None:
    telemetry, calls, at = Telemetry(), [], T0
    for gap_ms, total_ns, tool, kind in called:
        at += gap_ms / 1000 / 20
        call = _record(at, total_ns, tool, kind)
        calls.append((call, total_ns, kind))
        telemetry.record(call)
    now = at + later_s
    for tool in ("", "add", "fit", "rank"):
        assert telemetry.heatmap(tool, now) == _naive(calls, tool, now)


def test_the_bounds_of_rows_are_those_of_buckets() -> None:
    for total_ns in (1, 999, 10**9, 10**9 + 1, 2 * 10**9, 2 * 10**9 + 1, 1_414_213_562, 1_414_213_563, 3_600 * 10**9):
        assert bucket_index(total_ns) >> 4 == _row(total_ns)


def test_a_call_stands_in_the_column_in_which_it_ended_and_failures_apart() -> None:
    telemetry = Telemetry()
    telemetry.record(_record(T0 + 25, 20 * 10**9, "fit", "o"))
    telemetry.record(_record(T0 + 26, 1_000, "fit", "f"))
    assert telemetry.heatmap("fit", T0 + 30) == [Column(T0 + 20, ((8, 1),), 1)]


def test_only_columns_with_later_records_are_given_to_who_says_what_is_known() -> None:
    telemetry = Telemetry()
    telemetry.record(_record(T0, 1_000, "fit", "o"))
    telemetry.record(_record(T0 + 10, 1_000, "fit", "o"))
    known = telemetry.added_up
    telemetry.record(_record(T0 + 11, 1_000, "fit", "o"))
    telemetry.record(_record(T0 + 12, 1_000, "add", "o"))
    assert [column.at for column in telemetry.heatmap("", T0 + 12, after=known)] == [T0 + 10]
    assert telemetry.heatmap("fit", T0 + 12, after=known)[0].cells == telemetry.heatmap("fit", T0 + 12)[1].cells
    assert telemetry.heatmap("fit", T0 + 12, after=telemetry.added_up) == []


def test_tools_that_there_never_were_are_in_no_heatmap() -> None:
    telemetry = Telemetry()
    call = _record(T0, 1_000, "ad", "o")
    call.outcome = Outcome.RPC_ERROR
    telemetry.record(call)
    assert telemetry.heatmap("", T0) == telemetry.heatmap("ad", T0) == []


def test_tools_without_calls_in_ten_minutes_are_dropped_and_those_past_the_bound_are_only_among_all() -> None:
    heatmaps = Heatmaps(max_tools=2)
    for seq, tool in enumerate(("a", "b", "c")):
        heatmaps.add(tool, T0, -100, seq)
    assert len(heatmaps) == 2
    assert heatmaps.columns("c", T0) == []
    assert heatmaps.columns("", T0)[0].cells == ((-7, 3),)
    heatmaps.add("c", T0 + 595, -100, 4)
    assert len(heatmaps) == 2, "the other two can still be shown"
    heatmaps.add("c", T0 + 600, -100, 5)
    assert len(heatmaps) == 1
    assert [column.at for column in heatmaps.columns("c", T0 + 600)] == [T0 + 600]


def test_memory_is_bounded_however_long_it_goes_on_and_a_clock_that_is_set_back_loses_nothing_new() -> None:
    heatmaps = Heatmaps(max_tools=5)
    for number in range(200):
        heatmaps.add("a", T0 + 10 * number, -100, number)
    assert len(heatmaps._all._columns) == len(heatmaps._by_tool["a"]._columns) == COLUMNS
    heatmaps.add("b", T0, -100, 200)
    assert [column.at for column in heatmaps.columns("b", T0)] == [T0]
    assert [column.at for column in heatmaps.columns("", T0)] == [T0]
    assert [column.at for column in heatmaps.columns("a", T0)] == [], "what lay far ahead was a mistake of the clock"


def test_a_clock_that_is_wrong_for_a_moment_leaves_no_trace_and_costs_its_tool_nothing() -> None:
    heatmaps = Heatmaps(max_tools=5)
    heatmaps.add("a", T0, -100, 1)
    heatmaps.add("a", T0 + 86_400, -100, 2)
    heatmaps.add("b", T0 + 10, -100, 3)
    for tool in ("a", ""):
        assert T0 + 86_400 not in [column.at for column in heatmaps.columns(tool, T0 + 10)]
        assert T0 in [column.at for column in heatmaps.columns(tool, T0 + 10)]
    assert len(heatmaps) == 2


def test_a_clock_that_is_set_back_a_little_loses_nothing() -> None:
    heatmaps = Heatmaps(max_tools=5)
    heatmaps.add("a", T0 + 60, -100, 1)
    heatmaps.add("b", T0, -100, 2)
    assert [column.at for column in heatmaps.columns("", T0)] == [T0]
    assert [column.at for column in heatmaps.columns("", T0 + 60)] == [T0, T0 + 60]

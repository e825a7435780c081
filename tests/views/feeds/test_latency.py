"""What a view is told of latencies: all at first, then what has changed, and nothing that costs without need."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Outcome, Telemetry
from mcp_workbench.telemetry.telemetry import BATCH
from mcp_workbench.views.feeds.latency import ROWS, LatencyFeed
from mcp_workbench.views.messages import HeatColumn, Heatmap, Histogram, HistogramKey, Message, Quantiles, Tools, Watch

T0 = 1_700_000_000.0


class Counting(Telemetry):
    """Telemetry that knows which tools were added up for a reader."""

    def __init__(self) -> None:
        super().__init__()
        self.computed: list[str] = []

    def tool(self, name: str, now: float) -> Any:
        self.computed.append(name)
        return super().tool(name, now)


class Stage:
    def __init__(self, **watched: Any) -> None:
        self.telemetry = Counting()
        self.feed = LatencyFeed(self.telemetry)
        self.watch(**watched)
        self.now = T0

    def watch(self, **watched: Any) -> None:
        self.feed.watch(Watch(panels=("latency",), **watched))

    def call(self, tool: str = "add", total_us: int = 400, outcome: Outcome = Outcome.OK) -> None:
        """A call that ends now."""
        record = CallRecord("c", "s", "default", Era.MODERN, "tools/call", tool, 1, 5, self.now - total_us / 1e6, 10)
        quarter = total_us * 250
        record.started_ns, record.returned_ns, record.sent_ns = 5 + quarter, 5 + 3 * quarter, 5 + 4 * quarter
        record.outcome = outcome
        self.telemetry.record(record)

    def look(self, later_s: float = 0.0) -> list[Message]:
        self.now += later_s
        return list(self.feed.look(self.now))

    def rows(self, later_s: float = 0.0) -> dict[str, Any]:
        """The rows told now."""
        return {row.name: row for message in self.look(later_s) if isinstance(message, Tools) for row in message.rows}


def key(tool: str = "add", phase: str = "total", *, failed: bool = False) -> HistogramKey:
    return HistogramKey(tool=tool, phase=phase, failed=failed)


# --- rows ---------------------------------------------------------------------------------------------


def test_a_row_has_counts_rate_and_the_quantiles_of_every_phase() -> None:
    stage = Stage()
    stage.call()
    stage.call(outcome=Outcome.TOOL_ERROR, total_us=9_000)
    (row,) = stage.rows().values()
    assert (row.name, row.n, row.errors, row.per_s) == ("add", 2, 1, 0.2)
    assert row.total == Quantiles(p50=400, p90=400, p99=400)
    assert (row.wait.p50, row.run.p50, row.send.p50) == (100, 200, 100)


def test_nothing_is_told_twice_and_rows_come_once_a_second() -> None:
    stage = Stage()
    assert stage.look() == []
    stage.call()
    assert stage.look(0.25) == []
    assert set(stage.rows(0.75)) == {"add"}
    stage.call()
    assert stage.look(0.5) == []
    assert stage.rows(0.5)["add"].n == 2
    assert stage.look(1) == []


def test_only_tools_that_were_called_since_are_added_up() -> None:
    stage = Stage()
    for number in range(200):
        stage.call(f"tool{number}")
    assert [len(stage.rows(0.25)) for _ in range(5)] == [ROWS, ROWS, ROWS, ROWS, 0], "at first all, as fast as looks come"
    stage.telemetry.computed.clear()
    for name in ("tool7", "tool3", "tool150"):
        stage.call(name)
    assert set(stage.rows(1)) == {"tool7", "tool3", "tool150"}
    assert sorted(stage.telemetry.computed) == ["tool150", "tool3", "tool7"]


def test_more_tools_than_a_message_takes_follow_in_the_order_in_which_they_changed() -> None:
    stage = Stage()
    for number in range(2 * ROWS):
        stage.call(f"tool{number}")
    stage.rows()
    stage.rows()
    for number in range(2 * ROWS):
        stage.call(f"tool{number}")
    first, second = stage.rows(1), stage.rows(1)
    assert (len(first), len(second)) == (ROWS, ROWS)
    assert {row.n for row in (first | second).values()} == {2}
    assert len(first | second) == 2 * ROWS
    assert stage.look(1) == []


def test_the_rate_falls_to_nothing_when_calls_stop_and_then_it_is_quiet() -> None:
    stage = Stage()
    for _ in range(20):
        stage.call()
    assert stage.rows()["add"].per_s == 2
    stage.telemetry.computed.clear()
    assert stage.look(9) == [], "the ten seconds still hold them all"
    told = [stage.rows(0.5).get("add"), stage.rows(1).get("add"), stage.rows(1).get("add")]
    assert [row and row.per_s for row in told] == [None, 1.0, 0.0]
    assert told[2] is not None
    assert (told[2].n, told[2].total.p50) == (20, 400), "the row is whole"
    assert stage.telemetry.computed == [], "nothing else was added up for it"
    assert stage.look(1) == []


def test_a_clock_that_is_set_back_does_not_silence_it() -> None:
    stage = Stage()
    stage.call()
    stage.rows()
    stage.now -= 3600
    stage.call()
    assert stage.rows()["add"].n == 2


# --- histograms ---------------------------------------------------------------------------------------------


def test_a_watched_histogram_is_told_at_once_and_again_when_it_has_grown() -> None:
    stage = Stage()
    stage.call()
    stage.look()
    stage.watch(histograms=(key(), key(phase="run"), key(failed=True)))
    total, run, failed = stage.look(0.25)
    assert isinstance(total, Histogram)
    assert isinstance(run, Histogram)
    assert (total.n, total.min_us, total.max_us, total.mean_us, total.quantiles.p50) == (1, 400, 400, 400, 400)
    assert total.buckets == ((-362, 1),)
    assert run.mean_us == 200
    assert failed == Histogram(tool="add", phase="total", failed=True), "that there is nothing is told too"
    stage.call()
    assert stage.look(0.25) == [], "once a second"
    told = [message for message in stage.look(0.75) if isinstance(message, Histogram)]
    assert [(message.phase, message.failed, message.n) for message in told] == [("total", False, 2), ("run", False, 2)]


def test_calls_of_another_tool_tell_no_histogram() -> None:
    stage = Stage(histograms=(key(),))
    stage.call()
    stage.look()
    stage.call("sub")
    assert [type(message) for message in stage.look(1)] == [Tools]


def test_what_goes_on_being_watched_is_not_told_again_and_unknown_phases_are_ignored() -> None:
    stage = Stage(histograms=(key(),))
    assert len(stage.look()) == 1
    stage.watch(histograms=(key("sub"), key(), key(phase="thinking")))
    assert [message.tool for message in stage.look(1) if isinstance(message, Histogram)] == ["sub"]


# --- heatmap --------------------------------------------------------------------------------------------------


def test_the_heatmap_comes_whole_at_first_and_then_by_the_columns_that_changed() -> None:
    stage = Stage(heatmap="")
    assert stage.look() == [Heatmap()], "that there is nothing yet is told"
    stage.call(total_us=400)
    stage.now += 20
    stage.call("sub", total_us=1_000_000)
    (_, heat) = stage.look()
    assert heat == Heatmap(columns=(HeatColumn(at=T0, cells=((-23, 1),)), HeatColumn(at=T0 + 20, cells=((-1, 1),))))
    stage.call("sub", outcome=Outcome.TIMEOUT)
    heats = [message for message in stage.look(1) if isinstance(message, Heatmap)]
    assert heats == [Heatmap(columns=(HeatColumn(at=T0 + 20, cells=((-1, 1),), failed=1),))]
    assert not any(isinstance(message, Heatmap) for message in stage.look(1))


def test_another_tools_heatmap_comes_whole_and_at_once() -> None:
    stage = Stage(heatmap="")
    stage.call()
    stage.look()
    stage.watch(heatmap="add")
    assert stage.look(0.25) == [Heatmap(tool="add", columns=(HeatColumn(at=T0, cells=((-23, 1),)),))]
    stage.watch(heatmap="add")
    assert stage.look(0.25) == []
    stage.call("sub")
    assert not any(isinstance(message, Heatmap) for message in stage.look(1))
    stage.watch(heatmap=None)
    stage.call()
    assert [type(message) for message in stage.look(1)] == [Tools]


@pytest.mark.parametrize("later_s", [0, 600, 3600])
def test_columns_older_than_ten_minutes_are_not_told(later_s: float) -> None:
    stage = Stage(heatmap="add")
    stage.call()
    stage.now += later_s
    (heat,) = [message for message in stage.look() if isinstance(message, Heatmap)]
    assert len(heat.columns) == (1 if later_s == 0 else 0)


def test_calls_that_another_thread_is_adding_up_are_told_later() -> None:
    stage = Stage(heatmap="")
    stage.look()
    stage.telemetry._claim[""] = object()
    stage.call()
    assert stage.look(1) == []
    stage.telemetry._claim.clear()
    assert [type(message) for message in stage.look(1)] == [Tools, Heatmap]


def test_more_calls_than_are_added_up_at_once_are_all_told() -> None:
    stage = Stage(heatmap="")
    stage.look()
    for _ in range(2 * BATCH + 3):
        stage.call()
    tools, heat = stage.look(1)
    assert isinstance(tools, Tools)
    assert isinstance(heat, Heatmap)
    assert tools.rows[0].n == heat.columns[0].cells[0][1] == 2 * BATCH + 3


@given(st.lists(st.tuples(st.sampled_from(["add", "sub", "fit"]), st.integers(1, 10**7), st.floats(0, 15), st.booleans()), max_size=40))
def test_what_was_told_bit_by_bit_is_what_somebody_who_looks_now_is_told(calls: list[tuple[str, int, float, bool]]) -> None:
    stage = Stage(heatmap="", histograms=(key(),))
    told: dict[Any, Any] = {}
    for tool, total_us, later_s, looks in calls:
        stage.now += later_s
        stage.call(tool, total_us)
        if looks:
            told.update(_facts(stage.look()))
    told.update(_facts(stage.look(1)))
    later = LatencyFeed(stage.telemetry)
    later.watch(Watch(panels=("latency",), heatmap="", histograms=(key(),)))
    now = _facts(list(later.look(stage.now)))
    assert {name: fact for name, fact in told.items() if name in now} == now
    assert all(isinstance(name, float) and name < stage.now - 590 for name in told.keys() - now.keys()), "only columns too old to be shown"


def _facts(messages: list[Message]) -> dict[Any, Any]:
    """What a view knows: rows and histograms by name, columns by time."""
    facts: dict[Any, Any] = {}
    for message in messages:
        if isinstance(message, Tools):
            facts.update((row.name, row) for row in message.rows)
        elif isinstance(message, Heatmap):
            facts.update((column.at, column) for column in message.columns)
        elif isinstance(message, Histogram):
            facts[message.tool, message.phase] = message
    return facts

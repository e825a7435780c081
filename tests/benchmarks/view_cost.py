"""What a look of each feed costs the protocol loop, for one view: a quiet one, and one after something has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from time import perf_counter_ns

import pandas as pd

from mcp_workbench.events import Era
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.telemetry import CallRecord, Outcome, Telemetry
from mcp_workbench.views.feed import Feed
from mcp_workbench.views.feeds.dataframes import DataFramesFeed
from mcp_workbench.views.feeds.latency import ROWS, LatencyFeed
from mcp_workbench.views.messages import HistogramKey, Watch, encode
from tests.benchmarks.common import line, title

ROUNDS = 200
TOOLS = 200
TABLES = 50
WATCHED = Watch(panels=("latency",), histograms=(HistogramKey(tool="tool0", phase="total"),), heatmap="")


class Stage:
    """A feed that looks once a second, by a clock of its own."""

    def __init__(self, feed: Feed) -> None:
        self.now = time.time()
        self._feed = feed
        feed.watch(WATCHED)
        self.bytes = 0

    def look(self) -> float:
        """The microseconds of one look, encoding included."""
        self.now += 1
        begin = perf_counter_ns()
        self.bytes = sum(len(encode(message)) for message in self._feed.look(self.now))
        return (perf_counter_ns() - begin) / 1000


def called(telemetry: Telemetry, tool: str, number: int, now: float) -> None:
    call = CallRecord("c17", "s3", "default", Era.LEGACY, "tools/call", tool, number, 1_000_000, now, 120)
    took = 40_000 + 7_919 * number % 3_000_000
    call.started_ns, call.returned_ns, call.sent_ns = 1_000_000 + took // 4, 1_000_000 + took // 2, 1_000_000 + took
    call.outcome = Outcome.OK
    telemetry.record(call)


def measure(name: str, stage: Stage, before: Callable[[], object] = lambda: None) -> None:
    """One line: what happens before a look is not counted."""
    taken = []
    for _ in range(ROUNDS):
        before()
        taken.append(stage.look())
    line(f"{name} ({stage.bytes:,} bytes)", taken, "µs")


def main() -> None:
    title("what a look costs the loop, a view")
    telemetry = Telemetry()
    latency = Stage(LatencyFeed(telemetry))
    for number in range(200 * TOOLS):
        called(telemetry, f"tool{number % TOOLS}", number, latency.now)
    telemetry.statistics()
    line(f"latency, the first looks at {TOOLS} tools", [latency.look() for _ in range(TOOLS // ROWS)], "µs")
    latency.now += 20
    latency.look()
    measure("latency, nothing new", latency)
    numbers = iter(range(10**9))

    def some() -> None:
        for tool in range(3):
            called(telemetry, f"tool{tool}", next(numbers), latency.now)

    def every() -> None:
        for tool in range(TOOLS):
            called(telemetry, f"tool{tool}", next(numbers), latency.now)

    measure("latency, 3 tools called", latency, some)
    measure(f"latency, {TOOLS} tools called", latency, every)
    dataframes = DataFrames()
    for number in range(TABLES):
        dataframes.publish(f"data{number}", pd.DataFrame({"n": [number]}))
    tables = Stage(DataFramesFeed(dataframes, lambda _name: ()))
    tables.look()
    measure(f"{TABLES} DataFrames, nothing new", tables)
    measure(f"{TABLES} DataFrames, one touched", tables, lambda: dataframes.touch("data7"))


if __name__ == "__main__":
    main()

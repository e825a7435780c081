"""What a look of a view's feeds costs the protocol loop, for one view: by itself, without sockets and other processes.

First every feed at a server that is quiet, then at one with 500 calls a second; after that what grows with how much there is: tools in
the panel of latencies, DataFrames in theirs. What a view costs a kernel as a whole, and its callers, is in `panels.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from time import perf_counter_ns

import pandas as pd

from mcp_workbench import Workbench
from mcp_workbench.events import Era
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.telemetry import CallRecord, Direction, Message, Outcome, Telemetry
from mcp_workbench.views.feed import Feed
from mcp_workbench.views.feeds.catalog import FEEDS
from mcp_workbench.views.feeds.dataframes import DataFramesFeed
from mcp_workbench.views.feeds.latency import ROWS, LatencyFeed
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import HistogramKey, Watch, encode
from tests.benchmarks.common import line, title

LOOKS = 400
A_LOOK = 125
"""Calls between two looks at 500 a second."""
SESSIONS = 3
TOOLS = 200
TABLES = 50
EVERYTHING = Watch(
    panels=("connect", "sessions", "calls", "running", "messages", "timeline", "latency", "dataframes", "kernel"),
    histograms=(HistogramKey(tool="tool0", phase="total"),),
    heatmap="",
)
REQUEST = b'{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{"name":"tool7","arguments":{"a":1,"b":"two words"}}}'
ANSWER = b'{"jsonrpc":"2.0","id":17,"result":{"content":[{"type":"text","text":"three words more"}]}}'


class Stage:
    """One feed that is looked at by a clock of its own."""

    def __init__(self, feed: Feed, step_s: float) -> None:
        self.now = time.time()
        self.bytes = 0
        self._feed, self._step_s = feed, step_s
        feed.watch(EVERYTHING)

    def look(self) -> float:
        """The microseconds of one look, encoding included."""
        self.now += self._step_s
        begin = perf_counter_ns()
        self.bytes = sum(len(encode(message)) for message in self._feed.look(self.now))
        return (perf_counter_ns() - begin) / 1000


def end(telemetry: Telemetry, tool: str, number: int, now: float) -> None:
    """One call ends."""
    call = CallRecord("c17", f"s{number % SESSIONS}", "default", Era.LEGACY, "tools/call", tool, number, 1_000_000, now, len(REQUEST))
    took = 40_000 + 7_919 * number % 3_000_000
    call.started_ns, call.returned_ns, call.sent_ns = 1_000_000 + took // 4, 1_000_000 + took // 2, 1_000_000 + took
    call.bytes_out, call.outcome, call.request = (
        len(ANSWER),
        Outcome.OK,
        Message(call.session_id, Direction.IN, 1_000_000, now, len(REQUEST), REQUEST),
    )
    call.answer = Message(call.session_id, Direction.OUT, 1_000_000 + took, now, len(ANSWER), ANSWER)
    for message in (call.request, call.answer):
        telemetry.messages.add(message)
    telemetry.record(call)


def every_feed() -> None:
    """One look of each feed of one view."""
    workbench = Workbench("looked at").start()
    try:
        running = workbench._running
        assert running is not None
        telemetry = workbench.telemetry
        for name, calls in (("quiet", 0), ("500 calls a second", A_LOOK)):
            stages = {type(feed).__name__: Stage(feed, 0.25) for feed in [make(Sources(running, workbench._offer)) for make in FEEDS]}
            taken = looks(stages, telemetry, calls)
            print(f" {name}:")
            for feed_name, samples in taken.items():
                line(feed_name, samples, "µs")
            percent = sum(map(sum, taken.values())) / LOOKS * 4 / 10_000
            print(f"  all together {percent:.2f} % of a core at four looks a second, adding up the calls included, which is due anyway")
    finally:
        workbench.stop()


def looks(stages: dict[str, Stage], telemetry: Telemetry, calls: int) -> dict[str, list[float]]:
    """µs of each look, by feed; so many calls end before each."""
    taken: dict[str, list[float]] = {name: [] for name in stages}
    for turn in range(LOOKS + 10):
        for number in range(calls):
            end(telemetry, f"tool{number % 10}", number, next(iter(stages.values())).now)
        for name, stage in stages.items():
            microseconds = stage.look()
            if turn >= 10:  # what there was is told at first
                taken[name].append(microseconds)
    return taken


def measure(name: str, stage: Stage, before: Callable[[], object] = lambda: None) -> None:
    """One line: what happens before a look is not counted."""
    taken = []
    for _ in range(LOOKS // 2):
        before()
        taken.append(stage.look())
    line(f"{name} ({stage.bytes:,} bytes)", taken, "µs")


def many_tools() -> None:
    telemetry = Telemetry()
    stage = Stage(LatencyFeed(telemetry), 1)
    for number in range(200 * TOOLS):
        end(telemetry, f"tool{number % TOOLS}", number, stage.now)
    telemetry.statistics()
    line(f"latency, the first looks at {TOOLS} tools", [stage.look() for _ in range(TOOLS // ROWS)], "µs")
    stage.now += 20
    stage.look()
    measure("latency, nothing new", stage)
    for tools in (3, TOOLS):
        measure(f"latency, {tools} tools called", stage, partial(_call_each, telemetry, stage, tools))


def _call_each(telemetry: Telemetry, stage: Stage, tools: int) -> None:
    for number in range(tools):
        end(telemetry, f"tool{number}", number, stage.now)


def many_dataframes() -> None:
    dataframes = DataFrames()
    for number in range(TABLES):
        dataframes.publish(f"data{number}", pd.DataFrame({"n": [number]}))
    stage = Stage(DataFramesFeed(dataframes, lambda _name: ()), 1)
    stage.look()
    measure(f"{TABLES} DataFrames, nothing new", stage)
    measure(f"{TABLES} DataFrames, one touched", stage, lambda: dataframes.touch("data7"))


def main() -> None:
    title("one look of one view, µs")
    every_feed()
    print(" much there:")
    many_tools()
    many_dataframes()


if __name__ == "__main__":
    main()

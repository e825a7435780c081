"""What it costs a kernel, and those who call it, that people look at it: each panel of the view, by one viewer and by three.

A kernel process serves ten tools, this process calls them at a steady rate, a third one watches as the view in a browser does. Each
measurement with views stands beside one without, taken right before it; what is given is the median of the differences.
Then what each panel sends at several rates. Last, where there is a browser, what the view itself costs there (`browser.py`).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from statistics import median

from mcp_workbench.cli.bench.load import summarise
from mcp_workbench.cli.bench.processes import LineProcess, Server
from mcp_workbench.views.messages import HistogramKey, Watch
from tests.benchmarks import browser
from tests.benchmarks.common import title
from tests.benchmarks.steady import S, Steady
from tests.benchmarks.viewing import Order, Seen, Settled
from tests.benchmarks.watched import Reading

ROUNDS = 3
PER_S = 500
RATES = (5_000, 500, 50, 0)
SECONDS = 3.0
SETTLE_S = 1.5
RATES_FALL_S = 12.0
"""Until the view has been told that a tool is not called any more."""
WITHIN_S = 60.0

_HISTOGRAM = HistogramKey(tool="tool0", phase="total")
ALWAYS = ("connect", "sessions")
"""Every view watches them: its header and tabs need them."""
PANELS = {
    "connect": Watch(panels=ALWAYS),
    "sessions": Watch(panels=ALWAYS),
    "calls": Watch(panels=(*ALWAYS, "calls", "running")),
    "messages": Watch(panels=(*ALWAYS, "messages")),
    "timeline": Watch(panels=(*ALWAYS, "timeline", "running")),
    "latency": Watch(panels=(*ALWAYS, "latency"), histograms=(_HISTOGRAM,), heatmap=""),
    "dataframes": Watch(panels=(*ALWAYS, "dataframes")),
    "kernel": Watch(panels=(*ALWAYS, "kernel", "running")),
}
"""What the view watches while this panel is shown."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement."""

    percent: float
    """Of one core, taken by the kernel's process."""
    latencies_ns: list[int]
    seen: Seen
    history: int
    """Bytes that told what there was."""
    per_s: float


class Stage:
    """A kernel, its callers and its views."""

    def __init__(self, kernel: Server, views: LineProcess, calls: Steady) -> None:
        self._kernel, self._views, self._calls = kernel, views, calls

    def measure(self, watch: Watch, views: int, settle_s: float = SETTLE_S) -> Sample:
        """Let so many views watch for a while."""
        self._views.tell(Order(watch=watch, views=views, settle_s=settle_s, seconds=SECONDS))
        settled = self._views.hear(Settled, WITHIN_S)
        cpu, begin, first = self._cpu_ns(), time.perf_counter_ns(), len(self._calls.latencies_ns)
        seen = self._views.hear(Seen, WITHIN_S)
        cpu, elapsed = self._cpu_ns() - cpu, time.perf_counter_ns() - begin
        latencies = self._calls.latencies_ns[first:]
        return Sample(100 * cpu / elapsed, latencies, seen, settled.bytes, len(latencies) / elapsed * S)

    def _cpu_ns(self) -> int:
        self._kernel.tell(Reading(0))
        return self._kernel.hear(Reading, WITHIN_S).cpu_ns


def pairs(stage: Stage, views: int) -> None:
    """Each panel beside nobody looking."""
    taken: dict[str, list[tuple[Sample, Sample]]] = {name: [] for name in PANELS}
    for _ in range(ROUNDS):
        for name, watch in PANELS.items():
            taken[name].append((stage.measure(watch, 0, 0.3), stage.measure(watch, views)))
    print(f" {views} viewer{'s' * (views > 1)} at {PER_S} calls a second; processor time of the kernel, and what callers see")
    print(f"  {'panel':<12}{'% of a core':>12}{'range':>16}{'of':>8}{'p50':>9}{'(without)':>11}{'p99':>10}{'(without)':>11} µs", flush=True)
    for name, both in taken.items():
        print(_line(name, both), flush=True)


def _line(name: str, both: list[tuple[Sample, Sample]]) -> str:
    more = [with_views.percent - without.percent for without, with_views in both]
    whole = median(without.percent for without, _ in both)
    without, with_views = (summarise([ns for pair in both for ns in pair[side].latencies_ns], SECONDS) for side in (0, 1))
    return (
        f"  {name:<12}{median(more):>12.2f}{f'{min(more):.2f} to {max(more):.2f}':>16}{whole:>8.1f}{with_views.p50_us:>9.0f}"
        f"{without.p50_us:>11.0f}{with_views.p99_us:>10.0f}{without.p99_us:>11.0f}"
    )


def sizes(kernel: Server, views: LineProcess) -> None:
    """What one view is sent a second."""
    table: dict[str, list[str]] = {name: [] for name in PANELS}
    reached = []
    for rate in RATES:
        with Steady(list(kernel.ready.targets.values()), rate) as calls:
            if not rate:
                time.sleep(RATES_FALL_S)
            samples = {name: Stage(kernel, views, calls).measure(watch, 1, 2.5) for name, watch in PANELS.items()}
        reached.append(median(sample.per_s for sample in samples.values()))
        for name, sample in samples.items():
            table[name].append(f"{sample.seen.bytes / SECONDS:,.0f} ({sample.seen.messages / SECONDS:.1f})")
    print(" bytes a second (messages a second) that one view is sent, at so many calls a second")
    print(f"  {'panel':<12}" + "".join(f"{rate:>18,.0f}" for rate in reached))
    for name, columns in table.items():
        print(f"  {name:<12}" + "".join(f"{column:>18}" for column in columns), flush=True)


def main() -> None:
    title("panels")
    with tempfile.TemporaryDirectory() as runtime:
        os.environ["JUPYTER_RUNTIME_DIR"] = runtime  # no other kernel of this user is found
        kernel_command = [sys.executable, "-m", "tests.benchmarks.watched"]
        with Server(kernel_command) as kernel, LineProcess([sys.executable, "-m", "tests.benchmarks.viewing"]) as views:
            targets = list(kernel.ready.targets.values())
            with Steady(targets, PER_S) as calls:
                stage = Stage(kernel, views, calls)
                for watch in PANELS.values():
                    stage.measure(watch, 1, 0.5)  # warm
                for number in (1, 3):
                    pairs(stage, number)
            sizes(kernel, views)
            browser.measure(targets)


if __name__ == "__main__":
    main()

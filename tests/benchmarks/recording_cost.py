"""What a recording costs the calls: two servers that differ in nothing else, in turns, at 1, 16 and 128 sessions.

Beside it: what the recorder's thread needs for a call, and how far it was behind at the end. `serve FILE` is the second server.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from time import perf_counter_ns

import mcp_workbench as wb
from mcp_workbench.cli.bench.announce import Ready, announce, wait_for_end
from mcp_workbench.cli.bench.load import Measured, Order
from mcp_workbench.cli.bench.ours import add, target_of
from mcp_workbench.cli.bench.processes import Load, Server
from mcp_workbench.exploring.recording.format import Clock
from mcp_workbench.exploring.recording.lines import Crossed, Lines
from mcp_workbench.exploring.recording.reader import read
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.telemetry import CallRecord, Telemetry
from tests.benchmarks.common import line, title
from tests.benchmarks.record_cost import ended

ROUNDS = 25
SECONDS = 0.3
SESSIONS = (1, 16, 128)
BATCH = 64
TEXT = b'{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2}}}'


def serve(file: str | None) -> None:
    workbench = wb.Workbench(name="bench")
    workbench.tool(name="add_inline", run_on="inline")(add)
    workbench.tool(name="add_thread")(add)
    workbench.start()
    recorder = None if file is None else workbench.record(file)
    announce(Ready(targets={name: target_of(workbench, f"add_{name}") for name in ("inline", "thread")}, versions={}))
    wait_for_end()
    workbench.stop()
    if recorder is not None:
        recorder.stop(60)


def compare() -> None:
    title("calls with a recording beside calls without")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.mcptraffic.jsonl"
        module = [sys.executable, "-m", "tests.benchmarks.recording_cost", "serve"]
        with Server(module) as plain, Server([*module, str(file)]) as recorded, Load() as load:
            for tool in ("inline", "thread"):
                for sessions in SESSIONS:
                    _tell(f"{tool}, {sessions}", [_pair(load, plain, recorded, tool, sessions, turn) for turn in range(ROUNDS)])
        recording = read(file)
        lost = sum(gap.messages for gap in recording.lost())
        print(f"  {sum(1 for _ in recording.messages()):,} messages in {file.stat().st_size / 1e6:,.0f} MB, {lost:,} lost")


def _tell(what: str, pairs: list[tuple[Measured, Measured]]) -> None:
    line(f"{what}: p50, times", [after.p50_us / before.p50_us for before, after in pairs], "x")
    line(f"{what}: p99, times", [after.p99_us / before.p99_us for before, after in pairs], "x")
    line(f"{what}: time a call, times", [before.calls_per_s / after.calls_per_s for before, after in pairs], "x")
    without = [before for before, _ in pairs]
    line(f"{what}: p50 without", [one.p50_us for one in without], "µs")
    line(f"{what}: calls without", [one.calls_per_s for one in without], "a second")


def _pair(load: Load, plain: Server, recorded: Server, tool: str, sessions: int, turn: int) -> tuple[Measured, Measured]:
    order = (plain, recorded) if turn % 2 else (recorded, plain)
    found = {
        server: load.measure(Order(target=server.ready.targets[tool], sessions=sessions, calls=1_000_000, seconds=SECONDS))
        for server in order
    }
    return found[plain], found[recorded]


def beside() -> None:
    title("what the recorder's thread needs, µs a call")
    telemetry, lines, quick = Telemetry(), Lines(Clock(0.0), Redactor(), lambda _: None), []
    for _ in range(100):
        calls = [ended(number, telemetry.messages) for number in range(BATCH)]
        items: list[Crossed | CallRecord] = []
        for call in calls:
            items += [(message, TEXT) for message in (call.request, call.answer) if message is not None]
            items.append(call)
        begin = perf_counter_ns()
        lines.of(items)
        quick.append((perf_counter_ns() - begin) / BATCH / 1000)
    line("nothing secret in it", quick, "µs")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2] if len(sys.argv) > 2 else None)
    else:
        beside()
        compare()

"""What a recording costs the calls: two servers that differ in nothing else, in turns, at 1, 16 and 128 sessions.

Beside it: what the recorder's thread needs for a call, and how far it was behind at the end. `serve FILE` is the second server.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter_ns

import mcp_workbench as wb
from mcp_workbench.cli.bench.announce import Ready, announce, wait_for_end
from mcp_workbench.cli.bench.load import Measured, Order
from mcp_workbench.cli.bench.ours import add, target_of
from mcp_workbench.cli.bench.processes import Load, Server
from mcp_workbench.exploring.recording.format import Clock
from mcp_workbench.exploring.recording.lines import Lines
from mcp_workbench.exploring.recording.reader import read
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.telemetry import Telemetry
from tests.benchmarks.common import line, title
from tests.benchmarks.record_cost import ended

ROUNDS = 25
SECONDS = 0.3
SESSIONS = (1, 16, 128)
BATCH = 64


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
                    pairs = [_pair(load, plain, recorded, tool, sessions, turn) for turn in range(ROUNDS)]
                    line(f"{tool}, {sessions} sessions: p50, times", [after.p50_us / before.p50_us for before, after in pairs], "x")
                    line(f"{tool}, {sessions} sessions: p99, times", [after.p99_us / before.p99_us for before, after in pairs], "x")
                    line(
                        f"{tool}, {sessions} sessions: time a call",
                        [before.calls_per_s / after.calls_per_s for before, after in pairs],
                        "x",
                    )
                    print(
                        f"    {median(b.p50_us for b, _ in pairs):,.0f} µs and {median(b.calls_per_s for b, _ in pairs):,.0f} calls/s without"
                    )
        recording = read(file)
        lost = sum(gap.messages for gap in recording.lost())
        print(f"  {sum(1 for _ in recording.messages()):,} messages in {os.path.getsize(file) / 1e6:,.0f} MB, {lost:,} lost")


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
        items = [item for call in calls for item in (_with_json(call.request), _with_json(call.answer), call)]
        begin = perf_counter_ns()
        lines.of(items)
        quick.append((perf_counter_ns() - begin) / BATCH / 1000)
    line("nothing secret in it", quick, "µs")


def _with_json(message: object) -> tuple[object, bytes]:
    return message, b'{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2}}}'


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2] if len(sys.argv) > 2 else None)
    else:
        beside()
        compare()

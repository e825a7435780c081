"""What Jupyter's gateway adds: to a call, beside the kernel's own address and the floor; to Jupyter's memory with an idle connection.

A Jupyter Server, a kernel that it has started, the floor, and this process, which calls; subjects take turns in short rounds.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from urllib.parse import urlsplit

import psutil

from mcp_workbench import discovery
from mcp_workbench.cli.bench.floor import CALL, EXPECT
from mcp_workbench.cli.bench.load import Order, measure, summarise
from mcp_workbench.cli.bench.ours import INITIALIZE, INITIALIZED, META, MODERN_CALL
from mcp_workbench.cli.bench.wires import FIRST_ID, Connection, Target
from tests.benchmarks.common import floor_server, line, title
from tests.benchmarks.memory import open_session, settled_rss
from tests.gateway.jupyter import BASE
from tests.gateway.process import JupyterProcess, jupyter_process

ROUNDS = 40
CALLS = 50
WARM_ROUNDS = 4
IDLE = 50
"""Connections; the gateway takes 64 to one kernel."""
MEMORY_ROUNDS = 3
SESSIONS = 16
HTTP_HEADERS = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call",
    "Mcp-Name": "add_inline",
}
CELL = """
import mcp_workbench as wb
from mcp_workbench.cli.bench.ours import add

wb.tool(name="add_inline", run_on="inline")(add)
wb.tool(name="add_thread")(add)
wb.start()
"""


def targets_of(jupyter: JupyterProcess, kernel_id: str) -> dict[str, Target]:
    """The two tools over WebSocket and one of them over HTTP, each by both ways."""
    (entry,) = discovery.find()
    key = {"Authorization": f"Bearer {entry.token.reveal()}"}
    relayed = f"{BASE}mcp-workbench/kernels/{kernel_id}/mcp"
    ways = {
        "direct": (_port(entry.url), _port(str(entry.http_url)), "/mcp", key),
        "through the gateway": (jupyter.port, jupyter.port, relayed, jupyter.headers),
    }
    targets: dict[str, Target] = {}
    for tool in ("inline", "thread"):
        for way, (port, _, path, headers) in ways.items():
            targets[f"{tool}, {way}"] = Target(
                kind="websocket",
                port=port,
                path=path,
                body=CALL % f"add_{tool}",
                expect=EXPECT,
                headers=headers,
                opening=[INITIALIZE, INITIALIZED],
            )
    for way, (_, port, path, headers) in ways.items():
        body = MODERN_CALL % (META, "add_inline")
        targets[f"HTTP, {way}"] = Target(kind="http", port=port, path=path, body=body, expect=EXPECT, headers={**HTTP_HEADERS, **headers})
    return targets


def _port(url: str) -> int:
    return urlsplit(url).port or 0


def latencies(targets: dict[str, Target]) -> dict[str, list[int]]:
    """Nanoseconds of each call by subject, warm-up left out."""
    connections = {name: Connection(target) for name, target in targets.items()}
    seen: dict[str, list[int]] = {name: [] for name in targets}
    number = FIRST_ID
    for turn in range(ROUNDS):
        for name, connection in connections.items():
            for _ in range(CALLS):
                number += 1
                request = connection.request(number)
                begin = perf_counter_ns()
                connection.socket.sendall(request)
                answer = connection.receive()
                if turn >= WARM_ROUNDS:
                    seen[name].append(perf_counter_ns() - begin)
                connection.check(answer)
    for connection in connections.values():
        connection.close()
    return seen


def report(seen: dict[str, list[int]]) -> None:
    floor_us = median(seen["floor"]) / 1000
    for name, taken in seen.items():
        figures = summarise(taken, 1)
        print(f"  {name:<30} p50 {figures.p50_us:7.1f}  p90 {figures.p90_us:7.1f}  p99 {figures.p99_us:8.1f} µs   (n={figures.calls})")
    for tool in ("inline", "thread", "HTTP"):
        direct, relayed = (median(seen[f"{tool}, {way}"]) / 1000 for way in ("direct", "through the gateway"))
        ratios = f"{(relayed - direct) / floor_us:.2f} x the floor; {relayed / direct:.2f} times direct"
        print(f"  the gateway adds to {tool:<9} p50 {relayed - direct:7.1f} µs = {ratios}", flush=True)


def throughput(targets: dict[str, Target]) -> None:
    """With several sessions at once, from one client process."""
    for way in ("direct", "through the gateway"):
        measured = [
            measure(Order(target=targets[f"inline, {way}"], sessions=SESSIONS, seconds=2, calls=50_000)).calls_per_s for _ in range(3)
        ]
        line(f"{SESSIONS} sessions, {way}", measured, "calls/s")


def idle_kib(target: Target, pid: int) -> float:
    """What one idle connection adds to Jupyter's resident set."""
    before = settled_rss(pid)
    sessions = [open_session(target) for _ in range(IDLE)]
    grown = settled_rss(pid) - before
    for session in sessions:
        session.close()
    return grown / IDLE / 1024


def main() -> None:
    title("a call through Jupyter's gateway")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["JUPYTER_RUNTIME_DIR"] = folder  # where the kernel's discovery file is looked for
        with jupyter_process(Path(folder)) as jupyter:
            kernel_id = jupyter.open_notebook("bench.ipynb")
            asyncio.run(jupyter.run_cell(kernel_id, CELL))
            (server,) = (child for child in psutil.Process().children() if child.is_running())
            targets = targets_of(jupyter, kernel_id)
            with floor_server() as floor:
                report(latencies({"floor": floor.ready.targets["floor"], **targets}))
            relayed = targets["inline, through the gateway"]
            throughput(targets)
            # The first connections take memory that later ones use again, so the first round counts.
            line("an idle connection, first round", [idle_kib(relayed, server.pid)], "KiB")
            line("... further rounds", [idle_kib(relayed, server.pid) for _ in range(MEMORY_ROUNDS)], "KiB")


if __name__ == "__main__":
    main()

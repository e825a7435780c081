"""A real ipykernel whose main thread runs pure Python: what a call then takes, and what the cell loses to the calls.

The workbench serves from inside the kernel; a client in this process calls 50 times a second. First latency, with the kernel
idle and with a cell looping. Then the same fixed work in a cell, in alternating pairs with and without the calls; the
order within a pair changes each time, so that a drift of the machine cancels out.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from time import perf_counter_ns

import msgspec
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

import mcp_workbench
from mcp_workbench.cli.bench.load import summarise
from mcp_workbench.cli.bench.wires import FIRST_ID, Connection, Target
from tests.benchmarks.common import line, title

PER_S = 50
LATENCY_S = 12.0
PAIRS = 12
CELL_WITHIN_S = 120

SETUP = """
import sys, time
import mcp_workbench as wb
import msgspec
from mcp_workbench.cli.bench.ours import add, target_of

bench = wb.Workbench(name="bench")
bench.tool(name="add_inline", run_on="inline")(add)
bench.tool(name="add_thread")(add)
bench.start()

def loop_for(seconds):
    end, total = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        for number in range(10_000):
            total += number & 7

def fixed_work():
    begin, total = time.perf_counter(), 0
    for number in range(12_000_000):
        total += number & 7
    return time.perf_counter() - begin

print(msgspec.json.encode({name: target_of(bench, "add_" + name) for name in ("inline", "thread")}).decode())
"""


class Kernel:
    """A kernel process and its one client."""

    def __init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3")
        # The notebook's kernel finds the package where this process did.
        root = str(Path(mcp_workbench.__file__).parents[1])
        self.manager.start_kernel(env=os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])})
        self.client: BlockingKernelClient = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str) -> str:
        """Run a cell; what it printed."""
        printed: list[str] = []

        def hear(message: dict[str, dict[str, str]]) -> None:
            if message["header"]["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        reply = self.client.execute_interactive(code, output_hook=hear, timeout=CELL_WITHIN_S)
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"the cell failed: {reply['content'].get('ename')}: {reply['content'].get('evalue')}")
        return "".join(printed)

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


class Traffic:
    """Calls one tool 50 times a second on a thread of its own until told to stop."""

    def __init__(self, target: Target) -> None:
        self.connection = Connection(target)
        self.latencies_ns: list[int] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self) -> Traffic:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
        self.connection.close()

    def run(self) -> None:
        due, number = time.perf_counter(), FIRST_ID
        while not self.over.wait(max(0.0, due - time.perf_counter())):
            request = self.connection.request(number)
            begin = perf_counter_ns()
            self.connection.socket.sendall(request)
            answer = self.connection.receive()
            self.latencies_ns.append(perf_counter_ns() - begin)
            self.connection.check(answer)
            number += 1
            # A late answer delays the calls after it; it does not make them come in a burst.
            due = max(due + 1 / PER_S, time.perf_counter())


def latency(kernel: Kernel, targets: dict[str, Target]) -> None:
    for state, cell in (("idle", "time.sleep"), ("busy", "loop_for")):
        for name, target in targets.items():
            with Traffic(target) as traffic:
                kernel.run(f"{cell}({LATENCY_S})")
            seen = summarise(traffic.latencies_ns, LATENCY_S)
            print(
                f"  {state} main thread, {name:<8} p50 {seen.p50_us / 1000:7.2f}  p90 {seen.p90_us / 1000:7.2f}  "
                f"p99 {seen.p99_us / 1000:7.2f} ms   (n={seen.calls})",
                flush=True,
            )


def slowdown(kernel: Kernel, target: Target) -> list[float]:
    """Percent by which the cell takes longer with calls, one figure a pair."""
    losses = []
    for pair in range(PAIRS):
        seconds: dict[bool, float] = {}
        for with_calls in (False, True) if pair % 2 else (True, False):
            if with_calls:
                with Traffic(target):
                    seconds[True] = float(kernel.run("print(fixed_work())"))
            else:
                seconds[False] = float(kernel.run("print(fixed_work())"))
        losses.append(100 * (seconds[True] / seconds[False] - 1))
    return losses


def main() -> None:
    title(f"a real ipykernel, {PER_S} calls a second")
    kernel = Kernel()
    try:
        targets = msgspec.json.decode(kernel.run(SETUP), type=dict[str, Target])
        interval = kernel.run("print(sys.getswitchinterval())").strip()
        print(f"  switch interval without clients: {interval} s; kernel's Python {sys.version.split()[0]}")
        latency(kernel, targets)
        for name, target in targets.items():
            line(f"the cell takes longer by, {name}", slowdown(kernel, target), "%")
        kernel.run("bench.stop()")
    finally:
        kernel.stop()


if __name__ == "__main__":
    main()

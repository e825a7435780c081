"""What the bridge adds to a call: the same tool over a WebSocket and over stdio through the bridge, beside the floor.

One process serves, one is the bridge, this one calls; subjects take turns in short rounds, so that a drift of the machine
hits all alike. Two thirds of what the bridge adds are two more programs to be woken, so it grows with what else wants the cores: the
first quartile tells that from a change of ours. Afterwards: how long the bridge takes from its start to its first answer.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from statistics import median, quantiles
from time import perf_counter_ns
from typing import IO, cast

from mcp_workbench.cli.bench.load import summarise
from mcp_workbench.cli.bench.wires import FIRST_ID, Connection, Target
from tests.benchmarks.common import floor_server, line, our_server, title

ROUNDS = 40
CALLS = 100
WARM_ROUNDS = 4
STARTS = 7
COMMAND = [sys.executable, "-m", "mcp_workbench", "bridge", "--kernel", "bench"]


class Piped:
    """A host: requests as lines, answers as lines."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._into = cast("IO[bytes]", self._process.stdin).fileno()
        self._out = cast("IO[bytes]", self._process.stdout).fileno()
        for text in target.opening:
            self._say(text.encode())
            if '"id"' in text:
                self._hear()

    def call(self, number: int) -> None:
        """Make one call; the answer must be the one that was asked for."""
        self._say((self._target.body % number).encode())
        if self._target.expect.encode() not in (answer := self._hear()):
            raise RuntimeError(f"expected {self._target.expect}, got {answer[:200]!r}")

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _say(self, text: bytes) -> None:
        os.write(self._into, text + b"\n")

    def _hear(self) -> bytes:
        data = b""
        while not data.endswith(b"\n"):
            more = os.read(self._out, 65536)
            if not more:
                raise RuntimeError("the bridge has ended")
            data += more
        return data


def over_websocket(connection: Connection) -> Callable[[int], None]:
    def call(number: int) -> None:
        connection.socket.sendall(connection.request(number))
        connection.check(connection.receive())

    return call


def latencies(calls: dict[str, Callable[[int], None]]) -> dict[str, list[int]]:
    """Nanoseconds of each call by subject, warm-up left out."""
    seen: dict[str, list[int]] = {name: [] for name in calls}
    number = FIRST_ID
    for turn in range(ROUNDS):
        for name, call in calls.items():
            for _ in range(CALLS):
                number += 1
                begin = perf_counter_ns()
                call(number)
                if turn >= WARM_ROUNDS:
                    seen[name].append(perf_counter_ns() - begin)
    return seen


def first_answer_ms(target: Target) -> float:
    """From the start of the process to the answer to the host's first request."""
    begin = perf_counter_ns()
    piped = Piped(target)
    elapsed = perf_counter_ns() - begin
    piped.close()
    return elapsed / 1e6


def quiet_us(taken: list[int]) -> float:
    """The first quartile, in µs: what a call takes while nobody else wants the cores."""
    return quantiles(taken)[0] / 1000


def report(seen: dict[str, list[int]]) -> None:
    floor_us = median(seen["floor"]) / 1000
    for name, taken in seen.items():
        figures = summarise(taken, 1)
        print(f"  {name:<34} p50 {figures.p50_us:7.1f}  p90 {figures.p90_us:7.1f}  p99 {figures.p99_us:7.1f} µs   (n={figures.calls})")
    for tool in ("inline", "thread"):
        through, direct = seen[f"{tool}, through the bridge"], seen[f"{tool}, WebSocket"]
        added_us, quiet = (median(through) - median(direct)) / 1000, quiet_us(through) - quiet_us(direct)
        print(
            f"  the bridge adds to {tool:<15} p50 {added_us:7.1f} µs = {added_us / floor_us:.2f} x the floor; "
            f"p25 {quiet:7.1f} µs = {quiet / quiet_us(seen['floor']):.2f} x",
            flush=True,
        )


def main() -> None:
    title("a call through the bridge")
    with tempfile.TemporaryDirectory() as runtime:
        os.environ["JUPYTER_RUNTIME_DIR"] = runtime  # no other notebook of this user is in the way
        with floor_server() as floor, our_server() as ours:
            targets = ours.ready.targets
            connections = {"floor": floor.ready.targets["floor"], **{f"{tool}, WebSocket": targets[tool] for tool in ("inline", "thread")}}
            open_ones = {name: Connection(target) for name, target in connections.items()}
            piped = {f"{tool}, through the bridge": Piped(targets[tool]) for tool in ("inline", "thread")}
            websockets = {name: over_websocket(each) for name, each in open_ones.items()}
            report(latencies(websockets | {name: each.call for name, each in piped.items()}))
            for connection in open_ones.values():
                connection.close()
            for each in piped.values():
                each.close()
            line("start to first answer, kernel there", [first_answer_ms(targets["inline"]) for _ in range(STARTS)], "ms")
        line("start to first answer, no kernel", [first_answer_ms(targets["inline"]) for _ in range(STARTS)], "ms")


if __name__ == "__main__":
    main()

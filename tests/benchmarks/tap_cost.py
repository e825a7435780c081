"""What a tap adds to a call over WebSocket: the same tool directly and through `mcp-workbench tap`, beside the floor.

One process serves, one taps, this one calls; subjects take turns in short rounds, so that a drift of the machine hits all alike.
A third process is woken twice more in every call, whatever it does; what that alone costs is measured beside it, with one that
copies bytes and reads none of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median
from typing import IO, cast

import msgspec

from mcp_workbench.cli.bench.load import summarise
from mcp_workbench.cli.bench.wires import Connection, Target
from mcp_workbench.offer import TOKEN_VARIABLE
from tests.benchmarks.bridge_cost import latencies, over_websocket
from tests.benchmarks.common import floor_server, our_server, title

TOKEN = "a-token-of-this-benchmark-only-0123456789"  # a server of a minute, on loopback


class TapProcess:
    """`mcp-workbench tap` before one target."""

    def __init__(self, target: Target) -> None:
        upstream_token = target.headers.get("Authorization", "").removeprefix("Bearer ")
        environment = os.environ | {TOKEN_VARIABLE: TOKEN, "MCP_TAP_TOKEN": upstream_token}
        command = [sys.executable, "-m", "mcp_workbench", "tap", f"ws://127.0.0.1:{target.port}{target.path}"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        said = cast("IO[str]", self._process.stdout).readline()
        self.port = int(said.partition("ws://127.0.0.1:")[2].partition("/")[0])

    def target(self, behind: Target) -> Target:
        """The same call, through the tap."""
        return msgspec.structs.replace(behind, port=self.port, path="/mcp", headers=behind.headers | {"Authorization": f"Bearer {TOKEN}"})

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.communicate()


class CopyProcess:
    """A process between, that only copies bytes."""

    def __init__(self, target: Target) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.peers.bytes_copy", str(target.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(cast("IO[str]", self._process.stdout).readline())

    def close(self) -> None:
        """It ends with its client."""
        self._process.communicate()


def main() -> None:
    title("a call through a tap")
    with floor_server() as floor, our_server() as ours:
        targets = ours.ready.targets
        taps = {tool: TapProcess(targets[tool]) for tool in ("inline", "thread")}
        copies = {tool: CopyProcess(targets[tool]) for tool in taps}
        subjects = {"floor": floor.ready.targets["floor"]}
        for tool, tap in taps.items():
            subjects |= {f"{tool}, directly": targets[tool], f"{tool}, through the tap": tap.target(targets[tool])}
            subjects[f"{tool}, bytes copied"] = msgspec.structs.replace(targets[tool], port=copies[tool].port)
        open_ones = {name: Connection(target) for name, target in subjects.items()}
        seen = latencies({name: over_websocket(each) for name, each in open_ones.items()})
        for connection in open_ones.values():
            connection.close()
        for tool in taps:
            taps[tool].close()
            copies[tool].close()
    floor_us = median(seen["floor"]) / 1000
    for name, taken in seen.items():
        figures = summarise(taken, 1)
        print(f"  {name:<34} p50 {figures.p50_us:7.1f}  p90 {figures.p90_us:7.1f}  p99 {figures.p99_us:7.1f} µs   (n={figures.calls})")
    for tool in taps:
        for what, through in (("the tap", "through the tap"), ("copying bytes", "bytes copied")):
            added_us = (median(seen[f"{tool}, {through}"]) - median(seen[f"{tool}, directly"])) / 1000
            print(f"  {what} adds to {tool:<12} p50 {added_us:7.1f} µs = {added_us / floor_us:.2f} x the floor", flush=True)


if __name__ == "__main__":
    main()

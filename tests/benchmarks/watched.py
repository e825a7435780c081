"""The kernel that is watched under measurement: ten tools, ten DataFrames; each line it reads, it answers with its processor time.

The views find it, as programs do, by its discovery file.
"""

from __future__ import annotations

import sys
import time

import msgspec
import pandas as pd

import mcp_workbench as wb
from mcp_workbench.cli.bench.announce import Ready, announce
from mcp_workbench.cli.bench.ours import add, target_of

TOOLS = 10
TABLES = 10


class Reading(msgspec.Struct):
    """What is answered."""

    cpu_ns: int
    """Processor time of the process since its start."""


def main() -> None:
    """Serve until stdin ends."""
    workbench = wb.Workbench(name="watched")
    for number in range(TOOLS):
        workbench.tool(name=f"tool{number}", run_on="inline")(add)
    for number in range(TABLES):
        workbench.publish(f"table{number}", pd.DataFrame({"n": range(1000)}))
    workbench.start()
    announce(Ready(targets={f"tool{number}": target_of(workbench, f"tool{number}") for number in range(TOOLS)}, versions={}))
    for _ in sys.stdin.buffer:
        sys.stdout.buffer.write(msgspec.json.encode(Reading(time.process_time_ns())) + b"\n")
        sys.stdout.buffer.flush()
    workbench.stop()


if __name__ == "__main__":
    main()

"""`import mcp_workbench` in a fresh interpreter, less what the interpreter takes by itself; and what it pulls in.

Then the first cell of a notebook, in a real kernel: first use, start, the display.
"""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter_ns

from tests.benchmarks.busy_kernel import Kernel
from tests.benchmarks.common import line, title

ROUNDS = 11
KERNELS = 5
FIRST_CELL = """
import time
import mcp_workbench as wb
def timed(act):
    begin = time.perf_counter()
    act()
    print((time.perf_counter() - begin) * 1000, end=" ")
timed(lambda: wb.tool)
timed(wb.start)
timed(wb.show)
timed(wb.show)
"""
STATEMENTS = ("in a kernel: first use", "... start()", "... show()", "... show() once more")
HEAVY = (
    *("pandas", "numpy", "narwhals", "polars", "pyarrow", "duckdb"),
    *("IPython", "ipykernel", "ipywidgets", "pydantic", "websockets", "msgspec", "asyncio", "rich", "typer"),
)


def start_ms(code: str) -> float:
    begin = perf_counter_ns()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (perf_counter_ns() - begin) / 1e6


def first_cell_ms() -> list[float]:
    """Of each statement, in a fresh kernel."""
    kernel = Kernel()
    try:
        printed = kernel.run(FIRST_CELL)
    finally:
        kernel.stop()
    return [float(word) for word in printed.split() if word.replace(".", "").isdigit()]


def main() -> None:
    title("import time, ms")
    samples: dict[str, list[float]] = {
        "pass": [],
        "import mcp_workbench": [],
        "import mcp_workbench as wb; wb.tool": [],
        "import pandas": [],
    }
    for _ in range(ROUNDS):
        for code, taken in samples.items():
            taken.append(start_ms(code))
    for code in list(samples)[1:]:
        line(code, [one - bare for one, bare in zip(samples[code], samples["pass"], strict=True)], "ms")
    code = f"import sys, mcp_workbench; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    print(f"  of {', '.join(HEAVY)} it imports: {loaded or 'none'}", flush=True)
    cells = [first_cell_ms() for _ in range(KERNELS)]
    for name, times in zip(STATEMENTS, zip(*cells, strict=True), strict=True):
        line(name, times, "ms")


if __name__ == "__main__":
    main()

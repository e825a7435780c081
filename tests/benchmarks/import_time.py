"""`import mcp_workbench` in a fresh interpreter, less what the interpreter takes by itself; and what it pulls in."""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter_ns

from tests.benchmarks.common import line, title

ROUNDS = 11
HEAVY = (
    *("pandas", "numpy", "narwhals", "polars", "pyarrow", "duckdb"),
    *("IPython", "ipykernel", "ipywidgets", "pydantic", "websockets", "msgspec", "asyncio", "rich", "typer"),
)


def start_ms(code: str) -> float:
    begin = perf_counter_ns()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (perf_counter_ns() - begin) / 1e6


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
    print(f"  of {', '.join(HEAVY)} it imports: {loaded or 'none'}")


if __name__ == "__main__":
    main()

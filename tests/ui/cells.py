"""What the notebooks of these tests hold."""

from __future__ import annotations

SERVING = """
import time
from pathlib import Path
import pandas as pd
import mcp_workbench as wb

@wb.tool
def add(a: int, b: int) -> int:
    "Add."
    return a + b

@wb.tool
def divide(a: int, b: int) -> int:
    "Divide."
    return a // b

@wb.tool
def slow(ctx: wb.Context) -> str:
    "Goes on until it is stopped."
    ctx.report_progress(3, 10, "three of ten")
    while True:
        ctx.check_cancelled()
        time.sleep(0.02)

@wb.tool(background_after_s=0.1)
def report(ctx: wb.Context) -> str:
    "Goes on as a job until it is stopped."
    ctx.report_progress(1, 4, "one of four")
    while True:
        ctx.check_cancelled()
        time.sleep(0.02)

flights = pd.DataFrame({"origin": ["JFK", "LGA"], "delay": [1.5, 2.5]})
wb.publish(flights=flights)
"""
SHOW = SERVING + "wb.show()"
START = SERVING + "server = wb.start()"
BUSY = """
Path("busy").touch()
while Path("busy").exists():
    pass
"""
"""Pure Python that never rests, until the file is taken away."""
CHANGE = 'flights.loc[0, "delay"] = 42.25'

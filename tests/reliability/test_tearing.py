"""A cell rewrites a DataFrame step by step while agents call tools on it: no call may see a step.

The DataFrame keeps promises that hold between cells and are broken inside one. Each call checks them on
what it was given, and on what it reads by URI; one broken promise in ten thousand calls is a failure.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

import mcp_workbench as wb
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from mcp_workbench.serving.subscriptions import INTERVAL_S
from mcp_workbench.workbench import core
from tests.support.host import ScriptedHost
from tests.support.stage import running, talking, within
from tests.support.talk import Talk, text_of

ROWS = 2_000
CALLS = 10_000
SESSIONS = 4
AT_ONCE = 16
UPDATED = "notifications/resources/updated"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedHost]:
    host = ScriptedHost()
    monkeypatch.setattr(core, "current_host", lambda: host)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-4)  # what the server lowers it to while clients are connected
    yield host
    sys.setswitchinterval(interval)


def _frame(rows: int = ROWS) -> pd.DataFrame:
    numbers = np.arange(rows)
    return pd.DataFrame({"out": numbers, "back": -numbers, "round": np.zeros(rows, dtype=int), "turn": np.zeros(rows, dtype=int)})


def _rewrite(frame: pd.DataFrame, turn: int) -> None:
    """One cell's work: between any two lines the promises are broken."""
    half = len(frame) // 2
    frame.loc[: half - 1, "out"] = frame["out"].to_numpy()[:half] + turn
    frame["turn"] = turn
    frame.iloc[half:, 0] = frame["out"].to_numpy()[half:] + turn
    frame["back"] = frame["back"] - turn
    if turn % 3 == 0:
        order = np.argsort(frame["back"].to_numpy())
        for column in ("out", "back"):
            frame[column] = frame[column].to_numpy()[order]
    if turn % 5 == 0:
        frame.columns = pd.Index(["gone", "back", "round", "turn"])
        frame.columns = pd.Index(["out", "back", "round", "turn"])
    if turn % 7 == 0:
        frame.insert(0, "extra", turn)
        del frame["extra"]


def _broken_promise(flights: pd.DataFrame) -> str | None:
    if list(flights.columns) != ["out", "back", "round", "turn"] or len(flights) != ROWS:
        return f"{len(flights)} rows of {list(flights.columns)}"
    out, back, turn = (flights[column].to_numpy() for column in ("out", "back", "turn"))
    if (out + back).any():
        return "out and back do not make a round trip"
    return "two turns at once" if (turn != turn[0]).any() else None


@pytest.mark.slow
def test_ten_thousand_calls_beside_a_rewriting_cell_see_whole_cells_only(host: ScriptedHost) -> None:
    workbench = wb.Workbench()
    frame = host.variables["flights"] = _frame()
    workbench.publish(flights=frame)
    done, sent = threading.Event(), threading.Semaphore(0)
    turns: set[int] = set()

    @workbench.tool
    def look(flights: pd.DataFrame) -> str:
        broken = _broken_promise(flights)
        if broken is not None:
            raise AssertionError(broken)
        turn = int(flights["turn"].iloc[0])
        turns.add(turn)
        return str(turn)

    async def session(version: str, calls: int) -> None:
        async with talking(workbench, version, checked=False) as talk:
            open_calls: list[str | int] = []
            latest = 0
            for number in range(calls):
                open_calls.append(talk.call("look"))
                if len(open_calls) == AT_ONCE or number == calls - 1:
                    sent.release()  # one cell beside each handful of calls
                    for request_id in open_calls:
                        result = (await talk.answer(request_id))["result"]
                        assert not result.get("isError"), text_of(result)
                    latest = max(latest, int(text_of(result).partition("\n")[0]))
                    open_calls.clear()
                    assert await _rows_hold(talk) >= latest, "a version that was seen is never taken back"

    async def sessions() -> None:
        versions = (LATEST_LEGACY, LATEST_MODERN) * (SESSIONS // 2)
        await asyncio.gather(*(session(version, CALLS // SESSIONS) for version in versions))

    faults: list[BaseException] = []

    def clients() -> None:
        try:
            within(sessions, seconds=100)
        except BaseException as fault:
            faults.append(fault)
        finally:
            done.set()
            sent.release()

    with running(workbench):
        thread = threading.Thread(target=clients)
        thread.start()
        turn = 0
        while not done.is_set():
            sent.acquire()
            turn += 1
            with host.running_cell():
                _rewrite(frame, turn)
        thread.join()
    assert faults == []
    assert len(turns) > 100, "the cell has hardly run beside the calls"
    assert workbench.telemetry.histogram("look", failed=True).count == 0


async def _rows_hold(talk: Talk) -> int:
    """Read some rows by URI; returns the turn they are of."""
    read = await talk.result("resources/read", {"uri": "df://flights/rows?limit=5&offset=998&columns=out,back,turn"})
    lines = [line.split(",") for line in read["contents"][0]["text"].splitlines()[1:6]]
    assert [int(out) + int(back) for out, back, _ in lines] == [0] * 5
    assert len({turn for *_, turn in lines}) == 1
    return int(lines[0][2])


def test_after_the_last_change_every_subscriber_is_told_and_never_too_often(host: ScriptedHost) -> None:
    workbench = wb.Workbench()
    frame = host.variables["flights"] = _frame()
    workbench.publish(flights=frame)

    async def follow(talk: Talk) -> None:
        if talk.modern:
            talk.ask("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["df://flights"]}})
            await talk.news("notifications/subscriptions/acknowledged")
        else:
            await talk.result("resources/subscribe", {"uri": "df://flights"})

    async def last_turn_is_told(talk: Talk, turn: int) -> int:
        """Read at each notification until the last state is read; returns how often it was told."""
        for count in range(1, 1_000):
            await talk.news(UPDATED)
            if await _rows_hold(talk) == turn:
                return count
        raise AssertionError("told too often")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with talking(workbench, LATEST_LEGACY) as one, talking(workbench, LATEST_MODERN) as other, talking(workbench) as third:
            for talk in (one, other, third):
                await follow(talk)
            began = loop.time()
            turns = 0

            def cells() -> None:
                nonlocal turns
                for turns in range(1, 41):  # the last one is what is waited for
                    with host.running_cell():
                        _rewrite(frame, turns)

            await asyncio.to_thread(cells)
            for talk in (one, other, third):
                count = await last_turn_is_told(talk, turns)
                # One at once, then at most one per interval, counted from the feed's first.
                assert count <= 2 + (loop.time() - began) / INTERVAL_S
            for talk in (one, other, third):
                await talk.fence()
                assert len(talk.inbox) <= 1, "the last state may have been read before it was told of"

    with running(workbench):
        within(main)


def test_one_cell_is_one_version_and_one_announcement(host: ScriptedHost) -> None:
    workbench = wb.Workbench()

    async def main() -> None:
        async with talking(workbench) as talk:
            with host.running_cell():
                host.variables["flights"] = _frame()
                workbench.publish(flights=host.variables["flights"])
                for name in ("one", "two", "three"):
                    workbench.tool(name=name)(_frame)
                workbench.unpublish("two")
            await talk.fence()
            assert len(talk.heard("notifications/tools/list_changed")) == 1
            talk.inbox.clear()
            with host.running_cell():
                for name in ("one", "three"):
                    workbench.tool(name=name)(_frame)
                for turn in (1, 2, 3):
                    _rewrite(host.variables["flights"], turn)
            await talk.fence()
            assert talk.inbox == [], "the same definitions again are no news"
            assert workbench.status().dataframes == ("flights v2, 2,000 x 4",)

    with running(workbench):
        within(main)


def test_a_cell_that_deletes_its_variable_leaves_the_last_version(host: ScriptedHost) -> None:
    workbench = wb.Workbench()
    with running(workbench):
        with host.running_cell():
            host.variables["flights"] = _frame()
            workbench.publish(flights=host.variables["flights"])
        with host.running_cell():
            del host.variables["flights"]
        assert len(workbench.get("flights")) == ROWS
        with host.running_cell():
            host.variables["flights"] = _frame(3)
        assert len(workbench.get("flights")) == 3

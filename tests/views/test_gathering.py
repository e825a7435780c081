"""What a view says of a Workbench that serves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from mcp_workbench.protocol.wire import Implementation
from mcp_workbench.telemetry import Histogram
from mcp_workbench.views.facts import BARS, View
from mcp_workbench.views.gathering import Gathering, bars_of
from mcp_workbench.workbench import Workbench


@pytest.fixture
def workbench() -> Iterator[Workbench]:
    workbench = Workbench("trips")
    yield workbench
    workbench.stop()


def _gathering(workbench: Workbench) -> Gathering:
    return Gathering("trips", workbench._offer, lambda: workbench._running, workbench._dataframe_lines)


def test_a_view_tells_of_sessions_calls_tools_and_dataframes(workbench: Workbench) -> None:
    @workbench.tool
    def half(n: int) -> float:
        return 1 / n

    workbench.publish(flights=pd.DataFrame({"a": [1]}))
    gathering = _gathering(workbench)
    assert gathering.look() == View("trips", None, offered=1, dataframes=("flights v1, 1 x 1",))
    workbench.start()

    async def visit() -> View:
        async with asyncio.timeout(10):
            bob = workbench.tokens.add("bob")
            async with workbench.connect(token=bob, era="legacy", client_info=Implementation(name="visitor", version="7")) as session:
                await session.call_tool("half", n=2)
                await session.call_tool("half", n=0)
                await session.read_resource("df://flights")
                await session.list_tools()  # a call is recorded when its answer has left; the next request comes after that
                return gathering.look()

    view = asyncio.run(visit())
    [session] = view.sessions
    assert (session.client, session.protocol, session.principal, session.running) == ("visitor 7", "2025-11-25 legacy", "bob", 0)
    assert [(call.target, call.outcome, call.who) for call in view.calls] == [
        ("df://flights", "ok", "visitor (bob)"),
        ("half", "tool_error", "visitor (bob)"),
        ("half", "ok", "visitor (bob)"),
    ]
    assert "ZeroDivisionError" in view.calls[1].error
    [tool] = view.tools
    assert (tool.name, tool.calls, tool.errors, sum(tool.bars)) == ("half", 2, 1, 1)
    assert view.failed == 1
    assert view.since is not None


def test_a_call_that_goes_on_as_a_job_is_shown_when_it_is_answered_and_when_it_ends(workbench: Workbench) -> None:
    go_on = threading.Event()

    def long() -> None:
        go_on.wait(30)
        raise OSError("late")

    soon: dict[str, Any] = {"background_after_s": 0.01}
    workbench.tool(**soon)(long)
    workbench.start()
    gathering = _gathering(workbench)

    async def visit() -> View:
        async with asyncio.timeout(30), workbench.connect(tasks=False) as session:
            await session.call_tool("long")
            go_on.set()
            await session.call_tool("job_wait", job="j1", wait_s=30)
            await session.list_tools()
            return gathering.look()

    view = asyncio.run(visit())
    assert [(call.title, call.failed) for call in view.calls] == [("job_wait", False), ("long (job)", True), ("long → job j1", False)]
    assert view.failed == 1


def test_equal_moments_are_equal_views(workbench: Workbench) -> None:
    workbench.start()
    gathering = _gathering(workbench)
    assert gathering.look() == gathering.look()


def test_bars_are_half_decades_from_ten_microseconds_and_their_ends_take_the_rest() -> None:
    bars = bars_of(Histogram([1, 12_000, 50_000, 2_000_000, 2_000_000, 10**13]))
    assert len(bars) == BARS
    assert (bars[0], bars[1], bars[4], bars[-1]) == (2, 1, 2, 1)
    assert sum(bars) == 6


def test_a_script_prints_the_view_once(workbench: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    workbench.show()
    workbench.stop()
    printed = capsys.readouterr().out
    assert printed.startswith("mcp_workbench 'trips' serves at ws://127.0.0.1:")
    assert "is stopped" not in printed
    assert workbench.token not in printed


def test_what_this_version_does_not_show_is_said_before_anything_starts(workbench: Workbench) -> None:
    with pytest.raises(
        ValueError, match="panel is one of all, connect, sessions, calls, messages, timeline, latency, dataframes, kernel; got 'traffic'"
    ):
        workbench.show("traffic")
    assert not workbench.running

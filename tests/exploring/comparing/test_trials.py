"""The same calls against two versions of a tool."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from mcp_workbench import AsyncContext, Context, Workbench
from mcp_workbench.errors import RegistrationError, WorkbenchError
from mcp_workbench.exploring.comparing.answers import Volatile
from mcp_workbench.exploring.comparing.comparison import Comparison
from mcp_workbench.exploring.comparing.playing import Asked
from mcp_workbench.exploring.traffic import Traffic
from mcp_workbench.exploring.writing.pytest_file import pytest_file
from tests.exploring.rig import calling

WITHIN_S = 20


def first(flights: pd.DataFrame, n: int = 2) -> pd.DataFrame:
    """The first rows."""
    return flights.head(n)


def last(flights: pd.DataFrame, n: int = 2) -> pd.DataFrame:
    return flights.tail(n)


async def later(flights: pd.DataFrame, ctx: AsyncContext, n: int = 2) -> pd.DataFrame:
    await ctx.report_progress(1, 2)
    return flights.head(n)


async def with_the_wrong_context(ctx: Context, n: int = 2) -> int:
    return n


@pytest.fixture
def workbench() -> Iterator[Workbench]:
    workbench = Workbench("tried")
    workbench.tool(first)
    workbench.publish(flights=pd.DataFrame({"delay": range(5)}))

    @workbench.tool(read_only=True)
    def add(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    async def visit() -> None:
        async with workbench.connect() as session:
            for n in (1, 5):
                await session.call_tool("first", n=n)
            await session.call_tool("add", a=1)

    with calling(workbench):
        asyncio.run(visit())
        yield workbench


def compared(workbench: Workbench, calls: Any, **options: Any) -> Comparison:
    async def bounded() -> Comparison:
        async with asyncio.timeout(WITHIN_S):
            return await workbench.traffic.ab(calls, **options)

    return asyncio.run(bounded())


def test_two_functions_answer_the_same_calls_over_what_is_published(workbench: Workbench) -> None:
    calls = workbench.traffic.calls("tool:first")
    before = len(workbench.traffic.calls())
    comparison = compared(workbench, calls, a=first, b=last, repeat=3)
    assert [diff.ok for diff in comparison] == [False, True] * 3
    assert comparison.labels == ("a: first", "b: last")
    assert comparison.latencies["tools/call first"].a.count == 6
    assert comparison[0].result[0].where == "$.content[0].text"
    assert len(workbench.traffic.calls()) == before, "a trial is no traffic of the notebook"


def test_a_version_is_compared_with_what_was_recorded(workbench: Workbench) -> None:
    comparison = compared(workbench, workbench.traffic.calls("tool:first"), b=first)
    assert comparison.ok, comparison
    assert comparison.labels == ("a: as recorded", "b: first")


def test_a_version_is_served_as_any_tool(workbench: Workbench) -> None:
    calls = workbench.traffic.calls("tool:first")
    assert compared(workbench, calls, b=later).ok
    with pytest.raises(RegistrationError, match="AsyncContext"):
        compared(workbench, calls, b=with_the_wrong_context)


def test_servers_are_versions_too_and_their_destructive_tools_wait_for_a_word(workbench: Workbench) -> None:
    other = Workbench("other")
    called: list[int] = []

    @other.tool
    def add(a: int, b: int = 2) -> int:
        """Add, and change something."""
        called.append(a)
        return a + b + 1

    with calling(other):
        calls = workbench.traffic.calls("tool:add")
        opening = {"b": other.connect(other.url, token=other.token)}
        with pytest.raises(WorkbenchError, match="no call was made: add may change something, and nobody could be asked"):
            compared(workbench, calls, **opening)
        assert called == []
        comparison = compared(workbench, calls, b=other.connect(other.url, token=other.token), destructive="run")
        assert [str(each) for diff in comparison for each in diff.result] == ['$.content[0].text: "3" → "4"']


def test_a_call_that_was_made_through_another_tool_is_made_of_the_function_that_was_meant(workbench: Workbench) -> None:
    async def visit() -> None:
        async with workbench.connect() as session:
            await session.call_tool("notebook_call", function="first", arguments={"n": 3})

    asyncio.run(visit())
    calls = workbench.traffic.calls("tool:first")[-1:]
    assert calls[0].params["name"] == "notebook_call"
    assert compared(workbench, calls, b=first).ok
    assert "server.call('notebook_call', {'function': 'first', 'arguments': {'n': 3}})" in pytest_file(
        calls, {}, Asked(list(calls), Volatile()), command=["server"]
    )


def test_a_function_stands_for_one_tool(workbench: Workbench) -> None:
    with pytest.raises(ValueError, match="a function stands for one tool"):
        compared(workbench, workbench.traffic.calls(), b=last)


def test_what_cannot_be_asked_again_is_said(workbench: Workbench) -> None:
    calls = workbench.traffic.calls("tool:first")
    with pytest.raises(ValueError, match="repeat is how often"):
        compared(workbench, calls, b=last, repeat=0)
    with pytest.raises(WorkbenchError, match="none of 0 calls can be made again: there are none"):
        compared(workbench, [], b=last)
    for call in calls:
        assert call.record.request is not None
        call.record.request.raw = b""
    with pytest.raises(WorkbenchError, match="its request is kept no longer"):
        compared(workbench, calls, b=last)


def test_a_recording_runs_no_function(workbench: Workbench, tmp_path: Any) -> None:
    loaded = Traffic.load(workbench.traffic.calls().save(tmp_path / "r"))
    with pytest.raises(WorkbenchError, match="no notebook to run a function in"):
        asyncio.run(loaded.ab(loaded.calls("tool:first"), b=last))

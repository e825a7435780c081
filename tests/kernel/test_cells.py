"""DataFrames and tools that change in cells of a real kernel, as agents of both eras see it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.kernel.harness import (
    FLIGHTS,
    FRESH_CELL,
    Agents,
    ServingKernel,
    agents,
    begin_in_subshell,
    cell,
    make_subshell,
    ran,
    real_kernel,
    running_cell,
)

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingKernel]:
    with real_kernel(tmp_path_factory.mktemp("kernel")) as kernel:
        yield kernel


@pytest.fixture
def kernel(shared: ServingKernel) -> ServingKernel:
    """With three flights in it, published."""
    ran(shared.run(FRESH_CELL))
    return shared


async def changed_once(visitors: Agents) -> list[str]:
    """The lines of the table, after exactly one notification about it; and nothing else was told."""
    await visitors.hear(FLIGHTS)
    rows = await visitors.rows()
    assert await visitors.settle() == [FLIGHTS]
    return rows


def test_a_cell_that_changes_a_dataframe_in_several_steps_is_told_once_and_only_its_end_is_seen(kernel: ServingKernel) -> None:
    async def main() -> None:
        async with agents(kernel) as visitors:
            before = await visitors.version()
            await cell(
                kernel,
                """
flights.loc[0, "delay"] = 60.0
flights["delay"] = -1.0
flights["delay"] = [61.0, 62.0, 63.0]
flights.loc[2, "carrier"] = "DL"
""",
            )
            await visitors.hear(FLIGHTS)
            assert await visitors.rows() == ["carrier,delay", "UA,61.0", "AA,62.0", "DL,63.0"]
            assert await visitors.version() == before + 1
            assert await visitors.settle() == [FLIGHTS]

    asyncio.run(main())


def test_unrelated_cells_tell_nobody(kernel: ServingKernel) -> None:
    async def main() -> None:
        async with agents(kernel) as visitors:
            before = await visitors.version()
            await cell(kernel, "unrelated = flights.sum(numeric_only=True)\nother = flights.copy()\nother['delay'] = 0.0")
            await cell(kernel, "flights.groupby('carrier').mean()")
            assert await visitors.settle() == []
            assert await visitors.version() == before

    asyncio.run(main())


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        (
            "flights = pd.concat([flights, pd.DataFrame({'carrier': ['WN'], 'delay': [7.0]})], ignore_index=True)",
            ["carrier,delay", "UA,2.0", "AA,4.0", "B6,2.0", "WN,7.0"],
        ),
        ("flights['gate'] = [1, 2, 3]", ["carrier,delay,gate", "UA,2.0,1", "AA,4.0,2", "B6,2.0,3"]),
        ("flights = pd.DataFrame({'carrier': ['ZZ']})", ["carrier", "ZZ"]),
        ("flights.pop('delay')", ["carrier", "UA", "AA", "B6"]),
    ],
    ids=["append", "new column", "another DataFrame", "column taken out"],
)
def test_every_way_to_change_a_dataframe_is_noticed(kernel: ServingKernel, change: str, rows: list[str]) -> None:
    async def main() -> None:
        async with agents(kernel) as visitors:
            await cell(kernel, change)
            assert await changed_once(visitors) == rows

    asyncio.run(main())


@pytest.mark.parametrize(
    ("change", "state"),
    [("del flights", "its variable flights was deleted"), ("flights = 'gone'", "its variable flights now holds")],
    ids=["deleted", "no DataFrame any more"],
)
def test_a_lost_variable_leaves_the_last_version_served_and_the_card_says_why(kernel: ServingKernel, change: str, state: str) -> None:
    async def main() -> None:
        async with agents(kernel) as visitors:
            before = await visitors.version()
            await cell(kernel, change)
            assert await visitors.rows() == ["carrier,delay", "UA,2.0", "AA,4.0", "B6,2.0"]
            assert await visitors.version() == before
            assert state in (await visitors.each[0].session.read_resource(FLIGHTS)).text
            await visitors.settle()
            await cell(kernel, "flights = pd.DataFrame({'carrier': ['UA'], 'delay': [9.0]})")
            assert await changed_once(visitors) == ["carrier,delay", "UA,9.0"]

    asyncio.run(main())


def test_a_cell_that_awaits_is_not_seen_half_done(kernel: ServingKernel) -> None:
    async def main() -> None:
        async with agents(kernel) as visitors:
            await cell(kernel, "import asyncio\ngo_on = asyncio.Event()\nkernel_loop = asyncio.get_running_loop()\nawait asyncio.sleep(0)")
            await cell(kernel, "@wb.tool\ndef finish() -> None:\n    kernel_loop.call_soon_threadsafe(go_on.set)\n")
            await visitors.hear("tools")
            await visitors.settle()
            code = "flights.loc[0, 'delay'] = 100.0\nprint('begun')\nawait go_on.wait()\nflights.loc[0, 'delay'] = 200.0"
            async with running_cell(kernel, code):
                # A call that ends while the cell waits has the kernel's loop look for changes: it must not, a cell is at work.
                assert await visitors.call("add", a=1, b=2) == "3"
                assert (await visitors.rows())[1] == "UA,2.0"
                assert await visitors.settle() == []
                await visitors.call("finish")
            assert (await changed_once(visitors))[1] == "UA,200.0"
            await cell(kernel, "wb.unpublish('finish')")

    asyncio.run(main())


def test_a_silent_execution_that_changes_a_dataframe_is_noticed(kernel: ServingKernel) -> None:
    async def main() -> None:
        async with agents(kernel) as visitors:
            ran(await asyncio.to_thread(kernel.run, "flights.loc[0, 'delay'] = 5.0", silent=True))
            assert (await changed_once(visitors))[1] == "UA,5.0"

    asyncio.run(main())


def test_a_subshells_cell_is_noticed_between_cells_and_never_in_the_middle_of_one(kernel: ServingKernel) -> None:
    async def main() -> None:
        subshell = await asyncio.to_thread(make_subshell, kernel)
        async with agents(kernel) as visitors:
            beside = begin_in_subshell(kernel, subshell, "flights.loc[0, 'delay'] = 30.0")
            ran(await asyncio.to_thread(kernel.finish, beside))
            assert (await changed_once(visitors))[1] == "UA,30.0"
            await cell(kernel, "import threading\ngo_on = threading.Event()")
            code = "flights.loc[0, 'delay'] = 40.0\nprint('begun')\ngo_on.wait(20)\nflights.loc[0, 'delay'] = 50.0"
            async with running_cell(kernel, code):
                beside = begin_in_subshell(kernel, subshell, "1 + 1")
                assert ran(await asyncio.to_thread(kernel.finish, beside)).result == "2"
                assert await visitors.settle() == []
                assert (await visitors.rows())[1] == "UA,30.0"
                ran(await asyncio.to_thread(kernel.finish, begin_in_subshell(kernel, subshell, "go_on.set()")))
            assert (await changed_once(visitors))[1] == "UA,50.0"

    asyncio.run(main())


def test_a_cell_within_a_cell_is_part_of_it(kernel: ServingKernel) -> None:
    async def main() -> None:
        async with agents(kernel) as visitors:
            before = await visitors.version()
            await cell(
                kernel,
                "flights.loc[0, 'delay'] = 6.0\nget_ipython().run_cell(\"flights.loc[1, 'delay'] = 6.0\")\nflights.loc[2, 'delay'] = 6.0",
            )
            assert await changed_once(visitors) == ["carrier,delay", "UA,6.0", "AA,6.0", "B6,6.0"]
            assert await visitors.version() == before + 1

    asyncio.run(main())


def test_a_failing_cell_tells_what_it_changed_before_it_failed(kernel: ServingKernel) -> None:
    async def main() -> None:
        async with agents(kernel) as visitors:
            failed = await asyncio.to_thread(kernel.run, "flights.loc[0, 'delay'] = 8.0\n1 / 0")
            assert failed.error == "ZeroDivisionError: division by zero"
            assert (await changed_once(visitors))[1] == "UA,8.0"

    asyncio.run(main())


TWO_TOOLS = """
@wb.tool
def double(n: int) -> int:
    "Twice."
    return 2 * n

@wb.tool
def halve(n: int) -> float:
    "Half."
    return n / 2
"""


def test_the_list_of_tools_changes_once_per_cell_and_only_when_a_definition_did(kernel: ServingKernel) -> None:
    async def main() -> None:
        async with agents(kernel) as visitors:
            await cell(kernel, TWO_TOOLS)
            await visitors.hear("tools")
            assert await visitors.settle() == ["tools"]
            assert {"double", "halve"} <= {tool.name for tool in await visitors.each[0].session.list_tools()}
            await cell(kernel, TWO_TOOLS)
            assert await visitors.settle() == []
            await cell(kernel, TWO_TOOLS.replace("Twice.", "Two times."))
            await visitors.hear("tools")
            assert await visitors.settle() == ["tools"]
            await cell(kernel, "wb.unpublish('double'); wb.unpublish('halve')")
            assert await visitors.settle() == ["tools"]

    asyncio.run(main())


def test_publishing_and_withdrawing_a_dataframe_changes_the_list_of_resources(kernel: ServingKernel) -> None:
    async def main() -> None:
        async with agents(kernel) as visitors:
            await cell(kernel, "planes = pd.DataFrame({'tail': ['N1']})\nwb.publish(planes=planes)")
            await visitors.hear("resources")
            assert "df://planes" in [resource.uri for resource in await visitors.each[0].session.list_resources()]
            await cell(kernel, "wb.unpublish('planes')")
            await visitors.hear("resources")
            assert await visitors.settle() == ["resources", "resources"]

    asyncio.run(main())


def test_a_polars_dataframe_is_followed_from_cell_to_cell(kernel: ServingKernel) -> None:
    async def main() -> None:
        async with agents(kernel) as visitors:
            session = visitors.each[0].session
            await cell(kernel, "import polars as pl\nships = pl.DataFrame({'n': [1]})\nwb.publish(ships=ships)")
            await cell(kernel, "ships = ships.vstack(ships)")
            assert "2 rows x 1 column · polars DataFrame · v2 (1 row appended)" in (await session.read_resource("df://ships")).text
            await cell(kernel, "assert wb.get('ships').equals(ships) and wb.get('ships', 1).height == 1; wb.unpublish('ships')")

    asyncio.run(main())


STRIKE = """
import signal, sys

def strike(frame, event, _argument):
    if frame.f_code.co_name == {function!r} and "mcp_workbench" in frame.f_code.co_filename:
        sys.settrace(None)
        signal.raise_signal(signal.SIGINT)

sys.settrace(strike)
"""
LOSE_THE_END = """
callbacks = get_ipython().events.callbacks["post_run_cell"]
[ours] = [each for each in callbacks if "IPythonHost.on_cell" in getattr(each, "__qualname__", "")]
callbacks.remove(ours)
flights.loc[1, 'delay'] = 8.0
"""


def test_an_interrupt_at_the_end_of_a_cell_costs_nothing_and_a_lost_end_is_made_good(kernel: ServingKernel) -> None:
    async def main() -> None:
        async with agents(kernel) as visitors:
            await cell(kernel, "@wb.tool(run_on='main')\ndef on_main() -> int:\n    return 5")
            await visitors.hear("tools")
            for function in ("after_anything", "after", "_leave", "_cell_ends"):
                assert (await cell(kernel, STRIKE.format(function=function))).stdout == ""
                assert await visitors.call("on_main") == "5"

            await cell(kernel, LOSE_THE_END)
            await visitors.settle()
            assert await visitors.call("on_main") == "5", "whoever wants the main thread finds the end"
            assert "UA,2.0" in await visitors.rows()
            assert "AA,8.0" in await visitors.rows()
            await cell(kernel, "callbacks.append(ours)")

            await cell(kernel, LOSE_THE_END.replace("8.0", "9.0"))
            await cell(kernel, "callbacks.append(ours)")  # the next cell finds it too
            assert "AA,9.0" in await visitors.rows()
            await cell(kernel, "wb.unpublish('on_main')")

    asyncio.run(main())

"""The workbench's own tools in a real kernel: a busy cell, and what agents hear of cells."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest

from mcp_workbench.client import connect
from mcp_workbench.tasks import start_task
from tests.kernel.harness import OPENING_CELL, ServingKernel, address, cell, real_kernel, running_cell

pytestmark = pytest.mark.kernel

STOPPABLE = """
import threading
stop = threading.Event()

@wb.tool
def stop_it() -> None:
    stop.set()
"""
BUSY_CELL = """
print("begun", flush=True)
flights.loc[0, "delay"] = 99.0
stop.wait(20)
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingKernel]:
    with real_kernel(tmp_path_factory.mktemp("kernel"), OPENING_CELL + STOPPABLE) as kernel:
        yield kernel


def test_an_agent_sees_the_busy_cell_reads_meanwhile_and_hears_of_its_end(kernel: ServingKernel) -> None:
    async def main() -> None:
        url, token = address(kernel)
        async with connect(url, token=token) as agent:

            async def said(tool: str, **arguments: Any) -> str:
                result = await agent.call_tool(tool, arguments)
                assert not result.is_error, result.text
                return str(result.text)

            status = await said("notebook_status")
            assert " · kernel idle · 1 DataFrame, 3 functions, 1 resource · cursor " in status.splitlines()[0]
            cursor = re.findall(r"cursor (\S+)", status)[0]
            async with running_cell(kernel, BUSY_CELL):
                busy = await said("notebook_status", since=cursor)
                assert re.search(r"Nothing new · kernel busy in cell \[2\] for \d+ s · ", busy)
                assert "UA,2.0" in await said("df_read", name="flights"), "the cell has not ended"
                heard: list[str] = []

                async def wait() -> None:
                    heard.append(await said("notebook_status", since=cursor, wait_s=50))

                waiting = start_task(wait(), name="waits for news")
                await said("stop_it")
                await waiting
                assert "flights v2: column delay changed" in heard[0]
            assert "UA,99.0" in await said("df_read", name="flights")
            await cell(kernel, "@wb.tool\ndef fresh(n: int = 1) -> int:\n    return n")
            assert "function fresh added" in await said("notebook_status", since=cursor)
            assert (await said("notebook_call", function="fresh", arguments={"n": 3})).startswith("3")

    asyncio.run(main())

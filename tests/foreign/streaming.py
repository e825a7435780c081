"""Whether what comes before an answer comes before it, whoever stands on the way."""

from __future__ import annotations

import asyncio

from mcp_workbench.client.connect import Connecting
from mcp_workbench.tasks import start_task

STREAMING_CELL = """
import threading
import mcp_workbench as wb

go = threading.Event()

@wb.tool
def wait_for_go(ctx: wb.Context) -> str:
    "Wait."
    ctx.report_progress(1, 2)
    return "went" if go.wait(30) else "waited"

@wb.tool(run_on="inline")
def say_go() -> None:
    "Go."
    go.set()
"""


async def see_it_stream(connecting: Connecting) -> None:
    """A call that ends only when another one says so, which is made when its progress has come."""
    begun = asyncio.Event()
    async with connecting as session:
        waiting = start_task(session.call_tool("wait_for_go", on_progress=lambda *_: begun.set()), name="waiting")
        await begun.wait()
        await session.call_tool("say_go")
        assert (await waiting).text == "went"

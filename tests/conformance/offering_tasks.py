"""What the suite looks for on a server that has the tasks extension: calls that take long, fail, and ask while they are tasks."""

from __future__ import annotations

import asyncio

import mcp_workbench as wb

AT_ONCE_S = 0.1
"""What takes longer than this is a task."""


def offer_tasks(workbench: wb.Workbench) -> None:
    """Offer it all."""

    @workbench.tool
    def greet(name: str) -> str:
        """Say hello."""
        return f"Hello, {name}!"

    @workbench.tool(background_after_s=AT_ONCE_S)
    async def slow_compute(seconds: float, label: str = "") -> str:
        """Take some time."""
        await asyncio.sleep(seconds)
        return f"{label}: computed for {seconds:g} s"

    @workbench.tool(needs_task=True)
    async def failing_job() -> str:
        """Fail, as a task."""
        await asyncio.sleep(2 * AT_ONCE_S)
        raise wb.ToolError("This job fails by intention")

    @workbench.tool(background_after_s=AT_ONCE_S)
    async def protocol_error_job(ctx: wb.AsyncContext) -> str:
        """Take some time, then ask for what the client has not declared."""
        await asyncio.sleep(2 * AT_ONCE_S)
        return f"{len(await ctx.roots())} roots"

    @workbench.tool(background_after_s=AT_ONCE_S)
    async def confirm_delete(filename: str, ctx: wb.AsyncContext) -> str:
        """Take some time, then ask."""
        await asyncio.sleep(2 * AT_ONCE_S)
        answer = await ctx.elicit(f"Delete {filename}?", {"confirm": bool})
        return f"{filename}: {answer.action} {answer.data}"

    @workbench.tool(background_after_s=AT_ONCE_S)
    async def multi_input(ctx: wb.AsyncContext) -> str:
        """Take some time, then ask two things at once."""
        await asyncio.sleep(2 * AT_ONCE_S)
        answers = await asyncio.gather(ctx.elicit("What is your name?", {"name": str}), ctx.elicit("Go on?", {"confirm": bool}))
        return " ".join(answer.action for answer in answers)

    @workbench.tool(background_after_s=AT_ONCE_S)
    async def test_tool_with_task(ctx: wb.AsyncContext) -> str:
        """Ask first, then take some time."""
        answer = await ctx.elicit("What is your name?", {"name": str}, key="user_name")
        await asyncio.sleep(5 * AT_ONCE_S)
        return f"Done for {answer.data['name']}" if answer.accepted else "Done"

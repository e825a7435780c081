"""`mcp` 1.30 starts the server that its arguments name, asks it for a few things, and prints what it saw as one document."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from mcp import ClientSession, StdioServerParameters, stdio_client


async def main() -> dict[str, Any]:
    """One session."""
    program, *arguments = sys.argv[1:]
    reports: list[Any] = []
    logs: list[Any] = []

    async def on_progress(done: float, total: float | None, message: str | None) -> None:
        reports.append([done, total, message])

    async def on_log(params: Any) -> None:
        logs.append(params.data)

    server = StdioServerParameters(command=program, args=arguments, env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write, logging_callback=on_log) as session:
        opened = await session.initialize()
        await session.set_logging_level("info")
        tools = await session.list_tools()
        shout = await session.call_tool("shout", {"text": "hé"}, progress_callback=on_progress)
        return {
            "version": opened.protocolVersion,
            "tools": [tool.name for tool in tools.tools],
            "shout": shout.content[0].text,
            "progress": reports,
            "logs": logs,
            "resource": (await session.read_resource("note://a")).contents[0].text,
        }


print(json.dumps(asyncio.run(main())))

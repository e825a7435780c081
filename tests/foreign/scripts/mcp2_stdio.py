"""`mcp` 2.x starts the server that its arguments name, asks it for a few things, and prints what it saw as one document."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from mcp import Client, StdioServerParameters, stdio_client


async def main() -> dict[str, Any]:
    """One session, in the era that the SDK finds out."""
    program, *arguments = sys.argv[1:]
    reports: list[Any] = []
    logs: list[Any] = []

    async def on_progress(done: float, total: float | None, message: str | None) -> None:
        reports.append([done, total, message])

    async def on_log(params: Any) -> None:
        logs.append(params.data)

    server = stdio_client(StdioServerParameters(command=program, args=arguments, env=dict(os.environ)))
    async with Client(server, log_level="info", logging_callback=on_log) as client:
        tools = await client.list_tools()
        shout = await client.call_tool("shout", {"text": "hé"}, progress_callback=on_progress)
        return {
            "version": client.protocol_version,
            "tools": [tool.name for tool in tools.tools],
            "shout": shout.content[0].text,
            "progress": reports,
            "logs": logs,
            "resource": (await client.read_resource("note://a")).contents[0].text,
        }


print(json.dumps(asyncio.run(main())))

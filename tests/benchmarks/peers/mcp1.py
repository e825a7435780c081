"""The official SDK 1.x over its WebSocket server transport."""

from __future__ import annotations

import warnings

from announce import serve
from mcp.server.fastmcp import FastMCP
from mcp.server.websocket import websocket_server
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

warnings.simplefilter("ignore", DeprecationWarning)
INITIALIZE = (
    '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},'
    '"clientInfo":{"name":"bench","version":"1"}}}'
)
server = FastMCP("bench", log_level="ERROR")


@server.tool()
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def endpoint(websocket: WebSocket) -> None:
    lowlevel = server._mcp_server
    async with websocket_server(websocket.scope, websocket.receive, websocket.send) as (read, write):
        await lowlevel.run(read, write, lowlevel.create_initialization_options())


if __name__ == "__main__":
    serve(
        Starlette(routes=[WebSocketRoute("/mcp", endpoint)]),
        "mcp1",
        ["mcp", "uvicorn", "websockets"],
        {
            "kind": "websocket",
            "path": "/mcp",
            "body": '{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"add","arguments":{"a":17,"b":25}}}',
            "expect": '"text":"42"',
            "opening": [
                INITIALIZE,
                '{"jsonrpc":"2.0","method":"notifications/initialized"}',
            ],
        },
        ws_per_message_deflate=False,
    )

"""The official SDK 2.x over Streamable HTTP with JSON answers, spoken to in the stateless revision 2026-07-28."""

from __future__ import annotations

from announce import serve
from mcp.server import MCPServer

server = MCPServer("bench", log_level="ERROR")


@server.tool()
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


META = (
    '{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},'
    '"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"}}'
)

if __name__ == "__main__":
    serve(
        server.streamable_http_app(json_response=True),
        "mcp2",
        ["mcp", "uvicorn", "uvloop", "httptools"],
        {
            "kind": "http",
            "path": "/mcp",
            "body": '{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"_meta":'
            + META
            + ',"name":"add","arguments":{"a":17,"b":25}}}',
            "expect": '"text":"42"',
            "headers": {
                "Accept": "application/json, text/event-stream",
                "MCP-Protocol-Version": "2026-07-28",
                "Mcp-Method": "tools/call",
                "Mcp-Name": "add",
            },
        },
    )

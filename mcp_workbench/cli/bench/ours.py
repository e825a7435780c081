"""The workbench under measurement: the same tool on the protocol loop (`inline`), on a tool thread (`thread`), and over HTTP (`http`)."""

from __future__ import annotations

from urllib.parse import urlsplit

import mcp_workbench as wb
from mcp_workbench.cli.bench.announce import Ready, announce, versions_of, wait_for_end
from mcp_workbench.cli.bench.floor import CALL, EXPECT
from mcp_workbench.cli.bench.wires import Target

INITIALIZE = (
    '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},'
    '"clientInfo":{"name":"bench","version":"1"}}}'
)
INITIALIZED = '{"jsonrpc":"2.0","method":"notifications/initialized"}'
META = (
    '{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},'
    '"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"}}'
)
MODERN_CALL = '{"jsonrpc":"2.0","id":%%d,"method":"tools/call","params":{"_meta":%s,"name":"%s","arguments":{"a":17,"b":25}}}'


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def main() -> None:
    """Serve until stdin ends."""
    workbench = wb.Workbench(name="bench")
    workbench.tool(name="add_inline", run_on="inline")(add)
    workbench.tool(name="add_thread")(add)
    workbench.start(http=True)
    announce(
        Ready(
            targets={name: target_of(workbench, f"add_{name}") for name in ("inline", "thread")}
            | {"http": http_target_of(workbench, "add_inline")},
            versions={"mcp-workbench": wb.__version__} | versions_of("websockets", "msgspec", "pydantic"),
        )
    )
    wait_for_end()
    workbench.stop()


def target_of(workbench: wb.Workbench, tool: str) -> Target:
    """How to load one tool of a running workbench."""
    url = urlsplit(workbench.url)
    return Target(
        kind="websocket",
        port=url.port or 0,
        path=url.path,
        body=CALL % tool,
        expect=EXPECT,
        headers={"Authorization": f"Bearer {workbench.token}"},
        opening=[INITIALIZE, INITIALIZED],
    )


def http_target_of(workbench: wb.Workbench, tool: str) -> Target:
    """The same over Streamable HTTP, in the revision 2026-07-28."""
    url = urlsplit(str(workbench.http_url))
    return Target(
        kind="http",
        port=url.port or 0,
        path=url.path,
        body=MODERN_CALL % (META, tool),
        expect=EXPECT,
        headers={
            "Authorization": f"Bearer {workbench.token}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": "tools/call",
            "Mcp-Name": tool,
        },
    )


if __name__ == "__main__":
    main()

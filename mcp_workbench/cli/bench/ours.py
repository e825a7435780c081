"""The workbench under measurement: the same tool on the protocol loop (`inline`) and on a tool thread (`thread`)."""

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


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def main() -> None:
    """Serve until stdin ends."""
    workbench = wb.Workbench(name="bench")
    workbench.tool(name="add_inline", run_on="inline")(add)
    workbench.tool(name="add_thread")(add)
    workbench.start()
    announce(
        Ready(
            targets={name: target_of(workbench, f"add_{name}") for name in ("inline", "thread")},
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


if __name__ == "__main__":
    main()

"""The workbench under measurement: the same tool on the protocol loop (`inline`), on a tool thread (`thread`), and over HTTP (`http`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import mcp_workbench as wb
from mcp_workbench.cli.bench.announce import Ready, Seen, announce, answer_until_end, versions_of
from mcp_workbench.cli.bench.floor import CALL, EXPECT
from mcp_workbench.cli.bench.wires import Target
from mcp_workbench.telemetry.histogram import Histogram
from mcp_workbench.telemetry.telemetry import Telemetry

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


TOOLS = {"inline": "add_inline", "thread": "add_thread", "http": "add_inline"}
"""Target -> its tool."""


class Sight:
    """What the workbench's own histograms say, from question to question.

    Args:
        telemetry: Its memory.
        tools: Target -> its tool.
        settle: Waits until what was answered is written down.
    """

    def __init__(self, telemetry: Telemetry, tools: Mapping[str, str], settle: Callable[[], None]) -> None:
        self._telemetry, self._tools, self._settle = telemetry, tools, settle
        self._before: dict[str, Histogram] = {}

    def since_asked(self, target: str) -> Seen:
        """The calls of a target's tool that ended well since the last question about it."""
        self._settle()
        tool = self._tools[target]
        now = self._telemetry.histogram(tool)
        new = now.since(self._before.get(tool, Histogram()))
        self._before[tool] = now
        p50, p90, p99, p999 = (None if ns is None else ns / 1000 for ns in new.quantiles(0.5, 0.9, 0.99, 0.999))
        longest = None if new.max_ns is None else new.max_ns / 1000
        return Seen(calls=new.count, p50_us=p50, p90_us=p90, p99_us=p99, p999_us=p999, max_us=longest)


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
            targets={name: target_of(workbench, TOOLS[name]) for name in ("inline", "thread")}
            | {"http": http_target_of(workbench, TOOLS["http"])},
            versions={"mcp-workbench": wb.__version__} | versions_of("websockets", "msgspec", "pydantic"),
            sees=True,
        )
    )
    answer_until_end(Sight(workbench.telemetry, TOOLS, lambda: asyncio.run(_once_around(workbench))).since_asked)
    workbench.stop()


async def _once_around(workbench: wb.Workbench) -> None:
    """A call is written down right after its answer was sent, on the loop that then answers a client which opens."""
    async with workbench.connect():
        pass


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

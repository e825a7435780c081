"""The demo's agents: clients on the wire that write down how long each of their requests takes."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeVar

from mcp_workbench.client import CallResult, ClientSession, Updates, connect
from mcp_workbench.client.updates import ResourceUpdated
from mcp_workbench.discovery import Entry
from mcp_workbench.protocol import wire
from mcp_workbench.transports import websocket_client  # noqa: F401  # connect() imports it when first used: not while we measure
from mcp_workbench.version import __version__

T = TypeVar("T")

EraName = Literal["legacy", "modern"]
ERAS: tuple[EraName, ...] = ("legacy", "modern")

DATAFRAME = "df://flights"
COLUMNS = "year,carrier,flight,origin,dest,dep_delay,arr_delay"
WINDOW = 3
"""Rows that an agent looks at."""


@dataclass(frozen=True, slots=True)
class View:
    """A few rows of one version, as an agent has read them."""

    version: int
    total: int
    """Rows of the whole DataFrame."""
    header: list[str]
    rows: list[list[str]]


@dataclass(slots=True)
class DemoAgent:
    """One agent: `async with DemoAgent(era, entry) as agent`.

    Args:
        era: How it speaks.
        entry: Where the server is, from its discovery file.
    """

    era: EraName
    entry: Entry
    requests: dict[str, list[float]] = field(default_factory=dict)
    """Seconds of each request, by what was asked."""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _session: ClientSession | None = None
    _updates: Updates[ResourceUpdated] | None = None

    async def __aenter__(self) -> Self:
        info = wire.Implementation(name=f"demo-{self.era}", version=__version__)
        connecting = connect(self.entry.url, token=self.entry.token, era=self.era, client_info=info)
        self._session = await self.timed("connect", self._stack.enter_async_context(connecting))
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._stack.aclose()

    @property
    def session(self) -> ClientSession:
        """The open session.

        Raises:
            RuntimeError: It was not entered.
        """
        if self._session is None:
            raise RuntimeError("the agent is not connected")
        return self._session

    async def timed(self, what: str, request: Awaitable[T]) -> T:
        """Await a request and write down what it took."""
        began = time.perf_counter()
        answer = await request
        self.requests.setdefault(what, []).append(time.perf_counter() - began)
        return answer

    async def call(self, tool: str, **arguments: Any) -> CallResult:
        """Call a tool.

        Raises:
            RuntimeError: It answered with an error.
        """
        result = await self.timed(f"call {tool}", self.session.call_tool(tool, arguments))
        if result.is_error:
            raise RuntimeError(f"{tool} answered the {self.era} agent with an error: {result.text}")
        return result

    async def look(self, offset: int = 0) -> View:
        """Read a few rows."""
        uri = f"{DATAFRAME}/rows?offset={offset}&limit={WINDOW}&columns={COLUMNS}"
        read = await self.timed("read rows", self.session.read_resource(uri))
        meta: Any = read.contents[0].meta
        lines = [line.split(",") for line in read.text.splitlines() if line and not line.startswith("#")]
        return View(meta["mcp-workbench/version"], meta["mcp-workbench/rows"], lines[0], lines[1:])

    async def subscribe(self) -> None:
        """Ask to be told of changes."""
        self._updates = self.session.subscribe(DATAFRAME)
        await self.timed("subscribe", self._stack.enter_async_context(self._updates))

    async def told(self) -> ResourceUpdated:
        """Wait for the next notification.

        Raises:
            RuntimeError: It has not subscribed.
        """
        if self._updates is None:
            raise RuntimeError("the agent has not subscribed")
        return await anext(self._updates)

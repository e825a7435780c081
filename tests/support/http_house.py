"""A Workbench with Streamable HTTP, and raw clients of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

import mcp_workbench as wb
from mcp_workbench.limits import Limits
from tests.support.raw_http import META, Answer, RawHttp, call, request

INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}


class HttpHouse:
    """What a test needs of it."""

    def __init__(self, workbench: wb.Workbench) -> None:
        self.workbench = workbench
        self.token = workbench.token
        self.port = urlsplit(str(workbench.http_url)).port or 0
        self.connections: list[RawHttp] = []
        self.began = threading.Event()
        self.go_on = threading.Event()
        self.cancelled = threading.Event()

    def hang(self, ctx: wb.Context) -> str:
        """Wait until the test says so, or the client."""
        ctx.report_progress(1, 2)
        self.began.set()
        while not self.go_on.wait(0.005):
            if ctx.cancelled:
                self.cancelled.set()
                ctx.check_cancelled()
        return "went on"

    def quiet(self, ctx: wb.Context) -> str:
        """The same without a word."""
        self.began.set()
        while not self.go_on.wait(0.005):
            if ctx.cancelled:
                self.cancelled.set()
                ctx.check_cancelled()
        return "went on"

    async def dial(self, *, small: bool = False) -> RawHttp:
        connection = await RawHttp.dial(self.port, small=small)
        self.connections.append(connection)
        return connection

    def request(self, body: bytes | None = b"", **wishes: Any) -> bytes:
        return request(self.port, wishes.pop("token", self.token), body=body, **wishes)

    def legacy(self, session: str, body: bytes, **wishes: Any) -> bytes:
        return self.request(body, extra=[f"Mcp-Session-Id: {session}", *wishes.pop("extra", ())], **wishes)

    def modern(self, method: str, params: dict[str, Any] | None = None, request_id: int | str = 1, **wishes: Any) -> bytes:
        params = {"_meta": META | wishes.pop("meta", {})} | (params or {})
        name = params.get("name", params.get("uri"))
        headers = ["MCP-Protocol-Version: 2026-07-28", f"Mcp-Method: {method}"] + ([] if name is None else [f"Mcp-Name: {name}"])
        return self.request(call(method, params, request_id), extra=[*headers, *wishes.pop("extra", ())], **wishes)

    async def ask(self, data: bytes) -> Answer:
        """One request on a connection of its own."""
        connection = await self.dial()
        connection.send(data)
        return await connection.answer()

    async def initialize(self, version: str = "2025-11-25", token: str | None = None) -> str:
        """A new session's id."""
        answer = await self.ask(self.request(call("initialize", INITIALIZE | {"protocolVersion": version}), token=token or self.token))
        assert answer.status == 200
        (session,) = answer.headers["mcp-session-id"]
        told = await self.ask(self.legacy(session, call("notifications/initialized", request_id=None), token=token or self.token))
        assert (told.status, told.body) == (202, b"")
        return session

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what happens on another thread."""
        while not condition():  # noqa: ASYNC110  # what is waited for is on another thread, and is no event there
            await asyncio.sleep(0.005)

    def transports(self) -> list[tuple[str, str | None]]:
        return [(each.record.transport, each.record.client_name) for each in self.workbench.sessions]


@asynccontextmanager
async def http_house(limits: Limits | None = None, **settings: Any) -> AsyncIterator[HttpHouse]:
    workbench = wb.Workbench(name="http", http=True, limits=limits or Limits(), **settings)
    workbench.publish("numbers", pd.DataFrame({"a": [1, 2, 3]}))

    @workbench.tool(run_on="inline")
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    @workbench.tool
    def long(size: int) -> str:
        """A long text."""
        return "x" * size

    @workbench.tool
    def chatter(ctx: wb.Context, texts: int, size: int) -> str:
        """Log a lot."""
        for _ in range(texts):
            ctx.log("x" * size, level="error")
        return "said"

    await asyncio.to_thread(workbench.start)
    here = HttpHouse(workbench)
    workbench.tool(here.hang)
    workbench.tool(here.quiet)
    try:
        yield here
    finally:
        here.go_on.set()
        for connection in here.connections:
            await connection.leave()
        await asyncio.to_thread(workbench.stop)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await main()

    asyncio.run(bounded())

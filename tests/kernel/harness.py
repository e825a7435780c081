"""A real kernel with cells run in it, and agents on its wire, from one test process.

The kernel's channels block, so inside `asyncio.run` cells run through `cell()`, in a thread. An `Agent` writes down
every notification in the order it arrives; nothing here waits by the clock.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from mcp_workbench.cli.kernels import CellRun, TemporaryKernel
from mcp_workbench.client import ClientSession, connect
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.happenings import NotificationReceived

T = TypeVar("T")
EraName = Literal["legacy", "modern"]
ERAS: tuple[EraName, ...] = ("legacy", "modern")
FLIGHTS = "df://flights"
MARK = "mark://mark"
LISTS = {
    "notifications/tools/list_changed": "tools",
    "notifications/resources/list_changed": "resources",
    "notifications/prompts/list_changed": "prompts",
}

OPENING_CELL = """
import mcp_workbench as wb
import pandas as pd
import time

flights = pd.DataFrame({"carrier": ["UA", "AA", "B6"], "delay": [2.0, 4.0, 2.0]})

@wb.tool
def add(a: int, b: int) -> int:
    "Add."
    return a + b

@wb.resource("mark://mark")
def mark() -> str:
    return "here"

@wb.tool(run_on="inline")
def settle() -> None:
    wb.touch("mark://mark")

wb.publish(flights=flights)
server = wb.start()
"""

FRESH_CELL = """
flights = pd.DataFrame({"carrier": ["UA", "AA", "B6"], "delay": [2.0, 4.0, 2.0]})
wb.publish(flights=flights)
"""


@dataclass(slots=True)
class ServingKernel(TemporaryKernel):
    """A kernel that serves."""

    opening: CellRun = field(default_factory=lambda: CellRun("", 0.0))
    """The cell that started the server."""

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The kernel's process."""
        process: subprocess.Popen[bytes] = self.manager.provisioner.process
        return process


@contextmanager
def real_kernel(folder: Path, opening: str = OPENING_CELL) -> Iterator[ServingKernel]:
    """A kernel that serves."""
    with ServingKernel(folder) as kernel:
        kernel.opening = ran(kernel.run(opening))
        yield kernel


def ran(cell: CellRun) -> CellRun:
    """The cell, which must have ended well and left nothing on stderr."""
    assert (cell.error, cell.stderr) == (None, ""), cell
    return cell


async def cell(kernel: TemporaryKernel, code: str) -> CellRun:
    """Run a cell that must end well, without blocking the loop."""
    return ran(await asyncio.to_thread(kernel.run, code))


@asynccontextmanager
async def running_cell(kernel: TemporaryKernel, code: str) -> AsyncIterator[CellRun]:
    """A cell that has printed `begun` and still runs; the body sees to it that it ends."""
    begun = kernel.begin(code)

    def wait() -> None:
        next(state for state in kernel.progress(begun) if "begun" in state.stdout or state.seconds is not None)

    await asyncio.to_thread(wait)
    assert begun.seconds is None, begun
    yield begun
    await asyncio.to_thread(kernel.finish, begun)


def address(kernel: TemporaryKernel) -> tuple[str, str]:
    """URL and token, as another program finds them."""
    [path] = (kernel.runtime / "mcp-workbench").glob("kernel-*.json")
    entry = json.loads(path.read_text())
    return entry["url"], entry["token"]


@dataclass
class Agent:
    """A client and what it was told."""

    session: ClientSession
    heard: list[str] = field(default_factory=list)
    """URIs and names of lists, one for each notification on the wire."""
    _taken: dict[str, int] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def listen(self) -> None:
        """Look over the shoulder of the session's own feeds."""
        conversation: Any = self.session._conversation
        pass_on = conversation.on_notification

        def note(notification: NotificationReceived) -> None:
            params = notification.params
            told = params.uri if isinstance(params, wire.ResourceUpdatedParams) else LISTS.get(notification.method)
            if told is not None:
                self.heard.append(told)
                self._news.set()
            pass_on(notification)

        conversation.on_notification = note

    async def hears(self, what: str) -> None:
        """Wait for the next notification about this."""
        taken = self._taken.get(what, 0)
        while self.heard.count(what) <= taken:
            self._news.clear()
            await self._news.wait()
        self._taken[what] = taken + 1

    def take(self) -> list[str]:
        """All that was told, marks left out; forgets it."""
        told = [what for what in self.heard if what != MARK]
        self.heard.clear()
        self._taken.clear()
        return told

    async def version(self, name: str = "flights") -> int:
        """The version that is served."""
        read = await self.session.read_resource(f"df://{name}/rows?limit=1")
        meta = read.contents[0].meta
        assert isinstance(meta, dict)
        version = meta["mcp-workbench/version"]
        assert isinstance(version, int)
        return version

    async def rows(self, name: str = "flights") -> list[str]:
        """The lines of the table that is served, the last line's comment left out."""
        text = (await self.session.read_resource(f"df://{name}/rows")).text
        return [line for line in text.splitlines() if not line.startswith("#")]


@dataclass
class Agents:
    """One agent of each era; what one sees, the other must see too."""

    each: tuple[Agent, ...]

    async def hear(self, what: str) -> None:
        """Wait until both have been told of this."""
        for agent in self.each:
            await agent.hears(what)

    async def settle(self) -> list[str]:
        """Wait until everything that has happened so far would have been told; returns all that was told, and forgets it."""
        # Told of the first touch, one is told of the second no sooner than an interval later: by then every trailing
        # notification about something that had changed before the first has left too.
        for _ in range(2):
            await self.call("settle")
            await self.hear(MARK)
        return _same([agent.take() for agent in self.each])

    async def call(self, tool: str, **arguments: Any) -> str:
        """One of them calls a tool, which must succeed; returns its text."""
        result = await self.each[0].session.call_tool(tool, arguments)
        assert not result.is_error, result
        return result.text

    async def rows(self, name: str = "flights") -> list[str]:
        """The lines of the table as both read it."""
        return _same([await agent.rows(name) for agent in self.each])

    async def version(self, name: str = "flights") -> int:
        """The version that both read."""
        return _same([await agent.version(name) for agent in self.each])


def _same(seen: list[T]) -> T:
    assert all(one == seen[0] for one in seen), seen
    return seen[0]


@asynccontextmanager
async def agent(kernel: TemporaryKernel, era: EraName, *, timeout_s: float = 30.0) -> AsyncIterator[Agent]:
    """An agent that hears of `df://flights`, of the lists and of the mark."""
    url, token = address(kernel)
    async with asyncio.timeout(timeout_s), AsyncExitStack() as stack:
        agent = Agent(await stack.enter_async_context(connect(url, token=token, era=era)))
        agent.listen()
        for uri in (FLIGHTS, MARK):
            await stack.enter_async_context(agent.session.subscribe(uri))
        await stack.enter_async_context(agent.session.list_changes())
        yield agent


@asynccontextmanager
async def agents(kernel: TemporaryKernel, *, timeout_s: float = 30.0) -> AsyncIterator[Agents]:
    """One agent of each era."""
    async with AsyncExitStack() as stack:
        visitors = Agents(tuple([await stack.enter_async_context(agent(kernel, era, timeout_s=timeout_s)) for era in ERAS]))
        await visitors.settle()
        yield visitors


def make_subshell(kernel: TemporaryKernel) -> str:
    """A second thread of the kernel that runs cells; returns its id."""
    client = kernel.client
    request = client.session.msg("create_subshell_request", {})
    client.control_channel.send(request)
    while (reply := client.get_control_msg(timeout=20))["parent_header"].get("msg_id") != request["header"]["msg_id"]:
        continue
    return str(reply["content"]["subshell_id"])


def begin_in_subshell(kernel: TemporaryKernel, subshell: str, code: str) -> CellRun:
    """Send a cell to the subshell."""
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": False}
    request = kernel.client.session.msg("execute_request", content)
    request["header"]["subshell_id"] = subshell
    kernel.client.shell_channel.send(request)
    return kernel.follow(request["header"]["msg_id"])

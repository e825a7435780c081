"""A whole server on the test's own loop, reached over memory: for tests that must see, and decide, what happens when."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from mcp_workbench.events import Principal
from mcp_workbench.execution.calls import Call, CallState
from mcp_workbench.execution.context import AsyncContext, Context
from mcp_workbench.execution.runner import Execution
from mcp_workbench.limits import Limits
from mcp_workbench.offer import Offer
from mcp_workbench.primitives.tools import define_tool
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.sides import ServerDescription
from mcp_workbench.protocol.versions import LATEST_LEGACY
from mcp_workbench.serving.background import Background
from mcp_workbench.serving.capabilities import CAPABILITIES
from mcp_workbench.serving.questions import Questions
from mcp_workbench.serving.rounds import Suspended
from mcp_workbench.serving.services import Services
from mcp_workbench.serving.waiting import News
from mcp_workbench.sessions.registry import Sessions
from mcp_workbench.transports.memory import memory_pair
from tests.support.clock import SimulatedLoop
from tests.support.oracle import Message
from tests.support.talk import Talk


class House:
    """A server on the running loop, its own tools on offer. `async with house(limits) as here` makes and ends one."""

    def __init__(self, limits: Limits) -> None:
        loop = asyncio.get_running_loop()
        self.offer = Offer(limits)
        self.offer.own_tools.offer(offered=True)
        self.offer.jobs._clock = loop.time
        self.news = News(loop)
        self.offer.chronicle.on_line.append(self._tell_soon)
        self._loop = loop
        self.execution = Execution(loop, limits)
        offer = self.offer
        self.background = Background(loop, offer.jobs, offer.telemetry.record, lambda: "job_wait" in offer.builtins, offer.tasks)
        self.suspended = Suspended(Questions(loop, limits, self.offer.telemetry.record))
        self.services = services = Services(
            tools=self.offer.catalog,
            resources=self.offer.resources,
            prompts=self.offer.prompts,
            dataframes=self.offer.dataframe_resources,
            documents=self.offer.documents,
            rendering=self.offer.rendering,
            execution=self.execution,
            news=self.news,
            limits=limits,
            after_call=lambda: None,
            background=self.background,
            suspended=self.suspended,
            tasks=self.offer.tasks,
        )
        info = ServerDescription(wire.Implementation(name="mcp-workbench", version="1"), CAPABILITIES)
        self.sessions = Sessions(services.handler, lambda: info, self.offer.telemetry, limits, loop)
        self._feed = services.connect(self.sessions, loop)
        self._gates: list[threading.Event] = []
        self._stopped = False
        if isinstance(loop, SimulatedLoop):
            loop.holds.append(self._is_starting)

    def open_calls(self, name: str | None = None) -> list[Call]:
        """Calls that have not ended, of one tool or of all."""
        return [call for call in self.execution._open.values() if name in (None, call.name)]

    def _tell_soon(self) -> None:
        self._loop.call_soon_threadsafe(self.news.tell)

    def _is_starting(self) -> bool:
        """Whether a call was handed to a thread that has not begun with it."""
        return any(call.state is CallState.RUNNING and not call.started_ns for call in self.open_calls())

    def gate(self) -> threading.Event:
        """What a tool may wait at; opened at the latest when the house is closed."""
        self._gates.append(threading.Event())
        return self._gates[-1]

    def tool(self, function: Callable[..., Any], **options: Any) -> None:
        """Offer a function."""
        self.offer.tools.add(define_tool(function, sync_context=Context, async_context=AsyncContext, **options))

    @asynccontextmanager
    async def client(
        self, version: str = LATEST_LEGACY, *, principal: str = "default", capabilities: Message | None = None
    ) -> AsyncIterator[Talk]:
        """A client that has shaken hands."""
        server, client = memory_pair()
        server.open(self.sessions.accept(server, Principal(principal)))
        async with Talk(client, version, capabilities=capabilities) as talk:
            await talk.open()
            yield talk

    async def stop(self) -> None:
        """Stop as a server does that has no time to wait; the gates stay closed."""
        self._stopped = True
        self.background.close()
        self.news.close()
        await self.sessions.close(0)
        await self.execution.close(0)
        self._feed.close()
        self.services.close()

    async def close(self) -> None:
        """Open every gate, and stop."""
        for gate in self._gates:
            gate.set()
        if self._stopped:
            return
        if isinstance(self._loop, SimulatedLoop):  # no leap over the moment that threads have to end
            self._loop.holds.append(lambda: self.execution.statistics().threads > 0)
        await self.stop()


@asynccontextmanager
async def house(limits: Limits | None = None) -> AsyncIterator[House]:
    """A house for one test."""
    here = House(limits or Limits())
    try:
        yield here
    finally:
        await here.close()

"""Requests, cancels, releases and closes in any order, against the whole server on one loop.

Whatever the order: each request that was not taken back gets exactly one answer, its own; one that was
gets none once the server has heard so; when it is over, nothing is left open.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_workbench.events import Principal
from mcp_workbench.execution.runner import Execution
from mcp_workbench.limits import Limits
from mcp_workbench.offer import Offer
from mcp_workbench.primitives.tools import define_tool
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.sides import ServerDescription
from mcp_workbench.serving.background import Background
from mcp_workbench.serving.capabilities import CAPABILITIES
from mcp_workbench.serving.questions import Questions
from mcp_workbench.serving.rounds import Suspended
from mcp_workbench.serving.services import Services
from mcp_workbench.serving.waiting import News
from mcp_workbench.sessions.registry import Sessions
from mcp_workbench.telemetry.records import Outcome
from mcp_workbench.transports.memory import memory_pair
from tests.support.stage import within
from tests.support.talk import Talk, text_of

LIMITS = Limits(running_calls=3, backlog_messages=4, tool_threads=2, thread_queue=2, async_calls=2)


@dataclass
class House:
    """A server on the running loop, and the gates its tools wait at."""

    sessions: Sessions
    execution: Execution
    offer: Offer
    gates: dict[int, threading.Event] = field(default_factory=dict)
    wakers: dict[int, Callable[[], object]] = field(default_factory=dict)

    def open_all(self) -> None:
        for number in list(self.gates):
            self.open(number)

    def open(self, number: int) -> None:
        self.gates[number].set()
        if (wake := self.wakers.get(number)) is not None:
            with suppress(RuntimeError):  # the loop of async tools has ended
                wake()

    def connect(self, version: str) -> Talk:
        server, client = memory_pair()
        server.open(self.sessions.accept(server, Principal("default")))
        return Talk(client, version)


@asynccontextmanager
async def _house() -> AsyncIterator[House]:
    loop, offer = asyncio.get_running_loop(), Offer(LIMITS)
    execution = Execution(loop, LIMITS)
    services = Services(
        tools=offer.catalog,
        resources=offer.resources,
        prompts=offer.prompts,
        dataframes=offer.dataframe_resources,
        documents=offer.documents,
        rendering=offer.rendering,
        execution=execution,
        news=News(loop),
        limits=LIMITS,
        after_call=lambda: None,
        background=Background(loop, offer.jobs, offer.telemetry.record, lambda: True, offer.tasks),
        suspended=Suspended(Questions(loop, LIMITS, offer.telemetry.record)),
        tasks=offer.tasks,
    )
    info = ServerDescription(wire.Implementation(name="mcp-workbench", version="1"), CAPABILITIES)
    sessions = Sessions(services.handler, lambda: info, offer.telemetry, LIMITS, loop)
    feed = services.connect(sessions, loop)
    house = House(sessions, execution, offer)
    gates = house.gates

    def at_once(n: int) -> int:
        return n

    def hold(n: int) -> int:
        gates[n].wait()
        return n

    async def hold_later(n: int) -> int:
        opened, loop = asyncio.Event(), asyncio.get_running_loop()
        house.wakers[n] = lambda: loop.call_soon_threadsafe(opened.set)
        if not gates[n].is_set():
            await opened.wait()
        return n

    offer.tools.add(define_tool(at_once, run_on="inline"))
    offer.tools.add(define_tool(hold))
    offer.tools.add(define_tool(hold_later))
    try:
        yield house
    finally:
        house.open_all()
        await sessions.close(0)
        await execution.close(0)
        feed.close()


_TOOLS = st.sampled_from(["at_once", "hold", "hold_later"])
_STEPS = st.one_of(
    st.tuples(st.just("call"), _TOOLS),
    st.tuples(st.just("again"), _TOOLS),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("release"), st.integers(0, 30)),
    st.tuples(st.just("list"), st.just(0)),
    st.tuples(st.just("turn"), st.integers(0, 5)),
)


@dataclass
class Asked:
    """One call: its id, and the fence behind its cancel."""

    number: int
    request_id: str | int
    fence: str | int | None = None


class Player:
    """Plays steps on one connection and remembers what it asked."""

    def __init__(self, house: House, talk: Talk) -> None:
        self.house = house
        self.talk = talk
        self.calls: list[Asked] = []
        self.lists: list[str | int] = []

    async def play(self, steps: list[tuple[str, object]]) -> None:
        for verb, value in steps:
            if verb == "turn":
                for _ in range(int(str(value))):
                    await asyncio.sleep(0)
            elif verb == "call":
                self._call(str(value), None)
            elif verb == "again":
                self._call_again(str(value))
            elif verb == "list":
                self.lists.append(self.talk.ask("tools/list"))
            elif self.calls:
                asked = self.calls[int(str(value)) % len(self.calls)]
                self._cancel(asked) if verb == "cancel" else self.house.open(asked.number)

    def _call(self, tool: str, request_id: str | int | None) -> None:
        number = len(self.house.gates)
        self.house.gates[number] = threading.Event()
        self.calls.append(Asked(number, self.talk.call(tool, request_id, n=number)))

    def _call_again(self, tool: str) -> None:
        """Give the id of a cancelled call to a new one: the server has forgotten the old one."""
        cancelled = [asked for asked in self.calls if asked.fence is not None]
        if cancelled and not any(asked.request_id == cancelled[-1].request_id and asked.fence is None for asked in self.calls):
            self._call(tool, cancelled[-1].request_id)

    def _cancel(self, asked: Asked) -> None:
        if asked.fence is None:
            self.talk.cancel(asked.request_id)
            asked.fence = self._fence()

    def _fence(self) -> str | int:
        return self.talk.ask("server/discover" if self.talk.modern else "ping")

    async def check(self) -> None:
        """Release everything, wait for what is due, and compare."""
        self.house.open_all()
        await self.talk.fence()  # everything has arrived
        for asked in self.calls:
            if asked.fence is None:
                await self.talk.answer(asked.request_id)
        for listed in self.lists:
            await self.talk.answer(listed)
        while self.house.execution.statistics().open_calls or self.house.execution.statistics().abandoned:
            await self.talk.fence()
        await self.talk.fence()
        for asked in self.calls:
            own = [place for place, message in enumerate(self.talk.history) if _is_answer_to(asked, message)]
            if asked.fence is None:
                assert len(own) == 1 or self._was_refused(asked), (asked, self.talk.history)
            else:
                behind = next(place for place, message in enumerate(self.talk.history) if message.get("id") == asked.fence)
                assert len(own) <= 1
                assert all(place < behind for place in own), "answered although it was cancelled"

    def _was_refused(self, asked: Asked) -> bool:
        """Busy answers name no number."""
        return any(message.get("id") == asked.request_id and _busy(message) for message in self.talk.history)


def _busy(message: dict[str, object]) -> bool:
    result = message.get("result")
    return isinstance(result, dict) and bool(result.get("isError"))


def _is_answer_to(asked: Asked, message: dict[str, object]) -> bool:
    result = message.get("result")
    if message.get("id") != asked.request_id or not isinstance(result, dict) or "content" not in result:
        return False
    return text_of(result) == str(asked.number)


@settings(max_examples=150, deadline=None)
@given(version=st.sampled_from(["2025-03-26", "2025-11-25", "2026-07-28"]), steps=st.lists(_STEPS, max_size=40))
def test_every_request_has_exactly_one_end(version: str, steps: list[tuple[str, object]]) -> None:
    async def main() -> None:
        async with _house() as house, house.connect(version) as talk:
            await talk.open()
            player = Player(house, talk)
            await player.play(steps)
            await player.check()
            [session] = house.sessions
            reading = session.statistics()
            assert (reading["running"], reading["backlog"], reading["backlog_bytes"], session.peer.in_flight) == (0, 0, 0, 0)
            records = [record for record in house.offer.telemetry.calls(None) if record.method == "tools/call"]
            assert len(records) == len(player.calls), "one record per call"
            assert sum(record.outcome is Outcome.CANCELLED for record in records) <= sum(a.fence is not None for a in player.calls)

    within(main)


@settings(max_examples=150, deadline=None)
@given(st.lists(_STEPS, max_size=25), st.lists(_STEPS, max_size=25), st.sampled_from(["abort", "close", "revoke"]))
def test_a_connection_that_ends_anywhere_leaves_nothing_and_hurts_nobody(
    before: list[tuple[str, object]], others: list[tuple[str, object]], ending: str
) -> None:
    async def main() -> None:
        async with _house() as house, house.connect("2025-11-25") as talk, house.connect("2026-07-28") as other:
            await talk.open()
            await other.open()
            leaving, staying = Player(house, talk), Player(house, other)
            await asyncio.gather(leaving.play(before), staying.play(others))
            if ending == "abort":
                talk.channel.abort()
            elif ending == "close":
                talk.channel.close(1000)
            else:
                next(iter(house.sessions)).close(1008, "revoked")
            await talk.closed
            await staying.check()
            assert len(house.sessions) == 1
            assert house.execution.statistics().open_calls == 0

    within(main)

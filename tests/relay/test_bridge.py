"""The bridge on memory channels: kernels appear when a test says so, and time is events."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from mcp_workbench.discovery import Entry, Survey
from mcp_workbench.errors import ConnectionClosed, HandshakeRefused
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from mcp_workbench.relay import bridge as module
from mcp_workbench.relay.bridge import Bridge
from mcp_workbench.relay.choosing import Wish
from mcp_workbench.tasks import start_task
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.memory import MemoryChannel, memory_pair
from tests.relay.rig import NOW, OWN_TOOLS, Kernel, an_entry
from tests.support.talk import Talk, text_of

CHANGED = "notifications/tools/list_changed"
BIG = "x" * 100_000


class LiveKernel(Kernel):
    """Answers at once, on one connection."""

    channel: MemoryChannel
    closed: asyncio.Future[tuple[int, str]]
    own: str = ""

    def receive_text(self, text: bytes) -> None:
        self.inbox.append(text)
        self.flush()

    def receive_writable(self) -> None:
        """It keeps no count of what it sends."""

    def receive_close(self, code: int, reason: str) -> None:
        self.closed.set_result((code, reason))

    def flush(self) -> None:
        while self.inbox:
            self.read()
        while self.outbox:
            self.channel.send(self.outbox.popleft())


class SilentKernel(LiveKernel):
    """Takes everything and says nothing."""

    def flush(self) -> None:
        """Nothing comes of it."""


class World:
    """What the bridge finds: discovery entries, and who answers at their addresses."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.tools: dict[str, list[str]] = {}
        self.kernels: list[LiveKernel] = []
        """Connections, oldest first."""
        self.refusals: list[Exception] = []
        """What the next attempts to connect end in."""
        self.idle = asyncio.Event()
        """Set while the bridge waits between looks."""
        self.make: type[LiveKernel] = LiveKernel
        self.bridge: Bridge

    @property
    def kernel(self) -> LiveKernel:
        return self.kernels[-1]

    def runs(self, *entries: Entry, tools: list[str] | None = None) -> None:
        """These are the kernels that run."""
        self.entries = list(entries)
        self.tools |= {entry.kernel_id: tools or [] for entry in entries}

    def look(self) -> Survey:
        return Survey(tuple(self.entries), ())

    async def connect(self, entry: Entry) -> Channel:
        if self.refusals:
            raise self.refusals.pop(0)
        near, far = memory_pair()
        kernel = self.make(entry, self.tools[entry.kernel_id])
        kernel.channel, kernel.closed = far, asyncio.get_running_loop().create_future()
        far.open(kernel)
        self.kernels.append(kernel)
        return near

    async def looked(self) -> None:
        """Have it look, and wait until it has."""
        await self.idle.wait()
        self.idle.clear()
        self.bridge.look_now()
        await self.idle.wait()
        await turns()

    async def pause(self, event: asyncio.Event, seconds: float) -> None:
        """Only an event ends it."""
        self.idle.set()
        await event.wait()
        self.idle.clear()

    async def connected(self, count: int = 1) -> LiveKernel:
        """Wait for that many connections."""
        while len(self.kernels) < count:
            await self.looked()
        await turns()
        return self.kernel


async def turns(count: int = 30) -> None:
    """Let the loop go round."""
    for _ in range(count):
        await asyncio.sleep(0)


@asynccontextmanager
async def bridged(world: World, version: str = LATEST_LEGACY, *, wish: Wish | None = None, opened: bool = True) -> AsyncIterator[Talk]:
    """A host on a bridge."""
    here, there = memory_pair()
    world.bridge = Bridge(there, wish or Wish(), look=world.look, connect=world.connect, pause=world.pause, now=lambda: NOW)
    running = start_task(world.bridge.run(), name="bridge")
    async with Talk(here, version) as talk:
        if opened:
            await talk.open()
        yield talk
    await running


def within(main: Callable[[], Awaitable[None]], seconds: float = 10) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await main()

    asyncio.run(bounded())


@pytest.mark.parametrize("version", [LATEST_LEGACY, LATEST_MODERN])
def test_an_agent_that_is_there_first_gets_the_tools_when_a_kernel_appears(version: str) -> None:
    async def main() -> None:
        world = World()
        async with bridged(world, version) as talk:
            assert [tool["name"] for tool in (await talk.result("tools/list"))["tools"]] == OWN_TOOLS
            if talk.modern:
                talk.ask("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
                await talk.news("notifications/subscriptions/acknowledged")
            await world.looked()
            assert world.kernels == []
            world.runs(an_entry(), tools=["add"])
            await world.connected()
            await talk.news(CHANGED)
            assert [tool["name"] for tool in (await talk.result("tools/list"))["tools"]] == ["add"]
        assert world.kernel.closed.result() == (1000, "the host has ended")

    within(main)


def test_a_kernel_that_is_there_first_opens_the_conversation_itself() -> None:
    async def main() -> None:
        world = World()
        world.runs(an_entry(), tools=["add"])
        async with bridged(world, opened=False) as talk:
            assert (await talk.open())["serverInfo"]["title"] == "flights.ipynb"
            assert (await talk.result("tools/list"))["tools"][0]["name"] == "add"
            assert talk.inbox == []

    within(main)


def test_it_comes_back_to_a_kernel_that_restarts_and_opens_requests_are_answered() -> None:
    async def main() -> None:
        world = World()
        world.runs(an_entry(), tools=["add"])
        async with bridged(world) as talk:
            await talk.result("tools/list")
            call = talk.call("add")
            await turns()
            world.runs()
            world.kernel.channel.abort()
            assert "its process may have ended or been restarted" in text_of((await talk.answer(call))["result"])
            assert "flights.ipynb was lost 0 s ago" in text_of(await talk.called("notebook_status"))
            world.runs(an_entry(pid=2))
            await world.connected(2)
            await talk.news(CHANGED)
            assert text_of(await talk.called("add")) == "Kernel restarted 40 s ago; add is not defined yet, ask for its cell to be run."

    within(main)


def test_a_kernel_that_cannot_be_connected_is_tried_at_each_look_and_the_reason_told() -> None:
    async def main() -> None:
        world = World()
        world.refusals = [
            ConnectionClosed(1006, "nothing listens at 127.0.0.1:1"),
            HandshakeRefused(401, "wrong token"),
            TimeoutError("no WebSocket was opened by 127.0.0.1:1 within 3 s"),
            ValueError("a WebSocket address is wanted"),
        ]
        reasons = ["nothing listens", "wrong token", "within 3 s", "address is wanted"]
        world.runs(an_entry(), tools=["add"])
        async with bridged(world) as talk:
            for reason in reasons:
                status = text_of(await talk.called("notebook_status"))
                assert status.startswith("flights.ipynb is running, but not connected: ")
                assert reason in status
                await world.looked()
            assert (await talk.result("tools/list"))["tools"][0]["name"] == "add"

    within(main)


def test_of_several_kernels_the_agent_chooses_and_may_choose_again() -> None:
    one, two = an_entry("a.ipynb"), an_entry("b.ipynb", pid=2)

    async def main() -> None:
        world = World()
        world.runs(one, two)
        world.tools = {one.kernel_id: ["from_a"], two.kernel_id: ["from_b"]}
        async with bridged(world) as talk:
            assert [tool["name"] for tool in (await talk.result("tools/list"))["tools"]] == [*OWN_TOOLS, "notebook_use"]
            assert "Running now; choose one with notebook_use(name):\n- a.ipynb" in text_of(await talk.called("notebook_status"))
            assert text_of(await talk.called("notebook_use", name="A")).startswith("Now using a.ipynb.")
            await talk.news(CHANGED)
            assert [tool["name"] for tool in (await talk.result("tools/list"))["tools"]] == ["from_a", "notebook_use"]
            waiting = talk.call("from_a")
            await turns()
            assert text_of(await talk.called("notebook_use", name="b.ipynb")).startswith("Now using b.ipynb.")
            assert "another notebook was chosen" in text_of((await talk.answer(waiting))["result"])
            assert world.kernels[0].closed.done()
            await talk.news(CHANGED)
            assert text_of(await talk.called("from_a")).startswith("from_a belongs to a.ipynb")
            assert text_of(await talk.called("notebook_use", name="b.ipynb")).startswith("Now using b.ipynb.")
            assert len(world.kernels) == 2

    within(main)


def test_a_choice_that_cannot_be_followed_says_why() -> None:
    one, two = an_entry("a.ipynb"), an_entry("b.ipynb", pid=2)

    async def main() -> None:
        world = World()
        world.runs(one, two)
        async with bridged(world) as talk:
            unknown = await talk.called("notebook_use", name="c.ipynb")
            assert unknown["isError"] is True
            assert text_of(unknown).startswith('No running notebook is called "c.ipynb". Running now:\n- a.ipynb')
            assert text_of(await talk.called("notebook_use", name="id-of")).startswith('"id-of" may mean 2 notebooks')
            world.refusals = [ConnectionClosed(1006, "nothing listens there")]
            assert text_of(await talk.called("notebook_use", name="b.ipynb")).startswith(
                "b.ipynb is chosen, but not connected: connection closed"
            )
            await world.connected()
            assert world.kernel.entry is two

    within(main)


def test_when_its_kernel_is_gone_it_does_not_move_to_another_notebook_by_itself() -> None:
    one, two = an_entry("a.ipynb"), an_entry("b.ipynb", pid=2)

    async def main() -> None:
        world = World()
        world.runs(one)
        async with bridged(world) as talk:
            await talk.result("tools/list")
            world.runs(two)
            world.kernel.channel.close(1001, "the server stops")
            await talk.news(CHANGED)
            await world.looked()
            assert len(world.kernels) == 1
            status = text_of(await talk.called("notebook_status"))
            assert "a.ipynb was lost 0 s ago (closed with code 1001: the server stops)" in status
            assert "- b.ipynb" in status
            await talk.called("notebook_use", name="b")
            assert world.kernel.entry is two

    within(main)


def test_a_kernel_that_joins_and_says_nothing_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        world = World()
        async with bridged(world) as talk:
            monkeypatch.setattr(module, "SETTLE_WITHIN_S", 0)
            world.make = SilentKernel
            world.runs(an_entry())
            await world.connected()
            call = talk.call("add")
            assert text_of((await talk.answer(call))["result"]).startswith("add was not run. The connection to flights.ipynb was lost")
            assert "its process may be blocked" in text_of(await talk.called("notebook_status"))

    within(main)


def test_a_kernel_of_another_version_is_left_and_not_tried_again_until_it_is_another_one() -> None:
    class Ancient(LiveKernel):
        def flush(self) -> None:
            self.inbox.clear()
            self.channel.send(b'{"jsonrpc":"2.0","id":"%s1","result":{"protocolVersion":"1999-01-01"}}' % self.own.encode())

    async def main() -> None:
        world = World()
        async with bridged(world) as talk:
            Ancient.own = world.bridge._relay._own
            world.make = Ancient
            world.runs(an_entry())
            await world.connected()
            for _ in range(3):
                await world.looked()
            assert len(world.kernels) == 1
            assert "does not speak MCP 2025-11-25" in text_of(await talk.called("notebook_status"))
            world.make = LiveKernel
            world.runs(an_entry(pid=2), tools=["add"])
            await world.connected(2)
            assert (await talk.result("tools/list"))["tools"][0]["name"] == "add"

    within(main)


def test_a_status_call_waits_for_a_kernel_but_not_for_ever() -> None:
    async def main() -> None:
        world = World()
        async with bridged(world) as talk:
            assert "wb.start()" in text_of(await talk.called("notebook_status", wait_s=0.01))
            waiting = talk.call("notebook_status", wait_s=50)
            world.runs(an_entry(), tools=["notebook_status"])
            kernel = await world.connected()
            kernel.finish(waiting, "what the kernel says")
            kernel.flush()
            assert text_of((await talk.answer(waiting))["result"]) == "what the kernel says"

    within(main)


def test_a_fault_while_looking_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        world = World()
        world.refusals = [ZeroDivisionError("a fault of ours")]
        world.runs(an_entry(), tools=["add"])
        async with bridged(world) as talk:
            await world.connected()
            assert (await talk.result("tools/list"))["tools"][0]["name"] == "add"

    with caplog.at_level(logging.ERROR, "mcp_workbench"):
        within(main)
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]


def test_a_choice_that_a_fault_comes_between_is_answered_and_the_same_fault_is_logged_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Survey:
        raise ZeroDivisionError("a fault of ours")

    async def main() -> None:
        world = World()
        world.runs(an_entry("a.ipynb"), an_entry("b.ipynb", pid=2), tools=["add"])
        async with bridged(world) as talk:
            await world.looked()
            for target, name in ((world.bridge, "_use"), (world.bridge, "_find")):
                with monkeypatch.context() as patch:
                    patch.setattr(target, name, fail)
                    for _ in range(2):
                        answer = await talk.answer(talk.call("notebook_use", name="a"))
                        assert answer["error"]["code"] == -32603
                        await world.looked()
            assert text_of(await talk.called("notebook_use", name="a")).startswith("Now using a.ipynb.")

    with caplog.at_level(logging.ERROR, "mcp_workbench"):
        within(main)
    told = [record.getMessage() for record in caplog.records]
    assert [each for each in told if each.endswith("itself; it goes on")] == ["a fault of the bridge itself; it goes on"]
    assert len(told) == 3


def test_what_is_open_when_the_host_ends_is_still_answered_and_why_it_ended_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        here, there = memory_pair()
        world = World()
        world.runs(an_entry(), tools=["add"])
        world.bridge = Bridge(there, Wish(), look=world.look, connect=world.connect, pause=world.pause, now=lambda: NOW)
        running = start_task(world.bridge.run(), name="bridge")
        talk = Talk(here)
        await talk.open()
        call = talk.call("add")
        await turns()
        world.bridge.receive_end_of_host("it broke \x1b off")
        await turns()
        assert not running.done()
        world.kernel.finish(call)
        world.kernel.flush()
        assert text_of((await talk.answer(call))["result"]) == "done"
        await running
        await talk.hang_up()

    with caplog.at_level(logging.INFO, "mcp_workbench"):
        within(main)
    assert r"the host has ended: it broke \x1b off" in caplog.messages


def test_neither_side_is_read_faster_than_the_other_one_reads() -> None:
    async def main() -> None:
        world = World()
        world.runs(an_entry(), tools=["add"])
        async with bridged(world) as talk:
            kernel = world.kernel
            kernel.channel.pause_receiving()
            calls = [talk.call("add", text=BIG) for _ in range(8)]
            await turns()
            assert not talk.channel.writable, "the host meets the kernel's slowness"
            kernel.channel.resume_receiving()
            await turns()
            assert talk.channel.writable
            assert list(kernel.calls) == calls
            talk.channel.pause_receiving()
            for call in calls:
                kernel.finish(call, BIG)
            kernel.flush()
            await turns()
            assert not kernel.channel.writable, "the kernel meets the host's slowness"
            talk.channel.resume_receiving()
            for call in calls:
                assert text_of((await talk.answer(call))["result"]) == BIG
            assert kernel.channel.writable

    within(main)


def test_while_nobody_answers_a_host_that_does_not_read_is_not_read_either() -> None:
    async def main() -> None:
        world = World()
        async with bridged(world) as talk:
            talk.channel.pause_receiving()
            asked = [talk.call("add") for _ in range(3000)]
            await turns(100)
            assert not talk.channel.writable
            talk.channel.resume_receiving()
            for number in asked:
                await talk.answer(number)

    within(main)


def test_while_a_kernel_joins_the_host_is_not_read() -> None:
    async def main() -> None:
        world = World()
        async with bridged(world) as talk:
            world.make = SilentKernel
            world.runs(an_entry(), tools=["add"])
            kernel = await world.connected()
            for _ in range(8):
                talk.call("add", text=BIG)
            await turns()
            assert not talk.channel.writable
            LiveKernel.flush(kernel)
            world.kernel.__class__ = LiveKernel
            await turns()
            assert talk.channel.writable
            assert len(kernel.calls) == 8

    within(main)


def test_texts_of_a_kernel_that_was_left_do_not_count() -> None:
    one, two = an_entry("a.ipynb"), an_entry("b.ipynb", pid=2)

    async def main() -> None:
        world = World()
        world.runs(one, two)
        async with bridged(world) as talk:
            await talk.called("notebook_use", name="a")
            left = world.bridge._kernel
            assert left is not None
            await talk.called("notebook_use", name="b")
            world.bridge.receive_from_kernel(left, b'{"jsonrpc":"2.0","id":99,"result":{}}')
            world.bridge.receive_end_of_kernel(left, 1006, "")
            await talk.fence()
            assert [message for message in talk.inbox if message.get("id") == 99] == []
            assert world.bridge._kernel is not None

    within(main)


def test_the_wish_decides_which_kernel() -> None:
    one, two = an_entry("a.ipynb"), an_entry("b.ipynb", pid=2)
    elsewhere = dataclasses.replace(two, notebook="/other/b.ipynb", cwd="/other")
    for wish, entries, chosen in [
        (Wish(kernel="b"), (one, two), two),
        (Wish(notebook="/data/b.ipynb"), (one, two), two),
        (Wish(cwd="/other"), (one, elsewhere), elsewhere),
    ]:

        async def main(wish: Wish = wish, entries: tuple[Entry, ...] = entries, chosen: Entry = chosen) -> None:
            world = World()
            world.runs(*entries)
            async with bridged(world, wish=wish):
                assert (await world.connected()).entry is chosen

        within(main)

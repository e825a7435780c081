"""A comm as a channel: its messages are checked, it sends no more than it may, and it ends when nobody is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import Principal
from mcp_workbench.transports.channel import Channel
from mcp_workbench.views.comm import (
    BURST_BYTES,
    BYTES_PER_S,
    DEBT_S,
    HEARTBEAT_S,
    HELD,
    MAX_BYTES,
    PATIENCE_S,
    SILENT_BYTES_PER_S,
    CommDoor,
    Place,
    _checked,
)
from tests.support.clock import SimulatedLoop, in_simulated_time

OPEN = {"type": "open", "viewProtocol": 1, "version": "0.1.0"}
WATCH = {"type": "watch", "panels": ["calls"]}


class Viewer:
    """A receiver that says hello, and keeps what it is told."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.texts: list[Any] = []
        self.closes: list[tuple[int, str]] = []
        self.writable_again: list[float] = []
        self.loop = asyncio.get_running_loop()

    def receive_text(self, text: bytes) -> None:
        assert not self.closes
        self.texts.append(json.loads(text))
        if self.texts[-1]["type"] == "open":
            self.channel.send(b'{"type":"hello"}')

    def receive_writable(self) -> None:
        assert self.channel.writable
        self.writable_again.append(self.loop.time())

    def receive_close(self, code: int, reason: str) -> None:
        self.closes.append((code, reason))


@dataclass
class Rig:
    """A door, the server behind it, and what was sent through it."""

    loop: SimulatedLoop
    sent: list[Any] = field(default_factory=list)
    viewers: list[Viewer] = field(default_factory=list)
    principals: list[Principal] = field(default_factory=list)
    busy: bool = False
    serves: bool = True
    takes: bool = True
    broken: bool = False
    greets: bool = False
    """Whether a viewer speaks first."""

    def __post_init__(self) -> None:
        self.door = CommDoor(self.send, self.place, lambda: self.busy)

    def send(self, message: Any) -> None:
        if self.broken:
            raise OSError("the kernel is ending")
        self.sent.append(message)

    def place(self) -> Place | None:
        def post(function: Callable[..., object], *args: object) -> bool:
            self.loop.call_soon(function, *args)
            return True

        return Place(self.loop, post, self.accept) if self.serves else None

    def accept(self, channel: Channel, principal: Principal) -> Viewer | None:
        self.principals.append(principal)
        if not self.takes:
            return None
        self.viewers.append(Viewer(channel))
        if self.greets:
            channel.send(b'{"type":"hello"}')
        return self.viewers[-1]

    async def says(self, *messages: Any) -> None:
        for message in messages:
            self.door.receive(message)
        await self.settles()

    async def settles(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)

    @property
    def viewer(self) -> Viewer:
        return self.viewers[-1]


def played(play: Callable[[Rig], Awaitable[None]]) -> None:
    """Run a coroutine function with a rig; minutes pass in no time."""
    in_simulated_time(lambda loop: play(Rig(loop)))


def test_an_open_is_answered_and_what_follows_is_delivered() -> None:
    async def play(rig: Rig) -> None:
        assert not rig.door.watched
        await rig.says(OPEN, WATCH)
        assert rig.sent == [{"type": "hello"}]
        assert rig.viewer.texts == [OPEN, WATCH]
        assert rig.principals == [Principal("view")]
        assert rig.door.watched
        channel = rig.viewer.channel
        assert (channel.facts.transport, channel.unsent_bytes, channel.bytes_sent) == ("comm", 0, 16)
        assert channel.bytes_received == len(json.dumps(OPEN, separators=(",", ":"))) + len(json.dumps(WATCH, separators=(",", ":")))

    played(play)


def test_a_page_that_opens_again_begins_anew_and_the_older_connection_ends() -> None:
    async def play(rig: Rig) -> None:
        await rig.says(OPEN, WATCH, OPEN)
        older, newer = rig.viewers
        assert older.closes == [(1006, "")]
        assert (newer.texts, newer.closes) == ([OPEN], [])
        older.channel.send(b'{"type":"state"}')
        assert rig.sent == [{"type": "hello"}] * 2

    played(play)


def test_a_view_that_falls_silent_is_ended_and_one_that_gives_signs_of_life_is_not() -> None:
    async def play(rig: Rig) -> None:
        await rig.says(OPEN)
        for _ in range(9):
            await asyncio.sleep(HEARTBEAT_S)
            await rig.says(WATCH)
        assert rig.viewer.closes == []
        await asyncio.sleep(PATIENCE_S + 2 * HEARTBEAT_S)
        [(code, reason)] = rig.viewer.closes
        assert (code, rig.door.watched) == (1006, False)
        assert rig.sent[-1] == {"type": "closed", "code": 1006, "reason": reason}
        await rig.says(WATCH)  # a laptop that has slept
        assert len(rig.viewers) == 2
        assert rig.viewer.texts == [OPEN, WATCH]

    played(play)


def test_while_a_cell_runs_silence_proves_nothing_but_little_is_sent_into_it() -> None:
    async def play(rig: Rig) -> None:
        await rig.says(OPEN)
        rig.busy = True
        await asyncio.sleep(3600)
        channel, began = rig.viewer.channel, rig.loop.time()
        assert rig.viewer.closes == []
        assert not rig.door.watched
        before = channel.bytes_sent
        while rig.loop.time() - began < 3600:
            if channel.writable:
                channel.send(message(10_000))
            await asyncio.sleep(0.25)
        assert channel.bytes_sent - before <= BURST_BYTES + 3600 * SILENT_BYTES_PER_S + 10_000
        assert channel.bytes_sent - before > 3600 * SILENT_BYTES_PER_S / 2
        rig.busy = False
        await asyncio.sleep(HEARTBEAT_S)
        assert rig.viewer.closes == []
        await asyncio.sleep(PATIENCE_S + HEARTBEAT_S)
        assert len(rig.viewer.closes) == 1

    played(play)


def test_no_more_is_sent_than_the_budget_and_the_receiver_is_told_when_it_has_grown() -> None:
    async def play(rig: Rig) -> None:
        await rig.says(OPEN)
        channel = rig.viewer.channel
        assert channel.writable
        channel.send(message(BURST_BYTES + BYTES_PER_S))
        assert not channel.writable
        assert rig.viewer.writable_again == []
        began = rig.loop.time()
        await asyncio.sleep(2)
        [when] = rig.viewer.writable_again
        assert 1 <= when - began < 1.1
        assert len(rig.sent) == 2

    played(play)


@given(sizes=st.lists(st.integers(20, 400_000), min_size=1, max_size=30))
def test_whoever_heeds_writable_stays_within_the_budget_and_is_never_left_waiting(sizes: list[int]) -> None:
    async def play(rig: Rig) -> None:
        await rig.says(OPEN)
        channel, began = rig.viewer.channel, rig.loop.time()
        for size in sizes:
            told, waited = len(rig.viewer.writable_again), 0
            while not channel.writable and len(rig.viewer.writable_again) == told:
                await asyncio.sleep(0.01)
                waited += 1
                assert waited < 1000, "nobody said that it may go on"
            channel.send(message(size))
            passed = rig.loop.time() - began
            assert channel.bytes_sent <= BURST_BYTES + passed * BYTES_PER_S + size + 16

    played(play)


def test_a_view_that_is_heard_again_need_not_wait_as_long_as_one_that_is_silent() -> None:
    async def play(rig: Rig) -> None:
        await rig.says(OPEN)
        rig.busy = True
        await asyncio.sleep(PATIENCE_S)
        channel = rig.viewer.channel
        channel.send(message(2 * BURST_BYTES))
        await asyncio.sleep(1)
        assert (channel.writable, rig.viewer.writable_again) == (False, [])
        await rig.says(WATCH)
        began = rig.loop.time()
        await asyncio.sleep(DEBT_S)
        assert rig.viewer.writable_again[0] - began < 1

    played(play)


def test_the_largest_message_into_silence_costs_a_bounded_wait() -> None:
    async def play(rig: Rig) -> None:
        await rig.says(OPEN)
        rig.busy = True
        await asyncio.sleep(PATIENCE_S)
        rig.viewer.channel.send(message(10 * BURST_BYTES))
        began = rig.loop.time()
        await asyncio.sleep(2 * DEBT_S)
        assert DEBT_S <= rig.viewer.writable_again[0] - began < DEBT_S + 1

    played(play)


def test_a_receiver_that_pauses_gets_later_what_came_meanwhile_and_not_without_bound() -> None:
    async def play(rig: Rig) -> None:
        await rig.says(OPEN)
        viewer = rig.viewer
        viewer.channel.pause_receiving()
        await rig.says(WATCH, WATCH)
        assert viewer.texts == [OPEN]
        viewer.channel.resume_receiving()
        assert viewer.texts == [OPEN, WATCH, WATCH]
        viewer.channel.pause_receiving()
        await rig.says(*[WATCH] * (HELD + 1))
        assert viewer.closes == [(1008, f"more than {HELD} messages came while none was taken")]

    played(play)


def test_a_close_is_said_once_and_nothing_follows() -> None:
    async def play(rig: Rig) -> None:
        await rig.says(OPEN)
        channel = rig.viewer.channel
        channel.ping()
        channel.close(1001, "the server stops")
        channel.close(1000)
        channel.abort()
        channel.send(b'{"type":"state"}')
        await rig.settles()
        assert rig.viewer.closes == [(1001, "the server stops")]
        assert rig.sent == [{"type": "hello"}, {"type": "closed", "code": 1001, "reason": "the server stops"}]
        assert not channel.writable

    played(play)


def test_a_connection_that_the_kernel_gives_up_is_told_so() -> None:
    async def play(rig: Rig) -> None:
        await rig.says(OPEN)
        rig.viewer.channel.abort()
        await rig.settles()
        assert [code for code, _ in rig.viewer.closes] == [1006]
        assert (rig.sent[-1]["type"], rig.sent[-1]["code"]) == ("closed", 1006)

    played(play)


def test_a_comm_that_fails_while_the_receiver_is_made_ends_it_too(caplog: pytest.LogCaptureFixture) -> None:
    async def play(rig: Rig) -> None:
        rig.broken = True
        rig.greets = True
        await rig.says(OPEN)
        assert rig.viewer.closes == [(1006, "")]
        assert rig.viewer.texts == []

    played(play)
    assert "could not be sent to the view" in caplog.text


def test_a_comm_that_cannot_send_ends_the_channel_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def play(rig: Rig) -> None:
        await rig.says(OPEN)
        rig.broken = True
        rig.viewer.channel.send(b'{"type":"state"}')
        await rig.settles()
        assert rig.viewer.closes == [(1006, "")]

    played(play)
    assert "could not be sent to the view" in caplog.text


def test_where_no_server_runs_the_view_is_told_and_taken_in_when_one_does() -> None:
    async def play(rig: Rig) -> None:
        await rig.says(OPEN, WATCH)
        rig.viewer.channel.close(1001, "stops")
        rig.serves = False
        await rig.says(WATCH)
        assert rig.sent[-1]["type"] == "closed"
        assert "wb.start()" in rig.sent[-1]["reason"]
        rig.door.go_on()
        rig.serves = True
        rig.door.go_on()
        await rig.settles()
        assert rig.viewer.texts == [OPEN, WATCH]
        assert rig.sent[-1] == {"type": "hello"}

    played(play)


def test_a_view_that_is_not_taken_in_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def play(rig: Rig) -> None:
        rig.takes = False
        await rig.says(OPEN)
        assert (rig.sent[-1]["type"], rig.sent[-1]["code"]) == ("closed", 1013)
        rig.accept = None  # type: ignore[method-assign, assignment]  # what cannot be called
        await rig.says(OPEN)
        assert (rig.sent[-1]["type"], rig.sent[-1]["code"]) == ("closed", 1011)

    played(play)
    assert "could not be taken in" in caplog.text


def test_a_widget_that_is_closed_ends_its_connection() -> None:
    async def play(rig: Rig) -> None:
        await rig.says(OPEN)
        rig.door.close()
        await rig.settles()
        assert rig.viewer.closes == [(1006, "")]
        rig.door.go_on()
        await rig.says(WATCH)
        assert len(rig.viewers) == 1

    played(play)


NESTED: Any = {"type": "watch"}
for _ in range(100_000):
    NESTED = {"type": "watch", "panels": NESTED}


@pytest.mark.parametrize(
    ("content", "buffers"),
    [
        ("open", ()),
        (None, ()),
        ([OPEN], ()),
        ({"viewProtocol": 1}, ()),
        ({"type": 7}, ()),
        ({"type": "open", "version": "x" * MAX_BYTES}, ()),
        ({"type": "open", "version": object()}, ()),
        (NESTED, ()),
        (OPEN, [b"more"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_message_of_a_view_is_refused(content: object, buffers: object) -> None:
    async def play(rig: Rig) -> None:
        rig.door.receive(content, buffers)
        await rig.settles()
        assert (rig.door.refused, rig.viewers, rig.sent) == (1, [], [])

    played(play)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(content=_JSON)
def test_a_message_arrives_as_it_was_or_not_at_all(content: Any) -> None:
    checked = _checked(content)
    if checked is None:
        assert not isinstance(content, dict) or not isinstance(content.get("type"), str)
    else:
        assert (checked[0], json.loads(checked[1])) == (content["type"], content)


def message(size: int) -> bytes:
    """A message of so many bytes."""
    return b'{"type":"x","a":"' + b"x" * (size - 19) + b'"}'


def test_opening_again_and_again_brings_no_new_budget() -> None:
    async def play(rig: Rig) -> None:
        before = rig.loop.time()
        sent = 0
        while rig.loop.time() - before < 10:
            await rig.says(OPEN)
            while (channel := rig.viewer.channel).writable:
                channel.send(message(60_000))
                sent += 60_000
            await asyncio.sleep(0.25)
        assert sent <= BURST_BYTES + 11 * BYTES_PER_S

    played(play)

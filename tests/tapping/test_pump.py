"""Two channels joined, played by hand."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.overhearing import Overhearing
from mcp_workbench.tapping import pump
from mcp_workbench.tapping.hooks import Hooks, Passing
from mcp_workbench.tapping.pump import LANE_BYTES, UPSTREAM_GONE, Pump
from mcp_workbench.tasks import start_task
from mcp_workbench.telemetry import Direction, Side, Telemetry
from mcp_workbench.transports.channel import ChannelFacts
from tests.sessions.rig import FakeChannel


class Rig:
    """A tap between two fake channels; the server's end is there unless told otherwise."""

    def __init__(self, *, joined: bool = True) -> None:
        self.telemetry = Telemetry()
        self.overhearing = Overhearing(lambda: self.telemetry)
        self.client, self.server, self.hooks = FakeChannel(), FakeChannel(), Hooks()
        self.pump = Pump(self.client, self.overhearing.begin(Side.TAP, "default", "websocket", "there"), self.hooks)
        self.client.open(self.pump.receiver)
        if joined:
            self.pump.join(self.server)

    def heard(self) -> list[bytes]:
        self.overhearing.settle()
        return [message.raw for message in self.telemetry.messages.latest()]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_texts_pass_both_ways_unchanged_and_are_heard() -> None:
    rig = Rig()
    rig.client.deliver(b'{"jsonrpc" : "2.0"}  ')
    rig.server.deliver(b"\xff nonsense")
    assert (rig.server.texts, rig.client.texts) == ([b'{"jsonrpc" : "2.0"}  '], [b"\xff nonsense"])
    assert rig.heard() == [b'{"jsonrpc" : "2.0"}  ', b"\xff nonsense"]


def test_what_comes_before_the_server_is_there_waits_and_its_client_is_not_read() -> None:
    async def main() -> None:
        rig = Rig(joined=False)
        rig.client.deliver(b"1")
        assert rig.client.paused
        rig.pump.join(rig.server)
        await turns()
        assert (rig.server.texts, rig.client.paused) == ([b"1"], False)
        rig.client.deliver(b"2")
        assert rig.server.texts == [b"1", b"2"]

    asyncio.run(main())


def test_who_sends_is_read_no_faster_than_the_other_end_reads() -> None:
    rig = Rig()
    rig.server.room = 2
    rig.client.deliver(b"1")
    assert not rig.client.paused
    rig.client.deliver(b"2")
    assert (rig.client.paused, rig.server.paused) == (True, False)
    rig.server.drain()
    assert not rig.client.paused


def test_close_codes_and_reasons_pass_both_ways() -> None:
    for code, reason in ((1000, "bye"), (1013, "later"), (4001, "own")):
        rig = Rig()
        rig.server.end(code, reason)
        assert rig.client.closes == [(code, reason)]
        other = Rig()
        other.client.end(code, reason)
        assert (other.server.closes, other.client.closes) == ([(code, reason)], [])


def test_a_server_that_vanishes_or_cannot_be_had_is_a_bad_gateway_with_a_sentence() -> None:
    vanished, unreachable = Rig(), Rig(joined=False)
    vanished.server.end(1006, "")
    unreachable.pump.fail("nothing listens there")
    assert vanished.client.closes == [(UPSTREAM_GONE, "the server behind the tap vanished")]
    assert unreachable.client.closes == [(UPSTREAM_GONE, "nothing listens there")]


REQUEST, ANSWER = b'{"jsonrpc":"2.0","id":1,"method":"ping"}', b'{"jsonrpc":"2.0","id":1,"result":{}}'


@pytest.mark.parametrize("hooked", [False, True])
def test_a_host_that_has_closed_its_end_of_stdio_still_hears_its_last_answers(hooked: bool) -> None:
    async def main() -> None:
        rig = Rig(joined=False)
        rig.client.facts = ChannelFacts("stdio", "host")
        if hooked:
            rig.hooks.add(Direction.OUT, lambda passing: None)
        rig.client.deliver(REQUEST)
        rig.client.end(1000, "the other side closed its end")
        rig.pump.join(rig.server)
        await turns()
        assert (rig.server.texts, rig.server.closes, rig.pump.ended) == ([REQUEST], [], False)
        rig.server.deliver(b'{"jsonrpc":"2.0","method":"notifications/progress"}')
        await turns()
        assert not rig.pump.ended
        rig.server.deliver(ANSWER)
        await turns()
        assert rig.client.texts[-1] == ANSWER
        assert rig.pump.ended
        assert [code for code, _ in rig.server.closes] == [1000]
        assert not rig.pump.over.is_set()
        rig.server.end(1000, "")
        assert rig.pump.over.is_set()

    asyncio.run(main())


def test_a_host_is_not_waited_for_without_end_nor_where_nothing_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        rig = Rig()
        rig.client.facts = ChannelFacts("stdio", "host")
        rig.client.deliver(REQUEST)
        rig.server.deliver(ANSWER)
        rig.client.end(1000, "")
        assert rig.pump.ended
        monkeypatch.setattr(pump, "LAST_ANSWERS_S", 0.0)
        patient = Rig()
        patient.client.facts = ChannelFacts("stdio", "host")
        patient.client.deliver(REQUEST)
        patient.client.end(1000, "")
        assert not patient.pump.ended
        await turns()
        assert patient.pump.ended

    asyncio.run(main())


def test_a_server_that_comes_too_late_is_let_go() -> None:
    rig = Rig(joined=False)
    rig.client.end(1001, "tired of waiting")
    late = FakeChannel()
    late.open(rig.pump.receiver)
    rig.pump.join(late)
    assert late.aborted


def test_a_hook_changes_delays_and_drops_and_the_order_stays() -> None:
    async def main() -> None:
        rig, go_on = Rig(), asyncio.Event()

        async def slow(passing: Passing) -> None:
            if passing.method == "slow":
                await go_on.wait()
            elif passing.method == "gone":
                passing.drop()
            elif passing.method == "other":
                passing.change({**passing.value, "method": "changed"})

        rig.hooks.add(Direction.IN, slow)
        for method in ("slow", "gone", "other", "same"):
            rig.client.deliver(b'{"method":"%b"}' % method.encode())
        await turns()
        assert rig.server.texts == []
        go_on.set()
        await turns()
        assert rig.server.texts == [b'{"method":"slow"}', b'{"method":"changed"}', b'{"method":"same"}']
        assert (rig.hooks.changed, rig.hooks.dropped) == (1, 1)
        assert b'{"method":"gone"}' in rig.heard()

    asyncio.run(main())


@pytest.mark.parametrize("kind", [ZeroDivisionError, SystemExit, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit])
def test_a_hook_that_raises_changes_nothing_and_its_failure_is_kept(kind: type[BaseException]) -> None:
    async def main() -> None:
        rig = Rig()

        def broken(passing: Passing) -> None:
            passing.change({"half": "done"})
            raise kind("in the hook")

        rig.hooks.add(Direction.OUT, broken)
        rig.server.deliver(b"{}")
        await turns()
        assert rig.client.texts == [b"{}"]
        assert 'raise kind("in the hook")' in rig.hooks.failures[0]

    asyncio.run(main())


@pytest.mark.parametrize("text", [None, '{"jsonrpc":"2.0"}', 5])
def test_a_hook_that_leaves_something_else_than_a_text_changes_nothing(text: Any) -> None:
    async def main() -> None:
        rig = Rig()
        rig.hooks.add(Direction.OUT, lambda passing: setattr(passing, "text", text))
        rig.server.deliver(b"{}")
        await turns()
        assert rig.client.texts == [b"{}"]
        assert f"text is bytes, and the hook has set it to {type(text).__name__}" in rig.hooks.failures[0]

    asyncio.run(main())


def test_a_hook_under_way_when_the_tap_ends_has_not_failed() -> None:
    async def main() -> None:
        hooks, begun = Hooks(), asyncio.Event()

        async def slow(passing: Passing) -> None:
            begun.set()
            await asyncio.Event().wait()

        hooks.add(Direction.OUT, slow)
        task = start_task(hooks.pass_through(Passing("tap1", Direction.OUT, b"{}")), name="passes")
        await begun.wait()
        task.cancel()
        await asyncio.wait([task])
        assert (task.cancelled(), list(hooks.failures)) == (True, [])

    asyncio.run(main())


def test_texts_that_wait_for_hooks_are_bounded_and_what_was_said_before_the_end_still_passes() -> None:
    async def main() -> None:
        rig, go_on = Rig(), asyncio.Event()

        async def wait(passing: Passing) -> None:
            await go_on.wait()

        rig.hooks.add(Direction.OUT, wait)
        rig.server.deliver(b"x" * LANE_BYTES)
        rig.server.deliver(b"y" * 2)
        await turns()
        rig.server.deliver(b"z" * LANE_BYTES)
        assert rig.server.paused
        rig.server.end(1000, "done")
        assert rig.client.closes == []
        go_on.set()
        await turns()
        assert [len(text) for text in rig.client.texts] == [LANE_BYTES, 2, LANE_BYTES]
        assert rig.client.closes == [(1000, "done")]

    asyncio.run(main())


@given(st.lists(st.tuples(st.sampled_from(Direction), st.binary(min_size=1, max_size=8)), max_size=20), st.booleans())
def test_each_direction_keeps_its_order_whatever_the_other_does(texts: list[tuple[Direction, bytes]], hooked: bool) -> None:
    async def main() -> None:
        rig = Rig()

        async def yielding(passing: Passing) -> None:
            await asyncio.sleep(0)

        if hooked:
            rig.hooks.add(Direction.IN, yielding)
        for direction, text in texts:
            (rig.client if direction is Direction.IN else rig.server).deliver(text)
        await turns(4 * len(texts) + 5)
        for direction, end in ((Direction.IN, rig.server), (Direction.OUT, rig.client)):
            assert end.texts == [text for way, text in texts if way is direction]

    asyncio.run(main())

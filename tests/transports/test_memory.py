from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.memory import HIGH_WATER_BYTES, MemoryChannel, memory_pair
from tests.support.channels import Listener


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(5):
            await main()

    asyncio.run(bounded())


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def opened() -> tuple[MemoryChannel, Listener, MemoryChannel, Listener]:
    one, other = memory_pair()
    heard_by_one, heard_by_other = Listener(), Listener()
    one.open(heard_by_one)
    other.open(heard_by_other)
    return one, heard_by_one, other, heard_by_other


def test_both_ends_are_channels() -> None:
    async def main() -> None:
        ends: tuple[Channel, Channel] = memory_pair()
        assert {end.facts.transport for end in ends} == {"memory"}

    run(main)


def test_texts_travel_in_order_and_never_inside_send() -> None:
    async def main() -> None:
        one, _, _, heard = opened()
        for n in range(200):
            one.send(b"%d" % n)
        assert heard.texts == []
        await turns(10)
        assert heard.texts == [b"%d" % n for n in range(200)]

    run(main)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["send", "pause", "resume", "turn"]), max_size=60))
def test_no_order_of_pauses_loses_or_reorders_a_text(steps: list[str]) -> None:
    async def main() -> None:
        one, _, other, heard = opened()
        sent = 0
        for step in steps:
            if step == "send":
                one.send(b"%d" % sent)
                sent += 1
            elif step == "turn":
                await turns(1)
            else:
                other.pause_receiving() if step == "pause" else other.resume_receiving()
        other.resume_receiving()
        await turns()
        assert heard.texts == [b"%d" % n for n in range(sent)]
        assert one.unsent_bytes == 0
        assert one.bytes_sent == other.bytes_received

    run(main)


def test_texts_sent_before_the_other_end_is_open_wait_for_it() -> None:
    async def main() -> None:
        one, other = memory_pair()
        one.send(b"early")
        await turns()
        heard = Listener()
        other.open(heard)
        await turns()
        assert heard.texts == [b"early"]

    run(main)


def test_a_paused_reader_makes_the_writer_unwritable_until_it_reads() -> None:
    async def main() -> None:
        one, heard_by_one, other, heard = opened()
        other.pause_receiving()
        one.send(b"x" * HIGH_WATER_BYTES)
        assert one.writable
        one.send(b"y")
        assert not one.writable
        assert one.unsent_bytes == HIGH_WATER_BYTES + 1
        await turns()
        assert heard.texts == []
        other.resume_receiving()
        await turns()
        assert len(heard.texts) == 2
        assert one.writable
        assert heard_by_one.writable_again == 1

    run(main)


def test_pausing_inside_a_delivery_holds_the_next_text() -> None:
    async def main() -> None:
        one, other = memory_pair()
        heard = Listener(lambda text: other.pause_receiving())
        other.open(heard)
        one.send(b"a")
        one.send(b"b")
        await turns()
        assert heard.texts == [b"a"]
        other.resume_receiving()
        await turns()
        assert heard.texts == [b"a", b"b"]

    run(main)


def test_closing_tells_both_ends_once_the_other_behind_the_texts() -> None:
    async def main() -> None:
        one, heard_by_one, other, heard = opened()
        other.send(b"crossing")
        one.send(b"last")
        one.close(4000, "enough")
        one.close(1000)
        one.send(b"too late")
        other.send(b"too late")
        other.close()
        assert not one.writable
        await turns()
        assert heard.texts == [b"last"]
        assert heard_by_one.texts == []
        assert heard.closes == heard_by_one.closes == [(4000, "enough")]

    run(main)


def test_a_paused_end_hears_of_the_close_when_it_resumes() -> None:
    async def main() -> None:
        one, _, other, heard = opened()
        other.pause_receiving()
        one.send(b"held")
        one.close()
        await turns()
        assert heard.closes == []
        other.resume_receiving()
        await turns()
        assert (heard.texts, heard.closes) == ([b"held"], [(1000, "")])

    run(main)


def test_aborting_drops_what_was_under_way() -> None:
    async def main() -> None:
        one, heard_by_one, other, heard = opened()
        one.send(b"lost")
        other.abort()
        one.abort()
        await turns()
        assert heard.texts == []
        assert heard.closes == heard_by_one.closes == [(1006, "")]

    run(main)


def test_a_ping_is_a_sign_of_life_from_an_end_that_reads() -> None:
    async def main() -> None:
        one, _, other, _ = opened()
        one.ping()
        await turns()
        before = one.bytes_received
        assert before > 0
        other.pause_receiving()
        one.ping()
        await turns()
        assert one.bytes_received == before

    run(main)


def test_a_receiver_that_raises_closes_with_1011(caplog: pytest.LogCaptureFixture) -> None:
    def fail(text: bytes) -> None:
        raise RuntimeError("a bug of ours")

    async def main() -> None:
        one, other = memory_pair()
        heard_by_one, heard = Listener(), Listener(fail)
        one.open(heard_by_one)
        other.open(heard)
        one.send(b"a")
        one.send(b"b")
        await turns()
        assert heard.texts == [b"a"]
        assert heard.closes == heard_by_one.closes == [(1011, "internal error")]

    run(main)
    assert [record.levelname for record in caplog.records if record.name == "mcp_workbench"] == ["ERROR"]

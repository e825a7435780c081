"""Lines through pipes: split and joined anywhere, bounded, paused, and ended on either side."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_workbench.limits import MIB
from mcp_workbench.transports import pipes
from mcp_workbench.transports.pipes import READ_BYTES, READS_AHEAD, PipeChannel
from tests.interaction.requirements import requirement
from tests.support.channels import Listener


@dataclass
class Ends:
    """A channel, and the test's ends of its pipes."""

    channel: PipeChannel
    into: int
    out_of: int

    def close(self, end: str) -> None:
        os.close(getattr(self, end))
        setattr(self, end, -1)


@pytest.fixture(autouse=True, scope="module", params=["by the loop", "by threads"])
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """How it is read and written: as on POSIX, or as where no selector can wait for pipes."""
    with pytest.MonkeyPatch.context() as patched:
        if request.param == "by threads":
            patched.setattr(pipes, "_tells_when_ready", lambda _: False)
        yield


@asynccontextmanager
async def piped(**options: Any) -> AsyncIterator[Ends]:
    source, into = os.pipe()
    out_of, sink = os.pipe()
    ends = Ends(PipeChannel(source, sink, remote="test", **options), into, out_of)
    ends.channel._start_reading()
    try:
        yield ends
    finally:
        # A reader lets the writing thread end, the end of the source the reading one.
        for each in (ends.into, ends.out_of):
            with suppress(OSError):
                os.close(each)
        ends.channel.abort()
        await ends.channel.wait_closed()


def within(main: Callable[[], Any], seconds: float = 20) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await main()

    asyncio.run(bounded())


@settings(max_examples=30, deadline=None)
@given(
    texts=st.lists(st.binary(min_size=1, max_size=40).filter(lambda text: b"\n" not in text and not text.isspace()), max_size=8),
    cuts=st.lists(st.integers(1, 60), max_size=20),
)
def test_however_the_bytes_are_cut_the_same_texts_arrive(texts: list[bytes], cuts: list[int]) -> None:
    async def main() -> None:
        async with piped() as ends:
            listener = Listener()
            ends.channel.open(listener)
            stream = b"".join(text + b"\n" for text in texts)
            for cut in cuts:
                os.write(ends.into, stream[:cut])
                stream = stream[cut:]
            os.write(ends.into, stream)
            ends.close("into")
            assert await listener.until_closed() == (1000, "the other side closed its end")
            assert listener.texts == texts

    within(main)


def test_who_does_not_read_makes_the_channel_unwritable_and_is_told_when_it_is_writable_again() -> None:
    async def main() -> None:
        async with piped() as ends:
            listener = Listener()
            ends.channel.open(listener)
            text = b"x" * (2 * MIB)
            ends.channel.send(text)
            ends.channel.send(b"last")
            assert not ends.channel.writable
            assert ends.channel.unsent_bytes > MIB
            read = bytearray()
            while len(read) < len(text) + 6:
                read += await asyncio.to_thread(os.read, ends.out_of, MIB)
            assert bytes(read) == text + b"\nlast\n"
            await listener.until(lambda each: each.writable_again == 1)
            assert ends.channel.writable
            while ends.channel.unsent_bytes:  # noqa: ASYNC110  # the thread tells of each piece, and nobody of the last
                await asyncio.sleep(0)

    within(main)


def test_a_paused_channel_reads_one_mebibyte_ahead_and_loses_nothing() -> None:
    async def main() -> None:
        async with piped() as ends:
            listener = Listener(lambda _: ends.channel.pause_receiving())
            ends.channel.open(listener)
            line = b"y" * (READ_BYTES - 1) + b"\n"
            count = 3 * READS_AHEAD
            writing = threading.Thread(target=_write_all, args=(ends.into, line * count))
            writing.start()
            while ends.channel._reads_held < READS_AHEAD:  # noqa: ASYNC110  # nobody is told when reading holds back
                await asyncio.sleep(0)
            assert len(listener.texts) == 1
            assert ends.channel.bytes_received <= (READS_AHEAD + 1) * READ_BYTES  # what is held, and what was delivered
            while len(listener.texts) < count:
                ends.channel.resume_receiving()
                seen = len(listener.texts)
                await listener.until(lambda each, seen=seen: len(each.texts) > seen)  # type: ignore[misc]
            assert listener.texts == [line[:-1]] * count
            writing.join()

    within(main)


def _read_exactly(descriptor: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += os.read(descriptor, count - len(data))
    return data


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def test_what_was_sent_before_the_close_is_written_and_the_end_is_told_behind_it() -> None:
    async def main() -> None:
        async with piped() as ends:
            listener = Listener()
            ends.channel.open(listener)
            ends.channel.send(b"z" * MIB)
            ends.channel.close(1000, "enough")
            ends.channel.send(b"ignored")
            assert listener.closes == []
            read = bytearray()
            while chunk := await asyncio.to_thread(os.read, ends.out_of, MIB):
                read += chunk
            assert bytes(read) == b"z" * MIB + b"\n"
            assert await listener.until_closed() == (1000, "enough")

    within(main)


def test_when_nobody_reads_any_more_the_channel_ends_for_short_and_long_texts() -> None:
    async def main() -> None:
        for text in (b"short", b"l" * MIB):
            async with piped() as ends:
                listener = Listener()
                ends.channel.open(listener)
                ends.close("out_of")
                ends.channel.send(text)
                assert await listener.until_closed() == (1006, "the other side is gone: Broken pipe")
                assert not ends.channel.writable

    within(main)


def test_after_the_source_has_ended_answers_are_still_written() -> None:
    async def main() -> None:
        async with piped() as ends:
            listener = Listener()
            ends.channel.open(listener)
            os.write(ends.into, b"question")
            ends.close("into")
            assert await listener.until_closed() == (1000, "the other side closed its end")
            assert listener.texts == [b"question"]
            ends.channel.send(b"answer")
            assert await asyncio.to_thread(os.read, ends.out_of, 100) == b"answer\n"

    within(main)


def test_a_message_that_is_too_long_ends_the_channel_with_1009() -> None:
    async def main() -> None:
        async with piped(max_message_bytes=1000) as ends:
            listener = Listener()
            ends.channel.open(listener)
            os.write(ends.into, b"a" * 1001)
            assert await listener.until_closed() == (1009, "a message may have at most 1,000 bytes")

    within(main)


@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=8),
    cuts=st.lists(st.integers(1, 40), max_size=20),
    last_ends=st.booleans(),
)
def test_where_there_is_an_answer_texts_that_are_too_long_are_answered_and_read_over(
    lengths: list[int], cuts: list[int], last_ends: bool
) -> None:
    async def main() -> None:
        async with piped(max_message_bytes=10, too_long=b"too long") as ends:
            listener = Listener()
            ends.channel.open(listener)
            texts = [bytes([ord("a") + number]) * length for number, length in enumerate(lengths)]
            stream = b"\n".join(texts) + (b"\n" if last_ends else b"")
            for cut in cuts:
                os.write(ends.into, stream[:cut])
                stream = stream[cut:]
            os.write(ends.into, stream)
            ends.close("into")
            assert await listener.until_closed() == (1000, "the other side closed its end")
            assert listener.texts == [text for text in texts if len(text) <= 10]
            answers = b"too long\n" * sum(length > 10 for length in lengths)
            assert await asyncio.to_thread(_read_exactly, ends.out_of, len(answers)) == answers
            assert ends.channel.bytes_sent == len(answers)
            assert ends.channel._pieces == []

    within(main)


def test_a_receiver_that_fails_ends_the_channel_and_not_the_loop() -> None:
    async def main() -> None:
        def fail(_: bytes) -> None:
            raise RuntimeError("injected")

        async with piped() as ends:
            listener = Listener(fail)
            ends.channel.open(listener)
            os.write(ends.into, b"a\nb\n")
            assert await listener.until_closed() == (1011, "internal error")
            assert listener.texts == [b"a"]

    within(main)


def test_a_loop_that_cannot_wait_for_pipes_leaves_them_to_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        def refuse(*_: object) -> None:
            raise NotImplementedError

        monkeypatch.setattr(asyncio.get_running_loop(), "add_reader", refuse)
        async with piped() as ends:
            listener = Listener()
            ends.channel.open(listener)
            os.write(ends.into, b"a\nb\n")
            assert await listener.until_texts(2) == [b"a", b"b"]

    within(main)


def test_a_pipe_that_somebody_else_has_emptied_is_waited_for_again() -> None:
    async def main() -> None:
        async with piped() as ends:
            listener = Listener()
            ends.channel.open(listener)
            if not ends.channel._watched:
                return  # a thread of its own may block
            os.set_blocking(ends.channel._source, False)
            ends.channel._read_once()
            os.write(ends.into, b"a\n")
            ends.channel._read_once()
            assert await listener.until_texts(1) == [b"a"]
            assert listener.closes == []

    within(main)


@requirement("stdio-lines")
def test_a_line_break_within_a_text_becomes_a_space() -> None:
    async def main() -> None:
        async with piped() as ends:
            ends.channel.open(Listener())
            ends.channel.send(b'{\n"a": 1\n}')
            assert await asyncio.to_thread(os.read, ends.out_of, 100) == b'{ "a": 1 }\n'

    within(main)


def test_a_ping_is_a_sign_of_life_as_long_as_it_is_open() -> None:
    async def main() -> None:
        async with piped() as ends:
            ends.channel.open(Listener())
            ends.channel.ping()
            assert ends.channel.bytes_received == pipes.PING_BYTES
            ends.channel.close()
            ends.channel.ping()
            assert ends.channel.bytes_received == pipes.PING_BYTES

    within(main)

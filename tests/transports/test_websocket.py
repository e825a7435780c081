"""The channel over a transport of the test's own: no socket, no clock, every byte in the test's hand."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol as Wire
from websockets.protocol import Side, State

from mcp_workbench.transports import websocket
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.departures import Departures
from mcp_workbench.transports.websocket import WebSocketChannel, cut_reason, sendable_code
from tests.support.channels import Listener
from tests.support.raw_websocket import BINARY, CONT, PING, close_frame, frame


class Pipe(asyncio.Transport):
    """A transport that keeps what is written; the test plays the network."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 51234)})
        self.written = b""
        self.stuck = False
        self.reading = True
        self.ended = False
        self.aborted = False
        self.closed = False
        self.protocol: asyncio.BaseProtocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_write_buffer_size(self) -> int:
        return len(self.written) if self.stuck else 0

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.aborted or self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def take(self) -> bytes:
        written, self.written = self.written, b""
        return written


class Bench:
    """A channel, its transport and what it delivered."""

    def __init__(
        self,
        on_text: Callable[[bytes], None] | None = None,
        *,
        max_size: int = 1 << 20,
        opened: bool = True,
        side: Side = Side.SERVER,
        departures: Departures | None = None,
    ) -> None:
        self.pipe = Pipe()
        self.listener = Listener(on_text)
        wire = Wire(side, state=State.OPEN, max_size=max_size, logger=websocket.silent)
        self.channel = WebSocketChannel(wire, self.pipe, subprotocol="mcp", departures=departures)
        if opened:
            self.channel.open(self.listener)

    def arrive(self, *pieces: bytes) -> None:
        """Bytes in one chunk, by the way that asyncio takes."""
        data = b"".join(pieces)
        while data:
            buffer = self.channel.get_buffer(-1)
            size = min(len(buffer), len(data))
            buffer[:size] = data[:size]
            self.channel.buffer_updated(size)
            data = data[size:]

    def lose(self) -> None:
        self.channel.connection_lost(None)

    @property
    def texts(self) -> list[bytes]:
        return self.listener.texts


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(5):
            await main()

    asyncio.run(bounded())


async def turns(count: int = 3) -> None:
    """Let what was scheduled for the loop's next turns happen."""
    for _ in range(count):
        await asyncio.sleep(0)


def test_the_channel_is_a_channel() -> None:
    async def main() -> None:
        channel: Channel = Bench().channel
        assert channel.facts.transport == "websocket"
        assert channel.facts.remote == "127.0.0.1:51234"
        assert channel.facts.subprotocol == "mcp"
        assert channel.writable

    run(main)


def test_a_text_is_delivered_in_the_callback_it_arrived_in() -> None:
    async def main() -> None:
        bench = Bench()
        bench.arrive(frame("один"))
        assert bench.texts == ["один".encode()]
        assert type(bench.texts[0]) is bytes

    run(main)


def test_fragments_become_one_text_and_a_character_may_be_cut() -> None:
    async def main() -> None:
        bench = Bench()
        word = "ключ".encode()
        bench.arrive(frame(word[:3], fin=False), frame(b"", CONT, fin=False), frame(b"", PING), frame(word[3:], CONT))
        assert bench.texts == [word]

    run(main)


MESSAGES = st.lists(st.tuples(st.text(max_size=300), st.integers(1, 4)), max_size=12)


def frames_of(text: str, fragments: int) -> bytes:
    data = text.encode()
    step = max(1, len(data) // fragments)
    pieces = [data[at : at + step] for at in range(0, len(data), step)] or [b""]
    return b"".join(frame(piece, 1 if n == 0 else CONT, fin=n == len(pieces) - 1) for n, piece in enumerate(pieces))


@settings(max_examples=60, deadline=None)
@given(MESSAGES, st.lists(st.integers(1, 400), max_size=40), st.booleans())
def test_any_splitting_of_the_stream_delivers_the_same_texts(messages: list[tuple[str, int]], cuts: list[int], bad_end: bool) -> None:
    async def main() -> None:
        bench = Bench()
        stream = b"".join(frames_of(text, fragments) + frame(b"p", PING) for text, fragments in messages)
        stream += frame(b"\xff") if bad_end else b""
        for cut in cuts:
            bench.arrive(stream[:cut])
            stream = stream[cut:]
            await turns(2)
        bench.arrive(stream)
        await turns(6)
        assert bench.texts == [text.encode() for text, _ in messages]
        assert (b"\x03\xef" in bench.pipe.written) is bad_end

    run(main)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(b"x", BINARY), 1003),
        (frame(b"x", BINARY, fin=False) + frame(b"", CONT), 1003),
        (frame(b"\xff\xfe"), 1007),
        (frame(b"\xed\xa0\x80"), 1007),
        (frame(b"\xc3", fin=False) + frame(b"(", CONT), 1007),
        (frame(b"x", masked=False), 1002),
        (frame(b"x", 3), 1002),
        (frame(b"x", 11), 1002),
        (frame(b"x", reserved=4), 1002),
        (frame(b"x", CONT), 1002),
        (frame(b"{", fin=False) + frame(b"}"), 1002),
        (frame(b"x" * 126, PING), 1002),
        (frame(b"x", PING, fin=False), 1002),
        (close_frame(1000, b"\xff"), 1007),
        (close_frame(999), 1002),
        (close_frame(1005), 1002),
        (frame(b"x", 8), 1002),
        (frame(b"x", declared=1 << 30), 1009),
        (frame(b"x", declared=(1 << 63) + 5), 1009),
        (frame(b"x" * 150, fin=False) + frame(b"x" * 150, CONT), 1009),
        (frame(b"x", fin=False) + frame(b"x", CONT, fin=False) * 1100 + frame(b"x", CONT), 1008),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_each_violation_closes_with_its_code_and_delivers_nothing(data: bytes, code: int) -> None:
    async def main() -> None:
        bench = Bench(max_size=5000 if code == 1008 else 200)
        bench.arrive(data, frame("never"))
        await turns(40)
        written = bench.pipe.take()
        assert written[0] == 0x88
        assert int.from_bytes(written[2:4], "big") == code
        assert bench.pipe.ended, "a server ends its stream at once after a violation"
        assert bench.texts == []
        bench.arrive(frame("nor later"))
        bench.lose()
        assert [seen for seen, _ in bench.listener.closes] == [code]
        assert bench.texts == []

    run(main)


def test_texts_before_a_violation_are_delivered_and_answered() -> None:
    async def main() -> None:
        bench = Bench(lambda text: bench.channel.send(b"re:" + text))
        bench.arrive(frame("a"), frame(b"\xff"))
        assert bench.texts == [b"a"]
        assert bench.pipe.take().startswith(b"\x81\x04re:a\x88")

    run(main)


@pytest.mark.parametrize("count", [1, 63, 64, 65, 128, 500])
def test_a_chunk_of_many_texts_takes_several_turns_and_reading_goes_on_afterwards(count: int) -> None:
    async def main() -> None:
        bench = Bench()
        bench.arrive(*(frame(f"{n}") for n in range(count)))
        assert len(bench.texts) <= websocket.TURN_FRAMES
        if count >= websocket.TURN_FRAMES:
            assert not bench.pipe.reading
        await turns(count // 32 + 3)
        assert bench.texts == [str(n).encode() for n in range(count)]
        assert bench.pipe.reading

    run(main)


def test_two_chunks_of_exactly_one_turn_do_not_stop_reading() -> None:
    async def main() -> None:
        bench = Bench()
        for _ in range(2):
            bench.arrive(*(frame("x") for _ in range(2 * websocket.TURN_FRAMES)))
        await turns(10)
        assert len(bench.texts) == 4 * websocket.TURN_FRAMES
        assert bench.pipe.reading

    run(main)


def test_a_receiver_that_takes_long_gives_others_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        clock = iter(range(1000))
        monkeypatch.setattr(websocket, "perf_counter", lambda: next(clock))
        bench = Bench()
        await turns()
        bench.arrive(frame("a"), frame("b"), frame("c"))
        assert bench.texts == [b"a"], "the clock says that one text took a second"
        await turns(5)
        assert bench.texts == [b"a", b"b", b"c"]

    run(main)


def test_a_paused_channel_holds_what_has_arrived_and_reads_no_more() -> None:
    async def main() -> None:
        bench = Bench(lambda text: bench.channel.pause_receiving() if text == b"b" else None)
        bench.arrive(frame("a"), frame("b"), frame("c"), frame("d"))
        assert bench.texts == [b"a", b"b"]
        assert not bench.pipe.reading
        bench.arrive(frame("e"))
        await turns()
        assert bench.texts == [b"a", b"b"]
        bench.channel.resume_receiving()
        assert bench.texts == [b"a", b"b"], "nothing is delivered inside the receiver's own call"
        await turns()
        assert bench.texts == [b"a", b"b", b"c", b"d", b"e"]
        assert bench.pipe.reading

    run(main)


def test_nothing_is_delivered_before_the_channel_is_opened() -> None:
    async def main() -> None:
        bench = Bench(opened=False)
        bench.arrive(frame("early"))
        assert not bench.pipe.reading
        bench.channel.open(bench.listener)
        await turns()
        assert bench.texts == [b"early"]
        assert bench.pipe.reading

    run(main)


def test_a_channel_lost_before_it_was_opened_says_so_when_it_is() -> None:
    async def main() -> None:
        bench = Bench(opened=False)
        bench.lose()
        bench.channel.open(bench.listener)
        await turns()
        assert bench.listener.closes == [(1006, "")]

    run(main)


def test_pongs_that_nobody_reads_stop_reading_until_they_are_read() -> None:
    async def main() -> None:
        bench = Bench()
        bench.channel.pause_writing()
        bench.arrive(*(frame("p", PING) for _ in range(3)), frame("after"))
        await turns()
        assert not bench.pipe.reading
        assert bench.texts == []
        bench.channel.resume_writing()
        await turns()
        assert bench.texts == [b"after"]
        assert bench.pipe.reading

    run(main)


def test_a_flood_of_pings_without_reading_answers_one_slice_at_most() -> None:
    async def main() -> None:
        bench = Bench()
        await turns()
        bench.channel.pause_writing()
        bench.arrive(*(frame("x" * 100, PING) for _ in range(500)))
        await turns(50)
        assert len(bench.pipe.written) <= websocket.SLICE_BYTES

    run(main)


def test_texts_are_read_while_answers_pile_up() -> None:
    async def main() -> None:
        bench = Bench()
        bench.channel.pause_writing()
        assert not bench.channel.writable
        bench.arrive(frame("cancel"))
        assert bench.texts == [b"cancel"]
        assert bench.pipe.reading
        bench.channel.resume_writing()
        assert bench.channel.writable
        assert bench.listener.writable_again == 1

    run(main)


def test_bytes_are_counted_with_their_frames() -> None:
    async def main() -> None:
        bench = Bench()
        bench.pipe.stuck = True
        bench.arrive(frame("12345"))
        assert bench.channel.bytes_received == 6 + 5
        bench.channel.send(b"x" * 200)
        assert bench.channel.bytes_sent == bench.channel.unsent_bytes == 4 + 200
        bench.channel.ping()
        assert bench.channel.bytes_sent == 4 + 200 + 2
        bench.lose()
        assert bench.channel.unsent_bytes == 0

    run(main)


def test_close_is_polite_idempotent_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        bench = Bench()
        await turns()
        later = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda *what: later.set_result(what))
        bench.channel.send(b"last")
        bench.channel.close(1001, "bye")
        bench.channel.close(1000, "again")
        bench.channel.send(b"too late")
        bench.channel.ping()
        assert bench.pipe.take() == b"\x81\x04last\x88\x05\x03\xe9bye"
        assert not bench.channel.writable
        delay, act = await later
        assert delay == 2.0
        act()
        assert bench.pipe.aborted

    run(main)


def test_texts_that_arrive_after_our_close_are_dropped_and_its_answer_is_found() -> None:
    async def main() -> None:
        bench = Bench(lambda text: bench.channel.close(1001, "bye"))
        many = b"".join(frame("y" * 50) for _ in range(200))
        bench.arrive(frame("x"), many[:5000])
        bench.channel.pause_receiving()
        bench.arrive(many[5000:], close_frame(1001, b"bye yourself"))
        await turns(10)
        assert bench.texts == [b"x"]
        assert bench.pipe.closed, "both have said goodbye: the server hangs up"
        bench.lose()
        assert bench.listener.closes == [(1001, "bye yourself")]

    run(main)


def test_a_close_frame_behind_held_texts_waits_for_them() -> None:
    async def main() -> None:
        bench = Bench(lambda text: bench.channel.pause_receiving() if text == b"a" else None)
        bench.arrive(frame("a"), frame("b"), close_frame(4000, "пока".encode()))
        await turns()
        assert bench.texts == [b"a"]
        assert not bench.pipe.closed
        bench.channel.resume_receiving()
        await turns()
        assert bench.texts == [b"a", b"b"]
        assert bench.pipe.closed
        bench.lose()
        assert bench.listener.closes == [(4000, "пока")]

    run(main)


@pytest.mark.parametrize(
    ("arrives", "heard"),
    [
        ([], (1006, "")),
        ([close_frame(1000, b"done")], (1000, "done")),
        ([close_frame(None)], (1005, "")),
        ([frame("half", fin=False)], (1006, "")),
        ([frame("text")[:4]], (1006, "")),
    ],
)
def test_the_receiver_hears_of_the_end_once_with_the_others_code(arrives: list[bytes], heard: tuple[int, str]) -> None:
    async def main() -> None:
        bench = Bench()
        for data in arrives:
            bench.arrive(data)
        bench.channel.eof_received()
        bench.lose()
        bench.channel.close()
        bench.channel.abort()
        bench.channel.resume_receiving()
        await turns()
        assert bench.listener.closes == [heard]

    run(main)


def test_a_close_of_ours_that_was_never_answered_is_reported_as_ours() -> None:
    async def main() -> None:
        bench = Bench()
        bench.channel.close(1013, "slow consumer")
        bench.lose()
        assert bench.listener.closes == [(1013, "slow consumer")]

    run(main)


def test_a_receiver_that_raises_is_logged_once_and_its_connection_closed(caplog: pytest.LogCaptureFixture) -> None:
    def fail(text: bytes) -> None:
        raise RuntimeError("a bug of ours")

    async def main() -> None:
        bench = Bench(fail)
        bench.arrive(frame("a"), frame("b"))
        await turns()
        assert bench.texts == [b"a"]
        assert bench.pipe.take()[2:4] == (1011).to_bytes(2, "big")
        bench.lose()
        assert len(bench.listener.closes) == 1

    with caplog.at_level(logging.DEBUG):
        run(main)
    [record] = [record for record in caplog.records if record.name != "asyncio"]
    assert record.name == "mcp_workbench"
    assert record.exc_info is not None


def test_the_library_never_logs() -> None:
    assert not websocket.silent.isEnabledFor(logging.CRITICAL)
    assert not websocket.silent.propagate


@pytest.mark.parametrize(
    ("code", "sent"), [(1000, 1000), (1013, 1013), (4999, 4999), (1005, 1000), (1006, 1011), (1015, 1011), (5000, 1011), (0, 1011)]
)
def test_only_codes_that_may_be_sent_are_sent(code: int, sent: int) -> None:
    async def main() -> None:
        bench = Bench()
        bench.channel.close(code)
        assert int.from_bytes(bench.pipe.take()[2:4], "big") == sent == sendable_code(code)

    run(main)


@given(st.text())
def test_a_reason_is_cut_to_what_a_control_frame_holds(reason: str) -> None:
    cut = cut_reason(reason)
    assert len(cut.encode()) <= 123
    assert reason.startswith(cut)
    assert len(reason.encode()) <= 123 or len(cut.encode()) > 119


def test_a_reason_that_is_no_text_does_not_raise() -> None:
    assert cut_reason("\ud800") == "?"


# --- the short way for whole small frames ------------------------------------------------------------------


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("size", [0, 1, 2, 118, 119, 120, 124, 125, 126, 127, 128, 2039, 2040, 2041, 2043, 2044, 2045, 5000])
def test_a_whole_frame_of_any_size_is_one_text_wherever_it_is_cut(size: int, side: Side) -> None:
    async def main() -> None:
        text = "t" * size
        data = frame(text, masked=side is Side.SERVER)
        for cut in {0, 1, 2, 4, 6, 8, len(data) - 1}:
            bench = Bench(side=side)
            bench.arrive(data[:cut])
            bench.arrive(data[cut:])
            await turns(8)
            assert bench.texts == [text.encode()]

    run(main)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("size", [0, 1, 4, 125, 126, 200])
def test_a_frame_that_is_masked_the_wrong_way_ends_the_connection(size: int, side: Side) -> None:
    async def main() -> None:
        bench = Bench(side=side)
        bench.arrive(frame("t" * size, masked=side is Side.CLIENT))
        await turns(2)
        assert bench.texts == []
        assert bench.channel.writable is False

    run(main)


@given(st.binary(max_size=400))
def test_a_client_reads_what_a_library_of_another_kind_writes_and_the_other_way_round(payload: bytes) -> None:
    text = payload.hex().encode()

    async def main() -> None:
        client, server = Bench(side=Side.CLIENT), Bench()
        client.channel.send(text)
        sent = client.pipe.take()
        assert client.channel.bytes_sent == len(sent)
        server.arrive(sent)
        assert server.texts == [text]
        oracle = Wire(Side.SERVER, state=State.OPEN)
        oracle.receive_data(sent)
        assert oracle.events_received() == [Frame(Opcode.TEXT, text)]
        client.arrive(Frame(Opcode.TEXT, text).serialize(mask=False))
        assert client.texts == [text]

    run(main)


def test_every_text_is_masked_anew() -> None:
    async def main() -> None:
        bench = Bench(side=Side.CLIENT)
        seen = set()
        for _ in range(8):
            bench.channel.send(b"t" * 20)
            seen.add(bench.pipe.take())
        assert len(seen) == 8

    run(main)


def test_a_length_in_eight_bytes_is_read_as_such() -> None:
    async def main() -> None:
        key, payload = b"abcd", b"x" * 119
        masked = bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
        bench = Bench()
        # 133 bytes in all, as a frame of 127 bytes would be if 127 were a length.
        bench.arrive(b"\x81\xff" + struct.pack("!Q", 119) + key + masked)
        await turns(2)
        assert bench.texts == [payload]

    run(main)


def test_a_frame_inside_a_fragmented_message_or_behind_half_a_frame_does_not_take_the_short_way() -> None:
    async def main() -> None:
        bench = Bench()
        bench.arrive(frame("a", fin=False))
        bench.arrive(frame("b"))
        await turns(2)
        assert bench.texts == []
        assert b"\x03\xea" in bench.pipe.written, "1002: a new message inside a message"
        half = Bench()
        half.arrive(frame("whole")[:3])
        half.arrive(frame("whole")[3:])
        assert len(half.texts) <= 1

    run(main)


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_what_is_written_is_what_the_library_writes(size: int) -> None:
    payload = b"p" * size
    frame = Frame(Opcode.TEXT, payload)
    assert websocket.text_frame_head(size) + payload == frame.serialize(mask=False)
    assert websocket.masked_text_frame_head(size) == frame.serialize(mask=True)[: -4 - size]

"""Answers of one turn leave together, and nothing else waits."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.transports.departures import HELD_BYTES, HELD_TEXTS, Departures
from tests.support.raw_websocket import frame
from tests.transports.test_websocket import Bench, Pipe, run, turns


def test_a_text_that_comes_alone_is_answered_at_once() -> None:
    async def main() -> None:
        departures, pipe = Departures(asyncio.get_running_loop()), Pipe()
        departures.note_arrival()
        departures.write(pipe, b"answer")
        assert pipe.take() == b"answer"

    run(main)


def test_what_is_sent_outside_such_a_turn_is_written_at_once() -> None:
    async def main() -> None:
        departures, pipe = Departures(asyncio.get_running_loop()), Pipe()
        for _ in range(3):
            departures.note_arrival()
        await turns()
        departures.write(pipe, b"news")
        assert pipe.take() == b"news"

    run(main)


def test_from_the_second_text_of_a_turn_on_answers_leave_at_its_end_joined_for_each_connection() -> None:
    async def main() -> None:
        departures, one, other = Departures(asyncio.get_running_loop()), Counting(), Counting()
        for pipe, data in ((one, b"1"), (one, b"2"), (other, b"3"), (one, b"4")):
            departures.note_arrival()
            departures.write(pipe, data)
        assert (one.writes, other.writes) == ([b"1"], [])
        await turns()
        assert (one.writes, other.writes) == ([b"1", b"24"], [b"3"])

    run(main)


def test_after_a_turn_with_several_the_first_answer_of_the_next_is_held_too() -> None:
    async def main() -> None:
        departures, pipe = Departures(asyncio.get_running_loop()), Counting()
        for _ in range(2):
            departures.note_arrival()
        await turns()
        departures.note_arrival()
        departures.write(pipe, b"first")
        assert pipe.writes == []
        await turns()
        assert pipe.writes == [b"first"]
        departures.note_arrival()  # that turn had one arrival only
        departures.write(pipe, b"alone")
        assert pipe.writes == [b"first", b"alone"]

    run(main)


def test_no_more_are_held_than_a_turn_may_delay_and_a_large_text_takes_them_along() -> None:
    async def main() -> None:
        departures, pipe = Departures(asyncio.get_running_loop()), Counting()
        departures.note_arrival()
        departures.note_arrival()
        for _ in range(HELD_TEXTS):
            departures.write(pipe, b"x")
        assert pipe.writes == [b"x" * HELD_TEXTS]
        departures.write(pipe, b"y")
        departures.write(pipe, b"z" * (HELD_BYTES + 1))
        assert pipe.writes[1:] == [b"y" + b"z" * (HELD_BYTES + 1)]

    run(main)


def test_what_was_held_for_a_connection_that_is_gone_is_dropped() -> None:
    async def main() -> None:
        departures, gone, alive = Departures(asyncio.get_running_loop()), Counting(), Counting()
        departures.note_arrival()
        departures.note_arrival()
        departures.write(gone, b"1")
        departures.write(alive, b"2")
        gone.closed = True
        departures.flush()
        assert (gone.writes, alive.writes) == ([], [b"2"])

    run(main)


@given(
    st.lists(
        st.one_of(st.just("arrival"), st.just("turn"), st.just("flush"), st.tuples(st.integers(0, 2), st.binary(min_size=1, max_size=6)))
    )
)
def test_every_connection_gets_all_its_bytes_in_order(steps: list[str | tuple[int, bytes]]) -> None:
    async def main() -> None:
        departures, pipes, sent = Departures(asyncio.get_running_loop()), [Counting() for _ in range(3)], [b"", b"", b""]
        for step in steps:
            if step == "arrival":
                departures.note_arrival()
            elif step == "turn":
                await turns()
            elif step == "flush":
                departures.flush()
            elif isinstance(step, tuple):
                number, data = step
                sent[number] += data
                departures.write(pipes[number], data)
        await turns()
        assert [b"".join(pipe.writes) for pipe in pipes] == sent

    run(main)


def test_a_connection_answers_what_came_at_once_in_one_write_and_a_close_frame_stands_behind_it() -> None:
    async def main() -> None:
        bench = Bench(lambda text: bench.channel.send(b"re:" + text), departures=Departures(asyncio.get_running_loop()))
        bench.arrive(frame(b"a"), frame(b"b"), frame(b"c"))
        assert bench.pipe.take() == b"\x81\x04re:a"
        bench.channel.close(1000, "")
        assert bench.pipe.take() == b"\x81\x04re:b\x81\x04re:c" + b"\x88\x02\x03\xe8"

    run(main)


class Counting(Pipe):
    """A transport that keeps what each write was."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

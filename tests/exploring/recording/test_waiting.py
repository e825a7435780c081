"""Nothing that crosses is lost between the memory and the recorder's thread, or it is counted."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import Era
from mcp_workbench.exploring.recording.format import Note
from mcp_workbench.exploring.recording.waiting import Gap, Waiting
from mcp_workbench.telemetry import CallRecord, Direction, Message, Messages, SessionRecord, Telemetry

STEPS = st.lists(st.sampled_from(["message", "large", "call", "note", "take", "take one"]), max_size=60)
MEMORIES = st.sampled_from([(1, 0), (3, 0), (3, 3_000), (100, 3_000), (100, 1 << 20)])


class Line:
    """A telemetry that is followed, and what was taken."""

    def __init__(self, memory: tuple[int, int], max_bytes: int) -> None:
        self.waiting, self.telemetry = Waiting(max_bytes), Telemetry(messages=Messages(*memory))
        self.telemetry.follow(self.waiting)
        self.seen: list[object] = []
        """`seq` of messages, calls and notes, in the order in which they were taken."""
        self.missed = 0

    def say(self, size: int = 5) -> Message:
        message = Message("s1", Direction.IN, 1, 1.0, size, b"x" * size)
        self.telemetry.messages.add(message)
        return message

    def call(self) -> CallRecord:
        call = CallRecord("c", "s1", "default", Era.LEGACY, "ping", "", 1, 1, 1.0, 1)
        call.request, call.answer = self.say(), self.say()
        self.waiting.call_ended(call)
        return call

    def take(self, most: int = 4) -> None:
        items, other = self.waiting.take(most, 10_000)
        assert len(items) <= 2 * most
        for item in items:
            if isinstance(item, tuple):
                assert len(item[1]) == item[0].size
            self.seen.append(item[0].seq if isinstance(item, tuple) else item)
        if isinstance(other, Gap):
            self.missed += other.messages + other.calls
        elif other is not None:
            self.seen.append(other)

    def take_all(self) -> None:
        while self.waiting.anything:
            self.take()


@given(STEPS, MEMORIES, st.sampled_from([0, 2_000, 1 << 20]))
def test_everything_that_was_offered_is_taken_in_order_or_stands_in_a_gap(
    steps: list[str], memory: tuple[int, int], max_bytes: int
) -> None:
    line = Line(memory, max_bytes)
    offered, behind = list[object](), dict[object, int]()
    for step in steps:
        if step == "take":
            line.take_all()
        elif step == "take one":
            line.take(1)
        elif step == "call":
            call = line.call()
            offered += [line.telemetry.messages.total - 1, line.telemetry.messages.total, call]
            behind[call] = line.telemetry.messages.total
        elif step == "note":
            note = threading.Event()
            line.waiting.put(note)
            offered.append(note)
            behind[note] = line.telemetry.messages.total
        else:
            offered.append(line.say(1_500 if step == "large" else 5).seq)
    line.waiting.close_gap()
    line.take_all()
    assert len(offered) == len(line.seen) + line.missed
    assert line.missed == line.waiting.missed
    messages = [each for each in line.seen if isinstance(each, int)]
    assert messages == sorted(set(messages))
    assert [each for each in offered if not isinstance(each, int) and each in line.seen] == [
        each for each in line.seen if not isinstance(each, int)
    ]
    for at, each in enumerate(line.seen):
        if not isinstance(each, int):
            assert not any(isinstance(later, int) and later <= behind[each] for later in line.seen[at:]), (
                "it stands behind what it is about"
            )
    if max_bytes == 1 << 20:
        assert not line.missed
    assert not line.waiting.anything
    assert line.waiting.bytes == 0


def test_while_the_memory_keeps_everything_nothing_is_put_aside() -> None:
    line = Line((1_000, 1 << 20), 0)
    for _ in range(100):
        line.say()
    assert line.waiting.bytes > 0
    assert not line.waiting._left
    line.take_all()
    assert line.seen == list(range(1, 101))


def test_what_crossed_before_it_follows_or_after_it_does_not_is_not_taken() -> None:
    telemetry, line = Telemetry(), Line((10, 0), 1 << 20)
    telemetry.messages.add(Message("s1", Direction.IN, 1, 1.0, 1, b"x"))
    line.say()
    line.telemetry.unfollow(line.waiting)
    line.say()
    line.waiting.put(Note(1.0, "", None))
    line.take_all()
    assert [each for each in line.seen if isinstance(each, int)] == [1]
    assert len(line.seen) == 2, "and what was put aside later is not waited for"


def test_what_crosses_after_the_end_takes_the_place_of_nothing_that_was_missed_before() -> None:
    line = Line((2, 0), 0)
    for _ in range(5):
        line.say()
    line.telemetry.unfollow(line.waiting)
    line.telemetry.messages.max_bytes = 1 << 20
    for _ in range(5):
        line.say()
    line.waiting.close_gap()
    line.take_all()
    assert all(isinstance(each, int) and each <= 5 for each in line.seen)
    assert len(line.seen) + line.missed == 5


def test_another_memory_may_take_the_place_of_one_in_which_nothing_was_kept() -> None:
    line, larger = Line((10, 0), 0), Telemetry(messages=Messages(100, 1 << 20))
    larger.inherit(line.telemetry)
    line.telemetry = larger
    line.call()
    larger.record_session(SessionRecord("s1", "memory", "", "default", 1.0))
    line.take_all()
    assert [type(each).__name__ for each in line.seen] == ["int", "int", "CallRecord", "SessionRecord"]


def test_who_sleeps_is_woken_once_and_at_once_where_something_waits() -> None:
    line = Line((10, 1 << 20), 0)
    line.waiting.fall_asleep()
    assert not line.waiting.wake.is_set()
    line.say()
    assert line.waiting.wake.is_set()
    assert not line.telemetry.messages.sleepers
    line.waiting.wake.clear()
    line.say()
    assert not line.waiting.wake.is_set(), "it did not sleep again"
    line.waiting.fall_asleep()
    assert line.waiting.wake.is_set()


@pytest.mark.parametrize("memory", [(50, 2_000), (1, 0), (3, 100), (60, 1 << 20), (1_000, 3_000)])
def test_a_thread_that_takes_while_another_speaks_misses_nothing(memory: tuple[int, int]) -> None:
    line, count = Line(memory, 1 << 30), 10_000
    done = threading.Event()

    def speak() -> None:
        for number in range(count):
            line.say(number % 90)
        done.set()

    speaker = threading.Thread(target=speak)
    speaker.start()
    while not done.is_set() or line.waiting.anything:
        line.take(64)
    speaker.join()
    assert line.seen == list(range(1, count + 1))
    line.waiting.fall_asleep()
    assert not line.waiting._left

"""An allowance: how many may run and wait, and who is next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.limits import Limits
from mcp_workbench.sessions.places import Places


class Queue:
    """A session whose calls wait, by their numbers."""

    def __init__(self, places: Places, started: list[int]) -> None:
        self.places = places
        self.started = started
        self.calls: list[int] = []
        self.able = True

    def wait(self, number: int) -> None:
        self.calls.append(number)
        self.places.wait(self, 10)

    def start_next(self) -> bool:
        if not self.calls or not self.able:
            return False
        self.started.append(self.calls.pop(0))
        self.places.left(10)
        self.places.running += 1
        if not self.calls:
            self.places.forget(self)
        return True


def test_who_has_waited_longest_is_next_and_who_cannot_go_on_is_passed_over() -> None:
    places = Places(Limits(running_calls=2))
    started: list[int] = []
    first, second, third = (Queue(places, started) for _ in range(3))
    for number, queue in enumerate((first, second, third)):
        queue.wait(number)
    first.able = False
    places.start_waiting()
    assert (started, places.free, places.waiting, places.waiting_bytes) == ([1, 2], False, 1, 10)
    first.able = True
    places.start_waiting()
    assert started == [1, 2], "there is no place"
    places.running -= 1
    places.start_waiting()
    assert started == [1, 2, 0]


def test_messages_and_bytes_that_wait_are_bounded() -> None:
    places = Places(Limits(backlog_messages=3, backlog_bytes=25, parked_calls=1))
    queue = Queue(places, [])
    assert places.may_wait(25)
    assert not places.may_wait(26)
    queue.wait(1)
    queue.wait(2)
    assert places.may_wait(5)
    assert not places.may_wait(6)
    assert places.may_park
    places.parked += 1
    assert not places.may_park


@given(st.lists(st.tuples(st.sampled_from(["wait", "end"]), st.integers(0, 3)), max_size=60))
def test_no_more_run_than_may_and_nobody_waits_while_there_is_a_place(steps: list[tuple[str, int]]) -> None:
    places = Places(Limits(running_calls=3))
    started: list[int] = []
    queues = [Queue(places, started) for _ in range(4)]
    for number, (step, which) in enumerate(steps):
        if step == "wait":
            queues[which].wait(number)
        elif places.running:
            places.running -= 1
        places.start_waiting()
        assert places.running <= 3
        assert not (places.free and places.waiting)
        assert places.waiting == sum(len(queue.calls) for queue in queues)
        assert places.waiting_bytes == 10 * places.waiting

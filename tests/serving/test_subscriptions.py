"""The feed that tells subscribers, on a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.serving.subscriptions import INTERVAL_S, UpdateFeed


class _Timer:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class _Clock:
    """The two things the feed wants of a loop: the time, and to be called at one."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, _Timer, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> _Timer:
        timer = _Timer()
        self._due.append((when, timer, callback))
        return timer

    def advance(self, seconds: float) -> None:
        """Let time pass, ringing on the way."""
        end = self.now + seconds
        while (ready := [entry for entry in self._due if entry[0] <= end]) != []:
            first = min(ready, key=lambda entry: entry[0])
            self._due.remove(first)
            self.now = max(self.now, first[0])
            if not first[1].cancelled:
                first[2]()
        self.now = end

    @property
    def timers(self) -> int:
        return sum(not timer.cancelled for _, timer, _ in self._due)


def _feed() -> tuple[_Clock, UpdateFeed, list[tuple[float, str]]]:
    clock = _Clock()
    told: list[tuple[float, str]] = []
    feed = UpdateFeed(cast(asyncio.AbstractEventLoop, clock), lambda topic: told.append((clock.now, topic)))
    return clock, feed, told


def test_the_first_change_is_told_at_once_and_the_last_one_after_the_interval() -> None:
    clock, feed, told = _feed()
    for _ in range(5):
        feed.changed("a")
    assert told == [(0.0, "a")]
    clock.advance(10)
    assert told == [(0.0, "a"), (INTERVAL_S, "a")]
    assert clock.timers == 0


def test_topics_do_not_wait_for_each_other() -> None:
    clock, feed, told = _feed()
    feed.changed("a")
    feed.changed("b")
    assert [topic for _, topic in told] == ["a", "b"]
    assert clock.timers == 0


def test_a_closed_feed_tells_nobody() -> None:
    clock, feed, told = _feed()
    feed.changed("a")
    feed.changed("a")
    feed.close()
    clock.advance(10)
    assert len(told) == 1


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 1)), max_size=60))
def test_never_more_often_than_the_interval_and_never_without_the_last(steps: list[tuple[str, float]]) -> None:
    clock, feed, told = _feed()
    last: dict[str, float] = {}
    for topic, pause in steps:
        feed.changed(topic)
        last[topic] = clock.now
        clock.advance(pause)
    clock.advance(1)
    for topic, when in last.items():
        times = [at for at, told_topic in told if told_topic == topic]
        assert times[-1] >= when
        assert times[-1] <= when + INTERVAL_S + 1e-9
        assert all(later - earlier >= INTERVAL_S - 1e-9 for earlier, later in pairwise(times))
    assert clock.timers == 0

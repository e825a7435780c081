"""All views of one server: how many, when they are told, and how they end."""

from __future__ import annotations

import asyncio
from typing import cast

from mcp_workbench.views.messages import OpenCalls, Watch, encode
from mcp_workbench.views.viewers import MOST, TICK_S, Viewers
from tests.sessions.rig import FakeChannel, FakeLoop
from tests.views.rig import OPEN, FakeFeed, no_server


class House:
    """Viewers whose timer rings when the test says so."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.feeds: list[FakeFeed] = []
        self.viewers = Viewers(
            no_server(), cast(asyncio.AbstractEventLoop, self.loop), feeds=[lambda _: self.make()], actions=lambda _: {}, now=lambda: 100.0
        )

    def make(self) -> FakeFeed:
        self.feeds.append(FakeFeed("calls"))
        return self.feeds[-1]

    def enter(self) -> FakeChannel:
        channel = FakeChannel()
        if (viewer := self.viewers.accept(channel)) is not None:
            channel.open(viewer)
            channel.deliver(OPEN)
            channel.deliver(encode(Watch(panels=("calls",))))
            channel.texts.clear()
        return channel

    def ring(self) -> None:
        """All that is due at the next tick."""
        assert self.turn() == TICK_S
        while self.waits and self.loop.timers[-1].delay == 0:
            self.turn()

    def turn(self) -> float:
        """One turn of the loop; returns what was waited for it."""
        [timer] = [timer for timer in self.loop.timers if not timer.cancelled]
        self.loop.timers.remove(timer)
        timer.callback()
        return timer.delay

    @property
    def waits(self) -> bool:
        return any(not timer.cancelled for timer in self.loop.timers)


def test_each_view_has_feeds_of_its_own_and_all_are_told_by_one_timer() -> None:
    house = House()
    one, other = house.enter(), house.enter()
    house.feeds[0].news, house.feeds[1].news = [OpenCalls(more=1)], [OpenCalls(more=2)]
    house.ring()
    assert (one.texts, other.texts) == ([encode(OpenCalls(more=1))], [encode(OpenCalls(more=2))])
    house.ring()
    assert [len(feed.looks) for feed in house.feeds] == [3, 3]


def test_between_the_looks_of_two_views_the_loop_has_a_turn() -> None:
    house = House()
    one, other = house.enter(), house.enter()
    house.feeds[0].news, house.feeds[1].news = [OpenCalls(more=1)], [OpenCalls(more=2)]
    assert (house.turn(), len(one.texts), len(other.texts)) == (TICK_S, 1, 0)
    one.end(1000, "")
    assert (house.turn(), len(other.texts)) == (0, 1)
    assert (house.turn(), house.turn()) == (0, TICK_S)


def test_the_last_view_may_leave_between_two_looks() -> None:
    house = House()
    one, other = house.enter(), house.enter()
    house.turn()
    one.end(1000, "")
    other.end(1000, "")
    assert not house.waits
    house.enter()
    house.ring()


def test_the_timer_runs_only_while_somebody_looks() -> None:
    house = House()
    assert not house.waits
    one, other = house.enter(), house.enter()
    one.end(1000, "")
    assert house.waits
    other.end(1000, "")
    assert (house.waits, len(house.viewers)) == (False, 0)
    house.enter()
    house.ring()
    assert house.waits


def test_one_view_too_many_is_told_so() -> None:
    house = House()
    channels = [house.enter() for _ in range(MOST + 1)]
    assert [channel.closes for channel in channels[:-1]] == [[]] * MOST
    assert channels[-1].closes == [(1013, f"{MOST} views are open already: close one")]
    assert channels[-1].texts == []
    channels[0].end(1000, "")
    assert house.enter().closes == []


def test_when_the_server_stops_every_view_is_told_and_none_let_in() -> None:
    house = House()
    channel = house.enter()
    house.feeds[0].news = [OpenCalls(more=3)]
    house.viewers.close()
    assert channel.texts == [encode(OpenCalls(more=3))], "the last state comes before the goodbye"
    assert (channel.closes, house.waits) == ([(1001, "the server is stopping")], False)
    assert house.enter().closes == [(1013, "the server is stopping")]
    channel.end()
    assert len(house.viewers) == 0


def test_what_is_posted_to_a_loop_that_is_closed_is_let_go() -> None:
    loop = asyncio.new_event_loop()
    viewers = Viewers(no_server(), loop, actions=lambda _: {})
    assert viewers.post(lambda: None) is True
    loop.close()
    assert viewers.post(lambda: None) is False

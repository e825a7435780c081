from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from mcp_workbench import Workbench
from mcp_workbench.limits import Limits
from mcp_workbench.views.feeds import sessions
from mcp_workbench.views.feeds.sessions import SessionsFeed
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import Sessions
from tests.sessions.rig import Rig, request
from tests.support.stage import on_loop, running, server_of, talking, within


class Hall:
    """Sessions over fake channels, and a feed that looks at them."""

    def __init__(self) -> None:
        self.now = 100.0
        self.rig = Rig(Limits(running_calls=1))
        running = SimpleNamespace(sessions=self.rig.sessions, since=0.0)
        self.feed = SessionsFeed(Sources(cast(Any, running), cast(Any, SimpleNamespace(telemetry=self.rig.telemetry))))

    def look(self, after_s: float = sessions.EVERY_S) -> Sessions | None:
        self.now += after_s
        told = list(self.feed.look(self.now))
        return told[0] if told else None  # type: ignore[return-value]  # the feed tells nothing else

    def rows(self) -> list[str]:
        told = self.look()
        return [] if told is None else [row.id for row in told.rows]


def test_a_session_is_told_when_something_of_it_has_changed() -> None:
    hall = Hall()
    told = hall.look()
    assert told is not None
    [row] = told.rows
    assert (row.id, row.client, row.client_version, row.protocol, row.era) == ("s1", "agent", "2", "2025-11-25", "legacy")
    assert (row.transport, row.remote, row.principal, row.until, told.open) == ("memory", "test:1", "default", 0, 1)
    assert hall.look() is None
    hall.rig.call(1, "runs")
    hall.rig.call(2, "waits")
    hall.rig.channel.deliver(b'{"jsonrpc":"2.0","id":9,"result":{}}')
    told = hall.look()
    assert told is not None
    [row] = told.rows
    assert (row.running, row.backlog, row.calls, row.messages_in) == (1, 1, 2, 5)
    assert row.ignored == ("response to an unknown request: 1",)
    hall.rig.work("runs").end(None)
    assert hall.rows() == ["s1"], "also where nothing was sent or received"
    hall.rig.channel.unsent_bytes = 7
    assert hall.rows() == ["s1"]


def test_a_busy_session_is_told_once_a_second_and_at_last_with_what_it_came_to() -> None:
    hall = Hall()
    hall.look()
    hall.rig.call(1, "first")
    assert hall.rows() == ["s1"], "the first change after a while, at once"
    hall.rig.call(2, "second")
    assert hall.look(0.25) is None
    hall.rig.call(3, "third")
    assert hall.look(0.25) is None
    told = hall.look(0.5)
    assert told is not None
    assert [row.calls for row in told.rows] == [3]
    hall.rig.call(4, "fourth")
    assert hall.look(-3600) is not None, "a clock that was set back holds nothing back"


def test_what_is_new_or_ends_is_told_at_once() -> None:
    hall = Hall()
    hall.look()
    channel, _ = hall.rig.connect(version="")
    told = hall.look(0.0)
    assert told is not None
    assert [(row.id, row.client) for row in told.rows] == [("s2", "")]
    channel.deliver(request("i", "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "agent", "version": "2"}))
    told = hall.look(0.0)
    assert told is not None
    assert [(row.id, row.client) for row in told.rows] == [("s2", "agent")], "who it is"
    channel.end(1000, "")
    told = hall.look(0.0)
    assert told is not None
    assert [(row.id, row.until > 0) for row in told.rows] == [("s2", True)]


def test_the_ended_are_told_once_and_gone_when_later_ones_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "ENDED", 2)
    hall = Hall()
    hall.look()
    hall.rig.channel.end(1006, "vanished")
    told = hall.look()
    assert told is not None
    [row] = told.rows
    assert (row.id, row.close_code, row.close_reason, row.until > 0, told.open, told.gone) == ("s1", 1006, "vanished", True, 0, ())
    assert hall.look() is None
    for _ in range(2):
        hall.rig.connect()[0].end(1000, "")
    told = hall.look()
    assert told is not None
    assert ([row.id for row in told.rows], told.gone) == (["s2", "s3"], ("s1",))


def test_of_very_many_the_latest_are_told_and_how_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST", 2)
    hall = Hall()
    first = hall.rig.channel
    for _ in range(3):
        hall.rig.connect()
    told = hall.look()
    assert told is not None
    assert ([row.id for row in told.rows], told.open) == (["s3", "s4"], 4)
    first.end(1000, "")
    told = hall.look()
    assert told is not None
    assert ([row.id for row in told.rows], told.gone, told.open) == (["s1"], ("s3",), 3)


def test_sessions_of_an_earlier_start_are_not_taken_for_those_of_now() -> None:
    workbench = Workbench("twice")

    async def visit() -> None:
        async with talking(workbench):
            pass

    async def visit_again() -> None:
        async with talking(workbench):
            feed = SessionsFeed(Sources(server_of(workbench), workbench._offer))
            [told] = on_loop(workbench, feed.look, 0.0)
            assert [(row.id, row.until) for row in told.rows] == [("s1", 0)]
            assert on_loop(workbench, feed.look, 0.0) == ()

    with running(workbench):
        within(visit)
    with running(workbench):
        within(visit_again)

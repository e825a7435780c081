"""All sessions of one server: accepting, telling, ticking, ending."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

from mcp_workbench.limits import Limits
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.sessions import registry
from tests.sessions.rig import FakeChannel, Rig, cancel, request

UPDATED = "notifications/resources/updated"
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}


def subscribe(rig: Rig, channel: FakeChannel, uri: str, topic: str) -> None:
    channel.deliver(request(uri, "resources/subscribe", uri=uri))
    (session,) = [session for session in rig.sessions if session.channel is channel]
    rig.sessions.watch(session, uri, topic)
    channel.texts.clear()


def run(main: Coroutine[None, None, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(5):
            await main

    asyncio.run(bounded())


# --- population --------------------------------------------------------------------------------------------


def test_sessions_are_numbered_and_counted_and_whoever_wants_is_told() -> None:
    rig = Rig()
    populations: list[int] = []
    rig.sessions.on_population.append(populations.append)
    channel, second = rig.connect()
    assert [session.id for session in rig.sessions] == ["s1", "s2"]
    channel.end(1000, "")
    rig.channel.end(1000, "")
    _, third = rig.connect()
    assert (second.id, third.id, populations) == ("s2", "s3", [2, 1, 0, 1])


def test_ended_sessions_are_remembered_before_open_ones() -> None:
    rig = Rig()
    channel, _ = rig.connect()
    channel.end(1001, "bye")
    assert [(record.session_id, record.close_code) for record in rig.sessions.records()] == [("s2", 1001), ("s1", None)]


def test_forgetting_twice_counts_once() -> None:
    rig = Rig()
    rig.channel.end(1000, "")
    rig.sessions.forget(rig.session)
    assert rig.telemetry.statistics().sessions_ended == 1


def test_the_ticker_runs_while_there_are_sessions() -> None:
    rig = Rig()
    (timer,) = rig.loop.timers
    assert timer.delay == registry.TICK_S
    timer.callback()
    assert len(rig.loop.timers) == 2
    rig.channel.end(1000, "")
    assert rig.loop.timers[-1].cancelled
    rig.connect()
    assert len(rig.loop.timers) == 3


def test_a_session_that_ends_inside_a_tick_ends_the_ticker() -> None:
    rig = Rig(Limits(ping_after_s=1e-9, dead_after_s=1e-9))
    rig.channel.on_ping = lambda: rig.channel.end(1006, "")
    rig.loop.timers[-1].callback()  # sees what has arrived so far
    rig.loop.timers[-1].callback()  # and now that nothing more has
    assert len(rig.sessions) == 0
    assert len(rig.loop.timers) == 2
    assert rig.loop.timers[-1].cancelled


# --- telling -----------------------------------------------------------------------------------------------


def test_a_topic_is_told_to_each_watcher_with_the_uris_it_used() -> None:
    rig = Rig()
    other, _ = rig.connect()
    subscribe(rig, rig.channel, "df://a", "df:a")
    subscribe(rig, rig.channel, "df://a/rows", "df:a")
    subscribe(rig, other, "df://b", "df:b")
    rig.sessions.topic_changed("df:a")
    rig.sessions.topic_changed("df:nobody")
    assert rig.replies == [UPDATED, UPDATED]
    assert other.texts == []


def test_an_ended_session_is_no_longer_told() -> None:
    rig = Rig()
    other, _ = rig.connect()
    subscribe(rig, rig.channel, "df://a", "df:a")
    subscribe(rig, other, "df://a", "df:a")
    other.end(1006, "")
    rig.sessions.topic_changed("df:a")
    assert rig.replies == [UPDATED]
    assert other.texts == []
    assert rig.sessions.index.topic_counts() == {"df:a": 1}


def test_a_uri_is_watched_until_nothing_of_its_session_names_it() -> None:
    rig = Rig(version="modern")
    for listen_id in (1, 2):
        wanted = {"resourceSubscriptions": ["df://a"]}
        rig.channel.deliver(request(listen_id, "subscriptions/listen", notifications=wanted, _meta=META))
        rig.sessions.watch(rig.session, "df://a", "df:a")
    rig.channel.deliver(cancel(1))
    assert rig.sessions.index.watched("df:a")
    rig.channel.deliver(cancel(2))
    assert not rig.sessions.index.watched("df:a")


def test_a_cancelled_call_leaves_the_index_alone() -> None:
    rig = Rig()
    subscribe(rig, rig.channel, "df://a", "df:a")
    rig.call(1)
    rig.channel.deliver(cancel(1))
    rig.sessions.unwatch(rig.session, "df://a")
    assert rig.sessions.index.watched("df:a")
    rig.session.peer.subscriptions.unsubscribe("df://a")
    rig.sessions.unwatch(rig.session, "df://a")
    assert not rig.sessions.index.watched("df:a")


def test_a_list_change_is_told_to_every_session_that_wants_it() -> None:
    rig = Rig()
    modern, _ = rig.connect(version="modern")
    listening, _ = rig.connect(version="modern")
    listening.deliver(request(1, "subscriptions/listen", notifications={"toolsListChanged": True}, _meta=META))
    listening.texts.clear()
    fresh, _ = rig.connect(version="")
    rig.sessions.list_changed(Listing.TOOLS)
    assert [len(channel.texts) for channel in (rig.channel, modern, listening, fresh)] == [1, 0, 1, 0]


# --- ending ------------------------------------------------------------------------------------------------


def test_a_revoked_principal_loses_its_sessions_and_nobody_else_does() -> None:
    rig = Rig()
    first, _ = rig.connect("alice")
    second, _ = rig.connect("alice")
    rig.sessions.close_principal("alice", "the token was revoked")
    assert first.closes == second.closes == [(1008, "the token was revoked")]
    assert rig.channel.closes == []


def test_stopping_waits_for_running_calls_and_then_says_going_away() -> None:
    async def main() -> None:
        rig = Rig(Limits(running_calls=1))
        rig.channel.ends_itself = True
        rig.call(1)
        rig.call(2)
        stopping = asyncio.create_task(rig.sessions.close(2.0))  # noqa: TID251  # the test awaits it
        await asyncio.sleep(0)
        assert rig.sessions.closing
        assert [number for number, _ in rig.replies] == [2]
        rig.call(3)
        assert [number for number, _ in rig.replies] == [3]
        assert not stopping.done()
        rig.work("1").end()
        await stopping
        assert rig.replies == [1]
        assert rig.channel.closes == [(1001, "server is shutting down")]
        assert len(rig.sessions) == 0

    run(main())


def test_what_does_not_end_within_the_grace_is_cancelled_and_a_stuck_connection_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    graces: list[float] = []

    async def at_once(seconds: float, event: asyncio.Event) -> bool:
        graces.append(seconds)
        await asyncio.sleep(0)
        return event.is_set()

    monkeypatch.setattr(registry, "_within", at_once)

    async def main() -> None:
        rig = Rig()
        polite, _ = rig.connect()
        polite.ends_itself = True
        rig.call(1)
        await rig.sessions.close(2.0)
        assert graces == [2.0, 3.0]
        assert rig.work("1").cancelled[0] == "the server is shutting down"
        assert polite.closes == [(1001, "server is shutting down")]
        assert (rig.channel.aborted, polite.aborted) == (True, False)
        assert len(rig.sessions) == 0

    run(main())


def test_stopping_without_sessions_or_calls_waits_for_nothing() -> None:
    async def main() -> None:
        rig = Rig()
        rig.channel.ends_itself = True
        await rig.sessions.close(1000.0)
        await rig.sessions.close(1000.0)

    run(main())


def test_a_client_that_leaves_takes_its_running_calls_out_of_the_grace() -> None:
    async def main() -> None:
        rig = Rig()
        rig.call(1)
        stopping = asyncio.create_task(rig.sessions.close(1000.0))  # noqa: TID251  # the test awaits it
        await asyncio.sleep(0)
        rig.channel.end(1006, "")
        await stopping

    run(main())

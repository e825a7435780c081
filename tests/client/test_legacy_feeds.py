"""Up to 2025-11-25: one subscription on the wire per URI, however many readers come and go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_workbench.client import ResourceUpdated, connect
from mcp_workbench.errors import CallTimedOut, ConnectionClosed, PeerError, RemoteProtocolError
from mcp_workbench.jsonrpc import encode_notification
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.protocol.subscriptions import Listing
from tests.client.scripted import Answer, Listener, ScriptedServer


def agree(exchange: Exchange) -> Answer:
    return wire.EmptyResult()


def update(server: ScriptedServer, uri: str) -> None:
    server.send(encode_notification("notifications/resources/updated", {"uri": uri}))


def wire_traffic(server: ScriptedServer) -> list[str]:
    return [method for method in server.methods() if method.startswith("resources/")]


def test_readers_of_one_uri_share_a_subscription_and_each_hears_everything() -> None:
    async def main() -> None:
        listen = Listener(agree)
        async with asyncio.timeout(5), connect(listen, era="legacy") as session:
            async with session.subscribe("df://a") as one, session.subscribe("df://a") as two:
                assert wire_traffic(listen.server) == ["resources/subscribe"]
                update(listen.server, "df://a")
                assert await anext(one) == ResourceUpdated("df://a")
                assert await anext(two) == ResourceUpdated("df://a")
                update(listen.server, "df://other")
                update(listen.server, "df://a")
                assert await anext(one) == ResourceUpdated("df://a")
            assert wire_traffic(listen.server) == ["resources/subscribe", "resources/unsubscribe"]
            async with session.subscribe("df://a"):
                pass
            assert wire_traffic(listen.server) == ["resources/subscribe", "resources/unsubscribe"] * 2

    asyncio.run(main())


def test_a_slow_reader_sees_the_latest_with_the_others_counted() -> None:
    async def main() -> None:
        listen = Listener(agree)
        async with asyncio.timeout(5), connect(listen, era="legacy") as session, session.subscribe("df://a") as updates:
            for _ in range(5):
                update(listen.server, "df://a")
            await session.ping()
            assert await anext(updates) == ResourceUpdated("df://a", coalesced=5)

    asyncio.run(main())


def test_an_update_of_a_part_is_an_update_of_the_whole() -> None:
    async def main() -> None:
        listen = Listener(agree)
        async with asyncio.timeout(5), connect(listen, era="legacy") as session, session.subscribe("df://a/") as updates:
            update(listen.server, "df://ab")
            update(listen.server, "df://a/rows")
            assert (await anext(updates)).uri == "df://a/rows"

    asyncio.run(main())


def test_an_update_behind_the_answer_in_the_same_turn_is_not_lost() -> None:
    async def main() -> None:
        listen: Listener

        def answer(exchange: Exchange) -> Answer:
            if exchange.method == "resources/subscribe":
                listen.server.reply(exchange, wire.EmptyResult())
                update(listen.server, "df://a")
                return None
            return wire.EmptyResult()

        listen = Listener(answer)
        async with asyncio.timeout(5), connect(listen, era="legacy") as session, session.subscribe("df://a") as updates:
            assert (await anext(updates)).uri == "df://a"

    asyncio.run(main())


def test_a_refused_subscription_is_raised_and_leaves_nothing() -> None:
    async def main() -> None:
        listen = Listener(lambda exchange: RemoteProtocolError(-32002, "no such resource"))
        async with asyncio.timeout(5), connect(listen, era="legacy") as session:
            with pytest.raises(PeerError, match="no such resource"):
                async with session.subscribe("df://a"):
                    pass
            assert wire_traffic(listen.server) == ["resources/subscribe"]
            assert not session._feeds._subscriptions  # type: ignore[attr-defined]  # the legacy feeds

    asyncio.run(main())


def test_a_subscription_given_up_half_way_is_undone() -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen, era="legacy") as session:
            entering = asyncio.get_running_loop().create_task(enter(session.subscribe("df://a")))
            await listen.server.saw("resources/subscribe")
            entering.cancel()
            with pytest.raises(asyncio.CancelledError):
                await entering
            await listen.server.saw("resources/unsubscribe")
            assert wire_traffic(listen.server) == ["resources/subscribe", "resources/unsubscribe"]

    asyncio.run(main())


async def enter(updates: Any) -> None:
    await updates.__aenter__()


def test_a_subscription_not_answered_in_time_is_undone() -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen, era="legacy", timeout_s=0.05) as session:
            with pytest.raises(CallTimedOut):
                await enter(session.subscribe("df://a"))
            await listen.server.saw("resources/unsubscribe")

    asyncio.run(main())


def test_a_reader_that_waited_behind_a_failed_one_subscribes_itself() -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen, era="legacy") as session, asyncio.TaskGroup() as group:
            first = asyncio.get_running_loop().create_task(enter(session.subscribe("df://a")))
            await listen.server.saw("resources/subscribe")
            second = group.create_task(enter(session.subscribe("df://a")))
            await asyncio.sleep(0)
            listen.server.reply(listen.server.open[0], RemoteProtocolError(-32603, "busy"))
            with pytest.raises(PeerError):
                await first
            await listen.server.saw("resources/subscribe", 2)
            listen.server.reply(listen.server.open[1], wire.EmptyResult())
            await second

    asyncio.run(main())


def test_readers_that_come_at_once_subscribe_once_and_one_that_comes_while_the_last_leaves_subscribes_anew() -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen, era="legacy") as session, asyncio.TaskGroup() as group:
            one, two, three = (session.subscribe("df://a") for _ in range(3))
            entering = [group.create_task(enter(one)), group.create_task(enter(two))]
            await listen.server.saw("resources/subscribe")
            await listen.server.peer_round(session)
            listen.server.reply(listen.server.open[0], wire.EmptyResult())
            await asyncio.wait(entering)
            await one.aclose()
            leaving = group.create_task(two.aclose())
            await listen.server.saw("resources/unsubscribe")
            coming = group.create_task(enter(three))
            await listen.server.peer_round(session)
            assert wire_traffic(listen.server) == ["resources/subscribe", "resources/unsubscribe"]
            listen.server.reply(listen.server.open[1], wire.EmptyResult())
            await leaving
            await listen.server.saw("resources/subscribe", 2)
            listen.server.reply(listen.server.open[2], wire.EmptyResult())
            await coming

    asyncio.run(main())


def test_the_end_of_the_connection_is_raised_by_every_reader_and_leaving_is_quiet() -> None:
    async def main() -> None:
        listen = Listener(agree)
        async with asyncio.timeout(5), connect(listen, era="legacy") as session:
            async with session.subscribe("df://a") as updates, session.list_changes() as changes:
                listen.server.channel.close(1001, "restart")
                for stream in (updates, changes):
                    with pytest.raises(ConnectionClosed, match="restart"):
                        await stream.__anext__()
            for closed in (session.subscribe("df://a"), session.list_changes()):
                with pytest.raises(ConnectionClosed):
                    await enter(closed)

    asyncio.run(main())


def test_closing_the_session_ends_the_iterations() -> None:
    async def main() -> None:
        listen = Listener(agree)
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            session = await connect(listen, era="legacy")
            updates = session.subscribe("df://a")
            await updates.__aenter__()
            reader = group.create_task(collect(updates))
            await asyncio.sleep(0)
            await session.close()
            assert await reader == []
            await updates.aclose()

    asyncio.run(main())


async def collect(updates: Any) -> list[Any]:
    return [update async for update in updates]


def test_changed_lists_come_unasked() -> None:
    async def main() -> None:
        listen = Listener(agree)
        async with asyncio.timeout(5), connect(listen, era="legacy") as session, session.list_changes() as changes:
            await listen.server.saw("notifications/initialized")
            for listing in (Listing.TOOLS, Listing.PROMPTS, Listing.TOOLS, Listing.RESOURCES):
                for text in listen.server.peer.list_changed(listing).values():
                    listen.server.send(text)
            await session.ping()
            assert [await anext(changes) for _ in range(3)] == ["tools", "prompts", "resources"]

    asyncio.run(main())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["enter", "leave", "cancel"]), st.integers(0, 3), st.integers(0, 4)), max_size=14))
def test_the_wire_is_subscribed_exactly_while_somebody_reads(script: list[tuple[str, int, int]]) -> None:
    """Whatever the order in which readers come, go and give up half way, with any number of turns of the loop between."""

    async def main() -> None:
        listen = Listener(agree)
        async with asyncio.timeout(10), connect(listen, era="legacy") as session:
            loop = asyncio.get_running_loop()
            readers: dict[int, Any] = {}
            tasks: dict[int, asyncio.Task[None]] = {}
            for step, number, turns in script:
                if step == "enter" and number not in readers:
                    readers[number] = session.subscribe("df://a")
                    tasks[number] = loop.create_task(enter(readers[number]))
                elif step == "cancel" and number in readers:
                    tasks[number].cancel()
                elif step == "leave" and number in readers:
                    await asyncio.wait([tasks.pop(number)])
                    await readers.pop(number).aclose()
                for _ in range(turns):
                    await asyncio.sleep(0)
            if tasks:
                await asyncio.wait(tasks.values())
            reading = any(not task.cancelled() for task in tasks.values())
            await session.ping()
            assert listen.server.peer is not None
            subscribed = wire_traffic(listen.server)[-1:] == ["resources/subscribe"]
            assert subscribed is reading
            for updates in readers.values():
                await updates.aclose()
            await session.ping()
            assert wire_traffic(listen.server)[-1:] in ([], ["resources/unsubscribe"])
            assert not session._feeds._subscriptions  # type: ignore[attr-defined]  # the legacy feeds

    asyncio.run(main())

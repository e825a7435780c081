"""From 2026-07-28: a listen of its own for each reader, acknowledged first, ended by either side."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_workbench.client import ResourceUpdated, connect
from mcp_workbench.errors import CallTimedOut, ConnectionClosed, PeerError, RemoteProtocolError
from mcp_workbench.jsonrpc import encode_notification
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.protocol.subscriptions import Listing
from tests.client.scripted import Answer, Listener, ScriptedServer


def acknowledging(honour: Any = None) -> Listener:
    """A server that honours what was asked, or what `honour` makes of it."""
    listen: Listener

    def answer(exchange: Exchange) -> Answer:
        wanted = exchange.params.notifications
        listen.server.send(listen.server.peer.acknowledge(exchange, wanted if honour is None else honour(wanted)))
        return None

    listen = Listener(answer)
    return listen


def update(server: ScriptedServer, uri: str) -> None:
    for text in server.peer.resource_updated(uri).values():
        server.send(text)


async def enter(updates: Any) -> None:
    await updates.__aenter__()


def test_each_reader_listens_for_itself_and_leaving_cancels_its_listen() -> None:
    async def main() -> None:
        listen = acknowledging()
        async with asyncio.timeout(5), connect(listen) as session:
            async with session.subscribe("df://a") as one, session.subscribe("df://a") as two:
                first, second = listen.server.sent("subscriptions/listen")
                assert first["params"]["notifications"] == {"resourceSubscriptions": ["df://a"]}
                update(listen.server, "df://a")
                update(listen.server, "df://a")
                await listen.server.peer_round(session)
                subscription = {"io.modelcontextprotocol/subscriptionId": first["id"]}
                assert await anext(one) == ResourceUpdated("df://a", 2, subscription)
                assert (await anext(two)).meta == {"io.modelcontextprotocol/subscriptionId": second["id"]}
            await listen.server.saw("notifications/cancelled", 2)
            cancelled = [message["params"]["requestId"] for message in listen.server.sent("notifications/cancelled")]
            assert sorted(cancelled) == sorted([first["id"], second["id"]])
            assert not list(session._conversation.peer.awaited)

    asyncio.run(main())


def test_what_follows_the_acknowledgement_in_the_same_turn_is_not_lost() -> None:
    async def main() -> None:
        listen: Listener

        def answer(exchange: Exchange) -> Answer:
            listen.server.send(listen.server.peer.acknowledge(exchange, exchange.params.notifications))
            update(listen.server, "df://a")
            listen.server.send(listen.server.peer.end_listen(exchange))
            return None

        listen = Listener(answer)
        async with asyncio.timeout(5), connect(listen) as session, session.subscribe("df://a") as updates:
            assert [update.uri async for update in updates] == ["df://a"]

    asyncio.run(main())


def test_a_resource_that_is_not_honoured_is_refused_and_the_listen_cancelled() -> None:
    async def main() -> None:
        listen = acknowledging(lambda wanted: wire.ListenFilter())
        async with asyncio.timeout(5), connect(listen) as session:
            with pytest.raises(PeerError, match="does not honour"):
                await enter(session.subscribe("df://a"))
            with pytest.raises(PeerError, match="none of its lists"):
                await enter(session.list_changes())
            await listen.server.saw("notifications/cancelled", 2)
            assert not session._feeds.listens  # type: ignore[attr-defined]  # the modern feeds

    asyncio.run(main())


def test_a_uri_honoured_in_another_spelling_is_honoured() -> None:
    async def main() -> None:
        listen = acknowledging(lambda wanted: wire.ListenFilter(resource_subscriptions=["df://my%20df"]))
        async with asyncio.timeout(5), connect(listen) as session, session.subscribe("df://my df"):
            assert len(session._feeds.listens) == 1  # type: ignore[attr-defined]  # the modern feeds

    asyncio.run(main())


def test_a_refusal_a_silence_and_an_early_end_are_errors() -> None:
    async def main() -> None:
        answers: list[Answer] = [RemoteProtocolError(-32602, "too many"), wire.EmptyResult(), None]
        listen = Listener(lambda exchange: answers.pop(0))
        async with asyncio.timeout(5), connect(listen, timeout_s=0.05) as session:
            with pytest.raises(PeerError, match="too many"):
                await enter(session.subscribe("df://a"))
            with pytest.raises(RemoteProtocolError, match="before acknowledging"):
                await enter(session.subscribe("df://a"))
            with pytest.raises(CallTimedOut, match="not acknowledged"):
                await enter(session.subscribe("df://a"))
            await listen.server.saw("notifications/cancelled")
            assert not list(session._conversation.peer.awaited)
            assert not session._feeds.listens  # type: ignore[attr-defined]  # the modern feeds

    asyncio.run(main())


def test_a_listen_given_up_half_way_is_cancelled() -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen) as session:
            entering = asyncio.get_running_loop().create_task(enter(session.subscribe("df://a")))
            await listen.server.saw("subscriptions/listen")
            entering.cancel()
            with pytest.raises(asyncio.CancelledError):
                await entering
            await listen.server.saw("notifications/cancelled")

    asyncio.run(main())


def test_a_listen_the_server_cancels_ends_in_good_order() -> None:
    async def main() -> None:
        listen = acknowledging()
        async with asyncio.timeout(5), connect(listen) as session, session.subscribe("df://a") as updates:
            listen.server.send(encode_notification("notifications/cancelled", {"requestId": listen.server.open[0].id}))
            assert [update async for update in updates] == []

    asyncio.run(main())


def test_a_listen_that_breaks_raises_its_error() -> None:
    async def main() -> None:
        listen = acknowledging()
        async with asyncio.timeout(5), connect(listen) as session, session.subscribe("df://a") as updates:
            listen.server.send(listen.server.peer.answer_error(listen.server.open[0], -32603, "out of luck"))
            with pytest.raises(PeerError, match="out of luck"):
                await anext(updates)

    asyncio.run(main())


def test_the_end_of_the_connection_is_raised_by_every_reader() -> None:
    async def main() -> None:
        listen = acknowledging()
        async with asyncio.timeout(5), connect(listen) as session:
            async with session.subscribe("df://a") as updates, session.list_changes() as changes:
                listen.server.channel.abort()
                with pytest.raises(ConnectionClosed):
                    await anext(updates)
                with pytest.raises(ConnectionClosed):
                    await anext(changes)
            with pytest.raises(ConnectionClosed):
                await enter(session.subscribe("df://a"))

    asyncio.run(main())


def test_closing_the_session_ends_the_iterations() -> None:
    async def main() -> None:
        listen = acknowledging()
        async with asyncio.timeout(5):
            session = await connect(listen)
            updates = session.subscribe("df://a")
            await enter(updates)
            await session.close()
            assert [update async for update in updates] == []
            await updates.aclose()

    asyncio.run(main())


def test_changed_lists_are_told_by_a_listen_of_their_own() -> None:
    async def main() -> None:
        listen = acknowledging(lambda wanted: wire.ListenFilter(tools_list_changed=True, prompts_list_changed=True))
        async with asyncio.timeout(5), connect(listen) as session, session.list_changes() as changes:
            for listing in Listing:
                for text in listen.server.peer.list_changed(listing).values():
                    listen.server.send(text)
            assert [await anext(changes) for _ in range(2)] == ["tools", "prompts"]

    asyncio.run(main())


def test_a_message_of_an_unknown_listen_changes_nothing() -> None:
    async def main() -> None:
        listen = acknowledging()
        async with asyncio.timeout(5), connect(listen) as session, session.subscribe("df://a") as updates:
            for meta in ({}, {"_meta": {"io.modelcontextprotocol/subscriptionId": "no such"}}):
                listen.server.send(encode_notification("notifications/resources/updated", {"uri": "df://a"} | meta))
            await listen.server.peer_round(session)
            assert not updates._waiting

    asyncio.run(main())

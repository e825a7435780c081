"""connect() opens a session in the server's era, once, and leaves nothing behind when it cannot."""

from __future__ import annotations

import asyncio

import pytest

from mcp_workbench.client import connect, connect_channel
from mcp_workbench.errors import ConnectionClosed, LocalProtocolError
from mcp_workbench.events import Era
from mcp_workbench.protocol import wire
from mcp_workbench.transports.memory import memory_pair
from tests.client.scripted import Listener, ScriptedServer


def test_entering_opens_and_leaving_closes_the_connection_politely() -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen) as session:
            assert session.era is Era.MODERN
            assert session.protocol_version == "2026-07-28"
            assert session.instructions == "be kind"
            assert session.server_info == wire.Implementation(name="scripted", version="1")
            assert session.server_capabilities.resources == wire.ResourcesCapability()
        assert session.closed
        assert listen.server.closed_with == (1000, "")

    asyncio.run(main())


def test_awaiting_gives_a_session_that_is_closed_by_hand() -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5):
            session = await connect(listen, era="legacy")
            assert session.era is Era.LEGACY
            assert session.protocol_version == "2025-11-25"
            await session.ping()
            await session.close()
            await session.close()
            with pytest.raises(ConnectionClosed):
                await session.ping()

    asyncio.run(main())


def test_a_channel_that_is_there_already_will_do() -> None:
    async def main() -> None:
        ours, theirs = memory_pair()
        ScriptedServer(theirs)
        async with asyncio.timeout(5), connect_channel(ours) as session:
            assert session.era is Era.MODERN

    asyncio.run(main())


def test_one_connect_opens_one_session() -> None:
    async def main() -> None:
        connecting = connect(Listener())
        async with asyncio.timeout(5), connecting:
            with pytest.raises(LocalProtocolError, match="connect\\(\\) anew"):
                await connecting

    asyncio.run(main())


def test_the_client_introduces_itself_and_declares_only_what_it_can() -> None:
    async def main() -> None:
        listen = Listener()
        info = wire.Implementation(name="notebook", version="7")
        async with asyncio.timeout(5), connect(listen, era="legacy", client_info=info, on_roots=list):
            params = listen.server.sent("initialize")[0]["params"]
            assert params["clientInfo"] == {"name": "notebook", "version": "7"}
            assert params["capabilities"] == {"roots": {}}

    asyncio.run(main())


def test_cancelling_the_opening_drops_the_connection() -> None:
    async def main() -> None:
        listen = Listener(intercept=lambda server, message: True)

        async def open_session() -> None:
            await connect(listen)

        async with asyncio.timeout(5):
            opening = asyncio.get_running_loop().create_task(open_session())
            await asyncio.sleep(0)
            await listen.server.saw("server/discover")
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
            await listen.server.until(lambda: listen.server.closed_with is not None)

    asyncio.run(main())


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/mcp/t/secret", "127.0.0.1:8801", "stdio", "wss:/x"])
def test_an_address_of_another_kind_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ValueError, match="ws:// or wss://") as refusal:
        connect(url)
    assert "secret" not in str(refusal.value)


def test_options_that_make_no_sense_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        connect("ws://127.0.0.1:1/mcp", timeout_s=0)
    with pytest.raises(ValueError, match="auto, legacy, modern"):
        connect("ws://127.0.0.1:1/mcp", era="stone age")  # type: ignore[arg-type]  # what a user may type

"""connect() opens a session in the server's era, once, and leaves nothing behind when it cannot."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_workbench.client import connect, connect_channel
from mcp_workbench.errors import ConnectionClosed, HandshakeRefused, LocalProtocolError
from mcp_workbench.events import Era, Principal
from mcp_workbench.protocol import wire
from mcp_workbench.transports.gate import Endpoint, Gate
from mcp_workbench.transports.memory import memory_pair
from mcp_workbench.transports.websocket_server import serve_websocket
from tests.client.scripted import Listener, ScriptedServer, said


def test_entering_opens_and_leaving_closes_the_connection_politely() -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen) as session:
            assert session.era is Era.MODERN
            assert session.protocol_version == "2026-07-28"
            assert session.instructions == "be kind"
            assert session.server_info == wire.Implementation(name="scripted", version="1")
            assert session.server_capabilities.resources == wire.ResourcesCapability(subscribe=True, list_changed=True)
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
        theirs.open(ScriptedServer(theirs))
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


class OneToken:
    """Takes the token `let-me-in`."""

    def check(self, presented: bytes) -> Principal | None:
        return Principal("default") if presented == b"let-me-in" else None


@pytest.mark.parametrize("era", ["auto", "legacy"])
def test_over_a_websocket_with_a_token(era: Any) -> None:
    async def main() -> None:
        listen = Listener(lambda exchange: said("small"))
        gate = Gate([Endpoint("/mcp", OneToken(), "mcp", lambda channel, principal: listen.accept(channel))])
        server = await serve_websocket(gate)
        url = f"ws://127.0.0.1:{server.port}/mcp"
        async with asyncio.timeout(10):
            async with connect(url, token="let-me-in", era=era) as session:
                assert (await session.call_tool("small")).text == "small"
                texts = await asyncio.gather(*(session.call_tool("small") for _ in range(100)))
                assert {result.text for result in texts} == {"small"}
            await listen.server.until(lambda: listen.server.closed_with == (1000, ""))
            with pytest.raises(HandshakeRefused) as refusal:
                await connect(url, token="guessed")
            assert refusal.value.status == 401
            await server.close()
            with pytest.raises(ConnectionClosed, match="nothing listens"):
                await connect(url, token="let-me-in")

    asyncio.run(main())


def test_a_result_larger_than_wanted_closes_the_connection_and_ends_the_call() -> None:
    async def main() -> None:
        listen = Listener(lambda exchange: b'{"content":[{"type":"text","text":"%b"}]}' % (b"x" * 100_000))
        gate = Gate([Endpoint("/mcp", OneToken(), "mcp", lambda channel, principal: listen.accept(channel))])
        server = await serve_websocket(gate)
        async with asyncio.timeout(10):
            url = f"ws://127.0.0.1:{server.port}/mcp"
            async with connect(url, headers={"Authorization": "Bearer let-me-in"}, max_message_bytes=50_000) as session:
                with pytest.raises(ConnectionClosed) as end:
                    await session.call_tool("big")
                assert end.value.code == 1009
            await server.close()

    asyncio.run(main())


@pytest.mark.parametrize("url", ["ftp://127.0.0.1:1/mcp/t/secret", "127.0.0.1:8801", "stdio", "wss:/x"])
def test_an_address_of_another_kind_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ValueError, match="ws://, wss://, http:// or https://") as refusal:
        connect(url)
    assert "secret" not in str(refusal.value)


def test_options_that_make_no_sense_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        connect("ws://127.0.0.1:1/mcp", timeout_s=0)
    with pytest.raises(ValueError, match="auto, legacy, modern"):
        connect("ws://127.0.0.1:1/mcp", era="stone age")  # type: ignore[arg-type]  # what a user may type

"""Probing: modern where the server speaks it, legacy wherever there is doubt, a new connection where it must be."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_workbench.client import connect, connect_channel
from mcp_workbench.errors import CallTimedOut, ConnectionClosed, PeerError, RemoteProtocolError
from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import encode, encode_result
from mcp_workbench.transports.memory import memory_pair
from tests.client.scripted import Listener, Message, ScriptedServer


def opens(listen: Listener, **options: Any) -> tuple[Era, str]:
    async def main() -> tuple[Era, str]:
        async with asyncio.timeout(5), connect(listen, **options) as session:
            return session.era, session.protocol_version

    return asyncio.run(main())


def discovery(**result: Any) -> bytes:
    return encode({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {}} | result)


def answers_discover(result: bytes) -> Listener:
    def intercept(server: ScriptedServer, message: Message) -> bool:
        if message["method"] != "server/discover":
            return False
        server.send(encode_result(message["id"], result))
        return True

    return Listener(intercept=intercept)


def refuses_discover(code: int, data: Any = None) -> Listener:
    def intercept(server: ScriptedServer, message: Message) -> bool:
        if message["method"] != "server/discover":
            return False
        server.refuse(message, code, data=data)
        return True

    return Listener(intercept=intercept)


@pytest.mark.parametrize("code", [-32601, -32600, -32602, -32603, 0, -32022])
def test_any_error_to_the_probe_means_initialize_on_the_same_connection(code: int) -> None:
    listen = refuses_discover(code)
    assert opens(listen) == (Era.LEGACY, "2025-11-25")
    assert len(listen.servers) == 1
    assert listen.server.methods() == ["server/discover", "initialize", "notifications/initialized"]


def test_a_server_that_names_the_mutual_revision_is_probed_once_more() -> None:
    def intercept(server: ScriptedServer, message: Message) -> bool:
        if len(server.sent("server/discover")) != 1:
            return False
        server.refuse(message, -32022, data={"supported": ["2026-07-28"], "requested": "2026-07-28"})
        return True

    listen = Listener(intercept=intercept)
    assert opens(listen) == (Era.MODERN, "2026-07-28")
    assert listen.server.methods() == ["server/discover", "server/discover"]


def test_a_server_that_keeps_naming_the_mutual_revision_is_probed_only_twice() -> None:
    listen = refuses_discover(-32022, {"supported": ["2026-07-28"]})
    assert opens(listen) == (Era.LEGACY, "2025-11-25")
    assert listen.server.methods()[:3] == ["server/discover", "server/discover", "initialize"]


def test_a_server_of_unknown_modern_revisions_only_is_refused() -> None:
    for listen in (refuses_discover(-32022, {"supported": ["2099-01-01"]}), answers_discover(discovery(supportedVersions=["2099-01-01"]))):
        with pytest.raises(RemoteProtocolError, match="2099-01-01"):
            opens(listen)
        assert listen.server.closed_with is not None


@pytest.mark.parametrize(
    "result",
    [
        discovery(supportedVersions=["2025-11-25"]),
        discovery(supportedVersions=["2099-01-01", "2025-11-25"]),
        discovery(supportedVersions=[]),
        discovery(supportedVersions="2026-07-28"),
        discovery(supportedVersions=[7]),
        discovery(capabilities=None),
        discovery(resultType="input_required"),
        discovery(resultType=3),
        b"{}",
    ],
)
def test_a_discovery_that_is_unreadable_or_legacy_only_means_initialize(result: bytes) -> None:
    assert opens(answers_discover(result)) == (Era.LEGACY, "2025-11-25")


def test_a_silent_probe_means_initialize() -> None:
    listen = Listener(intercept=lambda server, message: message["method"] == "server/discover")
    assert opens(listen, probe_timeout_s=0.001) == (Era.LEGACY, "2025-11-25")


def test_a_modern_server_that_was_only_slow_to_start_is_probed_again() -> None:
    def intercept(server: ScriptedServer, message: Message) -> bool:
        if server is not listen.servers[0]:
            return False
        if message["method"] == "initialize":
            server.refuse(message, -32022, data={"supported": ["2026-07-28"]})
        return True

    listen = Listener(intercept=intercept)
    assert opens(listen, probe_timeout_s=0.3) == (Era.MODERN, "2026-07-28")
    assert [server.methods() for server in listen.servers] == [
        ["server/discover", "notifications/cancelled", "initialize"],
        ["server/discover"],
    ]


def test_a_server_that_closes_over_the_probe_gets_a_new_connection() -> None:
    def intercept(server: ScriptedServer, message: Message) -> bool:
        if message["method"] == "server/discover":
            server.channel.close(1002, "what is this")
        return False

    listen = Listener(intercept=intercept)
    assert opens(listen) == (Era.LEGACY, "2025-11-25")
    assert [server.methods() for server in listen.servers] == [["server/discover"], ["initialize", "notifications/initialized"]]


def test_a_server_that_locked_its_era_over_the_probe_gets_a_new_connection() -> None:
    def intercept(server: ScriptedServer, message: Message) -> bool:
        if "server/discover" not in server.methods():
            return False
        if "id" in message:
            server.refuse(message, -32600, "this connection was opened otherwise")
        return True

    listen = Listener(intercept=intercept)
    assert opens(listen) == (Era.LEGACY, "2025-11-25")
    assert len(listen.servers) == 2
    assert listen.servers[0].closed_with is not None


def test_a_channel_cannot_be_opened_anew_so_the_refusal_is_told() -> None:
    async def main() -> None:
        ours, theirs = memory_pair()
        server = ScriptedServer(theirs, intercept=refuse_all)
        theirs.open(server)
        async with asyncio.timeout(5):
            with pytest.raises(PeerError, match="no"):
                await connect_channel(ours)
            await server.until(lambda: server.closed_with is not None)

    asyncio.run(main())


def refuse_all(server: ScriptedServer, message: Message) -> bool:
    if "id" in message:
        server.refuse(message, -32600)
    return True


def test_the_second_connection_is_the_last_one() -> None:
    listen = Listener(intercept=refuse_all)
    with pytest.raises(PeerError):
        opens(listen)
    assert len(listen.servers) == 2


def test_insisting_on_modern_says_why_it_cannot_be() -> None:
    listen = refuses_discover(-32601)
    with pytest.raises(RemoteProtocolError, match=r"does not speak 2026-07-28.*-32601"):
        opens(listen, era="modern")
    assert listen.server.closed_with is not None


def test_insisting_on_modern_does_not_reconnect() -> None:
    def intercept(server: ScriptedServer, message: Message) -> bool:
        server.channel.close(1002, "")
        return True

    listen = Listener(intercept=intercept)
    with pytest.raises(ConnectionClosed):
        opens(listen, era="modern")
    assert len(listen.servers) == 1


def test_insisting_on_legacy_does_not_probe() -> None:
    listen = Listener()
    assert opens(listen, era="legacy") == (Era.LEGACY, "2025-11-25")
    assert listen.server.methods() == ["initialize", "notifications/initialized"]


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        ({"protocolVersion": "1999-01-01", "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}}, "1999-01-01"),
        ({"protocolVersion": "2025-11-25", "capabilities": {}}, "serverInfo"),
    ],
)
def test_a_handshake_that_cannot_be_accepted_is_an_error_and_closes(result: dict[str, Any], sentence: str) -> None:
    def intercept(server: ScriptedServer, message: Message) -> bool:
        server.send(encode_result(message["id"], encode(result)))
        return True

    listen = Listener(intercept=intercept)
    with pytest.raises(RemoteProtocolError, match=sentence):
        opens(listen, era="legacy")
    assert listen.server.closed_with is not None


def test_a_silent_handshake_ends_in_time_and_is_not_cancelled() -> None:
    listen = Listener(intercept=lambda server, message: True)
    with pytest.raises(CallTimedOut):
        opens(listen, era="legacy", timeout_s=0.001)
    # 2025-11-25 utilities/cancellation: "The initialize request MUST NOT be cancelled by clients".
    assert listen.server.methods() == ["initialize"]

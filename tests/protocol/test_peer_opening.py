"""How a conversation begins: who may open it, in which revision, and what is refused before that."""

from __future__ import annotations

import json

import pytest

from mcp_workbench.errors import LocalProtocolError
from mcp_workbench.events import Era
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.happenings import TextToSend
from mcp_workbench.protocol.peer import Peer
from mcp_workbench.protocol.sides import Side
from mcp_workbench.protocol.states import State
from mcp_workbench.protocol.versions import LATEST_LEGACY, LEGACY_VERSIONS, V2026_07_28
from tests.support.protocol import Conversation, client_peer, server_peer

OPENED = """
    << (session legacy 2025-11-25)
    << #0 result {"...":0}
    >> notifications/initialized
    << (initialized)
"""
OPEN_LEGACY = f"""
    >> #0 initialize {{"protocolVersion":"2025-11-25",$CLIENT}}
    {OPENED}
"""
ABILITIES = """{"tools":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},
    "prompts":{"listChanged":true},"logging":{},"completions":{}}""".replace("\n", "")


@pytest.mark.parametrize("version", LEGACY_VERSIONS)
def test_initialize_is_answered_in_each_legacy_revision(version: str) -> None:
    talk = Conversation(server_peer(instructions="Be kind."))
    talk.play(f"""
        >> #0 initialize {{"protocolVersion":"{version}",$CLIENT}}
        << (session legacy {version})
        << #0 result {{"protocolVersion":"{version}","capabilities":{ABILITIES},"serverInfo":$INFO,"instructions":"Be kind."}}
        >> notifications/initialized
        << (initialized)
    """)
    assert (talk.peer.state, talk.peer.era, talk.peer.version) == (State.LEGACY, Era.LEGACY, version)
    assert talk.peer.facts is not None
    assert talk.peer.facts.info == wire.Implementation(name="agent", version="2")


@pytest.mark.parametrize("version", ["1999-01-01", "2026-07-28", "2024-10-07", "2099-01-01", "", "latest", "2025-11-25 "])
def test_initialize_in_an_unknown_or_modern_revision_is_answered_with_the_latest_legacy_one(version: str) -> None:
    talk = Conversation(server_peer())
    talk.play(f"""
        >> #0 initialize {{"protocolVersion":{json.dumps(version)},$CLIENT}}
        << (session legacy {LATEST_LEGACY})
        << #0 result {{"protocolVersion":"{LATEST_LEGACY}","...":0}}
    """)


def test_a_ping_is_answered_before_initialize_and_decides_nothing() -> None:
    talk = Conversation(server_peer())
    talk.play("""
        >> #"p" ping
        << #"p" result {}
        >> #2 ping {"_meta":{"progressToken":1}}
        << #2 result {}
    """)
    assert (talk.peer.state, talk.peer.era) == (State.FRESH, None)
    talk.play('>> #3 server/discover {"_meta":$META}\n << (session modern 2026-07-28)\n << #3 result {"...":0}')


@pytest.mark.parametrize(
    "method", ["tools/list", "tools/call", "no/such", "server/discover", "subscriptions/listen", "resources/subscribe"]
)
def test_a_plain_request_first_is_refused_and_the_connection_can_still_be_opened(method: str) -> None:
    talk = Conversation(server_peer())
    talk.play(f"""
        >> #1 {method}
        << #1 error -32600
        >> #2 {method} {{"_meta":{{"progressToken":1}}}}
        << #2 error -32600
    """)
    talk.play(OPEN_LEGACY)


def test_notifications_before_the_first_request_decide_nothing() -> None:
    talk = Conversation(server_peer())
    talk.play("""
        >> notifications/initialized
        << (ignored EARLY_NOTIFICATION)
        >> notifications/cancelled {"requestId":1}
        << (ignored EARLY_NOTIFICATION)
        >> notifications/whatever
        << (ignored UNKNOWN_NOTIFICATION)
        >> #1 result {}
        << (ignored UNKNOWN_RESPONSE)
        >> #null error -32700
        << (ignored UNKNOWN_RESPONSE)
    """)
    assert talk.peer.state is State.FRESH
    talk.play(OPEN_LEGACY)


def test_requests_behind_initialize_do_not_wait_for_initialized() -> None:
    talk = Conversation(server_peer())
    talk.play("""
        >> #0 initialize {"protocolVersion":"2025-11-25",$CLIENT}
        << (session legacy 2025-11-25)
        << #0 result {"...":0}
        >> #1 tools/list
        << (request #1 tools/list)
        >> #2 ping
        << #2 result {}
    """)
    assert talk.peer.state is State.OPENING
    talk.answer(1, wire.ListToolsResult(tools=[]))
    talk.play('<< #1 result {"tools":[]}')


@pytest.mark.parametrize(
    "params",
    [
        "",
        "{}",
        '{"protocolVersion":1,$CLIENT}',
        '{"protocolVersion":"2025-11-25","capabilities":{}}',
        '{"protocolVersion":"2025-11-25","capabilities":[],"clientInfo":{"name":"a","version":"1"}}',
    ],
)
def test_a_broken_initialize_may_be_repeated(params: str) -> None:
    talk = Conversation(server_peer())
    talk.play(f">> #0 initialize {params}\n << #0 error -32602")
    assert talk.peer.state is State.FRESH
    talk.play(OPEN_LEGACY)


def test_a_second_initialize_is_refused() -> None:
    talk = Conversation(server_peer())
    talk.play("""
        >> #0 initialize {"protocolVersion":"2024-11-05",$CLIENT}
        << (session legacy 2024-11-05)
        << #0 result {"...":0}
        >> #1 initialize {"protocolVersion":"2025-11-25",$CLIENT}
        << #1 error -32600
        >> notifications/initialized
        << (initialized)
        >> #2 initialize {"protocolVersion":"2025-11-25",$CLIENT}
        << #2 error -32600
    """)
    assert talk.peer.version == "2024-11-05"


@pytest.mark.parametrize("method", ["tools/list", "server/discover", "ping", "initialize"])
def test_an_enveloped_request_after_initialize_is_refused(method: str) -> None:
    talk = Conversation(server_peer())
    talk.play("""
        >> #0 initialize {"protocolVersion":"2025-11-25",$CLIENT}
        << (session legacy 2025-11-25)
        << #0 result {"...":0}
    """)
    talk.play(f'>> #1 {method} {{"_meta":$META}}\n << #1 error -32600')
    talk.play(">> notifications/initialized\n << (initialized)")
    talk.play(f'>> #2 {method} {{"_meta":$META}}\n << #2 error -32600')


def test_initialize_after_a_modern_request_is_refused_with_what_is_supported() -> None:
    talk = Conversation(server_peer())
    talk.play("""
        >> #1 server/discover {"_meta":$META}
        << (session modern 2026-07-28)
        << #1 result {"...":0}
        >> #2 initialize {"protocolVersion":"2025-11-25",$CLIENT}
        << #2 error -32022 {"supported":["2026-07-28"],"requested":"2025-11-25"}
        >> #3 initialize
        << #3 error -32022 {"supported":["2026-07-28"],"requested":""}
    """)
    assert talk.peer.version == V2026_07_28


def test_discover_says_what_is_offered() -> None:
    talk = Conversation(server_peer(instructions="Be kind."))
    talk.play(f"""
        >> #"d" server/discover {{"_meta":$META}}
        << (session modern 2026-07-28)
        << #"d" result {{"supportedVersions":["2026-07-28"],"capabilities":{ABILITIES},"instructions":"Be kind.",$CACHE,$MODERN}}
    """)


def test_the_first_modern_request_need_not_be_discover() -> None:
    talk = Conversation(server_peer())
    talk.play("""
        >> #1 tools/list {"_meta":$META}
        << (session modern 2026-07-28)
        << (request #1 tools/list)
    """)
    assert talk.exchange(1).client.info == wire.Implementation(name="agent", version="2")


@pytest.mark.parametrize(
    ("request_line", "error"),
    [
        (
            'tools/list {"_meta":{"io.modelcontextprotocol/protocolVersion":"2099-01-01"}}',
            '-32022 {"supported":["2026-07-28"],"requested":"2099-01-01"}',
        ),
        ('tools/list {"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}', "-32602"),
        ('initialize {"_meta":$META,"protocolVersion":"2025-11-25",$CLIENT}', "-32601"),
        ('ping {"_meta":$META}', "-32601"),
        ('resources/read {"_meta":$META}', "-32602"),
    ],
)
def test_a_refused_first_request_does_not_lock_the_era(request_line: str, error: str) -> None:
    talk = Conversation(server_peer())
    talk.play(f">> #1 {request_line}\n << #1 error {error}")
    assert (talk.peer.state, talk.peer.era) == (State.FRESH, None)
    talk.play(OPEN_LEGACY)


def test_what_is_no_message_is_answered_in_every_state() -> None:
    talk = Conversation(server_peer())
    script = """
        >> nonsense
        << #null error -32700
        >> []
        << #null error -32600
        >> 7
        << #null error -32600
        >> {"jsonrpc":"2.0","id":4,"method":"ping","params":[]}
        << #4 error -32600
        >> {"jsonrpc":"2.0","method":"ping","params":[]}
        << (ignored BROKEN_NOTIFICATION)
        >> {"jsonrpc":"2.0","id":4,"result":[]}
        << (ignored BROKEN_RESPONSE)
        >> [{"jsonrpc":"2.0","id":1,"method":"ping"}]
        << #null error -32600
    """
    talk.play(script)
    talk.play(OPEN_LEGACY)
    talk.play(script)


def test_a_closed_peer_refuses_everything_and_keeps_nothing_open() -> None:
    talk = Conversation(server_peer())
    talk.play(OPEN_LEGACY)
    talk.play(">> #1 tools/list\n << (request #1 tools/list)")
    assert talk.peer.close() == []
    talk.answer(1, wire.ListToolsResult(tools=[]))
    talk.play("""
        << nothing
        >> #2 tools/list
        << #2 error -32600
        >> notifications/initialized
        << (ignored EARLY_NOTIFICATION)
    """)
    assert (talk.peer.state, talk.peer.in_flight) == (State.CLOSED, 0)


def test_a_server_must_describe_itself() -> None:
    with pytest.raises(LocalProtocolError):
        Peer(Side.SERVER)
    assert client_peer().side is Side.CLIENT


def test_extensions_are_named_in_the_modern_era_alone_on_both_sides() -> None:
    offered = wire.ServerCapabilities(tools=wire.ListChanged(), extensions={wire.TASKS: {}})
    able = wire.ClientCapabilities(roots={}, extensions={wire.TASKS: {}})
    for begin, extended in ((Peer.initialize, False), (lambda peer: peer.request("server/discover"), True)):
        client, server = Peer(Side.CLIENT, capabilities=able), server_peer(offered)
        _, text = begin(client)
        answers = [happening.text for happening in server.receive_text(text) if isinstance(happening, TextToSend)]
        assert [b'"extensions"' in each for each in (text, *answers)] == [extended, extended]
        assert b'"roots"' in text

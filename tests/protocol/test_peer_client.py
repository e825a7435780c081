"""The client's end: probing, opening, asking, being asked. Every text we send is read by mcp-types too."""

from __future__ import annotations

import json

import pytest

from mcp_workbench.errors import LocalProtocolError, RemoteProtocolError
from mcp_workbench.events import Era
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.peer import Peer
from mcp_workbench.protocol.states import State
from mcp_workbench.protocol.versions import LEGACY_VERSIONS
from tests.support.protocol import META, Conversation, client_peer, legacy, server_peer

ANSWER = '{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}'
DISCOVERED = '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{},"ttlMs":0,"cacheScope":"private"}'


def modern_client() -> Conversation:
    talk = Conversation(client_peer())
    talk.ask(talk.peer.request("server/discover"))
    talk.play(f"""
        << #0 server/discover {{"_meta":$META}}
        >> #0 result {DISCOVERED}
        << (response to server/discover) {DISCOVERED}
    """)
    talk.peer.discovered({"supportedVersions": ["2026-07-28"], "capabilities": {}})
    return talk


def legacy_client(version: str = "2025-11-25", capabilities: wire.ClientCapabilities | None = None) -> Conversation:
    talk = Conversation(client_peer(capabilities))
    talk.ask(talk.peer.initialize(version))
    talk.play(f'<< #0 initialize {{"protocolVersion":"{version}","...":0}}')
    talk.receive(f'{{"jsonrpc":"2.0","id":0,"result":{ANSWER.replace("2025-11-25", version)}}}'.encode())
    talk._unread.clear()
    talk.send(talk.peer.initialized({"protocolVersion": version, "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}}))
    talk.play("<< notifications/initialized")
    return talk


# --- opening -----------------------------------------------------------------------------------------------


def test_a_modern_server_is_discovered_and_every_request_is_enveloped() -> None:
    talk = modern_client()
    assert (talk.peer.state, talk.peer.era, talk.peer.version) == (State.MODERN, Era.MODERN, "2026-07-28")
    talk.ask(talk.peer.request("tools/list"))
    talk.ask(talk.peer.request("tools/call", {"name": "add", "_meta": {"io.modelcontextprotocol/logLevel": "info"}}, progress=True))
    talk.play(
        """
        << #1 tools/list {"_meta":$META}
        << #2 tools/call {"name":"add","_meta":{"progressToken":2,"io.modelcontextprotocol/logLevel":"info",
    """.rstrip()
        + json.dumps(META)[1:]
        + "}"
    )


@pytest.mark.parametrize("error", ["-32601", "-32600", "-32602", "-32000"])
def test_after_a_probe_that_failed_the_same_connection_is_initialized(error: str) -> None:
    talk = Conversation(client_peer())
    talk.ask(talk.peer.request("server/discover"))
    talk.play(f"""
        << #0 server/discover {{"_meta":$META}}
        >> #0 error {error}
        << (response to server/discover) error {error}
    """)
    assert (talk.peer.state, talk.peer.era) == (State.FRESH, None)
    talk.ask(talk.peer.initialize())
    talk.play('<< #1 initialize {"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"agent","version":"2"}}')


def test_a_server_without_a_mutual_revision_can_still_be_initialized() -> None:
    talk = Conversation(client_peer())
    talk.ask(talk.peer.request("server/discover"))
    talk.play('<< #0 server/discover {"...":0}\n >> #0 error -32022\n << (response to server/discover) error -32022')
    with pytest.raises(RemoteProtocolError) as caught:
        talk.peer.discovered({"supportedVersions": ["2025-11-25", "2099-01-01"], "capabilities": {}})
    assert caught.value.code == -32022
    with pytest.raises(RemoteProtocolError):
        talk.peer.discovered({"supportedVersions": "2026-07-28"})
    assert talk.peer.state is State.FRESH
    talk.peer.initialize()


@pytest.mark.parametrize("version", LEGACY_VERSIONS)
def test_a_legacy_server_is_initialized_in_any_revision(version: str) -> None:
    talk = legacy_client(version)
    assert (talk.peer.state, talk.peer.era, talk.peer.version) == (State.LEGACY, Era.LEGACY, version)
    talk.ask(talk.peer.request("tools/list", {"cursor": "c"}, progress=True))
    talk.ask(talk.peer.request("ping"))
    talk.play('<< #1 tools/list {"cursor":"c","_meta":{"progressToken":1}}\n << #2 ping')


@pytest.mark.parametrize("version", ["2026-07-28", "1999-01-01", ""])
def test_a_server_that_chooses_a_revision_we_do_not_speak_is_refused(version: str) -> None:
    peer = client_peer()
    peer.initialize()
    with pytest.raises(RemoteProtocolError, match="chose protocol version"):
        peer.initialized({"protocolVersion": version, "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}})
    assert peer.facts is None


def test_initialize_may_be_sent_once_and_not_after_discover() -> None:
    peer = client_peer()
    peer.initialize()
    with pytest.raises(LocalProtocolError):
        peer.initialize()
    with pytest.raises(LocalProtocolError):
        modern_client().peer.initialize()


def test_our_client_and_our_server_understand_each_other() -> None:
    for version in LEGACY_VERSIONS:
        client, server = Conversation(client_peer()), Conversation(server_peer())
        _, text = client.peer.initialize(version)
        server.receive(text)
        server.play(f'<< (session legacy {version})\n << #0 result {{"...":0}}')
    client, server = Conversation(client_peer()), Conversation(server_peer())
    _, text = client.peer.request("server/discover")
    server.receive(text)
    server.play('<< (session modern 2026-07-28)\n << #0 result {"...":0}')


# --- asking ----------------------------------------------------------------------------------------------


def test_responses_find_the_request_they_answer() -> None:
    talk = legacy_client()
    first = talk.ask(talk.peer.request("tools/list", waiter="w1"))
    second = talk.ask(talk.peer.request("tools/call", {"name": "a"}, waiter="w2"))
    assert (first.waiter, second.waiter, list(talk.peer.awaited)) == ("w1", "w2", [first, second])
    talk.play("""
        << #1 tools/list
        << #2 tools/call {"name":"a"}
        >> #2 error -32602
        << (response to tools/call) error -32602
        >> #1 result {"tools":[]}
        << (response to tools/list) {"tools":[]}
    """)
    assert list(talk.peer.awaited) == []


def test_responses_nobody_waits_for_are_ignored() -> None:
    talk = legacy_client()
    talk.ask(talk.peer.request("tools/list"))
    talk.play("""
        << #1 tools/list
        >> #99 result {}
        << (ignored UNKNOWN_RESPONSE)
        >> #"1" result {}
        << (ignored UNKNOWN_RESPONSE)
        >> #null error -32700
        << (ignored UNKNOWN_RESPONSE)
        >> #1 result {}
        << (response to tools/list) {}
        >> #1 result {}
        << (ignored UNKNOWN_RESPONSE)
        >> #1 error -32603
        << (ignored UNKNOWN_RESPONSE)
    """)


def test_what_cannot_be_read_is_never_answered_by_a_client() -> None:
    for talk in (legacy_client(), modern_client()):
        talk.play("""
            >> nonsense
            << (ignored BROKEN_NOTIFICATION)
            >> {"jsonrpc":"2.0","id":1,"method":1}
            << (ignored BROKEN_RESPONSE)
            >> {"jsonrpc":"2.0","id":1,"result":null}
            << (ignored BROKEN_RESPONSE)
            >> []
            << (ignored BROKEN_NOTIFICATION)
        """)


@pytest.mark.parametrize("members", ['"result":null', '"result":[]', '"error":{}', '"result":{},"error":{"code":1,"message":"m"}'])
def test_a_malformed_answer_ends_the_request_it_answers(members: str) -> None:
    talk = legacy_client()
    talk.ask(talk.peer.request("tools/list"))
    talk.play(f"""
        << #1 tools/list
        >> {{"jsonrpc":"2.0","id":1,{members}}}
        << (response to tools/list) error -32600
        >> {{"jsonrpc":"2.0","id":1,{members}}}
        << (ignored BROKEN_RESPONSE)
    """)


@pytest.mark.parametrize("members", ['"method":5', '"method":"ping","params":[]', '"x":1'])
def test_a_malformed_request_of_the_server_is_no_answer_to_ours_with_the_same_id(members: str) -> None:
    talk = legacy_client()
    talk.ask(talk.peer.request("tools/list"))
    talk.play(f"""
        << #1 tools/list
        >> {{"jsonrpc":"2.0","id":1,{members}}}
        << (ignored BROKEN_RESPONSE)
        >> #1 result {{}}
        << (response to tools/list) {{}}
    """)


def test_a_cancelled_request_is_given_up_and_its_late_response_ignored() -> None:
    talk = legacy_client()
    pending = talk.ask(talk.peer.request("tools/call", {"name": "a"}))
    talk.send(talk.peer.cancel(pending, "too slow"), talk.peer.cancel(pending))
    talk.play("""
        << #1 tools/call {"name":"a"}
        << notifications/cancelled {"requestId":1,"reason":"too slow"}
        << nothing
        >> #1 result {"content":[]}
        << (ignored UNKNOWN_RESPONSE)
        >> notifications/progress {"progressToken":1,"progress":1}
        << (ignored UNKNOWN_PROGRESS)
    """)


def test_initialize_is_never_cancelled_on_the_wire() -> None:
    peer = client_peer()
    pending, _ = peer.initialize()
    assert peer.cancel(pending) is None
    assert list(peer.awaited) == []


def test_progress_and_notifications_reach_the_driver() -> None:
    for talk in (legacy_client(), modern_client()):
        talk.ask(talk.peer.request("tools/call", {"name": "a"}, progress=True))
        talk.play("""
            << #1 tools/call {"...":0}
            >> notifications/progress {"progressToken":1,"progress":0.5,"total":null,"message":"reading"}
            << (progress of tools/call 0.5)
            >> notifications/progress {"progressToken":"1","progress":1}
            << (ignored UNKNOWN_PROGRESS)
            >> notifications/progress {"progressToken":1}
            << (ignored BROKEN_NOTIFICATION)
            >> notifications/message {"level":"info","data":{"a":1}}
            << (notifications/message)
            >> notifications/message {"level":"loud","data":1}
            << (ignored BROKEN_NOTIFICATION)
            >> notifications/tools/list_changed
            << (notifications/tools/list_changed)
            >> notifications/whatever
            << (ignored UNKNOWN_NOTIFICATION)
        """)


def test_what_is_lost_when_the_connection_ends_is_said_once() -> None:
    talk = legacy_client()
    pending = talk.ask(talk.peer.request("tools/list"))
    talk.play("<< #1 tools/list")
    assert talk.peer.close() == [pending]
    assert talk.peer.close() == []
    assert talk.peer.state is State.CLOSED


# --- listening -------------------------------------------------------------------------------------------


def listening() -> Conversation:
    talk = modern_client()
    talk.ask(talk.peer.request("subscriptions/listen", {"notifications": {"toolsListChanged": True, "resourceSubscriptions": ["df://a"]}}))
    talk.play("""
        << #1 subscriptions/listen {"notifications":{"toolsListChanged":true,"resourceSubscriptions":["df://a"]},"_meta":$META}
        >> notifications/subscriptions/acknowledged {"notifications":{"toolsListChanged":true},"_meta":{$STREAM:1}}
        << (notifications/subscriptions/acknowledged of #1)
        >> notifications/tools/list_changed {"_meta":{$STREAM:1}}
        << (notifications/tools/list_changed of #1)
        >> notifications/resources/updated {"uri":"df://a","_meta":{$STREAM:1}}
        << (notifications/resources/updated of #1)
    """)
    return talk


def test_a_listen_ends_with_its_response() -> None:
    listening().play("""
        >> #1 result {"resultType":"complete","_meta":{$STREAM:1}}
        << (response to subscriptions/listen) {"resultType":"complete","_meta":{$STREAM:1}}
        >> notifications/cancelled {"requestId":1}
        << (ignored LATE_CANCEL)
    """)


def test_a_listen_that_the_server_cancels_has_ended_too() -> None:
    listening().play("""
        >> notifications/cancelled {"requestId":1,"reason":"stopping"}
        << (response to subscriptions/listen) {}
        >> #1 result {"resultType":"complete","_meta":{$STREAM:1}}
        << (ignored UNKNOWN_RESPONSE)
    """)


def test_a_server_cannot_cancel_other_requests_of_ours() -> None:
    talk = modern_client()
    talk.ask(talk.peer.request("tools/call", {"name": "a"}))
    talk.play('<< #1 tools/call {"...":0}\n >> notifications/cancelled {"requestId":1}\n << (ignored LATE_CANCEL)')
    assert len(list(talk.peer.awaited)) == 1


def test_we_end_a_listen_by_cancelling_it() -> None:
    talk = listening()
    (pending,) = talk.peer.awaited
    talk.send(talk.peer.cancel(pending))
    talk.play('<< notifications/cancelled {"requestId":1}')


# --- being asked -------------------------------------------------------------------------------------------


def test_a_legacy_server_may_ask_and_is_answered() -> None:
    talk = legacy_client(capabilities=wire.ClientCapabilities(roots={}, elicitation={}))
    talk.play("""
        >> #"a" ping
        << #"a" result {}
        >> #1 elicitation/create {"message":"Sure?","requestedSchema":{"type":"object","properties":{}}}
        << (request #1 elicitation/create)
        >> #2 roots/list
        << (request #2 roots/list)
        >> #3 tools/list
        << #3 error -32601
        >> notifications/cancelled {"requestId":2}
        << (cancelled #2)
    """)
    talk.send(talk.peer.answer_error(talk.exchange(1), -32603, "no"), talk.peer.answer_error(talk.exchange(2), -32603, "no"))
    talk.play("<< #1 error -32603\n << nothing")


def test_elicitation_exists_from_2025_06_18() -> None:
    for version in ("2024-11-05", "2025-03-26"):
        legacy_client(version).play('>> #1 elicitation/create {"message":"Sure?"}\n << #1 error -32601')
        server = legacy(version).peer
        with pytest.raises(LocalProtocolError):
            server.request("elicitation/create", {"message": "Sure?"})
    for version in ("2025-06-18", "2025-11-25"):
        talk = legacy(version)
        talk.ask(talk.peer.request("elicitation/create", {"message": "Sure?", "requestedSchema": {"type": "object", "properties": {}}}))
        talk.play("""
            << #0 elicitation/create {"...":0}
            >> #0 result {"action":"decline"}
            << (response to elicitation/create) {"action":"decline"}
        """)


def test_a_modern_server_must_not_ask() -> None:
    talk = modern_client()
    talk.play("""
        >> #1 ping
        << #1 error -32600
        >> #2 roots/list
        << #2 error -32600
        >> #3 sampling/createMessage {"_meta":$META}
        << #3 error -32601
    """)


def test_before_the_era_is_decided_a_server_may_only_ping() -> None:
    talk = Conversation(client_peer())
    talk.play("""
        >> #1 ping
        << #1 result {}
        >> #2 roots/list
        << #2 error -32600
        >> #3 initialize {"protocolVersion":"2025-11-25",$CLIENT}
        << #3 error -32601
        >> #4 roots/list {"_meta":$META}
        << #4 error -32601
    """)
    assert talk.peer.state is State.FRESH


@pytest.mark.parametrize("method", ["ping", "sampling/createMessage", "roots/list", "elicitation/create", "tools/list", "no/such"])
def test_a_server_may_not_ask_before_the_client_is_initialized_nor_in_the_modern_era(method: str) -> None:
    peers: list[Peer] = [server_peer()]
    opening = Conversation(server_peer())
    opening.play('>> #0 initialize {"protocolVersion":"2025-11-25",$CLIENT}\n << (session legacy 2025-11-25)\n << #0 result {"...":0}')
    modern = Conversation(server_peer())
    modern.play('>> #0 server/discover {"_meta":$META}\n << (session modern 2026-07-28)\n << #0 result {"...":0}')
    for peer in (*peers, opening.peer, modern.peer):
        with pytest.raises(LocalProtocolError):
            peer.request(method)


def test_a_server_asks_with_ids_of_its_own() -> None:
    talk = legacy()
    talk.play('>> #1 tools/call {"name":"a"}\n << (request #1 tools/call)')
    first = talk.ask(talk.peer.request("ping"))
    talk.ask(talk.peer.request("roots/list"))
    talk.play("""
        << #0 ping
        << #1 roots/list
        >> #1 result {"roots":[]}
        << (response to roots/list) {"roots":[]}
    """)
    assert talk.peer.in_flight == 1
    talk.send(talk.peer.cancel(first))
    talk.play('<< notifications/cancelled {"requestId":0}')


def test_plain_notifications_of_a_client() -> None:
    talk = legacy_client(capabilities=wire.ClientCapabilities(roots={"listChanged": True}))
    talk.send(talk.peer.notify("notifications/roots/list_changed"))
    talk.play("<< notifications/roots/list_changed")

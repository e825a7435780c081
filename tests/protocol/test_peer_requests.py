"""Requests of an open conversation: in which order they are checked, and how they are answered."""

from __future__ import annotations

import json

import pytest

from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Fate
from mcp_workbench.protocol.methods import CLIENT_REQUESTS
from mcp_workbench.protocol.peer import ResultTooLarge
from mcp_workbench.protocol.versions import LATEST_LEGACY, LEGACY_VERSIONS
from tests.support.protocol import Conversation, legacy, modern, server_peer

CALL = wire.CallToolResult(content=[wire.TextContent(text="3")])


# --- what a modern request must carry, in the order of the checks -------------------------------------------

VERSION, ABILITIES = '"io.modelcontextprotocol/protocolVersion"', '"io.modelcontextprotocol/clientCapabilities"'
META_ERRORS = [
    ("", "-32602"),
    ("{}", "-32602"),
    ('{"_meta":null}', "-32602"),
    ('{"_meta":[]}', "-32602"),
    ('{"_meta":{}}', "-32602"),
    ('{"_meta":{"progressToken":1}}', "-32602"),
    (f'{{"_meta":{{{ABILITIES}:{{}}}}}}', "-32602"),
    (f'{{"_meta":{{{VERSION}:"2026-07-28"}}}}', "-32602"),
    (f'{{"_meta":{{{VERSION}:"2026-07-28",{ABILITIES}:null}}}}', "-32602"),
    (f'{{"_meta":{{{VERSION}:"2026-07-28",{ABILITIES}:[]}}}}', "-32602"),
    (f'{{"_meta":{{{VERSION}:20260728,{ABILITIES}:{{}}}}}}', "-32602"),
    (f'{{"_meta":{{{VERSION}:null,{ABILITIES}:{{}}}}}}', "-32602"),
    (f'{{"_meta":{{{VERSION}:"2025-11-25",{ABILITIES}:{{}}}}}}', '-32022 {"supported":["2026-07-28"],"requested":"2025-11-25"}'),
    (f'{{"_meta":{{{VERSION}:"2099-01-01"}}}}', '-32022 {"supported":["2026-07-28"],"requested":"2099-01-01"}'),
    (f'{{"_meta":{{{VERSION}:"{"9" * 5000}"}}}}', f'-32022 {{"supported":["2026-07-28"],"requested":"{"9" * 100}"}}'),
]


@pytest.mark.parametrize("method", ["tools/list", "tools/call", "no/such", "server/discover"])
@pytest.mark.parametrize(("params", "error"), META_ERRORS)
def test_the_envelope_is_checked_before_method_and_params(method: str, params: str, error: str) -> None:
    talk = modern()
    talk.play(f">> #1 {method} {params}\n << #1 error {error}")


def test_the_method_is_checked_before_its_params() -> None:
    talk = modern()
    talk.play("""
        >> #1 no/such {"_meta":$META,"uri":5}
        << #1 error -32601
        >> #2 resources/read {"_meta":$META,"uri":5}
        << #2 error -32602
        >> #3 resources/read {"_meta":$META,"uri":"df://flights"}
        << (request #3 resources/read)
    """)


@pytest.mark.parametrize("method", ["initialize", "ping", "resources/subscribe", "resources/unsubscribe", "logging/setLevel"])
def test_what_2026_07_28_removed_is_unknown_there(method: str) -> None:
    talk = modern()
    talk.play(f'>> #1 {method} {{"_meta":$META,"uri":"df://a","level":"info"}}\n << #1 error -32601')


@pytest.mark.parametrize("version", LEGACY_VERSIONS)
@pytest.mark.parametrize("method", ["server/discover", "subscriptions/listen", "tasks/get", "foo/bar", "tools/List", "rpc.discover", ""])
def test_what_a_legacy_revision_does_not_have_is_unknown_there(version: str, method: str) -> None:
    talk = legacy(version)
    talk.receive(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"notifications": {}}}).encode())
    talk.play("<< #1 error -32601")


GATED = {name: method.capability for name, method in CLIENT_REQUESTS.items() if method.capability is not None}
EVERYTHING: dict[str, dict[str, str]] = {"tools": {}, "resources": {}, "prompts": {}, "logging": {}, "completions": {}, "extensions": {}}


@pytest.mark.parametrize(("method", "capability"), GATED.items())
def test_a_method_of_an_absent_capability_is_unknown(method: str, capability: str) -> None:
    offered = {name: value for name, value in EVERYTHING.items() if name != capability}
    capabilities = wire.ServerCapabilities(**offered)  # type: ignore[arg-type]  # only their presence counts
    if CLIENT_REQUESTS[method].exists_in(LATEST_LEGACY):
        legacy(capabilities=capabilities).play(f">> #1 {method}\n << #1 error -32601")
    else:
        modern(capabilities=capabilities).play(f'>> #1 {method} {{"_meta":$META}}\n << #1 error -32601')


BROKEN_PARAMS = [
    ("tools/call", "{}"),
    ("tools/call", '{"name":1}'),
    ("tools/call", '{"name":"add","arguments":[]}'),
    ("tools/call", '{"name":"add","arguments":null}'),
    ("tools/call", f'{{"name":"{"x" * 70_000}"}}'),
    ("tools/list", '{"cursor":1}'),
    ("resources/read", "{}"),
    ("resources/subscribe", '{"uri":null}'),
    ("resources/subscribe", f'{{"uri":"{"x" * 70_000}"}}'),
    ("prompts/get", '{"name":"p","arguments":{"a":1}}'),
    ("completion/complete", '{"ref":{"type":"ref/other","name":"n"},"argument":{"name":"a","value":""}}'),
    ("completion/complete", '{"ref":{"type":"ref/prompt"},"argument":{"name":"a","value":""}}'),
    ("completion/complete", '{"ref":{"type":"ref/prompt","name":"n"},"argument":{"name":"a"}}'),
    ("logging/setLevel", '{"level":"loud"}'),
    ("logging/setLevel", f'{{"level":"{"x" * 70_000}"}}'),
    ("tools/list", '{"_meta":{"progressToken":1.5}}'),
    ("tools/list", '{"_meta":{"progressToken":true}}'),
    ("tools/list", '{"_meta":5}'),
]


@pytest.mark.parametrize(("method", "params"), BROKEN_PARAMS)
def test_params_of_another_shape_are_refused(method: str, params: str) -> None:
    legacy().play(f">> #1 {method} {params}\n << #1 error -32602")


def test_a_refusal_names_where_and_what_was_expected_and_quotes_nothing() -> None:
    talk = legacy()
    secrets = [("logging/setLevel", {"level": "it's 'secret'"}), ("completion/complete", {"ref": {"type": "secret"}, "argument": {}})]
    for method, params in secrets:
        text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        (happening,) = talk.peer.receive_text(text)
        sentence = json.loads(happening.text)["error"]["message"]  # type: ignore[union-attr]
        assert "secret" not in sentence
        assert "$." in sentence


def test_a_refused_request_leaves_its_id_free() -> None:
    talk = legacy()
    talk.play("""
        >> #1 foo/bar
        << #1 error -32601
        >> #1 tools/list
        << (request #1 tools/list)
    """)


# --- ids and answers -------------------------------------------------------------------------------------


def test_an_id_in_flight_may_not_be_used_again_until_it_is_answered() -> None:
    talk = legacy()
    talk.play("""
        >> #7 tools/call {"name":"add"}
        << (request #7 tools/call)
        >> #7 tools/list
        << #7 error -32600
        >> #7 ping
        << #7 error -32600
        >> #"7" tools/list
        << (request #"7" tools/list)
    """)
    assert talk.peer.in_flight == 2
    talk.answer(7, CALL)
    talk.play("""
        << #7 result {"content":[{"type":"text","text":"3"}]}
        >> #7 tools/list
        << (request #7 tools/list)
    """)


@pytest.mark.parametrize("request_id", [0, -1, "", "7", "\x00", 2**70, "e\u0301"])
def test_an_answer_carries_the_very_id_of_its_request(request_id: RequestId) -> None:
    talk = legacy()
    talk.play(f'>> #{json.dumps(request_id)} tools/call {{"name":"add"}}\n << (request #{json.dumps(request_id)} tools/call)')
    talk.answer(request_id, CALL)
    talk.play(f'<< #{json.dumps(request_id)} result {{"content":[{{"type":"text","text":"3"}}]}}')


def test_a_request_is_answered_once() -> None:
    talk = legacy()
    talk.play('>> #1 tools/call {"name":"add"}\n << (request #1 tools/call)')
    exchange = talk.exchange(1)
    talk.answer(1, CALL)
    talk.play('<< #1 result {"...":0}')
    assert exchange.fate is Fate.ANSWERED
    talk.send(talk.peer.answer(exchange, CALL), talk.peer.answer_error(exchange, -32603, "late"))
    talk.play("<< nothing\n << nothing")


def test_answers_go_out_in_any_order() -> None:
    talk = legacy()
    for number in range(3):
        talk.play(f">> #{number} tools/list\n << (request #{number} tools/list)")
    for number in (2, 0, 1):
        talk.answer(number, wire.ListToolsResult(tools=[]))
        talk.play(f'<< #{number} result {{"tools":[]}}')
    assert talk.peer.in_flight == 0


def test_an_error_answer_carries_code_and_data() -> None:
    talk = modern()
    talk.play('>> #1 resources/read {"_meta":$META,"uri":"df://x"}\n << (request #1 resources/read)')
    talk.send(talk.peer.answer_error(talk.exchange(1), -32603, "Internal error", {"reason": "KeyError"}))
    talk.play('<< #1 error -32603 {"reason":"KeyError"}')
    assert talk.exchange(1).fate is Fate.ANSWERED


@pytest.mark.parametrize(("version", "code"), [*((version, -32002) for version in LEGACY_VERSIONS), ("2026-07-28", -32602)])
def test_an_unknown_resource_has_the_code_of_its_revision(version: str, code: int) -> None:
    talk = modern() if version == "2026-07-28" else legacy(version)
    meta = '"_meta":$META,' if version == "2026-07-28" else ""
    talk.play(f'>> #1 resources/read {{{meta}"uri":"df://gone"}}\n << (request #1 resources/read)')
    error = talk.exchange(1).resource_not_found("No such resource")
    talk.send(talk.peer.answer_error(talk.exchange(1), error.code, error.message, error.data))
    talk.play(f'<< #1 error {code} {{"uri":"df://gone"}}')


def test_a_result_that_is_too_long_leaves_the_request_open() -> None:
    talk = Conversation(server_peer(max_text_bytes=1000))
    talk.play('>> #1 tools/call {"_meta":$META,"name":"big"}\n << (session modern 2026-07-28)\n << (request #1 tools/call)')
    with pytest.raises(ResultTooLarge) as caught:
        talk.answer(1, wire.CallToolResult(content=[wire.TextContent(text="x" * 2000)]))
    assert caught.value.limit == 1000
    assert caught.value.size > 2000
    assert talk.exchange(1).fate is Fate.OPEN
    talk.answer(1, wire.CallToolResult(content=[wire.TextContent(text="too big")], is_error=True))
    talk.play('<< #1 result {"content":[{"type":"text","text":"too big"}],"isError":true,$MODERN}')


def test_the_limit_itself_is_allowed() -> None:
    empty = len(b'{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":""}]}}')
    talk = Conversation(server_peer(max_text_bytes=empty + 500))
    talk.play('>> #0 initialize {"protocolVersion":"2025-11-25",$CLIENT}\n << (session legacy 2025-11-25)\n << #0 result {"...":0}')
    talk.play('>> #1 tools/call {"name":"big"}\n << (request #1 tools/call)')
    with pytest.raises(ResultTooLarge):
        talk.answer(1, wire.CallToolResult(content=[wire.TextContent(text="x" * 501)]))
    talk.answer(1, wire.CallToolResult(content=[wire.TextContent(text="x" * 500)]))
    talk.play('<< #1 result {"content":[{"...":0}]}')


# --- what is known of the client ---------------------------------------------------------------------------


def test_modern_facts_are_read_from_each_request_anew() -> None:
    talk = modern()
    talk.play(f"""
        >> #1 tools/list {{"_meta":{{{VERSION}:"2026-07-28",{ABILITIES}:{{"elicitation":{{"form":{{}}}}}}}}}}
        << (request #1 tools/list)
        >> #2 tools/list {{"_meta":$META}}
        << (request #2 tools/list)
    """)
    first, second = talk.exchange(1).client, talk.exchange(2).client
    assert (first.info, first.capabilities.elicitation) == (None, {"form": {}})
    assert second.info == wire.Implementation(name="agent", version="2")
    assert second.capabilities == wire.ClientCapabilities()


def test_meta_of_a_request_is_kept_with_its_exchange() -> None:
    talk = legacy()
    talk.play("""
        >> #1 tools/call {"name":"add","_meta":{"progressToken":"t","traceparent":"00-1-2-01","other":{"x":1}}}
        << (request #1 tools/call)
        >> #2 tools/call {"name":"add","arguments":{"a":1}}
        << (request #2 tools/call)
    """)
    first, second = talk.exchange(1), talk.exchange(2)
    assert (first.progress_token, first.traceparent, first.log_level) == ("t", "00-1-2-01", None)
    assert (second.progress_token, second.traceparent) == (None, None)
    assert second.params == wire.CallToolParams(name="add", arguments={"a": 1})
    assert second.text_bytes == len('{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"add","arguments":{"a":1}}}')


def test_unknown_and_broken_notifications_are_never_answered() -> None:
    for talk in (legacy(), modern()):
        talk.play("""
            >> notifications/whatever {"a":1}
            << (ignored UNKNOWN_NOTIFICATION)
            >> tools/list
            << (ignored UNKNOWN_NOTIFICATION)
            >> notifications/cancelled {"requestId":null}
            << (ignored BROKEN_NOTIFICATION)
            >> notifications/cancelled {"requestId":1.0}
            << (ignored BROKEN_NOTIFICATION)
            >> notifications/cancelled
            << (ignored BROKEN_NOTIFICATION)
        """)


def test_legacy_notifications_reach_the_driver_and_mean_nothing_in_2026_07_28() -> None:
    script = ">> notifications/roots/list_changed\n << "
    legacy().play(script + "(notifications/roots/list_changed)")
    modern().play(script + "(ignored UNKNOWN_NOTIFICATION)")
    modern().play(">> notifications/initialized\n << (ignored UNKNOWN_NOTIFICATION)")

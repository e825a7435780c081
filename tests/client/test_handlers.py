"""What handlers get, what they may return, and what is declared of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec import UNSET

from mcp_workbench.client.handlers import ElicitRequest, Handlers, SampleRequest
from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.jsonrpc import encode
from mcp_workbench.protocol import wire


def answered(handlers: Handlers, method: str, params: dict[str, Any]) -> Any:
    async def main() -> wire.Result:
        async with asyncio.timeout(5):
            return await handlers.answer(method, params)

    return encode(asyncio.run(main())).decode()


ASK = {"message": "Run?", "requestedSchema": {"type": "object", "properties": {}}, "_meta": {"k": 1}}


TASKS: dict[str, wire.Json] = {"io.modelcontextprotocol/tasks": {}}


def test_only_what_there_is_a_handler_for_is_declared() -> None:
    assert Handlers().capabilities() == wire.ClientCapabilities(extensions=TASKS)
    declared = Handlers(lambda request: {}, lambda request: "", list).capabilities()
    assert declared == wire.ClientCapabilities(elicitation={"form": {}}, sampling={}, roots={}, extensions=TASKS)
    assert Handlers(roots=list).capabilities().sampling is UNSET
    assert Handlers(sample=lambda request: "", sample_tools=True).capabilities().sampling == {"tools": {}}


@pytest.mark.parametrize(
    ("returned", "answer"),
    [
        ({"ok": True}, '{"action":"accept","content":{"ok":true}}'),
        ({}, '{"action":"accept","content":{}}'),
        ("accept", '{"action":"accept"}'),
        ("decline", '{"action":"decline"}'),
        ("cancel", '{"action":"cancel"}'),
    ],
)
def test_an_elicitation_is_accepted_with_content_or_given_an_action(returned: Any, answer: str) -> None:
    assert answered(Handlers(elicit=lambda request: returned), "elicitation/create", ASK) == answer


@pytest.mark.parametrize(
    ("returned", "content"),
    [
        ({}, '{"rows":3,"sure":false}'),
        ("accept", '{"rows":3,"sure":false}'),
        ({"rows": 5, "why": "late"}, '{"rows":5,"sure":false,"why":"late"}'),
        ({"sure": None}, '{"rows":3,"sure":null}'),
    ],
)
def test_a_field_that_is_left_out_of_an_accepted_form_has_its_default(returned: Any, content: str) -> None:
    properties = {"rows": {"type": "integer", "default": 3}, "sure": {"default": False}, "why": {"type": "string"}, "odd": True}
    ask = {"message": "Run?", "requestedSchema": {"type": "object", "properties": properties}}
    assert answered(Handlers(elicit=lambda request: returned), "elicitation/create", ask) == f'{{"action":"accept","content":{content}}}'
    assert answered(Handlers(elicit=lambda request: "decline"), "elicitation/create", ask) == '{"action":"decline"}'


def test_an_async_handler_gets_the_question_and_everything_as_it_came() -> None:
    got: list[ElicitRequest] = []

    async def elicit(request: ElicitRequest) -> dict[str, Any]:
        got.append(request)
        return {}

    answered(Handlers(elicit=elicit), "elicitation/create", ASK)
    assert got == [ElicitRequest("Run?", {"type": "object", "properties": {}}, ASK)]


@pytest.mark.parametrize(("returned", "action"), [(True, "accept"), (False, "decline")])
def test_yes_and_no_are_answers_too(returned: bool, action: str) -> None:
    assert answered(Handlers(elicit=lambda request: returned), "elicitation/create", ASK) == f'{{"action":"{action}"}}'


@pytest.mark.parametrize("returned", [None, 1, 3, "yes", [1]])
def test_an_elicitation_answered_otherwise_is_the_handlers_fault(returned: Any) -> None:
    with pytest.raises(TypeError, match="on_elicit must return"):
        answered(Handlers(elicit=lambda request: returned), "elicitation/create", ASK)


def test_a_page_to_open_is_refused_because_it_was_not_declared() -> None:
    with pytest.raises(RemoteProtocolError, match="mode form only") as refusal:
        answered(Handlers(elicit=lambda request: {}), "elicitation/create", {"message": "m", "mode": "url", "url": "https://x"})
    assert refusal.value.code == -32602


@pytest.mark.parametrize("params", [{}, {"message": 1}, {"message": "m", "requestedSchema": 3}])
def test_a_question_of_the_wrong_shape_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(RemoteProtocolError, match="Invalid params"):
        answered(Handlers(elicit=lambda request: {}), "elicitation/create", params)


def test_a_completion_is_a_text_or_a_whole_result() -> None:
    got: list[SampleRequest] = []

    def sample(request: SampleRequest) -> Any:
        got.append(request)
        return "hm" if request.max_tokens is None else {"role": "assistant", "content": [], "model": "m", "stopReason": "toolUse"}

    handlers = Handlers(sample=sample)
    text = answered(handlers, "sampling/createMessage", {"messages": [], "systemPrompt": "be brief"})
    assert '"text":"hm"' in text
    whole = answered(handlers, "sampling/createMessage", {"messages": [{"role": "user"}], "maxTokens": 5})
    assert whole == '{"role":"assistant","content":[],"model":"m","stopReason":"toolUse"}'
    assert [request.system_prompt for request in got] == ["be brief", None]
    assert got[1].messages == [{"role": "user"}]


def test_a_completion_of_the_wrong_shape_is_the_handlers_fault() -> None:
    with pytest.raises(TypeError, match=r"on_sample must return.*model"):
        answered(Handlers(sample=lambda request: {"role": "assistant", "content": []}), "sampling/createMessage", {"messages": []})


def test_roots_are_uris_or_mappings() -> None:
    roots = Handlers(roots=lambda: ["file:///a", {"uri": "file:///b", "name": "B"}])
    assert answered(roots, "roots/list", {}) == '{"roots":[{"uri":"file:///a"},{"uri":"file:///b","name":"B"}]}'
    assert answered(Handlers(roots=lambda: "file:///a"), "roots/list", {}) == '{"roots":[{"uri":"file:///a"}]}'
    with pytest.raises(TypeError, match="on_roots must return"):
        answered(Handlers(roots=lambda: [{"name": "no uri"}]), "roots/list", {})


@pytest.mark.parametrize("method", ["elicitation/create", "sampling/createMessage", "roots/list", "tasks/get"])
def test_what_there_is_no_handler_for_is_not_found(method: str) -> None:
    with pytest.raises(RemoteProtocolError, match=f"Method not found: {method}") as refusal:
        answered(Handlers(), method, {})
    assert refusal.value.code == -32601


WITH_TOOLS = {
    "messages": [{"role": "user", "content": {"type": "text", "text": "2 + 2?"}}],
    "maxTokens": 9,
    "tools": [{"name": "add", "inputSchema": {"type": "object"}}],
    "toolChoice": {"mode": "required"},
}
USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "u", "name": "add", "input": {"a": 2}}], "model": "m"}


def test_a_handler_that_takes_tools_gets_them_and_may_want_them_used() -> None:
    got: list[SampleRequest] = []

    def sample(request: SampleRequest) -> dict[str, Any]:
        got.append(request)
        return USE | {"stopReason": "toolUse"}

    said = answered(Handlers(sample=sample, sample_tools=True), "sampling/createMessage", WITH_TOOLS)
    assert '"content":[{"type":"tool_use","id":"u","name":"add","input":{"a":2}}]' in said
    assert (got[0].tools, got[0].tool_choice) == (WITH_TOOLS["tools"], "required")


def test_tools_are_refused_by_a_client_that_has_not_declared_them() -> None:
    talk_of_tools = [USE, {"role": "user", "content": [{"type": "tool_result", "toolUseId": "u", "content": []}]}]
    cases: list[dict[str, Any]] = [WITH_TOOLS, {"messages": [], "toolChoice": {}}, {"messages": talk_of_tools}]
    for params in cases:
        with pytest.raises(RemoteProtocolError, match=r"has not declared sampling\.tools") as caught:
            answered(Handlers(sample=lambda request: "x"), "sampling/createMessage", params)
        assert caught.value.code == -32602


def test_a_conversation_with_a_use_that_was_never_answered_is_refused() -> None:
    for messages, said in (([USE], "tool result missing"), ([USE, {"role": "user", "content": USE["content"]}], "tool result missing")):
        with pytest.raises(RemoteProtocolError, match=said):
            answered(Handlers(sample=lambda request: "x", sample_tools=True), "sampling/createMessage", {"messages": messages})
    with pytest.raises(RemoteProtocolError, match="mode"):
        answered(
            Handlers(sample=lambda request: "x", sample_tools=True), "sampling/createMessage", WITH_TOOLS | {"toolChoice": {"mode": "ever"}}
        )


def test_an_answer_that_no_server_takes_is_the_handlers_mistake() -> None:
    handlers = Handlers(sample=lambda request: USE, sample_tools=True)
    with pytest.raises(TypeError, match="on_sample returned what no server takes: it uses a tool that it may not use: 'add'"):
        answered(handlers, "sampling/createMessage", WITH_TOOLS | {"toolChoice": {"mode": "none"}})


class Decliner:
    """Answers in their place."""

    def __init__(self, own: Handlers) -> None:
        self.own = own

    def capabilities(self) -> wire.ClientCapabilities:
        return wire.ClientCapabilities(elicitation={"url": {}})

    async def answer(self, method: str, params: dict[str, Any]) -> wire.Result:
        return wire.ElicitResult(action="decline") if self.own.can(method) else wire.EmptyResult()


def test_another_may_answer_in_their_place_and_declare_what_it_can() -> None:
    own = Handlers(elicit=lambda request: {"a": 1})
    handlers = Handlers(elicit=own.elicit, instead=Decliner(own))
    assert answered(handlers, "elicitation/create", ASK) == '{"action":"decline"}'
    assert answered(handlers, "roots/list", {}) == "{}"
    assert handlers.capabilities() == wire.ClientCapabilities(elicitation={"url": {}})
    assert [own.can(method) for method in ("elicitation/create", "sampling/createMessage", "roots/list", "ping")] == [
        True,
        False,
        False,
        False,
    ]

"""What results look like in each revision: the same objects, fitted and completed by the Peer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp_types.methods import CACHEABLE_METHODS

from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import LEGACY_VERSIONS, V2026_07_28
from tests.support.protocol import INFO, Conversation, legacy, modern

ICON = wire.Icon(src="data:,", mime_type="image/png", sizes=["48x48"], theme="dark")
TOOL = wire.Tool(
    name="add",
    title="Add",
    description="Adds.",
    input_schema={"type": "object"},
    output_schema={"type": "object"},
    annotations=wire.ToolAnnotations(read_only_hint=True, title="Add"),
    icons=[ICON],
    meta={"x": 1},
)
RESOURCE = wire.Resource(
    uri="df://a",
    name="a",
    title="A",
    description="d",
    mime_type="text/csv",
    size=3,
    annotations=wire.Annotations(audience=["user"], priority=0.5),
    icons=[ICON],
)
CONTENT: list[wire.Content] = [
    wire.TextContent(text="t", annotations=wire.Annotations(last_modified="2026-01-01T00:00:00Z")),
    wire.ImageContent(data="AAAA", mime_type="image/png"),
    wire.AudioContent(data="AAAA", mime_type="audio/wav"),
    wire.ResourceLink(uri="df://a", name="a", description="rows"),
    wire.EmbeddedResource(resource=wire.ResourceContents(uri="df://a", text="1,2", mime_type="text/csv", meta={"y": 1})),
    wire.EmbeddedResource(resource=wire.ResourceContents(uri="df://b", blob="AAAA")),
]
REF = '"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":""}'
RESULTS: list[tuple[str, str, wire.Result]] = [
    ("tools/list", "", wire.ListToolsResult(tools=[TOOL], next_cursor="c")),
    ("tools/call", '"name":"add"', wire.CallToolResult(content=CONTENT, structured_content={"a": None}, is_error=True)),
    ("resources/list", "", wire.ListResourcesResult(resources=[RESOURCE])),
    (
        "resources/templates/list",
        "",
        wire.ListResourceTemplatesResult(resource_templates=[wire.ResourceTemplate(uri_template="df://{n}", name="n", icons=[ICON])]),
    ),
    ("resources/read", '"uri":"df://a"', wire.ReadResourceResult(contents=[wire.ResourceContents(uri="df://a", text="x")])),
    (
        "prompts/list",
        "",
        wire.ListPromptsResult(prompts=[wire.Prompt(name="p", arguments=[wire.PromptArgument(name="a", required=True)], icons=[ICON])]),
    ),
    (
        "prompts/get",
        '"name":"p"',
        wire.GetPromptResult(description="d", messages=[wire.PromptMessage(role="user", content=c) for c in CONTENT]),
    ),
    ("completion/complete", REF, wire.CompleteResult(completion=wire.CompletionValues(values=["x"], total=1, has_more=False))),
]
METHODS = [method for method, _, _ in RESULTS]


def answered(version: str, method: str, params: str, result: wire.Result) -> dict[str, Any]:
    """The result as a client of `version` gets it, after the oracle has read it."""
    talk = open_conversation(version)
    meta = '"_meta":$META' if version == V2026_07_28 else ""
    talk.play(f">> #1 {method} {{{','.join(filter(None, (meta, params)))}}}\n << (request #1 {method})")
    talk.answer(1, result)
    talk.play('<< #1 result {"...":0}')
    found: dict[str, Any] = json.loads(talk.transcript[-1].removeprefix("<< #1 result "))
    return found


def open_conversation(version: str) -> Conversation:
    return modern() if version == V2026_07_28 else legacy(version)


@pytest.mark.parametrize("version", LEGACY_VERSIONS)
@pytest.mark.parametrize(("method", "params", "result"), RESULTS, ids=METHODS)
def test_legacy_results_have_nothing_of_the_modern_era(version: str, method: str, params: str, result: wire.Result) -> None:
    got = answered(version, method, params, result)
    assert not got.keys() & {"resultType", "ttlMs", "cacheScope", "_meta"}


@pytest.mark.parametrize(("method", "params", "result"), RESULTS, ids=METHODS)
def test_modern_results_say_their_type_their_server_and_how_long_they_keep(method: str, params: str, result: wire.Result) -> None:
    got = answered(V2026_07_28, method, params, result)
    assert got["resultType"] == "complete"
    assert got["_meta"] == {wire.META_SERVER_INFO: INFO}
    assert (got.get("ttlMs"), got.get("cacheScope")) == ((0, "private") if method in CACHEABLE_METHODS else (None, None))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, (0, "private")),
        ({"ttl_ms": 5000}, (5000, "private")),
        ({"cache_scope": "public"}, (0, "public")),
        ({"ttl_ms": 5000, "cache_scope": "public"}, (5000, "public")),
    ],
)
def test_cache_hints_are_completed_for_modern_clients_and_kept_from_legacy_ones(given: dict[str, Any], told: tuple[int, str]) -> None:
    result = wire.ListToolsResult(tools=[], **given)
    got = answered(V2026_07_28, "tools/list", "", result)
    assert (got["ttlMs"], got["cacheScope"]) == told
    assert answered("2025-11-25", "tools/list", "", result) == {"tools": []}


def test_a_result_that_needs_input_says_so_and_has_no_cache_hints() -> None:
    asked = wire.InputRequest(method="roots/list", params={})
    result = wire.InputRequiredResult(input_requests={"q1": asked}, request_state="s")
    for method, params in (("tools/call", '"name":"a"'), ("resources/read", '"uri":"df://a"'), ("prompts/get", '"name":"p"')):
        assert answered(V2026_07_28, method, params, result) == {
            "resultType": "input_required",
            "inputRequests": {"q1": {"method": "roots/list", "params": {}}},
            "requestState": "s",
            "_meta": {wire.META_SERVER_INFO: INFO},
        }


def test_meta_of_a_result_is_kept_in_both_eras() -> None:
    result = wire.CallToolResult(content=[], meta={"mcp-workbench/version": 17})
    assert answered("2025-06-18", "tools/call", '"name":"a"', result)["_meta"] == {"mcp-workbench/version": 17}
    assert answered(V2026_07_28, "tools/call", '"name":"a"', result)["_meta"] == {wire.META_SERVER_INFO: INFO, "mcp-workbench/version": 17}


@pytest.mark.parametrize(
    ("version", "types"),
    [
        ("2024-11-05", ["text", "image", "text", "text", "resource", "resource"]),
        ("2025-03-26", ["text", "image", "audio", "text", "resource", "resource"]),
        ("2025-06-18", ["text", "image", "audio", "resource_link", "resource", "resource"]),
        ("2025-11-25", ["text", "image", "audio", "resource_link", "resource", "resource"]),
        ("2026-07-28", ["text", "image", "audio", "resource_link", "resource", "resource"]),
    ],
)
def test_each_revision_gets_only_content_it_knows(version: str, types: list[str]) -> None:
    call = answered(version, "tools/call", '"name":"a"', wire.CallToolResult(content=CONTENT))
    assert [item["type"] for item in call["content"]] == types
    prompt = answered(version, "prompts/get", '"name":"p"', RESULTS[6][2])
    assert [message["content"]["type"] for message in prompt["messages"]] == types
    assert [message["role"] for message in prompt["messages"]] == ["user"] * len(types)


@pytest.mark.parametrize("value", [{"a": 1}, {}, [1], 3, "text", None, True])
@pytest.mark.parametrize("version", [*LEGACY_VERSIONS, V2026_07_28])
def test_structured_content_is_an_object_from_2025_06_18_and_any_value_from_2026_07_28(version: str, value: Any) -> None:
    got = answered(version, "tools/call", '"name":"a"', wire.CallToolResult(content=[], structured_content=value))
    if version == V2026_07_28 or (version >= "2025-06-18" and isinstance(value, dict)):
        assert got["structuredContent"] == value
    else:
        assert "structuredContent" not in got

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.protocol.http_headers import decode_value, encode_value, header_values, is_modern, mismatch, param_headers_of
from mcp_workbench.protocol.wire import META_VERSION

SCHEMA = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "deep": {"type": "object", "properties": {"dry": {"type": "boolean", "x-mcp-header": "Dry"}}},
    },
}
PARAM_HEADERS = {("region",): "Region", ("count",): "Count", ("deep", "dry"): "Dry"}


def told(params: dict[str, Any], method: str = "tools/call", **changed: str | None) -> str | None:
    """What is said of a request whose headers are those of a good client, but for those that are changed."""
    params = {"_meta": {META_VERSION: "2026-07-28"}} | params
    headers = {"MCP-Protocol-Version": "2026-07-28"} | header_values(params, method, PARAM_HEADERS)
    lower = {name.lower(): value for name, value in headers.items()} | {name.replace("_", "-"): value for name, value in changed.items()}
    return mismatch({name: [value] for name, value in lower.items() if value is not None}, method, params, PARAM_HEADERS)


@given(st.text())
def test_every_text_can_stand_in_a_header(text: str) -> None:
    value = encode_value(text)
    assert value.isascii()
    assert value.isprintable()
    assert value == value.strip()
    assert decode_value(value) == text


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_no_value_makes_the_decoder_raise(text: str) -> None:
    decode_value(text)
    decode_value(f"=?base64?{text}?=")


def test_other_base64_of_the_same_bytes_is_broken() -> None:
    assert decode_value("=?base64?YQ==?=") == "a"
    for broken in ("YR==", "YQ", "YQ= =", "_w==", "/w==", "é"):
        assert decode_value(f"=?base64?{broken}?=") is None


@given(st.text(), st.integers(), st.booleans())
def test_what_a_client_writes_agrees_with_its_body(region: str, count: int, dry: bool) -> None:
    assert told({"name": "größe", "arguments": {"region": region, "count": count, "deep": {"dry": dry}}}) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"mcp_protocol_version": "2025-11-25"},
        {"mcp_protocol_version": None},
        {"mcp_method": "tools/list"},
        {"mcp_method": None},
        {"mcp_name": "sub"},
        {"mcp_name": None},
        {"mcp_name": "=?base64?!?="},
        {"mcp_param_region": "us"},
        {"mcp_param_region": None},
        {"mcp_param_count": "8"},
        {"mcp_param_dry": "false"},
    ],
)
def test_what_says_something_else_than_the_body_is_told(changed: dict[str, str | None]) -> None:
    arguments = {"region": "eu", "count": 7, "deep": {"dry": True}}
    sentence = told({"name": "add", "arguments": arguments}, "tools/call", **changed)
    assert sentence is not None
    assert next(iter(changed)).replace("_", "-") in sentence.lower() or "argument" in sentence


def test_a_header_for_an_argument_that_is_not_there_is_told() -> None:
    assert told({"name": "add", "arguments": {}}, mcp_param_region="eu") is not None
    assert told({"name": "add", "arguments": {"region": None}}, mcp_param_region="eu") is not None
    assert told({"name": "add", "arguments": {"region": []}}, mcp_param_region="[]") is not None


def test_whole_numbers_are_compared_as_numbers() -> None:
    assert told({"name": "add", "arguments": {"count": 7}}, mcp_param_count="7.0") is None
    assert told({"name": "add", "arguments": {"count": 7.0}}, mcp_param_count="7") is None
    assert told({"name": "add", "arguments": {"count": 7}}, mcp_param_count="7e0") is not None


def test_a_header_that_is_there_twice_says_nothing_certain() -> None:
    params = {"_meta": {META_VERSION: "2026-07-28"}}
    headers = {"mcp-protocol-version": ["2026-07-28"], "mcp-method": ["tools/list", "tools/list"]}
    assert "2" in str(mismatch(headers, "tools/list", params, {}))


def test_other_methods_have_no_name_to_repeat() -> None:
    assert header_values({"name": "x"}, "tools/list", {}) == {"Mcp-Method": "tools/list"}
    assert header_values({"uri": "df://a b"}, "resources/read", {})["Mcp-Name"] == "df://a b"
    for method in ("tasks/get", "tasks/update", "tasks/cancel"):
        assert header_values({"taskId": "t1"}, method, {})["Mcp-Name"] == "t1"
        assert told({"taskId": "t1"}, method) is None
        assert "Mcp-Name" in str(told({"taskId": "t1"}, method, mcp_name="t2"))
    assert told({}, "tools/list") is None


def test_the_arguments_that_are_repeated_are_found_in_the_schema() -> None:
    assert param_headers_of(SCHEMA) == PARAM_HEADERS
    assert param_headers_of({"type": "object"}) == {}
    assert param_headers_of(None) == {}


@pytest.mark.parametrize(
    "properties",
    [
        {"a": {"type": "number", "x-mcp-header": "A"}},
        {"a": {"type": "string", "x-mcp-header": "two words"}},
        {"a": {"type": "string", "x-mcp-header": 7}},
        {"a": {"type": ["string", "null"], "x-mcp-header": "A"}},
        {"a": {"type": "string", "x-mcp-header": "A"}, "b": {"type": "string", "x-mcp-header": "a"}},
        {"a": {"type": "array", "items": {"type": "string", "x-mcp-header": "A"}}},
        {"a": {"anyOf": [{"type": "string", "x-mcp-header": "A"}]}},
    ],
)
def test_a_schema_that_says_it_wrongly_says_nothing(properties: dict[str, Any]) -> None:
    assert param_headers_of({"type": "object", "properties": properties}) is None


def test_versions_since_2026_07_28_are_modern_whether_known_or_not() -> None:
    assert is_modern("2026-07-28")
    assert is_modern("2099-01-01")
    for other in ("2025-11-25", "1999-01-01", "", "latest", "9999"):
        assert not is_modern(other)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.exports.otlp_attributes import (
    CLIENT_DURATION,
    LONGEST,
    SERVER_DURATION,
    bare_uri,
    error_type,
    metric_attributes,
    metric_name,
    span_attributes,
    span_name,
)
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.telemetry.records import JOB, CallRecord, Outcome, Side
from tests.exploring.exports.collector import call, session


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (call(), "tools/call forecast"),
        (call("prompts/get", "ask"), "prompts/get ask"),
        (call("resources/read", "df://flights"), "resources/read"),
        (call("initialize", ""), "initialize"),
        (call(JOB), "execute_tool forecast"),
    ],
)
def test_a_span_is_named_by_method_and_target_of_low_cardinality(record: CallRecord, name: str) -> None:
    assert span_name(record) == name


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (call(), None),
        (call(outcome=Outcome.CANCELLED), None),
        (call(outcome=Outcome.INPUT_REQUIRED), None),
        (call(outcome=Outcome.TOOL_ERROR), "tool_error"),
        (call(outcome=Outcome.TIMEOUT), "tool_error"),
        (call(outcome=Outcome.REJECTED), "tool_error"),
        (call(outcome=Outcome.RPC_ERROR, code=-32602), "-32602"),
        (call("resources/read", "x://y", outcome=Outcome.TIMEOUT, code=-32603), "-32603"),
        (call(outcome=Outcome.DROPPED), "dropped"),
    ],
)
def test_the_type_of_an_error_is_its_code_or_that_it_was_the_tools(record: CallRecord, kind: str | None) -> None:
    assert error_type(record) == kind
    assert metric_attributes(record, None).get("error.type") == span_attributes(record, None).get("error.type") == kind


def test_a_tool_call_is_told_as_the_conventions_name_its_facts() -> None:
    told = span_attributes(call(request_id="r-7"), session())
    assert told == told | {
        "mcp.method.name": "tools/call",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "forecast",
        "jsonrpc.request.id": "r-7",
        "mcp.session.id": "s1",
        "mcp.protocol.version": "2025-11-25",
        "network.transport": "tcp",
        "network.protocol.name": "websocket",
        "client.address": "127.0.0.1",
        "client.port": 51234,
    }


def test_an_error_is_told_by_its_code_in_both_places() -> None:
    told = span_attributes(call("nope", "", outcome=Outcome.RPC_ERROR, code=-32601), session())
    assert (told["rpc.response.status_code"], told["error.type"], told["mcp.method.name"]) == ("-32601", "-32601", "nope")


@pytest.mark.parametrize(
    ("transport", "facts"),
    [
        ("stdio", {"network.transport": "pipe"}),
        ("http", {"network.transport": "tcp", "network.protocol.name": "http", "network.protocol.version": "1.1"}),
        ("memory", {}),
    ],
)
def test_each_transport_is_told_as_recording_mcp_transport_says(transport: str, facts: dict[str, str]) -> None:
    told = metric_attributes(call(), session(transport))
    assert {name: value for name, value in told.items() if name.startswith("network.")} == facts


def test_seen_from_a_client_the_other_end_is_the_server() -> None:
    told = span_attributes(call(side=Side.CLIENT, direction=Direction.OUT), session(remote="[::1]:8080"))
    assert (told["server.address"], told["server.port"]) == ("::1", 8080)
    assert "client.address" not in told


def test_a_prompt_and_a_resource_have_their_own_names() -> None:
    assert span_attributes(call("prompts/get", "ask"), None)["gen_ai.prompt.name"] == "ask"
    told = span_attributes(call("resources/read", "df://flights/rows?where=name='Ann'"), None)
    assert told["mcp.resource.uri"] == "df://flights/rows"
    assert "gen_ai.operation.name" not in told


@pytest.mark.parametrize(
    ("side", "direction", "name"),
    [
        (Side.SERVER, Direction.IN, SERVER_DURATION),
        (Side.SERVER, Direction.OUT, CLIENT_DURATION),
        (Side.CLIENT, Direction.OUT, CLIENT_DURATION),
        (Side.CLIENT, Direction.IN, SERVER_DURATION),
    ],
)
def test_who_received_a_request_tells_of_it_as_a_server(side: Side, direction: Direction, name: str) -> None:
    assert metric_name(call(side=side, direction=direction)) == name


def test_names_that_only_a_clients_mistake_brought_up_tell_no_durations_apart() -> None:
    unknown_method = metric_attributes(call("made/up", "", outcome=Outcome.RPC_ERROR, code=-32601), session())
    unknown_tool = metric_attributes(call(target="made_up", outcome=Outcome.RPC_ERROR, code=-32602, tool_version=None), session())
    assert unknown_method["mcp.method.name"] == "_OTHER"
    assert "gen_ai.tool.name" not in unknown_tool
    assert "mcp.session.id" not in unknown_tool


def test_a_long_name_is_cut_visibly() -> None:
    name = span_attributes(call(target="x" * 5000), None)["gen_ai.tool.name"]
    assert name == "x" * LONGEST + "…"


@pytest.mark.parametrize(
    ("uri", "bare"),
    [
        ("postgres://ann:pw@db:5432/sales?sslkey=k#f", "postgres://db:5432/sales"),
        ("file:///home/a/b.txt", "file:///home/a/b.txt"),
        ("http://[broken?token=k", "http://[broken"),
        ("http://ann:pw@[broken#k", "[broken"),
    ],
)
def test_an_address_is_told_without_what_may_be_secret(uri: str, bare: str) -> None:
    assert bare_uri(uri) == bare


@given(st.text(), st.text(alphabet="abcXYZ019", min_size=3))
def test_no_query_of_any_address_is_told(before: str, secret: str) -> None:
    assert not bare_uri(f"{before}?s3cr3t={secret}").endswith(f"s3cr3t={secret}")

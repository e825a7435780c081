"""What a message carries, in a line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.carrying import carried
from mcp_workbench.exploring.message_list import MessageList
from mcp_workbench.exploring.reading import read
from mcp_workbench.telemetry.messages import Direction, Message

ENVELOPE = {"resultType": "complete", "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "x"}}, "ttlMs": 5, "cacheScope": "private"}
TEXT = {"type": "text", "text": "two"}


def of(raw: bytes, most: int = 200) -> str:
    return carried(read(Message("s1", Direction.IN, 1, 1.0, len(raw), raw)), most)


def said(**members: Any) -> str:
    return of(json.dumps({"jsonrpc": "2.0", **members}).encode())


@pytest.mark.parametrize(
    ("result", "shows"),
    [
        ({"content": [TEXT]}, "two"),
        ({"content": [TEXT], "structuredContent": {"n": 2}}, '{"n":2}'),
        ({"content": [TEXT, TEXT], "isError": True}, "two two"),
        ({"content": [{"type": "text", "text": "a,b\n1,\t2\n"}]}, "a,b 1, 2"),
        ({"content": [{"type": "image", "mimeType": "image/png", "data": "aGk="}]}, "[image image/png]"),
        ({"content": [{"type": "resource_link", "uri": "df://flights", "name": "f"}]}, "[resource_link df://flights]"),
        ({"content": [{"type": "resource", "resource": {"uri": "df://flights", "text": "a,b"}}]}, "a,b"),
        ({"contents": [{"uri": "df://flights", "text": "a,b"}]}, "a,b"),
        ({"messages": [{"role": "user", "content": TEXT}]}, "two"),
        ({"tools": [{"name": "add"}]}, '{"tools":[{"name":"add"}]}'),
        ({}, ""),
        ({"content": "no list"}, '{"content":"no list"}'),
        ({"content": [7, {}]}, "7"),
    ],
)
def test_an_answer_shows_what_it_says_and_not_the_envelope(result: dict[str, Any], shows: str) -> None:
    assert said(id=1, result={**ENVELOPE, **result}) == shows


def test_a_request_shows_its_arguments_an_error_its_sentence_and_what_is_no_message_itself() -> None:
    meta = {"progressToken": 1}
    assert said(id=1, method="tools/call", params={"_meta": meta, "name": "add", "arguments": {"a": 1}}) == '{"a":1}'
    assert said(id=1, method="tools/call", params={"name": "add", "_meta": meta}) == ""
    assert said(id=1, method="resources/read", params={"uri": "df://x", "_meta": meta}) == '{"uri":"df://x"}'
    assert said(method="notifications/initialized") == ""
    assert said(id=1, error={"code": -32602, "message": "there is no tool <b>"}) == "-32602: there is no tool <b>"
    assert (of(b"{no"), of(b"[]")) == ("{no", "[]")


def test_a_list_of_messages_shows_of_each_what_it_is_and_carries() -> None:
    asked = json.dumps({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "add", "arguments": {"a": 1}}}).encode()
    answered = json.dumps({"jsonrpc": "2.0", "id": 5, "result": {**ENVELOPE, "content": [TEXT]}}).encode()
    ways = ((Direction.IN, asked), (Direction.OUT, answered))
    listed = MessageList([Message("s1", way, 1, 1.0, len(raw), raw) for way, raw in ways])
    assert 'request 5 tools/call add {"a":1}' in repr(listed)
    assert repr(listed).endswith("← response 5 two")
    assert "response 5 two" in listed._repr_html_()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["content", "text", "type", "resource", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["content", "contents", "messages", "structuredContent"]), json_values), st.integers(1, 20))
def test_whatever_is_answered_there_is_a_line_of_it_no_longer_than_asked_for(result: dict[str, Any], most: int) -> None:
    assert len(of(json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode(), most)) <= most

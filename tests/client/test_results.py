"""Results as Python wants them; what has the wrong shape never gets out half-read."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_workbench.client.results import CallResult, ReadResult, read_result
from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.protocol import wire


def call_result(*content: dict[str, Any], **fields: Any) -> CallResult:
    return CallResult.of({"content": list(content), **fields})


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def test_the_parts_of_a_result() -> None:
    image = {"type": "image", "data": base64.b64encode(b"\x89PNG").decode(), "mimeType": "image/png"}
    link = {"type": "resource_link", "uri": "df://_r1", "name": "_r1"}
    result = call_result(text("one"), image, link, text("two"), structuredContent={"n": 1}, isError=True, _meta={"k": 2})
    assert result.text == "one\ntwo"
    assert result.images == [b"\x89PNG"]
    assert result.links == [wire.ResourceLink(uri="df://_r1", name="_r1")]
    assert (result.structured, result.is_error, result.meta) == ({"n": 1}, True, {"k": 2})
    assert len(result.content) == 4
    assert repr(result) == "<CallResult (error) +ImageContent +ResourceLink: one\ntwo>"


def test_an_empty_result() -> None:
    result = call_result()
    assert (result.text, result.images, result.links, result.structured, result.is_error, result.meta) == ("", [], [], None, False, {})
    assert repr(call_result(text("x" * 600))).endswith("x … (600 characters)>")


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"content": None},
        {"content": [{"type": "smell"}]},
        {"content": [{"text": "x"}]},
        {"content": [text("x")], "isError": "no"},
        {"content": [3]},
    ],
)
def test_a_call_result_of_the_wrong_shape_is_the_servers_fault(raw: dict[str, Any]) -> None:
    with pytest.raises(RemoteProtocolError, match="tools/call has the wrong shape"):
        CallResult.of(raw)


def test_broken_base64_is_the_servers_fault() -> None:
    with pytest.raises(RemoteProtocolError, match="valid base64"):
        _ = call_result({"type": "image", "data": "%%%", "mimeType": "image/png"}).images
    with pytest.raises(RemoteProtocolError, match="valid base64"):
        _ = ReadResult.of({"contents": [{"uri": "x", "blob": "é"}]}).blob


def test_a_dataframe_comes_from_structured_content_first() -> None:
    table = {"columns": ["origin", "flights"], "data": [["JFK", 3], ["LGA", None]]}
    df = call_result(text("x,y\n1,2\n"), structuredContent=table).dataframe()
    assert df.columns.tolist() == ["origin", "flights"]
    assert df["origin"].tolist() == ["JFK", "LGA"]


def test_a_dataframe_from_text_says_that_it_is_a_preview() -> None:
    result = call_result(text("A remark."), text("2 of 5 rows x 2 columns · 3 ms\na,b\n1,x\n2,y\nMore: df://_r1/rows?offset=2"))
    with pytest.warns(UserWarning, match="2 of 5 rows"):
        df = result.dataframe()
    assert df.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
    assert df.attrs == {"preview": True, "total_rows": 5}


def test_the_total_in_meta_counts_too() -> None:
    meta = {"mcp-workbench/rows": 9}
    with pytest.warns(UserWarning, match="1 of 9 rows"):
        call_result(text("a,b\n1,2\n"), _meta=meta).dataframe()
    with pytest.warns(UserWarning, match="1 of 9 rows"):
        call_result(structuredContent={"columns": ["a"], "data": [[1]]}, _meta=meta).dataframe()


def test_the_text_tells_that_structured_content_is_a_part() -> None:
    result = call_result(text("1 of 7 rows x 2 columns\na,b\n1,2\n"), structuredContent={"columns": ["a", "b"], "data": [[1, 2]]})
    with pytest.warns(UserWarning, match="1 of 7 rows"):
        result.dataframe()


@pytest.mark.parametrize("result", [call_result(), call_result(text("Done.")), call_result(text("a,b\n1,2\n"), isError=True)])
def test_without_a_table_there_is_no_dataframe(result: CallResult) -> None:
    with pytest.raises(ValueError, match="no table in this result"):
        result.dataframe()


def test_what_reading_gave() -> None:
    raw = {"contents": [{"uri": "a", "text": '{"n":1}'}, {"uri": "b", "blob": "AAE="}, {"uri": "c", "blob": "Ag=="}], "_meta": {"k": 1}}
    result = ReadResult.of(raw)
    assert result.text == '{"n":1}'
    assert result.json() == {"n": 1}
    assert result.blob == b"\x00\x01"
    assert result.meta == {"k": 1}
    assert [item.uri for item in result.contents] == ["a", "b", "c"]
    assert repr(result) == "<ReadResult of a, b, c: 7 characters, 3 contents>"
    empty = ReadResult.of({"contents": []})
    assert (empty.text, empty.blob) == ("", b"")
    with pytest.raises(ValueError, match="Expecting value"):
        empty.json()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["content", "structuredContent", "isError", "_meta", "contents"]), JSON))
def test_any_result_object_is_read_or_refused(raw: dict[str, Any]) -> None:
    for read in (CallResult.of, ReadResult.of):
        try:
            outcome = repr(read(raw))
        except RemoteProtocolError as error:
            outcome = error.message
        assert "wrong shape" in outcome or outcome.startswith(("<CallResult", "<ReadResult"))


def test_reading_back_what_a_server_encodes() -> None:
    listed = wire.ListToolsResult(tools=[wire.Tool(name="a", input_schema={"type": "object"})], next_cursor="x", ttl_ms=5)
    assert read_result("tools/list", msgspec.to_builtins(listed), wire.ListToolsResult) == listed

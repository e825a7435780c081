"""What a resource's function returned, as contents."""

from __future__ import annotations

import base64
import json

import pytest

from mcp_workbench.errors import ToolError
from mcp_workbench.protocol.wire import ResourceContents
from mcp_workbench.serving.resources import contents_of

URI = "note://x"


def test_text_is_text_of_the_authors_kind() -> None:
    assert contents_of(URI, "hi", None) == [ResourceContents(uri=URI, mime_type="text/plain", text="hi")]
    assert contents_of(URI, "hi", "text/markdown")[0].mime_type == "text/markdown"


@pytest.mark.parametrize("value", [b"\x00\xff", bytearray(b"\x00\xff"), memoryview(b"\x00\xff")])
def test_bytes_are_base64(value: object) -> None:
    [contents] = contents_of(URI, value, None)
    assert isinstance(contents.blob, str)
    assert base64.b64decode(contents.blob) == b"\x00\xff"
    assert contents.mime_type == "application/octet-stream"


def test_contents_stay_what_they_are() -> None:
    one = ResourceContents(uri="other://y", text="t")
    assert contents_of(URI, one, "text/html") == [one]
    assert contents_of(URI, [one, one], None) == [one, one]


@pytest.mark.parametrize(("value", "text"), [({"a": 1}, {"a": 1}), ([], []), (3, 3), (None, None), ([1, "x"], [1, "x"])])
def test_anything_else_is_json(value: object, text: object) -> None:
    [contents] = contents_of(URI, value, None)
    assert isinstance(contents.text, str)
    assert (contents.mime_type, json.loads(contents.text)) == ("application/json", text)


def test_what_has_no_json_form_is_refused_by_its_type() -> None:
    with pytest.raises(ToolError, match="object"):
        contents_of(URI, object(), None)

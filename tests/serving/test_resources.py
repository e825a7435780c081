"""What a resource's function returned, as contents; and the lists, of which every page fits a message."""

from __future__ import annotations

import base64
import json
from typing import Any, cast

import msgspec
import pandas as pd
import pytest

from mcp_workbench.errors import ToolError
from mcp_workbench.limits import Limits
from mcp_workbench.offer import Offer
from mcp_workbench.primitives import define_resource
from mcp_workbench.protocol.exchange import ClientFacts, Exchange
from mcp_workbench.protocol.wire import ListParams, ResourceContents
from mcp_workbench.serving.resources import Resources, contents_of

NOBODY: Any = None
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


def note(page: str = "") -> str:
    return page


def asked(cursor: str | None) -> Exchange:
    return Exchange(1, "resources/list", ListParams(cursor=cursor), cast(ClientFacts, None), 1)


def test_long_descriptions_make_more_pages_of_which_each_fits() -> None:
    offer = Offer(Limits())
    for number in range(60):
        offer.dataframes.publish(f"t{number:02}", pd.DataFrame({"a": [1]}), namespace=None, description="d" * 20_000)
        offer.resources.add(define_resource(f"note://{number:02}", note, name=f"n{number:02}", description="d" * 20_000))
        offer.resources.add(define_resource(f"note://{number:02}/{{page}}", note, name=f"p{number:02}", description="d" * 20_000))
    service = Resources(offer.resources, offer.dataframe_resources, offer.documents, NOBODY, NOBODY)
    for answer, member, count in ((service.list, "resources", 120), (service.list_templates, "resource_templates", 68)):
        cursor: Any = None
        entries: list[Any] = []
        while len(entries) < count:
            found = answer(NOBODY, asked(cursor), NOBODY)
            assert len(msgspec.json.encode(found)) < Limits().max_result_bytes // 2
            entries += getattr(found, member)
            cursor = found.next_cursor  # type: ignore[attr-defined]
        assert not isinstance(cursor, str)
        assert len({getattr(entry, "uri", "") or entry.uri_template for entry in entries}) == count

"""What tools return, as content: every form, the bounds, and nothing silently cut."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from PIL import Image
from pydantic import BaseModel

from mcp_workbench.errors import ToolError
from mcp_workbench.primitives.jsonable import UnsupportedResult
from mcp_workbench.primitives.output import output_of
from mcp_workbench.primitives.rendering import NO_RESULT, Rendered, Rendering, RenderRequest, cut
from mcp_workbench.protocol.wire import EmbeddedResource, ImageContent, ResourceContents, ResourceLink, TextContent

REQUEST = RenderRequest("top_routes", 8000, "default")
PNG = b"\x89PNG\r\n\x1a\nrest"


@dataclasses.dataclass
class Route:
    origin: str
    flights: int


class Model(BaseModel):
    x: int


class Colour(enum.Enum):
    RED = "red"


class Table:
    pass


class Secretive:
    def __repr__(self) -> str:
        raise AssertionError("repr was called")

    __str__ = __repr__


class TableRenderer:
    """Stands for the renderer of DataFrames."""

    def render(self, value: object, request: RenderRequest) -> Rendered | None:
        return Rendered([TextContent(text=f"a table for {request.principal}")]) if isinstance(value, Table) else None


def rendered(value: object, max_chars: int = 8000) -> Rendered:
    return Rendering([TableRenderer()]).render(value, RenderRequest("top_routes", max_chars, "default"))


def text(value: object, max_chars: int = 8000) -> str:
    (content,) = rendered(value, max_chars).content
    assert isinstance(content, TextContent)
    return content.text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, NO_RESULT),
        ("text", "text"),
        ("", ""),
        ("a\ud800", "a\ufffd"),
        (True, "true"),
        (3, "3"),
        (2.5, "2.5"),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        (np.float64("nan"), "NaN"),
        (np.int64(3), "3"),
        (np.datetime64("NaT"), "The result is a missing value."),
        (Decimal("1.10"), "1.10"),
        (datetime.date(2026, 1, 31), "2026-01-31"),
        (Colour.RED, "red"),
    ],
)
def test_scalars_are_their_text_without_structure(value: object, expected: str) -> None:
    assert text(value) == expected
    assert rendered(value).structured is UNSET


@pytest.mark.parametrize(
    ("value", "json", "structured"),
    [
        ({"a": [1, None]}, '{"a":[1,null]}', {"a": [1, None]}),
        ([1, 2], "[1,2]", {"result": [1, 2]}),
        ((), "[]", {"result": []}),
        ({3, 1}, "[1,3]", {"result": [1, 3]}),
        (Route("JFK", 3), '{"origin":"JFK","flights":3}', {"origin": "JFK", "flights": 3}),
        (Model(x=1), '{"x":1}', {"x": 1}),
        (np.array([1.5, np.nan]), "[1.5,null]", {"result": [1.5, None]}),
        ([Route("JFK", 3)], '[{"origin":"JFK","flights":3}]', {"result": [{"origin": "JFK", "flights": 3}]}),
    ],
)
def test_containers_are_compact_json_and_structured(value: object, json: str, structured: Any) -> None:
    assert text(value) == json
    assert rendered(value).structured == structured


def test_long_text_is_cut_and_says_how_much_and_what_to_do() -> None:
    shown = text("x" * 10_000, 1000)
    assert len(shown) <= 1000
    assert shown.startswith("x" * 800)
    assert shown.endswith(
        "\n[Cut: 800 of 10,000 characters shown. Call top_routes for less at a time, or have it return a part or a summary.]"
    )


def test_long_json_is_cut_together_with_structure_nobody_was_promised() -> None:
    value = {"rows": list(range(10_000))}
    assert "[Cut: " in text(value, 1000)
    assert rendered(value, 1000).structured is UNSET


@given(st.text(), st.integers(1, 3000))
def test_cutting_keeps_what_fits_and_counts_what_does_not(value: str, max_chars: int) -> None:
    shown = cut(value, max_chars, "f")
    if len(value) <= max_chars:
        assert shown == value
    else:
        kept, _, note = shown.rpartition("\n[Cut: ")
        assert value.startswith(kept)
        assert note.startswith(f"{len(kept):,} of {len(value):,} characters shown.")
        assert len(shown) <= max(max_chars, 400)


def test_content_objects_pass_through_untouched() -> None:
    long = TextContent(text="x" * 100_000)
    link = ResourceLink(uri="df://a", name="a")
    embedded = EmbeddedResource(resource=ResourceContents(uri="df://a", text="x"))
    assert rendered(long).content == [long]
    assert rendered([long, link, embedded]).content == [long, link, embedded]
    whole = Rendered([link], {"a": 1})
    assert rendered(whole) is whole


def test_image_bytes_and_pillow_images_are_images() -> None:
    for value in (PNG, bytearray(PNG), memoryview(PNG)):
        (content,) = rendered(value).content
        assert isinstance(content, ImageContent)
        assert content.mime_type == "image/png"
    (picture,) = rendered(Image.new("RGB", (2, 2))).content
    assert isinstance(picture, ImageContent)


def test_other_bytes_are_refused_with_what_to_do() -> None:
    with pytest.raises(UnsupportedResult, match=r"3 bytes that begin with \"61 62 63\" and are no PNG.*return text"):
        rendered(b"abc")


def test_a_list_that_mixes_is_rendered_item_by_item() -> None:
    content = rendered(["look:", PNG, {"a": 1}, Table(), None]).content
    assert [type(part).__name__ for part in content] == ["TextContent", "ImageContent", "TextContent", "TextContent", "TextContent"]
    assert [part.text for part in content if isinstance(part, TextContent)] == ["look:", '{"a":1}', "a table for default", NO_RESULT]
    assert rendered(["look:", PNG]).structured is UNSET


def test_the_bound_of_text_holds_for_all_items_together() -> None:
    content = rendered([PNG, "x" * 2000, "y" * 2000], 1000).content
    texts = [part.text for part in content if isinstance(part, TextContent)]
    assert "[Cut: 800 of 2,000" in texts[0]
    assert sum(map(len, texts)) <= 1000 + 400
    assert all("[Cut: " in part for part in texts)


def test_the_first_renderer_that_answers_wins() -> None:
    class Greedy:
        def render(self, value: object, request: RenderRequest) -> Rendered | None:
            return Rendered([TextContent(text="mine")])

    assert Rendering([Greedy(), TableRenderer()]).render(Table(), REQUEST).content == [TextContent(text="mine")]
    assert Rendering([TableRenderer(), Greedy()]).render(Table(), REQUEST).content == [TextContent(text="a table for default")]
    assert Rendering([Greedy()]).render({"a": 1}, REQUEST).content == [TextContent(text="mine")]


@pytest.mark.parametrize("value", [None, True, 3, 2.5, "text"])
def test_no_renderer_is_asked_for_what_has_one_form_only(value: object) -> None:
    class Asked:
        def render(self, value: object, request: RenderRequest) -> Rendered | None:
            raise AssertionError("a renderer was asked")

    assert Rendering([Asked()]).render(value, REQUEST) == Rendering().render(value, REQUEST)


@pytest.mark.parametrize("value", [Secretive(), [Secretive()], {"a": Secretive()}, [PNG, Secretive()]])
def test_a_foreign_object_is_named_and_never_shown(value: object) -> None:
    with pytest.raises(UnsupportedResult, match="Secretive"):
        rendered(value)


def test_a_promised_result_is_checked_and_structured_whole() -> None:
    output = output_of(dict[str, list[int]])
    result = Rendering().render({"a": list(range(5000))}, REQUEST, output)
    assert result.structured == {"a": list(range(5000))}
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert "[Cut: " in content.text


def test_a_promised_list_is_shown_bare_and_structured_wrapped() -> None:
    result = Rendering().render([Route("JFK", 3)], REQUEST, output_of(list[Route]))
    assert result.content == [TextContent(text='[{"origin":"JFK","flights":3}]')]
    assert result.structured == {"result": [{"origin": "JFK", "flights": 3}]}


def test_a_broken_promise_is_a_sentence() -> None:
    with pytest.raises(ToolError, match=r"^top_routes returned a str, its annotation promises dict\[str, int\]"):
        Rendering().render("x", REQUEST, output_of(dict[str, int]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(JSON, st.integers(1, 2000))
def test_every_result_has_content_that_encodes(value: Any, max_chars: int) -> None:
    try:
        result = rendered(value, max_chars)
    except UnsupportedResult as error:
        assert "Two keys" in str(error)  # noqa: PT017  # lone surrogates may collide
        return
    assert result.content
    assert msgspec.json.decode(msgspec.json.encode(result.content))
    if result.structured is not UNSET:
        assert isinstance(result.structured, dict)
        assert msgspec.json.decode(msgspec.json.encode(result.structured)) == result.structured

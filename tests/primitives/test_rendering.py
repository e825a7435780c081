"""What tools return, as content: every form, the bounds, and nothing silently cut."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import enum
import io
import itertools
import math
from decimal import Decimal
from typing import Any

import altair as alt
import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython import display
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from msgspec import UNSET
from PIL import Image
from pydantic import BaseModel

from mcp_workbench.errors import ToolError
from mcp_workbench.primitives.jsonable import UnsupportedResult, to_jsonable
from mcp_workbench.primitives.output import output_of
from mcp_workbench.primitives.rendered import cut
from mcp_workbench.primitives.rendering import NO_RESULT, Rendered, Rendering, RenderRequest
from mcp_workbench.protocol.wire import Content, EmbeddedResource, ImageContent, ResourceContents, ResourceLink, TextContent
from tests.support.shelf import Shelf

REQUEST = RenderRequest("top_routes", 8000, "default")
PNG = b"\x89PNG\r\n\x1a\n" + bytes.fromhex("0000000d49484452 00000001 00000001 0800000000") + b"IDAT and the rest"
CARS = pd.DataFrame({"power": [1, 2]})


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
        (np.datetime64("NaT", "s"), "The result is a missing value."),
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
    shown = cut(value, max_chars, REQUEST)
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
    with pytest.raises(UnsupportedResult, match=r"3 bytes that begin with \"61 62 63\" and are no whole PNG.*return text"):
        rendered(b"abc")


def test_a_list_that_mixes_is_rendered_item_by_item() -> None:
    content = rendered(["look:", PNG, {"a": 1}, Table(), None]).content
    assert [type(part).__name__ for part in content] == ["TextContent", "ImageContent", "TextContent", "TextContent", "TextContent"]
    assert [part.text for part in content if isinstance(part, TextContent)] == ["look:", '{"a":1}', "a table for default", NO_RESULT]
    assert rendered(["look:", PNG]).structured is UNSET


def test_the_bound_of_text_holds_for_all_items_together() -> None:
    content = rendered([PNG, "x" * 2000, "y" * 2000], 1000).content
    texts = [part.text for part in content if isinstance(part, TextContent)]
    assert sum(map(len, texts)) <= 1000
    assert all("[Cut: " in part for part in texts)


class WordyRenderer:
    """Uses all the room it is given, and counts as results what it was asked to show."""

    def __init__(self) -> None:
        self.rooms: list[int] = []

    def render(self, value: object, request: RenderRequest) -> Rendered | None:
        if not isinstance(value, Table):
            return None
        self.rooms.append(request.max_chars)
        return Rendered([TextContent(text="t" * request.max_chars), ResourceLink(uri=f"df://_r{len(self.rooms)}", name="r")])


def test_renderers_share_the_bound_of_text_equally() -> None:
    wordy = WordyRenderer()
    content = Rendering([wordy]).render(["look:", Table(), Table(), Table()], REQUEST).content
    assert sum(len(part.text) for part in content if isinstance(part, TextContent)) <= REQUEST.max_chars
    assert len(content) == 7
    assert min(wordy.rooms) > 1900


@pytest.mark.parametrize(("max_chars", "shown"), [(1, 1), (300, 1), (2000, 4), (8000, 19), (100_000, 20)])
def test_what_finds_no_room_is_not_rendered_but_counted(max_chars: int, shown: int) -> None:
    wordy = WordyRenderer()
    content = Rendering([wordy]).render([Table()] * 60, RenderRequest("top_routes", max_chars, "default")).content
    texts = [part.text for part in content if isinstance(part, TextContent)]
    assert len(wordy.rooms) == shown
    assert sum(isinstance(part, ResourceLink) for part in content) == shown
    assert texts[-1] == (
        f"[Left out: {60 - shown} of 60 items. Call top_routes for fewer at a time, or have it return a part or a summary.]"
    )
    assert sum(map(len, texts)) <= max(max_chars, 500)


def test_what_takes_no_room_is_shown_where_tables_find_none() -> None:
    content = Rendering([WordyRenderer()]).render([*[Table()] * 30, PNG, "end"], REQUEST).content
    assert [type(part).__name__ for part in content[-3:]] == ["ImageContent", "TextContent", "TextContent"]
    assert content[-2] == TextContent(text="end")


def test_many_images_and_few_tables_go_together() -> None:
    content = Rendering([WordyRenderer()]).render([*[PNG] * 30, Table()], REQUEST).content
    assert [type(part).__name__ for part in content] == ["ImageContent"] * 30 + ["TextContent", "ResourceLink"]


@given(st.lists(st.sampled_from([PNG, "word", "x" * 900, None, Route("JFK", 3), Table()]), max_size=30), st.integers(700, 9000))
def test_a_mixed_list_stays_within_the_bound_and_accounts_for_every_item(items: list[Any], max_chars: int) -> None:
    wordy = WordyRenderer()
    content = Rendering([wordy]).render(items, RenderRequest("f", max_chars, "default")).content
    texts = [part.text for part in content if isinstance(part, TextContent)]
    assert sum(map(len, texts)) <= max_chars
    if any(isinstance(item, Table | bytes) for item in items):
        left_out = int(texts[-1].split()[2]) if texts and texts[-1].startswith("[Left out: ") else 0
        links = sum(isinstance(part, ResourceLink) for part in content)
        assert len(content) - links - bool(left_out) + left_out == len(items)


def test_a_list_that_iterates_without_end_meets_the_bound_of_values() -> None:
    class Endless(list[object]):
        def __iter__(self) -> Any:
            return itertools.repeat(1)

        def __len__(self) -> int:
            return 1

    with pytest.raises(UnsupportedResult, match="more than 1,000,000 values"):
        rendered(Endless())


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


# --- what is kept, and shared ---------------------------------------------------------------------------------


def kept(value: object, shelf: Shelf, **room: int) -> Rendered:
    return Rendering([TableRenderer()]).render(value, msgspec.structs.replace(REQUEST, keeper=shelf, **room))


def picture(width: int = 300, height: int = 300) -> Image.Image:
    return Image.effect_noise((width, height), 100)


def encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def decoded(part: Content) -> bytes:
    assert isinstance(part, ImageContent)
    return base64.b64decode(part.data)


def test_long_json_is_kept_whole_as_json_and_linked() -> None:
    shelf = Shelf()
    shown, link = kept({"rows": list(range(10_000))}, shelf, max_chars=1_000).content
    assert isinstance(shown, TextContent)
    assert "More: result://_r1?offset=800," in shown.text
    assert isinstance(link, ResourceLink)
    data, mime_type = shelf.only
    assert (msgspec.json.decode(str(data)), mime_type) == ({"rows": list(range(10_000))}, "application/json")


def test_json_that_fits_only_once_is_sent_as_text() -> None:
    value = {"a": "x" * 600}
    assert kept(value, Shelf(), max_bytes=1_300).structured == value
    (content,) = (once := kept(value, Shelf(), max_bytes=700)).content
    assert (content, once.structured) == (TextContent(text=msgspec.json.encode(value).decode()), UNSET)


def test_a_promised_result_that_no_message_takes_is_kept_and_refused() -> None:
    shelf = Shelf()
    with pytest.raises(
        ToolError,
        match=r"takes 9,000\. Read it in slices: result://_r1, or call top_routes for less\.$",
    ):
        Rendering().render({"a": "x" * 9_000}, msgspec.structs.replace(REQUEST, keeper=shelf, max_bytes=9_000), output_of(dict[str, str]))
    assert shelf.only[1] == "application/json"
    with pytest.raises(ToolError, match=r"Call top_routes for less\.$"):
        Rendering().render({"a": "x" * 9_000}, msgspec.structs.replace(REQUEST, max_bytes=9_000), output_of(dict[str, str]))


def test_a_promised_result_leaves_the_text_the_room_there_is() -> None:
    request = msgspec.structs.replace(REQUEST, max_bytes=9_000)
    result = Rendering().render({"a": "x" * 7_000}, request, output_of(dict[str, str]))
    assert result.structured == {"a": "x" * 7_000}
    assert len(msgspec.json.encode(result)) <= 9_200


def test_pictures_of_one_list_share_what_a_message_takes() -> None:
    shelf = Shelf()
    pictures = [encoded(picture()) for _ in range(4)]
    result = kept(["four:", *pictures], shelf, max_bytes=120_000)
    sent = [decoded(part) for part in result.content if isinstance(part, ImageContent)]
    assert len(sent) == 4
    assert len(msgspec.json.encode(result)) <= 120_000
    assert [data for data, *_ in shelf.kept] == pictures
    assert sum(isinstance(part, ResourceLink) for part in result.content) == 4


def test_a_list_of_many_pictures_keeps_only_some_and_says_what_to_do_about_the_others() -> None:
    shelf = Shelf()
    content = kept([encoded(picture(100, 100))] * 30, shelf, max_bytes=150_000).content
    lines = [part.text for part in content if isinstance(part, TextContent)]
    assert sum(isinstance(part, ImageContent) for part in content) == 30
    assert len(lines) == 30
    assert len(shelf.kept) == 20
    assert [line.endswith("to fit a message.") for line in lines] == [False] * 20 + [True] * 10


def test_a_pillow_image_that_is_shrunk_is_kept_in_full() -> None:
    shelf = Shelf()
    image, line, link = kept(picture(2_000, 2_000), shelf).content
    assert len(decoded(image)) <= 500_000
    assert isinstance(line, TextContent)
    assert isinstance(link, ResourceLink)
    assert shelf.only[1] == "image/png"


def test_sounds_and_pictures_in_a_list_are_each_what_they_are() -> None:
    shows: Any = display
    value = [b"OggS\x00", PNG, shows.Audio(data=[0.0, 0.5], rate=8_000), shows.Markdown("# hi")]
    kinds = [type(part).__name__ for part in rendered(value).content]
    assert kinds == ["AudioContent", "ImageContent", "AudioContent", "TextContent"]


def test_members_of_a_dict_that_are_shown_come_after_their_names() -> None:
    content = rendered({"note": "hi", "plot": alt.Chart(CARS).mark_bar(), "n": 3, "table": Table()}).content
    texts = [part.text.partition("\n")[0] for part in content if isinstance(part, TextContent)]
    assert texts == ["note:", "hi", "plot:", "An altair chart", "n:", "3", "table:", "a table for default"]


@pytest.mark.parametrize("value", [{"a": Route("JFK", 3)}, {1: {"b": [1]}}, {"a": Secretive}, {}])
def test_a_dict_that_is_json_stays_json(value: dict[Any, Any]) -> None:
    if value == {"a": Secretive}:
        with pytest.raises(UnsupportedResult):
            rendered(value)
    else:
        assert rendered(value).structured == to_jsonable(value)


def test_figures_beyond_a_number_are_counted() -> None:
    figures = [Figure(figsize=(0.5, 0.5)) for _ in range(22)]
    for figure in figures:
        figure.add_artist(Line2D([0, 1], [0, 1]))
    content = rendered(figures).content
    assert sum(isinstance(part, ImageContent) for part in content) == 12
    assert content[-1] == TextContent(text="[Left out: 10 of 22 figures. Call top_routes for fewer at a time.]")


def test_an_object_shows_itself_unless_it_is_json() -> None:
    class Own:
        def _repr_markdown_(self) -> str:
            return "# mine"

    @dataclasses.dataclass
    class Both(Route):
        def _repr_markdown_(self) -> str:
            return "# mine"

    assert text(Own()) == "# mine"
    assert text(Both("JFK", 3)) == '{"origin":"JFK","flights":3}'

"""Objects that know how notebooks show them: the form a model reads best, and never HTML."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from IPython import display
from PIL import Image as Pillow

from mcp_workbench.errors import ToolError
from mcp_workbench.primitives.rendered import RenderRequest
from mcp_workbench.primitives.representations import (
    content_of_ipython_audio,
    content_of_representation,
    has_representation,
    is_ipython_audio,
)
from mcp_workbench.protocol.wire import AudioContent, EmbeddedResource, ImageContent, ResourceLink, TextContent
from tests.support.shelf import Shelf

SHOWS: Any = display
"""IPython's display classes, which have no annotations."""


def png() -> bytes:
    buffer = io.BytesIO()
    Pillow.new("RGB", (4, 3)).save(buffer, format="PNG")
    return buffer.getvalue()


def showing(**forms: Any) -> Any:
    """An object of a class with these `_repr_…_` methods, each of which returns its value, or raises it."""

    def method(shown: Any) -> Any:
        def show(self: object, **_options: object) -> Any:
            if isinstance(shown, Exception):
                raise shown
            return shown

        return show

    return type("Mine", (), {f"_repr_{name}_": method(shown) for name, shown in forms.items()})()


def content(value: Any, shelf: Shelf | None = None, max_chars: int = 8_000) -> list[Any]:
    """All it is shown as; nothing where it has nothing to show."""
    assert has_representation(type(value))
    shown = content_of_representation(value, RenderRequest("show", max_chars, "alice", shelf))
    assert shown != []
    return [] if shown is None else list(shown)


def text(value: Any) -> str:
    (part,) = content(value)
    assert isinstance(part, TextContent)
    return part.text


def test_only_types_that_say_so_have_a_representation() -> None:
    class AnswersEverything:
        def __getattr__(self, name: str) -> Any:
            return lambda: "x"

    assert not has_representation(object)
    assert not has_representation(AnswersEverything)


def test_the_best_form_is_taken_whatever_else_there_is() -> None:
    bundle = {"text/html": "<b>html</b>", "text/plain": "plain", "text/markdown": "# markdown"}
    assert text(showing(mimebundle=bundle)) == "# markdown"
    assert text(showing(mimebundle=({"text/plain": "plain"}, {"text/plain": {}}))) == "plain"
    assert text(showing(html="<b>html</b>", json={"a": (1, 2)}, latex="$x$")) == '{"a":[1,2]}'
    assert text(showing(html="<b>html</b>", latex="$x$")) == "$x$"
    assert text(showing(html="<b>html</b>", mimebundle={})) == "html"


@pytest.mark.parametrize("shown", [png(), base64.b64encode(png()).decode(), base64.encodebytes(png()).decode(), (png(), {"width": 2})])
def test_a_picture_goes_before_words(shown: Any) -> None:
    (part,) = content(showing(png=shown, html="<b>html</b>", markdown="words"))
    assert isinstance(part, ImageContent)
    assert base64.b64decode(part.data) == png()


@pytest.mark.parametrize("shown", [b"no picture", "not base64!", None, 3, ""])
def test_what_is_not_what_its_name_says_is_passed_over(shown: Any) -> None:
    assert text(showing(png=shown, markdown="words")) == "words"
    assert content(showing(png=shown)) == []


def test_the_default_repr_says_less_than_the_words_of_the_html() -> None:
    assert text(showing(mimebundle={"text/plain": "<mine.Table object at 0x7f>", "text/html": "<p>two rows"})) == "two rows"
    assert text(showing(mimebundle={"text/plain": "<3"})) == "<3"


def test_a_method_that_raises_has_nothing_to_show() -> None:
    assert text(showing(png=ValueError("no canvas"), markdown="words")) == "words"
    with pytest.raises(ToolError, match=r"a .*Mine, could not show itself: ValueError: no canvas. Return its parts or a text\.$") as told:
        content(showing(png=ValueError("no canvas"), html=TypeError("second")))
    assert isinstance(told.value.__cause__, ValueError)


def test_each_method_is_called_at_most_once() -> None:
    calls: list[str] = []

    class Counting:
        def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
            calls.append("bundle")
            return {}

        def _repr_html_(self) -> str:
            calls.append("html")
            return "<p>words"

    assert text(Counting()) == "words"
    assert calls == ["bundle", "html"]


def test_a_long_form_is_kept_whole_with_its_type() -> None:
    shelf = Shelf()
    parts = content(showing(markdown="# " + "x" * 9_000), shelf)
    assert [type(part).__name__ for part in parts] == ["TextContent", "ResourceLink"]
    assert shelf.only == ("# " + "x" * 9_000, "text/markdown")


def test_of_html_the_words_are_kept_too_and_never_the_html() -> None:
    shelf = Shelf()
    content(showing(html="<table>" + "<tr><td>cell</td></tr>" * 3_000 + "</table>"), shelf)
    data, mime_type = shelf.only
    assert (str(data)[:10], mime_type) == ("cell\ncell\n", "text/plain")


def test_an_svg_is_the_text_of_a_resource() -> None:
    drawing = "<svg xmlns='http://www.w3.org/2000/svg'><circle r='1'/></svg>"
    shelf = Shelf()
    (part,) = content(showing(svg=drawing), shelf)
    assert isinstance(part, EmbeddedResource)
    assert (part.resource.uri, part.resource.mime_type, part.resource.text) == ("result://_r1", "image/svg+xml", drawing)
    line, link = content(showing(svg=drawing * 200), shelf)
    assert line == TextContent(text=f"An SVG drawing of {len(drawing) * 200:,} characters: result://_r2")
    assert isinstance(link, ResourceLink)
    (line,) = content(showing(svg=drawing * 200))
    assert line.text.endswith("is not shown. Have the tool return a PNG.")


def test_what_ipython_displays() -> None:
    assert text(SHOWS.Markdown("# hi")) == "# hi"
    assert text(SHOWS.Latex("$x$")) == "$x$"
    assert text(SHOWS.HTML("<p>one</p><script>alert(1)</script><p>two")) == "one\ntwo"
    (part,) = content(SHOWS.Image(data=png()))
    assert isinstance(part, ImageContent)
    assert content(SHOWS.Image(url="https://example.org/x.png")) == []
    assert content(SHOWS.IFrame("https://example.org", 10, 10)) == []


def test_what_ipython_plays() -> None:
    request = RenderRequest("play", 8_000, "alice")
    assert is_ipython_audio(SHOWS.Audio)
    assert not is_ipython_audio(SHOWS.Image)
    (part,) = content_of_ipython_audio(SHOWS.Audio(data=[0.0, 0.5, -0.5], rate=8_000), request)
    assert isinstance(part, AudioContent)
    assert part.mime_type == "audio/wav"
    (part,) = content_of_ipython_audio(SHOWS.Audio(url="https://example.org/x.mp3"), request)
    assert part == TextContent(text="A sound at https://example.org/x.mp3")
    with pytest.raises(ToolError, match="no WAV, MP3, OGG or FLAC"):
        content_of_ipython_audio(SHOWS.Audio(data=b"noise"), request)

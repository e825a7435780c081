"""What a tool returned -> content for a model, and structured content for a program.

A chain of renderers is asked, first answer wins; other rooms bring theirs (DataFrames, figures). Text, numbers,
bools and None have one form only, so nobody is asked about them. The built-in ones come last:

==================================  ==========================================================
value                               content
==================================  ==========================================================
content objects of MCP, `Rendered`  as they are
None                                a sentence
text                                itself
number, bool, date, Enum …          its text
PNG, JPEG, GIF, WebP bytes          an image; so are Pillow images, shrunk until they fit
WAV, MP3, OGG, FLAC bytes           sound
matplotlib figures, axes, artists   the figure as an image (`figures`)
plotly figures, altair charts       an image, or words and the specification (`plots`)
list of these among other values    each on its own; in a dict, after its name
dict, list, dataclass, model …      compact JSON as text, and the same as structured content
object with a notebook's `_repr_…_` the form a model reads best (`representations`)
==================================  ==========================================================

Nothing is cut silently: text past `max_chars` is cut with a line that says how much was and where the rest is. In a
list whose items are rendered one by one the bounds hold for all of them together (`page`).
Structured content that nobody was promised is left out together with the cut text, because hosts that
prefer it would otherwise pass the model all that the bound kept away. What an output schema promises is
always whole. Arrays travel as `{"result": [...]}`, as everywhere in MCP up to 2025-11-25.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from mcp_workbench.errors import ToolError
from mcp_workbench.primitives.figures import figures_of, images_from_figure
from mcp_workbench.primitives.images import images_from_bytes, images_from_pillow, is_pillow, not_an_image
from mcp_workbench.primitives.jsonable import UnsupportedResult, has_json_form, to_jsonable
from mcp_workbench.primitives.keeping import Keeper
from mcp_workbench.primitives.output import WRAPPER, Output
from mcp_workbench.primitives.page import PLAIN, Page
from mcp_workbench.primitives.plots import content_of_altair, content_of_plotly, is_altair, is_plotly
from mcp_workbench.primitives.rendered import Rendered as Rendered
from mcp_workbench.primitives.rendered import Renderer as Renderer
from mcp_workbench.primitives.rendered import RenderRequest as RenderRequest
from mcp_workbench.primitives.rendered import json_size, text_content
from mcp_workbench.primitives.representations import (
    content_of_ipython_audio,
    content_of_representation,
    has_representation,
    is_ipython_audio,
)
from mcp_workbench.primitives.sounds import sounds_from_bytes
from mcp_workbench.primitives.wording import non_finite_name
from mcp_workbench.protocol.wire import AudioContent, Content, EmbeddedResource, ImageContent, Json, ResourceLink, TextContent

NO_RESULT = "Done, no result."
MISSING_VALUE = "The result is a missing value."
_LEAST_TEXT = 400
"""Bytes of text without which structured content is not sent: hosts that read texts only would see nothing."""
MAX_MIXED_ITEMS = 100
"""Items of a list that is looked through for content objects; images come by the handful."""
MAX_FIGURES = 12
"""Figures of one result that are drawn: more would have to be thumbnails to fit a message."""

_CONTENT = (TextContent, ImageContent, AudioContent, ResourceLink, EmbeddedResource)
_EXACT = 1 << 63
"""Integers below it are JSON integers for everybody; larger ones are seen to by `to_jsonable`."""
_SCALARS = frozenset((str, int, float, bool, type(None)))


class Rendering:
    """The chain of renderers; `render` runs where user code runs, never on the protocol loop."""

    def __init__(self, renderers: Iterable[Renderer] = (), keeper: Keeper | None = None) -> None:
        """Assemble.

        Args:
            renderers: Asked in this order, before the built-in ones.
            keeper: Keeps whole what is shown in part, for who makes requests; None: nobody does.
        """
        self._renderers = tuple(renderers)
        self.keeper = keeper

    def render(self, value: object, request: RenderRequest, output: Output | None = None) -> Rendered:
        """Make content of what a tool returned.

        Args:
            value: The function's return value.
            request: Bounds and names.
            output: The tool's promise; the value is then checked against it and always structured.

        Returns:
            At least one content object.

        Raises:
            ToolError: The value breaks the promise.
            UnsupportedResult: Nothing knows the value; names its type.
        """
        if output is not None:
            return _promised(output, value, request)
        if type(value) in _SCALARS:  # no renderer has another form for these
            return _plain(value, request)
        return self._special(value, request) or self._mixed(value, request) or _plain(value, request)

    def _special(self, value: object, request: RenderRequest) -> Rendered | None:
        """Values with a form of their own; None for what is JSON."""
        return self._asked(value, request) or _own_form(value, request)

    def _asked(self, value: object, request: RenderRequest) -> Rendered | None:
        for renderer in self._renderers:
            if (rendered := renderer.render(value, request)) is not None:
                return rendered
        return None

    def _mixed(self, value: object, request: RenderRequest) -> Rendered | None:
        """A short list or dict in which something has a form of its own: each item is rendered alone."""
        items = _few_items(value)
        page = Page(request, items)
        # Until something special is found the list may be plain JSON, and nothing of it is rendered.
        begin, first = self._first_special(items, page.request)
        if first is None:
            return None
        for index, item in enumerate(items):
            heavy = type(item) not in PLAIN
            if index < begin or not heavy:
                page.add_text(*_as_text(item), heavy=heavy)
            elif page.takes_rendered and (rendered := first if index == begin else self._asked(item, page.request)) is not None:
                page.add_rendered(rendered.content)
            elif (own := _own_form(item, page.request)) is not None:
                page.add(own.content, heavy=True)
            elif page.takes_rendered:
                page.add_text(*_as_text(item), heavy=True)
            else:
                page.leave_out(heavy=True)
        return Rendered(page.finished())

    def _first_special(self, items: Sequence[object], request: RenderRequest) -> tuple[int, Rendered | None]:
        for index, item in enumerate(items):
            if type(item) not in PLAIN and (rendered := self._special(item, request)) is not None:
                return index, rendered
        return len(items), None


def _few_items(value: object) -> list[Any]:
    """The items of a short list that may hold something special; empty for everything else."""
    if type(value) is dict:
        return _labelled(value)
    if not isinstance(value, list | tuple):
        return []
    # Counted, not asked: a subclass may say any length, and iterate without end.
    items = list(itertools.islice(value, MAX_MIXED_ITEMS + 1))
    return [] if len(items) > MAX_MIXED_ITEMS or all(type(item) in PLAIN for item in items) else items


def _labelled(value: dict[Any, Any]) -> list[Any]:
    """The members of a short dict that holds something with no JSON form, each after its name; empty where JSON says it all."""
    if 2 * len(value) > MAX_MIXED_ITEMS or all(_is_json(type(item)) for item in value.values()):
        return []
    return [part for key, item in value.items() for part in (f"{key}:" if type(key) is str else key, item)]


def _is_json(kind: type) -> bool:
    return kind in PLAIN or has_json_form(kind)


def _own_form(value: object, request: RenderRequest) -> Rendered | None:
    """The built-in forms that are no JSON."""
    kind = type(value)
    if figures := figures_of(value):
        return Rendered(_drawn(figures, request))
    if kind in PLAIN:
        return None
    if isinstance(value, Rendered):
        return value
    if isinstance(value, _CONTENT):
        return Rendered([value])
    content = _picture_or_sound(value, kind, request)
    if content is None and has_representation(kind) and not has_json_form(kind):
        content = content_of_representation(value, request)
    return None if content is None else Rendered(content)


def _drawn(figures: Sequence[Any], request: RenderRequest) -> list[Content]:
    shown = figures[:MAX_FIGURES]
    room = request.media_bytes // len(shown)
    content = [part for figure in shown for part in images_from_figure(figure, max_bytes=room, keep=request.keep)]
    if left := len(figures) - len(shown):
        advice = f"Call {request.tool} for fewer at a time."
        content.append(TextContent(text=f"[Left out: {left} of {len(figures)} figures. {advice}]"))
    return content


def _picture_or_sound(value: object, kind: type, request: RenderRequest) -> list[Content] | None:
    if isinstance(value, bytes | bytearray | memoryview):
        return _from_bytes(bytes(value), request)
    if is_pillow(kind):
        return images_from_pillow(value, max_bytes=request.media_bytes, keep=request.keep)
    if is_plotly(kind):
        return content_of_plotly(value, request)
    if is_altair(kind):
        return content_of_altair(value, request)
    return content_of_ipython_audio(value, request) if is_ipython_audio(kind) else None


def _from_bytes(data: bytes, request: RenderRequest) -> list[Content]:
    room = request.media_bytes
    content = images_from_bytes(data, max_bytes=room, keep=request.keep) or sounds_from_bytes(data, max_bytes=room, keep=request.keep)
    if content is None:
        raise UnsupportedResult(f"The result is {not_an_image(data)}; return text (data.hex(), base64), an image or a sound.")
    return content


def _promised(output: Output, value: object, request: RenderRequest) -> Rendered:
    """What a tool's annotation promises, whole; a result that no message takes is kept and refused."""
    structured = output.structured(request.tool, value)
    text = _compact(structured[WRAPPER] if output.wrapped else structured)
    if not request.takes_structured:
        return Rendered(text_content(text, request, "application/json"))
    size = len(text.encode())
    left = request.max_bytes - size
    if left < min(2 * size, _LEAST_TEXT):
        link = request.keep(text, "application/json", f"the whole result of {request.tool}")
        for_less = f"all {request.tool} for less" if request.takes_arguments else f"ave {request.tool} return less"
        initial = "c" if request.takes_arguments else "h"
        advice = f"{initial.upper()}{for_less}." if link is None else f"Read it in slices: {request.where(link)}, or {initial}{for_less}."
        raise ToolError(f"The result is {size:,} bytes long; a message of this connection takes {request.max_bytes:,}. {advice}")
    return Rendered(text_content(text, msgspec.structs.replace(request, max_bytes=left), "application/json"), structured)


def content_of_number(value: object) -> TextContent | None:
    """A whole number as the text it always is: it fits every message, so nobody need ask how much room there is."""
    return TextContent(text=str(value)) if type(value) is int and -_EXACT < value < _EXACT else None


def _plain(value: object, request: RenderRequest) -> Rendered:
    if value is None:
        return Rendered([TextContent(text=NO_RESULT)])
    if (number := content_of_number(value)) is not None:
        return Rendered([number])
    text, structured = _written(value)
    if structured is not UNSET and len(text) <= request.max_chars and _fits_twice(text, request):
        return Rendered([TextContent(text=text)], structured)
    return Rendered(text_content(text, request, _mime_type(structured)))


def _fits_twice(text: str, request: RenderRequest) -> bool:
    """JSON fits the message as text and as structured content."""
    return 10 * len(text) <= request.max_bytes or json_size(text) + len(text.encode()) <= request.max_bytes


def _as_text(value: object) -> tuple[str, str]:
    """The whole text of a value that is JSON, and what it is."""
    text, structured = _written(value)
    return text, _mime_type(structured)


def _mime_type(structured: Json | UnsetType) -> str:
    return "text/plain" if structured is UNSET else "application/json"


def _written(value: object) -> tuple[str, Json | UnsetType]:
    """The whole text of a value that is JSON, and its structured content if it has any."""
    if isinstance(value, float) and not math.isfinite(value):
        return non_finite_name(value), UNSET
    plain = to_jsonable(value)
    if isinstance(plain, dict | list):
        return _compact(plain), plain if isinstance(plain, dict) else {WRAPPER: plain}
    if plain is None:
        return NO_RESULT if value is None else MISSING_VALUE, UNSET
    return plain if isinstance(plain, str) else _compact(plain), UNSET


def _compact(value: Json) -> str:
    return msgspec.json.encode(value).decode()

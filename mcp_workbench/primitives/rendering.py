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
list of these among other values    each on its own
dict, list, dataclass, model …      compact JSON as text, and the same as structured content
==================================  ==========================================================

Nothing is cut silently: text past `max_chars` is cut with a line that says how much was and what to do.
Structured content that nobody was promised is left out together with the cut text, because hosts that
prefer it would otherwise pass the model all that the bound kept away. What an output schema promises is
always whole. Arrays travel as `{"result": [...]}`, as everywhere in MCP up to 2025-11-25.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from mcp_workbench.primitives.images import image_from_bytes, images_from_pillow, is_pillow, not_an_image
from mcp_workbench.primitives.jsonable import UnsupportedResult, to_jsonable
from mcp_workbench.primitives.output import WRAPPER, Output
from mcp_workbench.primitives.wording import non_finite_name
from mcp_workbench.protocol.wire import AudioContent, Content, EmbeddedResource, ImageContent, Json, ResourceLink, TextContent

NO_RESULT = "Done, no result."
MISSING_VALUE = "The result is a missing value."
_NOTE_ROOM = 200
"""Characters kept for the note about a cut, so that text and note stay within the bound."""
MAX_MIXED_ITEMS = 100
"""Items of a list that is looked through for content objects; images come by the handful."""

_CONTENT = (TextContent, ImageContent, AudioContent, ResourceLink, EmbeddedResource)
_EXACT = 1 << 63
"""Integers below it are JSON integers for everybody; larger ones are seen to by `to_jsonable`."""
_SCALARS = frozenset((str, int, float, bool, type(None)))
_PLAIN = (str, int, float, bool, type(None), dict, list, tuple)


class RenderRequest(msgspec.Struct, frozen=True, gc=False):
    """For whom something is rendered."""

    tool: str
    """Its name, for sentences."""
    max_chars: int
    """Characters of text."""
    principal: str
    """Whose call it was: results a renderer keeps belong to it."""


class Rendered(msgspec.Struct, frozen=True):
    """Content of a result; a tool may also return one itself."""

    content: list[Content]
    structured: Json | UnsetType = UNSET


class Renderer(Protocol):
    """Makes content of the values it knows."""

    def render(self, value: object, request: RenderRequest) -> Rendered | None:
        """The content; None when the value is not this renderer's.

        Raises:
            ToolError: The value is, and cannot be shown; the sentence says why.
        """
        ...


class Rendering:
    """The chain of renderers; `render` runs where user code runs, never on the protocol loop."""

    def __init__(self, renderers: Iterable[Renderer] = ()) -> None:
        """Assemble.

        Args:
            renderers: Asked in this order, before the built-in ones.
        """
        self._renderers = tuple(renderers)

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
            structured = output.structured(request.tool, value)
            shown = structured[WRAPPER] if output.wrapped else structured
            return Rendered([_text(_compact(shown), request)], structured)
        if type(value) in _SCALARS:  # no renderer has another form for these
            return _plain(value, request)
        return self._special(value, request) or self._mixed(value, request) or _plain(value, request)

    def _special(self, value: object, request: RenderRequest) -> Rendered | None:
        """Values with a form of their own; None for what is JSON."""
        for renderer in self._renderers:
            if (rendered := renderer.render(value, request)) is not None:
                return rendered
        kind = type(value)
        if kind in _PLAIN:
            return None
        if isinstance(value, Rendered):
            return value
        if isinstance(value, _CONTENT):
            return Rendered([value])
        if isinstance(value, bytes | bytearray | memoryview):
            return Rendered([_image(bytes(value))])
        return Rendered(images_from_pillow(value)) if is_pillow(kind) else None

    def _mixed(self, value: object, request: RenderRequest) -> Rendered | None:
        """A short list in which something has a form of its own: each item is rendered alone."""
        if not isinstance(value, list | tuple) or len(value) > MAX_MIXED_ITEMS or all(type(item) in _PLAIN for item in value):
            return None
        special = [None if type(item) in _PLAIN else self._special(item, request) for item in value]
        if not any(special):
            return None
        return Rendered(_joined(value, special, request))


def _joined(items: Sequence[object], special: Sequence[Rendered | None], request: RenderRequest) -> list[Content]:
    """All items' content; the bound of text holds for all of them together."""
    content: list[Content] = []
    left = request.max_chars
    for item, rendered in zip(items, special, strict=True):
        added = rendered.content if rendered else _plain(item, msgspec.structs.replace(request, max_chars=max(left, 1))).content
        left -= sum(len(part.text) for part in added if isinstance(part, TextContent))
        content.extend(added)
    return content


def _plain(value: object, request: RenderRequest) -> Rendered:
    if value is None:
        return Rendered([TextContent(text=NO_RESULT)])
    if type(value) is int and -_EXACT < value < _EXACT:
        return Rendered([TextContent(text=str(value))])
    if type(value) is str:
        return Rendered([_text(to_jsonable(value), request)])
    if isinstance(value, float) and not math.isfinite(value):
        return Rendered([TextContent(text=non_finite_name(value))])
    plain = to_jsonable(value)
    if plain is None:
        return Rendered([TextContent(text=MISSING_VALUE)])
    if not isinstance(plain, dict | list):
        return Rendered([_text(plain if isinstance(plain, str) else _compact(plain), request)])
    text = _compact(plain)
    if len(text) > request.max_chars:
        return Rendered([_text(text, request)])
    return Rendered([TextContent(text=text)], plain if isinstance(plain, dict) else {WRAPPER: plain})


def _image(data: bytes) -> Content:
    image = image_from_bytes(data)
    if image is None:
        raise UnsupportedResult(f"The result is {not_an_image(data)}; return text (data.hex(), base64) or an image.")
    return image


def _text(text: str, request: RenderRequest) -> TextContent:
    return TextContent(text=cut(text, request.max_chars, request.tool))


def cut(text: str, max_chars: int, tool: str) -> str:
    """Text within a bound; what is cut is counted in a last line.

    Args:
        text: Any text.
        max_chars: Characters to stay within; below 400 the note may go past it.
        tool: Its name, for the advice.
    """
    if len(text) <= max_chars:
        return text
    shown = max(max_chars - _NOTE_ROOM, max_chars // 2)
    advice = f"Call {tool} for less at a time, or have it return a part or a summary."
    return f"{text[:shown]}\n[Cut: {shown:,} of {len(text):,} characters shown. {advice}]"


def _compact(value: Any) -> str:
    return msgspec.json.encode(value).decode()

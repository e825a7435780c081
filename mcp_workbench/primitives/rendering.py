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

Nothing is cut silently: text past `max_chars` is cut with a line that says how much was and what to do. In a
list whose items are rendered one by one the bound holds for all of them together: each gets an equal share of
what is left, and those for which nothing is left are counted in a last line.
Structured content that nobody was promised is left out together with the cut text, because hosts that
prefer it would otherwise pass the model all that the bound kept away. What an output schema promises is
always whole. Arrays travel as `{"result": [...]}`, as everywhere in MCP up to 2025-11-25.
"""

from __future__ import annotations

import itertools
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
MAX_RENDERED_ITEMS = 20
"""Items of one list that other rooms' renderers show: each may keep a result, and only so many are kept."""
_ITEM_ROOM = 400
"""Characters below which an item is left out rather than cut: a shape and a line of columns take half of them."""

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
        return self._asked(value, request) or _own_form(value)

    def _asked(self, value: object, request: RenderRequest) -> Rendered | None:
        for renderer in self._renderers:
            if (rendered := renderer.render(value, request)) is not None:
                return rendered
        return None

    def _mixed(self, value: object, request: RenderRequest) -> Rendered | None:
        """A short list in which something has a form of its own: each item is rendered alone."""
        items = _few_items(value)
        page = _Page(request, len(items))
        # Until something special is found the list may be plain JSON, and nothing of it is rendered.
        begin, first = self._first_special(items, page.request)
        if first is None:
            return None
        for index, item in enumerate(items):
            if index < begin or type(item) in _PLAIN:
                page.add_plain(item)
            elif page.takes_rendered and (rendered := first if index == begin else self._asked(item, page.request)) is not None:
                page.add_rendered(rendered)
            elif (own := _own_form(item)) is not None:
                page.add(own.content)
            elif page.takes_rendered:
                page.add_plain(item)
            else:
                page.leave_out()
        return Rendered(page.finished())

    def _first_special(self, items: Sequence[object], request: RenderRequest) -> tuple[int, Rendered | None]:
        for index, item in enumerate(items):
            if type(item) not in _PLAIN and (rendered := self._special(item, request)) is not None:
                return index, rendered
        return len(items), None


class _Page:
    """The content of a list's items, one after the other, within one bound of text."""

    def __init__(self, request: RenderRequest, items: int) -> None:
        self._request = request
        self._items = self._waiting = items
        self._left = request.max_chars
        self._rendered = 0
        self._left_out = 0
        self._content: list[Content] = []

    @property
    def _room(self) -> int:
        """Characters for the next item: an equal share of what is left, but no less than an item needs."""
        if self._waiting <= 1 and not self._left_out:
            return self._left
        left = self._left - _NOTE_ROOM
        return max(left // self._waiting, min(_ITEM_ROOM, left))

    @property
    def request(self) -> RenderRequest:
        """For the next item."""
        return msgspec.structs.replace(self._request, max_chars=max(self._room, 1))

    @property
    def _full(self) -> bool:
        return bool(self._content) and self._room < _ITEM_ROOM

    @property
    def takes_rendered(self) -> bool:
        """There is room for one more item of a renderer's."""
        return not self._full and self._rendered < MAX_RENDERED_ITEMS

    def add_rendered(self, rendered: Rendered) -> None:
        self._rendered += 1
        self.add(rendered.content)

    def add_plain(self, item: object) -> None:
        (text,) = _plain(item, self.request).content
        if self._full and isinstance(text, TextContent) and len(text.text) > self._room:
            self.leave_out()
        else:
            self.add([text])

    def add(self, content: Sequence[Content]) -> None:
        self._waiting -= 1
        self._left -= sum(len(part.text) for part in content if isinstance(part, TextContent))
        self._content.extend(content)

    def leave_out(self) -> None:
        self._waiting -= 1
        self._left_out += 1

    def finished(self) -> list[Content]:
        """All that was added, and the line that counts what was not."""
        if self._left_out:
            advice = f"Call {self._request.tool} for fewer at a time, or have it return a part or a summary."
            self._content.append(TextContent(text=f"[Left out: {self._left_out} of {self._items} items. {advice}]"))
        return self._content


def _few_items(value: object) -> list[Any]:
    """The items of a short list that may hold something special; empty for everything else."""
    if not isinstance(value, list | tuple):
        return []
    # Counted, not asked: a subclass may say any length, and iterate without end.
    items = list(itertools.islice(value, MAX_MIXED_ITEMS + 1))
    return [] if len(items) > MAX_MIXED_ITEMS or all(type(item) in _PLAIN for item in items) else items


def _own_form(value: object) -> Rendered | None:
    """The built-in forms that are no JSON."""
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

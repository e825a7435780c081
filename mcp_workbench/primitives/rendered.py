"""What is asked of a renderer, what it gives, and how a text is cut: the words all renderers share.

Nothing is cut silently. The line that ends a cut text says how much was shown of how much, and how to get the rest: by
a call that reads what was kept, or its link where there is no such call, else by calling for less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
from msgspec import UNSET, UnsetType

from mcp_workbench.limits import KIB
from mcp_workbench.primitives.keeping import MAX_MEDIA_BYTES, Keeper
from mcp_workbench.protocol.wire import Content, Json, ResourceLink, TextContent

_NOTE_ROOM = 200
"""Characters kept for the note about a cut, so that text and note stay within the bound."""
_MOST_ESCAPED = 6
"""Bytes that JSON takes for a character at most: a control character, `\\u0000`."""


class RenderRequest(msgspec.Struct, frozen=True, gc=False):
    """For whom something is rendered, and how much room there is."""

    tool: str
    """Its name, for sentences."""
    max_chars: int
    """Characters of text."""
    principal: str
    """Whose call it was: results a renderer keeps belong to it."""
    keeper: Keeper | None = None
    """Keeps whole what is shown in part; None: nobody does."""
    max_bytes: int = 760 * KIB
    """Bytes of all content as JSON, structured content included."""
    takes_arguments: bool = True
    """Whether the tool has any, so that a call can ask for less."""
    by_tool: Callable[[], bool] = lambda: False
    """Whether `df_read` is on offer now, which reads what was kept; not every host reads resources for its model."""
    takes_structured: bool = True
    """Whether the client takes structured content; otherwise what is promised is text, and may be cut."""

    @property
    def media_bytes(self) -> int:
        """Bytes of one picture or sound, which base64 makes a third more, that there is room for beside the text."""
        return min(MAX_MEDIA_BYTES, (self.max_bytes - min(2 * self.max_chars, self.max_bytes // 2)) * 3 // 4)

    def keep(self, data: str | bytes, mime_type: str, description: str) -> ResourceLink | None:
        """Keep something for this principal; see `keeping.Keep`."""
        return None if self.keeper is None else self.keeper.keep(data, mime_type, description, self.principal)

    def where(self, link: ResourceLink, offset: int | None = None) -> str:
        """How what was kept is read, from a character on: `df_read("_r1", offset=7800)`, else `result://_r1?offset=7800`."""
        if self.by_tool():
            return f'df_read("{link.name}")' if offset is None else f'df_read("{link.name}", offset={offset})'
        return link.uri if offset is None else f"{link.uri}?offset={offset}"

    def fitting(self, text: str) -> int:
        """Characters at the beginning of a text that there is room for: in characters, and in bytes as JSON."""
        chars = min(len(text), self.max_chars)
        while chars > 1 and _MOST_ESCAPED * chars > self.max_bytes and (size := json_size(text[:chars])) > self.max_bytes:
            chars = max(1, chars * self.max_bytes // size)
        return chars


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


def json_size(value: object) -> int:
    """Bytes of something as JSON; a lone surrogate, which JSON cannot carry, counts as anything else."""
    try:
        return len(msgspec.json.encode(value))
    except UnicodeEncodeError:
        return _MOST_ESCAPED * len(str(value))


def less(request: RenderRequest, content: Sequence[Content]) -> RenderRequest:
    """The request for what is shown beside other content: with the bytes that leaves."""
    return msgspec.structs.replace(request, max_bytes=max(request.max_bytes - sum(map(json_size, content)), 0))


def text_content(text: str, request: RenderRequest, mime_type: str = "text/plain") -> list[Content]:
    """A text; one that is too long is kept whole, cut, and followed by its link.

    Args:
        text: Any text.
        request: How much room, and who keeps the whole.
        mime_type: What the whole is kept as.
    """
    chars = request.fitting(text)
    if chars == len(text):
        return [TextContent(text=text)]
    link = request.keep(text, mime_type, f"the whole result of {request.tool}, {len(text):,} characters")
    return [TextContent(text=cut(text, chars, request, link)), *([] if link is None else [link])]


def cut(text: str, max_chars: int, request: RenderRequest, link: ResourceLink | None = None) -> str:
    """Text within a bound; what is cut is counted in a last line.

    Args:
        text: Any text.
        max_chars: Characters to stay within; below 400 the note may go past it.
        request: Of which tool, and how what is kept is read, for the advice.
        link: The whole; None: it is not kept.
    """
    if len(text) <= max_chars:
        return text
    shown = max(max_chars - _NOTE_ROOM, max_chars // 2)
    return f"{text[:shown]}\n[Cut: {shown:,} of {len(text):,} characters shown. {_advice(request, link, shown)}]"


def _advice(request: RenderRequest, link: ResourceLink | None, shown: int) -> str:
    tool = request.tool
    if link is not None:
        return f"More: {request.where(link, shown)}{f', or call {tool} for less' if request.takes_arguments else ''}."
    if request.takes_arguments:
        return f"Call {tool} for less at a time, or have it return a part or a summary."
    return f"Have {tool} return a part or a summary."

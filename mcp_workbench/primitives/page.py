"""The content of a list's items, one after the other, within one bound of text, of bytes and of what is kept.

Each item gets an equal share of the characters that are left, and each that may be a picture, sound or table an equal share of
the bytes; what one does not use goes to the next. Items for which nothing is left are counted in a last line. What an item
is and how it is shown is its caller's (`rendering`) business.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from mcp_workbench.primitives.keeping import Keeper
from mcp_workbench.primitives.rendered import RenderRequest, json_size, text_content
from mcp_workbench.protocol.wire import Content, ResourceLink, TextContent

PLAIN = (str, int, float, bool, type(None), dict, list, tuple)
"""Types whose objects are JSON, or hold it."""
MAX_KEPT_ITEMS = 20
"""Items of one list that may each keep a result: only so many are kept, and others want theirs."""
_NOTE_ROOM = 200
"""Characters kept for the line that counts the items left out."""
_ITEM_ROOM = 400
"""Characters below which an item is left out rather than cut: a shape and a line of columns take half of them."""


class _Few:
    """Keeps for one list no more than its due."""

    def __init__(self, keeper: Keeper | None) -> None:
        self._keeper = keeper
        self._left = MAX_KEPT_ITEMS

    def keep(self, data: str | bytes, mime_type: str, description: str, principal: str) -> ResourceLink | None:
        if self._keeper is None or not self._left:
            return None
        self._left -= 1
        return self._keeper.keep(data, mime_type, description, principal)


class Page:
    """Collects them.

    Args:
        request: The room for all of them.
        items: The items, in the order in which they will be added.
    """

    def __init__(self, request: RenderRequest, items: Sequence[object]) -> None:
        self._request = request
        self._few = _Few(request.keeper)
        self._items = self._waiting = len(items)
        self._heavy = sum(type(item) not in PLAIN for item in items)
        self._chars, self._bytes = request.max_chars, request.max_bytes
        self._rendered = self._left_out = 0
        self._content: list[Content] = []

    @property
    def _room(self) -> int:
        """Characters for the next item: an equal share of what is left, but no less than an item needs."""
        if self._waiting <= 1 and not self._left_out:
            return self._chars
        left = self._chars - _NOTE_ROOM
        return max(left // self._waiting, min(_ITEM_ROOM, left))

    @property
    def request(self) -> RenderRequest:
        """For the next item."""
        share = max(self._bytes, 0) // max(self._heavy, 1)
        return msgspec.structs.replace(self._request, max_chars=max(self._room, 1), max_bytes=share, keeper=self._few)

    @property
    def _full(self) -> bool:
        return bool(self._content) and self._room < _ITEM_ROOM

    @property
    def takes_rendered(self) -> bool:
        """There is room for one more item that a renderer of another room shows, and keeps."""
        return not self._full and self._rendered < MAX_KEPT_ITEMS

    def add_rendered(self, content: Sequence[Content]) -> None:
        """An item as another room's renderer shows it."""
        self._rendered += 1
        self.add(content, heavy=True)

    def add_text(self, text: str, mime_type: str, *, heavy: bool) -> None:
        """An item that is a text; counted only, when there is no room even for a part of it."""
        if self._full and len(text) > self._room:
            self.leave_out(heavy=heavy)
        else:
            self.add(text_content(text, self.request, mime_type), heavy=heavy)

    def add(self, content: Sequence[Content], *, heavy: bool) -> None:
        """An item as it is shown.

        Args:
            content: All of it.
            heavy: It is none of the `PLAIN` types.
        """
        self._waiting -= 1
        self._heavy -= heavy
        self._chars -= sum(len(part.text) for part in content if isinstance(part, TextContent))
        self._bytes -= sum(map(json_size, content))
        self._content.extend(content)

    def leave_out(self, *, heavy: bool) -> None:
        """An item for which there is no room."""
        self._waiting -= 1
        self._heavy -= heavy
        self._left_out += 1

    def finished(self) -> list[Content]:
        """All that was added, and the line that counts what was not."""
        if self._left_out:
            advice = f"Call {self._request.tool} for fewer at a time, or have it return a part or a summary."
            self._content.append(TextContent(text=f"[Left out: {self._left_out} of {self._items} items. {advice}]"))
        return self._content

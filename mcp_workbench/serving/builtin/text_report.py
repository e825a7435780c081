"""The text of `df_read` for a text that a call returned and that was too long for its result: slices, one after the other.

Pages put side by side are the text. A picture or a sound cannot be read as text, and is said to be one. Rows are the business
of `rows_report`; reading the same as the resource `result://_r8` is `live.documents`'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mcp_workbench.errors import ToolError
from mcp_workbench.live.documents import Document, Slice, slice_of
from mcp_workbench.primitives.keeping import size_text
from mcp_workbench.serving.builtin.fitting import LONGEST_TOOK, call_text, facts


@dataclass(frozen=True, slots=True)
class TextReport:
    """One call of `df_read` for a text, understood."""

    document: Document
    offset: int
    limit: int | None
    """Characters; None: as many as fit."""

    @classmethod
    def of(cls, document: Document, offset: int, limit: int | None, *, table_only: Mapping[str, object]) -> TextReport:
        """Check what was asked for.

        Args:
            document: Which one.
            offset: Characters to skip.
            limit: Characters to show.
            table_only: Arguments that only a DataFrame understands, as they were given.

        Raises:
            ToolError: One of them was given, or the document is no text.
        """
        if isinstance(document.data, bytes):
            raise ToolError(_not_text(document))
        if given := [name for name, value in table_only.items() if value]:
            raise ToolError(f"{document.name} is a text, without rows and columns: leave out {', '.join(given)}; offset and limit work.")
        return cls(document, offset, limit or None)

    def write(self, max_chars: int, took: Callable[[], str]) -> str:
        """As many characters as there is room for.

        Args:
            max_chars: Of the whole answer.
            took: How long it has taken, as text.
        """
        total = len(self.document.data)
        last = Slice(self.document, max(total - 1, 0), self.document.data[-1:])
        longest = [self._facts(last, LONGEST_TOOK), self._end(Slice(self.document, total, ""))]
        room = max(max_chars - sum(len(line) + 1 for line in longest), 1)
        part = slice_of(self.document, self.offset, None, room if self.limit is None else min(self.limit, room))
        return "\n".join([self._facts(part, took()), *([str(part.data)] if part.data else []), self._end(part)])

    def _facts(self, part: Slice, took: str) -> str:
        total = f"{len(self.document.data):,}"
        if part.whole:
            shown = f"{total} characters"
        elif part.data:
            shown = f"characters {part.offset:,} to {part.end - 1:,} of {total}"
        else:
            shown = f"0 of {total} characters"
        return facts(shown, f"{self.document.name} ({self.document.mime_type})", took)

    def _end(self, part: Slice) -> str:
        name, total = self.document.name, len(self.document.data)
        if not part.data and total:
            return f"There is nothing from character {part.offset:,} on. More: {call_text('df_read', name, offset=0)}"
        if part.end < total:
            return f"More: {call_text('df_read', name, offset=part.end, limit=self.limit)}"
        return "This is the end." if part.offset else "This is all."


def described(document: Document) -> str:
    """What `df_describe` says of one.

    Raises:
        ToolError: It is a picture or a sound.
    """
    if isinstance(document.data, bytes):
        raise ToolError(_not_text(document))
    head = facts(f"a text of {len(document.data):,} characters", f"{document.name} ({document.mime_type})", document.description)
    return f"{head}\nNext: {call_text('df_read', document.name)}"


def _not_text(document: Document) -> str:
    return (
        f"{document.name} is no DataFrame and no text but {document.mime_type}, {size_text(len(document.data))}: "
        f"your host can read it as the resource {document.uri}."
    )

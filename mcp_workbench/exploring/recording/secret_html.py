"""Secret columns and rows of tables in HTML, as `DataFrame.to_html` writes them: cells that span no others. Knows no names itself.

A row of headings alone names columns, a heading beside cells its row. Neighbour: `secret_tables`, for tables in plain text.
"""

from __future__ import annotations

import re
from itertools import pairwise

from mcp_workbench.exploring.recording.secret_printed import Hide, IsSecret

_TAG = re.compile(r"<(/?)(table|tr|th|td)\b[^<>]{0,400}>", re.IGNORECASE)


def hide_in_html(text: str, is_secret: IsSecret, hide: Hide) -> str:
    """A text with the cells hidden that stand under or beside a heading that names a secret, in every table in it."""
    if "</t" not in text and "</T" not in text:
        return text
    done, begin, table = list[str](), 0, _Table(is_secret)
    for tag, following in pairwise(_TAG.finditer(text)):
        cell = text[tag.end() : following.start()]
        bare = cell.strip()
        if table.is_hidden(tag[2].lower(), bare, closes=bool(tag[1])) and bare:
            done += [text[begin : tag.end()], cell.replace(bare, str(hide(bare)), 1)]
            begin = following.start()
    return "".join((*done, text[begin:])) if done else text


class _Table:
    """Where in a table we are, tag by tag."""

    def __init__(self, is_secret: IsSecret) -> None:
        self._is_secret = is_secret
        self._columns: set[int] = set()
        """Those that are secret."""
        self._named: set[int] = set()
        """Columns of this row with a heading that names a secret."""
        self._column = -1
        self._has_cells = False

    def is_hidden(self, tag: str, cell: str, *, closes: bool) -> bool:
        """Given a tag and what follows it up to the next, whether that is a secret."""
        if tag == "table":
            self._columns.clear()
        if tag in ("table", "tr"):
            if not self._has_cells:
                self._columns |= self._named
            self._named, self._column, self._has_cells = set(), -1, False
        if closes or tag in ("table", "tr"):
            return False
        self._column += 1
        if tag == "td":
            self._has_cells = True
            return self._column in self._columns or bool(self._named)
        if self._is_secret(cell):
            self._named.add(self._column)
            return False
        return self._column in self._columns

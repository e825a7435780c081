"""Columns of tables whose names say that what is in them is secret: JSON of columns and rows, CSV, Markdown.

Such tables are how a DataFrame of customers crosses. Knows no names itself. In time proportional to the text: a line is looked at once as
the beginning of a table, and once as a row of one. Neighbour: `secret_printed`, for tables whose cells only spaces part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from mcp_workbench.exploring.recording.secret_printed import Hide, IsSecret, Table, line_end, printed_row, printed_table, series_above
from mcp_workbench.exploring.recording.secret_runs import lowered

_COLUMNS = ("columns", "headers", "header", "fields")
_ROWS = ("data", "rows", "values")
_LONGEST_HEAD = 10_000
"""Characters of a line that names columns."""
_DELIMITERS = "|\t;,"
_NAME = re.compile(r"[\w .\-/#%()$*`]{0,60}")
_QUOTES = "\"'\r\ufeff"
_DECORATION = " *`" + _QUOTES
_RULE = re.compile(r"[-+:=| \r]+")
_QUOTED = re.compile(r'\s*"[^"]*(?:""[^"]*)*("|\Z)')
_ONE_NAME = re.compile(r"[\w\-]{1,60}")
_ONE_CELL = re.compile(r'("[^"]*(?:""[^"]*)*"|[^\s"]+)(\r?\n|\Z)')


def hide_columns(members: dict[str, Any], is_secret: IsSecret, hide: Hide) -> dict[str, Any]:
    """An object of JSON with the cells of its secret columns hidden, if it is a table: `{"columns": […], "data": [[…], …]}`."""
    names = next((members[name] for name in _COLUMNS if isinstance(members.get(name), list)), None)
    if names is None:
        return members
    secret = {number for number, name in enumerate(names) if is_secret(_name_of(name))}
    if not secret:
        return members
    return {
        name: [_hidden_in(row, secret, hide) for row in value] if name in _ROWS and isinstance(value, list) else value
        for name, value in members.items()
    }


def _name_of(column: object) -> str:
    name = column.get("name") if isinstance(column, dict) else column
    return name if isinstance(name, str) else ""


def _hidden_in(row: object, secret: set[int], hide: Hide) -> object:
    if not isinstance(row, list):
        return row
    return [hide(cell) if number in secret else cell for number, cell in enumerate(row)]


def hide_in_tables(text: str, hints: Iterable[str], is_secret: IsSecret, hide: Hide) -> str:
    """A text with the cells of secret columns hidden, in every table in it.

    Args:
        text: The text.
        hints: In lower case, each name that is secret has one of these in it.
        is_secret: Whether a name is one.
        hide: A cell -> what stands in its place.
    """
    if "\n" not in text:
        return hide_in_tables(text.replace("\r", "\n"), hints, is_secret, hide).replace("\n", "\r") if "\r" in text else text
    done, begin = [], 0
    for start, end in _heads(text, hints):
        if start < begin:
            continue
        if (series := series_above(text, begin, start, is_secret, hide)) is not None:
            first, rows = series
            done += [text[begin:first], *rows]
            begin = start
            continue
        head, below = text[start:end], text[end + 1 : line_end(text, end + 1)]
        table = _table(head, below, is_secret, is_first=not start)
        rows_end, rows = (end, list[str]()) if table is None else table(text, end + 1, hide)
        if rows:
            done += [text[begin : end + 1], *rows]
            begin = rows_end
        elif (row := printed_row(head, below, is_secret, hide)) is not None:
            done += [text[begin:start], row]
            begin = end
    return "".join((*done, text[begin:])) if done else text


def _heads(text: str, hints: Iterable[str]) -> list[tuple[int, int]]:
    """Lines that may name something secret."""
    lower, found = lowered(text), dict[int, int]()
    if len(lower) != len(text):  # there are letters of which lower case makes two
        lower = "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
    for hint in filter(None, hints):
        at = lower.find(hint)
        while at >= 0:
            start, end = lower.rfind("\n", 0, at) + 1, lower.find("\n", at)
            end = len(lower) if end < 0 else end
            if end - start <= _LONGEST_HEAD:
                found[start] = end
            at = lower.find(hint, end)
    return sorted(found.items())


def _table(head: str, below: str, is_secret: IsSecret, *, is_first: bool) -> Table | None:
    """How the rows under a line are read; None: it names no secret columns."""
    delimiter = next((each for each in _DELIMITERS if each in head), None)
    if delimiter is None:
        alone = head.strip(_QUOTES)
        if is_first and _ONE_NAME.fullmatch(alone) and is_secret(alone):
            return _column
        return printed_table(head, below, is_secret)
    names = head.split(delimiter)
    if not all(map(_NAME.fullmatch, (name.strip(_DECORATION) for name in names))):
        return None
    secret = {number for number, name in enumerate(names) if is_secret(name.strip(_DECORATION))}
    return (lambda text, at, hide: _delimited(text, at, delimiter, secret, hide)) if secret else None


def _delimited(text: str, at: int, delimiter: str, secret: set[int], hide: Hide) -> tuple[int, list[str]]:
    rows: list[str] = []
    while at < len(text):
        end, cells = _cells(text, at, delimiter)
        row = text[at:end]
        if not row.strip() or (len(cells) < 2 and not _RULE.fullmatch(row)):
            break
        rows.append(row if _RULE.fullmatch(row) else delimiter.join(_hidden_cells(cells, secret, hide)))
        rows.append(text[end : end + 1])
        at = end + 1
    return min(at, len(text)), rows


def _cells(text: str, at: int, delimiter: str) -> tuple[int, list[str]]:
    """A row from here on, and where it ends: in quotes there may be delimiters and line breaks."""
    end_of_line = line_end(text, at)
    if '"' not in text[at:end_of_line]:
        return end_of_line, text[at:end_of_line].split(delimiter)
    cells: list[str] = []
    while True:
        quoted = _QUOTED.match(text, at)
        if quoted is not None and quoted.end() > end_of_line:
            end_of_line = line_end(text, quoted.end())
        end = text.find(delimiter, at if quoted is None else quoted.end(), end_of_line)
        cells.append(text[at : end_of_line if end < 0 else end])
        if end < 0:
            return end_of_line, cells
        at = end + 1


def _hidden_cells(cells: list[str], secret: set[int], hide: Hide) -> Iterator[str]:
    for number, cell in enumerate(cells):
        bare = cell.strip(_DECORATION)
        yield cell.replace(bare, hide(bare), 1) if number in secret and bare else cell


def _column(text: str, at: int, hide: Hide) -> tuple[int, list[str]]:
    """CSV of one column: words, or what is in quotes."""
    rows: list[str] = []
    while at < len(text) and (cell := _ONE_CELL.match(text, at)) is not None:
        rows += [*_hidden_cells([cell[1]], {0}, hide), cell[2]]
        at = cell.end()
    return at, rows

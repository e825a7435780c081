"""Columns of tables whose names say that what is in them is secret: JSON of columns and rows, CSV, Markdown, and DataFrames as they print.

Such tables are how a DataFrame of customers crosses. Knows no names itself. In time proportional to the text: a line is looked at once as
the beginning of a table, and once as a row of one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mcp_workbench.exploring.recording.secret_runs import lowered

Hide = Callable[[Any], Any]
"""A cell -> what stands in its place."""
IsSecret = Callable[[str], bool]

_COLUMNS = ("columns", "headers", "header", "fields")
_ROWS = ("data", "rows", "values")
_LONGEST_HEAD = 10_000
"""Characters of a line that names columns."""
_DELIMITERS = "|\t;,"
_NAME = re.compile(r"[\w .\-/#%()$*`]{0,60}")
_DECORATION = " *`\"'\r"
_RULE = re.compile(r"[-+:=| \r]+")
_QUOTED = re.compile(r'\s*"[^"]*(?:""[^"]*)*("|\Z)')
_INDEX = re.compile(r"\s*\S+")
_WORD = re.compile(r"\S+")


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
        return text
    done, begin = [], 0
    for start, end in _heads(text, hints):
        if start < begin or (table := _table(text[start:end], is_secret)) is None:
            continue
        rows_end, rows = table(text, end + 1, hide)
        if rows:
            done += [text[begin : end + 1], *rows]
            begin = rows_end
    return "".join((*done, text[begin:])) if done else text


_Table = Callable[[str, int, Hide], tuple[int, list[str]]]
"""Given a text, where the rows begin in it: where they end, and the rows, with their cells hidden."""


def _heads(text: str, hints: Iterable[str]) -> list[tuple[int, int]]:
    """Lines that may name secret columns, and are not the last."""
    lower, found = lowered(text), dict[int, int]()
    if len(lower) != len(text):  # there are letters of which lower case makes two
        lower = "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
    for hint in filter(None, hints):
        at = lower.find(hint)
        while at >= 0:
            start, end = lower.rfind("\n", 0, at) + 1, lower.find("\n", at)
            if end < 0:
                break
            if end - start <= _LONGEST_HEAD:
                found[start] = end
            at = lower.find(hint, end)
    return sorted(found.items())


def _table(head: str, is_secret: IsSecret) -> _Table | None:
    """How the rows under a line are read; None: it names no secret columns."""
    delimiter = next((each for each in _DELIMITERS if each in head), None)
    if delimiter is None:
        return _printed_table(head, is_secret)
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
    line_end = text.find("\n", at)
    line_end = len(text) if line_end < 0 else line_end
    if '"' not in text[at:line_end]:
        return line_end, text[at:line_end].split(delimiter)
    cells: list[str] = []
    while True:
        quoted = _QUOTED.match(text, at)
        if quoted is not None and quoted.end() > line_end:
            line_end = text.find("\n", quoted.end())
            line_end = len(text) if line_end < 0 else line_end
        end = text.find(delimiter, at if quoted is None else quoted.end(), line_end)
        cells.append(text[at : line_end if end < 0 else end])
        if end < 0:
            return line_end, cells
        at = end + 1


def _hidden_cells(cells: list[str], secret: set[int], hide: Hide) -> Iterator[str]:
    for number, cell in enumerate(cells):
        bare = cell.strip(_DECORATION)
        yield cell.replace(bare, hide(bare), 1) if number in secret and bare else cell


def _printed_table(head: str, is_secret: IsSecret) -> _Table | None:
    """As pandas prints one: names and cells end in the same places, and all lines are of one length."""
    words = list(_WORD.finditer(head))
    spans = [
        (before.end(), word.end()) for before, word in zip((None, *words), words, strict=False) if before is not None and is_secret(word[0])
    ]
    if words and is_secret(words[0][0]) and words[0].start():
        spans.insert(0, (0, words[0].end()))
    return (lambda text, at, hide: _printed(text, at, len(head), spans, hide)) if spans else None


def _printed(text: str, at: int, length: int, spans: list[tuple[int, int]], hide: Hide) -> tuple[int, list[str]]:
    rows: list[str] = []
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if end - at != length:
            break
        row, done, begin = text[at:end], "", 0
        for left, right in spans:
            index = None if left else _INDEX.match(row, 0, right)
            left = left if index is None else index.end()
            cell = row[left:right].strip()
            done += row[begin:left] + (f" {hide(cell)}" if cell else row[left:right])
            begin = right
        rows += [done + row[begin:], text[end : end + 1]]
        at = end + 1
    return min(at, len(text)), rows

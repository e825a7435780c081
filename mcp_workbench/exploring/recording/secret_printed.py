"""Secret columns, rows and indexes of what pandas prints: DataFrames, whichever way round, and Series; and of tables with a rule of dashes.

What stands where tells it, for nothing parts a cell from the next but spaces. A line with a mark in it has been looked at, and may be
longer than the others. Neighbour: `secret_tables`, which finds the lines that may name a secret, and tables whose cells a sign parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Hide = Callable[[Any], Any]
"""A cell -> what stands in its place."""
IsSecret = Callable[[str], bool]
Table = Callable[[str, int, Hide], tuple[int, list[str]]]
"""Given a text, where the rows begin in it: where they end, and the rows, with their cells hidden."""

_MARK = "‹redacted:"
_INDEX = re.compile(r"\s*\S+")
_WORD = re.compile(r"\S+")
_APART = re.compile(r"\s{2,}|\t")
_RULE = re.compile(r"[-=]+(?: +[-=]+)*[ \r]*")
_DASHES = re.compile(r"[-=]+")
_LABEL = re.compile(r"\S+(?: \S+)*")
_SERIES = re.compile(r"Name: ([^\r\n,]{1,60}), (?:Length: \d{1,12}, )?dtype: ")
_INDEXED = re.compile(r"\S+(?: \S+)* {2,}(?=\S)")


def printed_table(head: str, below: str, is_secret: IsSecret) -> Table | None:
    """How the rows under a line are read; None: it names no secret columns.

    Args:
        head: The line.
        below: The next.
        is_secret: Whether a name is one.
    """
    words = list(_WORD.finditer(head))
    if _RULE.fullmatch(below) and " " in below.strip():
        spans = [dashes.span() for dashes in _DASHES.finditer(below) if is_secret(head[dashes.start() : dashes.end()].strip())]
        return (lambda text, at, hide: _ruled(text, at, spans, hide)) if spans else None
    if head[-1:] == " " and words and not words[0].start():  # names of the index alone
        starts = [word.start() for word in words if is_secret(word[0])]
        return (lambda text, at, hide: _labelled(text, at, len(head), starts, hide)) if starts else None
    spans = [
        (before.end(), word.end()) for before, word in zip((None, *words), words, strict=False) if before is not None and is_secret(word[0])
    ]
    if words and is_secret(words[0][0]) and words[0].start():
        spans.insert(0, (0, words[0].end()))
    return (lambda text, at, hide: _printed(text, at, len(head), spans, hide)) if spans else None


def printed_row(line: str, below: str, is_secret: IsSecret, hide: Hide) -> str | None:
    """A line with its values hidden, if it is a secret name and its values: a row of a DataFrame that was turned, or of a Series."""
    if line[:1].isspace() or below.lstrip().startswith(_MARK):  # columns, not rows
        return None
    name, *values = _APART.split(line.rstrip())
    if not values or not is_secret(name) or any(" " in value for value in values):
        return None
    return line[: len(name)] + _WORD.sub(lambda word: str(hide(word[0])), line[len(name) :])


def series_above(text: str, begin: int, start: int, is_secret: IsSecret, hide: Hide) -> tuple[int, list[str]] | None:
    """The values of a Series that has a secret name, hidden, and where they begin; None: there are none above its last line.

    Args:
        text: The text.
        begin: What stands before this has been looked at.
        start: Where the line begins that names the Series.
        is_secret: Whether a name is one.
        hide: A value -> what stands in its place.
    """
    named = _SERIES.match(text, start)
    if named is None or not is_secret(named[1]):
        return None
    rows, at, length = list[str](), start, -1
    while at > begin:
        above = text.rfind("\n", begin, at - 1) + 1 or begin
        row = text[above : at - 1]
        index = _INDEXED.match(row)
        if index is None or (_MARK not in row and length not in (-1, len(row))):
            break
        length = length if _MARK in row else len(row)
        rows.append(f"{row[: index.end()]}{hide(row[index.end() :])}\n")
        at = above
    return (at, rows[::-1]) if rows else None


def line_end(text: str, at: int) -> int:
    """Where the line ends that goes on here."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _line(text: str, at: int) -> tuple[int, str]:
    end = line_end(text, at)
    return end, text[at:end]


def _printed(text: str, at: int, length: int, spans: list[tuple[int, int]], hide: Hide) -> tuple[int, list[str]]:
    """Names and cells end in the same places, and all lines are of one length."""
    rows: list[str] = []
    while at < len(text):
        end, row = _line(text, at)
        if len(row) != length and _MARK not in row:
            break
        done, begin = "", 0
        for left, right in spans if len(row) == length else ():
            index = None if left else _INDEX.match(row, 0, right)
            left = left if index is None else index.end()
            cell = row[left:right].strip()
            done += row[begin:left] + (f" {hide(cell)}" if cell else row[left:right])
            begin = right
        rows += [done + row[begin:], text[end : end + 1]]
        at = end + 1
    return min(at, len(text)), rows


def _labelled(text: str, at: int, length: int, starts: list[int], hide: Hide) -> tuple[int, list[str]]:
    """Labels of an index begin where its names do."""
    rows: list[str] = []
    while at < len(text):
        end, row = _line(text, at)
        if len(row) != length and _MARK not in row:
            break
        for start in reversed(starts) if len(row) == length else ():
            if (label := _LABEL.match(row, start)) is not None:
                row = f"{row[:start]}{hide(label[0])}{row[label.end() :]}"
        rows += [row, text[end : end + 1]]
        at = end + 1
    return min(at, len(text)), rows


def _ruled(text: str, at: int, spans: list[tuple[int, int]], hide: Hide) -> tuple[int, list[str]]:
    """Cells stand under the dashes."""
    end, rule = _line(text, at)
    rows = [rule, text[end : end + 1]]
    while (at := end + 1) < len(text):
        end, row = _line(text, at)
        if not row.strip():
            break
        for left, right in reversed(spans) if _MARK not in row else ():
            if cell := row[left:right].strip():
                row = row[:left] + row[left:right].replace(cell, str(hide(cell)), 1) + row[right:]
        rows += [row, text[end : end + 1]]
    return min(at, len(text)), rows

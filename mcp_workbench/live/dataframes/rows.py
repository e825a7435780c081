"""`df://flights/rows?…`: the options, and the page of text they ask for.

A page is bounded by rows and by characters. What it leaves out it says in its own text (a last line
`# rows 0-99 of 336,776 …` in CSV and Markdown, a key `note` in JSON), because a model sees only that; the
same facts stand in `_meta` for programs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote

import msgspec
import pandas as pd

from mcp_workbench.live.dataframes.cells import MAX_CELL_CHARS, column_labels
from mcp_workbench.live.dataframes.lookup import only_known
from mcp_workbench.live.dataframes.names import Reference, said
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.dataframes.tables import Lines, TableFormat, plain_index, write_rows
from mcp_workbench.primitives.binding import ArgumentError
from mcp_workbench.primitives.uri_templates import MAX_URI
from mcp_workbench.primitives.wording import nearest
from mcp_workbench.protocol.wire import Json

DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000
MAX_CHARS = 100_000
"""Characters of one page."""
OPTIONS = ("offset", "limit", "columns", "format", "version")
_LARGEST_OFFSET = 2**53
_ROWS_AT_FIRST = 1_000
_NARROWER_CELLS = (MAX_CELL_CHARS, 1_000, 100)
"""Tried in turn when not even one row fits."""
_NAMED = 8


@dataclass(frozen=True, slots=True)
class RowsRequest:
    """Which rows and columns, and how written."""

    offset: int = 0
    limit: int = DEFAULT_LIMIT
    columns: tuple[int, ...] | None = None
    """Positions; None: all."""
    format: TableFormat = TableFormat.CSV


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows as text."""

    text: str
    mime_type: str
    shown: int
    """Rows in the text."""
    total: int
    """Rows of the DataFrame."""
    next_uri: str | None
    """Where the following rows are; None at the end, or when naming the columns would take a URI too long to be read."""

    def meta(self, snapshot: Snapshot, offset: int) -> dict[str, Json]:
        """Say the same for programs, as `_meta`."""
        facts: dict[str, Json] = {
            "version": snapshot.version,
            "rows": self.total,
            "offset": offset,
            "returned": self.shown,
            "next": self.next_uri,
        }
        return {f"mcp-workbench/{key}": value for key, value in facts.items() if value is not None}


def parse_request(snapshot: Snapshot, reference: Reference) -> RowsRequest:
    """Read the options of a `rows` URI.

    Args:
        snapshot: What is read: columns are checked against it.
        reference: The URI, taken apart.

    Returns:
        The request.

    Raises:
        ArgumentError: A value that does not fit; the sentence names the nearest that does.
    """
    only_known(reference, OPTIONS)
    options = dict(reference.options)
    columns = [value for key, value in reference.options if key == "columns"]
    return RowsRequest(
        offset=_whole("offset", options["offset"], 0, _LARGEST_OFFSET) if "offset" in options else 0,
        limit=_whole("limit", options["limit"], 1, MAX_LIMIT) if "limit" in options else DEFAULT_LIMIT,
        columns=find_columns(snapshot, columns) if any(columns) or (columns and "" in column_labels(snapshot.df)) else None,
        format=_format(options["format"]) if "format" in options else TableFormat.CSV,
    )


class NoColumn(ArgumentError):
    """There is no column of that name; the sentence names the nearest."""


def find_columns(snapshot: Snapshot, wanted: list[str], *, joined: bool = True) -> tuple[int, ...]:
    """Find columns by the text of their labels; upper and lower case matter only where both are there.

    Args:
        snapshot: Where.
        wanted: Labels, or labels joined by commas; a whole text that is a label goes first.
        joined: Whether a text that is no label may be several joined by commas.

    Returns:
        Positions, in the order wanted; a duplicate label gives all its columns.

    Raises:
        NoColumn: Names the nearest labels.
    """
    labels = column_labels(snapshot.df)
    positions: dict[str, list[int]] = {}
    for position, label in enumerate(labels):
        positions.setdefault(label, []).append(position)
    found: list[int] = []
    for text in wanted:
        for name in [text] if text in positions or not joined else [part.strip() for part in text.split(",")]:
            found.extend(positions[_label(snapshot, name, labels)])
    return tuple(dict.fromkeys(found))


def _label(snapshot: Snapshot, name: str, labels: list[str]) -> str:
    """The label that is meant."""
    if name in labels:
        return name
    alike = {label for label in labels if label.casefold() == name.casefold()}
    if len(alike) != 1:
        raise NoColumn(_no_column(snapshot, name, labels))
    return alike.pop()


def read_page(snapshot: Snapshot, request: RowsRequest, *, max_chars: int = MAX_CHARS) -> Page:
    """Write the rows asked for, as many as fit.

    Args:
        snapshot: What is read.
        request: Which rows.
        max_chars: Characters of the text, the note about what is left out not counted.

    Returns:
        The page.

    Raises:
        ArgumentError: Not even one row fits: fewer columns must be asked for.
    """
    total = len(snapshot.df)
    lines, count, cell_chars = _fitting(snapshot, request, max_chars)
    end = request.offset + count
    next_uri = _next_uri(snapshot, request, end) if end < total else None
    if next_uri is not None and len(next_uri) > MAX_URI:
        next_uri = None
    note = _note(snapshot, request, count, next_uri, cell_chars)
    return Page(_with_note(lines.text(count), note, request.format), request.format.mime_type, count, total, next_uri)


def _fitting(snapshot: Snapshot, request: RowsRequest, max_chars: int) -> tuple[Lines, int, int]:
    page = snapshot.df.iloc[request.offset : request.offset + request.limit]
    if plain_index(snapshot.df.index):  # the page's offset says all that its labels would
        page = page.set_axis(pd.RangeIndex(len(page)))
    if request.columns is not None:
        page = page.iloc[:, list(request.columns)]
    for cell_chars in _NARROWER_CELLS:
        lines, count = _written(page, request.format, max_chars, cell_chars)
        if count or not len(page):
            return lines, count, cell_chars
    raise ArgumentError(
        f"One row of {page.shape[1]:,} columns does not fit into {max_chars:,} characters. Ask for fewer: columns={_some_labels(snapshot)}."
    )


def _written(page: pd.DataFrame, table_format: TableFormat, max_chars: int, cell_chars: int) -> tuple[Lines, int]:
    """Write as many rows as fit, without encoding ten thousand to send a thousand."""
    rows = _ROWS_AT_FIRST
    while True:
        lines = write_rows(page.iloc[:rows], table_format, max_cell_chars=cell_chars)
        count = lines.fitting(max_chars)
        if count < rows or rows >= len(page):
            return lines, count
        rows *= 2


def _note(snapshot: Snapshot, request: RowsRequest, count: int, next_uri: str | None, cell_chars: int) -> str | None:
    total = len(snapshot.df)
    cut = f" Cells are cut to {cell_chars:,} characters." if cell_chars < MAX_CELL_CHARS else ""
    if count == total:
        return cut.strip() or None
    if not count:
        return f"no rows at offset {request.offset:,}: {snapshot.label} has {total:,}"
    end = request.offset + count
    more = "These are the last." if end == total else f"More: {next_uri or _same_with(snapshot, end)}"
    return f"rows {request.offset}-{end - 1} of {total:,} ({snapshot.label}).{cut} {more}"


def _same_with(snapshot: Snapshot, offset: int) -> str:
    return f"the same columns with {'&'.join([f'offset={offset}', *_version(snapshot)])}, fewer of them if the URI grows too long."


def _with_note(text: str, note: str | None, table_format: TableFormat) -> str:
    if note is None:
        return text
    if table_format is TableFormat.JSON:
        return f'{text[:-1]},"note":{msgspec.json.encode(note).decode("utf-8")}}}'
    return f"{text}# {note}\n" if table_format is TableFormat.CSV else f"{text}\n{note}\n"


def _next_uri(snapshot: Snapshot, request: RowsRequest, offset: int) -> str:
    options = [f"offset={offset}"]
    if request.limit != DEFAULT_LIMIT:
        options.append(f"limit={request.limit}")
    if request.columns is not None and request.columns != tuple(range(snapshot.df.shape[1])):
        options += _columns_options(snapshot, request.columns)
    if request.format is not TableFormat.CSV:
        options.append(f"format={request.format}")
    return f"df://{snapshot.name}/rows?{'&'.join([*options, *_version(snapshot)])}"


def _version(snapshot: Snapshot) -> list[str]:
    return [] if snapshot.name.startswith("_") else [f"version={snapshot.version}"]


def _columns_options(snapshot: Snapshot, positions: tuple[int, ...]) -> list[str]:
    """Name columns shortly: joined by commas, but what joining would change has a parameter of its own."""
    labels = column_labels(snapshot.df)
    known = set(labels)
    options: list[str] = []
    for can_be_joined, run in groupby(dict.fromkeys(labels[at] for at in positions), key=_can_be_joined):
        wanted = list(run)
        joined = ",".join(wanted)
        parts = [joined] if can_be_joined and (len(wanted) == 1 or joined not in known) else wanted
        options += [f"columns={quote(part, safe=',' if can_be_joined else '')}" for part in parts]
    return options


def _can_be_joined(label: str) -> bool:
    return bool(label) and "," not in label and label == label.strip()


def _whole(name: str, text: str, low: int, high: int) -> int:
    digits = text.strip()
    number = int(digits) if digits.lstrip("-").isdecimal() and digits.isascii() and len(digits) < 20 and "--" not in digits else None
    if number is None:
        raise ArgumentError(f"{name} is a whole number from {low:,} to {high:,}, not {said(text)}.")
    if not low <= number <= high:
        raise ArgumentError(f"{name} is a whole number from {low:,} to {high:,}, not {number:,}. Nearest: {min(max(number, low), high)}.")
    return number


def _format(text: str) -> TableFormat:
    name = text.strip().lower()
    if name in list(TableFormat):
        return TableFormat(name)
    near = nearest(name, list(TableFormat), 1) or ["csv"]
    raise ArgumentError(f"format is {', '.join(TableFormat)}, not {said(text)}. Nearest: {near[0]}.")


def _no_column(snapshot: Snapshot, name: str, labels: list[str]) -> str:
    near = nearest(name, labels, 2)
    hint = f"Nearest: {', '.join(near)}." if near else f"Columns: {_some_labels(snapshot)}."
    return f"No column {said(name)} in {snapshot.label}. {hint}"


def _some_labels(snapshot: Snapshot) -> str:
    labels = column_labels(snapshot.df)
    return ", ".join(labels[:_NAMED]) + (f" and {len(labels) - _NAMED:,} more" if len(labels) > _NAMED else "")

"""`df://flights/rows?…`: the options, and the page of text they ask for.

A page is bounded by rows and by characters. What it leaves out it says in its own text (a last line
`# rows 0-99 of 336,776 …` in CSV and Markdown, a key `note` in JSON), because a model sees only that; the
same facts stand in `_meta` for programs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from urllib.parse import quote

import msgspec

from mcp_workbench.live.dataframes.cells import MAX_CELL_CHARS, column_labels
from mcp_workbench.live.dataframes.columns import find_columns, some_labels
from mcp_workbench.live.dataframes.lookup import only_known
from mcp_workbench.live.dataframes.names import Reference, said
from mcp_workbench.live.dataframes.ordering import parse_order
from mcp_workbench.live.dataframes.selection import Selection, select, write_part
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.dataframes.tables import TableFormat
from mcp_workbench.primitives.binding import ArgumentError
from mcp_workbench.primitives.uri_templates import MAX_URI
from mcp_workbench.primitives.wording import nearest
from mcp_workbench.protocol.wire import Json

DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000
MAX_CHARS = 100_000
"""Characters of one page."""
OPTIONS = ("offset", "limit", "columns", "where", "order", "format", "version")
LARGEST_OFFSET = 2**53


@dataclass(frozen=True, slots=True)
class RowsRequest:
    """Which rows and columns, and how written."""

    offset: int = 0
    limit: int = DEFAULT_LIMIT
    columns: tuple[int, ...] | None = None
    """Positions; None: all."""
    format: TableFormat = TableFormat.CSV
    where: str | None = None
    """A condition; None: all rows."""
    order: tuple[str, ...] = ()
    """As it was asked for; empty: as they stand."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows as text."""

    text: str
    mime_type: str
    shown: int
    """Rows in the text."""
    selection: Selection
    """All the rows that are meant."""
    next_uri: str | None
    """Where the following rows are; None at the end, or when naming the columns would take a URI too long to be read."""

    def meta(self, snapshot: Snapshot, offset: int) -> dict[str, Json]:
        """Say the same for programs, as `_meta`."""
        facts: dict[str, Json] = {
            "version": snapshot.version,
            "rows": len(snapshot.df),
            "matching": None if self.selection.positions is None else len(self.selection),
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
        offset=whole("offset", options["offset"], 0, LARGEST_OFFSET) if "offset" in options else 0,
        limit=whole("limit", options["limit"], 1, MAX_LIMIT) if "limit" in options else DEFAULT_LIMIT,
        columns=find_columns(snapshot, columns) if any(columns) or (columns and "" in column_labels(snapshot.df)) else None,
        format=_format(options["format"]) if "format" in options else TableFormat.CSV,
        where=options.get("where", "").strip() or None,
        order=tuple(value for key, value in reference.options if key == "order" and value.strip()),
    )


def read_page(snapshot: Snapshot, request: RowsRequest, *, max_chars: int = MAX_CHARS) -> Page:
    """Write the rows asked for, as many as fit.

    Args:
        snapshot: What is read.
        request: Which rows.
        max_chars: Characters of the text, the note about what is left out not counted.

    Returns:
        The page.

    Raises:
        ArgumentError: Not even one row fits: fewer columns must be asked for. Or where or order do not fit the columns.
    """
    selection = select(snapshot, request.where, parse_order(list(request.order)))
    part = selection.part(request.offset, request.limit, request.columns)
    written = write_part(part, request.format, max_chars)
    if len(part) and not written.count:
        raise ArgumentError(
            f"One row of {part.shape[1]:,} columns does not fit into {max_chars:,} characters. "
            f"Ask for fewer: columns={some_labels(snapshot)}."
        )
    end = request.offset + written.count
    next_uri = _next_uri(snapshot, replace(request, offset=end)) if end < len(selection) else None
    if next_uri is not None and len(next_uri) > MAX_URI:
        next_uri = None
    note = _note(selection, request, written.count, next_uri, written.cell_chars)
    return Page(_with_note(written.text, note, request.format), request.format.mime_type, written.count, selection, next_uri)


def _note(selection: Selection, request: RowsRequest, count: int, next_uri: str | None, cell_chars: int) -> str | None:
    snapshot, total, end = selection.snapshot, len(selection), request.offset + count
    remarks = [f"Cells are cut to {cell_chars:,} characters."] if cell_chars < MAX_CELL_CHARS else []
    remarks += [f"{note}." for note in selection.notes]
    source = snapshot.label if request.where is None else f"{snapshot.label}, where {total:,} of {len(snapshot.df):,} match"
    if not count and total:
        shown = [f"no rows at offset {request.offset:,}: {snapshot.label} has {total:,}{' that match' if request.where else ''}"]
    elif count < total:
        more = "These are the last." if end == total else f"More: {next_uri or _same_with(snapshot, end)}"
        shown = [f"rows {request.offset}-{end - 1} of {total:,} ({source}).", *remarks, more]
    elif request.where is not None:
        shown = [f"{total:,} of {len(snapshot.df):,} rows match ({snapshot.label}).", *remarks]
    else:
        shown = remarks
    return " ".join(shown) or None


def _same_with(snapshot: Snapshot, offset: int) -> str:
    options = "&".join([f"offset={offset}", *_version(snapshot)])
    return f"the same with {options}; ask for fewer columns, or with a shorter condition, where the URI grows too long."


def _with_note(text: str, note: str | None, table_format: TableFormat) -> str:
    if note is None:
        return text
    if table_format is TableFormat.JSON:
        return f'{text[:-1]},"note":{msgspec.json.encode(note).decode("utf-8")}}}'
    return f"{text}# {note}\n" if table_format is TableFormat.CSV else f"{text}\n{note}\n"


def _next_uri(snapshot: Snapshot, request: RowsRequest) -> str:
    options = [f"offset={request.offset}"]
    if request.limit != DEFAULT_LIMIT:
        options.append(f"limit={request.limit}")
    if request.columns is not None and request.columns != tuple(range(snapshot.df.shape[1])):
        options += _columns_options(snapshot, request.columns)
    options += [f"where={quote(request.where, safe='')}"] if request.where is not None else []
    options += [f"order={quote(key, safe=',')}" for key in request.order]
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


def whole(name: str, text: str, low: int, high: int) -> int:
    """Read a whole number.

    Raises:
        ArgumentError: It is none, or out of bounds; names the nearest.
    """
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

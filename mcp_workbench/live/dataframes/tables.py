r"""Encoded columns -> the three texts an agent reads: CSV, split JSON, Markdown.

CSV: a missing value is an empty field, an empty text is `""`; nested cells are compact JSON.
Controls but tab and line break, and what turns the direction of text, are escaped: `\x1b` in CSV and Markdown, whose
readers get that text; `\u001b` in JSON and in nested cells, whose readers get the character.
Split JSON: `{"columns": […], "index"?: […], "data": [[…], …]}`; a missing value is null.
Markdown: pipes, backslashes and newlines are escaped; a missing value is an empty cell.

A row is one line of text, so a character budget is a matter of counting lines; what to say when rows were
left out is the caller's business (`reading`, `rendering`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import msgspec
import pandas as pd

from mcp_workbench.live.dataframes.cells import MAX_CELL_CHARS, CellKind, Cells, column_labels, encode_values, label_text
from mcp_workbench.live.dataframes.objects import nested_text
from mcp_workbench.protocol.wire import Json
from mcp_workbench.wording import visible, visible_json


class TableFormat(StrEnum):
    """How rows are written."""

    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"

    @property
    def mime_type(self) -> str:
        """The MIME type of such a text."""
        return "application/json" if self is TableFormat.JSON else f"text/{self.value}"


@dataclass(frozen=True, slots=True)
class Lines:
    """A table as text, row by row."""

    text: Callable[[int], str]
    """`text(n)`: the table with its first n rows."""
    header_chars: int
    """Characters of the table without rows."""
    row_chars: list[int]
    """Characters each row adds, its separator included."""

    def fitting(self, max_chars: int) -> int:
        """Count the rows that fit.

        Args:
            max_chars: Characters for the whole table.

        Returns:
            How many of the first rows fit, 0 when not even one does.
        """
        used = self.header_chars
        for count, chars in enumerate(self.row_chars):
            used += chars
            if used > max_chars:
                return count
        return len(self.row_chars)


def write_rows(df: pd.DataFrame, table_format: TableFormat, *, max_cell_chars: int = MAX_CELL_CHARS) -> Lines:
    """Write every row of a (small) DataFrame.

    Args:
        df: One page; an index that only counts rows from 0 (unnamed RangeIndex) is left out, any other comes first.
        table_format: CSV, split JSON or Markdown.
        max_cell_chars: Longest text of a cell; longer ones are cut and say by how much.

    Returns:
        The lines, to be joined once the caller knows how many it wants.
    """
    columns = [encode_values(column, max_chars=max_cell_chars) for _label, column in df.items()]
    return _WRITERS[table_format](df, columns, _index_columns(df.index, max_cell_chars))


def cell_texts(cells: Cells) -> list[str]:
    """Write each cell by itself, as text that nobody will parse: nothing is quoted, and a missing value is empty."""
    return _texts(cells, _plain_cell)


def plain_index(index: pd.Index) -> bool:
    """Tell whether an index only counts rows from 0 and so need not be shown."""
    return isinstance(index, pd.RangeIndex) and index.name is None and index.start == 0 and index.step == 1


def index_names(index: pd.Index) -> list[str]:
    """Name the index levels as they stand before the columns."""
    unnamed = ["index"] if index.nlevels == 1 else [f"level_{level}" for level in range(index.nlevels)]
    return [fallback if name is None else label_text(name) for name, fallback in zip(index.names, unnamed, strict=True)]


def _index_columns(index: pd.Index, max_cell_chars: int) -> list[Cells]:
    if plain_index(index):
        return []
    return [encode_values(index.get_level_values(level), max_chars=max_cell_chars) for level in range(index.nlevels)]


def _header(df: pd.DataFrame) -> list[str]:
    return ([] if plain_index(df.index) else index_names(df.index)) + column_labels(df)


def _rows_of(columns: list[list[str]], count: int) -> Iterable[tuple[str, ...]]:
    return zip(*columns, strict=True) if columns else [()] * count


def _csv(df: pd.DataFrame, columns: list[Cells], index: list[Cells]) -> Lines:
    header = ",".join(_csv_text(name) for name in _header(df)) + "\n"
    texts = [_texts(cells, _csv_cell) for cells in [*index, *columns]]
    return _joined(header, [",".join(row) + "\n" for row in _rows_of(texts, len(df))])


def _markdown(df: pd.DataFrame, columns: list[Cells], index: list[Cells]) -> Lines:
    names = _header(df)
    header = f"| {' | '.join(map(_markdown_text, names))} |\n|{' --- |' * len(names)}\n"
    texts = [_texts(cells, _markdown_cell) for cells in [*index, *columns]]
    return _joined(header, [f"| {' | '.join(row)} |\n" for row in _rows_of(texts, len(df))])


def _joined(header: str, rows: list[str]) -> Lines:
    return Lines(lambda count: header + "".join(rows[:count]), len(header), [len(row) for row in rows])


def _json(df: pd.DataFrame, columns: list[Cells], index: list[Cells]) -> Lines:
    encode = msgspec.json.Encoder().encode
    names = visible_json(encode(column_labels(df)).decode("utf-8"))
    values = [cells.values for cells in columns]
    data = [visible_json(encode(row).decode("utf-8")) for row in (zip(*values, strict=True) if values else [()] * len(df))]
    labels = [visible_json(encode(label).decode("utf-8")) for label in _index_labels(index)]

    def text(count: int) -> str:
        shown = f'"index":[{",".join(labels[:count])}],' if index else ""
        return f'{{"columns":{names},{shown}"data":[{",".join(data[:count])}]}}'

    return Lines(text, len(text(0)), [len(row) + 1 + (len(labels[at]) + 1 if labels else 0) for at, row in enumerate(data)])


def _index_labels(index: list[Cells]) -> list[Json]:
    return index[0].values if len(index) == 1 else [list(row) for row in zip(*(cells.values for cells in index), strict=True)]


def _texts(cells: Cells, write: Callable[[Json], str]) -> list[str]:
    if cells.kind is CellKind.PLAIN:
        return ["" if value is None else value for value in cells.values]
    if cells.kind is CellKind.NUMBERS and cells.values:
        # One JSON array, split again: four times as fast as str() cell by cell, and the same text in every format.
        return msgspec.json.encode(cells.values).decode("ascii")[1:-1].replace("null", "").split(",")
    return [write(value) for value in cells.values]


_QUOTED = re.compile(r'[",\r\n]|\A\s|\s\Z|\A\Z').search


def _csv_text(text: str) -> str:
    text = visible(text)
    return '"' + text.replace('"', '""') + '"' if _QUOTED(text) else text


def _csv_cell(value: Json) -> str:
    if value is None:
        return ""
    return _csv_text(value if type(value) is str else visible_json(nested_text(value)))


def _plain_cell(value: Json) -> str:
    if value is None:
        return ""
    return visible(value) if type(value) is str else visible_json(nested_text(value))


_MARKDOWN_ESCAPES = str.maketrans({"\\": "\\\\", "|": "\\|", "\n": "\\n", "\r": "\\r"})


def _markdown_text(text: str) -> str:
    return visible(text.translate(_MARKDOWN_ESCAPES))


def _markdown_cell(value: Json) -> str:
    if value is None:
        return ""
    if value == "":
        return '""'
    return _markdown_text(value if type(value) is str else visible_json(nested_text(value)))


_WRITERS: dict[TableFormat, Callable[[pd.DataFrame, list[Cells], list[Cells]], Lines]] = {
    TableFormat.CSV: _csv,
    TableFormat.JSON: _json,
    TableFormat.MARKDOWN: _markdown,
}

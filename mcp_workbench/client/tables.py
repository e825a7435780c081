r"""The table in a tool's result: whole from structured content, or the part of it that stands in the text.

A tool that returns a DataFrame answers with `{"columns": […], "index"?: […], "data": [[…], …]}` as structured
content, or with text: a line of facts (`57 of 336,776 rows x 19 columns · …`), CSV, a closing note. The text may
be a preview; then it says of how many rows, and so does the DataFrame made of it. pandas is imported when a
DataFrame is wanted, not before. Control characters in CSV are escapes that the server wrote (`\x1b`), and stay that:
a backslash may as well be the data's own.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_FACTS = re.compile(r"(?:([\d,]+) of )?([\d,]+) (?:matching )?rows? x (?:[\d,]+ of )?[\d,]+ columns?")
_NOTE_ROWS = re.compile(r"^# rows \d+-\d+ of ([\d,]+)")
_JSON_BOOLEAN = re.compile("true|false")
_JSON_NUMBER = re.compile(r"(?!-0\Z)-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|Infinity)")
_NOTE = re.compile(r"# |More: |Not kept: ")


@dataclass(frozen=True, slots=True)
class CsvBlock:
    """The CSV found in a text."""

    text: str
    """Header and rows, nothing else."""
    rows: int
    """Rows below the header."""
    total_rows: int | None
    """Rows of the whole table, where the text says so."""


def split_table(structured: Any) -> Mapping[str, Any] | None:
    """The split-JSON table in structured content, bare or under `result`; None when there is none."""
    for candidate in (structured, structured.get("result") if isinstance(structured, Mapping) else None):
        if isinstance(candidate, Mapping) and isinstance(candidate.get("columns"), list) and isinstance(candidate.get("data"), list):
            return candidate
    return None


def find_csv(text: str) -> CsvBlock | None:
    """Find the CSV in a text.

    Args:
        text: Optionally a line of facts, which a line about columns and an empty one may follow; CSV; optionally notes.

    Returns:
        The CSV; None when the text has no facts line and is no table of at least two columns either.
    """
    lines = list(io.StringIO(text))
    facts = _FACTS.search(lines[0]) if lines else None
    if facts is not None:
        lines = lines[_preface(lines) :]
    used, rows, width = _measure(lines, facts)
    if not used or (facts is None and (width < 2 or not rows)):
        return None
    return CsvBlock("".join(lines[:used]), rows, _total_rows(facts, lines[used:]))


def _preface(lines: list[str]) -> int:
    """Lines before the CSV: the facts alone, or up to the empty line that follows them closely."""
    for at in (1, 2):
        if len(lines) > at + 1 and not lines[at].strip() and not _NOTE.match(lines[at + 1]):
            return at + 1
    return 1


def _measure(lines: list[str], facts: re.Match[str] | None) -> tuple[int, int, int]:
    """Lines that belong to the table, rows in them, columns."""
    exactly = facts is not None and facts[1] is not None
    most = None if facts is None else _number(facts[1] or facts[2])
    reader = csv.reader(iter(lines))
    used = rows = width = 0
    for record in _records(reader):
        if width == 0:
            width = len(record)
        # A missing value in the only column is an empty line.
        elif rows == most or max(1, len(record)) != width or (not exactly and _NOTE.match(lines[used])):
            break
        else:
            rows += 1
        used = reader.line_num
    return used, rows, width


def _records(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error:
        # A field no CSV reader takes: the table ends before it.
        return


def _total_rows(facts: re.Match[str] | None, behind: list[str]) -> int | None:
    note = next((found for line in behind if (found := _NOTE_ROWS.match(line))), None)
    if note is not None:
        return _number(note[1])
    return None if facts is None else _number(facts[2])


def _number(digits: str) -> int:
    return int(digits.replace(",", "") or 0)


def from_split(table: Mapping[str, Any], total_rows: int | None) -> pd.DataFrame:
    """Make a DataFrame of split JSON.

    Raises:
        ValueError: Rows and columns do not fit together.
    """
    import pandas as pd

    df = pd.DataFrame(table["data"], index=table.get("index"), columns=table["columns"])
    return _say_preview(df, total_rows)


def from_csv(block: CsvBlock) -> pd.DataFrame:
    """Make a DataFrame of CSV; an empty field is a missing value, the text NA is not; numbers are written as in JSON."""
    import pandas as pd

    df, texts = (
        pd.read_csv(io.StringIO(block.text), keep_default_na=False, na_values=[""], skip_blank_lines=False, dtype=dtype)
        for dtype in (None, str)
    )
    for at, dtype in enumerate(df.dtypes):
        # pandas takes 007 for the number 7 and TRUE for a boolean; what JSON would not write so is text, and stays it.
        written = texts.iloc[:, at]
        spelling = _JSON_BOOLEAN if pd.api.types.is_bool_dtype(dtype) else _JSON_NUMBER
        if not all(spelling.fullmatch(text) for text in written.dropna()):
            df.isetitem(at, written.array)
    return _say_preview(df, block.total_rows)


def _say_preview(df: pd.DataFrame, total_rows: int | None) -> pd.DataFrame:
    if total_rows is not None and total_rows > len(df):
        df.attrs.update(preview=True, total_rows=total_rows)
        warnings.warn(
            f"This DataFrame is a preview: the result shows {len(df):,} of {total_rows:,} rows. "
            "Its text says how to read the rest; `df.attrs` has `preview` and `total_rows`.",
            UserWarning,
            stacklevel=4,
        )
    return df

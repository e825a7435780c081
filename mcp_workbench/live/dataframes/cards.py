"""What a DataFrame is, in one screen (the card) and in full (the schema).

The card is what an agent reads first: never more than 1,500 characters, whatever the DataFrame. The schema
is for whoever needs every column; it counts missing values, which reads all the data, so it is made off the
main thread and kept per version by `reading`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pandas as pd

from mcp_workbench.live.dataframes.cells import column_labels, encode_values
from mcp_workbench.live.dataframes.names import shown_label
from mcp_workbench.live.dataframes.objects import clean
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.dataframes.tables import TableFormat, index_names, plain_index, write_rows
from mcp_workbench.protocol.wire import Json
from mcp_workbench.wording import plain, visible_json

MAX_CARD_CHARS = 1_500
_DESCRIPTION_CHARS = 300
_COLUMNS_CHARS = 400
_HEAD_ROWS = 3
_HEAD_COLUMNS = 10
_HEAD_CELL_CHARS = 24
_EXAMPLES = 3
_EXAMPLE_ROWS = 100


def card(snapshot: Snapshot, *, description: str | None = None, state: str | None = None, versions: tuple[int, ...] = ()) -> str:
    """Write the card.

    Args:
        snapshot: The version shown.
        description: The author's words.
        state: Why this is no longer followed, if so.
        versions: Those that are kept, oldest first.

    Returns:
        Markdown of at most 1,500 characters.
    """
    parts = [f"# {snapshot.name}", facts(snapshot)]
    if description:
        parts.append(clean(plain(" ".join(description.split())), _DESCRIPTION_CHARS))
    if state:
        parts.append(f"Not followed any more: {clean(plain(state), 120)}. No new version will come until it holds a DataFrame again.")
    more = _how_to_read_more(snapshot, versions)
    parts.append(f"Columns: {columns_line(snapshot.df, min(_COLUMNS_CHARS, _room(parts, more) - 20), snapshot.dtypes)}")
    if head := _head(snapshot.df, _room(parts, more)):
        parts.append(head)
    return "\n\n".join([*parts, more])


def _room(parts: list[str], more: str) -> int:
    return MAX_CARD_CHARS - sum(len(part) + 2 for part in [*parts, more])


def facts(snapshot: Snapshot) -> str:
    """Say shape, whose table it is, version, what is new in it, since when, and its memory, in one line."""
    version = [] if snapshot.name.startswith("_") else [f"v{snapshot.version} ({clean(plain(snapshot.summary), 120)})"]
    size = f"{snapshot.nbytes / 1e6:,.1f} MB"
    library = [] if snapshot.origin is None else [snapshot.library]
    return " · ".join([shape_text(snapshot.df), *library, *version, taken_at(snapshot), size])


def shape_text(df: pd.DataFrame) -> str:
    """Say `336,776 rows x 19 columns`."""
    rows, columns = df.shape
    return f"{rows:,} row{'' if rows == 1 else 's'} x {columns:,} column{'' if columns == 1 else 's'}"


def taken_at(snapshot: Snapshot) -> str:
    """When the snapshot was taken, ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(snapshot.taken_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def columns_line(df: pd.DataFrame, max_chars: int, dtypes: Sequence[object] | None = None) -> str:
    """List columns with their dtypes in one line: `year int64, carrier str … and 480 more`.

    Args:
        df: Any DataFrame.
        max_chars: Length of the line.
        dtypes: The columns' types, if other than pandas says.

    Returns:
        The line; how many columns did not fit stands at its end.
    """
    labels = _all_names(df)
    line, room = "", max_chars - len(" … and 99,999 more")
    for count, (label, dtype) in enumerate(zip(labels, _all_dtypes(df, dtypes), strict=True)):
        name = f"{shown_label(label)} {dtype_text(dtype)}"
        longer = f"{line}, {name}" if line else clean(name, 80)
        if len(longer) > room and line:
            return f"{line} … and {len(labels) - count:,} more"
        line = longer
    return line or "none"


def schema(snapshot: Snapshot, *, description: str | None = None, max_chars: int) -> str:
    """Describe every column as JSON.

    Args:
        snapshot: The version described.
        description: The author's words.
        max_chars: Characters of the text; columns that do not fit are counted in `columns_left_out`.

    Returns:
        JSON text: name, version, rows, index, memory, and per column name, dtype, missing values, examples.
    """
    df = snapshot.df
    about: dict[str, Json] = {
        "name": snapshot.name,
        "description": description,
        "version": snapshot.version,
        "taken_at": taken_at(snapshot),
    }
    if snapshot.origin is not None:
        about["library"] = snapshot.library
    about |= {"rows": len(df), "memory_bytes": snapshot.nbytes, "index": _index(df.index), "columns_total": df.shape[1]}
    head = df.iloc[:_EXAMPLE_ROWS]
    room, columns = max_chars - len(_json_text(about)) - 60, []
    for position, (label, dtype) in enumerate(zip(column_labels(df), snapshot.dtypes, strict=True)):
        column = _json_text(_column(label, dtype, df.iloc[:, position], head.iloc[:, position]))
        room -= len(column) + 1
        if room < 0:
            about["columns_left_out"] = df.shape[1] - position
            break
        columns.append(column)
    start = _json_text({key: value for key, value in about.items() if value is not None})
    return f'{start[:-1]},"columns":[{",".join(columns)}]}}'


def _json_text(value: Json) -> str:
    return visible_json(msgspec.json.encode(value).decode("utf-8"))


def dtype_text(dtype: object) -> str:
    """Name a dtype shortly; categories and interval bounds are left out."""
    return plain(clean(str(dtype), 60))


def _column(label: str, dtype: str, column: pd.Series, head: pd.Series) -> dict[str, Json]:
    cells = [cell for cell in encode_values(head, max_chars=60).values if cell is not None]
    examples: list[Json] = []
    for cell in cells:
        if cell not in examples:
            examples.append(cell)
        if len(examples) == _EXAMPLES:
            break
    return {"name": label, "dtype": dtype_text(dtype), "missing": int(column.isna().sum()), "examples": examples}


def _index(index: pd.Index) -> list[dict[str, Json]]:
    if plain_index(index):
        return []
    dtypes = [index.get_level_values(level).dtype for level in range(index.nlevels)]
    return [{"name": name, "dtype": dtype_text(dtype)} for name, dtype in zip(index_names(index), dtypes, strict=True)]


def _all_names(df: pd.DataFrame) -> list[str]:
    return ([] if plain_index(df.index) else [f"{name} (index)" for name in index_names(df.index)]) + column_labels(df)


def _all_dtypes(df: pd.DataFrame, dtypes: Sequence[object] | None) -> list[object]:
    levels: list[object] = [] if plain_index(df.index) else [df.index.get_level_values(level).dtype for level in range(df.index.nlevels)]
    return levels + list(df.dtypes if dtypes is None else dtypes)


def _head(df: pd.DataFrame, room: int) -> str | None:
    for columns in range(min(_HEAD_COLUMNS, df.shape[1]), 0, -1):
        lines = write_rows(df.iloc[:_HEAD_ROWS, :columns], TableFormat.MARKDOWN, max_cell_chars=_HEAD_CELL_CHARS)
        if lines.row_chars and lines.fitting(room) == len(lines.row_chars):
            return lines.text(len(lines.row_chars)).rstrip("\n")
    return None


def _how_to_read_more(snapshot: Snapshot, versions: tuple[int, ...]) -> str:
    uri = f"df://{snapshot.name}"
    kept = f" Versions kept: {versions[0]} to {versions[-1]}; add version={snapshot.version} to stay with this one." if versions else ""
    return f"Read {uri}/schema for every column, {uri}/rows?offset=0&limit=100&columns=a,b&format=csv for rows (csv, json, markdown).{kept}"

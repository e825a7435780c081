"""What stands in a DataFrame, column by column: how much is missing, how many different values, from where to where.

Reading all the data costs (0.2 s for a million rows of ten columns), so it is done where tools run, never on the protocol
loop or the notebook's main thread, and kept per version (`Descriptions`). Cells are shown as `cells` encodes
them everywhere. How a description is written is others' business: `extracts` (JSON), the tool `df_describe` (text).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mcp_workbench.live.dataframes.cards import dtype_text
from mcp_workbench.live.dataframes.cells import column_labels, encode_values
from mcp_workbench.live.dataframes.objects import encode_float, nested_text
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.dataframes.tables import index_names, plain_index
from mcp_workbench.live.dataframes.where_columns import Kind, Operand, Texts, read_operand
from mcp_workbench.protocol.wire import Json

MAX_COLUMNS = 300
"""Columns that are described; of the others there are dtypes in the schema."""
COMMON = 3
"""Most frequent values named for a column of texts or truths."""
MAX_CELL_CHARS = 60
_KEPT = 16
_COUNTED = (Kind.NUMBER, Kind.TEXT, Kind.TRUTH, Kind.TIME, Kind.DURATION)


@dataclass(frozen=True, slots=True)
class Counted:
    """One value and how often it stands."""

    value: Json
    rows: int


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column, or level of the index."""

    name: str
    dtype: str
    missing: int
    distinct: int | None
    """Different values; None where cells are of a type that is not counted here."""
    least: Json = None
    """Of numbers, times and durations."""
    greatest: Json = None
    mean: float | str | None = None
    common: tuple[Counted, ...] = ()
    """Of texts and truths, the most frequent first."""


@dataclass(frozen=True, slots=True)
class Distinct:
    """The different values of one column."""

    name: str
    dtype: str
    rows: int
    missing: int
    total: int
    """How many there are."""
    values: tuple[Counted, ...]
    """The most frequent ones, the most frequent first; equally frequent ones as they come."""


class Descriptions:
    """Descriptions of the latest versions asked for; any thread. Two threads may make the same one at the same time."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[ColumnFacts, ...]] = {}

    def of(self, snapshot: Snapshot) -> tuple[ColumnFacts, ...]:
        """Describe the levels of an index that says something, and the first 300 columns."""
        key = (snapshot.name, snapshot.version)
        if (known := self._known.get(key)) is not None:
            return known
        found = self._known[key] = tuple(column_facts(column, name, dtype) for name, column, dtype in _named_columns(snapshot))
        for old in list(self._known)[:-_KEPT]:
            self._known.pop(old, None)
        return found


def distinct_values(column: pd.Series, name: str, limit: int, dtype: str | None = None) -> Distinct:
    """Count how often each value stands in a column.

    Args:
        column: All its rows.
        name: Its label as text.
        limit: How many values are given.
        dtype: Its type in the words of the library it is of; None: pandas'.

    Returns:
        The most frequent ones.
    """
    operand = read_operand(column, name)
    codes, counts = _counts(column, operand)
    order = np.argsort(-counts, kind="stable")[:limit]
    values = _cells(column, _first_positions(codes, len(counts))[order])
    counted = tuple(Counted(value, int(rows)) for value, rows in zip(values, counts[order], strict=True))
    missing = len(column) - int(counts.sum())
    return Distinct(name, dtype or dtype_text(column.dtype), len(column), missing, len(counts), counted)


def sample_positions(rows: int, n: int, seed: int) -> Any:
    """Positions of `n` rows chosen by chance, ascending; the same for the same seed."""
    return np.sort(np.random.default_rng(seed).choice(rows, size=min(n, rows), replace=False)) if rows else np.arange(0)


def _named_columns(snapshot: Snapshot) -> list[tuple[str, pd.Series, str]]:
    df = snapshot.df
    levels = [] if plain_index(df.index) else index_names(df.index)
    index = [(f"{name} (index)", pd.Series(df.index.get_level_values(level).array)) for level, name in enumerate(levels)]
    return [(name, column, dtype_text(column.dtype)) for name, column in index] + [
        (label, df.iloc[:, position], dtype_text(snapshot.dtypes[position]))
        for position, label in enumerate(column_labels(df)[:MAX_COLUMNS])
    ]


def column_facts(column: pd.Series, name: str, dtype: str | None = None) -> ColumnFacts:
    """Describe one column; its type in the words of the library it is of, None: pandas'."""
    operand = read_operand(column, name)
    dtype, missing = dtype or dtype_text(column.dtype), int(operand.missing.sum())
    if operand.kind is Kind.NOTHING or missing == len(column):
        return ColumnFacts(name, dtype, missing, 0)
    if operand.kind not in _COUNTED:
        return ColumnFacts(name, dtype, missing, None)
    codes, counts = _counts(column, operand)
    if operand.kind in (Kind.TEXT, Kind.TRUTH):
        order = np.argsort(-counts, kind="stable")[:COMMON]
        values = _cells(column, _first_positions(codes, len(counts))[order])
        common = tuple(Counted(value, int(rows)) for value, rows in zip(values, counts[order], strict=True))
        return ColumnFacts(name, dtype, missing, len(counts), common=common)
    least, greatest = _cells(column, _extremes(operand))
    return ColumnFacts(name, dtype, missing, len(counts), least, greatest, _mean(operand))


def _counts(column: pd.Series, operand: Operand) -> tuple[Any, Any]:
    """A number for the value of each row, -1 where it is missing, in the order they come; and how often each stands."""
    values: Any = operand.values
    if operand.kind not in _COUNTED:
        values = np.array([nested_text(cell) for cell in encode_values(column).values], dtype=object)
    codes = values.codes if isinstance(values, Texts) else pd.factorize(values)[0]
    codes, used = pd.factorize(np.where(operand.missing, -1, codes))
    if -1 in used:
        gone = int(np.flatnonzero(used == -1)[0])
        codes = np.where(codes == gone, -1, codes - (codes > gone))
    return codes, np.bincount(codes[codes >= 0])


def _first_positions(codes: Any, count: int) -> Any:
    """Where each value stands first."""
    positions = np.zeros(count, dtype=np.int64)
    backwards = np.arange(len(codes))[::-1]
    known = codes[::-1] >= 0
    positions[codes[::-1][known]] = backwards[known]
    return positions


def _extremes(operand: Operand) -> list[int]:
    present = np.flatnonzero(~operand.missing)
    values: Any = operand.values
    values = values.iloc[present] if isinstance(values, pd.Series) else values[present]
    return [int(present[values.argmin()]), int(present[values.argmax()])]


def _mean(operand: Operand) -> float | str | None:
    if operand.kind is not Kind.NUMBER:
        return None
    with np.errstate(all="ignore"):
        return encode_float(float(f"{operand.values[~operand.missing].astype(float).mean():.6g}"))


def _cells(column: pd.Series, positions: Any) -> list[Json]:
    return encode_values(column.iloc[positions], max_chars=MAX_CELL_CHARS).values

"""Which rows are meant, and the text of as many of them as there is room for.

A selection is rows of one snapshot by position: those a condition is true for, in the order asked for. Whoever
reads a part of it names where the next part begins, so that the parts side by side are the selection.
How parts are asked for (`rows`: by URI; the tool `df_read`) is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mcp_workbench.live.dataframes.cells import MAX_CELL_CHARS
from mcp_workbench.live.dataframes.ordering import Key, order_rows
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.dataframes.tables import Lines, TableFormat, plain_index, write_rows
from mcp_workbench.live.dataframes.where import find_rows, nobody_stops

_ROWS_AT_FIRST = 1_000
_NARROWER_CELLS = (MAX_CELL_CHARS, 1_000, 100)
"""Tried in turn when not even one row fits."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Some rows of a snapshot, in some order."""

    snapshot: Snapshot
    positions: Any = None
    """Of the rows, in order, as an array; None: all as they stand."""
    notes: tuple[str, ...] = ()
    """What should be known of how the condition was read."""

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.snapshot.df) if self.positions is None else len(self.positions)

    def part(self, offset: int, limit: int, columns: tuple[int, ...] | None) -> pd.DataFrame:
        """Take some of the rows.

        Args:
            offset: How many to leave out before.
            limit: How many to take.
            columns: Positions; None: all.
        """
        df = self.snapshot.df
        part = df.iloc[offset : offset + limit] if self.positions is None else df.iloc[self.positions[offset : offset + limit]]
        if plain_index(df.index):  # the offset says all that its labels would
            part = part.set_axis(pd.RangeIndex(len(part)))
        return part if columns is None else part.iloc[:, list(columns)]


@dataclass(frozen=True, slots=True)
class Written:
    """The first rows of a part as text."""

    text: str
    count: int
    """Rows in the text; 0 where there are rows and not even one fits."""
    cell_chars: int
    """Longest text of a cell: what is longer was cut, and says so."""


def select(
    snapshot: Snapshot, where: str | None = None, order: tuple[Key, ...] = (), *, look: Callable[[], None] = nobody_stops
) -> Selection:
    """Find the rows that are meant.

    Args:
        snapshot: Where.
        where: A condition; None: all.
        order: By which columns; empty: as they stand.
        look: Called now and then; what it raises ends the search.

    Raises:
        ArgumentError: The condition or the order cannot be read, or does not fit these columns; says what to write.
    """
    if where is None and not order:
        return Selection(snapshot)
    matches = None if where is None else find_rows(snapshot, where, look)
    positions = None if matches is None else matches.rows
    look()
    return Selection(snapshot, order_rows(snapshot, positions, order) if order else positions, matches.notes if matches else ())


def write_part(part: pd.DataFrame, table_format: TableFormat, max_chars: int) -> Written:
    """Write as many of the first rows as fit; cells are cut shorter where not even one does.

    Args:
        part: What `Selection.part` gave.
        table_format: How.
        max_chars: Characters of the text.
    """
    for cell_chars in _NARROWER_CELLS:
        lines, count = _fitting(part, table_format, max_chars, cell_chars)
        if count or not len(part):
            break
    return Written(lines.text(count), count, cell_chars)


def _fitting(part: pd.DataFrame, table_format: TableFormat, max_chars: int, cell_chars: int) -> tuple[Lines, int]:
    """Without encoding ten thousand rows to send a thousand."""
    rows = _ROWS_AT_FIRST
    while True:
        lines = write_rows(part.iloc[:rows], table_format, max_cell_chars=cell_chars)
        count = lines.fitting(max_chars)
        if count < rows or rows >= len(part):
            return lines, count
        rows *= 2

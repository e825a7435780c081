"""The texts of `df_describe`: a DataFrame column by column, and one column by its values."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from mcp_workbench.events import ChangeKind
from mcp_workbench.live.dataframes.cards import columns_line, shape_text
from mcp_workbench.live.dataframes.describing import ColumnFacts, Distinct, column_facts, distinct_values, sample_positions
from mcp_workbench.live.dataframes.names import is_result
from mcp_workbench.live.dataframes.objects import clean, nested_text
from mcp_workbench.live.dataframes.selection import Selection, write_part
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.dataframes.tables import TableFormat
from mcp_workbench.live.dataframes.where import type_of
from mcp_workbench.protocol.wire import Json
from mcp_workbench.serving.builtin.fitting import call_text, counted, facts
from mcp_workbench.wording import plain

SAMPLE_ROWS = 3
VALUES = 100
"""Different values of a column that are listed."""
NUMBERS = 20
"""... of numbers and times, where there are more than so many: their range says more."""
_HEADER = ["column", "dtype", "missing", "different", "values"]
_DESCRIPTION_CHARS = 300
_SAMPLE_SHARE = 4
"""One in so many characters is for the sample."""
_ALSO_CHARS = 1_000
_PLAIN_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class DataFrameReport:
    """One version, described."""

    snapshot: Snapshot
    columns: tuple[ColumnFacts, ...]
    description: str | None
    """The author's words."""

    def write(self, max_chars: int, took: str, news: str) -> str:
        """As many columns as there is room for, and what the others are called.

        Args:
            max_chars: Characters of the whole text.
            took: How long describing took.
            news: What is new of the DataFrame; empty when nothing is.
        """
        snapshot = self.snapshot
        new = "" if is_result(snapshot.name) or snapshot.kind is ChangeKind.PUBLISHED else f" ({clean(snapshot.summary, 120)})"
        head = [
            facts(
                shape_text(snapshot.df),
                f"{snapshot.label}{new}",
                "" if snapshot.origin is None else snapshot.library,
                _size(snapshot.nbytes),
                took,
            )
        ]
        if self.description:
            head.append(clean(" ".join(self.description.split()), _DESCRIPTION_CHARS))
        tail = ([news] if news else []) + [self._next()]
        room = max_chars - sum(len(line) + 1 for line in [*head, *tail])
        sample = self._sample(room // _SAMPLE_SHARE)
        return "\n".join([*head, *self._table(room - sum(len(line) + 1 for line in sample)), *sample, *tail])

    def _table(self, room: int) -> list[str]:
        table = pd.DataFrame([_line(column) for column in self.columns], columns=_HEADER, dtype=object)
        written = write_part(table, TableFormat.CSV, room)
        if written.count == len(table) and len(self.snapshot.df.columns) <= len(table):
            return [written.text.removesuffix("\n")]
        written = write_part(table, TableFormat.CSV, max(room - _ALSO_CHARS, room // 2))
        shown = sum(not column.name.endswith(" (index)") for column in self.columns[: written.count])
        rest = self.snapshot.df.iloc[:, shown:].reset_index(drop=True)
        also = columns_line(rest, min(_ALSO_CHARS, room // 2) - 60, self.snapshot.dtypes[shown:])
        return [written.text.removesuffix("\n"), f"The other {self.snapshot.df.shape[1] - shown:,} columns: {plain(also)}"]

    def _sample(self, room: int) -> list[str]:
        rows = len(self.snapshot.df)
        part = Selection(self.snapshot, sample_positions(rows, SAMPLE_ROWS, 0)).part(0, SAMPLE_ROWS, None)
        written = write_part(part, TableFormat.CSV, room - 40)
        if not written.count:
            return []
        return ["All rows:" if written.count == rows else f"{counted(written.count, 'row')} by chance:", written.text.removesuffix("\n")]

    def _next(self) -> str:
        name = self.snapshot.name
        texts = [column.name for column in self.columns if column.common]
        column = texts[0] if texts else self.columns[-1].name if self.columns else None
        if column is None:
            return "It has no columns."
        return (
            f"Next: {call_text('df_describe', name, column)} for the values of a column, {call_text('df_read', name, where='…')} for rows."
        )


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """One column of one version."""

    snapshot: Snapshot
    facts: ColumnFacts
    values: Distinct

    @classmethod
    def of(cls, snapshot: Snapshot, column: pd.Series, name: str) -> ColumnReport:
        """Look at all its rows."""
        dtype = type_of(snapshot, name, column)
        described = column_facts(column, name, dtype)
        several = described.least is not None and (described.distinct or 0) > VALUES
        return cls(snapshot, described, distinct_values(column, name, NUMBERS if several else VALUES, dtype))

    def write(self, max_chars: int, took: str, news: str) -> str:
        """As many of its values as there is room for."""
        found, name = self.values, self.facts.name
        missing = f"{found.missing:,} missing" if found.missing else "none missing"
        different = f"{counted(found.total, 'different value')} in {counted(found.rows, 'row')}"
        head = [facts(different, f"{name} ({found.dtype}) of {self.snapshot.label}", missing, took)]
        if self.facts.least is not None:
            head.append(_values(self.facts))
        tail = [news] if news else []
        longest = self._end(found.total, found.total + 1)
        table = pd.DataFrame([(each.value, each.rows) for each in found.values], columns=["value", "rows"], dtype=object)
        written = write_part(table, TableFormat.CSV, max_chars - sum(len(line) + 1 for line in [*head, longest, *tail]))
        rows = [written.text.removesuffix("\n")] if written.count else []
        return "\n".join([*head, *rows, *tail, self._end(written.count, found.total)])

    def _end(self, shown: int, total: int) -> str:
        name, column = self.snapshot.name, self.facts.name
        if not total:
            return f"Nothing stands in it. {call_text('df_describe', name)} describes the other columns."
        these = "These are all." if shown == total else f"{shown:,} of {total:,} shown, the most frequent first."
        where = condition(column, self.values.values[0].value)
        further = call_text("df_read", name, where=where) if where else call_text("df_read", name, columns=[column])
        return f"{these} Next: {further}"


def condition(column: str, value: Json) -> str | None:
    """`carrier = 'UA'`, as `where` takes it; None for a value that cannot be compared."""
    label = column if _PLAIN_NAME.fullmatch(column) else '"' + column.replace('"', '""') + '"'
    if isinstance(value, bool):
        return f"{label} = {str(value).upper()}"
    if isinstance(value, int | float):
        return f"{label} = {value}"
    return f"{label} = '" + value.replace("'", "''") + "'" if isinstance(value, str) and "… (+" not in value else None


def _size(nbytes: int) -> str:
    return f"{nbytes / 1e3:,.1f} kB" if nbytes < 100_000 else f"{nbytes / 1e6:,.1f} MB"


def _line(column: ColumnFacts) -> tuple[str, str, int, int | None, str]:
    return plain(column.name), column.dtype, column.missing, column.distinct, _values(column)


def _values(column: ColumnFacts) -> str:
    if column.common:
        return "; ".join(f"{_said(each.value)} ({each.rows})" for each in column.common)
    if column.least is None:
        return ""
    mean = "" if column.mean is None or column.least == column.greatest else f"; mean {_said(column.mean)}"
    return f"{_said(column.least)}{'' if column.least == column.greatest else f' to {_said(column.greatest)}'}{mean}"


def _said(value: Json) -> str:
    return value if isinstance(value, str) else nested_text(value)

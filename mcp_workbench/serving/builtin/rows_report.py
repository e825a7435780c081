"""The text of `df_read`: facts, rows as CSV, and the call that reads on where this one ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcp_workbench.errors import ToolError
from mcp_workbench.live.dataframes.cells import MAX_CELL_CHARS, column_labels
from mcp_workbench.live.dataframes.columns import some_labels
from mcp_workbench.live.dataframes.names import is_result
from mcp_workbench.live.dataframes.selection import Selection, write_part
from mcp_workbench.live.dataframes.tables import TableFormat
from mcp_workbench.serving.builtin.fitting import LONGEST_TOOK, call_text, counted, facts

_CELLS_CUT = "Cells are cut to {:,} characters."
_LONGEST_CALL = 2_500
"""Characters of a call that is spelled out; a longer one is said in words."""


@dataclass(frozen=True, slots=True)
class RowsReport:
    """One call of `df_read`, understood."""

    selection: Selection
    positions: tuple[int, ...] | None
    """Of the columns; None: all."""
    where: str | None
    order: list[str]
    offset: int
    limit: int | None
    """None: as many as fit."""

    def write(self, max_chars: int, took: Callable[[], str], news: str) -> str:
        """As many rows as there is room for.

        Args:
            max_chars: Characters of the whole text.
            took: How long it has taken, as text.
            news: What is new of the DataFrame; empty when nothing is.

        Raises:
            ToolError: Not even one row fits.
        """
        remarks = [f"{note[:1].upper()}{note[1:]}." for note in self.selection.notes] + ([news] if news else [])
        total = len(self.selection)
        longest = [self._facts(total, LONGEST_TOOK), *remarks, _CELLS_CUT.format(1_000), self._end(0, total), self._end(total, total)]
        room = max(max_chars - sum(len(line) + 1 for line in longest), 1)
        part = self.selection.part(self.offset, room if self.limit is None else min(self.limit, room), self.positions)
        written = write_part(part, TableFormat.CSV, room)
        if len(part) and not written.count:
            raise ToolError(self._too_wide(part.shape[1], max_chars))
        if written.count and written.cell_chars < MAX_CELL_CHARS:
            remarks.insert(0, _CELLS_CUT.format(written.cell_chars))
        rows = [written.text.removesuffix("\n")] if written.count or not total else []
        return "\n".join([self._facts(written.count, took()), *rows, *remarks, self._end(written.count, total)])

    def _facts(self, count: int, took: str) -> str:
        snapshot, total = self.selection.snapshot, len(self.selection)
        rows, columns = snapshot.df.shape
        matching = f"{total:,} matching row{'' if total == 1 else 's'}" if self.where is not None else counted(total, "row")
        wide = f"{len(self.positions):,} of {counted(columns, 'column')}" if self.positions is not None else counted(columns, "column")
        return facts(
            f"{matching if count == total else f'{count:,} of {matching}'} x {wide}",
            f"from row {self.offset:,}" if self.offset and count else "",
            f"{rows:,} rows in all" if self.where is not None else "",
            snapshot.label,
            took,
        )

    def _end(self, count: int, total: int) -> str:
        """What to do next."""
        end = self.offset + count
        if not total:
            return self._nothing()
        if not count and self.limit != 0:
            return f"There is nothing from row {self.offset:,} on. More: {self._call(0)}"
        if end < total:
            return f"More: {self._call(end)}"
        return "These are the last." if self.offset else "These are all."

    def _nothing(self) -> str:
        snapshot = self.selection.snapshot
        if self.where is None:
            return f"{snapshot.label} has no rows."
        return f"No row matches. {call_text('df_describe', snapshot.name)} says what stands in the columns."

    def _call(self, offset: int) -> str:
        snapshot = self.selection.snapshot
        version = None if is_result(snapshot.name) else snapshot.version
        call = call_text(
            "df_read",
            snapshot.name,
            columns=self._columns(),
            where=self.where,
            order=self.order,
            offset=offset,
            limit=self.limit or None,
            version=version,
        )
        if len(call) <= _LONGEST_CALL:
            return call
        return f"the same call with offset={offset}" + (f" and version={version}" if version else "")

    def _columns(self) -> list[str]:
        """As they are called, however they were asked for; a label gives all of its columns."""
        labels = column_labels(self.selection.snapshot.df)
        return list(dict.fromkeys(labels[at] for at in self.positions or ()))

    def _too_wide(self, columns: int, max_chars: int) -> str:
        snapshot = self.selection.snapshot
        return (
            f"One row of {columns:,} columns does not fit into {max_chars:,} characters. Ask for fewer: "
            f"{call_text('df_read', snapshot.name)[:-1]}, columns=[…]). Columns: {some_labels(snapshot)}."
        )

"""When calls took how long: for every tool, and for all together, the last ten minutes in columns of ten seconds.

A call stands in the column in which it ended: then it is counted, and what slows calls down shows where it did. A row is half
a doubling of the total time, so that a histogram's bucket (`histogram`) falls into one row whole. Failed calls are counted by
themselves: how long it took to fail would blur how long the tool takes.

Knows no clock and no call: when one ended and in which bucket it lies is said by `aggregates`, as is what counts.
One thread at a time adds; any thread may read.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcp_workbench.telemetry.histogram import SCALE

COLUMN_S = 10
COLUMNS = 60
_ROW_SHIFT = SCALE - 1
"""From a bucket's index to its row: `2**SCALE` buckets, and two rows, are a doubling."""


@dataclass(frozen=True, slots=True)
class Column:
    """Ten seconds."""

    at: float
    """When it begins, in seconds since 1970; a multiple of ten."""
    cells: tuple[tuple[int, int], ...]
    """Row and count of calls that ended well, ascending; row `r` holds the durations in `(2**(r/2), 2**((r+1)/2)]` seconds."""
    failed: int


class _Cells:
    """A column while it is counted."""

    __slots__ = ("counts", "failed", "last")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.failed = 0
        self.last = 0
        """Number of the latest record in it."""


class Heat:
    """The columns of one tool. The `COLUMNS` that came last are kept, also when a clock was set back a little meanwhile."""

    __slots__ = ("_columns",)

    def __init__(self) -> None:
        self._columns: dict[int, _Cells] = {}

    def add(self, column: int, bucket: int | None, seq: int) -> bool:
        """Count one call; says whether a column was begun for it."""
        cells = self._columns.get(column)
        begun = cells is None
        if cells is None:
            cells = self._begin(column)
        if bucket is None:
            cells.failed += 1
        else:
            row = bucket >> _ROW_SHIFT
            cells.counts[row] = cells.counts.get(row, 0) + 1
        cells.last = seq  # last: who has seen this number has seen the call
        return begun

    def _begin(self, column: int) -> _Cells:
        if len(self._columns) >= COLUMNS:
            del self._columns[next(iter(self._columns))]
        self.leave_out_ahead(column)
        cells = self._columns[column] = _Cells()
        return cells

    def leave_out_ahead(self, column: int) -> None:
        """Forget what lies more than `COLUMNS` ahead: the clock was wrong then, and has been set right."""
        for ahead in [one for one in self._columns if one >= column + COLUMNS]:
            del self._columns[ahead]

    def has_any_after(self, column: int) -> bool:
        """Whether there is a later column."""
        return any(one > column for one in self._columns)

    def columns(self, oldest: int, after: int) -> list[Column]:
        """The `COLUMNS` from `oldest` on, and the next, that have a record after the number `after`, ascending."""
        items = self._columns.copy().items()  # one step for other threads, unlike iterating
        wanted = sorted((number, cells) for number, cells in items if oldest <= number <= oldest + COLUMNS and cells.last > after)
        return [Column(float(number * COLUMN_S), tuple(sorted(cells.counts.copy().items())), cells.failed) for number, cells in wanted]


class Heatmaps:
    """The heat of every tool that was called in the last ten minutes, and of all together.

    Args:
        max_tools: Tools told apart; the calls of further ones are seen among all.
    """

    def __init__(self, max_tools: int) -> None:
        self._max_tools = max_tools
        self._all = Heat()
        self._by_tool: dict[str, Heat] = {}

    def __len__(self) -> int:
        """Count the tools."""
        return len(self._by_tool)

    def add(self, tool: str, ended_at: float, bucket: int | None, seq: int) -> None:
        """Count one call.

        Args:
            tool: Its name.
            ended_at: Seconds since 1970.
            bucket: Of its total time; None: it failed.
            seq: Number of its record.
        """
        column = int(ended_at // COLUMN_S)
        begun = self._all.add(column, bucket, seq)
        if (heat := self._by_tool.get(tool)) is not None:  # before quiet ones are dropped: this is none
            heat.add(column, bucket, seq)
        if begun:
            self._drop_quiet(column)
        if heat is None and len(self._by_tool) < self._max_tools:
            self._by_tool[tool] = heat = Heat()
            heat.add(column, bucket, seq)

    def columns(self, tool: str, now: float, after: int = -1) -> list[Column]:
        """The last ten minutes of one tool.

        Args:
            tool: Its name; empty: all together.
            now: Seconds since 1970; its column is the newest of `COLUMNS`.
            after: Only columns with a record after this number.
        """
        heat = self._by_tool.get(tool) if tool else self._all
        return [] if heat is None else heat.columns(int(now // COLUMN_S) - COLUMNS + 1, after)

    def _drop_quiet(self, column: int) -> None:
        """Forget the tools of which no column can be shown any more."""
        for heat in self._by_tool.values():
            heat.leave_out_ahead(column)
        quiet = [tool for tool, heat in self._by_tool.items() if not heat.has_any_after(column - COLUMNS)]
        for tool in quiet:
            del self._by_tool[tool]

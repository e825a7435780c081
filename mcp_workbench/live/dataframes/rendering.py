"""A table that a tool returned, of pandas or another library -> a preview, and a link to the whole.

The first line says what it is and how much of it is shown, then columns with dtypes, then rows as CSV within
the tool's bound of characters; where not even one row fits, rows of the first columns only. The whole stays in
the kernel as `_rN`: read by URI, or passed by name to the next tool. It is not sent as structured content too,
which would cost the model half as much again.
"""

from __future__ import annotations

import pandas as pd

from mcp_workbench.errors import ToolError
from mcp_workbench.events import ChangeKind
from mcp_workbench.live.dataframes import json_forms
from mcp_workbench.live.dataframes.cards import columns_line, shape_text
from mcp_workbench.live.dataframes.cells import label_text
from mcp_workbench.live.dataframes.foreign import UnservableTable, kind_of
from mcp_workbench.live.dataframes.snapshots import Snapshot, freeze_table, take_snapshot
from mcp_workbench.live.dataframes.tables import Lines, TableFormat, write_rows
from mcp_workbench.live.results import Results
from mcp_workbench.primitives.rendering import Rendered, RenderRequest
from mcp_workbench.protocol.wire import Content, ResourceLink, TextContent

json_forms.register_all()

_COLUMNS_CHARS = 400
_NOTE_CHARS = 250
_CELL_CHARS = 200
_NARROW_CELL_CHARS = 40


class DataFrameRenderer:
    """Renders DataFrames, Series and other libraries' tables; runs where tools run, never on the protocol loop.

    Args:
        results: Where what is rendered is kept.
    """

    def __init__(self, results: Results) -> None:
        self._results = results

    def render(self, value: object, request: RenderRequest) -> Rendered | None:
        """Render a tool's result.

        Args:
            value: Anything.
            request: For whom, and how many characters.

        Returns:
            Preview and link; None when the value is no table.

        Raises:
            ToolError: It is one that cannot be read.
        """
        if not isinstance(value, pd.DataFrame | pd.Series) and kind_of(value) is None:
            return None
        try:
            kept = self._results.keep(value, request.principal)
            if kept is None:
                return Rendered([TextContent(text=self._preview(_not_kept(value), request, kept=False))])
        except UnservableTable as error:
            raise ToolError(str(error)) from error
        link = ResourceLink(uri=f"df://{kept.name}", name=kept.name, description=shape_text(kept.df), mime_type="text/markdown")
        content: list[Content] = [TextContent(text=self._preview(kept, request, kept=True)), link]
        return Rendered(content)

    def _preview(self, snapshot: Snapshot, request: RenderRequest, *, kept: bool) -> str:
        total = len(snapshot.df)
        columns = columns_line(snapshot.df, min(_COLUMNS_CHARS, max(60, request.max_chars // 4)), snapshot.dtypes)
        room = request.max_chars - len(columns) - _NOTE_CHARS
        lines, count, width = _rows(snapshot.df, room)
        name = f" · {snapshot.name}" if kept else ""
        shown = shape_text(snapshot.df) if count == total else f"{count:,} of {shape_text(snapshot.df)}"
        cut = f" · rows show the first {width:,} columns" if count and width < snapshot.df.shape[1] else ""
        more = self._more(snapshot, count, total, kept=kept, cut=bool(cut), by_tool=request.by_tool())
        return f"{shown}{name}{cut}\n{columns}\n\n{lines.text(count)}{more}"

    def _more(self, snapshot: Snapshot, count: int, total: int, *, kept: bool, cut: bool, by_tool: bool) -> str:
        if not kept:
            bound = self._results.max_bytes
            why = f": larger than the {bound >> 20} MiB for all results" if snapshot.memory.alive > bound else ""
            return f"\nNot kept{why}. Have the tool return a part or a summary."
        if count == total and not cut:
            return ""
        name = snapshot.name
        if by_tool:
            option = 'columns="NAME,NAME"' if cut else f"offset={count}"
            return f'\nMore: df_read("{name}", {option}), or pass "{name}" to another tool.'
        return f'\nMore: df://{name}/rows?{"columns=NAME,NAME" if cut else f"offset={count}"}, or pass "{name}" to another tool.'


def _rows(df: pd.DataFrame, room: int) -> tuple[Lines, int, int]:
    """As many rows as fit, with all columns or else with the first ones: the text, rows and columns in it."""
    if _can_fit(df, room):
        lines, count = _rows_of_all_columns(df, room)
        if count or not len(df):
            return lines, count, df.shape[1]
    width = _leading_columns(df, room // 2)
    while width:
        lines, count = _rows_of_all_columns(df.iloc[:, :width], room)
        if count:
            return lines, count, width
        width //= 2
    return write_rows(df.iloc[:0, :0], TableFormat.CSV), 0, 0


def _can_fit(df: pd.DataFrame, room: int) -> bool:
    """Ask the labels before thousands of columns are encoded; a row takes at least one character a column."""
    columns = df.shape[1]
    return 2 * columns <= room and _leading_columns(df, room - columns) == columns


def _leading_columns(df: pd.DataFrame, room: int) -> int:
    """Count the columns whose labels fit."""
    for count, label in enumerate(df.columns):
        room -= len(label_text(label)) + 1
        if room < 0:
            return count
    return df.shape[1]


def _rows_of_all_columns(df: pd.DataFrame, room: int) -> tuple[Lines, int]:
    # A cell takes at least one character with its comma, so more rows than this need not even be encoded.
    head = df.iloc[: max(1, room // max(1, df.shape[1])) + 1]
    lines = write_rows(head, TableFormat.CSV, max_cell_chars=_CELL_CHARS)
    if not (count := lines.fitting(room)):
        lines = write_rows(head, TableFormat.CSV, max_cell_chars=_NARROW_CELL_CHARS)
        count = lines.fitting(room)
    return lines, count


def _not_kept(value: object) -> Snapshot:
    frozen, origin = freeze_table(value, "value")
    return take_snapshot("_", 1, frozen, ChangeKind.PUBLISHED, "", 0.0, origin)

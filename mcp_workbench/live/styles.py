"""DataFrame styles (`df.style`) that a tool returned, shown as the table they style: rows and columns, never HTML.

What the author hid stays hidden, the index included; colours and formats are for eyes, the values come as they are.
pandas' style module needs jinja2 and is not imported here: who returns a style has it.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from mcp_workbench.primitives.rendered import Rendered, Renderer, RenderRequest


def is_style(kind: type) -> bool:
    """The type is pandas' `Styler`, or made from it."""
    return any(base.__name__ == "Styler" and base.__module__ == "pandas.io.formats.style" for base in kind.__mro__)


def styled_table(style: Any) -> pd.DataFrame:
    """The table without what is hidden.

    Args:
        style: A `Styler`.

    Returns:
        A DataFrame that shares its data with the styled one.
    """
    df: pd.DataFrame = style.data
    hidden_rows, hidden_columns = set(style.hidden_rows), set(style.hidden_columns)
    if hidden_rows:
        df = df.iloc[[at for at in range(len(df)) if at not in hidden_rows]]
    if hidden_columns:
        df = df.iloc[:, [at for at in range(df.shape[1]) if at not in hidden_columns]]
    return df.reset_index(drop=True) if all(style.hide_index_) else df


class StyleRenderer:
    """Renders styles; runs where tools run.

    Args:
        tables: Renders the DataFrames.
    """

    def __init__(self, tables: Renderer) -> None:
        self._tables = tables

    def render(self, value: object, request: RenderRequest) -> Rendered | None:
        """The table as any other; None when the value is no style."""
        return self._tables.render(styled_table(value), request) if is_style(type(value)) else None

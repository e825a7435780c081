"""The first rows of a DataFrame as text, cell by cell, for a table on a screen.

Cells are written as `df_read` writes them (`live.dataframes.cells`): no attribute, no repr of any object, and what is cut says
by how much. It reads data, so it runs in a thread (`dataframes.py` beside it), never on the protocol loop.
"""

from __future__ import annotations

import pandas as pd

from mcp_workbench.live.dataframes.cells import column_labels, encode_values
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.dataframes.tables import cell_texts, index_names, plain_index
from mcp_workbench.views.messages import Column, Preview
from mcp_workbench.wording import visible

ROWS = 50
COLUMNS = 40
LEVELS = 10
"""Levels of an index, the outermost."""
CELL_CHARS = 200
"""Characters of a cell; of a longer one the beginning, an ellipsis, and how many more there are."""


def preview(snapshot: Snapshot, re: int) -> Preview:
    """What is shown of one version.

    Args:
        snapshot: The version.
        re: The request it answers.

    Returns:
        The first `ROWS` rows of the first `COLUMNS` columns, and before them those of an index that says more than
        which row it is. A missing value is an empty text.
    """
    head = snapshot.df.iloc[:ROWS, :COLUMNS]
    index = [] if plain_index(head.index) else [head.index.get_level_values(level) for level in range(min(head.index.nlevels, LEVELS))]
    values: list[pd.Index | pd.Series] = [*index, *(column for _label, column in head.items())]
    texts = [cell_texts(encode_values(one, max_chars=CELL_CHARS)) for one in values]
    return Preview(
        re=re,
        name=snapshot.name,
        version=snapshot.version,
        columns=(*_index_columns(index, head.index), *map(_column, column_labels(head), snapshot.dtypes)),
        rows=tuple(zip(*texts, strict=True)) if texts else ((),) * len(head),
        all_rows=len(snapshot.df),
        all_columns=snapshot.df.shape[1],
        index_columns=len(index),
    )


def _index_columns(levels: list[pd.Index], index: pd.Index) -> list[Column]:
    return [_column(name, str(level.dtype)) for name, level in zip(index_names(index), levels, strict=False)]


def _column(name: str, dtype: str) -> Column:
    return Column(name=visible(name), dtype=visible(dtype))

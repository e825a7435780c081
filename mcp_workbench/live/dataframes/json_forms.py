"""pandas scalars and arrays inside what tools return -> JSON, told to `primitives.jsonable`, which knows no pandas.

Times, periods and intervals become the same texts as in DataFrame cells, except that there is no cutting.
A DataFrame, or another library's table, inside a list or dict becomes split JSON, as `df://…/rows?format=json` gives it, up to a bound.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pandas as pd

from mcp_workbench.errors import ToolError
from mcp_workbench.live.dataframes.cells import MAX_CELL_CHARS, column_labels, encode_values
from mcp_workbench.live.dataframes.foreign import UnservableTable, kind_of_type
from mcp_workbench.live.dataframes.objects import encode_object
from mcp_workbench.live.dataframes.snapshots import freeze_table
from mcp_workbench.live.dataframes.tables import index_names, plain_index
from mcp_workbench.primitives import jsonable
from mcp_workbench.protocol.wire import Json

MAX_CELLS = 100_000
"""Cells of a DataFrame or Series inside another value; returned by itself it may have any size."""


@functools.cache
def register_all() -> None:
    """Teach `jsonable` what pandas brings; once per process."""
    scalars = (pd.Timestamp, type(pd.NaT), type(pd.NA), pd.Timedelta, pd.Period, pd.Interval)
    jsonable.register(_one_of(*scalars), _scalar)
    jsonable.register(_one_of(pd.Series, pd.Index, pd.api.extensions.ExtensionArray), _values)
    jsonable.register(_one_of(pd.DataFrame), _split)
    jsonable.register(_is_table, _split_table)


def _one_of(*kinds: type) -> Callable[[type], bool]:
    return lambda kind: issubclass(kind, kinds)


def _is_table(kind: type) -> bool:
    return kind_of_type(kind) is not None


def _split_table(table: Any) -> Json:
    try:
        df, _origin = freeze_table(table, "value")
    except UnservableTable as error:
        raise ToolError(str(error)) from error
    return _split(df)


def _scalar(value: Any) -> Json:
    return encode_object(value, MAX_CELL_CHARS)


def _values(value: Any) -> Json:
    _check_size(value, len(value))
    if isinstance(value, pd.MultiIndex):
        levels = [encode_values(value.get_level_values(level)).values for level in range(value.nlevels)]
        return [list(labels) for labels in zip(*levels, strict=True)]
    return encode_values(value if isinstance(value, pd.Series | pd.Index) else pd.Series(value)).values


def _split(df: Any) -> Json:
    _check_size(df, df.size)
    cells = [encode_values(column).values for _label, column in df.items()]
    split: dict[str, Json] = {"columns": column_labels(df), "data": [list(row) for row in zip(*cells, strict=True)]}
    if not plain_index(df.index):
        split["index_names"], split["index"] = index_names(df.index), _values(df.index)
    return split


def _check_size(value: object, cells: int) -> None:
    if cells > MAX_CELLS:
        raise ToolError(
            f"The result holds a {type(value).__name__} of {cells:,} values inside another value; up to {MAX_CELLS:,} are sent so. "
            "Return it by itself: then it is kept and read in pages."
        )

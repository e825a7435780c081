"""A version of a table, in the kind of table that a tool's parameter asks for.

A polars DataFrame or pyarrow Table that was published (or returned) is handed out as it is; everything else goes over
Arrow, and what cannot is refused with a sentence. Nobody's writes reach anybody else: pyarrow's memory is
immutable, polars copies before it writes, and pandas is lent (`lending`).
"""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from narwhals.dependencies import get_duckdb, get_polars

from mcp_workbench.live.dataframes.cells import column_labels
from mcp_workbench.live.dataframes.foreign import TableKind, UnservableTable, kind_of, reading
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.dataframes.tables import index_names, plain_index
from mcp_workbench.primitives.wording import type_name

_connections = threading.local()


def as_published(snapshot: Snapshot) -> Any:
    """Hand out a version in the kind its author published."""
    return snapshot.copy() if snapshot.origin is None else as_kind(snapshot, snapshot.origin.kind)


def as_kind(snapshot: Snapshot, kind: TableKind) -> Any:
    """Hand out a version in a kind of table; that library is loaded, or nobody could ask for it.

    Args:
        snapshot: Which.
        kind: As what.

    Returns:
        A polars DataFrame or LazyFrame, a pyarrow Table or a DuckDB relation; theirs who asked.

    Raises:
        UnservableTable: Something in it has no type there.
    """
    with reading(f"{snapshot.label} cannot be passed as a {kind.value}"):
        match kind:
            case TableKind.ARROW:
                return _arrow(snapshot)
            case TableKind.POLARS:
                return _polars(snapshot)
            case TableKind.POLARS_LAZY:
                return _polars(snapshot).lazy()
            case TableKind.DUCKDB:
                return _relation(_arrow(snapshot))


def _held(snapshot: Snapshot) -> Any:
    return None if snapshot.origin is None else snapshot.origin.held


def _arrow(snapshot: Snapshot) -> Any:
    held = _held(snapshot)
    if held is not None and kind_of(held) is TableKind.ARROW:
        return held
    return _to_arrow(snapshot.df)


def _to_arrow(df: pd.DataFrame) -> Any:
    """Labels become text, missing values null, periods and intervals text; an index that does more than count comes first, as in rows."""
    import pyarrow as pa  # loaded only where somebody asks for a table of its kind

    levels = [] if plain_index(df.index) else [df.index.get_level_values(level) for level in range(df.index.nlevels)]
    names = ([] if plain_index(df.index) else index_names(df.index)) + column_labels(df)
    columns = [*(pd.Series(level.array) for level in levels), *(df.iloc[:, at].reset_index(drop=True) for at in range(df.shape[1]))]
    plain: dict[Any, Any] = {at: _without_pandas_types(column, names[at]) for at, column in enumerate(columns)}
    table = pa.Table.from_pandas(pd.DataFrame(plain, index=pd.RangeIndex(len(df)), copy=False), preserve_index=False)
    return table.rename_columns(names).replace_schema_metadata(None)


def _without_pandas_types(column: pd.Series, name: str) -> pd.Series:
    """Periods and intervals as text: no other library knows them, and would take the numbers inside."""
    if isinstance(column.dtype, pd.PeriodDtype | pd.IntervalDtype):
        return column.astype(object).map(str, na_action="ignore")
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "O":
        _check_one_type(column, name)
    return pd.Series(np.asarray(column.array)) if isinstance(column.dtype, pd.SparseDtype) else column


def _check_one_type(column: pd.Series, name: str) -> None:
    """Refuse what Arrow would make one type of: a time of day would be cut off beside a date, a text become bytes."""
    cells = column[~column.isna()].tolist()
    families = {_family(kind) for kind in set(map(type, cells))}
    if families == {dt.datetime} and len({cell.tzinfo is None for cell in cells}) > 1:
        raise UnservableTable(f"Column {name} holds times with and without a time zone. The tool would have to take a pandas DataFrame.")
    if len(families) > 1:
        kinds = ", ".join(sorted(map(type_name, families)))
        raise UnservableTable(f"Column {name} holds cells of several types ({kinds}). The tool would have to take a pandas DataFrame.")


def _family(kind: type) -> type:
    return next((family for family, members in _FAMILIES if issubclass(kind, members)), kind)


_FAMILIES: tuple[tuple[type, tuple[type, ...]], ...] = (
    (bool, (bool, np.bool_)),
    (float, (int, float, Decimal, np.integer, np.floating)),
    (bytes, (bytes, bytearray)),
    (dt.datetime, (dt.datetime,)),
    (dt.timedelta, (dt.timedelta, np.timedelta64)),
    (list, (list, tuple, np.ndarray)),
)
"""Types whose cells may stand in one column and stay what they are."""


def _polars(snapshot: Snapshot) -> Any:
    held = _held(snapshot)
    if held is not None and kind_of(held) is TableKind.POLARS:
        return held.clone()
    table = _arrow(snapshot)
    for field in table.schema:
        _check_for_polars(field.name, field.type)
        if str(field.type).startswith("decimal"):  # a HUGEINT of DuckDB's may have a digit more, which polars would round
            table.column(field.name).validate(full=True)
    return get_polars().from_arrow(table)


def _check_for_polars(name: str, kind: Any) -> None:
    """Refuse what polars has not: asked for it, it panics."""
    for each in [kind, *(kind.field(at).type for at in range(kind.num_fields))]:
        if str(each).startswith(_NOT_IN_POLARS):
            raise UnservableTable(f"Column {name} is {each}, which polars has not. The tool would have to take a pyarrow Table.")
        if each is not kind:
            _check_for_polars(name, each)


_NOT_IN_POLARS = ("decimal256", "month_day_nano_interval", "sparse_union", "dense_union")


def _relation(table: Any) -> Any:
    """A relation on a connection of this thread's: DuckDB's own is the notebook's, and refuses when that is busy.

    All of a thread's are on one connection, because only then they can be joined.
    """
    duckdb = get_duckdb()
    try:
        return _connections.duckdb.from_arrow(table)
    except (AttributeError, duckdb.Error):  # none yet, or one that an earlier tool left in use
        _connections.duckdb = duckdb.cursor()
        return _connections.duckdb.from_arrow(table)

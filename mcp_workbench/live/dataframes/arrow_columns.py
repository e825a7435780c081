"""Arrow tables -> pandas DataFrames in which every value is still what it was.

`pyarrow.Table.to_pandas()` makes floats of whole numbers beside a missing one, and objects of decimals and
dates. Here the columns of a table become Arrow-backed columns over the same memory (`pd.ArrowDtype`), so nothing is
converted, however large it is; dictionaries become categories, which pandas works with better. `unarrowed` is
what encoders and conditions read: one such column in pandas' own dtypes, without a value changed.
Whose tables they are, and how they are read, is in `foreign`; pyarrow is imported when a table comes, not before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def to_pandas(table: Any) -> pd.DataFrame:
    """Make a DataFrame of a `pyarrow.Table`.

    Args:
        table: Any; names may stand twice in it.

    Returns:
        A DataFrame that shares the table's memory, counted from 0.
    """
    columns: dict[Any, Any] = {at: _to_pandas_column(column) for at, column in enumerate(table.columns)}
    df = pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows), copy=False)
    df.columns = pd.Index(table.column_names, dtype=pd.Index(["name"]).dtype)
    return df


def unarrowed(array: Any) -> pd.Series:
    """Write an Arrow-backed column in pandas' own dtypes.

    Args:
        array: What a Series of an `ArrowDtype` is made of.

    Returns:
        The same values: numbers masked where missing, text, times and durations; everything else as objects.
    """
    import pyarrow as pa  # it made the array

    chunked, kind = array.__arrow_array__(), array.dtype.pyarrow_dtype
    is_a = pa.types
    if is_a.is_integer(kind) or is_a.is_boolean(kind):
        return pd.Series(_MASKED[str(kind)].__from_arrow__(chunked))
    if is_a.is_floating(kind):
        return pd.Series(chunked.to_numpy())
    if is_a.is_string(kind) or is_a.is_large_string(kind):
        text: Any = pd.StringDtype("pyarrow")
        return pd.Series(text.__from_arrow__(chunked))
    if is_a.is_duration(kind):
        return pd.Series(chunked.to_numpy())
    if is_a.is_timestamp(kind):
        times = pd.Series(chunked.cast(pa.timestamp(kind.unit)).to_numpy())
        return times if kind.tz is None else _zoned(times.dt.tz_localize("UTC"), kind.tz)
    return pd.Series(_objects(chunked, kind, pa), dtype=object)


def _zoned(times: pd.Series, zone: str) -> pd.Series:
    try:
        zoned: pd.Series = times.dt.tz_convert(zone)
    except KeyError:  # a zone that only its author knows: the moments are the same in UTC
        return times
    return zoned


def _objects(chunked: Any, kind: Any, pa: Any) -> list[Any]:
    try:
        if pa.types.is_time64(kind):  # Python's times end at microseconds
            chunked = chunked.cast(pa.time64("us"))
        return list(chunked.to_pylist())
    except (OverflowError, ValueError):  # beyond what Python's types hold, like the year 200,000
        if pa.types.is_date(kind) or pa.types.is_time64(kind):
            return list(chunked.cast(pa.string()).to_pylist())
        return [_cell(scalar) for scalar in chunked]


def _cell(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return f"<{scalar.type} beyond what Python holds>"


def _to_pandas_column(column: Any) -> Any:
    import pyarrow as pa  # loaded only where somebody has a table of its kind
    import pyarrow.compute as pc

    kind, is_a = column.type, pa.types
    if is_a.is_dictionary(kind):
        return _categories(column, pa)
    if is_a.is_run_end_encoded(kind):
        return _to_pandas_column(pa.chunked_array([pc.run_end_decode(chunk) for chunk in column.chunks], kind.value_type))
    if is_a.is_union(kind):  # pandas has no column of it
        return np.array([*column.to_pylist(), None], dtype=object)[:-1]
    if (plain := _without_views(kind, pa)) != kind:
        column = column.cast(plain)
    return pd.arrays.ArrowExtensionArray(column)


def _categories(column: Any, pa: Any) -> Any:
    values = _without_views(column.type.value_type, pa)
    unified = column.cast(pa.dictionary(pa.int32(), values, column.type.ordered)).unify_dictionaries()
    dictionaries = {chunk.dictionary.null_count or len(chunk.dictionary) - len(chunk.dictionary.unique()) for chunk in unified.chunks}
    if any(dictionaries):  # categories are neither missing nor twice there
        return _to_pandas_column(column.cast(values))
    return unified.to_pandas().array if unified.num_chunks else pd.Categorical([])


def _without_views(kind: Any, pa: Any) -> Any:
    """The type whose functions are all there: Arrow computes little with views."""
    is_a = pa.types
    if is_a.is_string_view(kind):
        return pa.large_string()
    if is_a.is_binary_view(kind):
        return pa.large_binary()
    if is_a.is_struct(kind):
        return pa.struct([field.with_type(_without_views(field.type, pa)) for field in kind])
    if is_a.is_list(kind) or is_a.is_large_list(kind):  # views of lists stay: casting one empties it
        whole = pa.list_ if is_a.is_list(kind) else pa.large_list
        return whole(kind.value_field.with_type(_without_views(kind.value_type, pa)))
    return kind


_MASKED: dict[str, Any] = {
    "bool": pd.BooleanDtype(),
    "int8": pd.Int8Dtype(),
    "int16": pd.Int16Dtype(),
    "int32": pd.Int32Dtype(),
    "int64": pd.Int64Dtype(),
    "uint8": pd.UInt8Dtype(),
    "uint16": pd.UInt16Dtype(),
    "uint32": pd.UInt32Dtype(),
    "uint64": pd.UInt64Dtype(),
}

"""Columns of a DataFrame -> lists of JSON cells: the one encoder for every dtype.

`DataFrame.to_json` exports the attributes of objects and fails or lies on duplicate columns, MultiIndex,
bytes, Period, integers beyond 2**53, infinities and time zones, so nothing here calls it. Each dtype has a
path over the whole column; only object columns are walked cell by cell (`objects`). How cells look as CSV,
JSON and Markdown is `tables`' business. Text is data: formula-looking text is left as it is.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from types import NoneType
from typing import Any

import numpy as np
import pandas as pd

from mcp_workbench.live.dataframes.arrow_columns import unarrowed
from mcp_workbench.live.dataframes.objects import SAFE_INTEGER, clean, encode_float, encode_int, encode_object
from mcp_workbench.protocol.wire import Json

MAX_CELL_CHARS = 10_000
"""Longest text of one cell unless the reader asks for less."""


class CellKind(Enum):
    """What all cells of a column have in common, so that writers can take the short way."""

    NUMBERS = "bool, int, float or missing"
    PLAIN = "text that needs no quoting or escaping anywhere, or missing"
    ANY = "anything"


@dataclass(frozen=True, slots=True)
class Cells:
    """The encoded cells of one column."""

    values: list[Json]
    """None for every kind of missing value; bool, int, float or text; list or dict for nested data."""
    kind: CellKind


def encode_values(values: pd.Series | pd.Index, *, max_chars: int = MAX_CELL_CHARS) -> Cells:
    """Encode a column, or one level of an index.

    Args:
        values: The column; usually one page of it.
        max_chars: Longest text of a cell; longer ones are cut and say by how much.

    Returns:
        One cell per row.
    """
    dtype: Any = values.dtype
    if isinstance(dtype, np.dtype):
        if (encode_numpy := _NUMPY.get(dtype.kind)) is not None:
            return encode_numpy(values.to_numpy())
        return _objects(values.to_numpy(), max_chars)
    for kind, encode in _EXTENSION:
        if isinstance(dtype, kind):
            return encode(values.array, max_chars)
    return _objects(values.array.to_numpy(dtype=object, na_value=None), max_chars)


def label_text(label: object) -> str:
    """Write a column label as text; the parts of a MultiIndex label are joined by dots.

    Args:
        label: Any hashable.

    Returns:
        For instance `dep_delay`, `dep_delay.mean`, `2013`.
    """
    if type(label) is str:
        return clean(label, 200)
    if type(label) is tuple:
        return ".".join(text for text in map(label_text, label) if text)
    encoded = encode_object(label, 200)
    return "NaN" if encoded is None else str(encoded)


def column_labels(df: pd.DataFrame) -> list[str]:
    """List the column labels as text, by position; duplicates stay duplicates."""
    return [label_text(label) for label in df.columns]


def _truths(values: Any) -> Cells:
    return Cells(values.tolist(), CellKind.NUMBERS)


def _integers(values: Any) -> Cells:
    cells: list[Json] = values.tolist()
    if not cells or (np.maximum.reduce(values) <= SAFE_INTEGER and np.minimum.reduce(values) >= -SAFE_INTEGER):
        return Cells(cells, CellKind.NUMBERS)
    return Cells([encode_int(cell) for cell in cells], CellKind.ANY)


def _floats(values: Any) -> Cells:
    # float32's 0.1 as a double is 0.10000000149011612; its own text is the shortest that reads back.
    cells: list[Json] = values.tolist() if values.dtype.itemsize == 8 else [float(str(value)) for value in values]
    if np.logical_and.reduce(np.isfinite(values)):
        return Cells(cells, CellKind.NUMBERS)
    kind = CellKind.ANY if np.logical_or.reduce(np.isinf(values)) else CellKind.NUMBERS
    return Cells([cell if -_LARGEST <= cell <= _LARGEST else encode_float(cell) for cell in cells], kind)


def _datetimes(values: Any) -> Cells:
    unit: Any = np.datetime_data(values.dtype)[0]
    missing = np.isnat(values)
    if unit in ("ms", "us", "ns") and not (values[~missing] != values[~missing].astype("datetime64[s]")).any():
        unit = "s"
    return Cells(_none_where(missing, np.datetime_as_string(values, unit=unit).tolist()), CellKind.PLAIN)


def _zoned_datetimes(array: Any, _max_chars: int) -> Cells:
    wall = array.tz_localize(None).to_numpy()
    seconds = (wall - array.tz_convert("UTC").tz_localize(None).to_numpy()).astype("timedelta64[s]").astype(np.int64).tolist()
    texts: list[str | None] = _datetimes(wall).values
    return Cells([None if text is None else text + _offset(second) for text, second in zip(texts, seconds, strict=True)], CellKind.PLAIN)


def _offset(seconds: int) -> str:
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}" + (f":{seconds % 60:02}" if seconds % 60 else "")


def _durations(values: Any) -> Cells:
    return Cells(_none_where(np.isnat(values), [duration.isoformat() for duration in pd.TimedeltaIndex(values)]), CellKind.PLAIN)


def _complex(values: Any) -> Cells:
    return Cells([None if value != value else str(value) for value in values.tolist()], CellKind.PLAIN)


def _none_where(missing: Any, cells: list[Json]) -> list[Json]:
    if not missing.any():
        return cells
    return [None if gone else cell for gone, cell in zip(missing.tolist(), cells, strict=True)]


def _periods_or_intervals(array: Any, _max_chars: int) -> Cells:
    return Cells([None if missing else str(value) for value, missing in zip(array, array.isna().tolist(), strict=True)], CellKind.ANY)


def _categories(array: Any, max_chars: int) -> Cells:
    codes, used = np.unique(array.codes, return_inverse=True)
    encoded = encode_values(array.categories.take(codes[codes >= 0]), max_chars=max_chars)
    values = [None, *encoded.values] if len(codes) and codes[0] < 0 else encoded.values
    return Cells([values[position] for position in used.tolist()], encoded.kind)


def _dense(array: Any, max_chars: int) -> Cells:
    return encode_values(pd.Series(np.asarray(array)), max_chars=max_chars)


def _arrow(array: Any, max_chars: int) -> Cells:
    return encode_values(unarrowed(array), max_chars=max_chars)


def _masked(array: Any, _max_chars: int) -> Cells:
    numpy_dtype = array.dtype.numpy_dtype
    missing = np.asarray(array.isna())
    cells = _NUMPY[numpy_dtype.kind](array.to_numpy(dtype=numpy_dtype, na_value=numpy_dtype.type(0)))
    return Cells(_none_where(missing, cells.values), cells.kind)


def _objects(values: Any, max_chars: int) -> Cells:
    cells: list[Json] = values.tolist()
    if set(map(type, cells)) <= _TEXT_OR_NONE:
        return _texts(cells, max_chars)
    return Cells([encode_object(cell, max_chars) for cell in cells], CellKind.ANY)


def _texts(cells: list[Json], max_chars: int) -> Cells:
    texts = [cell for cell in cells if cell is not None]
    lengths = list(map(len, texts))
    everything = "".join(texts)
    if not everything.isascii() or max(lengths, default=0) > max_chars:
        return Cells([None if cell is None else clean(cell, max_chars) for cell in cells], CellKind.ANY)
    plain = min(lengths, default=1) > 0 and not _SPECIAL(everything)
    return Cells(cells, CellKind.PLAIN if plain else CellKind.ANY)


_LARGEST = sys.float_info.max
_TEXT_OR_NONE = {str, NoneType}
_SPECIAL = re.compile(r'[\x00-\x20\x7f",|\\]').search

_NUMPY: dict[str, Callable[[Any], Cells]] = {
    "b": _truths,
    "i": _integers,
    "u": _integers,
    "f": _floats,
    "c": _complex,
    "M": _datetimes,
    "m": _durations,
}

MASKED_DTYPES = (
    pd.BooleanDtype,
    pd.Int8Dtype,
    pd.Int16Dtype,
    pd.Int32Dtype,
    pd.Int64Dtype,
    pd.UInt8Dtype,
    pd.UInt16Dtype,
    pd.UInt32Dtype,
    pd.UInt64Dtype,
    pd.Float32Dtype,
    pd.Float64Dtype,
)

_EXTENSION: tuple[tuple[Any, Callable[[Any, int], Cells]], ...] = (
    (pd.CategoricalDtype, _categories),
    (pd.DatetimeTZDtype, _zoned_datetimes),
    ((pd.PeriodDtype, pd.IntervalDtype), _periods_or_intervals),
    (pd.SparseDtype, _dense),
    (MASKED_DTYPES, _masked),
    (pd.ArrowDtype, _arrow),
)

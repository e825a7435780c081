"""Are two columns, or two indexes, certainly the same?

pandas' `equals` is made for arithmetic: `True`, `1` and `1.0` are equal to it, so are `0.0` and `-0.0`, two
orders of the same categories, and whatever the cells' own `__eq__` says. Here "the same" means that nobody could
tell one from the other, because a version's data may then be replaced by the other's (`publications`). Numbers
are compared bit by bit, objects by type and value, and no `__eq__` of other people's classes is called.
When in doubt, or when finding out would take long, the answer is no: it counts as a change.
"""

from __future__ import annotations

import datetime as dt
import operator
import uuid
from collections.abc import Callable
from decimal import Decimal
from types import NoneType
from typing import Any

import numpy as np
import pandas as pd

from mcp_workbench.live.dataframes.cells import MASKED_DTYPES

MAX_COMPARISONS = 100_000
"""Objects of one column that are compared one by one in Python: about a tenth of a second. Plain text and numbers are not counted."""
_AT_ONCE = 32
"""What lies in one list or array is compared so many times as fast."""
_MAX_DEPTH = 50


def same_column(old: pd.Series, new: pd.Series) -> bool:
    """Tell whether two columns hold the same values; their labels are not looked at.

    Args:
        old: One column.
        new: Another, of the same dtype.

    Returns:
        True: certainly. False: they differ, or it cannot be told in reasonable time.
    """
    return _same_array(old.array, new.array)


def same_labels(old: pd.Index, new: pd.Index) -> bool:
    """Tell whether two indexes hold the same labels under the same names; whether one only counts is not looked at."""
    if not _same_objects(list(old.names), list(new.names)):
        return False
    if old is new or old.is_(new):
        return True
    if old.nlevels != new.nlevels or len(old) != len(new):
        return False
    if isinstance(old, pd.RangeIndex) and isinstance(new, pd.RangeIndex):
        return old.equals(new)
    if old.nlevels == 1:
        return _same_array(old.array, new.array)
    levels = range(old.nlevels)
    return all(_same_array(old.get_level_values(level).array, new.get_level_values(level).array) for level in levels)


def _same_array(old: Any, new: Any) -> bool:
    if type(old) is not type(new) or old.dtype != new.dtype or len(old) != len(new):
        return False
    if type(old) is pd.arrays.NumpyExtensionArray:
        return _same_numpy(old.to_numpy(), new.to_numpy(), _Comparisons())
    if isinstance(old, _TIMES):
        return bool(np.array_equal(old.asi8, new.asi8))
    return next((same(old, new) for kind, same in _EXTENSION if isinstance(old.dtype, kind)), False)


def _same_numpy(old: Any, new: Any, comparisons: _Comparisons) -> bool:
    dtype = old.dtype
    if dtype.kind == "O":
        return _same_objects(old.ravel().tolist(), new.ravel().tolist(), comparisons)
    if dtype.kind == "c":
        return _same_numpy(old.real, new.real, comparisons) and _same_numpy(old.imag, new.imag, comparisons)
    if dtype.kind == "V" or dtype.itemsize not in _BITS:  # extended floats have bytes that mean nothing
        return False
    return bool(np.array_equal(old.view(_BITS[dtype.itemsize]), new.view(_BITS[dtype.itemsize])))


def _same_texts(old: Any, new: Any) -> bool:
    return bool(old.equals(new))


def _same_masked(old: Any, new: Any) -> bool:
    dtype: Any = old.dtype.numpy_dtype
    one, other = (array.to_numpy(dtype=dtype, na_value=dtype.type(0)) for array in (old, new))
    return bool(np.array_equal(old.isna(), new.isna())) and _same_numpy(one, other, _Comparisons())


def _same_arrow(old: Any, new: Any) -> bool:
    if old.dtype.kind == "f":
        return _same_masked(old, new)
    # To Arrow 0.0 and -0.0 are equal, and NaN is not NaN: floats inside structs and lists cannot be told so.
    inexact = any(name in str(old.dtype.pyarrow_dtype) for name in ("float", "double"))
    return not inexact and bool(old.__arrow_array__().equals(new.__arrow_array__()))


def _same_categories(old: Any, new: Any) -> bool:
    return same_labels(old.categories, new.categories) and bool(np.array_equal(old.codes, new.codes))


def _same_intervals(old: Any, new: Any) -> bool:
    return same_labels(old.left, new.left) and same_labels(old.right, new.right)


def _same_sparse(old: Any, new: Any) -> bool:
    values = _same_numpy(old.sp_values, new.sp_values, _Comparisons())
    return values and bool(old.sp_index.equals(new.sp_index)) and _Comparisons().same(old.fill_value, new.fill_value)


def _same_objects(old: list[Any], new: list[Any], comparisons: _Comparisons | None = None) -> bool:
    if all(map(operator.is_, old, new)):
        return True
    if not all(map(operator.is_, map(type, old), map(type, new))):
        return False
    kinds = set(map(type, old))
    if kinds <= _EXACT:
        return old == new
    if kinds <= _EXACT | {float}:
        return _same_floats(old, new) and [cell for cell in old if type(cell) is not float] == [
            cell for cell in new if type(cell) is not float
        ]
    comparisons = comparisons or _Comparisons()
    return all(map(comparisons.same, old, new))


def _same_floats(old: list[Any], new: list[Any]) -> bool:
    one, other = (np.array([cell for cell in cells if type(cell) is float], dtype=np.float64) for cells in (old, new))
    return bool(np.array_equal(one.view(np.int64), other.view(np.int64)))


class _Comparisons:
    """Compares objects one by one, so many and no more."""

    __slots__ = ("_depth", "_left")

    def __init__(self) -> None:
        self._left = MAX_COMPARISONS
        self._depth = 0

    def same(self, old: Any, new: Any) -> bool:
        """Whether two objects are certainly the same."""
        if old is new:
            return True
        kind = type(old)
        if kind is not type(new) or self._depth >= _MAX_DEPTH or not self._may_compare(1):
            return False
        if kind in _EXACT:
            return bool(old == new)
        if (parts := _SCALARS.get(kind)) is not None:
            return all(map(self.same, parts(old), parts(new)))
        return self._same_inside(kind, old, new)

    def _may_compare(self, objects: int) -> bool:
        self._left -= objects
        return self._left >= 0

    def _same_inside(self, kind: type, old: Any, new: Any) -> bool:
        self._depth += 1
        try:
            if kind in (list, tuple):
                return len(old) == len(new) and self._may_compare(len(old) // _AT_ONCE) and _same_objects(list(old), list(new), self)
            if kind is dict:
                return self.same(list(old), list(new)) and self.same(list(old.values()), list(new.values()))
            if kind in (set, frozenset):
                return set(map(type, old)) | set(map(type, new)) <= _EXACT and _typed(old) == _typed(new)
            if kind is np.ndarray:
                alike = old.dtype == new.dtype and old.shape == new.shape
                return alike and self._may_compare(old.size // _AT_ONCE) and _same_numpy(old, new, self)
            return issubclass(kind, np.generic) and old.dtype == new.dtype and _same_numpy(np.asarray(old), np.asarray(new), self)
        finally:
            self._depth -= 1


def _typed(items: Any) -> set[tuple[type, Any]]:
    return {(type(item), item) for item in items}


def _float_parts(value: Any) -> tuple[Any, ...]:
    return (np.float64(value).tobytes(),)


# Equal and of one of these types is the same. Of the last three each has one object only.
_EXACT = {str, bytes, bytearray, int, bool, dt.date, dt.timedelta, uuid.UUID, range, NoneType, type(pd.NA), type(pd.NaT)}

_SCALARS: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    float: _float_parts,
    complex: lambda value: (value.real, value.imag),
    Decimal: lambda value: (str(value),),
    dt.datetime: lambda value: (value.replace(tzinfo=None).isoformat(), value.tzinfo, value.fold),
    dt.time: lambda value: (value.replace(tzinfo=None).isoformat(), value.tzinfo, value.fold),
    pd.Timestamp: lambda value: (str(value.asm8), value.unit, value.tzinfo, value.fold),
    pd.Timedelta: lambda value: (str(value.asm8), value.unit),
    pd.Period: lambda value: (value.ordinal, value.freqstr),
    pd.Interval: lambda value: (value.left, value.right, value.closed),
}

_BITS: dict[int, Any] = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}

_TIMES: tuple[Any, ...] = (pd.arrays.DatetimeArray, pd.arrays.TimedeltaArray, pd.arrays.PeriodArray)
_EXTENSION: tuple[tuple[Any, Callable[[Any, Any], bool]], ...] = (
    (pd.StringDtype, _same_texts),
    (pd.CategoricalDtype, _same_categories),
    (MASKED_DTYPES, _same_masked),
    (pd.IntervalDtype, _same_intervals),
    (pd.SparseDtype, _same_sparse),
    (pd.ArrowDtype, _same_arrow),
)

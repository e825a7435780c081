"""Arrays and indexes that share their owner's memory and cannot be written to.

A shallow copy of a DataFrame is safe from what pandas writes, not from what goes past it: `df["a"].array[0] = 9`
writes into the memory itself, and everybody who shares it sees the 9. Here the same memory gets a second face
without the right to write. NumPy grants that right to nobody afterwards, because the base of such an array is
no array but a `Loan`.

Whose DataFrame it is, and when this is asked for, is `lending`'s business.
"""

# ruff: noqa: SLF001  # pandas has no public way to an extension array or an Index over given memory

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd


class Loan:
    """The base of every read-only array made here: lives as long as anything looks at that memory.

    pandas writes in place where nobody else holds a buffer, which on memory without the right to write is an
    error. So the loan holds the block (or index) it was made of: as long as it lives, pandas copies before it writes.
    """

    __slots__ = ("__array_interface__", "holder", "source")

    def __init__(self, source: Any, holder: object) -> None:
        interface = dict(source.__array_interface__)
        interface["data"] = (interface["data"][0], True)
        interface["strides"] = source.strides
        self.__array_interface__ = interface
        self.source = source
        self.holder = holder


def loan_of(array: Any) -> Loan | None:
    """The loan that an array looks through; None: it is not lent."""
    while isinstance(array, np.ndarray):
        array = array.base
    return array if isinstance(array, Loan) else None


def read_only_array(values: Any, holder: object) -> Any:
    """The same values in the same memory, not to be written to.

    Args:
        values: A NumPy array, or an extension array.
        holder: What pandas counts as sharing this memory: a block, or an index.

    Returns:
        The array; an extension array that cannot be made so comes back as it is: `own_array` will copy it.
    """
    if isinstance(values, np.ndarray):
        return _lent(values, holder)
    lend = _lending_of(values)
    return values if lend is None else lend(values, holder)


def own_array(values: Any) -> Any:
    """An extension array object of one's own: over the same memory where that is read-only, else a copy."""
    return values.copy() if _lending_of(values) is None else values.view()


def _lending_of(values: Any) -> Callable[[Any, object], Any] | None:
    if not _is_of_pandas(values):
        return None
    return next((lend for kind, lend in _EXTENSION if isinstance(values, kind)), None)


def read_only_index(index: pd.Index) -> pd.Index:
    """The same labels in the same memory, not to be written to.

    Args:
        index: Any index; one of a kind that pandas does not bring comes back as it is.

    Returns:
        Another Index object, of the same type.
    """
    if isinstance(index, pd.RangeIndex):  # it computes its values, and keeps them once it has: not to be shared
        return pd.RangeIndex(index.start, index.stop, index.step, name=index.name)
    labels: pd.Index = _levelled(index) if isinstance(index, pd.MultiIndex) else _flat(index)
    return labels


def _levelled(index: Any) -> pd.Index:
    levels: Any = [read_only_index(level) for level in index.levels]
    return pd.MultiIndex(levels, index.codes, sortorder=index.sortorder, names=index.names, verify_integrity=False)


def _flat(index: Any) -> Any:
    if not _is_of_pandas(index):
        return index
    twin: Any = index.view()
    twin._data = read_only_array(index._data, index)
    engine = index._cache.get("_engine")  # a table for look-ups that took time to make
    twin._cache = {} if engine is None else {"_engine": engine}
    return twin


def _is_of_pandas(value: object) -> bool:
    return type(value).__module__.partition(".")[0] == "pandas"


def _lent(array: Any, holder: object) -> Any:
    loan = loan_of(array)
    if loan is not None and _shares(loan.holder, holder):
        return array.view()
    return np.asarray(Loan(array, holder))


def _shares(one: Any, other: Any) -> bool:
    """Whether pandas counts both as sharing the same memory."""
    return _references(one) is _references(other) is not None


def _references(holder: Any) -> object:
    return getattr(holder, "_references" if isinstance(holder, pd.Index) else "refs", None)


def _backed(values: Any, holder: object) -> Any:
    twin = values._from_backing_data(_lent(values._ndarray, holder))
    if getattr(values, "_freq", None) is not None:
        twin._freq = values._freq
    return twin


def _categorical(values: Any, holder: object) -> Any:
    dtype = values.dtype
    lent = type(dtype)._from_fastpath(read_only_index(dtype.categories), dtype.ordered)
    return type(values)._simple_new(_lent(values._ndarray, holder), lent)


def _masked(values: Any, holder: object) -> Any:
    return type(values)._simple_new(_lent(values._data, holder), _lent(values._mask, holder))


def _interval(values: Any, holder: object) -> Any:
    left, right = (read_only_array(side, holder) for side in (values._left, values._right))
    return type(values)._simple_new(left, right, values.dtype)


def _sparse(values: Any, holder: object) -> Any:
    return type(values)._simple_new(_lent(values.sp_values, holder), values.sp_index, values.dtype)


def _arrow(values: Any, _holder: object) -> Any:
    return values.view()  # Arrow's memory is immutable; a write puts another into the array object, which is not shared


# Before pandas 3 a slice of a StringArray writes into its array, if only to find nothing to do.
_STRINGS: tuple[Any, ...] = (pd.arrays.StringArray,) if int(pd.__version__.partition(".")[0]) >= 3 else ()

_EXTENSION: tuple[tuple[Any, Callable[[Any, object], Any]], ...] = (
    (pd.Categorical, _categorical),
    (pd.arrays.ArrowExtensionArray, _arrow),
    ((pd.arrays.IntegerArray, pd.arrays.FloatingArray, pd.arrays.BooleanArray), _masked),
    ((pd.arrays.DatetimeArray, pd.arrays.TimedeltaArray, pd.arrays.PeriodArray), _backed),
    (_STRINGS, _backed),
    (pd.arrays.IntervalArray, _interval),
    (pd.arrays.SparseArray, _sparse),
)

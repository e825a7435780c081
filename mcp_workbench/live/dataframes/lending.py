"""What a tool or the author receives of a version: theirs to change, and nobody else will see it.

Ordinary pandas writes are kept apart by copy-on-write. What goes past it (`df["a"].array[0] = …`, a list changed
inside its cell) is kept apart here: arrays and labels are lent without the right to write (`read_only`), lists
and their like in object cells are copied for each receiver (`mutable_cells`).

A version's data is prepared once, at the first loan (which reads the types of object cells); a loan then costs
about twice what a shallow copy costs, and a few microseconds for each list, dict, set or array in a cell.

Not kept apart: objects of other classes in cells, subclasses of containers included (one object for all); what
lies deeper than 100 levels in a cell, or in an object cell of a Series or DataFrame in a cell; `sp_index` of
sparse columns; and whatever goes past NumPy's flags (ctypes, compiled code, private attributes). Before pandas 3.1
the labels of an index made of Arrow data are kept apart from the author, not from other receivers.
"""

# ruff: noqa: SLF001  # pandas has no public way to a DataFrame over given arrays that still knows who shares them

from __future__ import annotations

import functools
import logging
from typing import Any

import numpy as np
import pandas as pd

from mcp_workbench.live.dataframes.fingerprint import column_buffers_by_accessors
from mcp_workbench.live.dataframes.mutable_cells import Memo, fresh_cells, holds_mutable
from mcp_workbench.live.dataframes.read_only import own_array, read_only_array, read_only_index

logger = logging.getLogger("mcp_workbench")


class Lender:
    """Hands out the data of one version, as often as asked; any thread.

    Args:
        frozen: The version's DataFrame, which nobody writes to.
    """

    __slots__ = ("_frozen", "_mutable", "_read_only")

    def __init__(self, frozen: pd.DataFrame) -> None:
        self._frozen = frozen
        # Found at the first loan. Two threads may both look; either result will do.
        self._mutable: list[int] | None = None
        self._read_only: pd.DataFrame | None = None

    def lend(self, *, deep: bool) -> pd.DataFrame:
        """Hand it out once more.

        Args:
            deep: Copy the memory too, because pandas would not before it writes.

        Returns:
            A DataFrame of its own.
        """
        df = self._copy() if deep or not lending_is_understood() else self._loan()
        memo: Memo = {}
        for position in self._mutable_columns():
            cells: Any = pd.Series(fresh_cells(_cells(self._frozen, position), memo), index=df.index, dtype=object, copy=False)
            df.isetitem(position, cells)
        return df

    def _copy(self) -> pd.DataFrame:
        df = self._frozen.copy(deep=True)
        df.index, df.columns = _own_labels(df.index), _own_labels(df.columns)
        return df

    def _loan(self) -> pd.DataFrame:
        if self._read_only is None:
            self._read_only = _read_only(self._frozen)
        return _lent(self._read_only)

    def _mutable_columns(self) -> list[int]:
        if self._mutable is None:
            dtypes = enumerate(self._frozen.dtypes)
            self._mutable = [at for at, dtype in dtypes if _is_object(dtype) and holds_mutable(_cells(self._frozen, at))]
        return self._mutable


def _is_object(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind == "O"


def _cells(df: pd.DataFrame, position: int) -> Any:
    return df.iloc[:, position].to_numpy()


def _read_only(frozen: pd.DataFrame) -> pd.DataFrame:
    df = frozen.copy(deep=False)
    for block, holder in zip(_blocks(df), _blocks(frozen), strict=True):
        block.values = read_only_array(block.values, holder)
    df.index, df.columns = read_only_index(df.index), read_only_index(df.columns)
    return df


def _lent(read_only: pd.DataFrame) -> pd.DataFrame:
    """A receiver gets objects of its own wherever the object itself, not only its memory, can be changed."""
    df = read_only.copy(deep=False)
    for block in _blocks(df):
        if not isinstance(block.values, np.ndarray):
            block.values = own_array(block.values)
    if isinstance(df.index, pd.RangeIndex):
        df.index = read_only_index(df.index)
    if isinstance(df.columns, pd.RangeIndex):
        df.columns = read_only_index(df.columns)
    return df


def _own_labels(index: pd.Index) -> pd.Index:
    return read_only_index(index) if isinstance(index, pd.RangeIndex) else index.copy(deep=True)


def _blocks(df: Any) -> Any:
    return df._mgr.blocks


@functools.cache
def lending_is_understood() -> bool:
    """Try on a small DataFrame whether the memory is shared, kept from `.array`, and copied by ordinary writes.

    Only under copy-on-write is there anything to try.
    """
    df = pd.DataFrame({"a": [1.0, 2.0], "b": pd.array([1, None], dtype="Int64"), "c": pd.Categorical(["x", "y"])}, index=["p", "q"])
    try:
        lent: Any = _lent(_read_only(df))
        kept_apart = column_buffers_by_accessors(lent) == column_buffers_by_accessors(df) and not _can_write_past_pandas(lent)
        lent.iloc[0, 0], lent.iloc[0, 1], lent.iloc[0, 2] = 9.0, 9, "y"
        kept_apart = kept_apart and [*lent.loc["p"]] == [9.0, 9, "y"] and [*df.loc["p"]] == [1.0, 1, "x"]
    except (AttributeError, TypeError, ValueError, LookupError):
        kept_apart = False
    if not kept_apart:
        logger.info("pandas %s keeps its blocks differently; what tools receive is copied whole", pd.__version__)
    return kept_apart


def _can_write_past_pandas(df: pd.DataFrame) -> bool:
    for column in (df.iloc[:, position] for position in range(df.shape[1])):
        try:
            column.array[0] = column.array[1]
        except ValueError:
            continue
        return True
    return False

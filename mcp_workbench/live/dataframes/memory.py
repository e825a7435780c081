"""What a DataFrame weighs, and what keeping it keeps alive.

The two differ: `big.iloc[:5]` weighs 200 bytes and keeps all of `big` in memory, because its columns are views.
So memory is counted by owner, the array (or Arrow buffer) in which the values lie, once for each owner; and what
keeps far more alive than it weighs can be copied out of it (`detached`). Nothing here reads values, except
a sample of object cells, whose memory is estimated.
"""

# ruff: noqa: SLF001  # what extension arrays and indexes are made of has no public names

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mcp_workbench.limits import MIB
from mcp_workbench.live.dataframes.fingerprint import PARTS, holders_of
from mcp_workbench.live.dataframes.read_only import Loan

_SAMPLED_CELLS = 64
_WASTE = 4
_WORTH_COPYING = MIB


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of one DataFrame, its labels included; that of object cells is estimated."""

    nbytes: int
    """What its values take."""
    owners: tuple[tuple[int, int], ...]
    """The memory they lie in: an identity, valid while the DataFrame lives, and bytes."""

    @property
    def alive(self) -> int:
        """Bytes that stay in memory as long as the DataFrame does."""
        return sum(size for _owner, size in self.owners)

    @property
    def wasteful(self) -> bool:
        """Whether it keeps more than 1 MiB alive, and more than four times what it weighs."""
        return self.alive > max(_WORTH_COPYING, _WASTE * self.nbytes)


def memory_of(df: pd.DataFrame) -> Memory:
    """Weigh a DataFrame; O(blocks), and a sample of the cells of object columns."""
    nbytes, owners = 0, dict[int, int]()
    for array in (*holders_of(df), *_label_arrays(df.index)):
        for own, owner, size in _pieces(array):
            nbytes += own
            owners[owner] = max(size, owners.get(owner, 0))
    return Memory(nbytes, tuple(owners.items()))


def detached(df: pd.DataFrame) -> pd.DataFrame:
    """Copy a DataFrame out of the larger memory its values lie in; categories stay where they are.

    Args:
        df: One that nobody writes to meanwhile.

    Returns:
        A DataFrame that keeps alive what it weighs.
    """
    copy = df.copy(deep=True)
    for position in range(copy.shape[1]):
        array: Any = copy.iloc[:, position].array
        if isinstance(array, pd.arrays.ArrowExtensionArray):  # their copies share the immutable memory
            copy.isetitem(position, array.take(np.arange(len(array))))
    index = copy.index.remove_unused_levels() if isinstance(copy.index, pd.MultiIndex) else copy.index
    copy.index = index.copy(deep=True)
    return copy


def _label_arrays(index: Any) -> Iterator[Any]:
    if isinstance(index, pd.MultiIndex):
        yield from index.codes
        for level in index.levels:
            yield from _label_arrays(level)
    elif not isinstance(index, pd.RangeIndex):
        yield index._data


def _pieces(array: Any) -> Iterator[tuple[int, int, int]]:
    """Bytes, owner and the owner's bytes of each array that an array is made of."""
    if isinstance(array, np.ndarray):
        yield _piece(array)
    elif hasattr(array, "chunks"):
        yield from _arrow_pieces(array)
    elif parts := [part for name in PARTS if (part := getattr(array, name, None)) is not None]:
        for part in parts:
            yield from _pieces(part)
        if isinstance(array, pd.Categorical):
            for labels in _label_arrays(array.categories):
                yield from _pieces(labels)
    else:  # an extension array of somebody else, or an index of sparse values
        size = int(getattr(array, "nbytes", 0))
        yield size, id(array), size


def _piece(array: Any) -> tuple[int, int, int]:
    nbytes = array.nbytes + _cell_bytes(array)
    owner, size = _owner(array)
    return nbytes, owner, size * nbytes // array.nbytes if array.nbytes else size


def _owner(array: Any) -> tuple[int, int]:
    while True:
        base = array.base
        if isinstance(base, Loan):
            base = base.source
        if not isinstance(base, np.ndarray):
            break
        array = base
    if base is None:
        return id(array), array.nbytes
    try:
        return id(base), max(array.nbytes, memoryview(base).nbytes)
    except TypeError:  # memory of somebody else, who does not say how much it is
        return id(base), array.nbytes


def _arrow_pieces(chunked: Any) -> Iterator[tuple[int, int, int]]:
    for chunk in chunked.chunks:
        buffers = [buffer for buffer in chunk.buffers() if buffer is not None]
        total = sum(buffer.size for buffer in buffers)
        for buffer in buffers:
            yield chunk.nbytes * buffer.size // max(total, 1), buffer.address, buffer.size


def _cell_bytes(array: Any) -> int:
    if array.dtype != object or not array.size:
        return 0
    sampled = tuple(slice(None, None, max(1, length // _SAMPLED_CELLS)) for length in array.shape)
    sizes = [sys.getsizeof(cell, 0) for cell in array[sampled].ravel().tolist()]
    return sum(sizes) * int(array.size) // len(sizes)

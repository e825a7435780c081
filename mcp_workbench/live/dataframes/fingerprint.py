"""Has this DataFrame changed since we looked? Answered from the addresses of its buffers, never from its values.

While a shallow copy of a DataFrame is held, pandas' copy-on-write makes every write through the DataFrame
allocate a new buffer; so a column whose buffer is still the same one is unchanged, whatever its size.
What goes past pandas is not seen: `df["a"].array[0] = …`, objects mutated inside a cell, a NumPy array
that the caller kept and edits. For those there is `touch()`.

pandas offers no public way to ask "which buffers?" cheaply, so this module reads `df._mgr` (20 times
faster than the public accessors on 10 columns); only `lending` does so too. It is believed only after a trial at import
(`manager_is_understood`); otherwise everything works through public accessors, a little slower.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

logger = logging.getLogger("mcp_workbench")

Frame: TypeAlias = pd.DataFrame | pd.Series
Buffer: TypeAlias = tuple[int, ...]
"""Where the values of one column lie: addresses and strides. Equal while both owners live = the same memory."""

_manager = attrgetter("_mgr")
PARTS = ("_ndarray", "_data", "_mask", "_left", "_right", "_pa_array", "_sparse_values", "_sparse_index")
"""What extension arrays are made of: NumPy-backed, masked, interval, Arrow, sparse."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What `unchanged` compares with; valid while a shallow copy of the DataFrame is held."""

    index: pd.Index
    index_names: tuple[object, ...]
    columns: pd.Index | None
    """None for a Series; its name then stands in `column_names`."""
    column_names: tuple[object, ...]
    holders: tuple[object, ...] | None
    """The array objects of the blocks themselves; None when `_mgr` is not understood."""
    buffers: tuple[Buffer, ...] | None
    """Without `holders`: the buffer of each column."""


def take_fingerprint(df: Frame) -> Fingerprint:
    """Remember what a DataFrame or Series is made of; O(columns), no value is read.

    Args:
        df: The object that will be looked at again; the caller holds a shallow copy of it.

    Returns:
        The fingerprint.
    """
    columns = df.columns if isinstance(df, pd.DataFrame) else None
    return Fingerprint(
        index=df.index,
        index_names=tuple(df.index.names),
        columns=columns,
        column_names=_column_names(df),
        holders=tuple(_holders(df)) if MANAGER_UNDERSTOOD else None,
        buffers=None if MANAGER_UNDERSTOOD else column_buffers_by_accessors(df),
    )


def unchanged(fingerprint: Fingerprint, df: Frame) -> bool:
    """Tell whether a DataFrame is certainly what it was.

    Args:
        fingerprint: Taken earlier, with a shallow copy held since.
        df: The DataFrame or Series now; may be another object.

    Returns:
        True: unchanged. False: something may have changed; `changes` finds out what.
    """
    if fingerprint.index is not df.index and not fingerprint.index.is_(df.index):
        return False
    if isinstance(df, pd.DataFrame):
        if fingerprint.columns is None or not (fingerprint.columns is df.columns or fingerprint.columns.is_(df.columns)):
            return False
    elif fingerprint.columns is not None:
        return False
    # Names can be set on an Index in place, without a new Index.
    if fingerprint.index_names != tuple(df.index.names) or fingerprint.column_names != _column_names(df):
        return False
    if fingerprint.holders is None:
        return fingerprint.buffers == column_buffers_by_accessors(df)
    holders = _holders(df)
    return len(holders) == len(fingerprint.holders) and all(map(_is, holders, fingerprint.holders))


def column_buffers(df: pd.DataFrame) -> tuple[Buffer, ...]:
    """Say where each column lies, by position.

    Args:
        df: Any DataFrame; compare only with one that is alive at the same time.

    Returns:
        One buffer per column.
    """
    return _column_buffers_by_manager(df) if MANAGER_UNDERSTOOD else column_buffers_by_accessors(df)


def column_buffers_by_accessors(df: Frame) -> tuple[Buffer, ...]:
    """The same through public accessors only."""
    return tuple(map(_buffer, _column_arrays(df)))


def _column_buffers_by_manager(df: pd.DataFrame) -> tuple[Buffer, ...]:
    buffers: list[Buffer] = [()] * df.shape[1]
    for block in _manager(df).blocks:
        for position, buffer in zip(block.mgr_locs.as_array.tolist(), _rows_of(block.values), strict=True):
            buffers[position] = buffer
    return tuple(buffers)


def _rows_of(values: Any) -> Iterator[Buffer]:
    """A block's values: one row per column, or one extension array for a single column."""
    if values.ndim == 1:
        yield _buffer(values)
        return
    array = values if isinstance(values, np.ndarray) else values._ndarray  # noqa: SLF001  # 2-D datetime-like arrays
    address, (step, stride) = array.__array_interface__["data"][0], array.strides
    for row in range(array.shape[0]):
        yield (address + row * step, stride)


def _buffer(array: Any) -> Buffer:
    if isinstance(array, np.ndarray):
        return (array.__array_interface__["data"][0], *array.strides)
    if hasattr(array, "chunks"):
        return tuple(_arrow_addresses(array))
    parts = [part for name in PARTS if (part := getattr(array, name, None)) is not None]
    if not parts:  # an extension array of somebody else: at least the same object is the same
        return (id(array),)
    return tuple(number for part in parts for number in _buffer(part))


def _arrow_addresses(chunked: Any) -> Iterator[int]:
    for chunk in chunked.chunks:
        yield from (chunk.offset, len(chunk))
        yield from (0 if buffer is None else buffer.address for buffer in chunk.buffers())


def holders_of(df: Frame) -> list[object]:
    """List the arrays that hold the values: those of the blocks, or one for each column where `_mgr` is not understood."""
    if MANAGER_UNDERSTOOD:
        return _holders(df)
    return _column_arrays(df)


def _column_arrays(df: Frame) -> list[object]:
    return [df.array] if isinstance(df, pd.Series) else [column.array for _label, column in df.items()]


def _holders(df: Frame) -> list[object]:
    return [block.values for block in _manager(df).blocks]


def _is(one: object, other: object) -> bool:
    return one is other


def _column_names(df: Frame) -> tuple[object, ...]:
    return tuple(df.columns.names) if isinstance(df, pd.DataFrame) else (df.name,)


def manager_is_understood() -> bool:
    """Try on a small mixed DataFrame whether `_mgr` still tells what the public accessors tell."""
    df = pd.DataFrame({"a": [1.0, 2.0], "b": [1, 2], "c": [3.0, 4.0], "d": ["x", "y"], "e": pd.Series([1, None], dtype="Int64")})
    df["f"] = pd.to_datetime(["2013-01-01", "2013-01-02"])
    df["g"] = pd.Categorical(["x", "y"])
    try:
        same_tale = _column_buffers_by_manager(df) == column_buffers_by_accessors(df)
        stable = all(map(_is, _holders(df), _holders(df)))
    except (AttributeError, TypeError, ValueError, LookupError):
        same_tale = stable = False
    if not (same_tale and stable):
        logger.info("pandas %s keeps its blocks differently; changes are found through public accessors", pd.__version__)
    return same_tale and stable


MANAGER_UNDERSTOOD = manager_is_understood()

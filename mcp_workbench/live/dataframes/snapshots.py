"""A snapshot: one version of a DataFrame that nobody can change any more, and what keeping it costs.

With pandas' copy-on-write (always in pandas 3, on request in 2.x) freezing is a shallow copy, microseconds
whatever the size. Without it only a deep copy is safe, so frozen DataFrames are bounded to 64 MiB there.
This module knows neither names nor subscribers; `publications` keeps snapshots in rings, `results` in a store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mcp_workbench.events import ChangeKind
from mcp_workbench.limits import MIB
from mcp_workbench.live.dataframes.fingerprint import Buffer, Frame, column_buffers
from mcp_workbench.live.dataframes.lending import Lender

DEEP_COPY_BYTES = 64 * MIB
"""Largest DataFrame that is frozen by copying it whole, where pandas has no copy-on-write."""
ENABLE_COPY_ON_WRITE = "pd.options.mode.copy_on_write = True"
_SAMPLED_CELLS = 64


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of one published DataFrame, or one result."""

    name: str
    """`flights`, or `_r7` for a result."""
    version: int
    """Counted from 1; a result has only version 1."""
    df: pd.DataFrame
    """The frozen DataFrame. Shared by every reader: never write to it, hand out `copy()`."""
    kind: ChangeKind
    summary: str
    """What is new in this version, in one phrase."""
    taken_at: float
    """Seconds since the epoch."""
    memory: tuple[tuple[Buffer, int], ...]
    """Where each column lies, and its bytes."""
    lender: Lender
    """Hands the data out."""

    @property
    def label(self) -> str:
        """How people and agents call it: `flights v17`, or `_r7`."""
        return self.name if self.name.startswith("_") else f"{self.name} v{self.version}"

    @property
    def nbytes(self) -> int:
        """Bytes of all columns; memory of object cells is estimated from a sample."""
        return sum(size for _buffer, size in self.memory)

    def copy(self) -> pd.DataFrame:
        """Hand out the data: whoever gets it may write to it, and nobody else will see that (`lending` says how far)."""
        return self.lender.lend(deep=not copy_on_write())


def take_snapshot(name: str, version: int, frozen: pd.DataFrame, kind: ChangeKind, summary: str, taken_at: float) -> Snapshot:
    """Make the snapshot of a DataFrame that `freeze` gave."""
    return Snapshot(name, version, frozen, kind, summary, taken_at, column_memory(frozen), Lender(frozen))


def copy_on_write() -> bool:
    """Tell whether a shallow copy is a frozen copy."""
    if int(pd.__version__.split(".")[0]) >= 3:
        return True
    return pd.options.mode.copy_on_write is True  # "warn" is another value that is true


def freeze(value: Frame, unnamed: str) -> pd.DataFrame:
    """Take what nobody can change any more.

    Runs on a thread where nobody writes to `value` meanwhile.

    Args:
        value: A DataFrame, or a Series, which becomes the only column of one.
        unnamed: Label of that column when the Series has no name.

    Returns:
        A shallow copy under copy-on-write, else a deep one (the caller minds `DEEP_COPY_BYTES`).
    """
    if isinstance(value, pd.Series):
        value = value.to_frame(unnamed if value.name is None else value.name)
    return value.copy(deep=not copy_on_write())


def column_memory(df: pd.DataFrame) -> tuple[tuple[Buffer, int], ...]:
    """Say where each column lies and how many bytes it holds; O(columns), object cells are sampled."""
    sizes = [_column_bytes(column) for _label, column in df.items()]
    return tuple(zip(column_buffers(df), sizes, strict=True))


def unshared_bytes(snapshot: Snapshot, seen: set[Buffer]) -> int:
    """Count what a snapshot alone keeps alive.

    Args:
        snapshot: The older snapshot.
        seen: Buffers of the newer ones; this snapshot's are added.

    Returns:
        Bytes of the columns that no newer snapshot shares.
    """
    total = sum(size for buffer, size in snapshot.memory if buffer not in seen)
    seen.update(buffer for buffer, _size in snapshot.memory)
    return total


def _column_bytes(column: pd.Series) -> int:
    size = int(column.array.nbytes)
    if not len(column) or not _holds_objects(column.dtype):
        return size
    step = max(1, len(column) // _SAMPLED_CELLS)
    sample = column.iloc[::step]
    return size + int((sample.memory_usage(index=False, deep=True) - sample.array.nbytes) / len(sample) * len(column))


def _holds_objects(dtype: Any) -> bool:
    if isinstance(dtype, pd.StringDtype):
        return dtype.storage == "python"
    return isinstance(dtype, np.dtype) and dtype.kind == "O"

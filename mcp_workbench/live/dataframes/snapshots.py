"""A snapshot: one version of a DataFrame that nobody can change any more, and what keeping it costs.

With pandas' copy-on-write (always in pandas 3, on request in 2.x) freezing is a shallow copy, microseconds
whatever the size. Without it only a deep copy is safe, so frozen DataFrames are bounded to 64 MiB there.
This module knows neither names nor subscribers; `publications` keeps snapshots in rings, `results` in a store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from mcp_workbench.events import ChangeKind
from mcp_workbench.limits import MIB
from mcp_workbench.live.dataframes.fingerprint import Frame
from mcp_workbench.live.dataframes.foreign import PANDAS, Origin, extra_memory, kind_of, read_table
from mcp_workbench.live.dataframes.lending import Lender
from mcp_workbench.live.dataframes.memory import Memory, memory_of

DEEP_COPY_BYTES = 64 * MIB
"""Largest DataFrame that is frozen by copying it whole, where pandas has no copy-on-write."""
ENABLE_COPY_ON_WRITE = "pd.options.mode.copy_on_write = True"


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
    memory: Memory
    """What it weighs, and what it keeps alive."""
    lender: Lender
    """Hands the data out."""
    origin: Origin | None = None
    """What it was before, when it was no DataFrame of pandas."""

    @property
    def label(self) -> str:
        """How people and agents call it: `flights v17`, or `_r7`."""
        return self.name if self.name.startswith("_") else f"{self.name} v{self.version}"

    @property
    def nbytes(self) -> int:
        """Bytes of its values and labels; memory of object cells is estimated from a sample."""
        return self.memory.nbytes

    @property
    def library(self) -> str:
        """What its author calls it: `pandas DataFrame`, `polars DataFrame`."""
        return PANDAS if self.origin is None else self.origin.kind.value

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The columns' types, in the words of its author's library."""
        return tuple(map(str, self.df.dtypes)) if self.origin is None else self.origin.dtypes

    def copy(self) -> pd.DataFrame:
        """Hand out the data: whoever gets it may write to it, and nobody else will see that (`lending` says how far)."""
        return self.lender.lend(deep=not copy_on_write())


def take_snapshot(
    name: str, version: int, frozen: pd.DataFrame, kind: ChangeKind, summary: str, taken_at: float, origin: Origin | None = None
) -> Snapshot:
    """Make the snapshot of a DataFrame that `freeze` or `freeze_table` gave."""
    memory = memory_of(frozen)
    if origin is not None:
        memory = Memory(memory.nbytes, memory.owners + extra_memory(origin.held))
    return Snapshot(name, version, frozen, kind, summary, taken_at, memory, Lender(frozen), origin)


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


def freeze_table(value: Any, unnamed: str) -> tuple[pd.DataFrame, Origin | None]:
    """Take what nobody can change any more of a table of any library.

    Args:
        value: As for `freeze`, or a table that `foreign` knows; what is lazy is asked now.
        unnamed: As for `freeze`.

    Returns:
        The frozen DataFrame, and where it came from if not from pandas.

    Raises:
        UnservableTable: It cannot be read.
    """
    kind = kind_of(value)
    return (freeze(value, unnamed), None) if kind is None else read_table(value, kind)


def unshared_bytes(snapshot: Snapshot, seen: set[int]) -> int:
    """Count what a snapshot alone keeps alive.

    Args:
        snapshot: The older snapshot.
        seen: Owners of the newer ones' memory; this snapshot's are added.

    Returns:
        Bytes that would be free without it.
    """
    total = sum(size for owner, size in snapshot.memory.owners if owner not in seen)
    seen.update(owner for owner, _size in snapshot.memory.owners)
    return total

"""A snapshot: one version of a DataFrame that nobody can change any more, and what keeping it costs.

With pandas' copy-on-write (always in pandas 3, on request in 2.x) freezing is a shallow copy, microseconds
whatever the size. Without it only a deep copy is safe, so frozen DataFrames are bounded to 64 MiB there.
This module knows neither names nor subscribers; `publications` keeps snapshots in rings, `results` in a store.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from mcp_workbench.events import ChangeKind
from mcp_workbench.limits import MIB
from mcp_workbench.live.dataframes.fingerprint import Frame
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

    @property
    def label(self) -> str:
        """How people and agents call it: `flights v17`, or `_r7`."""
        return self.name if self.name.startswith("_") else f"{self.name} v{self.version}"

    @property
    def nbytes(self) -> int:
        """Bytes of its values and labels; memory of object cells is estimated from a sample."""
        return self.memory.nbytes

    def copy(self) -> pd.DataFrame:
        """Hand out the data: whoever gets it may write to it, and nobody else will see that (`lending` says how far)."""
        return self.lender.lend(deep=not copy_on_write())


def take_snapshot(name: str, version: int, frozen: pd.DataFrame, kind: ChangeKind, summary: str, taken_at: float) -> Snapshot:
    """Make the snapshot of a DataFrame that `freeze` gave."""
    return Snapshot(name, version, frozen, kind, summary, taken_at, memory_of(frozen), Lender(frozen))


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

"""The ring of versions is bounded by number and by memory that is not shared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mcp_workbench.events import ChangeKind
from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.live.dataframes.snapshots import Snapshot, freeze, take_snapshot
from mcp_workbench.live.dataframes.versions import kept, version_of


def history(versions: int, *, rewritten: bool) -> tuple[Snapshot, ...]:
    df: Any = pd.DataFrame({"a": np.zeros(1_000), "b": np.zeros(1_000)})
    snapshots = []
    for version in range(1, versions + 1):
        df["a"] = float(version)
        if rewritten:
            df["b"] = float(version)
        snapshots.append(take_snapshot("flights", version, freeze(df, "flights"), ChangeKind.COLUMNS, "", 0.0))
    return tuple(snapshots)


def numbers(snapshots: tuple[Snapshot, ...]) -> list[int]:
    return [snapshot.version for snapshot in snapshots]


def test_the_newest_are_kept() -> None:
    assert numbers(kept(history(12, rewritten=False), 8, 10**9)) == [5, 6, 7, 8, 9, 10, 11, 12]


def test_memory_of_their_own_bounds_the_older_ones() -> None:
    assert numbers(kept(history(5, rewritten=True), 8, 32_000)) == [3, 4, 5]
    assert numbers(kept(history(5, rewritten=False), 8, 32_000)) == [1, 2, 3, 4, 5]


def test_a_slice_counts_with_all_that_it_keeps_in_memory() -> None:
    slices = [pd.DataFrame({"a": np.zeros(10_000)}).iloc[:5] for _ in range(5)]
    snapshots = tuple(take_snapshot("s", at, freeze(df, "s"), ChangeKind.REPLACE, "", 0.0) for at, df in enumerate(slices, start=1))
    assert [snapshot.nbytes for snapshot in snapshots] == [40] * 5
    assert numbers(kept(snapshots, 8, 200_000)) == [3, 4, 5]


def test_the_newest_is_kept_whatever_its_size() -> None:
    assert numbers(kept(history(3, rewritten=True), 8, 0)) == [3]


def test_a_version_that_is_not_kept_is_refused_with_those_that_are() -> None:
    versions = history(5, rewritten=False)[2:]
    assert version_of(versions, None).version == 5
    assert version_of(versions, 4).version == 4
    with pytest.raises(NotFound, match=r"flights v1 is no longer kept\. Kept: v3, v4, v5 \(latest\)\."):
        version_of(versions, 1)
    with pytest.raises(NotFound, match="flights v9 does not exist yet"):
        version_of(versions, 9)

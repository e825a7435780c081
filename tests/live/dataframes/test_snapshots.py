"""A snapshot is frozen, and knows what keeping it costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mcp_workbench.events import ChangeKind
from mcp_workbench.live.dataframes import snapshots
from mcp_workbench.live.dataframes.fingerprint import column_buffers
from mcp_workbench.live.dataframes.snapshots import Snapshot, copy_on_write, freeze, freeze_table, take_snapshot, unshared_bytes


def snapshot_of(df: pd.DataFrame, version: int = 1, name: str = "flights") -> Snapshot:
    return take_snapshot(name, version, freeze(df, name), ChangeKind.PUBLISHED, "", 0.0)


def test_this_pandas_has_copy_on_write() -> None:
    assert copy_on_write()


def test_freezing_copies_nothing_and_later_writes_do_not_reach_it() -> None:
    df: Any = pd.DataFrame({"a": np.arange(3)})
    frozen = freeze(df, "flights")
    assert column_buffers(frozen) == column_buffers(df)
    df.loc[0, "a"] = 9
    assert frozen["a"].tolist() == [0, 1, 2]


def test_what_is_handed_out_may_be_written_to() -> None:
    snapshot = snapshot_of(pd.DataFrame({"a": [1]}))
    handed: Any = snapshot.copy()
    handed.loc[0, "a"] = 9
    assert snapshot.df["a"].tolist() == [1]


def test_a_series_becomes_the_only_column() -> None:
    assert list(freeze(pd.Series([1], name="x"), "flights").columns) == ["x"]
    assert list(freeze(pd.Series([1]), "flights").columns) == ["flights"]


def test_without_copy_on_write_frozen_means_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "copy_on_write", lambda: False)
    df = pd.DataFrame({"a": [1]})
    snapshot = snapshot_of(df)
    assert column_buffers(snapshot.df) != column_buffers(df)
    assert column_buffers(snapshot.copy()) != column_buffers(snapshot.df)


def test_labels_name_the_version_but_results_have_none() -> None:
    assert snapshot_of(pd.DataFrame(), 17).label == "flights v17"
    assert snapshot_of(pd.DataFrame(), 1, "_r7").label == "_r7"


def test_memory_counts_columns_and_estimates_objects() -> None:
    numbers = snapshot_of(pd.DataFrame({"a": np.zeros(1_000), "b": np.zeros(1_000, dtype="int8")}))
    assert numbers.nbytes == 9_000
    texts = pd.DataFrame({"s": pd.Series(["x" * 100] * 1_000, dtype="object")})
    assert snapshot_of(texts).nbytes == pytest.approx(int(texts.memory_usage(index=False, deep=True).sum()), rel=0.01)
    assert snapshot_of(pd.DataFrame({"s": pd.Series([], dtype="object")})).nbytes == 0


def test_only_what_no_newer_snapshot_shares_is_counted() -> None:
    df: Any = pd.DataFrame({"a": np.zeros(1_000), "s": np.zeros(1_000, dtype="int64")})
    old = snapshot_of(df)
    df["a"] = 1.0
    new = snapshot_of(df, 2)
    seen = {owner for owner, _size in new.memory.owners}
    assert unshared_bytes(old, seen) == 8_000
    assert unshared_bytes(old, seen) == 0


def test_a_table_of_another_library_is_frozen_with_its_origin() -> None:
    frozen, origin = freeze_table(pl.DataFrame({"a": ["some text that is longer than a view"]}), "flights")
    taken = take_snapshot("flights", 1, frozen, ChangeKind.PUBLISHED, "", 0.0, origin)
    assert (taken.library, taken.dtypes) == ("polars DataFrame", ("String",))
    assert taken.memory.alive > taken.nbytes, "what polars holds beside it is counted"
    assert snapshot_of(pd.DataFrame({"a": [1]})).library == "pandas DataFrame"
    assert freeze_table(pd.DataFrame({"a": [1]}), "flights")[1] is None

"""Whoever receives a DataFrame may do what pandas offers; nobody else will see it, and everything works."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from mcp_workbench.live.dataframes import lending
from mcp_workbench.live.dataframes.fingerprint import column_buffers
from mcp_workbench.live.dataframes.lending import Lender


def sample() -> Any:
    df = pd.DataFrame(
        {
            "i": [1, 2, 3],
            "j": [4, 5, 6],
            "f": [0.5, 1.5, 2.5],
            "s": ["x", "y", "z"],
            "o": pd.Series([1, "x", None], dtype=object),
            "I": pd.array([1, None, 3], dtype="Int64"),
            "c": pd.Categorical(["x", "y", "x"]),
            "t": pd.to_datetime(["2013-01-01", "2013-01-02", "2013-01-03"]),
            "tz": pd.to_datetime(["2013-01-01", "2013-01-02", "2013-01-03"]).tz_localize("UTC"),
            "p": pd.period_range("2013", periods=3, freq="M"),
            "v": pd.interval_range(0, 3),
            "z": pd.arrays.SparseArray([0, 0, 1]),
            "tags": pd.Series([["a"], {"k": ["b"]}, {"c"}], dtype=object),
        }
    )
    df.index = pd.Index(["p", "q", "r"], name="key")
    return df


def lend(df: pd.DataFrame) -> Any:
    """A loan whose version is gone: nothing but the loan itself knows what it shares."""
    lent = Lender(df.copy(deep=False)).lend(deep=False)
    gc.collect()
    return lent


@pytest.mark.parametrize("column", [*"ijfsoIct", "tz", "p", "v"])
def test_the_array_of_a_column_is_no_way_to_the_author(column: str) -> None:
    df = sample()
    lender = Lender(df.copy(deep=False))
    lent: Any = lender.lend(deep=False)
    assert column_buffers(lent[[column]]) == column_buffers(df[[column]])
    with contextlib.suppress(ValueError):  # most are read-only; what Arrow holds is replaced in the receiver's own array
        lent[column].array[0] = lent[column].array[1]
    pd.testing.assert_frame_equal(df, sample())
    pd.testing.assert_frame_equal(lender.lend(deep=False), sample())


def test_no_part_of_labels_and_categories_is_a_way_to_the_author() -> None:
    df = sample()
    lent = lend(df)
    for labels in (lent.index, lent.columns, lent["c"].cat.categories):
        for array in (labels.array, labels.values, labels._data):
            with contextlib.suppress(ValueError):
                array[0] = "EVIL"
    lent.index.name = "EVIL"
    pd.testing.assert_frame_equal(df, sample())


def test_cells_are_the_receivers_own() -> None:
    df = sample()
    lender = Lender(df.copy(deep=False))
    lent: Any = lender.lend(deep=False)
    lent["tags"].iloc[0].append("EVIL")
    lent["tags"].array[1]["k"].append("EVIL")
    lent["tags"].iloc[2].add("EVIL")
    lent["tags"].array[0] = "mine"
    assert df["tags"].tolist() == lender.lend(deep=False)["tags"].tolist() == [["a"], {"k": ["b"]}, {"c"}]


def test_duplicate_columns_with_lists_are_copied_by_position() -> None:
    df = pd.DataFrame({"a": pd.Series([[1]], dtype=object), "b": pd.Series([[2]], dtype=object)})
    df.columns = pd.Index(["a", "a"])
    lent = lend(df)
    lent.iloc[0, 0].append(9)
    assert df.to_numpy().tolist() == [[[1], [2]]]


def test_receivers_do_not_see_each_other() -> None:
    lender = Lender(sample())
    one: Any = lender.lend(deep=False)
    other = lender.lend(deep=False)
    one.loc["p", ["i", "s", "I", "c"]] = [9, "q", 9, "y"]
    one["i"].array[1] = 8
    one.attrs["k"] = 1
    pd.testing.assert_frame_equal(other, sample())
    assert other.attrs == {}


def write_cells(df: Any) -> Any:
    for column in [*"ijfsoIct", "tz", "p", "v"]:
        df.loc["p", column] = df[column].iloc[1]
    df.iat[0, 0] = 7
    df.at["q", "f"] = 9.5
    return df


def write_columns(df: Any) -> Any:
    df["i"] = df["j"]
    df[["i", "j"]] *= 2
    df.loc[df["f"] > 1, "j"] = 0
    df.insert(0, "new", df.pop("s"))
    return df.assign(later=1)


def write_in_place(df: Any) -> Any:
    df.fillna({"I": 0}, inplace=True)
    df.update(pd.DataFrame({"f": [9.5]}, index=["p"]))
    df.index = df["s"]
    df.columns = [f"{name}!" for name in df.columns]
    df.iloc[0, 0] = 9
    return df.sort_values("i!", ascending=False)


def write_a_part(df: Any) -> Any:
    part = df.iloc[1:][["i", "f", "t"]]
    del df
    gc.collect()
    part.iloc[0, 0], part.iloc[0, 1], part.iloc[0, 2] = 9, 9.5, pd.Timestamp("2020-01-01")
    return part


def write_a_column(df: Any) -> Any:
    numbers, nullable, kinds = df["i"], df["I"], df["c"]
    del df
    gc.collect()
    numbers += 1
    numbers.iloc[0] = nullable.iloc[0] = 9
    kinds.iloc[0] = "y"
    return pd.DataFrame({"numbers": numbers, "nullable": nullable, "kinds": kinds})


def write_labels_as_column(df: Any) -> Any:
    flat = df.reset_index()
    del df
    gc.collect()
    flat.loc[0, "key"] = "k"
    flat["key"].array[1] = "k"
    return flat


def compute(df: Any) -> Any:
    grouped = df.groupby("c", observed=True)[["i", "f", "I"]].sum().reset_index()
    return grouped.merge(df[["c", "i"]].drop_duplicates("c"), on="c", suffixes=("", "_first")).describe()


def reshape(df: Any) -> Any:
    both = pd.concat([df, df.iloc[::-1]], ignore_index=True)
    both.iloc[0, 0] = 9
    return both[["i", "s", "c"]].melt("s")


@pytest.mark.parametrize(
    "use", [write_cells, write_columns, write_in_place, write_a_part, write_a_column, write_labels_as_column, compute, reshape]
)
def test_everything_pandas_offers_works_and_reaches_nobody(use: Callable[[Any], Any]) -> None:
    df = sample()
    pd.testing.assert_frame_equal(use(lend(df)), use(sample()))
    pd.testing.assert_frame_equal(df, sample())


def test_the_authors_writes_do_not_reach_a_loan() -> None:
    df = sample()
    lent = lend(df)
    df.loc["p", "i"] = 9
    df["I"] = 9
    pd.testing.assert_frame_equal(lent, sample())


def test_what_was_received_can_be_lent_on() -> None:
    lent = sample()
    for _ in range(3):
        lent = lend(lent)
    lent.loc["p", "i"] = 9
    assert lent["i"].tolist() == [9, 2, 3]


@pytest.mark.parametrize("index", [pd.RangeIndex(2), pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])])
def test_labels_of_every_kind_are_received_as_they_are(index: pd.Index) -> None:
    df = pd.DataFrame([[1, 2], [3, 4]], index=index, columns=index)
    pd.testing.assert_frame_equal(lend(df), df, check_column_type=True, check_index_type=True)


@pytest.mark.parametrize("deep", [True, False])
def test_where_memory_cannot_be_lent_it_is_copied(deep: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lending, "lending_is_understood", lambda: False)
    df = sample()
    lent: Any = Lender(df).lend(deep=deep)
    pd.testing.assert_frame_equal(lent, df)
    lent["i"].array[0] = 9
    lent["c"].array[0] = "y"
    lent["tags"].iloc[0].append("EVIL")
    lent.index._data[0] = "EVIL"
    pd.testing.assert_frame_equal(df, sample())


def test_this_pandas_can_lend_without_copying() -> None:
    df = sample()
    assert lending.lending_is_understood()
    assert column_buffers(lend(df[["i", "I", "c"]])) == column_buffers(df[["i", "I", "c"]])

"""Every way of writing to a DataFrame is noticed, by the fast path and by the public accessors alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mcp_workbench.live.dataframes import fingerprint
from mcp_workbench.live.dataframes.fingerprint import column_buffers, column_buffers_by_accessors, take_fingerprint, unchanged


def mixed() -> Any:
    return pd.DataFrame(
        {
            "i": range(6),
            "f": [0.5] * 6,
            "g": [1.5] * 6,
            "s": list("abcdef"),
            "o": pd.Series([[1], None, "x", 2, b"", 1.0], dtype="object"),
            "b": [True, False] * 3,
            "t": pd.date_range("2013-01-01", periods=6),
            "z": pd.date_range("2013-01-01", periods=6, tz="America/New_York"),
            "d": pd.to_timedelta(range(6), unit="s"),
            "n": pd.array([1, None] * 3, dtype="Int64"),
            "m": pd.array([True, None] * 3, dtype="boolean"),
            "c": pd.Categorical(list("xyxyxy")),
            "p": pd.period_range("2013-01", periods=6, freq="M"),
            "v": pd.interval_range(0, 6),
        },
        index=pd.Index(list("uvwxyz")),
    )


@pytest.fixture(params=["manager", "accessors"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "accessors":
        monkeypatch.setattr(fingerprint, "MANAGER_UNDERSTOOD", False)
    else:
        assert fingerprint.MANAGER_UNDERSTOOD, "the fast path does not know this pandas any more"


def setter(column: str, value: Any) -> Callable[[Any], object]:
    def write(df: Any) -> None:
        df.loc["v", column] = value

    return write


def assign(df: Any) -> None:
    df["i"] = df["i"] * 2


def at(df: Any) -> None:
    df.at["u", "f"] = 9.5


def iloc(df: Any) -> None:
    df.iloc[2, 2] = 9.5


def masked(df: Any) -> None:
    df.loc[df["i"] > 2, "f"] = 0.0


def rename_index(df: Any) -> None:
    df.index.name = "key"


def rename_columns_axis(df: Any) -> None:
    df.columns.name = "field"


def relabel(df: Any) -> None:
    df.columns = [label.upper() for label in df.columns]


def new_index(df: Any) -> None:
    df.index = [f"{label}{label}" for label in df.index]


def add_row(df: Any) -> None:
    df.loc["new"] = df.iloc[0]


def delete(df: Any) -> None:
    del df["b"]


WRITES: dict[str, Callable[[Any], object]] = {
    "int": setter("i", 99),
    "float": setter("f", 99.5),
    "text": setter("s", "new"),
    "object": setter("o", "new"),
    "bool": setter("b", True),
    "time": setter("t", pd.Timestamp("2020-01-01")),
    "zoned time": setter("z", pd.Timestamp("2020-01-01", tz="America/New_York")),
    "timedelta": setter("d", pd.Timedelta("1h")),
    "nullable int": setter("n", 5),
    "nullable bool": setter("m", True),
    "category": setter("c", "x"),
    "period": setter("p", pd.Period("2020-01", freq="M")),
    "interval": setter("v", pd.Interval(4, 5)),
    "at": at,
    "iloc": iloc,
    "mask": masked,
    "assign": assign,
    "insert": lambda df: df.insert(0, "new", 1),
    "delete": delete,
    "drop in place": lambda df: df.drop(columns="g", inplace=True),
    "rename in place": lambda df: df.rename(columns={"i": "j"}, inplace=True),
    "relabel": relabel,
    "columns name": rename_columns_axis,
    "index name": rename_index,
    "new index": new_index,
    "sort in place": lambda df: df.sort_values("i", ascending=False, inplace=True),
    "fill in place": lambda df: df.fillna({"n": 0}, inplace=True),
    "eval in place": lambda df: df.eval("f = g * 2", inplace=True),
    "update": lambda df: df.update(pd.DataFrame({"f": [7.5]}, index=["w"])),
    "reset index": lambda df: df.reset_index(drop=True, inplace=True),
    "add a row": add_row,
    "drop rows in place": lambda df: df.drop(index="u", inplace=True),
    "replace in place": lambda df: df.replace({"f": {0.5: 0.6}}, inplace=True),
    "augmented": lambda df: df.__setitem__("f", df["f"].add(1)),
}


@pytest.mark.usefixtures("way")
@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.parametrize("write", WRITES.values(), ids=list(WRITES))
def test_a_write_is_noticed_and_never_reaches_the_copy_held(write: Callable[[Any], object]) -> None:
    df, as_it_was = mixed(), mixed()
    held, before = df.copy(deep=False), take_fingerprint(df)
    assert unchanged(before, df)
    write(df)
    assert not unchanged(before, df)
    pd.testing.assert_frame_equal(held, as_it_was)


READS: dict[str, Callable[[Any], object]] = {
    "values": lambda df: df.values,
    "describe": lambda df: df.describe(),
    "groupby": lambda df: df.groupby("c", observed=True)["f"].sum(),
    "sort": lambda df: df.sort_values("f"),
    "loc": lambda df: df.loc["u"],
    "to_numpy": lambda df: df[["i", "f"]].to_numpy(),
    "sum across": lambda df: df[["f", "g"]].sum(axis=1),
    "copy": lambda df: df.copy(),
    "repr": repr,
}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("read", READS.values(), ids=list(READS))
def test_reading_is_no_change(read: Callable[[Any], object]) -> None:
    df = mixed()
    held, before = df.copy(deep=False), take_fingerprint(df)
    read(df)
    assert unchanged(before, df)
    assert held is not df


@pytest.mark.usefixtures("way")
def test_a_series_is_watched_too() -> None:
    series: Any = pd.Series([1.0, 2.0], name="x")
    held, before = series.to_frame(), take_fingerprint(series)
    assert unchanged(before, series)
    series.loc[0] = 9.0
    assert not unchanged(before, series)
    assert held["x"].tolist() == [1.0, 2.0]
    assert not unchanged(before, held)


@pytest.mark.usefixtures("way")
def test_a_renamed_series_is_noticed() -> None:
    series = pd.Series([1.0], name="x")
    before = take_fingerprint(series)
    series.name = "y"
    assert not unchanged(before, series)


@pytest.mark.usefixtures("way")
def test_another_dataframe_with_equal_values_is_not_certainly_the_same() -> None:
    assert not unchanged(take_fingerprint(mixed()), mixed())


def test_both_ways_find_the_same_buffers() -> None:
    df = mixed()
    df["late"] = 1.5
    df.insert(3, "later", [np.float32(1)] * 6)
    for frame in (df, df.copy(deep=False), df[["g", "f", "i"]], df.iloc[2:4], df.iloc[::2], df.iloc[:0], df[["i", "i"]]):
        assert column_buffers(frame) == column_buffers_by_accessors(frame)


def test_a_shallow_copy_shares_its_buffers_and_a_deep_one_does_not() -> None:
    df = mixed()
    assert column_buffers(df.copy(deep=False)) == column_buffers(df)
    numbers = df[["i", "f", "t", "n", "c"]]  # Arrow's buffers never change, so pandas shares those of text even in deep copies
    assert not set(column_buffers(numbers.copy())) & set(column_buffers(df))


def test_only_the_written_column_moves() -> None:
    df = mixed()
    held = df.copy(deep=False)
    df.loc["v", "g"] = 9.5
    moved = [label for label, one, other in zip(df.columns, column_buffers(df), column_buffers(held), strict=True) if one != other]
    assert moved == ["g"]


def test_a_manager_that_tells_something_else_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "_manager", lambda df: df.no_such_attribute)
    assert fingerprint.manager_is_understood() is False


class WritesAndLooks(RuleBasedStateMachine):
    """Whatever is written in whatever order: what `unchanged` calls unchanged has equal values."""

    def __init__(self) -> None:
        super().__init__()
        self.df = mixed()
        self.look()

    def look(self) -> None:
        self.held = self.df.copy(deep=False)
        self.before = take_fingerprint(self.df)
        self.values = self.df.copy()

    @rule(name=st.sampled_from(["int", "float", "text", "nullable int", "category", "at", "iloc", "assign", "index name", "new index"]))
    def write(self, name: str) -> None:
        if "v" in self.df.index and "u" in self.df.index:
            WRITES[name](self.df)

    @rule()
    def take_a_view_and_write_to_the_dataframe(self) -> None:
        view = self.df["f"]
        self.df.iloc[0, 1] += 1.0
        assert view.iloc[0] != self.df.iloc[0, 1]

    @rule()
    def rebind_to_a_part(self) -> None:
        self.df = self.df.iloc[:-1] if len(self.df) > 3 else mixed()

    @rule()
    def look_again(self) -> None:
        self.look()

    @invariant()
    def what_is_called_unchanged_is_equal(self) -> None:
        if unchanged(self.before, self.df):
            pd.testing.assert_frame_equal(self.df, self.values)

    @invariant()
    def what_is_held_stays_as_it_was(self) -> None:
        pd.testing.assert_frame_equal(self.held, self.values, check_names=False)


WritesAndLooks.TestCase.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
TestWritesAndLooks = WritesAndLooks.TestCase

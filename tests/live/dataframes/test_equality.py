"""The same means: nobody could tell one from the other."""

from __future__ import annotations

import copy
import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.live.dataframes import equality
from mcp_workbench.live.dataframes.equality import same_column, same_labels


def objects(*cells: object) -> Any:
    values = np.empty(len(cells), dtype=object)
    for at, cell in enumerate(cells):
        values[at] = cell
    return pd.Series(values, dtype=object)


class Stubborn:
    """Says yes to everything, or fails: either way it is not asked."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("nobody should ask")

    __hash__ = object.__hash__


OFTEN_TAKEN_FOR_EQUAL: list[tuple[Any, Any]] = [
    (1, True),
    (1, 1.0),
    (0.0, -0.0),
    ("1", 1),
    (None, float("nan")),
    (Decimal("1.0"), Decimal("1.00")),
    ([1], [True]),
    ([1, [2]], [1, [2.0]]),
    ((1,), [1]),
    ({"k": 1}, {"k": True}),
    ({1: "x"}, {True: "x"}),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({1}, {True}),
    (np.int64(1), np.int32(1)),
    (np.array([1, 2]), np.array([1.0, 2.0])),
    (np.array([0.0]), np.array([-0.0])),
    (np.array([[1]]), np.array([1])),
    (1 + 0j, complex(1, -0.0)),
    (dt.datetime(2013, 1, 1, 12, tzinfo=dt.UTC), dt.datetime(2013, 1, 1, 13, tzinfo=ZoneInfo("Europe/Berlin"))),
    (pd.Timestamp("2013-01-01", tz="UTC"), pd.Timestamp("2013-01-01 01:00", tz="Europe/Berlin")),
    (pd.Timestamp("2013-01-01").as_unit("s"), pd.Timestamp("2013-01-01").as_unit("ns")),
    (pd.Interval(0, 1), pd.Interval(0.0, 1.0)),
    (Stubborn(), Stubborn()),
    ([Stubborn()], [Stubborn()]),
]


@pytest.mark.parametrize(("one", "other"), OFTEN_TAKEN_FOR_EQUAL)
def test_cells_of_other_types_or_looks_are_not_the_same(one: Any, other: Any) -> None:
    assert not same_column(objects("x", one), objects("x", other))
    assert same_column(objects("x", one), objects("x", one))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes() | st.decimals() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=6))
def test_equal_copies_are_the_same(cells: list[Any]) -> None:
    assert same_column(objects(*cells), objects(*copy.deepcopy(cells)))


@given(st.lists(VALUES, min_size=1, max_size=4), st.lists(VALUES, min_size=1, max_size=4))
def test_what_is_the_same_also_looks_the_same(one: list[Any], other: list[Any]) -> None:
    if same_column(objects(*one), objects(*other)):
        assert repr(one) == repr(other)


SAME: list[Any] = [
    [1, 2],
    [0.5, float("nan")],
    [1j, complex("nan")],
    [True, False],
    ["x", None],
    pd.array([1, None], dtype="Int64"),
    pd.array([0.5, None], dtype="Float64"),
    pd.array([True, None], dtype="boolean"),
    pd.array(["x", None], dtype="string"),
    pd.Categorical(["x", None, "y"]),
    pd.to_datetime(["2013-01-01", "NaT"]),
    pd.to_datetime(["2013-01-01", "NaT"]).tz_localize("UTC"),
    pd.to_timedelta(["1s", None]),
    pd.period_range("2013", periods=2, freq="M"),
    pd.interval_range(0.0, 2.0),
    pd.arrays.SparseArray([0.0, 1.0]),
    np.array([1, 2], dtype="float16"),
]


@pytest.mark.parametrize("values", SAME)
def test_every_dtype_is_recognized_in_a_copy(values: Any) -> None:
    column = pd.Series(values)
    assert same_column(column, column.copy(deep=True))
    assert not same_column(column, column.iloc[::-1])
    assert not same_column(column, column.iloc[:1])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pd.Series([0.0]), pd.Series([-0.0])),
        (pd.Series([complex(0.0, 0.0)]), pd.Series([complex(0.0, -0.0)])),
        (pd.Series([0.0], dtype="Float64"), pd.Series([-0.0], dtype="Float64")),
        (pd.Series([1.0, None]), pd.Series([1.0, 2.0])),
        (pd.Series([1, None], dtype="Int64"), pd.Series([1, 0], dtype="Int64")),
        (pd.Series(pd.Categorical(["x"], ["x", "y"])), pd.Series(pd.Categorical(["x"], ["y", "x"]))),
        (pd.Series(pd.Categorical([1], [1, "y"])), pd.Series(pd.Categorical([True], [True, "y"]))),
        (pd.Series(pd.arrays.IntervalArray.from_breaks([0.0, 1.0])), pd.Series(pd.arrays.IntervalArray.from_breaks([-0.0, 1.0]))),
        (pd.Series(pd.arrays.SparseArray([0.0, 1.0])), pd.Series(pd.arrays.SparseArray([-0.0, 1.0], fill_value=0.0))),
    ],
)
def test_what_pandas_calls_equal_may_differ(one: pd.Series, other: pd.Series) -> None:
    assert not same_column(one, other)


def test_extended_floats_and_arrays_of_somebody_else_are_in_doubt() -> None:
    class Theirs(pd.arrays.IntegerArray):
        @property
        def dtype(self) -> Any:
            return THEIRS

    extended = pd.Series(np.array([1.0], dtype=np.longdouble))
    assert same_column(extended, extended.copy(deep=True)) is (np.dtype(np.longdouble).itemsize == 8)
    array = Theirs(np.array([1]), np.array([False]))
    assert not equality._same_array(array, Theirs(np.array([1]), np.array([False])))


class TheirDtype(pd.api.extensions.ExtensionDtype):
    name = "theirs"
    type = int


THEIRS = TheirDtype()


def test_comparing_objects_one_by_one_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equality, "MAX_COMPARISONS", 10)
    assert same_column(objects(*([n] for n in range(4))), objects(*([n] for n in range(4))))
    assert not same_column(objects(*([n] for n in range(11))), objects(*([n] for n in range(11))))
    assert not same_column(objects([*range(1_000)]), objects([*range(1_000)]))
    assert not same_column(objects(np.arange(1_000)), objects(np.arange(1_000)))
    many = [[n] for n in range(100)]
    assert same_column(objects(*many), objects(*many))


def test_plain_objects_have_no_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equality, "MAX_COMPARISONS", 0)
    cells: list[Any] = ["x", 1, None, 0.5, float("nan"), True]
    assert same_column(objects(*cells), objects(*copy.deepcopy(cells)))


def test_what_holds_itself_is_in_doubt() -> None:
    one: list[Any] = []
    one.append(one)
    other: list[Any] = []
    other.append(other)
    assert not same_column(objects(one), objects(other))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (pd.RangeIndex(3), pd.Index([0, 1, 2]), True),
        (pd.RangeIndex(3), pd.RangeIndex(0, 3), True),
        (pd.RangeIndex(3), pd.RangeIndex(1, 4), False),
        (pd.Index([1, "x"], dtype=object), pd.Index([True, "x"], dtype=object), False),
        (pd.Index([0.0]), pd.Index([-0.0]), False),
        (pd.Index([1], name="a"), pd.Index([1], name="b"), False),
        (pd.Index([1], name=1), pd.Index([1], name=True), False),
        (pd.Index([1, 2]), pd.Index([1, 2, 3]), False),
        (pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]), pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]), True),
        (pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]), pd.MultiIndex.from_tuples([("a", 1), ("b", 3)]), False),
        (pd.MultiIndex.from_tuples([("a", 1)]), pd.Index([("a", 1)], tupleize_cols=False), False),
        (pd.interval_range(0, 2), pd.interval_range(0, 2), True),
        (pd.CategoricalIndex(["x"]), pd.Index(["x"]), False),
    ],
)
def test_labels_are_compared_as_strictly(one: pd.Index, other: pd.Index, same: bool) -> None:
    assert same_labels(one, other) is same
    assert same_labels(one, one.view())


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (pa.decimal128(10, 2), Decimal("1.10"), Decimal("1.11")),
        (pa.date32(), dt.date(2013, 1, 5), dt.date(2013, 1, 6)),
        (pa.list_(pa.int8()), [1, None], [1, 2]),
        (pa.struct([("a", pa.string())]), {"a": "x"}, {"a": None}),
        (pa.binary(), b"x", b"y"),
        (pa.null(), None, None),
        (pa.int64(), 2**62, 2**62 + 1),
        (pa.string(), "x", "y"),
    ],
)
def test_arrow_columns_are_compared_by_value(kind: Any, one: Any, other: Any) -> None:
    column, again, changed = (pd.Series([value, None], dtype=pd.ArrowDtype(kind)) for value in (one, copy.copy(one), other))
    assert same_column(column, again)
    assert same_column(column, changed) == (one == other)


def test_floats_inside_arrow_columns_count_as_changed() -> None:
    dtype = pd.ArrowDtype(pa.list_(pa.float64()))
    assert not same_column(pd.Series([[0.0]], dtype=dtype), pd.Series([[-0.0]], dtype=dtype))

"""The same memory without the right to write, for every kind of array and index."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mcp_workbench.live.dataframes.read_only import Loan, loan_of, own_array, read_only_array, read_only_index


class Holder:
    """What pandas counts as sharing: here nothing."""


def parts(array: Any) -> list[Any]:
    if isinstance(array, np.ndarray):
        return [array]
    names = ("_ndarray", "_data", "_mask", "_left", "_right", "_sparse_values")
    return [inner for name in names if (part := getattr(array, name, None)) is not None for inner in parts(part)]


def address(array: Any) -> int:
    found: int = array.__array_interface__["data"][0]
    return found


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3),
        np.array(["a", [1]], dtype=object),
        np.array(["2013-01-01"], dtype="M8[us]"),
        np.zeros((0, 3)),
        np.arange(6)[::-2],
        np.zeros(2, dtype=np.longdouble),
        np.asfortranarray(np.zeros((3, 4))),
        np.arange(3, dtype=">i4"),
    ],
)
def test_numpy_memory_is_shared_and_the_right_to_write_cannot_be_had_back(array: Any) -> None:
    lent = read_only_array(array, Holder())
    assert (lent.dtype, lent.shape, lent.strides, address(lent)) == (array.dtype, array.shape, array.strides, address(array))
    for view in (lent, lent[:1], lent.T):
        with pytest.raises(ValueError, match="WRITEABLE"):
            view.flags.writeable = True


def test_a_loan_lives_as_long_as_anything_looks_through_it() -> None:
    holder = Holder()
    gone = weakref.ref(holder)
    view = read_only_array(np.arange(3), holder)[1:]
    del holder
    gc.collect()
    assert gone() is not None
    assert isinstance(loan_of(view), Loan)
    del view
    gc.collect()
    assert gone() is None


def test_what_is_lent_on_is_not_lent_twice() -> None:
    df = pd.DataFrame({"a": [1, 2]})
    index = pd.Index([3, 4])
    assert loan_of(df["a"].to_numpy()) is None
    once: Any = read_only_index(index)
    again: Any = read_only_index(once)
    assert loan_of(again._data) is loan_of(once._data) is not None


@pytest.mark.parametrize(
    "array",
    [
        pd.array([1, None], dtype="Int64"),
        pd.array([True, None], dtype="boolean"),
        pd.array([0.5, None], dtype="Float64"),
        pd.Categorical(["x", "y"]),
        pd.array(pd.to_datetime(["2013-01-01", "2013-01-02"])),
        pd.array(pd.to_datetime(["2013-01-01", "2013-01-02"]).tz_localize("Europe/Berlin")),
        pd.array(pd.to_timedelta([1, 2], unit="s")),
        pd.array(pd.period_range("2013", periods=2, freq="M")),
        pd.array(pd.interval_range(0, 2)),
        pd.array(pd.interval_range(pd.Timestamp("2013-01-01"), periods=2)),
        pd.arrays.SparseArray([0, 3]),
    ],
)
def test_extension_arrays_are_lent_with_every_part(array: Any) -> None:
    lent = read_only_array(array, Holder())
    assert lent.dtype == array.dtype
    assert lent.equals(array)
    assert [address(part) for part in parts(lent)] == [address(part) for part in parts(array)]
    assert not any(part.flags.writeable for part in parts(lent))
    own = own_array(lent)
    assert own is not lent
    assert own.equals(array)


def test_categories_are_lent_too() -> None:
    array = pd.Categorical([10, 20])
    lent = read_only_array(array, Holder())
    assert not lent.categories._data.flags.writeable
    assert array.categories.tolist() == [10, 20]


def test_an_array_of_somebody_else_is_copied_for_each_receiver() -> None:
    class Theirs(pd.arrays.IntegerArray):
        __module__ = "elsewhere"

    array = Theirs(np.array([1, 2]), np.array([False, False]))
    assert read_only_array(array, Holder()) is array
    own: Any = own_array(array)
    own[0] = 9
    assert array[0] == 1


@pytest.mark.parametrize(
    "index",
    [
        pd.Index([3, 1, 2], name="n"),
        pd.Index(["a", "b"]),
        pd.Index([1, "a", None], dtype=object),
        pd.Index(pd.array([1, None], dtype="Int64")),
        pd.date_range("2013-01-01", periods=3, tz="UTC", name="t"),
        pd.CategoricalIndex(["x", "y"]),
        pd.interval_range(0, 3),
        pd.period_range("2013", periods=3, freq="M"),
        pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["k", "n"]),
        pd.RangeIndex(2, 8, 3, name="r"),
    ],
)
def test_indexes_stay_what_they_are_and_cannot_be_written_to(index: Any) -> None:
    lent: Any = read_only_index(index)
    pd.testing.assert_index_equal(lent, index, exact=True)
    assert (lent.names, getattr(lent, "freq", None)) == (index.names, getattr(index, "freq", None))
    flat = [] if isinstance(index, pd.RangeIndex) else lent.levels if isinstance(index, pd.MultiIndex) else [lent]
    assert not any(part.flags.writeable for labels in flat for part in parts(labels._data))


def test_a_range_keeps_the_values_it_computes_to_itself() -> None:
    index: Any = pd.RangeIndex(3)
    lent: Any = read_only_index(index)
    lent._data[0] = 9
    assert index.tolist() == [0, 1, 2]


def test_the_table_for_look_ups_is_not_made_again() -> None:
    index: Any = pd.Index(["b", "a"])
    assert index.get_loc("a") == 1
    lent: Any = read_only_index(index)
    assert lent._engine is index._engine
    assert lent.get_loc("b") == 0

"""Every dtype of a DataFrame through the one encoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.live.dataframes.cells import CellKind, column_labels, encode_values, label_text
from mcp_workbench.live.dataframes.objects import encode_object

odd: Any = pd
"""pandas for what its type stubs do not allow."""


def column(values: Any, dtype: Any = None) -> pd.Series:
    series: pd.Series = odd.Series(values, dtype=dtype)
    return series


CASES: list[tuple[str, pd.Series, list[object]]] = [
    ("int64", column([1, -2]), [1, -2]),
    ("int64 beyond doubles", column([1, 2**53 + 1]), [1, "9007199254740993"]),
    ("uint64", column([0, 2**64 - 1], "uint64"), [0, "18446744073709551615"]),
    ("int8", column([1, -128], "int8"), [1, -128]),
    ("float64", column([0.1, np.nan]), [0.1, None]),
    ("infinities", column([np.inf, -np.inf, 1.0]), ["Infinity", "-Infinity", 1.0]),
    ("float32", column([0.1, np.nan], "float32"), [0.1, None]),
    ("bool", column([True, False]), [True, False]),
    ("complex", column([1 + 2j, complex("nan")]), ["(1+2j)", None]),
    ("Int64", column([1, None, 2**60], "Int64"), [1, None, "1152921504606846976"]),
    ("UInt8", column([255, None], "UInt8"), [255, None]),
    ("Float64", column([0.5, None], "Float64"), [0.5, None]),
    ("boolean", column([True, None], "boolean"), [True, None]),
    ("string", column(["a", None, ""], "string"), ["a", None, ""]),
    ("text of this pandas", column(["a", None, "é"]), ["a", None, "é"]),
    ("lone surrogate", column(["é\ud800"], "object"), ["é\\ud800"]),
    ("object", column(["a", 1, None, b"\x01", [1]], "object"), ["a", 1, None, "base64:AQ==", [1]]),
    ("formula", column(["=1+1", "@x"]), ["=1+1", "@x"]),
    ("naive times", column(odd.to_datetime(["2013-01-01 05:00", None])), ["2013-01-01T05:00:00", None]),
    ("nanoseconds", column(np.array(["2013-01-01T00:00:00.000000001"], "datetime64[ns]")), ["2013-01-01T00:00:00.000000001"]),
    ("far years", column(np.array(["-0044-03-15", "12013-01-01"], "datetime64[s]")), ["-044-03-15T00:00:00", "12013-01-01T00:00:00"]),
    ("timedelta", column(pd.to_timedelta(["1 day 2h", None])), ["P1DT2H0M0S", None]),
    ("Period", column(pd.PeriodIndex(["2013-01", "NaT"], freq="M")), ["2013-01", None]),
    ("Interval", column(odd.arrays.IntervalArray.from_tuples([(0, 1), None])), ["(0.0, 1.0]", None]),
    ("category", column(odd.Categorical(["b", None, "a"])), ["b", None, "a"]),
    ("category of times", column(odd.Categorical(odd.to_datetime(["2013-01-01", None]))), ["2013-01-01T00:00:00", None]),
    ("category of nothing", column(odd.Categorical([None, None])), [None, None]),
    ("sparse", column(pd.arrays.SparseArray([0.0, 2.5, np.nan])), [0.0, 2.5, None]),
]


@pytest.mark.parametrize(("series", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_every_dtype_is_encoded(series: pd.Series, expected: list[object]) -> None:
    cells = encode_values(series)
    assert cells.values == expected
    assert [type(cell) for cell in cells.values] == [type(cell) for cell in expected]


@pytest.mark.parametrize("series", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_an_empty_page_of_every_dtype_has_no_cells(series: pd.Series) -> None:
    assert encode_values(series.iloc[:0]).values == []


@pytest.mark.parametrize("series", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_numbers_and_plain_texts_are_what_they_claim(series: pd.Series) -> None:
    cells = encode_values(series)
    if cells.kind is CellKind.NUMBERS:
        assert all(cell is None or isinstance(cell, bool | int | float) for cell in cells.values)
    if cells.kind is CellKind.PLAIN:
        assert not any(set('",|\\\n ') & set(cell) for cell in cells.values if cell is not None)
        assert "" not in cells.values


def test_zoned_times_carry_the_offset_of_their_day() -> None:
    times = pd.Series(odd.to_datetime(["2013-01-01 05:00", "2013-07-01 05:00", None])).dt.tz_localize("America/New_York")
    assert encode_values(times).values == ["2013-01-01T05:00:00-05:00", "2013-07-01T05:00:00-04:00", None]


def test_old_offsets_have_seconds() -> None:
    times = pd.Series(odd.to_datetime(["1880-01-01"]).tz_localize("America/New_York"))
    assert encode_values(times).values == [times.iloc[0].isoformat()]


def test_long_texts_are_cut() -> None:
    assert encode_values(pd.Series(["abcdef", "ab"]), max_chars=3).values == ["abc… (+3 characters)", "ab"]


def test_an_index_is_encoded_like_a_column() -> None:
    assert encode_values(pd.Index(["a", None], dtype="object")).values == ["a", None]
    assert encode_values(pd.RangeIndex(2)).values == [0, 1]


def test_objects_in_text_columns_give_nothing_away() -> None:
    class Account:
        password = "hunter2"

    cells = encode_values(pd.Series(["a", Account()], dtype="object")).values
    assert cells[0] == "a"
    assert "hunter2" not in str(cells[1])


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("dep_delay", "dep_delay"),
        (2013, "2013"),
        (("dep_delay", "mean"), "dep_delay.mean"),
        (("origin", ""), "origin"),
        (pd.Timestamp("2013-01-01"), "2013-01-01T00:00:00"),
        (np.nan, "NaN"),
        (None, "NaN"),
    ],
)
def test_labels_are_text(label: object, text: str) -> None:
    assert label_text(label) == text


def test_duplicate_labels_stay_duplicates() -> None:
    assert column_labels(pd.DataFrame([[1, 2]], columns=["a", "a"])) == ["a", "a"]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True)))
def test_a_float_column_is_encoded_like_its_cells_one_by_one(values: list[float]) -> None:
    assert encode_values(pd.Series(values, dtype="float64")).values == [encode_object(value, 100) for value in values]


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_an_integer_column_is_encoded_like_its_cells_one_by_one(values: list[int]) -> None:
    assert encode_values(pd.Series(values, dtype="int64")).values == [encode_object(value, 100) for value in values]


@given(st.lists(st.none() | st.text(st.characters(), max_size=8), max_size=6), st.integers(1, 5))
def test_a_text_column_is_encoded_like_its_cells_one_by_one(values: list[str | None], max_chars: int) -> None:
    assert encode_values(pd.Series(values, dtype="object"), max_chars=max_chars).values == [
        encode_object(value, max_chars) for value in values
    ]


@given(
    st.lists(
        st.datetimes(min_value=pd.Timestamp(1700, 1, 1).to_pydatetime(), max_value=pd.Timestamp(2250, 1, 1).to_pydatetime()), min_size=1
    )
)
def test_times_read_back_as_what_they_were(values: list[Any]) -> None:
    series = pd.Series(values, dtype="datetime64[us]")
    assert [pd.Timestamp(text) for text in encode_values(series).values] == list(series)

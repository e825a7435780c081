"""Arrow tables as DataFrames: every value is what it was, in pandas and in the rows that are read."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import json
import math
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.live.dataframes.arrow_columns import to_pandas, unarrowed
from mcp_workbench.live.dataframes.cells import encode_values
from mcp_workbench.live.dataframes.tables import TableFormat, write_rows
from mcp_workbench.live.dataframes.where_columns import Kind, read_operand


def column(values: Any, kind: Any = None) -> pd.Series:
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, kind)
    return to_pandas(pa.table({"a": array})).iloc[:, 0]


def cells(values: Any, kind: Any = None) -> list[Any]:
    return list(encode_values(column(values, kind)).values)


@pytest.mark.parametrize(
    ("values", "kind", "shown"),
    [
        ([1, None, 2**62 + 1], pa.int64(), [1, None, str(2**62 + 1)]),
        ([2**64 - 1, None], pa.uint64(), [str(2**64 - 1), None]),
        ([-128, None], pa.int8(), [-128, None]),
        ([True, None, False], pa.bool_(), [True, None, False]),
        ([1.5, float("nan"), None, float("inf")], pa.float64(), [1.5, None, None, "Infinity"]),
        ([0.1, None], pa.float32(), [0.1, None]),
        (np.array([0.1], dtype=np.float16), pa.float16(), [0.1]),
        (["é", None, ""], pa.string(), ["é", None, ""]),
        (["x", None], pa.string_view(), ["x", None]),
        ([Decimal("1.10"), None], pa.decimal128(38, 2), ["1.10", None]),
        ([Decimal("1.10"), None], pa.decimal256(70, 2), ["1.10", None]),
        ([dt.date(2013, 1, 5), None], pa.date32(), ["2013-01-05", None]),
        ([2**30, None], pa.date32(), ["<value out of range: 1073741824>", None]),
        ([dt.time(3, 4, 5, 6), None], pa.time64("ns"), ["03:04:05.000006", None]),
        ([1_001, None], pa.time64("ns"), ["00:00:00.000001001", None]),
        ([1_357_360_200_000_000], pa.timestamp("us"), ["2013-01-05T04:30:00"]),
        ([0, None], pa.timestamp("ns", "Europe/Berlin"), ["1970-01-01T01:00:00+01:00", None]),
        ([0], pa.timestamp("s", "+02:00"), ["1970-01-01T02:00:00+02:00"]),
        ([0], pa.timestamp("s", "Middle/Earth"), ["1970-01-01T00:00:00+00:00"]),
        ([dt.timedelta(days=1, seconds=1), None], pa.duration("ms"), ["P1DT0H0M1S", None]),
        ([b"x", None], pa.binary(), ["base64:eA==", None]),
        ([b"x", None], pa.binary_view(), ["base64:eA==", None]),
        ([None, None], pa.null(), [None, None]),
        ([{"a": 1, "b": None}, None], None, [{"a": 1, "b": None}, None]),
        ([[1, None], None, []], pa.list_(pa.int64()), [[1, None], None, []]),
        ([[1]], pa.list_view(pa.int64()), [[1]]),
        ([{"a": ["x"]}, None], pa.struct([("a", pa.list_(pa.string_view()))]), [{"a": ["x"]}, None]),
        ([[("k", 1)]], pa.map_(pa.string(), pa.int64()), [[["k", 1]]]),
        ([(1, 2, 3)], pa.month_day_nano_interval(), [[1, 2, 3]]),
        ([[dt.date(2013, 1, 5)]], None, [["2013-01-05"]]),
        ([[2**30]], pa.list_(pa.date32()), ["<list<item: date32[day]> beyond what Python holds>"]),
    ],
)
def test_every_type_is_shown_as_what_it_is(values: Any, kind: Any, shown: list[Any]) -> None:
    assert cells(values, kind) == shown


def test_types_that_are_wrapped_in_others_are_shown_too() -> None:
    identity = uuid.UUID(int=7)
    assert cells(pa.ExtensionArray.from_storage(pa.uuid(), pa.array([identity.bytes], pa.binary(16)))) == [str(identity)]
    assert cells(pc.run_end_encode(pa.array([1, 1, 2]))) == [1, 1, 2]
    assert cells(pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array(["a", "b"]), pa.array([1, 2])])) == ["a", 2]


@pytest.mark.parametrize("index", [pa.uint8(), pa.uint32(), pa.int64()])
def test_dictionaries_become_categories(index: Any) -> None:
    codes = pa.DictionaryArray.from_arrays(pa.array([1, None, 0], index), pa.array(["x", "y"]))
    series = column(codes)
    assert isinstance(series.dtype, pd.CategoricalDtype)
    assert series.tolist()[::2] == ["y", "x"]
    assert encode_values(series).values == ["y", None, "x"]


def test_categories_of_several_chunks_are_one_set_and_those_pandas_cannot_have_become_values() -> None:
    chunks = pa.chunked_array([pa.array(["a"]).dictionary_encode(), pa.array(["b", "a"]).dictionary_encode()])
    assert column(chunks).tolist() == ["a", "b", "a"]
    for dictionary in (["a", None], ["a", "a"]):
        twice = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(dictionary))
        assert cells(twice) == dictionary
    assert column(pa.chunked_array([], pa.dictionary(pa.int8(), pa.string()))).tolist() == []


def test_nothing_is_copied() -> None:
    table = pa.table({"n": [1, None, 3], "s": ["a", "b", None]})
    df = to_pandas(table)
    for at in range(2):
        mine: Any = df.iloc[:, at].array
        assert [buffer.address for buffer in mine.__arrow_array__().chunk(0).buffers() if buffer] == [
            buffer.address for buffer in table.column(at).chunk(0).buffers() if buffer
        ]


def test_labels_may_stand_twice_and_rows_need_no_columns() -> None:
    df = to_pandas(pa.table([[1], [2]], names=["a", "a"]))
    assert (list(df.columns), df.iloc[0].tolist()) == (["a", "a"], [1, 2])
    assert to_pandas(pa.table({"a": [1, 2]}).select([])).shape == (2, 0)
    assert to_pandas(pa.table({"a": pa.array([], pa.int64())})).shape == (0, 1)


@pytest.mark.parametrize(
    ("values", "kind", "operand"),
    [
        ([1, None], pa.int32(), Kind.NUMBER),
        ([1.5, None], pa.float32(), Kind.NUMBER),
        (["a", None], pa.large_string(), Kind.TEXT),
        ([True, None], pa.bool_(), Kind.TRUTH),
        ([0, None], pa.timestamp("us", "UTC"), Kind.TIME),
        ([0, None], pa.date32(), Kind.TIME),
        ([0, None], pa.duration("us"), Kind.DURATION),
        ([Decimal(1), None], pa.decimal128(3, 1), Kind.NUMBER),
        ([[1], None], pa.list_(pa.int8()), Kind.OTHER),
        ([None, None], pa.null(), Kind.NOTHING),
    ],
)
def test_conditions_read_such_columns_like_any_other(values: Any, kind: Any, operand: Kind) -> None:
    read = read_operand(column(values, kind), "a")
    assert (read.kind, read.missing.tolist()) == (operand, [value is None for value in values])


def test_an_index_of_arrow_data_is_read_too() -> None:
    df = pd.DataFrame({"n": [1, 2]}, index=pd.Index(column([2**60, None]), name="key"))
    assert write_rows(df, TableFormat.CSV).text(2) == f"key,n\n{2**60},1\n,2\n"


SCALARS: dict[Any, Any] = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float64(): st.floats(),
    pa.string(): st.text(),
    pa.bool_(): st.booleans(),
    pa.decimal128(38, 5): st.decimals(-(10**20), 10**20, places=5),
    pa.date32(): st.dates(),
    pa.time64("us"): st.times(),
    pa.timestamp("us"): st.datetimes(),
    pa.duration("us"): st.timedeltas(dt.timedelta(-10_000), dt.timedelta(10_000)),
    pa.binary(): st.binary(),
    pa.list_(pa.int16()): st.lists(st.none() | st.integers(-(2**15), 2**15 - 1)),
}


@given(st.sampled_from(list(SCALARS)).flatmap(lambda kind: st.tuples(st.just(kind), st.lists(st.none() | SCALARS[kind], max_size=6))))
def test_what_rows_show_is_what_the_table_holds(drawn: tuple[Any, list[Any]]) -> None:
    kind, values = drawn
    df = to_pandas(pa.table({"a": pa.array(values, kind)}))
    shown = json.loads(write_rows(df, TableFormat.JSON).text(len(values)))["data"]
    for [cell], value in zip(shown, values, strict=True):
        assert _same(cell, value), (cell, value)


def _same(cell: Any, value: Any) -> bool:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return cell is None
    match value:
        case bool() | list():
            return bool(cell == value)
        case int():
            return int(cell) == value and isinstance(cell, str) == (abs(value) > 2**53)
        case float():
            return float(cell) == value
        case Decimal():
            return Decimal(cell) == value and not isinstance(cell, float)
        case dt.datetime():
            return dt.datetime.fromisoformat(cell) == value
        case dt.date():
            return dt.date.fromisoformat(cell) == value
        case dt.time():
            return dt.time.fromisoformat(cell) == value
        case dt.timedelta():
            return pd.Timedelta(cell).to_pytimedelta() == value
        case bytes():
            return bool(cell == "base64:" + base64.b64encode(value).decode())
    return bool(cell == value)


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=8))
def test_whole_numbers_beside_missing_ones_stay_whole(values: list[int | None]) -> None:
    own = unarrowed(column(values, pa.int64()).array)
    assert own.dtype == pd.Int64Dtype()
    assert [None if value is pd.NA else value for value in own] == values


def test_decimals_stay_exact_in_what_a_tool_of_pandas_receives() -> None:
    with decimal.localcontext(prec=50):
        assert column([Decimal("0.1"), Decimal("0.2")], pa.decimal128(38, 1)).sum() == Decimal("0.3")

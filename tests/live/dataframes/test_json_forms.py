"""pandas values inside what tools return."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mcp_workbench.errors import ToolError
from mcp_workbench.live.dataframes.json_forms import MAX_CELLS, register_all
from mcp_workbench.primitives.jsonable import to_jsonable

odd: Any = pd
register_all()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (pd.NaT, None),
        (pd.NA, None),
        (pd.Timestamp("2013-01-02", tz="UTC"), "2013-01-02T00:00:00+00:00"),
        (pd.Timedelta("90s"), "P0DT0H1M30S"),
        (pd.Period("2013-01", freq="M"), "2013-01"),
        (pd.Interval(0, 1), "(0, 1]"),
        (pd.Series([1.5, np.nan]), [1.5, None]),
        (pd.Index(["a"]), ["a"]),
        (pd.MultiIndex.from_tuples([("a", 1)]), [["a", 1]]),
        (odd.Categorical(["a", None]), ["a", None]),
        (odd.array([1, None], dtype="Int64"), [1, None]),
        (pd.DataFrame({"a": [1]}), {"columns": ["a"], "data": [[1]]}),
        (
            pd.DataFrame({"a": [1]}, index=pd.Index(["x"], name="key")),
            {"columns": ["a"], "data": [[1]], "index": ["x"], "index_names": ["key"]},
        ),
    ],
)
def test_pandas_values_have_a_json_form(value: object, expected: object) -> None:
    assert to_jsonable({"inside": [value]}) == {"inside": [expected]}


def test_keys_may_be_times() -> None:
    assert to_jsonable({pd.Timestamp("2013-01-02"): 1}) == {"2013-01-02T00:00:00": 1}


def test_a_large_table_inside_another_value_is_refused_with_the_way_out() -> None:
    with pytest.raises(ToolError, match="Return it by itself"):
        to_jsonable([pd.DataFrame({"a": range(MAX_CELLS + 1)})])
    with pytest.raises(ToolError, match="a Series of 100,001 values"):
        to_jsonable([pd.Series(range(MAX_CELLS + 1))])


@pytest.mark.parametrize(
    "table", [pl.DataFrame({"a": [1, None]}), pa.table({"a": [1, None]}), duckdb.sql("FROM (VALUES (1), (NULL)) AS t(a)")]
)
def test_other_libraries_tables_inside_values_become_split_json(table: object) -> None:
    assert to_jsonable({"best": table}) == {"best": {"columns": ["a"], "data": [[1], [None]]}}


def test_a_table_that_cannot_be_read_is_an_error_inside_values_too() -> None:
    with pytest.raises(ToolError, match="The DuckDB relation could not be read"):
        to_jsonable([duckdb.sql("SELECT error('no such luck')")])
    with pytest.raises(ToolError, match="up to 100,000 are sent so"):
        to_jsonable([pl.DataFrame({"a": range(MAX_CELLS + 1)})])

"""One version in every kind of table that somebody may ask for."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import ChangeKind
from mcp_workbench.live.dataframes import conversions
from mcp_workbench.live.dataframes.conversions import as_kind, as_published
from mcp_workbench.live.dataframes.foreign import TableKind, UnservableTable, kind_of
from mcp_workbench.live.dataframes.snapshots import Snapshot, freeze_table, take_snapshot

DATA: dict[str, list[Any]] = {"n": [1, None, 2**62 + 1], "s": ["a", None, "é"]}


def snapshot(table: Any, name: str = "sales") -> Snapshot:
    frozen, origin = freeze_table(table, name)
    return take_snapshot(name, 3, frozen, ChangeKind.PUBLISHED, "", 0.0, origin)


def tables() -> list[Any]:
    return [pl.DataFrame(DATA), pl.LazyFrame(DATA), pa.table(DATA), duckdb.from_arrow(pa.table(DATA)), of_pandas()]


def of_pandas() -> pd.DataFrame:
    return pd.DataFrame({"n": pd.array(DATA["n"], dtype="Int64"), "s": DATA["s"]})


def values(table: Any) -> dict[str, list[Any]]:
    match kind_of(table):
        case TableKind.POLARS:
            return dict(table.to_dict(as_series=False))
        case TableKind.POLARS_LAZY:
            return dict(table.collect().to_dict(as_series=False))
        case TableKind.ARROW:
            return dict(table.to_pydict())
        case TableKind.DUCKDB:
            return {name: [row[at] for row in table.fetchall()] for at, name in enumerate(table.columns)}
    return {label: [None if pd.isna(value) else value for value in column] for label, column in table.items()}


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("kind", TableKind)
def test_every_kind_is_handed_out_as_every_kind_with_the_same_values(at: int, kind: TableKind) -> None:
    handed = as_kind(snapshot(tables()[at]), kind)
    assert (kind_of(handed), values(handed)) == (kind, DATA)


@pytest.mark.parametrize("at", range(5))
def test_what_was_published_comes_back_in_its_kind(at: int) -> None:
    table = tables()[at]
    handed = as_published(snapshot(table))
    assert (type(handed), values(handed)) == (type(table), DATA)


@pytest.mark.parametrize("at", range(5))
def test_what_a_tool_of_pandas_receives_has_the_same_values(at: int) -> None:
    assert values(snapshot(tables()[at]).copy()) == DATA


def test_a_pyarrow_table_is_handed_out_itself_and_a_polars_dataframe_shares_its_columns() -> None:
    table, df = pa.table(DATA), pl.DataFrame(DATA)
    assert as_kind(snapshot(table), TableKind.ARROW) is table
    served = snapshot(df)
    handed = as_kind(served, TableKind.POLARS)
    handed[0, "n"] = 9
    handed.insert_column(0, pl.Series("more", [1, 2, 3]))
    assert values(as_kind(served, TableKind.POLARS)) == values(df) == DATA


def test_what_a_tool_writes_into_its_table_reaches_nobody() -> None:
    served = snapshot(of_pandas())
    handed = as_kind(served, TableKind.POLARS)
    handed[0, "n"] = 9
    received = snapshot(pl.DataFrame(DATA)).copy()
    received.loc[0, "n"] = 9
    assert values(served.df) == values(as_kind(served, TableKind.ARROW)) == DATA


def test_an_index_comes_first_and_labels_become_text() -> None:
    index = pd.MultiIndex.from_tuples([("p", 1), ("q", 2)], names=["key", None])
    df = pd.DataFrame([[1.5, 2.5], [3.5, np.nan]], index=index, columns=pd.MultiIndex.from_product([["a"], [1, 2]]))
    assert values(as_kind(snapshot(df), TableKind.POLARS)) == {
        "key": ["p", "q"],
        "level_1": [1, 2],
        "a.1": [1.5, 3.5],
        "a.2": [2.5, None],
    }


def test_types_of_pandas_alone_become_text_or_values() -> None:
    df = pd.DataFrame(
        {
            "period": pd.Series([pd.Period("2013-01", "M"), pd.NaT], dtype="period[M]"),
            "interval": pd.Series([pd.Interval(0.0, 1.0), None], dtype="interval[float64]"),
            "sparse": pd.arrays.SparseArray([0, 5]),
            "category": pd.Categorical(["x", None]),
            "zoned": pd.DatetimeIndex(["2013-01-05", pd.NaT], tz="Europe/Berlin"),
            "decimal": [Decimal("1.10"), None],
        }
    )
    handed = as_kind(snapshot(df), TableKind.POLARS)
    assert values(handed.select("period", "interval", "sparse", "category", "decimal")) == {
        "period": ["2013-01", None],
        "interval": ["(0.0, 1.0]", None],
        "sparse": [0, 5],
        "category": ["x", None],
        "decimal": [Decimal("1.10"), None],
    }
    assert isinstance(handed["zoned"].dtype, pl.Datetime)
    assert handed["zoned"].dtype.time_zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("cells", "holds"),
    [
        ([1, "a"], "cells of several types (float, str)"),
        ([dt.date(2013, 1, 5), dt.datetime(2013, 1, 5, 4, tzinfo=dt.UTC)], "cells of several types (datetime.date, datetime.datetime)"),
        (["a", b"a"], "cells of several types (bytes, str)"),
        ([1.5, True], "cells of several types (bool, float)"),
        ([pd.Timestamp("2013-01-05"), None, pd.Timestamp("2013-01-05", tz="UTC")], "times with and without a time zone"),
    ],
)
@pytest.mark.parametrize("kind", TableKind)
def test_cells_that_arrow_would_make_one_type_of_are_refused(cells: list[Any], holds: str, kind: TableKind) -> None:
    with pytest.raises(UnservableTable) as caught:
        as_kind(snapshot(pd.DataFrame({"a": pd.Series(cells, dtype=object)})), kind)
    assert str(caught.value) == f"Column a holds {holds}. The tool would have to take a pandas DataFrame."


@pytest.mark.parametrize(
    ("cells", "received"),
    [
        ([1, 2.5, None], [1.0, 2.5, None]),
        ([np.int64(1), 2], [1, 2]),
        ([Decimal("1.5"), 2], [Decimal("1.5"), Decimal(2)]),
        ([b"a", bytearray(b"b")], [b"a", b"b"]),
        ([pd.Timedelta("1s"), dt.timedelta(1)], [dt.timedelta(seconds=1), dt.timedelta(1)]),
        ([[1], (2,)], [[1], [2]]),
        ([None, np.nan], [None, None]),
    ],
)
def test_cells_of_one_family_are_passed(cells: list[Any], received: list[Any]) -> None:
    handed = as_kind(snapshot(pd.DataFrame({"a": pd.Series(cells, dtype=object)})), TableKind.ARROW)
    assert handed["a"].to_pylist() == received


@pytest.mark.parametrize("cells", [[object()], [2**70], [1j], [[1], ["a"]], [2**53 + 1, 2.5]])
def test_what_has_no_type_elsewhere_is_refused_with_a_reason(cells: list[Any]) -> None:
    with pytest.raises(UnservableTable, match=r"^sales v3 cannot be passed as a polars DataFrame: \w+: "):
        as_kind(snapshot(pd.DataFrame({"a": pd.Series(cells, dtype=object)})), TableKind.POLARS)


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        (pa.decimal256(70, 2), "decimal256"),
        (pa.month_day_nano_interval(), "month_day_nano_interval"),
        (pa.list_(pa.struct([("x", pa.decimal256(70, 2))])), "decimal256"),
    ],
)
def test_what_polars_has_not_is_refused_before_it_panics(kind: Any, named: str) -> None:
    with pytest.raises(
        UnservableTable, match=rf"Column a is {named}.*, which polars has not\. The tool would have to take a pyarrow Table\."
    ):
        as_kind(snapshot(pa.table({"a": pa.nulls(1, kind)})), TableKind.POLARS)


def test_a_hugeint_with_a_digit_too_many_is_not_rounded() -> None:
    served = snapshot(duckdb.sql("SELECT 170141183460469231731687303715884105727::HUGEINT AS h"))
    assert as_kind(served, TableKind.ARROW)["h"].to_pylist() == [Decimal(2**127 - 1)]
    with pytest.raises(UnservableTable, match="does not fit"):
        as_kind(served, TableKind.POLARS)


def test_a_label_that_stands_twice_is_refused_where_it_may_not() -> None:
    with pytest.raises(UnservableTable, match="cannot be passed as a polars DataFrame"):
        as_kind(snapshot(pd.DataFrame([[1, 2]], columns=["a", "a"])), TableKind.POLARS)


def test_two_relations_of_one_thread_can_be_joined_and_read_by_name() -> None:
    sales, shops = (as_kind(snapshot(pa.table({"id": [1, 2], name: [3, 4]}), name), TableKind.DUCKDB) for name in ("sold", "floor"))
    assert sales.join(shops, "id").order("id").fetchall() == [(1, 3, 3), (2, 4, 4)]
    assert sales.query("sales", "SELECT sum(sold) FROM sales").fetchall() == [(7,)]
    joined: Any = duckdb.sql("SELECT sum(sold + floor) FROM sales JOIN shops USING (id)")
    assert joined.fetchall() == [(14,)]


def test_relations_of_several_threads_do_not_meet_and_leave_the_notebooks_connection_alone() -> None:
    reader = pa.RecordBatchReader.from_stream(duckdb.sql("SELECT range FROM range(10_000_000)"))
    served, sums = snapshot(pa.table({"a": list(range(1_000))})), list[int]()

    def tool() -> None:
        for _ in range(20):
            sums.append(as_kind(served, TableKind.DUCKDB).aggregate("sum(a)").fetchall()[0][0])

    threads = [threading.Thread(target=tool) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    reader.close()
    assert sums == [499_500] * 80


def test_a_connection_that_was_left_in_use_or_closed_is_replaced() -> None:
    served = snapshot(pa.table({"a": [1]}))
    as_kind(served, TableKind.DUCKDB)
    conversions._connections.duckdb.close()
    assert as_kind(served, TableKind.DUCKDB).fetchall() == [(1,)]


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.text(),
            st.none() | st.floats(allow_nan=False),
            st.none() | st.booleans(),
        ),
        max_size=6,
    )
)
def test_there_and_back_changes_nothing(rows: list[tuple[Any, ...]]) -> None:
    kinds = {"n": pl.Int64, "s": pl.String, "f": pl.Float64, "b": pl.Boolean}
    original = pl.DataFrame(rows, schema=kinds, orient="row")
    received = snapshot(original).copy()  # what a tool of pandas receives, and returns
    assert as_kind(snapshot(received), TableKind.POLARS).equals(original)
    assert as_kind(snapshot(original), TableKind.ARROW).to_pydict() == original.to_dict(as_series=False)

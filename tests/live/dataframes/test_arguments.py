"""DataFrame arguments: sent by name, received as a frozen snapshot."""

from __future__ import annotations

from typing import Annotated, Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mcp_workbench.live.dataframes.arguments import DataFrameBinder, SeriesBinder, TableBinder, binders_of
from mcp_workbench.live.dataframes.foreign import TableKind
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.live.results import Results
from mcp_workbench.primitives.binding import ArgumentError, Bound
from mcp_workbench.primitives.signature import MISSING


def offered() -> tuple[DataFrames, Results]:
    namespace: dict[str, Any] = {"flights": pd.DataFrame({"a": [1, 2]})}
    dataframes, results = DataFrames(), Results()
    dataframes.publish("flights", namespace["flights"], namespace=namespace)
    namespace["flights"].loc[0, "a"] = 9
    dataframes.check()
    results.keep(pd.DataFrame({"r": [42]}), "alice")
    return dataframes, results


def values(bound: Bound) -> list[list[object]]:
    assert isinstance(bound.value, pd.DataFrame)
    return bound.value.to_numpy().tolist()


@pytest.mark.parametrize(
    ("annotation", "claimed"),
    [
        (pd.DataFrame, True),
        (pd.DataFrame | None, True),
        (Annotated[pd.DataFrame, "words"], True),
        (Annotated[pd.DataFrame | None, "words"], True),
        (pd.Series, False),
        (pd.DataFrame | pd.Series, False),
        (list[pd.DataFrame], False),
        (int, False),
        (None, False),
        (MISSING, False),
    ],
)
def test_dataframe_parameters_are_claimed(annotation: object, claimed: bool) -> None:
    assert DataFrameBinder(*offered()).claims(annotation) is claimed


def test_series_have_a_binder_of_their_own() -> None:
    assert SeriesBinder(*offered()).claims(pd.Series)
    assert not SeriesBinder(*offered()).claims(pd.DataFrame)


def test_the_schema_says_that_a_name_is_sent() -> None:
    schema = DataFrameBinder(*offered()).json_schema("flights", pd.DataFrame, "Which flights.")
    assert schema == {
        "type": "string",
        "description": 'Which flights. Name of a DataFrame: published ("flights") or a result ("_r7"). Default: "flights", if published.',
    }


@pytest.mark.parametrize(
    ("text", "note", "expected"),
    [
        ("flights", "flights v2", [[9], [2]]),
        ("df://flights", "flights v2", [[9], [2]]),
        ("df://flights?version=1", "flights v1", [[1], [2]]),
        ("flights v1", "flights v1", [[1], [2]]),
        ("_r1", "_r1", [[42]]),
        ("df://_r1", "_r1", [[42]]),
        (MISSING, "flights v2", [[9], [2]]),
    ],
)
def test_what_models_send_is_found(text: object, note: str, expected: list[list[int]]) -> None:
    bound = DataFrameBinder(*offered()).bind("flights", text, MISSING, "alice")
    assert (bound.note, values(bound)) == (note, expected)


def test_a_published_name_goes_before_the_default() -> None:
    default = pd.DataFrame({"d": [0]})
    binder = DataFrameBinder(*offered())
    assert binder.bind("flights", MISSING, default).note == "flights v2"
    left_out = binder.bind("planes", MISSING, default)
    assert (left_out.value is default, left_out.note) == (True, None)


def test_null_is_taken_where_it_is_the_default() -> None:
    binder = DataFrameBinder(*offered())
    assert binder.bind("flights", None, None) == Bound(None)
    with pytest.raises(ArgumentError, match="flights takes the name of a DataFrame, not null"):
        binder.bind("flights", None, MISSING)


def test_what_a_tool_writes_reaches_nobody() -> None:
    dataframes, results = offered()
    received: Any = DataFrameBinder(dataframes, results).bind("flights", "flights", MISSING).value
    received.loc[0, "a"] = -1
    received["new"] = 0
    assert dataframes.get("flights").to_numpy().tolist() == [[9], [2]]
    assert dataframes.check() == []


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (MISSING, "planes is missing and no DataFrame planes is published. Published: flights. Results: _r1."),
        ("plans", "planes: No DataFrame 'plans' is published. Published: flights."),
        ("flights v9", "planes: flights v9 does not exist yet. Kept: v1, v2 (latest)."),
        ("_r5", "planes: No result _r5 is kept: the oldest go first, after 50 or 256 MiB. Kept: _r1. Call the tool again."),
        ("df://flights/rows", "planes takes a DataFrame as a whole: send 'flights', and say which rows in other arguments."),
        ("df://flights?limit=5", "No parameter 'limit' for flights. There are: version."),
        (
            [{"a": 1}],
            "planes takes the name of a DataFrame, not an array of 1 item: data is passed by name, never by value. Published: flights.",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(value: object, sentence: str) -> None:
    with pytest.raises(ArgumentError) as mistake:
        DataFrameBinder(*offered()).bind("planes", value, MISSING, "alice")
    assert str(mistake.value).startswith(sentence)


def test_results_of_others_do_not_exist() -> None:
    with pytest.raises(ArgumentError, match=r"No result _r1 is kept: .* None is kept now"):
        DataFrameBinder(*offered()).bind("flights", "_r1", MISSING, "bob")


def test_an_empty_notebook_says_so() -> None:
    with pytest.raises(ArgumentError, match=r"Nothing is published yet\.$"):
        DataFrameBinder(DataFrames(), Results()).bind("flights", MISSING, MISSING)


def test_a_series_parameter_takes_what_has_one_column() -> None:
    dataframes, results = offered()
    dataframes.publish("wide", pd.DataFrame([[1, 2]]))
    binder = SeriesBinder(dataframes, results)
    received = binder.bind("x", "flights", MISSING)
    assert isinstance(received.value, pd.Series)
    assert received.value.tolist() == [9, 2]
    with pytest.raises(ArgumentError, match=r"x takes a single column; wide v1 has 2\."):
        binder.bind("x", "wide", MISSING)


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (pl.DataFrame, pl.DataFrame),
        (pl.LazyFrame | None, pl.LazyFrame),
        (Annotated[pa.Table, "words"], pa.Table),
        (duckdb.DuckDBPyRelation, duckdb.DuckDBPyRelation),
    ],
)
def test_a_parameter_of_another_library_receives_its_kind(annotation: Any, kind: type) -> None:
    [binder] = [binder for binder in binders_of(*offered()) if binder.claims(annotation)]
    bound = binder.bind("flights", MISSING, MISSING)
    assert (type(bound.value), bound.note) == (kind, "flights v2")
    assert type(binder.bind("x", "_r1", MISSING, "alice").value) is kind
    assert binder.json_schema("flights", annotation, None) == DataFrameBinder(*offered()).json_schema("flights", pd.DataFrame, None)


def test_what_a_kind_of_table_cannot_hold_is_an_argument_error() -> None:
    dataframes, results = offered()
    results.keep(pd.DataFrame({"a": [object()]}), "alice")
    binder = TableBinder(TableKind.POLARS, dataframes, results)
    with pytest.raises(ArgumentError, match=r"^table: _r2 cannot be passed as a polars DataFrame: "):
        binder.bind("table", "_r2", MISSING)


def test_a_polars_table_is_received_as_a_dataframe_with_its_missing_numbers() -> None:
    dataframes, results = offered()
    dataframes.publish("sales", pl.DataFrame({"n": [1, None]}))
    received: Any = DataFrameBinder(dataframes, results).bind("sales", MISSING, MISSING).value
    assert (str(received["n"].dtype), received["n"].sum(), received["n"].isna().tolist()) == ("int64[pyarrow]", 1, [False, True])
    column: Any = SeriesBinder(dataframes, results).bind("sales", MISSING, MISSING).value
    assert column.name == "n"

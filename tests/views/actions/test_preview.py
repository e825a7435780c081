"""The first rows of a DataFrame as text."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl

from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.views.actions.preview import CELL_CHARS, COLUMNS, LEVELS, ROWS, preview
from mcp_workbench.views.messages import Column, Preview, encode


def seen(table: Any) -> Preview:
    dataframes = DataFrames()
    dataframes.publish("data", table)
    return preview(dataframes.snapshot("data"), 7)


def test_rows_columns_and_types_are_told_as_text_and_missing_values_as_empty_ones() -> None:
    df = pd.DataFrame({"n": [1, 2], "x": [0.5, None], "when": [pd.Timestamp("2024-01-02"), pd.NaT], "said": ["a", ""]}).astype(
        {"said": object}
    )
    told = seen(df)
    assert (told.re, told.name, told.version, told.all_rows, told.all_columns, told.index_columns) == (7, "data", 1, 2, 4, 0)
    assert told.columns[:2] == (Column(name="n", dtype="int64"), Column(name="x", dtype="float64"))
    assert told.columns[2].dtype.startswith("datetime64[")
    assert told.rows == (("1", "0.5", "2024-01-02T00:00:00", "a"), ("2", "", "", ""))


def test_an_index_that_says_something_comes_first() -> None:
    told = seen(pd.DataFrame({"n": [1]}, index=pd.Index(["JFK"], name="airport", dtype=object)))
    assert told.columns == (Column(name="airport", dtype="object"), Column(name="n", dtype="int64"))
    assert (told.rows, told.all_columns, told.index_columns) == ((("JFK", "1"),), 1, 1)
    levels = pd.MultiIndex.from_tuples([("a", 1)], names=["one", None])
    told = seen(pd.DataFrame({"n": [5]}, index=levels))
    assert [column.name for column in told.columns] == ["one", "level_1", "n"]
    assert (told.rows, told.index_columns) == ((("a", "1", "5"),), 2)


def test_of_many_rows_and_columns_the_first_are_told_and_how_many_there_are() -> None:
    wide = pd.DataFrame([list(range(COLUMNS + 7))] * (ROWS + 9))
    told = seen(wide)
    assert (len(told.rows), len(told.rows[0]), len(told.columns)) == (ROWS, COLUMNS, COLUMNS)
    assert (told.all_rows, told.all_columns) == (ROWS + 9, COLUMNS + 7)


def test_a_long_cell_says_how_much_is_missing() -> None:
    told = seen(pd.DataFrame({"text": ["x" * 1_000], "list": [list(range(500))]}))
    text, nested = told.rows[0]
    assert text == "x" * CELL_CHARS + "… (+800 characters)"
    assert nested.startswith("[0,1,2")
    assert "characters)" in nested


def test_objects_give_nothing_away_and_controls_are_seen() -> None:
    class Secret:
        password = "hunter2"

        def __repr__(self) -> str:
            raise AssertionError("nobody asks an object what it is")

    df = pd.DataFrame({"a\u202eb": [Secret(), "red\x1b[31m", {"k": ["v\x1b"]}]})
    told = seen(df)
    assert told.columns[0].name == r"a\u202eb"
    assert told.rows[0][0].endswith("Secret object>")
    assert [row[0] for row in told.rows[1:]] == [r"red\x1b[31m", r'{"k":["v\u001b"]}']
    assert b"hunter2" not in encode(told)


def test_a_dataframe_without_columns_or_rows_is_told_as_it_is() -> None:
    told = seen(pd.DataFrame(index=range(3)))
    assert (told.columns, told.rows, told.all_rows) == ((), ((), (), ()), 3)
    told = seen(pd.DataFrame({"n": pd.Series([], dtype="int64")}))
    assert (len(told.columns), told.rows, told.all_rows) == (1, (), 0)


def test_another_librarys_table_is_told_with_its_own_types() -> None:
    told = seen(pl.DataFrame({"n": [1, None]}))
    assert told.columns == (Column(name="n", dtype="Int64"),)
    assert told.rows == (("1",), ("",))


def test_columns_of_one_name_are_told_each() -> None:
    told = seen(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    assert [column.name for column in told.columns] == ["a", "a"]
    assert told.rows == (("1", "2"),)


def test_an_integer_that_python_does_not_write_in_decimal_costs_no_other_cell() -> None:
    told = seen(pd.DataFrame({"n": pd.Series([10**5_000, 7], dtype=object)}))
    (huge,), seven = told.rows
    assert huge.startswith("0x")
    assert huge.endswith("characters)")
    assert seen(pd.DataFrame({"n": pd.Series([[10**5_000]], dtype=object)})).rows[0][0].startswith("[")
    assert seven == ("7",)


def test_of_an_index_of_hundreds_of_levels_the_outermost_are_told() -> None:
    told = seen(pd.DataFrame({"n": [5]}, index=pd.MultiIndex.from_tuples([tuple(range(500))])))
    assert (told.index_columns, len(told.columns), told.rows[0][-1]) == (LEVELS, LEVELS + 1, "5")

"""CSV, split JSON and Markdown of the same cells."""

from __future__ import annotations

import csv
import io
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.live.dataframes.tables import TableFormat, write_rows
from mcp_workbench.wording import visible


def written(df: pd.DataFrame, table_format: TableFormat = TableFormat.CSV) -> str:
    lines = write_rows(df, table_format)
    return lines.text(len(lines.row_chars))


MIXED = pd.DataFrame(
    {"n": [1, 2], "x": [0.5, np.nan], "ok": [True, False], "s": ["a,b", None], "empty": ["", "null"], "deep": [[1, "x"], {"k": None}]}
)


def test_csv_quotes_what_needs_it_and_leaves_missing_values_empty() -> None:
    assert written(MIXED) == 'n,x,ok,s,empty,deep\n1,0.5,true,"a,b","","[1,""x""]"\n2,,false,,null,"{""k"":null}"\n'


def test_split_json_holds_the_cells_as_they_are() -> None:
    assert msgspec.json.decode(written(MIXED, TableFormat.JSON)) == {
        "columns": ["n", "x", "ok", "s", "empty", "deep"],
        "data": [[1, 0.5, True, "a,b", "", [1, "x"]], [2, None, False, None, "null", {"k": None}]],
    }


def test_markdown_escapes_pipes_backslashes_and_newlines() -> None:
    df = pd.DataFrame({"a|b": ["x|y", "back\\slash", "two\nlines", "", None], "n": [1, 2, 3, 4, 5]})
    assert written(df, TableFormat.MARKDOWN).splitlines() == [
        "| a\\|b | n |",
        "| --- | --- |",
        "| x\\|y | 1 |",
        "| back\\\\slash | 2 |",
        "| two\\nlines | 3 |",
        '| "" | 4 |',
        "|  | 5 |",
    ]


HIDING = "a\x1b[31m\x00\r\u202eb"
SHOWN = "a\\x1b[31m\\x00\\r\\u202eb"


def test_what_commands_a_screen_is_shown_by_its_name_and_kept_by_json() -> None:
    df = pd.DataFrame({HIDING: [HIDING, [HIDING]]}, index=pd.Index([HIDING, "é"], name=HIDING))
    nested = SHOWN.replace("x1b", "u001b").replace("x00", "u0000")
    quoted = nested.join(['"[""', '""]"'])
    assert written(df) == f"{SHOWN},{SHOWN}\n{SHOWN},{SHOWN}\né,{quoted}\n"
    assert not any(hidden in written(df, TableFormat.MARKDOWN) for hidden in "\x1b\x00\r\u202e")
    text = written(df, TableFormat.JSON)
    assert text.isprintable()
    assert msgspec.json.decode(text) == {"columns": [HIDING], "index": [HIDING, "é"], "data": [[HIDING], [[HIDING]]]}


def test_lines_and_tabs_stay_in_their_quotes() -> None:
    assert written(pd.DataFrame({"two\nlines": ["a\tb\nc"]})) == '"two\nlines"\n"a\tb\nc"\n'


def test_formulas_stay_as_they_are() -> None:
    assert written(pd.DataFrame({"f": ["=1+1", "@cmd"]})) == "f\n=1+1\n@cmd\n"


def test_an_index_that_only_counts_is_left_out_and_any_other_comes_first() -> None:
    df = pd.DataFrame({"n": [1, 2, 3]})
    assert written(df) == "n\n1\n2\n3\n"
    assert written(df.iloc[1:]) == "index,n\n1,2\n2,3\n"
    assert written(df.set_index(pd.Index(["a", "b", "c"], name="key"))) == "key,n\na,1\nb,2\nc,3\n"
    assert written(df.iloc[[2, 0]]) == "index,n\n2,3\n0,1\n"
    assert msgspec.json.decode(written(df.iloc[[2, 0]], TableFormat.JSON)) == {"columns": ["n"], "index": [2, 0], "data": [[3], [1]]}


def test_multi_indexes_of_rows_and_columns_are_flattened() -> None:
    index = pd.MultiIndex.from_tuples([("JFK", 1), ("LGA", 2)], names=["origin", None])
    df = pd.DataFrame([[1, 2], [3, 4]], index=index, columns=pd.MultiIndex.from_tuples([("delay", "mean"), ("delay", "max")]))
    assert written(df) == "origin,level_1,delay.mean,delay.max\nJFK,1,1,2\nLGA,2,3,4\n"
    assert msgspec.json.decode(written(df, TableFormat.JSON))["index"] == [["JFK", 1], ["LGA", 2]]


def test_duplicate_columns_keep_their_own_values() -> None:
    df = pd.DataFrame([[1, "x", 2]], columns=["a", "a", "a"])
    assert written(df) == "a,a,a\n1,x,2\n"


@pytest.mark.parametrize("table_format", TableFormat)
@pytest.mark.parametrize("df", [pd.DataFrame(), MIXED.iloc[:0], pd.DataFrame(index=range(3))], ids=["nothing", "no rows", "no columns"])
def test_empty_dataframes_are_written(df: pd.DataFrame, table_format: TableFormat) -> None:
    lines = write_rows(df, table_format)
    assert len(lines.row_chars) == len(df)
    assert len(lines.text(0)) == lines.header_chars


@pytest.mark.parametrize("table_format", TableFormat)
def test_what_fits_is_what_fits(table_format: TableFormat) -> None:
    df = pd.DataFrame({"n": range(50), "s": [f"text {n}" for n in range(50)]}, index=[f"r{n}" for n in range(50)])
    lines = write_rows(df, table_format)
    for budget in (0, lines.header_chars, 200, 400, 10_000):
        count = lines.fitting(budget)
        assert count == 0 or len(lines.text(count)) <= budget
        assert count == 50 or len(lines.text(count + 1)) > budget


CELLS: Any = st.none() | st.text(st.characters(codec="utf-8"), max_size=6)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_csv_reads_back_and_tells_missing_from_empty(rows: list[tuple[str | None, str | None]]) -> None:
    text = written(pd.DataFrame(rows, columns=["a", "b"], dtype="object"))
    read = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert read == [[visible(cell or "") for cell in row] for row in rows]
    assert text.count('""') >= sum(cell == "" for row in rows for cell in row)


@given(st.lists(st.tuples(CELLS, st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**53), 2**53)), min_size=1, max_size=5))
def test_split_json_reads_back(rows: list[tuple[str | None, float, int]]) -> None:
    df = pd.DataFrame(
        {"s": pd.Series([row[0] for row in rows], dtype="object"), "x": [row[1] for row in rows], "n": [row[2] for row in rows]}
    )
    assert msgspec.json.decode(written(df, TableFormat.JSON))["data"] == [list(row) for row in rows]

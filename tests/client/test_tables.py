"""Finding the table in a text or in structured content, and saying when it is only a part."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import warnings
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_workbench.client.results import CallResult
from mcp_workbench.client.tables import CsvBlock, find_csv, from_csv, from_split, split_table
from mcp_workbench.live.dataframes.rendering import DataFrameRenderer
from mcp_workbench.live.results import Results
from mcp_workbench.primitives.rendering import RenderRequest

CSV = "origin,dest,flights\nJFK,LAX,11262\nLGA,ATL,10263\n"


@pytest.mark.parametrize(
    ("text", "block"),
    [
        (CSV, CsvBlock(CSV, 2, None)),
        (CSV.rstrip("\n"), CsvBlock(CSV.rstrip("\n"), 2, None)),
        (f"2 rows x 3 columns · 12 ms\n{CSV}", CsvBlock(CSV, 2, 2)),
        (f"2 of 336,776 rows x 3 columns · flights v17 · 12 ms\n\n{CSV}", CsvBlock(CSV, 2, 336_776)),
        (f'2 of 9 rows x 3 columns\n{CSV}More: df_read("flights", offset=2)', CsvBlock(CSV, 2, 9)),
        (f"{CSV}# rows 0-1 of 1,234 (flights v17). More: df://flights/rows?offset=2\n", CsvBlock(CSV, 2, 1234)),
        (f"9 rows x 3 columns\n{CSV}# rows 0-1 of 9 (_r1). More: df://_r1/rows\n", CsvBlock(CSV, 2, 9)),
        (f"2 rows x 3 columns · _r1\norigin str, dest str, flights int64\n\n{CSV}", CsvBlock(CSV, 2, 2)),
        (f"2 of 9 rows x 3 columns · _r1\norigin str, … and 2 more\n\n{CSV}\nMore: df://_r1/rows?offset=2", CsvBlock(CSV, 2, 9)),
        ("2 of 5 rows x 1 column · _r1\nname str\n\nname\n\n\n\nMore: later", CsvBlock("name\n\n\n", 2, 5)),
        ("0 of 5 rows x 2 columns\na,b\n\nMore: later", CsvBlock("a,b\n", 0, 5)),
        ("0 rows x 2 columns\na,b\n", CsvBlock("a,b\n", 0, 0)),
        (f"2 matching rows x 3 columns · 500 rows in all · sales v1\n{CSV}These are all.", CsvBlock(CSV, 2, 2)),
        (f"2 of 409 matching rows x 3 of 9 columns · 500 rows in all\n{CSV}More: later", CsvBlock(CSV, 2, 409)),
        ("0 matching rows x 2 columns · 5 rows in all\na,b\nNo row matches.", CsvBlock("a,b\n", 0, 0)),
        (
            "2 of 5 rows x 1 columns\nname\n# not a note\nMore: neither\nMore: this is one\n",
            CsvBlock("name\n# not a note\nMore: neither\n", 2, 5),
        ),
        ("2 rows x 1 columns\nname\na\nb\n# a note\n", CsvBlock("name\na\nb\n", 2, 2)),
        ('a,b\n"1\n2",3\nthe end', CsvBlock('a,b\n"1\n2",3\n', 1, None)),
    ],
)
def test_the_csv_is_found_between_facts_and_notes(text: str, block: CsvBlock) -> None:
    assert find_csv(text) == block


@pytest.mark.parametrize(
    "text", ["", "\n", "Done, no result.", "a sentence, with a comma", "line one\nline two", "5 rows x 2 columns", "a\n1\n2\n"]
)
def test_other_texts_hold_no_table(text: str) -> None:
    assert find_csv(text) is None


@settings(deadline=None)
@given(st.text(alphabet='a,"\n\r#:0 ', max_size=60))
def test_any_text_is_read_without_raising(text: str) -> None:
    block = find_csv(text)
    assert block is None or text.endswith(block.text) or block.text in text


CELLS = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=6) | st.just("x\ny")


@settings(deadline=None)
@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6)), st.integers(0, 3))
def test_what_was_written_as_csv_is_found_again_row_by_row(rows: list[list[str]], more: int) -> None:
    width = len(rows[0]) if rows else 2
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([[f"c{number}" for number in range(width)], *rows])
    total = len(rows) + more
    block = find_csv(f"{len(rows)} of {total} rows x {width} columns\n{out.getvalue()}# a note\n")
    assert block == CsvBlock(out.getvalue(), len(rows), total)


@pytest.mark.parametrize(
    ("structured", "found"),
    [
        ({"columns": ["a"], "data": [[1]]}, True),
        ({"result": {"columns": ["a"], "data": [[1]]}}, True),
        ({"columns": ["a"]}, False),
        ({"columns": 1, "data": 2}, False),
        ({"result": [1]}, False),
        ([{"columns": []}], False),
        (None, False),
        ("columns", False),
    ],
)
def test_a_split_table_has_columns_and_data(structured: Any, found: bool) -> None:
    assert (split_table(structured) is not None) is found


def test_csv_becomes_a_dataframe_in_which_only_empty_fields_are_missing() -> None:
    df = from_csv(CsvBlock("name,n\nNA,1\n,2\n", 2, 2))
    assert df["name"].isna().tolist() == [False, True]
    assert df["n"].tolist() == [1, 2]
    assert df.attrs == {}


def test_a_missing_value_in_the_only_column_is_a_row() -> None:
    df = from_csv(CsvBlock("name\n\nx\n", 2, 2))
    assert df["name"].isna().tolist() == [True, False]


WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8) | st.sampled_from(
    ["More: x", "# a", "a,b", "NA"]
)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(WORDS, st.integers(-9, 9) | st.none()), max_size=30),
    st.sampled_from([["word"], ["number"], ["word", "number"]]),
    st.sampled_from([400, 8000]),
)
def test_what_a_tool_of_ours_returns_comes_back_row_by_row(rows: list[tuple[str, int | None]], columns: list[str], max_chars: int) -> None:
    whole = pd.DataFrame({"word": [word for word, _ in rows], "number": pd.array([number for _, number in rows], dtype="Int64")})[columns]
    rendered = DataFrameRenderer(Results()).render(whole, RenderRequest(tool="t", max_chars=max_chars, principal="default"))
    assert rendered is not None
    result = CallResult(tuple(rendered.content))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        df = result.dataframe()
    assert df.columns.tolist() == columns
    assert len(df) <= len(whole)
    assert bool(caught) is (len(df) < len(whole))
    for column in columns:
        # CSV carries no types: words that are all spelled as JSON booleans come back as those.
        assert [str(value).lower() if value is True or value is False else str(value) for value in df[column].dropna()] == [
            str(float(value)) if df[column].dtype == float else str(value) for value in whole[column].head(len(df)).dropna()
        ]


def test_codes_with_leading_zeros_and_shouted_words_stay_text() -> None:
    block = find_csv("zip,n,x,said,fact\n00501,1,-0.5,TRUE,true\n10001,,Infinity,TRUE,false\n")
    assert block is not None
    df = from_csv(block)
    assert df["zip"].tolist() == ["00501", "10001"]
    assert df["n"].dropna().tolist() == [1.0]
    assert (df["said"].tolist(), df["fact"].tolist()) == (["TRUE", "TRUE"], [True, False])
    assert df["x"].tolist() == [-0.5, float("inf")]


def test_split_json_keeps_its_index() -> None:
    df = from_split({"columns": ["n"], "index": ["x", "y"], "data": [[1], [None]]}, None)
    assert df.index.tolist() == ["x", "y"]
    assert from_split({"columns": ["n"], "data": []}, 0).shape == (0, 1)


def test_a_part_of_a_table_says_so() -> None:
    with pytest.warns(UserWarning, match="a preview: the result shows 1 of 1,000 rows"):
        df = from_csv(CsvBlock("n\n1\n", 1, 1000))
    assert df.attrs == {"preview": True, "total_rows": 1000}
    with pytest.warns(UserWarning, match="1 of 2 rows"):
        from_split({"columns": ["n"], "data": [[1]]}, 2)


def test_the_client_imports_no_pandas() -> None:
    code = "import sys, mcp_workbench.client; print(sorted({'pandas', 'numpy', 'IPython', 'websockets'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

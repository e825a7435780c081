"""What may be published, and under which names."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.errors import RegistrationError
from mcp_workbench.live.dataframes import admission
from mcp_workbench.live.dataframes.admission import check_name, check_size, check_value


@pytest.mark.parametrize("name", ["flights", "F", "a_1", "x" * 64])
def test_plain_names_are_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("my df", "my_df"),
        ("_private", "private"),
        ("2013 flights", "flights"),
        ("sales@12", "sales_12"),
        ("Flüge", "Fl_ge"),
        ("", "table"),
        ("123", "table"),
        ("x" * 65, "x" * 64),
        (7, "table"),
    ],
)
def test_other_names_are_refused_with_one_that_would_do(name: object, suggestion: str) -> None:
    with pytest.raises(RegistrationError) as refusal:
        check_name(name)
    assert str(refusal.value).endswith(f'Try "{suggestion}".')
    assert check_name(suggestion)


@given(st.text())
def test_the_suggestion_always_does(name: str) -> None:
    with pytest.raises(RegistrationError) as refusal:
        check_name(f"{name} ")  # the blank makes every name one that is refused
    assert check_name(str(refusal.value).rsplit('"', 2)[1])


def test_what_is_no_dataframe_is_refused_by_its_type() -> None:
    with pytest.raises(
        RegistrationError, match=r"takes a DataFrame of pandas or polars, .*, not a numpy.ndarray; convert it with .to_frame\(\)"
    ):
        check_value("flights", np.zeros(3))
    check_value("flights", pd.Series([1]))


def test_without_copy_on_write_only_what_may_be_copied_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "copy_on_write", lambda: False)
    monkeypatch.setattr(admission, "DEEP_COPY_BYTES", 8 << 20)
    check_size("flights", pd.DataFrame({"a": np.zeros(1 << 20)}))
    with pytest.raises(RegistrationError, match=r"flights is 16 MiB.*first in the notebook: pd\.options\.mode\.copy_on_write = True"):
        check_size("flights", pd.DataFrame({"a": np.zeros(1 << 20), "b": np.zeros(1 << 20)}))
    check_size("flights", pd.Series(np.zeros(1 << 20)))


@pytest.mark.parametrize("table", [pl.DataFrame(), pl.LazyFrame(), pa.table({}), duckdb.sql("SELECT 1")])
def test_tables_of_other_libraries_are_welcome(table: object) -> None:
    check_value("flights", table)


@pytest.mark.parametrize("value", [pl.Series([1]), pa.array([1]), pa.record_batch({"a": [1]})])
def test_parts_of_them_are_not(value: object) -> None:
    with pytest.raises(RegistrationError, match=r"a pyarrow Table or a DuckDB relation, not a .*convert it with \.to_frame\(\)"):
        check_value("flights", value)

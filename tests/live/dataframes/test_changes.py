"""What changed between two snapshots, in one phrase."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mcp_workbench.events import ChangeKind
from mcp_workbench.live.dataframes import changes
from mcp_workbench.live.dataframes.changes import Difference, describe, of_origin, some
from mcp_workbench.live.dataframes.foreign import Origin, TableKind


def base() -> Any:
    return pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"], "c": [0.5, None, 1.5]})


def difference(old: Any, new: Any, *, confirm: bool = True) -> Difference:
    found = describe(old, new, confirm=confirm)
    assert found is not None
    return found


def test_a_copy_is_no_change() -> None:
    assert describe(base(), base(), confirm=True) is None


def test_changed_columns_are_named() -> None:
    new = base()
    new.loc[0, "c"] = 9.5
    assert difference(base(), new) == Difference(ChangeKind.COLUMNS, "column c changed", ("c",))
    new.loc[0, "a"] = 9
    assert difference(base(), new) == Difference(ChangeKind.COLUMNS, "columns a, c changed", ("a", "c"))


def test_when_every_column_changed_it_is_another_dataframe() -> None:
    new = base().assign(a=[7, 8, 9], b="q", c=2.5)
    assert difference(base(), new) == Difference(ChangeKind.REPLACE, "every column changed")


def test_appended_rows_are_counted() -> None:
    new = pd.concat([base(), base()], ignore_index=True)
    assert difference(base(), new) == Difference(ChangeKind.APPEND, "3 rows appended")
    assert difference(base(), new.iloc[:4]) == Difference(ChangeKind.APPEND, "1 row appended")


def test_more_rows_over_changed_ones_are_no_append() -> None:
    new = pd.concat([base(), base()], ignore_index=True)
    new.loc[1, "a"] = 99
    assert difference(base(), new) == Difference(ChangeKind.REPLACE, "3 rows more, 6 now; earlier rows differ in a", ("a",))
    shifted = pd.concat([base(), base()], ignore_index=True)
    shifted.index = pd.RangeIndex(5, 11)
    assert difference(base(), shifted).kind is ChangeKind.REPLACE


def test_rows_in_another_order_are_told_and_what_else_changed() -> None:
    reordered = base().sort_values("a", ascending=False)
    assert difference(base(), reordered) == Difference(ChangeKind.REPLACE, "rows reordered")
    reordered.loc[1, "a"] = 99
    assert difference(base(), reordered) == Difference(ChangeKind.REPLACE, "rows reordered; column a changed", ("a",))
    assert difference(base(), base().set_axis([2, 1, 0])).summary == "index in another order"


def test_labels_that_tell_no_row_are_an_index_that_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = base().set_axis(["p", "p", "q"])
    assert difference(twice, twice.iloc[::-1]).summary == "index changed"
    assert difference(base().set_axis([0, 1, 2]), base().set_axis([2, True, 0])).summary == "index changed", "True is not 1"
    lists = base().set_axis(pd.Index([[1], [2], [3]], dtype="object"))
    assert difference(lists, lists.iloc[::-1]).summary == "index changed"
    monkeypatch.setattr(changes, "CHEAP_CELLS", 0)
    assert difference(base(), base().iloc[::-1], confirm=False).summary == "index in another order"


def test_beside_other_columns_and_types_changed_values_are_named_too() -> None:
    new = base().assign(d=1)
    new.loc[0, "a"] = 99
    assert difference(base(), new) == Difference(ChangeKind.SCHEMA, "column d added; column a changed", ("d", "a"))
    assert difference(base(), pd.concat([new, new], ignore_index=True)).summary == "column d added; 6 rows, were 3; column a changed"
    new = base().astype({"a": "float64"})
    new.loc[0, "c"] = 7.5
    assert difference(base(), new).summary == "dtype of a is float64, was int64; column c changed"
    assert difference(base(), base().assign(d=1).iloc[::-1]).summary == "column d added", "rows that moved are not compared"
    assert difference(base(), base()[["c", "a"]]).summary == "column b removed"


def test_fewer_rows_are_a_replacement() -> None:
    assert difference(base(), base().iloc[:2]) == Difference(ChangeKind.REPLACE, "1 row fewer, 2 now")


def test_a_new_index_is_a_replacement() -> None:
    assert difference(base(), base().set_axis(["p", "q", "r"])) == Difference(ChangeKind.REPLACE, "index changed")
    assert difference(base(), base().rename_axis("key")).summary == "index changed"


def test_schema_changes_name_columns_and_dtypes() -> None:
    assert difference(base(), base().assign(d=1)) == Difference(ChangeKind.SCHEMA, "column d added", ("d",))
    assert difference(base(), base().drop(columns=["a", "b"])) == Difference(ChangeKind.SCHEMA, "columns a, b removed", ("a", "b"))
    assert difference(base(), base().rename(columns={"a": "z"})) == Difference(ChangeKind.SCHEMA, "columns z added, a removed", ("z", "a"))
    assert difference(base(), base()[["c", "b", "a"]]) == Difference(ChangeKind.SCHEMA, "columns reordered")
    found = difference(base(), base().astype({"a": "float64"}))
    assert found == Difference(ChangeKind.SCHEMA, "dtype of a is float64, was int64", ("a",))
    assert difference(base(), base().astype({"a": "float64", "c": "object"})).summary == "dtypes of a, c changed"
    assert difference(base(), base().assign(d=1).iloc[:1]).summary == "column d added; 1 rows, were 3"


@pytest.mark.parametrize(
    ("before", "after", "summary"),
    [
        (pd.Index(["a", "b"]), pd.Index(["a", "b"], name="c"), "name of the columns is c, was none"),
        (pd.Index(["a", "b"], name="c"), pd.Index(["a", "b"], name="d"), "name of the columns is d, was c"),
        (pd.Index(["1", "2"]), pd.Index([1, 2]), "labels of the columns changed"),
        (pd.Index(["a", "a", "b"]), pd.Index(["a", "b", "b"]), "labels of the columns changed"),
        (pd.Index(["a", "b"]), pd.Index(["b", "a"], name="c"), "columns reordered"),
        (
            pd.MultiIndex.from_tuples([("a", "x")]),
            pd.MultiIndex.from_tuples([("a", "x")], names=["k", None]),
            "name of the columns is k.none, was none.none",
        ),
        (pd.Index(["a.x"]), pd.MultiIndex.from_tuples([("a", "x")]), "labels of the columns changed"),
    ],
)
def test_labels_written_alike_are_told_apart(before: pd.Index, after: pd.Index, summary: str) -> None:
    old, new = (pd.DataFrame([[0] * len(labels)], columns=labels) for labels in (before, after))
    assert difference(old, new) == Difference(ChangeKind.SCHEMA, summary)


def test_duplicate_columns_are_compared_by_position() -> None:
    old = pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"])
    new: Any = old.copy()
    new.iloc[0, 1] = 9
    assert difference(old, new) == Difference(ChangeKind.COLUMNS, "column a changed", ("a",))


@pytest.mark.parametrize(("confirm", "expected"), [(True, None), (False, "column a changed")])
def test_a_write_of_the_same_values_counts_only_unconfirmed(confirm: bool, expected: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "CHEAP_CELLS", 0)
    old = base()
    new = old.copy(deep=False)
    new["a"] = new["a"].copy()
    found = describe(old, new, confirm=confirm)
    assert (found.summary if found else None) == expected


def test_few_cells_are_confirmed_without_being_asked() -> None:
    assert describe(base(), base(), confirm=False) is None


def test_cells_that_cannot_be_compared_count_as_changed() -> None:
    class Stubborn:
        def __eq__(self, other: object) -> bool:
            raise AssertionError("nobody should ask")

        __hash__ = None  # type: ignore[assignment]

    old, new = pd.DataFrame({"o": [Stubborn()], "n": [1]}), pd.DataFrame({"o": [Stubborn()], "n": [1]})
    assert difference(old, new) == Difference(ChangeKind.COLUMNS, "column o changed", ("o",))


def test_many_names_are_counted() -> None:
    assert some(tuple("abcdefg")) == "a, b, c, d, e and 2 more"


def test_another_library_and_its_types_are_named() -> None:
    df = pd.DataFrame({"a": [1], "b": [2]})
    polars, other = (Origin(TableKind.POLARS, dtypes, None) for dtypes in (("Int64", "Int8"), ("Int32", "Int8")))
    arrow = Origin(TableKind.ARROW, ("int64", "int8"), None)
    assert of_origin(None, None, df, df) is of_origin(polars, polars, df, df) is None
    assert of_origin(polars, other, df, df) == Difference(ChangeKind.SCHEMA, "dtype of a is Int32, was Int64", ("a",))
    assert of_origin(polars, arrow, df, df) == Difference(ChangeKind.SCHEMA, "a pyarrow Table now, was a polars DataFrame")
    assert of_origin(polars, None, df, df) == Difference(ChangeKind.SCHEMA, "a pandas DataFrame now, was a polars DataFrame")
    assert of_origin(polars, other, df, df[["a"]]) is None, "labels are said by describe"

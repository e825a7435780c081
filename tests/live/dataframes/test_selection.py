"""Selections: which rows, in which order, and as many of them as fit."""

from __future__ import annotations

import pandas as pd
import pytest

from mcp_workbench.events import ChangeKind
from mcp_workbench.live.dataframes.ordering import parse_order
from mcp_workbench.live.dataframes.selection import select, write_part
from mcp_workbench.live.dataframes.snapshots import Snapshot, freeze, take_snapshot
from mcp_workbench.live.dataframes.tables import TableFormat
from mcp_workbench.primitives.binding import ArgumentError


def snapshot_of(df: pd.DataFrame) -> Snapshot:
    return take_snapshot("flights", 1, freeze(df, "flights"), ChangeKind.PUBLISHED, "", 0.0)


FLIGHTS = snapshot_of(pd.DataFrame({"n": [3, 1, 2, 1], "t": list("abcd")}))


def cells(selection: object, offset: int = 0, limit: int = 9, columns: tuple[int, ...] | None = None) -> list[list[object]]:
    return selection.part(offset, limit, columns).to_numpy().tolist()  # type: ignore[attr-defined,no-any-return]  # any selection


def test_all_rows_stand_as_they_are() -> None:
    everything = select(FLIGHTS)
    assert (len(everything), everything.positions) == (4, None)
    assert cells(everything, 1, 2) == [[1, "b"], [2, "c"]]
    assert cells(everything, 3, 2, (1,)) == [["d"]]
    assert cells(everything, 9) == []


def test_a_condition_chooses_and_an_order_arranges_equal_rows_staying_as_they_were() -> None:
    assert cells(select(FLIGHTS, "n < 3")) == [[1, "b"], [2, "c"], [1, "d"]]
    assert cells(select(FLIGHTS, "n < 3", parse_order(["n"]))) == [[1, "b"], [1, "d"], [2, "c"]]
    assert cells(select(FLIGHTS, None, parse_order(["n desc, t desc"])), 1, 2) == [[2, "c"], [1, "d"]]
    with pytest.raises(ArgumentError, match="Nearest"):
        select(FLIGHTS, "nn < 3")


def test_how_a_condition_was_read_goes_with_the_rows() -> None:
    mixed = snapshot_of(pd.DataFrame({"m": [1, "x", 2]}))
    selection = select(mixed, "m >= 1")
    assert (len(selection), len(selection.notes)) == (2, 1)
    assert "1 cells that are not a number" in selection.notes[0]


def test_an_index_that_says_something_stays_beside_its_rows() -> None:
    keyed = snapshot_of(pd.DataFrame({"n": [1, 2]}, index=pd.Index(["a", "b"], name="key")))
    assert write_part(select(keyed, "n = 2").part(0, 9, None), TableFormat.CSV, 100).text == "key,n\nb,2\n"
    assert write_part(select(FLIGHTS, "n = 2").part(0, 9, None), TableFormat.CSV, 100).text == "n,t\n2,c\n"


def test_what_fits_is_written_and_cells_are_cut_before_nothing_is() -> None:
    part = select(FLIGHTS).part(0, 9, None)
    written = write_part(part, TableFormat.CSV, len("n,t\n3,a\n1,b\n"))
    assert (written.text, written.count) == ("n,t\n3,a\n1,b\n", 2)
    long = select(snapshot_of(pd.DataFrame({"t": ["x" * 5_000]}))).part(0, 9, None)
    assert write_part(long, TableFormat.CSV, 2_000).cell_chars == 1_000
    assert write_part(long, TableFormat.CSV, 50).count == 0

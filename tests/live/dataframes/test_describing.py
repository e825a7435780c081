"""What stands in the columns, whatever their type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import ChangeKind
from mcp_workbench.live.dataframes.describing import Counted, Descriptions, distinct_values, sample_positions
from mcp_workbench.live.dataframes.snapshots import Snapshot, freeze, take_snapshot

TIMES = pd.DatetimeIndex(["2020-01-02", pd.NaT, "2019-01-01", "2020-01-02"])
COLUMNS: dict[str, Any] = {
    "number": [3, 1, 2, 1],
    "text": ["a", None, "b", "a"],
    "time": TIMES,
    "zoned": TIMES.tz_localize("Europe/Berlin"),
    "truth": [True, False, True, None],
    "duration": pd.to_timedelta([1, 2, None, 3], unit="s"),
    "float": [1.5, np.nan, np.inf, 2],
    "category": pd.Categorical(["x", "y", None, "x"], categories=["unused", "x", "y"]),
    "lists": [[1], [1], None, [2]],
    "mixed": [1, "1", None, True],
    "nothing": [None] * 4,
}


def snapshot_of(df: pd.DataFrame, name: str = "flights", version: int = 1) -> Snapshot:
    return take_snapshot(name, version, freeze(df, name), ChangeKind.PUBLISHED, "", 0.0)


@pytest.mark.parametrize(
    ("name", "missing", "distinct", "least", "greatest"),
    [
        ("number", 0, 3, 1, 3),
        ("text", 1, 2, None, None),
        ("time", 1, 2, "2019-01-01T00:00:00", "2020-01-02T00:00:00"),
        ("zoned", 1, 2, "2019-01-01T00:00:00+01:00", "2020-01-02T00:00:00+01:00"),
        ("truth", 1, 2, None, None),
        ("duration", 1, 3, "P0DT0H0M1S", "P0DT0H0M3S"),
        ("float", 1, 3, 1.5, "Infinity"),
        ("category", 1, 2, None, None),
        ("lists", 1, None, None, None),
        ("mixed", 1, None, None, None),
        ("nothing", 4, 0, None, None),
    ],
)
def test_each_type_of_column_is_described(name: str, missing: int, distinct: int | None, least: object, greatest: object) -> None:
    facts = next(facts for facts in Descriptions().of(snapshot_of(pd.DataFrame(COLUMNS))) if facts.name == name)
    assert (facts.missing, facts.distinct, facts.least, facts.greatest) == (missing, distinct, least, greatest)


def test_texts_and_truths_are_described_by_what_is_common_and_numbers_by_their_mean() -> None:
    by_name = {facts.name: facts for facts in Descriptions().of(snapshot_of(pd.DataFrame(COLUMNS)))}
    assert by_name["text"].common == (Counted("a", 2), Counted("b", 1))
    assert by_name["truth"].common == (Counted(True, 2), Counted(False, 1))
    assert by_name["number"].mean == 1.75
    assert by_name["number"].common == ()


def test_an_index_that_says_something_is_described_first() -> None:
    df = pd.DataFrame({"n": [1, 2]}, index=pd.Index(["a", "b"], name="key"))
    assert [facts.name for facts in Descriptions().of(snapshot_of(df))] == ["key (index)", "n"]


def test_nothing_at_all_can_be_described() -> None:
    empty = snapshot_of(pd.DataFrame(COLUMNS).iloc[:0])
    assert {(facts.missing, facts.distinct) for facts in Descriptions().of(empty)} == {(0, 0)}
    assert distinct_values(empty.df["text"], "text", 5).total == 0
    assert list(sample_positions(0, 5, 0)) == []


def test_a_version_is_described_once() -> None:
    descriptions, snapshot = Descriptions(), snapshot_of(pd.DataFrame(COLUMNS))
    assert descriptions.of(snapshot) is descriptions.of(snapshot)
    for version in range(2, 20):
        descriptions.of(snapshot_of(pd.DataFrame({"a": [version]}), version=version))
    assert len(descriptions._known) == 16
    assert descriptions.of(snapshot_of(pd.DataFrame({"a": [0]}), version=2))[0].least == 0, "the oldest went"


def test_values_of_several_types_are_told_apart() -> None:
    found = distinct_values(pd.Series(COLUMNS["mixed"]), "mixed", 10)
    assert found.values == (Counted(1, 1), Counted("1", 1), Counted(True, 1))
    assert distinct_values(pd.Series(COLUMNS["lists"]), "lists", 10).values == (Counted([1], 2), Counted([2], 1))


@given(st.lists(st.one_of(st.none(), st.sampled_from("abcdef")), max_size=60), st.integers(1, 8))
def test_counts_are_those_of_counting(cells: list[str | None], limit: int) -> None:
    found = distinct_values(pd.Series(cells, dtype=object), "c", limit)
    texts = [cell for cell in cells if cell is not None]
    expected = sorted(((text, texts.count(text)) for text in dict.fromkeys(texts)), key=lambda pair: -pair[1])
    assert [(each.value, each.rows) for each in found.values] == expected[:limit]
    assert (found.rows, found.missing, found.total) == (len(cells), len(cells) - len(texts), len(expected))


@given(st.integers(1, 500), st.integers(1, 50), st.integers(0, 2**32 - 1))
def test_a_sample_is_different_rows_in_order_and_the_same_for_one_seed(rows: int, n: int, seed: int) -> None:
    positions = sample_positions(rows, n, seed).tolist()
    assert len(positions) == len(set(positions)) == min(n, rows)
    assert positions == sorted(positions)
    assert 0 <= positions[0] <= positions[-1] < rows
    assert positions == sample_positions(rows, n, seed).tolist()

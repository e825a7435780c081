"""What cells hold is copied where it could be changed, and only there."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mcp_workbench.live.dataframes.mutable_cells import MAX_DEPTH, fresh_cell, fresh_cells, holds_mutable


def column(*cells: object) -> Any:
    values = np.empty(len(cells), dtype=object)
    for at, cell in enumerate(cells):
        values[at] = cell
    return values


class Own:
    def __deepcopy__(self, memo: object) -> object:
        raise AssertionError("nobody asked for a copy")

    __copy__ = __deepcopy__


@pytest.mark.parametrize(
    "value",
    [
        [1, "x"],
        [[1], {"k": {2}}],
        {"k": [1]},
        {1, 2},
        bytearray(b"x"),
        np.arange(3),
        column([1], None),
        deque([[1]], maxlen=3),
        OrderedDict(k=[1]),
        defaultdict(list, k=[1]),
        Counter("aab"),
        pd.Series([1]),
        pd.DataFrame({"a": [1]}),
        ([1], 2),
    ],
)
def test_containers_are_copied_with_what_they_hold(value: Any) -> None:
    assert holds_mutable(column(value))
    fresh = fresh_cell(value, {})
    assert type(fresh) is type(value)
    assert fresh is not value
    if isinstance(value, pd.Series | pd.DataFrame | np.ndarray):
        np.testing.assert_array_equal(fresh, value)
        assert not isinstance(value, np.ndarray) or not np.shares_memory(fresh, value)
    else:
        assert fresh == value


@pytest.mark.parametrize(
    "value", [None, 1, True, 2.5, "x", b"x", (1, ("x", None)), frozenset({1}), datetime(2013, 1, 1, tzinfo=UTC), pd.NaT, Own()]
)
def test_what_cannot_be_changed_and_what_is_of_another_class_stays(value: object) -> None:
    assert not holds_mutable(column(value))
    assert fresh_cell(value, {}) is value


def test_inner_containers_are_nobody_elses() -> None:
    cell: Any = [[1], {"k": [2]}, (3, [4]), column([5])]
    fresh = fresh_cell(cell, {})
    fresh[0].append(0)
    fresh[1]["k"].append(0)
    fresh[2][1].append(0)
    fresh[3][0].append(0)
    assert cell[:3] == [[1], {"k": [2]}, (3, [4])]
    assert cell[3][0] == [5]


def test_one_list_in_two_cells_is_one_list_again() -> None:
    shared = [1]
    fresh = fresh_cells(column(shared, [shared], None), {})
    assert fresh[0] is fresh[1][0] is not shared


def test_what_holds_itself_is_copied_once() -> None:
    cell: list[Any] = [1]
    cell.append(cell)
    fresh = fresh_cell(cell, {})
    assert fresh[1] is fresh is not cell


def test_very_deep_nesting_is_shared_below_the_bound() -> None:
    cell: Any = [1]
    for _ in range(10_000):
        cell = [cell]
    fresh: Any = fresh_cell(cell, {})
    for _ in range(MAX_DEPTH):
        assert fresh is not cell
        fresh, cell = fresh[0], cell[0]
    assert fresh is cell


def test_objects_of_other_classes_are_handed_on_within_containers() -> None:
    own = Own()
    fresh = fresh_cell({"own": own, "items": [own]}, {})
    assert fresh["own"] is fresh["items"][0] is own

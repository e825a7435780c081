from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.comparing.differences import ABSENT, Difference, differences, path_text, same, value_at
from tests.exploring.strategies import json_values

MARK = "‹redacted:0123456789ab›"


def applied(value: Any, found: list[Difference]) -> Any:
    """The value with what differs put in place: what stands on the other side."""
    root = [copy.deepcopy(value)]
    for each in sorted(found, key=lambda each: [step if isinstance(step, int) else -1 for step in each.path], reverse=True):
        at: Any = root
        steps = (0, *each.path)
        for step in steps[:-1]:
            at = at[step]
        if each.b is ABSENT:
            del at[steps[-1]]
    for each in found:
        at = root
        steps = (0, *each.path)
        for step in steps[:-1]:
            at = at[step]
        if each.b is not ABSENT:
            if isinstance(at, list) and steps[-1] == len(at):
                at.append(each.b)
            else:
                at[steps[-1]] = each.b
    return root[0]


@given(json_values)
def test_a_value_differs_nowhere_from_itself(value: Any) -> None:
    assert differences(value, json.loads(json.dumps(value))) == []


@given(json_values, json_values)
def test_with_its_differences_put_in_place_one_value_is_the_other(a: Any, b: Any) -> None:
    assert same(applied(a, differences(a, b)), b)


@given(json_values, json_values)
def test_it_makes_no_difference_which_comes_first(a: Any, b: Any) -> None:
    back = {(each.path, repr(each.b), repr(each.a)) for each in differences(b, a)}
    assert {(each.path, repr(each.a), repr(each.b)) for each in differences(a, b)} == back


@given(json_values, json_values)
def test_what_differs_stands_where_it_says(a: Any, b: Any) -> None:
    for each in differences(a, b):
        assert (value_at(a, each.path), value_at(b, each.path)) == (each.a, each.b)


@given(json_values)
def test_another_value_at_one_place_is_one_difference_there(value: Any) -> None:
    [found] = differences({"here": [0, value]}, {"here": [0, {"never": "seen"}, 1]})[-1:]
    assert found == Difference(("here", 2), ABSENT, 1)


@pytest.mark.parametrize(("a", "b"), [(1, True), (0, False), (1, "1"), (None, False), ([], {}), ("", None), (1, 1.5), ({"a": None}, {})])
def test_what_looks_alike_is_not_equal(a: Any, b: Any) -> None:
    assert not same(a, b)


def test_numbers_are_what_they_say() -> None:
    assert same({"n": 1}, {"n": 1.0})


def test_what_was_withheld_equals_what_could_have_stood_there() -> None:
    assert same({"token": MARK, "url": f"https://{MARK}@host/x"}, {"token": "abc", "url": "https://me:pw@host/x"})
    assert same([MARK], [1234567])
    assert same([MARK], ["‹redacted:ba9876543210›"])
    assert not same(f"https://{MARK}@host/x", "https://me:pw@other/x")
    assert not same({"token": MARK}, {})


def test_a_live_answer_that_looks_withheld_equals_nothing_else() -> None:
    assert same({"n": MARK}, {"n": "42"}, recorded=(True, False))
    assert not same({"n": "42"}, {"n": MARK}, recorded=(True, False))
    assert not same({"n": MARK}, {"n": "42"}, recorded=(False, False))
    assert same({"n": MARK}, {"n": MARK}, recorded=(False, False))


def test_a_path_is_read_as_it_is_written() -> None:
    assert path_text(("rows", 3, "id")) == "$.rows[3].id"
    assert path_text(("a b", 'c"', 0)) == '$["a b"]["c\\""][0]'
    assert str(differences({"a": {"b": "x"}}, {"a": {}})[0]) == '$.a.b: "x" → (absent)'


def test_values_deeper_than_python_calls_are_compared() -> None:
    a: Any = 1
    b: Any = 2
    for _ in range(5000):
        a, b = [a], [b]
    [found] = differences(a, b)
    assert (len(found.path), found.a, found.b) == (5000, 1, 2)


@given(st.lists(st.integers(), max_size=5), st.lists(st.integers(), max_size=5))
def test_lists_are_compared_by_position(a: list[int], b: list[int]) -> None:
    found = differences(a, b)
    assert [each.path[0] for each in found] == [at for at in range(max(len(a), len(b))) if a[at : at + 1] != b[at : at + 1]]

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.writing.literals import MAX_DEPTH, WIDTH, depth, literal, name_of

texts = st.text() | st.sampled_from(["'''\"\"\"", "a\nb\n", "\u202e", "{x}", "\\", "\r\n", "\x1b[2J", "#\x00", "\u2028x\x85y"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
)


@given(values, st.integers(0, 40), st.integers(0, 100))
def test_what_is_written_is_a_literal_of_the_same_value(value: Any, indent: int, before: int) -> None:
    written = literal(value, indent, before)
    assert ast.literal_eval(written) == value
    ast.parse(f"def f():\n    return {literal(value, 4, 7)}\n")


@given(st.lists(st.integers(), max_size=100))
def test_lines_stay_short_where_they_can(value: list[int]) -> None:
    assert all(len(line) <= WIDTH for line in literal(value).splitlines())


def test_a_text_of_several_lines_stands_on_several() -> None:
    text = "one line of some length that goes on\n" * 4
    assert literal(text, 4).count("\n") == 5


def test_levels_are_counted_as_far_as_they_matter() -> None:
    assert [depth(value) for value in (1, [], [[1], {}], {"a": [{"b": 1}]})] == [0, 1, 2, 3]
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert depth(deep) == MAX_DEPTH + 1


@pytest.mark.parametrize(
    ("text", "name"), [("top_routes", "top_routes"), ("df://a/rows?x=1", "df_a_rows_x_1"), ("é\n'", ""), ("x" * 90, "x" * 40)]
)
def test_a_name_has_letters_and_digits_only(text: str, name: str) -> None:
    assert name_of(text) == name

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.filters.members import MISSING, Member, parsed, scalar
from mcp_workbench.exploring.filters.scanning import Written
from tests.exploring.strategies import json_values


def fits(value: Any, text: str, *, quoted: bool = False) -> bool:
    return Member(("at",), (scalar(Written(text, quoted, 0)),)).matches({"at": value})


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("EMEA", ["EMEA", "emea", ["APAC", "emea"]], ["EME", None, 5, {"EMEA": "EMEA"}, [["EMEA"]], []]),
        ("E*", ["EMEA", "e"], ["", "APAC", 5]),
        ("5", [5, 5.0, "5", [4, 5]], ["5.0", 50, True, None]),
        ("10k", [10_000, "10K"], [10]),
        (">5", [6, 5.5, 10**40, [1, 9]], [5, "6", True, None]),
        ("1..3", [1, 2.5, 3], [0, 4, "1..3"]),
        ("..3", [3, -1], [4]),
        ("../data", ["../data"], ["data"]),
        ("a..b", ["a..b"], ["a"]),
        ("true", [True, "true", "TRUE"], [1, False]),
        ("null", [None, "null"], [0, "", False]),
        ("*", [None, "", 0, {}, []], []),
        ("1*", ["10", "1"], [10, 1]),
    ],
)
def test_values_are_compared_by_what_they_are(text: str, inside: list[Any], outside: list[Any]) -> None:
    assert [value for value in inside if not fits(value, text)] == []
    assert [value for value in outside if fits(value, text)] == []


def test_in_quotes_only_texts_are_meant() -> None:
    assert fits("5", "5", quoted=True)
    assert not fits(5, "5", quoted=True)
    assert fits(">5", ">5", quoted=True)
    assert fits("*", "*", quoted=True)
    assert not fits("x", "*", quoted=True)


NO_PLACE = ["a c 2", "a c -1", "a c \u0661", "a c " + "9" * 5_000, "a b x", "z"]


@pytest.mark.parametrize(
    ("path", "found"),
    [("a b", 1), ("a c 1", "y"), ("0", "zero"), *((path, MISSING) for path in NO_PLACE)],
    ids=lambda text: str(text)[:8],
)
def test_a_path_leads_through_members_and_lists(path: str, found: Any) -> None:
    value = {"a": {"b": 1, "c": ["x", "y"]}, "0": "zero"}
    steps = tuple(path.split(" "))
    assert Member(steps, (scalar(Written("*", False, 0)),)).matches(value) is (found is not MISSING)
    if found is not MISSING:
        assert Member(steps, (scalar(Written(str(found), False, 0)),)).matches(value)


def test_what_is_no_json_has_no_values() -> None:
    for text in (None, "", "{", "[" * 100_000, "nonsense"):
        assert parsed(text) is MISSING
    assert not Member(("a",), (scalar(Written("*", False, 0)),)).matches(MISSING)


@given(json_values, st.text(max_size=6), st.booleans())
def test_any_value_can_be_compared_with_any_text(value: Any, text: str, quoted: bool) -> None:
    try:
        wanted = Member((), (scalar(Written(text, quoted, 0)),))
    except ValueError as error:
        sentence = str(error)
    else:
        assert wanted.matches(msgspec.json.decode(msgspec.json.encode(value))) in (True, False)
        return
    assert "a number" in sentence

from __future__ import annotations

import fnmatch
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.filters.scanning import Written
from mcp_workbench.exploring.filters.values import count, duration, name, occurs, size, version

short = st.text("abAB*", max_size=8)


def plain(text: str) -> Written:
    return Written(text, False, 0)


@given(short, st.text("abAB", max_size=10))
def test_a_star_stands_for_any_characters(pattern: str, found: str) -> None:
    assert name(plain(pattern)).matches(found) is fnmatch.fnmatchcase(found.lower(), pattern.lower())
    assert occurs(plain(pattern)).matches(found) is fnmatch.fnmatchcase(found.lower(), f"*{pattern.lower()}*")


@given(short, short)
def test_in_quotes_a_star_is_a_star(pattern: str, found: str) -> None:
    assert name(Written(pattern, True, 0)).matches(found) is (pattern.lower() == found.lower())
    assert occurs(Written(pattern, True, 0)).matches(found) is (pattern.lower() in found.lower())


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), st.booleans())
def test_a_text_is_found_in_json_however_it_was_escaped(text: str, ascii_only: bool) -> None:
    assert occurs(Written(text, True, 0)).matches(json.dumps({"said": f"<{text}>"}, ensure_ascii=ascii_only))


def test_stars_that_would_make_a_regular_expression_explode_are_compared_piece_by_piece() -> None:
    many = plain("a*" * 2_000 + "b")
    assert not name(many).matches("a" * 100_000)
    assert not occurs(many).matches("a" * 100_000)
    assert name(many).matches("a" * 100_000 + "b")


def test_pieces_do_not_overlap() -> None:
    assert not name(plain("aba*ba")).matches("aba")
    assert name(plain("aba*ba")).matches("ababa")
    assert not name(plain("a*bb*b")).matches("abb")
    assert not occurs(plain("ab*ba")).matches("aba")


@pytest.mark.parametrize(
    ("text", "whole"), [("v2", True), ("v2@1f3a", True), ("v2@*", True), ("v", False), ("1f3a", False), ("v2@1f", False), ("*2", True)]
)
def test_a_version_is_named_with_or_without_its_digest(text: str, whole: bool) -> None:
    assert version(plain(text)).matches("v2@1f3a") is whole


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">5", [6, 5.1], [5, 4]),
        (">=5", [5, 6], [4.9]),
        ("<-5", [-6], [-5, 0]),
        ("<=1k", [1000], [1001]),
        ("5", [5, 5.0], [4, 6]),
        ("+5", [5], [-5]),
        ("-5..5", [-5, 0, 5], [-6, 6]),
        ("..5", [-(10**30), 5], [6]),
        ("5..", [5, 10**30], [4]),
        ("1.5K", [1500], [1501]),
    ],
)
def test_amounts_lie_within_their_bounds(text: str, inside: list[float], outside: list[float]) -> None:
    amount = count(plain(text))
    assert all(map(amount.matches, inside))
    assert not any(map(amount.matches, [*outside, None, "5", True, float("nan")]))


def test_units_are_what_they_say() -> None:
    sizes = {"1": 1, "1b": 1, "1k": 10**3, "1kB": 10**3, "1.5M": 1_500_000, "2gb": 2 * 10**9, "1KiB": 2**10, "1mib": 2**20, "1GiB": 2**30}
    assert {text: size(plain(text)).low for text in sizes} == sizes
    durations = {
        ">1ns": 1e-6,
        ">1us": 1e-3,
        ">1µs": 1e-3,
        ">1μs": 1e-3,
        ">1ms": 1,
        ">1.5S": 1500,
        ">1m": 60_000,
        ">1min": 60_000,
        ">1h": 3.6e6,
        ">1d": 8.64e7,
    }
    assert {text: duration(plain(text)).low for text in durations} == durations


@given(st.integers(1, 10**15), st.sampled_from(["<", "<=", ">", ">="]))
def test_durations_are_compared_to_the_nanosecond(ns: int, sign: str) -> None:
    amount = duration(plain(f"{sign}{ns}ns"))
    found = [amount.matches(some / 1e6) for some in (ns - 1, ns, ns + 1)]
    assert found == {"<": [True, False, False], "<=": [True, True, False], ">": [False, False, True], ">=": [False, True, True]}[sign]


@given(st.text(max_size=10))
def test_any_text_is_an_amount_or_a_mistake(text: str) -> None:
    for read in (count, size, duration):
        try:
            amount = read(plain(text))
        except ValueError as error:
            mistake = str(error)
        else:
            assert amount.low is not None or amount.high is not None
            continue
        assert re.search(r"expected .*character 1 of the filter", mistake, re.DOTALL)

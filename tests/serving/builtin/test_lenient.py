"""What models send instead of what is meant."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.serving.builtin import lenient


@pytest.mark.parametrize(
    ("sent", "meant"),
    [(17, 17), ("17", 17), ("v17", 17), (" V17 ", 17), ("version 17", 17), ("flights v17", 17), (17.0, 17)]
    + [(nothing, None) for nothing in (None, "", "null", "None", "latest", "current")],
)
def test_versions(sent: object, meant: object) -> None:
    assert lenient.version(sent) == meant


@pytest.mark.parametrize("sent", ["soon", "v0", 0, -1, True, 1.5, [17], "17.5", "v17 or so"])
def test_what_is_no_version(sent: object) -> None:
    with pytest.raises(ValueError, match="expected a version like 17 or v17"):
        lenient.version(sent)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("flights", "flights"),
        (" `flights` ", "flights"),
        ('"flights"', "flights"),
        ("'_r7'", "_r7"),
        ("df://flights", "df://flights"),
        ("df://flights/", "df://flights"),
        ("result://_r8", "_r8"),
    ],
)
def test_names(sent: str, meant: str) -> None:
    assert lenient.name(sent) == meant


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (["a", "b"], ["a", "b"]),
        (["`a`", '"b"', 2013], ["a", "b", "2013"]),
        ("a, b", ["a, b"]),
        ("`a`, `b`", ["a, b"]),
        ('["a", "b,c"]', ["a", "b,c"]),
        ("[broken", ["[broken"]),
        ([], []),
        (None, None),
        ("null", None),
        ("", None),
    ],
)
def test_lists_of_names(sent: object, meant: object) -> None:
    assert lenient.names(sent) == meant


@pytest.mark.parametrize(("sent", "meant"), [(0, 0), ("57", 57), ("1,000", 1000), ("1_000_000", 1_000_000), (57.0, 57), ("null", None)])
def test_whole_numbers(sent: object, meant: object) -> None:
    assert lenient.whole(sent) == meant


@pytest.mark.parametrize("sent", [-1, "-1", True, 1.5, "1,00", "x", [1], 10**18])
def test_what_is_no_whole_number(sent: object) -> None:
    with pytest.raises(ValueError, match="expected a whole number from 0"):
        lenient.whole(sent)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (5, 5),
        ("5", 5),
        ("5 s", 5),
        ("2.5 seconds", 2.5),
        (999, 50),
        (-1, 0),
        ("soon", 0),
        (None, 0),
        (True, 0),
        (math.nan, 0),
        (math.inf, 50),
    ],
)
def test_seconds_to_wait(sent: object, meant: float) -> None:
    assert lenient.seconds(sent) == meant


@pytest.mark.parametrize(
    ("sent", "meant"), [({"n": 1}, {"n": 1}), ('{"n": 1}', {"n": 1}), (None, {}), ("", {}), ("null", {}), ("n=1", "n=1"), ("[1]", [1])]
)
def test_members_of_an_object(sent: object, meant: object) -> None:
    assert lenient.members(sent) == meant


ANYTHING: Any = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)), lambda inner: st.lists(inner, max_size=3)
)


def outcome(read: Callable[[object], object], sent: object) -> object:
    try:
        return read(sent)
    except ValueError as refusal:
        return refusal


@given(ANYTHING)
def test_whatever_is_sent_is_read_or_refused_with_a_sentence(sent: object) -> None:
    for read in (lenient.text, lenient.name, lenient.names, lenient.version, lenient.whole, lenient.seconds, lenient.members):
        found = outcome(read, sent)
        assert not isinstance(found, ValueError) or str(found).startswith("expected ")

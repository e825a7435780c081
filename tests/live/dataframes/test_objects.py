"""Cells of object columns: data as data, anything else as a marker that gives nothing away."""

from __future__ import annotations

import datetime as dt
import enum
import pathlib
import uuid
from decimal import Decimal
from typing import Any
from unittest.mock import MagicMock

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.live.dataframes.objects import MAX_ITEMS, encode_object


class Account:
    def __init__(self) -> None:
        self.password = "hunter2"

    def __repr__(self) -> str:
        raise AssertionError("repr of a user's object was taken")

    __str__ = __repr__


class Color(enum.Enum):
    RED = "secret value"


class Shouting(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise AssertionError("a subclass's own method was called")


class Loud(float):
    def __float__(self) -> float:
        raise AssertionError("a subclass's own method was called")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (float("nan"), None),
        (pd.NA, None),
        (pd.NaT, None),
        (np.datetime64("NaT", "s"), None),
        (np.timedelta64("NaT", "s"), None),
        (Decimal("NaN"), None),
        (True, True),
        (np.True_, True),
        (7, 7),
        (2**53, 2**53),
        (2**53 + 1, "9007199254740993"),
        (-(2**64), "-18446744073709551616"),
        (np.uint64(2**64 - 1), "18446744073709551615"),
        (0.1, 0.1),
        (np.float32(0.1), 0.1),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        (Loud(2.5), 2.5),
        (1 + 2j, "(1+2j)"),
        ("=1+1", "=1+1"),
        (Shouting("x"), "x"),
        ("a\ud800b", "a\\ud800b"),
        (b"\x00\xff", "base64:AP8="),
        (Decimal("1.10"), "1.10"),
        (dt.date(2013, 1, 2), "2013-01-02"),
        (dt.datetime(2013, 1, 2, 3, 4, 5, tzinfo=dt.UTC), "2013-01-02T03:04:05+00:00"),
        (dt.time(3, 4), "03:04:00"),
        (dt.timedelta(days=1, hours=2), "P1DT2H0M0S"),
        (dt.timedelta.max, "999999999 days, 23:59:59.999999"),
        (pd.Timestamp("2013-01-02 03:04", tz="America/New_York"), "2013-01-02T03:04:00-05:00"),
        (pd.Timedelta("90s"), "P0DT0H1M30S"),
        (pd.Period("2013-01", freq="M"), "2013-01"),
        (pd.Interval(0, 1), "(0, 1]"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.PurePosixPath("a/b"), "a/b"),
        ([1, None, "x"], [1, None, "x"]),
        ((1, (2,)), [1, [2]]),
        ({"a": {2: float("nan")}}, {"a": {"2": None}}),
        (np.array([1.5, np.inf]), [1.5, "Infinity"]),
        (frozenset([3]), [3]),
    ],
)
def test_data_is_shown_as_data(value: object, expected: object) -> None:
    encoded = encode_object(value, 1_000)
    assert encoded == expected
    assert type(encoded) is type(expected)


@pytest.mark.parametrize(
    "value",
    [Account(), Account, lambda: None, pd.DataFrame({"a": [1]}), object(), MagicMock(spec=str), range(3)],
    ids=lambda value: type(value).__name__,
)
def test_any_other_object_is_a_marker_of_its_type(value: object) -> None:
    marker = encode_object(value, 1_000)
    assert isinstance(marker, str)
    assert marker.startswith("<")
    assert marker.endswith(" object>")
    assert "hunter2" not in marker


def test_an_enum_shows_its_name_and_not_its_value() -> None:
    assert encode_object(Color.RED, 100).endswith("Color.RED")


def test_objects_inside_containers_are_markers_too() -> None:
    assert "hunter2" not in str(encode_object({"who": [Account()]}, 1_000))


def test_long_texts_are_cut_and_say_by_how_much() -> None:
    assert encode_object("x" * 1_500, 10) == "xxxxxxxxxx… (+1,490 characters)"


def test_long_nested_cells_become_cut_text() -> None:
    assert encode_object(list(range(500)), 10) == "[0,1,2,3,4… (+1,881 characters)"


def test_many_items_are_counted() -> None:
    encoded = encode_object([0] * (MAX_ITEMS + 5), 10**6)
    assert encoded[-1] == "… (+5 items)"
    assert encode_object(dict.fromkeys(range(MAX_ITEMS + 5), 0), 10**6)["…"] == "+5 entries"


def test_a_list_that_contains_itself_ends() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "items" in str(encode_object(endless, 1_000))


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary(max_size=20)
    | st.decimals()
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers() | st.none(), inner, max_size=4),
    max_leaves=12,
)


@given(value=ANYTHING, max_chars=st.integers(1, 200))
def test_every_cell_is_json_that_any_reader_takes(value: object, max_chars: int) -> None:
    encoded = encode_object(value, max_chars)
    assert msgspec.json.decode(msgspec.json.encode(encoded)) == encoded

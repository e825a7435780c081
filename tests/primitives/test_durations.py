"""Durations as text: one spelling, exact at every size."""

from __future__ import annotations

import datetime
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from mcp_workbench.primitives.durations import duration_text, numpy_duration_text, timedelta_text


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "PT0S"),
        (1, "PT0.000000001S"),
        (10**9, "PT1S"),
        (-(10**9) // 2, "-PT0.5S"),
        (90 * 10**9, "PT1M30S"),
        (3600 * 10**9, "PT1H"),
        (86400 * 10**9, "P1D"),
        (26 * 3600 * 10**9, "P1DT2H"),
        (86400 * 10**9 + 1_500_000_000, "P1DT1.5S"),
        (400 * 86400 * 10**9, "P400D"),
    ],
)
def test_what_is_zero_is_left_out_and_days_are_the_largest_unit(nanoseconds: int, text: str) -> None:
    assert duration_text(nanoseconds) == text


def read(text: str) -> Fraction:
    """Nanoseconds of a text, digit by digit."""
    sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
    total, number = Fraction(0), ""
    for character in text.removeprefix("P").replace("T", ""):
        if character in "DHMS":
            total += Fraction(number) * {"D": 86400, "H": 3600, "M": 60, "S": 1}[character]
            number = ""
        else:
            number += character
    return sign * total * 10**9


@given(st.integers())
def test_the_text_reads_back_as_the_same_duration(nanoseconds: int) -> None:
    assert read(duration_text(nanoseconds)) == nanoseconds


@given(st.timedeltas())
def test_pydantic_reads_what_is_written_of_a_timedelta(value: datetime.timedelta) -> None:
    assert TypeAdapter(datetime.timedelta).validate_python(timedelta_text(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.timedelta64(2, "W"), "P14D"),
        (np.timedelta64(90, "m"), "PT1H30M"),
        (np.timedelta64(1500, "ms"), "PT1.5S"),
        (np.timedelta64(-1, "us"), "-PT0.000001S"),
        (np.timedelta64(3, ("s", 25)), "PT1M15S"),
        (np.timedelta64(2**60, "s"), duration_text(2**60 * 10**9)),
        (np.timedelta64(2, "M"), "2 months"),
        (np.timedelta64(2, "Y"), "2 years"),
        (np.array(7).view("m8")[()], "7 generic time units"),
        (np.timedelta64(5, "ps"), "5 picoseconds"),
    ],
)
def test_numpys_durations_have_the_same_spelling_where_they_have_a_length(value: object, text: str) -> None:
    assert numpy_duration_text(value) == text

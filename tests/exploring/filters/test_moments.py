from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.filters import FilterError, parse
from mcp_workbench.exploring.filters.moments import Moments
from mcp_workbench.exploring.filters.scanning import Written

NOW = datetime(2026, 5, 11, 10, 11, tzinfo=UTC)
KOLKATA = timezone(timedelta(hours=5, minutes=30))


def fits(text: str, moment: datetime, zone: tzinfo | None = UTC) -> bool:
    period = Moments(NOW.timestamp, zone).understand(Written(text, False, 0))
    return period.matches((moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("10:05", "2026-05-11T10:05", "2026-05-11T10:05:59.999999"),
        ("9:05:07", "2026-05-11T09:05:07", "2026-05-11T09:05:07.999999"),
        ("10:05:07.25", "2026-05-11T10:05:07.25", "2026-05-11T10:05:07.259999"),
        ("10:05:07.123456", "2026-05-11T10:05:07.123456", "2026-05-11T10:05:07.123456"),
        ("10:05..10:07", "2026-05-11T10:05", "2026-05-11T10:07"),
        ("23:50..00:10", "2026-05-10T23:50", "2026-05-11T00:10"),
        ("2026-05-11", "2026-05-11T00:00", "2026-05-11T23:59:59.999999"),
        ("2024-02-28..2024-02-29", "2024-02-28T00:00", "2024-02-29T23:59:59.999999"),
        ("2026-05-11T10:05", "2026-05-11T10:05", "2026-05-11T10:05:59.999999"),
        ("2026-05-11T10:05Z..2026-05-11t12:10+02:00", "2026-05-11T10:05", "2026-05-11T10:10"),
        ("2026-05-11T10:05..2026-05-12", "2026-05-11T10:05", "2026-05-12T23:59:59.999999"),
        ("-5m..-1m", "2026-05-11T10:06", "2026-05-11T10:10"),
        ("-1h..-90s", "2026-05-11T09:11", "2026-05-11T10:09:30"),
    ],
)
def test_a_period_lasts_from_here_to_there(text: str, first: str, last: str) -> None:
    around = (at(first) - MICROSECOND, at(first), at(last), at(last) + MICROSECOND)
    assert [fits(text, moment) for moment in around] == [False, True, True, False]


@pytest.mark.parametrize("day", ["2026-05-11", "2026-05-10"])
@pytest.mark.parametrize(
    ("sign", "before", "on", "after"),
    [(">", False, False, True), (">=", False, True, True), ("<", True, False, False), ("<=", True, True, False)],
)
def test_a_sign_before_a_date_means_the_whole_day(day: str, sign: str, before: bool, on: bool, after: bool) -> None:
    begin = at(day)
    moments = (begin - MICROSECOND, begin, begin + timedelta(days=1) - MICROSECOND, begin + timedelta(days=1))
    assert [fits(sign + day, moment) for moment in moments] == [before, on, on, after]


@pytest.mark.parametrize(
    ("text", "before", "at_it", "after"),
    [(">10:05", False, False, True), (">=10:05", False, True, True), ("<10:05", True, False, False), ("<=10:05", True, True, False)],
)
def test_a_sign_before_a_clock_time_means_the_moment_it_begins(text: str, before: bool, at_it: bool, after: bool) -> None:
    moment = at("2026-05-11T10:05")
    assert [fits(text, moment + step) for step in (-MICROSECOND, timedelta(0), MICROSECOND)] == [before, at_it, after]


def test_clock_times_and_dates_are_those_of_the_zone() -> None:
    moment = at("2026-05-10T20:00")  # 01:30 on the 11th, in Kolkata
    assert fits("01:30", moment, KOLKATA)
    assert not fits("20:00", moment, KOLKATA)
    assert fits("2026-05-11", moment, KOLKATA)
    assert not fits("2026-05-10", moment, KOLKATA)
    assert fits("2026-05-11T01:30", moment, KOLKATA)
    assert fits("2026-05-10T20:00Z", moment, KOLKATA)


@given(st.integers(10**15, 4 * 10**15).map(lambda microseconds: datetime.fromtimestamp(0, UTC) + microseconds * MICROSECOND))
def test_without_a_zone_it_is_this_machines_clock(moment: datetime) -> None:
    local = moment.astimezone()
    assert fits(local.strftime("%H:%M:%S.%f"), local, None)
    assert fits(local.strftime("%H:%M"), local, None)
    assert fits(local.strftime("%Y-%m-%d"), local, None)


NO_CLOCK = ["24:00", "10:60", "10:05:60", "1:5", "10", "2026-05-11T25:00", "2026-05-11T10:05+25:00"]
NO_CALENDAR = ["2026-13-01", "2026-02-30", "2026-5-1", "0000-01-01", "9999-12-31"]
NO_PERIOD = ["-5", "-5q..", "+5m..", "..", "10:05..2026-05-11", "-5m..10:05", "10:05...10:07", ">-", "2026-05-12..2026-05-11"]


@pytest.mark.parametrize("text", [*NO_CLOCK, *NO_CALENDAR, *NO_PERIOD])
def test_what_no_clock_and_no_calendar_shows_is_refused(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(f"at:{text}", zone=UTC)
    assert caught.value.position == 3


def test_long_before_anything_is_a_time_too() -> None:
    assert fits("-999999999d..", NOW)


def test_a_moment_that_is_not_known_fits_nothing() -> None:
    period = Moments(NOW.timestamp, UTC).understand(Written("00:00..23:59:59.999999", False, 0))
    assert not period.matches(None)
    assert not period.matches(10**18)  # past year 9999

"""`at:`: clock times of a record's own day, dates, date-times, and moments before now. Compared in whole microseconds.

A clock time alone is as long as it is precise: `10:05` is a minute, `10:05:30` a second. As the end of a range and behind a sign
it is the moment it begins. A date is always the whole day.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from mcp_workbench.exploring.filters.errors import FilterError
from mcp_workbench.exploring.filters.scanning import Written
from mcp_workbench.exploring.filters.values import NANOSECONDS, split_comparison, split_range
from mcp_workbench.primitives.wording import quote

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND, _MINUTE = 10**6, 60 * 10**6
_TIME = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?"
_CLOCK = re.compile(_TIME, re.ASCII)
_DATE = re.compile(rf"(\d{{4}}-\d{{2}}-\d{{2}})(?:[tT ]{_TIME}(z|Z|[+-]\d{{2}}:\d{{2}})?)?", re.ASCII)
_BEFORE_NOW = re.compile(r"-(\d{1,9})([a-z]{1,3})", re.ASCII)
_EXPECTED = "a time, as in 10:05..10:07, >=2026-05-11, 2026-05-11T10:05Z or -5m.. (the last five minutes)"


@dataclass(frozen=True, slots=True)
class Point:
    """One time as it was written."""

    begin: int
    """Microseconds since 1970; of a clock time since midnight; before now, negative."""
    length: int
    """As long as it is precise, in microseconds."""
    kind: str
    """`clock`, `fixed` or `before`."""
    is_day: bool = False

    @property
    def last(self) -> int:
        """The last microsecond that a bound at this time lets through."""
        return self.begin + self.length - 1 if self.is_day else self.begin


@dataclass(frozen=True, slots=True)
class Period:
    """From one microsecond to another, both within; None: without a bound."""

    low: int | None
    high: int | None
    kind: str
    clock: Callable[[], float]
    """Seconds since 1970, now."""
    zone: tzinfo | None
    """Whose clock; None: this machine's."""

    def matches(self, found: object) -> bool:
        """Whether a moment lies within."""
        if not isinstance(found, int):
            return False
        low, high = self.low, self.high
        at: int | None = found
        if self.kind == "clock":
            at = _time_of_day(found, self.zone)
        elif self.kind == "before":
            at = found - round(self.clock() * 1e6)
        if at is None:
            return False
        if low is not None and high is not None and low > high:  # past midnight
            return at >= low or at <= high
        return (low is None or at >= low) and (high is None or at <= high)


@dataclass(frozen=True, slots=True)
class Moments:
    """Reads `at:` values.

    Args:
        clock: Seconds since 1970, now; asked each time a record is compared with "five minutes ago".
        zone: Whose clock times are meant; None: this machine's.
    """

    clock: Callable[[], float]
    zone: tzinfo | None

    def understand(self, written: Written) -> Period:
        """`10:05..10:07`, `>=2026-05-11`, `-5m..`."""
        if (ends := split_range(written.text)) is not None:
            low, high = (self._point(end, written) if end else None for end in ends)
            return self._between(low, high, written)
        sign, text = split_comparison(written.text)
        point = self._point(text, written)
        if not sign and point.kind == "before":
            raise FilterError(f"expected a range: {text}.. is since then, ..{text} until then", written.position)
        return self._compared(sign, point)

    def _between(self, low: Point | None, high: Point | None, written: Written) -> Period:
        kinds = {point.kind for point in (low, high) if point is not None}
        if len(kinds) > 1:
            raise FilterError("expected both ends of the range as clock times, or both as dates, or both before now", written.position)
        period = Period(None if low is None else low.begin, None if high is None else high.last, kinds.pop(), self.clock, self.zone)
        backwards = period.low is not None and period.high is not None and period.low > period.high
        if backwards and period.kind != "clock":
            raise FilterError("expected the earlier end of the range first", written.position)
        return period

    def _compared(self, sign: str, point: Point) -> Period:
        low, high = None, None
        if not sign:
            low, high = point.begin, point.begin + point.length - 1
        elif sign[0] == ">":
            low = point.begin if sign == ">=" else point.last + 1
        else:
            high = point.last if sign == "<=" else point.begin - 1
        return Period(low, high, point.kind, self.clock, self.zone)

    def _point(self, text: str, written: Written) -> Point:
        mistake = FilterError(f"expected {_EXPECTED}, got {quote(text)}", written.position)
        try:
            if (found := _CLOCK.fullmatch(text)) is not None:
                return Point(*_clock_time(*found.groups()), "clock")
            if (found := _DATE.fullmatch(text)) is not None:
                return self._date(found[1], found.groups()[1:5], found[6])
            if (found := _BEFORE_NOW.fullmatch(text.lower())) is not None and found[2] in NANOSECONDS:
                return Point(-int(found[1]) * NANOSECONDS[found[2]] // 1000, 1, "before")
        except (ValueError, OverflowError, OSError) as error:  # the 31st of February; a year no clock of this system has
            raise mistake from error
        raise mistake

    def _date(self, day: str, time: tuple[str | None, ...], offset: str | None) -> Point:
        hours, *others = time
        midnight = datetime.fromisoformat(day)
        if hours is None:
            begin, end = self._since_1970(midnight, self.zone), self._since_1970(midnight + timedelta(days=1), self.zone)
            return Point(begin, end - begin, "fixed", is_day=True)
        since_midnight, length = _clock_time(hours, *others)
        zone = self.zone if offset is None else datetime.fromisoformat(f"{day}T00:00{offset.upper()}").tzinfo
        return Point(self._since_1970(midnight + since_midnight * _MICROSECOND, zone), length, "fixed")

    def _since_1970(self, moment: datetime, zone: tzinfo | None) -> int:
        return (moment.replace(tzinfo=zone).astimezone(UTC) - _EPOCH) // _MICROSECOND


def _clock_time(hours: str | None, minutes: str | None, seconds: str | None, fraction: str | None) -> tuple[int, int]:
    """Microseconds since midnight, and how many it stands for. Raises ValueError: no clock shows it."""
    h, m, s = int(hours or 0), int(minutes or 0), int(seconds or 0)
    if h > 23 or m > 59 or s > 59:
        raise ValueError("no clock shows this")
    since_midnight = (h * 3600 + m * 60 + s) * _SECOND + int((fraction or "").ljust(6, "0"))
    return since_midnight, 10 ** (6 - len(fraction)) if fraction else _MINUTE if seconds is None else _SECOND


def _time_of_day(microseconds: int, zone: tzinfo | None) -> int | None:
    """Microseconds since midnight of its own day; None: no clock of this system goes there."""
    seconds, rest = divmod(microseconds, _SECOND)
    try:
        local = datetime.fromtimestamp(seconds, zone)
    except (ValueError, OverflowError, OSError):
        return None
    return (local.hour * 3600 + local.minute * 60 + local.second) * _SECOND + rest

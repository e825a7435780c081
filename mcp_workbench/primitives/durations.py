"""Durations as ISO 8601 text, in one spelling wherever a duration is shown: `P1DT2H`, `-PT0.5S`, `PT0S`.

Days are the largest unit, because months and years have no fixed length; what is zero is left out.
"""

from __future__ import annotations

import datetime
import sys
from typing import Any

_SECOND = 1_000_000_000
_NANOSECONDS = {
    "W": 604_800 * _SECOND,
    "D": 86_400 * _SECOND,
    "h": 3_600 * _SECOND,
    "m": 60 * _SECOND,
    "s": _SECOND,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
"""numpy's units that are a whole number of nanoseconds."""


def duration_text(nanoseconds: int) -> str:
    """The text of a duration.

    Args:
        nanoseconds: Any integer: no duration is too long or too short.

    Returns:
        For instance `PT1H`, `P1DT2H`, `PT0.000000005S`, `-PT1M30S`; `PT0S` for none at all.
    """
    minutes, rest = divmod(abs(nanoseconds), 60 * _SECOND)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    seconds, fraction = divmod(rest, _SECOND)
    decimals = f".{fraction:09}".rstrip("0") if fraction else ""
    parts = [f"{hours}H" if hours else "", f"{minutes}M" if minutes else "", f"{seconds}{decimals}S" if rest else ""]
    date, time = f"{days}D" if days else "", "".join(parts)
    if not (date or time):
        return "PT0S"
    return f"{'-' if nanoseconds < 0 else ''}P{date}{'T' if time else ''}{time}"


def timedelta_text(value: datetime.timedelta) -> str:
    """The text of a timedelta; of a subclass the base's fields are read."""
    return duration_text(((value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds) * 1_000)


def numpy_duration_text(value: Any) -> str:
    """The text of a `numpy.timedelta64` that is not NaT.

    Months, years, a bare number and what is finer than a nanosecond have no text of this kind: they keep numpy's words.
    """
    unit, count = sys.modules["numpy"].datetime_data(value.dtype)
    factor = _NANOSECONDS.get(unit)
    return str(value) if factor is None else duration_text(int(value.astype("int64")) * count * factor)

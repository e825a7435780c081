"""How numbers, moments and other people's texts are put in a view."""

from __future__ import annotations

import time

from mcp_workbench.serving.job import elapsed as elapsed
from mcp_workbench.wording import plain

_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"))
_CUT = "…"


def shown(text: str, most: int) -> str:
    """Somebody else's text on one line: control characters as escapes, at most so many characters."""
    line = plain(text[: most + 1])
    return line if len(line) <= most else line[: most - 1] + _CUT


def counted(number: int, noun: str) -> str:
    """`1 call`, `2,000 calls`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def moment(seconds: float) -> str:
    """The time of day, `12:03:11`, of seconds since 1970."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))


def date(seconds: float) -> str:
    """Day and time, `2026-05-11 12:03:11`, of seconds since 1970."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def duration(ns: int | None) -> str:
    """`870 µs`, `4.2 ms`, `1.3 s`, `205 s`; two digits are enough to compare."""
    if ns is None:
        return "–"
    size, unit = next(((size, unit) for size, unit in _UNITS if ns >= size), _UNITS[-1])
    number = ns / size
    return f"{number:.0f} {unit}" if number >= 9.95 else f"{number:.1f} {unit}"


def outcome(name: str) -> str:
    """An outcome as a word: `tool_error` reads `error`."""
    return {"tool_error": "error", "rpc_error": "error", "rejected": "refused"}.get(name, name)

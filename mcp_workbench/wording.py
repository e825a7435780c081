r"""Text that others chose, made fit for a terminal and for a model: what is not seen becomes an escape that is, like `\x1b`.

Two measures: one line of nothing but what is printable (`plain`), for names and sentences; and data (`visible`, `visible_json`),
which keeps its line breaks and tabs and loses what commands a screen or turns the direction of the text that follows.
Numbers and moments as people read them: `counted`, `duration`, `moment`.
"""

from __future__ import annotations

import re
import time

# Controls but tab and line break; line and paragraph separators; everything that has Unicode's property Bidi_Control.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"))


def plain(text: str) -> str:
    """Text as one line that a terminal shows as it is: anything not printable becomes its escape."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def visible(text: str) -> str:
    r"""Data as text: `\x1b`, `\u202e`, but tabs and line breaks as they are; a backslash stays one."""
    return text if text.isprintable() else _HIDDEN.sub(lambda found: repr(found[0])[1:-1], text)


def visible_json(text: str) -> str:
    """The JSON text of the same value, with JSON's own escapes for what `visible` escapes."""
    return text if text.isprintable() else _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def counted(number: int, noun: str) -> str:
    """`1 call`, `2,000 calls`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(ns: int | None) -> str:
    """`870 µs`, `4.2 ms`, `1.3 s`, `205 s`; two digits are enough to compare."""
    if ns is None:
        return "–"
    size, unit = next(((size, unit) for size, unit in _UNITS if ns >= size), _UNITS[-1])
    number = ns / size
    return f"{number:.0f} {unit}" if number >= 9.95 else f"{number:.1f} {unit}"


def shown(text: str, most: int) -> str:
    """Somebody else's text on one line: control characters as escapes, at most so many characters."""
    line = plain(text[: most + 1])
    return line if len(line) <= most else line[: most - 1] + "…"


def moment(seconds: float) -> str:
    """The time of day, `12:03:11`, of seconds since 1970."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))


def date(seconds: float) -> str:
    """Day and time, `2026-05-11 12:03:11`, of seconds since 1970."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def outcome(name: str) -> str:
    """An outcome as a word: `tool_error` reads `error`."""
    return {"tool_error": "error", "rpc_error": "error", "rejected": "refused"}.get(name, name)


def ended(name: str, ns: int | None) -> str:
    """How something ended and after how long: `ok in 4.2 ms`; `pending`, which took no time yet."""
    return outcome(name) if ns is None else f"{outcome(name)} in {duration(ns)}"

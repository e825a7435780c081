"""Text that others chose, made fit for a terminal; numbers as people read them."""

from __future__ import annotations

_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"))


def plain(text: str) -> str:
    """Text as one line that a terminal shows as it is: anything not printable becomes its escape."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


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

"""JSON values as Python: literals and nothing else, laid out to be read. Pure."""

from __future__ import annotations

import re
from typing import Any

WIDTH = 120
MAX_DEPTH = 50
"""Levels of a value that is written; Python itself reads some more."""
_WORDS = re.compile(r"[A-Za-z0-9]+")
_INDENT = 4


def literal(value: Any, indent: int = 0, before: int = 0) -> str:
    """A value as a Python expression, over several lines where one is too short.

    Args:
        value: As JSON gives it: None, bool, int, float, str, list, dict; at most 50 levels (`depth`).
        indent: Blanks before the line it begins on.
        before: Further characters before it there.
    """
    flat = repr(value)
    if indent + before + len(flat) <= WIDTH:
        return flat
    inner = indent + _INDENT
    if isinstance(value, dict):
        parts = [f"{key!r}: {literal(item, inner, len(repr(key)) + 2)}," for key, item in value.items()]
        return _laid_out("{", parts, "}", indent)
    if isinstance(value, list):
        return _laid_out("[", [f"{literal(item, inner)}," for item in value], "]", indent)
    if isinstance(value, str) and len(lines := value.splitlines(keepends=True)) > 1:
        return _laid_out("(", list(map(repr, lines)), ")", indent)
    return flat


def depth(value: Any) -> int:
    """Levels of lists and objects in each other, counted up to one more than can be written."""
    level, waiting = 0, [value]
    while waiting and level <= MAX_DEPTH:
        inside = [each for each in waiting if isinstance(each, dict | list)]
        waiting = [item for each in inside for item in (each.values() if isinstance(each, dict) else each)]
        level += bool(inside)
    return level


def name_of(text: str, most: int = 40) -> str:
    """What stands in a text as part of a Python name: letters and digits of ASCII, in lower case; empty where there are none."""
    return "_".join(_WORDS.findall(text))[:most].strip("_").lower()


def _laid_out(opening: str, parts: list[str], closing: str, indent: int) -> str:
    pad = " " * indent
    return "\n".join([opening, *(f"{pad}{' ' * _INDENT}{part}" for part in parts), f"{pad}{closing}"])

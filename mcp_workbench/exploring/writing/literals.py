"""JSON values as Python: literals and nothing else, laid out to be read. Pure."""

from __future__ import annotations

import pprint
import re
from typing import Any

WIDTH = 110
_WORDS = re.compile(r"[A-Za-z0-9]+")


def literal(value: Any, indent: int = 0) -> str:
    """A value as a Python expression.

    Args:
        value: As JSON gives it: None, bool, int, float, str, list, dict.
        indent: Blanks before its further lines.
    """
    written = pprint.pformat(value, width=WIDTH - indent, sort_dicts=False)
    if "\n" in written and isinstance(value, str):
        written = f"({written})" if not written.startswith("(") else written
    return written.replace("\n", "\n" + " " * indent)


def name_of(text: str, most: int = 40) -> str:
    """What stands in a text as part of a Python name: letters and digits of ASCII, in lower case; empty where there are none."""
    return "_".join(_WORDS.findall(text))[:most].strip("_").lower()

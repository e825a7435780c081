"""What the regular expressions of the package must not use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mcp_workbench

FILES = sorted(Path(mcp_workbench.__file__).parent.rglob("*.py"))
POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{[\d,]+\})\+|\(\?>")


@pytest.mark.parametrize("pattern", [r"(?:a|b)*+", r"(a)++", r"(?:a){2,}+", r"(?>a)"])
def test_such_a_pattern_is_found(pattern: str) -> None:
    assert POSSESSIVE_GROUP.search(pattern)


def test_no_group_is_possessive() -> None:
    """Up to CPython 3.11.4 such a group forgets what it has matched (python/cpython#106052); classes of characters are fine."""
    raw = re.compile(r'r[bf]?(?:"[^"\n]*"|\'[^\'\n]*\')')
    found = {file.name: text for file in FILES for text in raw.findall(file.read_text()) if POSSESSIVE_GROUP.search(text)}
    assert found == {}

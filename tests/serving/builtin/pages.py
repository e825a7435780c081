"""What differs in what agents read from run to run (times, cursors) and from one pandas to another (sizes, the dtype of texts)."""

from __future__ import annotations

import re

import pandas as pd

_TEXT = str(pd.Series(["a"]).dtype)


def without_what_differs(text: str) -> str:
    """The text with those replaced."""
    text = re.sub(r"\b\d+(\.\d+)? (ms|s)\b", "1 ms", text)
    text = re.sub(r"\b\d+\.\d [kM]B\b", "1.0 MB", text)
    text = re.sub(r"\b[0-9a-f]{4}-\d+\b", "cafe-1", text)
    return re.sub(rf"\b{_TEXT}\b", "str", text)

"""The words about what is kept."""

from __future__ import annotations

import pytest

from mcp_workbench.primitives.keeping import keep_nothing, size_text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1 kB"), (64_400, "64 kB"), (999_499, "999 kB"), (2_100_000, "2.1 MB")],
)
def test_sizes_are_for_people(size: int, text: str) -> None:
    assert size_text(size) == text


def test_where_nobody_could_read_it_nothing_is_kept() -> None:
    assert keep_nothing(b"", "image/png", "a picture") is None

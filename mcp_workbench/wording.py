"""Text that others chose, made fit for a terminal."""

from __future__ import annotations


def plain(text: str) -> str:
    """Text as one line that a terminal shows as it is: anything not printable becomes its escape."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)

"""How a secret that is known may be written where it appears again. Knows nothing of what becomes of it."""

from __future__ import annotations

import re
from urllib.parse import quote, quote_plus

import msgspec

from mcp_workbench.secret import Secret

_PLAIN = re.compile(r"[A-Za-z0-9]+")


class Written:
    """A secret that is looked for in all the ways in which it may be written: as it is, in JSON, in a traceback, in a URL.

    Args:
        text: The secret.
    """

    __slots__ = ("_text", "_ways", "part")

    def __init__(self, text: str) -> None:
        self.part = plain_part(text)
        """In each of them."""
        self._text = Secret(text)
        self._ways: tuple[Secret, ...] = ()

    @property
    def ways(self) -> tuple[Secret, ...]:
        """All of them, the longest first; made when they are asked for, as most are never."""
        if not self._ways:
            text = self._text.reveal().encode("utf-8", "replace").decode()  # what a program printed need not be one that UTF-8 can carry
            ways = {text, msgspec.json.encode(text).decode()[1:-1], repr(text)[1:-1], quote(text, safe=""), quote_plus(text)}
            self._ways = tuple(map(Secret, sorted(ways, key=len, reverse=True)))
        return self._ways

    def replaced_in(self, text: str, mark: str) -> str:
        """The text with the mark in its place."""
        for way in self.ways:
            text = text.replace(way.reveal(), mark)
        return text


def plain_part(text: str) -> str:
    """The longest stretch of a text that nobody writes differently; empty, which is in everything, where there is none."""
    return max(_PLAIN.findall(text), key=len, default="")

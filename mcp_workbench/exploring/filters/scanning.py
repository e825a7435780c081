"""Text -> words: parentheses, `|`, `-`, and what stands between them. Linear; bounded in length.

A `|` without a space on either side, between values, lists alternatives of one key: `tool:sum|mean`; the word scanned then has
several values. Everywhere else `|` joins terms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mcp_workbench.exploring.filters.errors import FilterError
from mcp_workbench.primitives.wording import shorten

MAX_TEXT = 8_000
"""Characters of a filter."""

_KEY = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_SEGMENT = re.compile(r"[^\s()|\"':.]+")
_BARE = re.compile(r"[^\s()|]+")
_OPERATORS_ELSEWHERE = {"AND": "a space", "OR": "|", "NOT": "- before it", "&&": "a space", "&": "a space", "!": "- before it"}
_QUOTES = "\"'"


class Sign(StrEnum):
    """What joins terms."""

    OPEN = "("
    CLOSE = ")"
    OR = "|"
    NOT = "-"


@dataclass(frozen=True, slots=True)
class Written:
    """One value as it was written."""

    text: str
    """Without its quotes."""
    quoted: bool
    """Every character stands for itself."""
    position: int

    def __str__(self) -> str:
        if not self.quoted:
            return self.text
        return '"' + self.text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class Words:
    """`key.path:value|value`, or values alone."""

    key: str
    """In small letters; empty where values stand alone."""
    path: tuple[str, ...]
    """Members and list positions behind `args` and `result`."""
    values: tuple[Written, ...]
    position: int

    def __str__(self) -> str:
        key = ".".join((self.key, *map(_segment, self.path)))
        return f"{key}{':' if key else ''}{'|'.join(map(str, self.values))}"


def scan(text: str) -> Iterator[tuple[Sign | Words, int]]:
    """Signs and words, each with its position.

    Raises:
        FilterError: The text is too long, a quote is not closed, a key has no value, or a minus stands alone.
    """
    if len(text) > MAX_TEXT:
        raise FilterError(f"expected a filter of at most {MAX_TEXT:,} characters, got {len(text):,}")
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def scan(self) -> Iterator[tuple[Sign | Words, int]]:
        text = self._text
        while self._at < len(text):
            character, position = text[self._at], self._at
            if character.isspace():
                self._at += 1
            elif character in "()|":
                self._at += 1
                yield Sign(character), position
            elif character == "-":
                self._at += 1
                self._check_minus()
                yield Sign.NOT, position
            else:
                yield self._words(), position

    def _peek(self, offset: int = 0) -> str:
        """The character there; empty past the end."""
        return self._text[self._at + offset : self._at + offset + 1]

    def _check_minus(self) -> None:
        following = self._peek()
        if not following or following.isspace() or following in "-|)":
            raise FilterError(
                "expected a term or ( right after -, as in -tool:sum; a minus that is searched for stands in quotes", self._at - 1
            )

    def _words(self) -> Words:
        position = self._at
        key, path = self._key()
        values = [self._value(key)]
        while self._lists_alternative():
            self._at += 1
            values.append(self._value(key))
        return Words(key, path, tuple(values), position)

    def _key(self) -> tuple[str, tuple[str, ...]]:
        """The key and its path, moving past the colon; empty, without moving, where what comes is a value alone."""
        end, path = _end_of_key(self._text, self._at)
        if end is None:
            return "", ()
        key = self._text[self._at : end].partition(".")[0].rstrip(":").lower()
        self._at = end
        return key, path

    def _value(self, key: str) -> Written:
        position, first = self._at, self._peek()
        if first and first in _QUOTES:
            return self._quoted(first)
        found = _BARE.match(self._text, position)
        if found is None:
            name = key or "|"
            raise FilterError(f'expected a value right after {name}:, as in {name}:sum or {name}:"two words"', position)
        self._at = found.end()
        if not key:
            _check_not_an_operator(found[0], position)
        if '"' in found[0]:
            at = position + found[0].index('"')
            raise FilterError(
                'expected a quote only around a whole value, as in text:"two words"; inside single quotes " stands for itself', at
            )
        return Written(found[0], False, position)

    def _quoted(self, quote: str) -> Written:
        text, position = self._text, self._at
        pieces: list[str] = []
        at = begin = position + 1
        while at < len(text) and text[at] != quote:
            if text[at] == "\\" and text[at + 1 : at + 2] in ("\\", '"', "'"):
                pieces.append(text[begin:at])
                begin = at = at + 1
            at += 1
        if at >= len(text):
            raise FilterError(f"expected {quote} at the end of the text that begins here", position)
        self._at = at + 1
        following = self._peek()
        if following and not following.isspace() and following not in ")|":
            raise FilterError(f"expected a space after the quoted text, got {shorten(text[self._at : self._at + 20])!r}", self._at)
        return Written("".join(pieces) + text[begin:at], True, position)

    def _lists_alternative(self) -> bool:
        following = self._peek(1)
        if self._peek() != "|" or not following or following.isspace() or following in "()|":
            return False
        if following == "-" and not self._peek(2).isdigit():  # a|-b is a or not b; code:-1|-2 lists two numbers
            return False
        return _end_of_key(self._text, self._at + 1)[0] is None


def _end_of_key(text: str, at: int) -> tuple[int | None, tuple[str, ...]]:
    """Where the value begins behind `key.path:`, and the path; None: no key stands here. `df://x` is a value."""
    found = _KEY.match(text, at)
    if found is None:
        return None, ()
    end, path = found.end(), []
    while text[end : end + 1] == ".":
        name, end = _path_segment(text, end + 1)
        if name is None:
            return None, ()
        path.append(name)
    if text[end : end + 1] != ":" or text.startswith("://", end):
        return None, ()
    return end + 1, tuple(path)


def _path_segment(text: str, at: int) -> tuple[str | None, int]:
    if text[at : at + 1] == '"':
        end = text.find('"', at + 1)
        return (None, at) if end < 0 else (text[at + 1 : end], end + 1)
    found = _SEGMENT.match(text, at)
    return (None, at) if found is None else (found[0], found.end())


def _segment(name: str) -> str:
    found = _SEGMENT.fullmatch(name)
    return name if found else f'"{name}"'


def _check_not_an_operator(word: str, position: int) -> None:
    meant = _OPERATORS_ELSEWHERE.get(word)
    if meant is not None:
        raise FilterError(f'expected a term, got {word}: write {meant} instead, or "{word}" to search for it', position)

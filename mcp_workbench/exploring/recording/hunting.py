"""The quick way to tell which of many texts have none of some words in them, in whatever case of ASCII.

What agents and servers say is often said again with other numbers: a ping, an empty result, the next row, progress. So a text is
looked through without its digits, and of those that are the same without them only the first: what is in none of them then is in no
other. Knows nothing of what the words mean; `redaction` says which they are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from mcp_workbench.secret import Secret

MAX_KNOWN = 4096
"""Texts without digits of which it is known that nothing is in them."""
MAX_KNOWN_BYTES = 1024
"""Of one of them: a longer one hardly comes again."""
LEAST_LETTERS = 3
"""Characters of a word without its digits; a shorter one is in too many texts, and is looked for digits and all."""

_LOWER = bytes(range(256)).lower()
_DIGITS = b"0123456789"


class Hunt:
    """Looks for the same words again and again. One thread at a time.

    Args:
        hints: What is looked for always.
        roots: Beginnings, or other parts, that several hints share: where one is not found, they are not looked for.
    """

    def __init__(self, hints: Iterable[str], roots: Sequence[str]) -> None:
        self._hints: dict[str, list[Secret]] = {}
        """Part that some hints share -> these."""
        for hint in dict.fromkeys(_without_digits(hint).reveal() for hint in hints):
            self._hints.setdefault(next((root for root in roots if root in hint), hint), []).append(Secret(hint))
        self._also: tuple[Secret, ...] = ()
        self._words: list[Secret] = []
        self._short: list[Secret] = []
        self._is_everything = False
        self._known: set[bytes] = set()

    def clean(self, texts: Sequence[bytes], also: Iterable[Secret]) -> list[bool]:
        """For each text whether nothing that is looked for is in it.

        Args:
            texts: Those.
            also: Further words for the time being; an empty one is in everything.
        """
        if (words := tuple(also)) is not self._also and words != self._also:
            self._look_for(words)
        if self._is_everything:
            return [False] * len(texts)
        bare = [text.translate(_LOWER, _DIGITS) for text in texts]
        unknown = [number for number, text in enumerate(bare) if text not in self._known]
        clean = [True] * len(texts)
        for number in self._found(unknown, [bare[number] for number in unknown]):
            clean[number] = False
        self._remember(bare[number] for number in unknown if clean[number])
        for number in _with_numbers(self._short, texts):
            clean[number] = False
        return clean

    def _look_for(self, words: tuple[Secret, ...]) -> None:
        self._also = words
        self._is_everything = Secret("") in words
        self._short = [word for word in words if _is_short(word)]
        self._words = [_without_digits(word.reveal()) for word in words if not _is_short(word)]
        self._known.clear()

    def _found(self, numbers: Sequence[int], bare: Sequence[bytes]) -> Iterable[int]:
        if not bare:
            return ()
        together = _together(bare)
        hints = [hint for part, hints in self._hints.items() if part in together for hint in hints]
        return [numbers[found] for found in _having([*hints, *self._words], bare, together)]

    def _remember(self, texts: Iterable[bytes]) -> None:
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known.update(text for text in texts if len(text) <= MAX_KNOWN_BYTES)


def _with_numbers(words: Sequence[Secret], texts: Sequence[bytes]) -> Iterable[int]:
    if not words or not texts:
        return ()
    lower = [text.lower() for text in texts]
    return _having([Secret(word.reveal().encode().lower().decode("latin-1")) for word in words], lower, _together(lower))


def _having(words: Iterable[Secret], texts: Sequence[bytes], together: str) -> set[int]:
    """Numbers of the texts in which one of the words is; `together`: all of the texts, a character between any two."""
    ends = list(accumulate(len(text) + 1 for text in texts))
    having: set[int] = set()
    for word in words:
        at = together.find(word.reveal())
        while at >= 0:
            number = bisect_right(ends, at)
            having.add(number)
            at = together.find(word.reveal(), ends[number])
    return having


def _together(texts: Sequence[bytes]) -> str:
    return b"\n".join(texts).decode("latin-1")


def _without_digits(word: str) -> Secret:
    return Secret(word.encode().translate(_LOWER, _DIGITS).decode("latin-1"))


def _is_short(word: Secret) -> bool:
    return len(_without_digits(word.reveal()).reveal()) < LEAST_LETTERS

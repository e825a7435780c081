"""What stands behind a key, ready to be compared: names with `*`, texts that occur, amounts, choices.

Nothing here is a regular expression made of a filter's text: a pattern is compared piece by piece, in time linear in the pieces
and in what is searched. Large and small letters are the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from mcp_workbench.exploring.filters.errors import FilterError
from mcp_workbench.exploring.filters.scanning import Written
from mcp_workbench.primitives.wording import nearest, quote

ANY = "*"
"""As a whole value: whatever is known."""

_NUMBER = re.compile(r"([+-]?\d{1,18}(?:\.\d{1,18})?)([a-zµμ]*)", re.ASCII)
_COUNTS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_BYTES = {**_COUNTS, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_MICROSECOND = {"us": 10**3, "µs": 10**3, "μs": 10**3}  # both letters that look like µ
NANOSECONDS = {"ns": 1, **_MICROSECOND, "ms": 10**6, "s": 10**9, "min": 60 * 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86_400 * 10**9}
"""Of one of each unit of time."""

Number = int | float


class Value(Protocol):
    """What stands behind a key."""

    def matches(self, found: object, /) -> bool:
        """Whether a fact fits; a fact that is not known never does."""


@dataclass(frozen=True, slots=True)
class Known:
    """`key:*`: whatever is known."""

    def matches(self, found: object) -> bool:
        """Whether there is a fact at all."""
        return any(part is not None for part in found) if isinstance(found, tuple) else found is not None


@dataclass(frozen=True, slots=True)
class Name:
    """A whole name; each `*` stands for any characters, also for none."""

    pieces: tuple[str, ...]
    """In small letters, what stands between the `*`; one piece: there is none."""

    def matches(self, found: object) -> bool:
        """Whether the name is this one."""
        if not isinstance(found, str):
            return False
        name, pieces = found.lower(), self.pieces
        first, last = pieces[0], pieces[-1]
        if len(pieces) == 1:
            return name == first
        if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
            return False
        return _in_order(name, [[piece] for piece in pieces[1:-1]], len(first), len(name) - len(last))


@dataclass(frozen=True, slots=True)
class Version:
    """A name of an edition `v2@1f3a9c0e`: the whole, or what stands before the `@`."""

    name: Name

    def matches(self, found: object) -> bool:
        """Whether it is that edition, or one of that version."""
        return isinstance(found, str) and (self.name.matches(found) or self.name.matches(found.partition("@")[0]))


@dataclass(frozen=True, slots=True)
class Occurs:
    """A text that occurs somewhere in a fact, or in one of several."""

    pieces: tuple[tuple[str, ...], ...]
    """In small letters; each as it may be written: plain, and as JSON escapes it."""

    def matches(self, found: object) -> bool:
        """Whether it occurs."""
        for text in found if isinstance(found, tuple) else (found,):
            if isinstance(text, str) and _in_order(lowered := text.lower(), self.pieces, 0, len(lowered)):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Amount:
    """A number between two bounds; None: no bound."""

    low: Number | None = None
    high: Number | None = None
    low_counts: bool = True
    """Whether the bound itself is still within."""
    high_counts: bool = True

    def matches(self, found: object) -> bool:
        """Whether a number lies within."""
        if not isinstance(found, int | float) or isinstance(found, bool):
            return False
        low, high = self.low, self.high
        if low is not None and (found < low or (found == low and not self.low_counts)):
            return False
        return high is None or found < high or (found == high and self.high_counts)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    allowed: frozenset[str]

    def matches(self, found: object) -> bool:
        """Whether it is one of those."""
        return found in self.allowed


@dataclass(frozen=True, slots=True)
class Either:
    """Alternatives of one key."""

    values: tuple[Value, ...]

    def matches(self, found: object) -> bool:
        """Whether one fits."""
        return any(value.matches(found) for value in self.values)


def name(written: Written) -> Name:
    """`sum`, `get_*`, `"exactly this"`."""
    lowered = written.text.lower()
    return Name((lowered,) if written.quoted else tuple(lowered.split("*")))


def version(written: Written) -> Version:
    """`v2`, `v2@1f3a9c0e`."""
    return Version(name(written))


def occurs(written: Written) -> Occurs:
    """`foo`, `foo*bar`, `"two words"`."""
    pieces = (written.text,) if written.quoted else tuple(filter(None, written.text.split("*")))
    return Occurs(tuple(_spellings(piece) for piece in pieces))


def choice(words: dict[str, frozenset[str]]) -> Callable[[Written], Choice]:
    """One of these words; each stands for what it allows."""

    def understand(written: Written) -> Choice:
        allowed = words.get(written.text.lower())
        if allowed is None:
            close = nearest(written.text, words, 1)
            hint = f"; nearest is {close[0]}" if close else ""
            sentence = f"expected one of {', '.join(words)}, got {quote(written.text)}{hint}"
            raise FilterError(sentence, written.position, nearest=close[0] if close else None)
        return Choice(allowed)

    return understand


def count(written: Written) -> Amount:
    """`-32602`, `>1k`, `10..20`."""
    return _amount(written, lambda text: _scaled(text, _COUNTS), "a number, as in >5, 1k or 10..20")


def size(written: Written) -> Amount:
    """`>10k`, `10k..1M`, `<=2MiB`."""
    return _amount(written, lambda text: _scaled(text, _BYTES), "bytes, as in >10k, 10k..1M or <=2MiB")


def duration(written: Written) -> Amount:
    """`>5ms`, `5ms..2s`; compared in milliseconds."""
    expected = "a duration with its unit (ns us ms s m h d), as in >5ms, <=2s or 5ms..2s"
    amount = _amount(written, milliseconds, expected)
    if amount.low is not None and amount.low == amount.high:
        raise FilterError(
            f"expected a bound or a range: no call takes exactly {written.text}; write <={written.text} or >{written.text}",
            written.position,
        )
    return amount


def milliseconds(text: str) -> float | None:
    """`5ms` as 5.0; None: it is no duration."""
    ns = _scaled(text, NANOSECONDS)
    return None if ns is None else ns / 1e6


def plain_number(text: str) -> Number | None:
    """`5`, `-0.5`, `10k`; None: it is no number."""
    return _scaled(text, _COUNTS)


def split_range(text: str) -> tuple[str, str] | None:
    """What stands before and behind the `..`; one of them may be empty; None: it is no range."""
    low, dots, high = text.partition("..")
    return (low, high) if dots and (low or high) else None


def split_comparison(text: str) -> tuple[str, str]:
    """The sign `<`, `<=`, `>`, `>=` or none, and what follows."""
    if text[:1] not in ("<", ">"):
        return "", text
    length = 2 if text[1:2] == "=" else 1
    return text[:length], text[length:]


def compared(sign: str, number: Number) -> Amount:
    """What a comparison with this number lets through."""
    if not sign:
        return Amount(number, number)
    counts = len(sign) == 2
    return Amount(number, None, low_counts=counts) if sign[0] == ">" else Amount(None, number, high_counts=counts)


def _amount(written: Written, read: Callable[[str], Number | None], expected: str) -> Amount:
    mistake = FilterError(f"expected {expected}, got {quote(written.text)}", written.position)
    if (ends := split_range(written.text)) is not None:
        low, high = (read(end) if end else None for end in ends)
        if (ends[0] and low is None) or (ends[1] and high is None):
            raise mistake
        if low is not None and high is not None and low > high:
            raise FilterError(f"expected the smaller end first: {ends[1]}..{ends[0]}", written.position)
        return Amount(low, high)
    sign, text = split_comparison(written.text)
    number = read(text)
    if number is None:
        raise mistake
    return compared(sign, number)


def _scaled(text: str, units: dict[str, int]) -> Number | None:
    found = _NUMBER.fullmatch(text.lower())
    if found is None or found[2] not in units:
        return None
    exact = Decimal(found[1]) * units[found[2]]
    return int(exact) if exact == int(exact) else float(exact)


def _spellings(piece: str) -> tuple[str, ...]:
    """How a text may stand on the wire: as it is, and with JSON's escapes, whichever the sender wrote."""
    spellings = (piece, json.dumps(piece, ensure_ascii=False)[1:-1], json.dumps(piece)[1:-1])
    return tuple(dict.fromkeys(spelling.lower() for spelling in spellings))


def _in_order(text: str, pieces: Iterable[Iterable[str]], begin: int, end: int) -> bool:
    """Whether one spelling of each piece occurs in the text, one behind the other."""
    for spellings in pieces:
        places = [(at, at + len(spelling)) for spelling in spellings if (at := text.find(spelling, begin, end)) >= 0]
        if not places:
            return False
        begin = min(places, key=lambda place: place[1])[1]
    return True

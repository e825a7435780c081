"""`args.<path>` and `result.<path>`: one value inside a JSON text, and what it is compared with.

A path goes through members by name and through lists by position (`args.filter.region`, `result.content.0.text`). Letters are
compared as names are, numbers as numbers, `true`, `false` and `null` as these words; of a list, one fitting item is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from mcp_workbench.exploring.filters.errors import FilterError
from mcp_workbench.exploring.filters.scanning import Written
from mcp_workbench.exploring.filters.values import ANY, Amount, Name, Number, compared, name, plain_number, split_comparison, split_range
from mcp_workbench.primitives.wording import quote

MISSING: Final = object()
"""There is no such value; None is JSON's null."""
_WORDS = {True: "true", False: "false", None: "null"}
_decoder = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class Scalar:
    """What one value must be: this name, or within this amount."""

    name: Name | None
    amount: Amount | None
    anything: bool = False
    """`*`: whatever is there, also null, an object or an empty list."""

    def fits(self, value: Any) -> bool:
        """Whether a value, or one item of a list, is it."""
        if self.anything:
            return True
        return any(map(self._fits_one, value)) if isinstance(value, list) else self._fits_one(value)

    def _fits_one(self, value: Any) -> bool:
        if value is None or isinstance(value, bool):
            value = _WORDS[value]
        if isinstance(value, str):
            return self.name is not None and self.name.matches(value)
        return self.amount is not None and self.amount.matches(value)


@dataclass(frozen=True, slots=True)
class Member:
    """A value inside a JSON text."""

    path: tuple[str, ...]
    scalars: tuple[Scalar, ...]
    """One must fit."""

    def matches(self, found: object) -> bool:
        """Whether a JSON value has such a value there."""
        value = _at(found, self.path)
        return value is not MISSING and any(scalar.fits(value) for scalar in self.scalars)


def scalar(written: Written) -> Scalar:
    """`EMEA`, `E*`, `5`, `>5`, `1..10`, `true`, `"5"` (the text only), `*` (whatever is there)."""
    text = written.text
    if written.quoted:
        return Scalar(name(written), None)
    if text == ANY:
        return Scalar(None, None, anything=True)
    sign, operand = split_comparison(text)
    if sign:
        return Scalar(None, compared(sign, _number(operand, written)))
    if (amount := _range(text)) is not None:
        return Scalar(None, amount)
    number = plain_number(text)
    return Scalar(name(written), None if number is None else Amount(number, number))


def _range(text: str) -> Amount | None:
    """`1..10`, where both ends are numbers or one is left out; else `..` are letters like others, as in `../data`."""
    if (ends := split_range(text)) is None:
        return None
    low, high = (plain_number(end) if end else None for end in ends)
    return Amount(low, high) if (low is not None or not ends[0]) and (high is not None or not ends[1]) else None


def _number(text: str, written: Written) -> Number:
    number = plain_number(text)
    if number is None:
        raise FilterError(
            f"expected a number, as in >5, got {quote(text)}; a text that begins with < or > stands in quotes", written.position
        )
    return number


def parsed(text: str | None) -> Any:
    """What a JSON text says; `MISSING` where there is none, or it is no JSON."""
    if text is None:
        return MISSING
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return MISSING


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step, MISSING)
        elif isinstance(value, list) and step.isascii() and step.isdecimal() and len(step) < 10 and int(step) < len(value):
            value = value[int(step)]
        else:
            return MISSING
    return value

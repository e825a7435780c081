"""A column -> what a condition can compare: numbers, texts, truths, times or durations, and where nothing stands.

SQL compares values of one type, a pandas column may hold anything. Here each column becomes an `Operand` of one kind;
cells of object columns are told apart by their types. What has no order
and equality that JSON could express (lists, bytes, periods, objects) can only be asked whether it IS NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from mcp_workbench.live.dataframes.arrow_columns import unarrowed
from mcp_workbench.live.dataframes.cards import dtype_text
from mcp_workbench.live.dataframes.cells import MASKED_DTYPES, encode_values
from mcp_workbench.live.dataframes.names import shown_label
from mcp_workbench.live.dataframes.objects import nested_text

_EXAMPLES = 2
_EXAMPLE_ROWS = 100
_TEXTS_AT_ONCE = 10_000


class Kind(StrEnum):
    """What all cells of an operand are, in the words of sentences."""

    NUMBER = "a number"
    TEXT = "text"
    TRUTH = "true or false"
    TIME = "a time"
    DURATION = "a duration"
    MIXED = "cells of several types"
    OTHER = "of a type that cannot be compared"
    NOTHING = "missing throughout"


@dataclass(frozen=True, slots=True)
class Operand:
    """One side of a comparison."""

    kind: Kind
    values: Any
    """NUMBER, TRUTH, MIXED: a numpy array; TEXT: `Texts`; TIME, DURATION: a Series; meaningless where missing."""
    missing: Any
    """Truths: where nothing stands."""
    name: str
    """How sentences call it."""
    examples: tuple[str, ...] = ()
    dtype: str = ""
    order: tuple[str, ...] = ()
    """Its categories, lowest first, where they have an order of their own."""

    @property
    def described(self) -> str:
        """`year is int64 (for instance 2013, 2014)`."""
        instance = f" (for instance {', '.join(self.examples)})" if self.examples else ""
        return f"{shown_label(self.name)} is {self.dtype or self.kind.value}{instance}"


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of a column, each different one once: what is asked of texts is asked once for each."""

    codes: Any
    """Position in `different` by row; -1: missing."""
    different: Any
    """An object array of str."""

    @classmethod
    def of(cls, codes: Any, different: list[str]) -> Texts:
        """Texts from a list."""
        return cls(codes, np.array(different, dtype=object))

    def where(self, test: Callable[[str], bool], look: Callable[[], None]) -> Any:
        """Truths by row; False where missing.

        Args:
            test: Asked of each different text.
            look: Called every 10,000 of them; what it raises ends the walk.
        """
        truths = np.zeros(len(self.different), dtype=bool)
        for start in range(0, len(truths), _TEXTS_AT_ONCE):
            look()
            texts = self.different[start : start + _TEXTS_AT_ONCE]
            truths[start : start + len(texts)] = np.fromiter(map(test, texts), dtype=bool, count=len(texts))
        return self._by_row(truths)

    def compared(self, compare: Callable[[Any, Any], Any], value: str) -> Any:
        """Truths by row; False where missing."""
        boxed = np.empty((), dtype=object)  # numpy would make an array of characters of it, and lose NULs at its end
        boxed[()] = value
        return self._by_row(compare(self.different, boxed))

    def among(self, values: Iterable[str]) -> Any:
        """Truths by row: whether it is one of these; False where missing."""
        return self._by_row(np.fromiter(map(frozenset(values).__contains__, self.different), dtype=bool, count=len(self.different)))

    def spelled_out(self) -> Any:
        """The texts by row; empty where missing."""
        return np.append(self.different, np.array([""], dtype=object))[self.codes]

    def _by_row(self, truths: Any) -> Any:
        return np.append(truths, False)[self.codes]


def read_operand(column: pd.Series, name: str) -> Operand:
    """Make a column comparable.

    Args:
        column: All its rows.
        name: Its label as text.

    Returns:
        The operand; kind OTHER when it cannot be compared.
    """
    operand = _by_dtype(column)
    return replace(operand, name=name, examples=_examples(column, operand.kind), dtype=_type_text(column, operand.kind))


def only(operand: Operand, kind: Kind) -> tuple[Operand, int]:
    """The cells of one kind in a mixed column.

    Args:
        operand: Of kind MIXED.
        kind: NUMBER, TEXT or TRUTH.

    Returns:
        An operand in which the others are missing, and how many those are.
    """
    fits = np.fromiter((_is(cell, kind) for cell in operand.values), dtype=bool, count=len(operand.values))
    others = int((~fits & ~operand.missing).sum())
    chosen = np.where(fits, operand.values, None)
    narrowed = _objects(chosen)
    if narrowed.kind is Kind.NOTHING:
        none = Texts.of(np.full(len(chosen), -1), []) if kind is Kind.TEXT else np.zeros(len(chosen))
        narrowed = replace(narrowed, kind=kind, values=none)
    return replace(narrowed, name=operand.name, examples=operand.examples, dtype=operand.dtype), others


def _is(cell: object, kind: Kind) -> bool:
    if kind is Kind.TEXT:
        return isinstance(cell, str)
    if kind is Kind.TRUTH:
        return isinstance(cell, bool | np.bool_)
    return isinstance(cell, int | float | np.integer | np.floating) and not isinstance(cell, bool)


def _by_dtype(column: pd.Series) -> Operand:
    dtype: Any = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _categories(column)
    if isinstance(dtype, pd.ArrowDtype):
        return _by_dtype(unarrowed(column.array))
    if isinstance(dtype, pd.StringDtype):
        return _texts(column)
    if isinstance(dtype, pd.SparseDtype):
        return _by_dtype(pd.Series(np.asarray(column.array)))
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _operand(Kind.TIME, column.reset_index(drop=True), column.isna())
    if isinstance(dtype, MASKED_DTYPES):
        return _masked(column.array)
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        return _numpy(column.to_numpy(), None)
    if isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype):
        return _operand(Kind.OTHER, None, column.isna())
    array: Any = column.array
    return _objects(column.to_numpy() if isinstance(dtype, np.dtype) else array.to_numpy(dtype=object, na_value=None))


def _operand(kind: Kind, values: Any, missing: Any) -> Operand:
    return Operand(kind, values, np.asarray(missing, dtype=bool), "")


def _masked(array: Any) -> Operand:
    plain: Any = array.dtype.numpy_dtype
    return _numpy(array.to_numpy(dtype=plain, na_value=plain.type(0)), np.asarray(array.isna()))


def _numpy(values: Any, missing: Any) -> Operand:
    nowhere = np.zeros(len(values), dtype=bool) if missing is None else missing
    match values.dtype.kind:
        case "b":
            return _operand(Kind.TRUTH, values, nowhere)
        case "i" | "u":
            return _operand(Kind.NUMBER, values, nowhere)
        case "f":
            return _operand(Kind.NUMBER, values, nowhere | np.isnan(values))
        case "M" | "m":
            kind = Kind.TIME if values.dtype.kind == "M" else Kind.DURATION
            return _operand(kind, pd.Series(values), np.isnat(values))
    return _operand(Kind.OTHER, None, pd.isna(pd.Series(values)))


_ENDS_AT_NUL = len(pd.factorize(np.array(["a", "a\0"], dtype=object))[0].nonzero()[0]) == 0
"""Whether pandas takes two texts for one that differ behind a NUL, as it does before 3.0."""


def _texts(values: Any) -> Operand:
    codes, different = pd.factorize(values)
    if _ENDS_AT_NUL and any("\0" in text for text in values if isinstance(text, str)):
        known: dict[Any, int] = {}
        found = zip(values, codes, strict=True)
        codes = np.fromiter((known.setdefault(text, len(known)) if code >= 0 else -1 for text, code in found), dtype=int)
        different = list(known)
    return _operand(Kind.TEXT, Texts.of(codes, [str(text) for text in different]), codes < 0)


def _categories(column: pd.Series) -> Operand:
    array: Any = column.array
    codes = np.asarray(array.codes)
    if not len(array.categories):
        return _operand(Kind.NOTHING, None, codes < 0)
    inner = _by_dtype(pd.Series(array.categories))
    at = np.where(codes < 0, 0, codes)
    missing = (codes < 0) | inner.missing[at]
    values: Any = inner.values
    if isinstance(values, Texts):
        values = Texts(np.where(missing, -1, values.codes[at]), values.different)
    elif isinstance(values, pd.Series):
        values = values.take(at).reset_index(drop=True)
    elif values is not None:
        values = values[at]
    order = tuple(_shown(cell, inner.kind) for cell in encode_values(array.categories, max_chars=30).values) if array.ordered else ()
    return replace(_operand(inner.kind, values, missing), order=order)


_NUMBERS = frozenset(("integer", "floating", "mixed-integer-float", "decimal"))
_TIMES = frozenset(("datetime", "datetime64", "date"))


def _objects(values: Any) -> Operand:
    """Cells of an object column, by what they all are."""
    missing = np.asarray(pd.isna(pd.Series(values, dtype=object)))
    inferred = pd.api.types.infer_dtype(values[~missing], skipna=False) if not missing.all() else "empty"
    if inferred == "empty":
        return _operand(Kind.NOTHING, None, missing)
    if inferred == "string":
        return _texts(np.where(missing, None, values))
    try:
        if inferred == "boolean":
            return _operand(Kind.TRUTH, np.where(missing, False, values).astype(bool), missing)
        if inferred in _NUMBERS:
            return _operand(Kind.NUMBER, _numbers(np.where(missing, 0, values), whole=inferred == "integer"), missing)
        if inferred in _TIMES:
            return _operand(Kind.TIME, pd.to_datetime(pd.Series(np.where(missing, None, values))), missing)
        if inferred in ("timedelta", "timedelta64"):
            return _operand(Kind.DURATION, pd.to_timedelta(pd.Series(np.where(missing, None, values))), missing)
    except (ValueError, TypeError, OverflowError):  # numbers too large, times with several zones
        return _operand(Kind.OTHER, None, missing)
    mixed = inferred.startswith("mixed") and any(_is(cell, kind) for cell in values for kind in (Kind.NUMBER, Kind.TEXT, Kind.TRUTH))
    return _operand(Kind.MIXED if mixed else Kind.OTHER, values if mixed else None, missing)


def _numbers(values: Any, *, whole: bool) -> Any:
    if whole:
        try:
            return values.astype(np.int64)
        except OverflowError:
            return values.astype(float)
    return values.astype(float)


def _type_text(column: pd.Series, kind: Kind) -> str:
    dtype = dtype_text(column.dtype)
    return kind.value if dtype in ("object", "str", "string") else dtype


def _examples(column: pd.Series, kind: Kind) -> tuple[str, ...]:
    cells = [cell for cell in encode_values(column.iloc[:_EXAMPLE_ROWS], max_chars=30).values if cell is not None]
    return tuple(dict.fromkeys(_shown(cell, kind) for cell in cells))[:_EXAMPLES]


def _shown(cell: Any, kind: Kind) -> str:
    """A cell as a condition would write it."""
    if isinstance(cell, bool):
        return str(cell).upper()
    return "'" + cell.replace("'", "''") + "'" if isinstance(cell, str) else nested_text(cell)

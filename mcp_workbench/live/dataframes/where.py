"""Which rows a condition is true for: the tree of `where_grammar` over one snapshot, column by column.

Three-valued logic as in SQL: what is compared with a missing cell is neither true nor false, and only rows for
which the whole is true are given. Everything is done over whole columns, by numpy and by the few operations
named here; no part of the condition ever becomes code.

Memory is a few bytes a row however long the condition is: answers are folded into one as they come. Work is bounded,
and before each part of the condition it is asked whether anybody still waits.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mcp_workbench.live.dataframes.cards import dtype_text
from mcp_workbench.live.dataframes.cells import column_labels
from mcp_workbench.live.dataframes.columns import NoColumn, find_columns
from mcp_workbench.live.dataframes.names import said
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.dataframes.tables import index_names, plain_index
from mcp_workbench.live.dataframes.where_columns import Kind, Operand, Texts, only, read_operand
from mcp_workbench.live.dataframes.where_grammar import (
    Among,
    Arithmetic,
    Both,
    Column,
    Comparison,
    Condition,
    Either,
    IsNull,
    Like,
    Literal,
    Not,
    Truth,
    Value,
    parse_where,
)
from mcp_workbench.primitives.binding import ArgumentError

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_COMPUTE: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
_TIME_FORM = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?( ?(Z|[+-]\d{2}:?\d{2}))?")
_DURATION_CHARS = 40
_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`""")
_PLAIN_WORD = re.compile(r"[\w.]*|\W")

MAX_WORK = 4_000_000_000
"""Steps of one condition over all rows, each about as long as comparing one number: some seconds. One part alone may always take more."""
_TEXT_STEPS = 20
_LIKE_STEPS = 200
_COMPUTED_STEPS = 5
"""What comparing a text, fitting a text to a pattern and computing a number take, in such steps; each different text counts once."""


@dataclass(frozen=True, slots=True)
class Matches:
    """What a condition says of every row."""

    rows: Any
    """Positions of the rows it is true for, ascending."""
    notes: tuple[str, ...] = ()
    """What should be known of how it was read."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """True, false, or, where it is neither, unknown."""

    true: Any
    false: Any


def nobody_stops() -> None:
    """The look of one whom nobody can cancel."""


def find_rows(snapshot: Snapshot, text: str, look: Callable[[], None] = nobody_stops) -> Matches:
    """Find the rows a condition is true for.

    Args:
        snapshot: Where.
        text: The condition, for instance `dep_delay > 60 AND carrier IN ('UA', 'AA')`.
        look: Called now and then; what it raises ends the search.

    Returns:
        Positions and notes.

    Raises:
        ArgumentError: It cannot be read, names no column, compares what has no order, or takes too much work; says what to write.
    """
    evaluation = _Evaluation(snapshot, look)
    try:
        answer = evaluation.answer(parse_where(text))
    except ArgumentError as error:
        if bare := _written_bare(text, [*column_labels(snapshot.df), *index_names(snapshot.df.index)]):
            quoted = bare.replace('"', '""')
            raise type(error)(f'{error} Did you mean "{quoted}"? A name that is more than one word stands in double quotes.') from None
        raise
    true = np.broadcast_to(answer.true, (len(snapshot.df),))
    return Matches(np.flatnonzero(true), tuple(evaluation.notes))


def _written_bare(text: str, labels: list[str]) -> str | None:
    """The longest label, more than a plain word, that stands in a condition without quotes."""
    outside = _QUOTED.sub("''", text).casefold()
    found = (
        label
        for label in sorted(set(labels), key=len, reverse=True)
        if _PLAIN_WORD.fullmatch(label) is None and re.search(rf"(?<!\w){re.escape(label.casefold())}(?!\w)", outside)
    )
    return next(found, None)


def operand_of(snapshot: Snapshot, name: str) -> Operand:
    """Read the column, or level of the index, of that name.

    Raises:
        NoColumn: There is none; names the nearest.
        ArgumentError: There are several.
    """
    column = find_column(snapshot, name)
    operand = read_operand(column, name)
    return operand if snapshot.origin is None else replace(operand, dtype=type_of(snapshot, name, column))


def type_of(snapshot: Snapshot, name: str, column: pd.Series) -> str:
    """Name the type of what `find_column` found, in the words of its author's library."""
    try:
        [position] = find_columns(snapshot, [name], joined=False)
    except NoColumn:  # a level of the index
        return dtype_text(column.dtype)
    return dtype_text(snapshot.dtypes[position])


def find_column(snapshot: Snapshot, name: str) -> pd.Series:
    """Find the one column, or level of the index, whose label's text is this; upper and lower case matter only where both are there.

    Raises:
        NoColumn: There is none; names the nearest.
        ArgumentError: There are several.
    """
    df = snapshot.df
    levels = [] if plain_index(df.index) else index_names(df.index)
    try:
        positions = find_columns(snapshot, [name], joined=False)
    except NoColumn:
        if name in levels:
            return pd.Series(df.index.get_level_values(levels.index(name)).array)
        raise
    if len(positions) > 1:
        raise ArgumentError(
            f"{snapshot.label} has {len(positions)} columns called {said(name)}; a condition or an order cannot tell them apart."
        )
    return df.iloc[:, positions[0]]


class _Evaluation:
    """One condition over one snapshot."""

    def __init__(self, snapshot: Snapshot, look: Callable[[], None]) -> None:
        self._snapshot = snapshot
        self._look = look
        self._work = 0
        self._operands: dict[str, Operand] = {}
        self._narrow: dict[tuple[str, Kind], Operand] = {}
        self.notes: list[str] = []

    def answer(self, condition: Condition) -> _Answer:
        """Evaluate a condition."""
        match condition:
            case Comparison():
                return self._comparison(condition)
            case Among(value, options):
                return self._among(value, options)
            case Like():
                return self._like(condition)
            case IsNull(value):
                missing = self._operand(value).missing
                return _Answer(missing, ~missing)
            case Truth(value):
                return self._truth(value)
            case Not(inner):
                answer = self.answer(inner)
                return _Answer(answer.false, answer.true)
            case Both(conditions):
                every, some = self._folded((each.true, each.false) for each in map(self.answer, conditions))
                return _Answer(every, some)
            case Either(conditions):
                return self._either(map(self.answer, conditions))

    def _either(self, answers: Iterable[_Answer]) -> _Answer:
        every, some = self._folded((each.false, each.true) for each in answers)
        return _Answer(some, every)

    def _folded(self, pairs: Iterable[tuple[Any, Any]]) -> tuple[Any, Any]:
        """Where all of the first are, and where any of the second is; no answer is kept."""
        rows = len(self._snapshot.df)
        every, some = np.ones(rows, dtype=bool), np.zeros(rows, dtype=bool)
        for one, other in pairs:
            every &= one
            some |= other
        return every, some

    def _spend(self, operand: Operand, steps: int, text_steps: int) -> None:
        """Before anything is asked of an operand: whether somebody waits for it, and whether it is too much."""
        self._look()
        texts = isinstance(operand.values, Texts)
        work = len(operand.values.different) * text_steps if texts else operand.missing.size * steps
        if self._work and self._work + work > MAX_WORK:
            raise ArgumentError(
                f"where: that is too much work over {len(self._snapshot.df):,} rows for one call. Write fewer conditions: "
                "IN ('a', 'b') takes as long as one =, each LIKE takes ten times as long; or ask in several calls."
            )
        self._work += work

    # --- operands ---------------------------------------------------------------------------------------------

    def _operand(self, value: Value) -> Operand:
        match value:
            case Column(name, quoted):
                return self._column(name, quoted=quoted)
            case Literal():
                return _constant(value)
            case Arithmetic():
                return self._arithmetic(value)

    def _arithmetic(self, value: Arithmetic) -> Operand:
        left, right = value.left, value.right
        # The longer side first: a column of numbers waits only while the shorter side is computed, so few are there at once.
        if _length(right) > _length(left):
            second = self._operand(right)
            first = self._operand(left)
        else:
            first = self._operand(left)
            second = self._operand(right)
        self._spend(max(first, second, key=lambda operand: operand.missing.size), _COMPUTED_STEPS, _COMPUTED_STEPS)
        return _computed(value.operator, first, second)

    def _column(self, name: str, *, quoted: bool) -> Operand:
        if name not in self._operands:
            try:
                self._operands[name] = operand_of(self._snapshot, name)
            except NoColumn as error:
                perhaps_text = quoted or "Nearest: " not in str(error)
                hint = f" Text is written in single quotes: '{name[:40]}'." if perhaps_text else ""
                raise NoColumn(f"{error}{hint}") from None
        return self._operands[name]

    # --- conditions ---------------------------------------------------------------------------------------------

    def _comparison(self, condition: Comparison) -> _Answer:
        left, right, sign = condition.left, condition.right, condition.operator
        if isinstance(left, Literal) and not isinstance(right, Literal):
            left, right, sign = right, left, _MIRRORED[sign]
        if isinstance(right, Literal):
            return self._with_literal(sign, left, right)
        one, other = self._operand(left), self._operand(right)
        for operand in (one, other):
            self._spend(operand, 1, _TEXT_STEPS)
        return _compared(sign, one, other)

    def _with_literal(self, sign: str, left: Value, literal: Literal) -> _Answer:
        operand = self._narrowed(self._operand(left), literal)
        if operand.order and sign not in ("=", "!="):
            order = " < ".join(operand.order[:8])
            raise ArgumentError(f"where: {operand.name} is an ordered category ({order}): write {operand.name} IN (…) with those meant.")
        self._spend(operand, 1, _TEXT_STEPS)
        return _with_value(sign, operand, _as_kind(operand, literal))

    def _narrowed(self, operand: Operand, literal: Literal) -> Operand:
        """Of a mixed column what can be compared with a value; any other as it is."""
        if literal.value is None:
            raise ArgumentError("where: nothing is equal to NULL, nor different from it: write IS NULL or IS NOT NULL.")
        if operand.kind is not Kind.MIXED:
            return operand
        kind = Kind.TEXT if isinstance(literal.value, str) else Kind.TRUTH if isinstance(literal.value, bool) else Kind.NUMBER
        if (operand.name, kind) not in self._narrow:
            self._narrow[operand.name, kind], others = only(operand, kind)
            if others:
                self.notes.append(f"{operand.name} holds several types: {others:,} cells that are not {kind.value} were taken as missing")
        return self._narrow[operand.name, kind]

    def _among(self, value: Value, options: tuple[Literal, ...]) -> _Answer:
        whole = self._operand(value)
        sought: dict[Kind, tuple[Operand, list[Any]]] = {}
        # 1, 1.0 and TRUE are equal to Python, and not to who wrote them.
        for option in {(type(option.value), option.value): option for option in options}.values():
            operand = self._narrowed(whole, option)
            sought.setdefault(operand.kind, (operand, []))[1].append(_as_kind(operand, option))
        answers = [self._with_any(operand, values) for operand, values in sought.values()]
        return answers[0] if len(answers) == 1 else self._either(answers)

    def _with_any(self, operand: Operand, values: list[Any]) -> _Answer:
        if operand.kind in (Kind.TIME, Kind.DURATION, Kind.TRUTH):
            return self._either(self._with_one(operand, value) for value in dict.fromkeys(values))
        self._spend(operand, 1 + len(values).bit_length(), _TEXT_STEPS)
        return _unknown(operand) if operand.kind is Kind.NOTHING else _known(_found(operand, values), operand.missing)

    def _with_one(self, operand: Operand, value: Any) -> _Answer:
        self._spend(operand, 1, _TEXT_STEPS)
        return _with_value("=", operand, value)

    def _like(self, condition: Like) -> _Answer:
        operand = self._operand(condition.value)
        operand = self._narrowed(operand, Literal("")) if operand.kind is Kind.MIXED else operand
        if operand.kind is Kind.NOTHING:
            return _unknown(operand)
        if operand.kind is not Kind.TEXT:
            raise ArgumentError(f"where: LIKE is for text; {operand.described}. Compare it with = < > or BETWEEN.")
        pattern = _Pattern(condition.pattern, ignore_case=condition.ignore_case)
        self._spend(operand, 1, _LIKE_STEPS)
        return _known(operand.values.where(pattern.matches, self._look), operand.missing)

    def _truth(self, value: Column | Literal) -> _Answer:
        operand = self._operand(value)
        if operand.kind is Kind.NOTHING:
            return _unknown(operand)
        if operand.kind is not Kind.TRUTH:
            raise ArgumentError(
                f"where: {operand.described}, not true or false by itself: compare it, for instance {operand.name} {_hint(operand)}."
            )
        return _known(operand.values, operand.missing)


def _constant(literal: Literal) -> Operand:
    value, here = literal.value, np.zeros((), dtype=bool)
    match value:
        case bool():
            return Operand(Kind.TRUTH, np.asarray(value), here, str(value).upper())
        case int() | float():
            return Operand(Kind.NUMBER, np.asarray(float(value)), here, f"{value}")
        case str():
            return Operand(Kind.TEXT, Texts.of(np.zeros((), dtype=int), [value]), here, said(value))
    return Operand(Kind.NOTHING, np.zeros(()), ~here, "NULL")


def _length(value: Value) -> int:
    return 1 + _length(value.left) + _length(value.right) if isinstance(value, Arithmetic) else 0


def _computed(sign: str, left: Operand, right: Operand) -> Operand:
    for operand in (left, right):
        if operand.kind not in (Kind.NUMBER, Kind.NOTHING):
            raise ArgumentError(f"where: + - * / take numbers; {operand.described}. Compare it as it is.")
    missing = left.missing | right.missing
    with np.errstate(all="ignore"):
        values = _COMPUTE[sign](_floats(left), _floats(right))
        if sign == "/":
            missing = missing | (_floats(right) == 0)
    return Operand(Kind.NUMBER, values, missing | np.isnan(values), f"{left.name} {sign} {right.name}")


def _floats(operand: Operand) -> Any:
    return np.zeros_like(operand.missing, dtype=float) if operand.kind is Kind.NOTHING else operand.values.astype(float, copy=False)


# --- comparing ------------------------------------------------------------------------------------------------------


def _as_kind(operand: Operand, literal: Literal) -> Any:
    """A value as the cells of the operand are.

    Raises:
        ArgumentError: It is none of that kind.
    """
    value = literal.value
    match operand.kind:
        case Kind.NOTHING:
            return value
        case Kind.TEXT if isinstance(value, str):
            return value
        case Kind.NUMBER if (number := _as_number(value)) is not None:
            return number
        case Kind.TRUTH if (truth := _as_truth(value)) is not None:
            return truth
        case Kind.TIME if isinstance(value, str):
            return _as_time(operand, value)
        case Kind.DURATION if isinstance(value, str):
            return _as_duration(operand, value)
    raise _does_not_fit(operand, literal)


def _with_value(sign: str, operand: Operand, value: Any) -> _Answer:
    compare = _COMPARE[sign]
    if operand.kind is Kind.NOTHING:
        return _unknown(operand)
    if operand.kind is Kind.TEXT:
        return _known(operand.values.compared(compare, value), operand.missing)
    with np.errstate(all="ignore"):
        return _known(compare(operand.values, value), operand.missing)


def _found(operand: Operand, values: list[Any]) -> Any:
    """Truths: where any of these texts or numbers stands, as = would say of each."""
    if operand.kind is Kind.TEXT:
        return operand.values.among(values)
    numbers = operand.values
    if numbers.dtype.kind == "f":
        return _among_sorted(numbers, values)
    # A whole number is compared with whole ones exactly and with others as a float, by = too.
    least, most = np.iinfo(numbers.dtype).min, np.iinfo(numbers.dtype).max
    found = _among_sorted(numbers, [value for value in values if isinstance(value, int) and least <= value <= most])
    fractions = [value for value in values if isinstance(value, float)]
    return found | _among_sorted(numbers.astype(float), fractions) if fractions else found


def _among_sorted(numbers: Any, values: list[Any]) -> Any:
    if not values:
        return np.zeros(numbers.shape, dtype=bool)
    with np.errstate(all="ignore"):
        ordered = np.unique(np.array(values, dtype=numbers.dtype))
    return ordered.take(np.searchsorted(ordered, numbers), mode="clip") == numbers


def _compared(sign: str, left: Operand, right: Operand) -> _Answer:
    missing = left.missing | right.missing
    if Kind.NOTHING in (left.kind, right.kind):
        return _Answer(np.zeros_like(missing), np.zeros_like(missing))
    if left.kind is not right.kind or left.kind in (Kind.MIXED, Kind.OTHER):
        raise ArgumentError(f"where: {left.described}, {right.described}: these cannot be compared with each other.")
    if left.kind is Kind.TIME and (left.values.dt.tz is None) != (right.values.dt.tz is None):
        raise ArgumentError(f"where: one of {left.name} and {right.name} has a time zone, the other none: these cannot be compared.")
    one, other = (each.values.spelled_out() if each.kind is Kind.TEXT else each.values for each in (left, right))
    with np.errstate(all="ignore"):
        return _known(_COMPARE[sign](one, other), missing)


def _known(true: Any, missing: Any) -> _Answer:
    true, here = np.asarray(true, dtype=bool), ~missing
    return _Answer(true & here, ~true & here)


def _unknown(operand: Operand) -> _Answer:
    nowhere = np.zeros_like(operand.missing)
    return _Answer(nowhere, nowhere)


# --- values as models write them ------------------------------------------------------------------------------------------


def _as_number(value: object) -> int | float | None:
    """A number, or text that is one: agents often quote what is a number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if (
        not isinstance(value, str)
        or len(value) > _DURATION_CHARS
        or not re.fullmatch(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", value)
    ):
        return None
    return int(value) if value.strip().lstrip("+-").isdecimal() else float(value)


def _as_truth(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return bool(value) if value in (0, 1) else None


def _as_time(operand: Operand, text: str) -> pd.Timestamp:
    """A time as the column has them: without a zone of its own it is the column's."""
    text = text.strip()
    try:
        if not _TIME_FORM.fullmatch(text):
            raise ValueError(text)
        time = pd.Timestamp(text)
    except ValueError:
        raise ArgumentError(
            f"where: {operand.described}: write a time like '2013-01-31' or '2013-01-31 17:00', not {said(text)}."
        ) from None
    zone = operand.values.dt.tz
    if zone is None and time.tz is not None:
        raise ArgumentError(f"where: {operand.name} has no time zone: write the time without one, not {said(text)}.")
    # An hour that a clock change leaves out or repeats: the later one, and the one of summer time.
    return time.tz_localize(zone, ambiguous=True, nonexistent="shift_forward") if zone is not None and time.tz is None else time


def _as_duration(operand: Operand, text: str) -> pd.Timedelta:
    try:
        if len(text) > _DURATION_CHARS:
            raise ValueError(text)
        duration = pd.Timedelta(text.strip())
        if pd.isna(duration):
            raise ValueError(text)
    except ValueError:
        raise ArgumentError(f"where: {operand.described}: write a duration like '2 hours' or '01:30:00', not {said(text)}.") from None
    return duration


def _does_not_fit(operand: Operand, literal: Literal) -> ArgumentError:
    value = literal.value
    written = f"'{value}'" if isinstance(value, str) else str(value).upper()
    if operand.kind is Kind.OTHER:
        return ArgumentError(f"where: {operand.described}, which only IS NULL and IS NOT NULL can be asked of.")
    advice = f"write it in single quotes: '{value}'" if operand.kind is Kind.TEXT else f"write for instance {operand.name} {_hint(operand)}"
    return ArgumentError(f"where: {operand.described}, {said(written)[1:-1]} is not: {advice}.")


def _hint(operand: Operand) -> str:
    match operand.kind:
        case Kind.NUMBER:
            return f"> {operand.examples[0] if operand.examples else '0'}"
        case Kind.TEXT:
            return f"= {operand.examples[0] if operand.examples else chr(39) * 2}"
        case Kind.TRUTH:
            return "= TRUE"
        case Kind.TIME:
            return ">= '2013-01-31'"
        case Kind.DURATION:
            return "> '2 hours'"
    return "IS NOT NULL"


class _Pattern:
    """A LIKE pattern, matched part by part, so that no pattern takes more than a walk over the text."""

    def __init__(self, pattern: str, *, ignore_case: bool) -> None:
        flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
        parts = pattern.split("%")
        compiled = [re.compile("".join("." if character == "_" else re.escape(character) for character in part), flags) for part in parts]
        self._first, self._middle, self._last = compiled[0], [part for part in compiled[1:-1] if part.pattern], compiled[-1]
        self._last_length = len(parts[-1])
        self._exact = len(parts) == 1

    def matches(self, text: str) -> bool:
        """Whether the whole text fits."""
        if self._exact:
            return self._first.fullmatch(text) is not None
        first = self._first.match(text)
        if first is None:
            return False
        at = first.end()
        for part in self._middle:
            found = part.search(text, at)
            if found is None:
                return False
            at = found.end()
        tail = len(text) - self._last_length
        return tail >= at and self._last.fullmatch(text, tail) is not None

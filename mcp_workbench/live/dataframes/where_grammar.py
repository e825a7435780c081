"""`where`: text -> a tree. A subset of SQL's expressions over columns; pure, knows no DataFrame.

    condition  = all {OR all}                    all = factor {AND factor}
    factor     = NOT factor | "(" condition ")" | TRUE | FALSE | column | comparison
    comparison = value (= == != <> < <= > >=) value | value [NOT] IN (value, …) | value [NOT] BETWEEN value AND value
               | value [NOT] LIKE 'text' | value [NOT] ILIKE 'text' | value IS [NOT] NULL
    value      = term {(+ | -) term}             term = atom {(* | /) atom}
    atom       = column | "quoted column" | 17 | 1.5e3 | 'text' | TRUE | FALSE | NULL | DATE '2013-01-31' | - atom | "(" value ")"

Nothing that comes from the wire is ever handed to Python's or pandas' own evaluation. Text, nesting and lists are
bounded. A mistake becomes one sentence that says where it is and what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from mcp_workbench.live.dataframes.names import said
from mcp_workbench.primitives.binding import ArgumentError

MAX_TEXT = 2_000
"""Characters of a condition."""
MAX_DEPTH = 40
"""Parentheses, NOT and minus signs within each other."""
MAX_LIST = 500
"""Values in one IN list."""
MAX_COMPUTATIONS = 50
"""Signs + - * / in one condition: a chain of them is as deep as it is long."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its label's text."""

    name: str
    quoted: bool = False
    """Written in double quotes: perhaps a text was meant."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A value; None is NULL."""

    value: bool | int | float | str | None
    is_time: bool = False
    """Written as DATE '…' or TIMESTAMP '…'."""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left + right`; a minus sign before a value is `0 - value`."""

    operator: str
    left: Value
    right: Value


Value: TypeAlias = Column | Literal | Arithmetic


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left < right`; the operator is one of = != < <= > >=."""

    operator: str
    left: Value
    right: Value


@dataclass(frozen=True, slots=True)
class Among:
    """`value IN (…)`."""

    value: Value
    options: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """`value LIKE 'pattern'`: % is any text, _ any one character."""

    value: Value
    pattern: str
    ignore_case: bool


@dataclass(frozen=True, slots=True)
class IsNull:
    """`value IS NULL`."""

    value: Value


@dataclass(frozen=True, slots=True)
class Truth:
    """A column of truths, or TRUE or FALSE, standing by itself."""

    value: Column | Literal


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT condition`."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Both:
    """Conditions joined by AND; two or more."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Conditions joined by OR; two or more."""

    conditions: tuple[Condition, ...]


Condition: TypeAlias = Comparison | Among | Like | IsNull | Truth | Not | Both | Either

COMPARISONS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_KEYWORDS = frozenset(("AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ILIKE", "IS", "NULL", "TRUE", "FALSE"))
_TIMES = frozenset(("DATE", "TIMESTAMP"))
_INSTEAD = {
    "&": "AND",
    "&&": "AND",
    "|": "OR",
    "||": "OR",
    "~": "NOT",
    "!": "NOT",
    ";": "nothing: one condition is all there is",
    "%": "a function of the notebook: there is no remainder here",
}
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
  | (?P<name>[^\W\d][\w.]*)
  | (?P<quoted>"(?:[^"]|"")*"|`[^`]*`)
  | (?P<text>'(?:[^']|'')*')
  | (?P<open>[(\[])
  | (?P<close>[)\]])
  | (?P<comma>,)
  | (?P<operator>==|!=|<>|<=|>=|=|<|>|\+|-|\*|/)
  | (?P<other>&&|\|\||\S)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int

    @property
    def word(self) -> str:
        """The keyword it may be; empty when it is no bare word."""
        return self.text.upper() if self.kind == "name" else ""


def parse_where(text: str) -> Condition:
    """Read a condition.

    Args:
        text: What an agent wrote, for instance `dep_delay > 60 AND carrier IN ('UA', 'AA')`.

    Returns:
        The tree.

    Raises:
        ArgumentError: It is none; says where, what was expected and what came.
    """
    if len(text) > MAX_TEXT:
        raise ArgumentError(f"where takes at most {MAX_TEXT:,} characters, got {len(text):,}. Ask in parts.")
    words = text.strip()
    if words[:6].upper() == "WHERE ":
        text = words[6:]
    parser = _Parser(text, _tokens(text))
    condition = parser.condition()
    if (token := parser.here) is not None:
        raise parser.expected("AND, OR or the end", token)
    return condition


def _tokens(text: str) -> list[_Token]:
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:  # \S takes whatever the others leave
            break
        tokens.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        position = match.end()
    return tokens


class _Parser:
    """One walk over the tokens."""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._computations = 0

    # --- where it stands ------------------------------------------------------------------------------------

    @property
    def here(self) -> _Token | None:
        """The token to be read next; None at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _word(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at].word if at < len(self._tokens) else ""

    def _took_word(self, word: str) -> bool:
        if self._word() != word:
            return False
        self._at += 1
        return True

    def _took(self, kind: str, *texts: str) -> _Token | None:
        token = self.here
        if token is None or token.kind != kind or (texts and token.text not in texts):
            return None
        self._at += 1
        return token

    def expected(self, what: str, token: _Token | None) -> ArgumentError:
        """The sentence for a token that does not fit here."""
        if token is None:
            return ArgumentError(f"where ends too early: expected {what} after {said(self._text.strip()[-30:])}.")
        if token.kind == "other":
            if token.text in "'\"`":
                return ArgumentError(
                    f"where: the text that begins at {said(self._text[token.start : token.start + 20])} has no closing quote."
                )
            if token.text in _INSTEAD:
                return ArgumentError(f"where is a condition as in SQL: instead of {said(token.text)} write {_INSTEAD[token.text]}.")
        return ArgumentError(
            f"where: expected {what}, got {said(token.text)} at character {token.start + 1}. "
            "It takes = != < <= > >=, AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL, numbers and 'text'."
        )

    def _nested(self, read: Callable[[], T]) -> T:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ArgumentError(f"where is nested more than {MAX_DEPTH} deep. Ask in parts.")
        result = read()
        self._depth -= 1
        return result

    # --- conditions -------------------------------------------------------------------------------------------

    def condition(self) -> Condition:
        """`all {OR all}`."""
        parts = [self._all()]
        while self._took_word("OR"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _all(self) -> Condition:
        parts = [self._factor()]
        while self._took_word("AND"):
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _factor(self) -> Condition:
        if self._took_word("NOT"):
            return Not(self._nested(self._factor))
        if self._opens_condition():
            self._took("open")
            condition = self._nested(self.condition)
            self._close()
            return condition
        return self._comparison()

    def _opens_condition(self) -> bool:
        """Whether the parenthesis here holds a condition: something is compared in it, or nothing follows to compare it with."""
        token = self.here
        if token is None or token.text != "(":
            return False
        depth = 0
        for at in range(self._at, len(self._tokens)):
            token = self._tokens[at]
            depth += (token.kind == "open") - (token.kind == "close")
            if token.word in _KEYWORDS - {"NULL"} or token.text in COMPARISONS:
                return True
            if depth == 0:
                following = self._tokens[at + 1] if at + 1 < len(self._tokens) else None
                return following is None or following.kind == "close" or following.word in ("AND", "OR")
        return False

    def _comparison(self) -> Condition:
        left = self._value()
        if (token := self.here) is not None and token.kind == "operator" and token.text in COMPARISONS:
            self._at += 1
            return Comparison(COMPARISONS[token.text], left, self._value())
        if self._took_word("IS"):
            negated = self._took_word("NOT")
            if not self._took_word("NULL"):
                raise self.expected("NULL or NOT NULL", self.here)
            return Not(IsNull(left)) if negated else IsNull(left)
        if self._word() == "NOT" and self._word(1) in ("IN", "BETWEEN", "LIKE", "ILIKE"):
            self._at += 1
            return Not(self._test(left))
        return self._test(left)

    def _test(self, left: Value) -> Condition:
        if self._took_word("IN"):
            return Among(left, self._options())
        if self._took_word("BETWEEN"):
            low = self._value()
            if not self._took_word("AND"):
                raise self.expected("AND and the upper bound of BETWEEN", self.here)
            return Both((Comparison(">=", left, low), Comparison("<=", left, self._value())))
        for word in ("LIKE", "ILIKE"):
            if self._took_word(word):
                pattern = self._took("text")
                if pattern is None:
                    raise self.expected(f"a pattern in single quotes after {word}", self.here)
                return Like(left, _unquoted(pattern.text), word == "ILIKE")
        if isinstance(left, Column) or (isinstance(left, Literal) and isinstance(left.value, bool)):
            return Truth(left)
        raise self.expected("a comparison, for instance = or >", self.here)

    def _options(self) -> tuple[Literal, ...]:
        if self._took("open") is None:
            raise self.expected("a list in parentheses after IN", self.here)
        options: list[Literal] = []
        while True:
            token, value = self.here, self._value()
            if not isinstance(value, Literal):
                raise self.expected("a number or a text in single quotes", token)
            options.append(value)
            if len(options) > MAX_LIST:
                raise ArgumentError(f"where: a list after IN takes at most {MAX_LIST} values. Ask in parts.")
            if self._took("comma") is None:
                self._close()
                return tuple(options)

    def _close(self) -> None:
        if self._took("close") is None:
            raise self.expected("a closing parenthesis", self.here)

    # --- values -------------------------------------------------------------------------------------------------

    def _value(self) -> Value:
        value = self._term()
        while (token := self._took("operator", "+", "-")) is not None:
            value = self._computed(token.text, value, self._term())
        return value

    def _term(self) -> Value:
        value = self._atom()
        while (token := self._took("operator", "*", "/")) is not None:
            value = self._computed(token.text, value, self._atom())
        return value

    def _computed(self, operator: str, left: Value, right: Value) -> Value:
        self._computations += 1
        if self._computations > MAX_COMPUTATIONS:
            raise ArgumentError(f"where takes at most {MAX_COMPUTATIONS} of + - * /. Ask in parts.")
        return Arithmetic(operator, left, right)

    def _atom(self) -> Value:
        if self._took("operator", "-"):
            inner = self._nested(self._atom)
            if isinstance(inner, Literal) and isinstance(inner.value, int | float) and not isinstance(inner.value, bool):
                return Literal(-inner.value)
            return self._computed("-", Literal(0), inner)
        if self._took("open", "("):
            inner = self._nested(self._value)
            self._close()
            return inner
        token = self.here
        if token is None or token.kind not in ("number", "text", "quoted", "name"):
            raise self.expected("a column or a value", token)
        self._at += 1
        return self._named(token) if token.kind == "name" else _simple(token)

    def _named(self, token: _Token) -> Value:
        word = token.word
        if word in ("TRUE", "FALSE"):
            return Literal(word == "TRUE")
        if word == "NULL":
            return Literal(None)
        if word in _KEYWORDS:
            raise self.expected('a column or a value (a column of that name in double quotes: "' + token.text + '")', token)
        if word in _TIMES and (text := self._took("text")) is not None:
            return Literal(_unquoted(text.text), is_time=True)
        if (following := self.here) is not None and following.text == "(":
            raise ArgumentError(
                f"where has no functions, got {said(token.text + '(…)')}. It compares columns with values; ILIKE ignores case."
            )
        return Column(token.text)


def _simple(token: _Token) -> Value:
    if token.kind == "text":
        return Literal(_unquoted(token.text))
    if token.kind == "quoted":
        return Column(_unquoted(token.text), quoted=True)
    if len(token.text) > 40:
        raise ArgumentError(f"where: {said(token.text)} has more digits than a column can hold.")
    return Literal(int(token.text) if token.text.isdecimal() else float(token.text))


def _unquoted(text: str) -> str:
    return text[1:-1].replace(text[0] * 2, text[0])

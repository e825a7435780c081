"""Conditions as agents write them: what each means, and what is said of those that mean nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.live.dataframes.where_grammar import (
    MAX_COMPUTATIONS,
    MAX_DEPTH,
    MAX_LIST,
    MAX_TEXT,
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
    parse_where,
)
from mcp_workbench.primitives.binding import ArgumentError

A, B, C = Column("a"), Column("b"), Column("c")
ONE, TWO = Literal(1), Literal(2)
A_IS_1 = Comparison("=", A, ONE)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a = 1", A_IS_1),
        ("where a == 1", A_IS_1),
        ("((a = 1))", A_IS_1),
        ("a <> 1", Comparison("!=", A, ONE)),
        ("1 < a", Comparison("<", ONE, A)),
        ("a >= -1.5e3", Comparison(">=", A, Literal(-1500.0))),
        ("a = .5", Comparison("=", A, Literal(0.5))),
        ("a = 'it''s'", Comparison("=", A, Literal("it's"))),
        ('"a b" = 1', Comparison("=", Column("a b", quoted=True), ONE)),
        ("`a b` = 1", Comparison("=", Column("a b", quoted=True), ONE)),
        ('"a ""b""" = 1', Comparison("=", Column('a "b"', quoted=True), ONE)),
        ("delay.mean > 1", Comparison(">", Column("delay.mean"), ONE)),
        ("größe > 1", Comparison(">", Column("größe"), ONE)),
        ("a", Truth(A)),
        ("(a) AND b", Both((Truth(A), Truth(B)))),
        ("true", Truth(Literal(True))),
        ("not a", Not(Truth(A))),
        ("NOT a = 1 AND b", Both((Not(A_IS_1), Truth(B)))),
        ("a OR b AND c", Either((Truth(A), Both((Truth(B), Truth(C)))))),
        ("(a OR b) AND c", Both((Either((Truth(A), Truth(B))), Truth(C)))),
        ("a IS NULL", IsNull(A)),
        ("a is not null", Not(IsNull(A))),
        ("(a IS NULL)", IsNull(A)),
        ("a IN (1, 'x')", Among(A, (ONE, Literal("x")))),
        ("a in [1, 2]", Among(A, (ONE, TWO))),
        ("a NOT IN (-1)", Not(Among(A, (Literal(-1),)))),
        ("a BETWEEN 1 AND 2 AND b", Both((Both((Comparison(">=", A, ONE), Comparison("<=", A, TWO))), Truth(B)))),
        ("a not between 1 and 2", Not(Both((Comparison(">=", A, ONE), Comparison("<=", A, TWO))))),
        ("a LIKE 'x%'", Like(A, "x%", False)),
        ("a NOT ILIKE 'x_'", Not(Like(A, "x_", True))),
        ("a = DATE '2013-01-31'", Comparison("=", A, Literal("2013-01-31", is_time=True))),
        ("date = '2013-01-31'", Comparison("=", Column("date"), Literal("2013-01-31"))),
        ("a - b > 1", Comparison(">", Arithmetic("-", A, B), ONE)),
        ("a - b - c > 1", Comparison(">", Arithmetic("-", Arithmetic("-", A, B), C), ONE)),
        ("a + b * c > 1", Comparison(">", Arithmetic("+", A, Arithmetic("*", B, C)), ONE)),
        ("(a + b) * c > 1", Comparison(">", Arithmetic("*", Arithmetic("+", A, B), C), ONE)),
        ("-a > 1", Comparison(">", Arithmetic("-", Literal(0), A), ONE)),
        ("a -1 > 2", Comparison(">", Arithmetic("-", A, ONE), TWO)),
        ("(a) > 1", Comparison(">", A, ONE)),
    ],
)
def test_what_is_written_means(text: str, tree: Condition) -> None:
    assert parse_where(text) == tree


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "where ends too early: expected a column or a value"),
        ("a >", "expected a column or a value after 'a >'"),
        ("a b", "expected AND, OR or the end, got 'b' at character 3"),
        ("a + 1", "expected a comparison, for instance = or >"),
        ("a = 1 & b = 2", "instead of '&' write AND"),
        ("a = 1 || b = 2", "instead of '||' write OR"),
        ("~a", "instead of '~' write NOT"),
        ("a = 1; DROP TABLE a", "one condition is all there is"),
        ("a = 'x", "has no closing quote"),
        ("lower(a) = 'x'", "where has no functions, got 'lower(…)'"),
        ("a IN 1", "expected a list in parentheses after IN, got '1'"),
        ("a IN (1", "expected a closing parenthesis"),
        ("a IN (b)", "expected a number or a text in single quotes, got 'b'"),
        ("a LIKE 3", "expected a pattern in single quotes after LIKE, got '3'"),
        ("a IS 3", "expected NULL or NOT NULL, got '3'"),
        ("a BETWEEN 1 OR 2", "expected AND and the upper bound of BETWEEN, got 'OR'"),
        ("in = 1", 'a column of that name in double quotes: "in"'),
        ("3abc > 1", "expected a column or a value"),
        ("a = " + "9" * 41, "more digits than a column can hold"),
        ("a = 1" + " " * MAX_TEXT + "AND b", "where takes at most 2,000 characters, got 2,010"),
        ("(" * (MAX_DEPTH + 1) + "a = 1" + ")" * (MAX_DEPTH + 1), "nested more than 40 deep"),
        ("NOT " * (MAX_DEPTH + 1) + "a", "nested more than 40 deep"),
        ("- " * (MAX_DEPTH + 1) + "a > 1", "nested more than 40 deep"),
        ("a" + "+a" * (MAX_COMPUTATIONS + 1) + " > 1", "at most 50 of + - * /"),
        (f"a IN ({','.join('1' * (MAX_LIST + 1))})", "at most 500 values"),
    ],
)
def test_what_means_nothing_is_answered_with_what_to_write(text: str, sentence: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        parse_where(text)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 300


def test_what_is_nested_as_deep_as_may_be_is_read() -> None:
    assert parse_where("(" * MAX_DEPTH + "a = 1" + ")" * MAX_DEPTH) == A_IS_1


words = st.sampled_from(
    [
        "a",
        "1",
        "'x'",
        "(",
        ")",
        ",",
        "=",
        "<",
        "-",
        "*",
        "AND",
        "OR",
        "NOT",
        "IN",
        "IS",
        "NULL",
        "LIKE",
        "BETWEEN",
        "DATE",
        '"',
        "%",
        "[",
        "é",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(words, max_size=30).map(" ".join)))
def test_any_text_is_a_condition_or_a_sentence(text: str) -> None:
    try:
        parse_where(text)
    except ArgumentError as error:
        assert str(error)[-1] in ".?"  # noqa: PT017  # whether it raises is what Hypothesis varies

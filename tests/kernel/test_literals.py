"""What is typed after `%mcp_call tool`."""

from __future__ import annotations

import keyword
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.kernel.literals import LineError, read_arguments

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(lambda name: not keyword.iskeyword(name))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8
)


@given(
    arguments=st.dictionaries(NAMES, VALUES, max_size=5),
    between=st.sampled_from([" ", ", ", ",", "   "]),
    around=st.sampled_from(["=", " = "]),
)
def test_what_is_written_as_a_literal_comes_back(arguments: dict[str, Any], between: str, around: str) -> None:
    line = between.join(f"{name}{around}{value!r}" for name, value in arguments.items())
    assert read_arguments(line) == arguments


@given(line=st.text(max_size=60) | st.from_regex(r"[a-c]=[\[\]{}()'\"\\a, =0-9]{0,20}", fullmatch=True))
def test_any_line_gives_arguments_or_one_sentence(line: str) -> None:
    with suppress(LineError):
        assert isinstance(read_arguments(line), dict)


def test_what_is_published_a_result_or_a_uri_needs_no_quotes() -> None:
    given_ = read_arguments("flights=flights, other=_r7 uri=df://flights?version=3 n=1", ("flights",))
    assert given_ == {"flights": "flights", "other": "_r7", "uri": "df://flights?version=3", "n": 1}


def test_a_tuple_is_sent_as_a_list() -> None:
    assert read_arguments("range=(1, (2,))") == {"range": [1, [2]]}


def test_nothing_typed_means_no_arguments() -> None:
    assert read_arguments("  ") == {}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("1 2", "expected name=value, got 1 2"),
        ("a=1 b", "expected name=value, got b"),
        ("a=", "a= is no Python literal; write for instance a=3"),
        ("a=JFK", 'a=JFK is no Python literal; a text needs quotes: a="JFK"'),
        ("a=2026-01-31", 'a text needs quotes: a="2026-01-31"'),
        ("a=true", "write a=True"),
        ("a=1 a=2", "a is given twice"),
        ('a="b', "is no Python literal"),
        ("a=open('x')", "is no Python literal; numbers, texts in quotes"),
        ("a=[1, 2", "is no Python literal"),
        ("a={1: 2}", "the keys of a dict are texts"),
        ("a={1, 2}", "JSON has no set"),
        ("a=b'x'", "JSON has no bytes"),
        ("a=1e999", "JSON has no number inf"),
        ("a=" + "[" * 100_000, "is no Python literal"),
        ("a=" + "9" * 5_000, "is no Python literal"),
    ],
)
def test_what_cannot_be_read_is_answered_with_what_can(line: str, sentence: str) -> None:
    with pytest.raises(LineError) as caught:
        read_arguments(line)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 250


def test_nothing_that_is_typed_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.open", lambda *_: pytest.fail("it was run"))
    with pytest.raises(LineError):
        read_arguments("a=[open('x')]")

"""What is known to be a secret, its mark, and what may have been in the place of a mark."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.recording.known_secrets import (
    LEAST_REMEMBERED,
    MARK,
    MAX_REMEMBERED,
    MAX_REMEMBERED_CHARACTERS,
    KnownSecrets,
    could_have_been,
)
from mcp_workbench.secret import Secret


def test_a_secret_has_one_mark_which_is_marked_no_further_and_says_nothing() -> None:
    known, other = KnownSecrets(), KnownSecrets()
    assert known.mark("hunter2") == known.mark("hunter2") != known.mark("hunter3")
    assert MARK.fullmatch(known.mark("hunter2"))
    assert known.mark(known.mark("hunter2")) == known.mark("hunter2")
    assert other.mark("hunter2") != known.mark("hunter2")
    known.mark_with(Secret("salt"))
    other.mark_with(Secret("salt"))
    assert other.mark("hunter2") == known.mark("hunter2")


def test_what_is_remembered_and_what_is_our_own_is_found_however_it_is_written() -> None:
    known = KnownSecrets()
    known.own([Secret("our own/token")])
    known.remember('quo"ted secret')
    assert known.without("x our%20own%2Ftoken y") == f"x {known.mark('our own/token')} y"
    assert known.without(r"x quo\"ted secret y") == f"x {known.mark('quo' + chr(34) + 'ted secret')} y"
    assert known.any_in('…quo"ted secret…')
    assert not known.any_in("harmless")
    assert {part.reveal() for part in known.parts()} == {"token", "secret"}
    known.own([])
    assert known.without("our own/token") == "our own/token"


@pytest.mark.parametrize("text", ["x" * (LEAST_REMEMBERED - 1), "Password", "before ‹redacted:0123456789ab› behind"])
def test_what_is_too_short_too_ordinary_or_a_mark_is_not_looked_for(text: str) -> None:
    known = KnownSecrets()
    known.remember(text)
    assert known.learned == 0
    assert not known.is_one(text)


def test_what_is_new_is_counted_once() -> None:
    known = KnownSecrets()
    marks = [known.mark_and_remember(text) for text in ("secret one", "secret two", "secret one")]
    assert marks[0] == marks[2] == known.mark("secret one")
    assert known.learned == 2
    assert known.is_one("secret two")


def test_what_is_remembered_is_bounded() -> None:
    known = KnownSecrets()
    for number in range(MAX_REMEMBERED + 50):
        known.remember(f"secret number {number}")
    assert len(known._remembered) == MAX_REMEMBERED
    for letter in "abcdef":
        known.remember(letter * 1_000_000)
    assert sum(map(len, known._remembered)) <= MAX_REMEMBERED_CHARACTERS
    assert known.is_one("f" * 1_000_000), "the latest are kept"


@pytest.mark.parametrize(
    ("written", "text", "could"),
    [
        ("‹redacted:0123456789ab›", "", True),
        ("a‹redacted:0123456789ab›b", "a and b", True),
        ("a‹redacted:0123456789ab›b‹redacted:0123456789ab›", "a x b y", True),
        ("ab‹redacted:0123456789ab›bc", "abc", False),
        ("a‹redacted:0123456789ab›b‹redacted:0123456789ab›b", "ab", False),
        ("a", "a", False),
    ],
)
def test_what_was_withheld_could_have_been_anything(written: str, text: str, could: bool) -> None:
    assert could_have_been(written, text) is could


@given(st.lists(st.sampled_from(["a", "b", "ab", "‹redacted:0123456789ab›"])).map("".join), st.text("ab"))
def test_what_could_have_been_is_what_a_pattern_of_anything_fits(written: str, text: str) -> None:
    pieces = written.split("‹redacted:0123456789ab›")
    fits = len(pieces) > 1 and re.fullmatch(".*".join(pieces), text) is not None
    assert could_have_been(written, text) is fits


def test_many_marks_are_no_work_to_speak_of() -> None:
    assert not could_have_been("‹redacted:0123456789ab›".join(["a"] * 2000) + "!", "a" * 4000)

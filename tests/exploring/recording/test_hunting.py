"""The quick way finds whatever a plain search would."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.recording.hunting import MAX_KNOWN, MAX_KNOWN_BYTES, Hunt
from mcp_workbench.secret import Secret

HINTS = ("pass", "ghp_", "gho_", "pw", "ya29.")
TEXTS = st.lists(
    st.one_of(
        st.text(alphabet="pas1gh_o2w.Y9 ", max_size=12), st.sampled_from(("pass", "pa5ss", "GHP_x", "ya29.", "7")), st.text(max_size=6)
    ),
    max_size=6,
)
WORDS = st.lists(st.text(alphabet="ab12", min_size=1, max_size=4), max_size=3)


@given(st.lists(st.tuples(TEXTS, WORDS), max_size=4))
def test_no_text_with_a_word_in_it_is_clean_whatever_was_looked_at_before(rounds: list[tuple[list[str], list[str]]]) -> None:
    hunt = Hunt(HINTS, ("gh",))
    for texts, words in rounds:
        encoded = [text.encode() for text in texts]
        for text, clean in zip(encoded, hunt.clean(encoded, map(Secret, words)), strict=True):
            if clean:
                assert not any(word.encode() in text.lower() for word in (*HINTS, *words))


@given(TEXTS)
def test_a_text_with_no_word_in_it_is_clean_digits_or_not(texts: list[str]) -> None:
    bare = [re.sub("[0-9]", "", text).lower() for text in texts]
    expected = [not any(word in text for word in ("pass", "ghp_", "gho_", "pw", "ya.")) for text in bare]
    assert Hunt(HINTS, ("gh",)).clean([text.encode() for text in texts], ()) == expected


def test_a_word_of_digits_alone_is_found_among_texts_that_differ_in_digits_only() -> None:
    hunt, words = Hunt(HINTS, ()), [Secret("4711")]
    assert hunt.clean([b'{"n":1}', b'{"n":2}'], words) == [True, True]
    assert hunt.clean([b'{"n":4711}', b'{"n":3}'], words) == [False, True]


def test_what_was_clean_is_looked_at_again_when_there_is_more_to_look_for() -> None:
    hunt = Hunt(HINTS, ())
    assert hunt.clean([b"a tango"], ()) == [True]
    assert hunt.clean([b"a tango"], [Secret("Tango")]) == [False]
    assert hunt.clean([b"a tango"], ()) == [True]


def test_an_empty_word_is_in_everything() -> None:
    assert Hunt(HINTS, ()).clean([b"", b"x"], [Secret("")]) == [False, False]
    assert Hunt(("",), ()).clean([b"", b"x"], ()) == [False, False]


def test_only_so_many_texts_are_remembered_and_no_long_ones() -> None:
    hunt = Hunt(HINTS, ())
    hunt.clean([b"x" * (MAX_KNOWN_BYTES + 1)], ())
    assert not hunt._known
    for begin in range(0, 3 * MAX_KNOWN, 500):
        hunt.clean([b"x" + bytes(65 + number % 26 for number in _letters(begin + each)) for each in range(500)], ())
        assert len(hunt._known) <= MAX_KNOWN + 500


def _letters(number: int) -> list[int]:
    return [number % 26, number // 26 % 26, number // 676 % 26]

"""Text that others chose becomes text that is seen, and JSON stays the JSON of the same value."""

from __future__ import annotations

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.wording import ended, plain, visible, visible_json

ANY = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\x00\t\n\r\x1b\x7f\x85\u061c\u200e\u2028\u202e\u2069"))
BIDI = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


@given(ANY)
def test_no_control_but_tab_and_line_break_and_nothing_that_turns_text_is_left(text: str) -> None:
    for shown in (visible(text), visible_json(text)):
        left = set(shown) - set("\t\n")
        assert not any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in left)
        assert not any(unicodedata.bidirectional(character) in BIDI for character in left)
        assert not left & set("\u061c\u200e\u200f")


@given(st.text(st.characters(categories=["L", "N", "P", "S", "M"])))
def test_what_is_seen_stays_as_it_is(text: str) -> None:
    assert visible(text) == visible_json(text) == text


@given(ANY)
def test_json_is_the_json_of_the_same_text(text: str) -> None:
    assert json.loads(visible_json(json.dumps(text, ensure_ascii=False))) == text


@given(ANY)
def test_a_plain_text_is_one_printable_line(text: str) -> None:
    assert plain(text).isprintable()


def test_escapes_look_as_in_python() -> None:
    assert visible("a\tb\n\x1b[31m\r\x00\u202e\\") == "a\tb\n\\x1b[31m\\r\\x00\\u202e\\"
    assert plain("a\tb\n\x1b[31m") == "a\\tb\\n\\x1b[31m"
    assert visible_json("\x7f\u2066") == "\\u007f\\u2066"


def test_what_has_not_ended_took_no_time_yet() -> None:
    assert (ended("tool_error", 4_200_000), ended("pending", None)) == ("error in 4.2 ms", "pending")

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcp_workbench.exploring.filters import FilterError, parse
from mcp_workbench.exploring.filters.parsing import MAX_DEPTH, MAX_TERMS
from mcp_workbench.exploring.filters.scanning import MAX_TEXT


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a b | c d", "a b | c d"),
        ("(a b) | (c d)", "a b | c d"),
        ("a (b | c) d", "a (b | c) d"),
        ("-a b", "-a b"),
        ("-(a b)", "-(a b)"),
        ("-(a)", "-a"),
        ("-(-a)", "-(-a)"),
        ("((a))", "a"),
        ("a|b c", "a|b c"),
        ("a |b c", "a | b c"),
        ("a| b", "a | b"),
        ("a|-b", "a | -b"),
        ("a|-5", "a|-5"),
        ("(a)|b", "a | b"),
        ("a(b)c", "a b c"),
        ("a\t\n b\u3000c", "a b c"),
        ("'a'", '"a"'),
        ("'it\\'s' \"a\\\\b\"", '"it\'s" "a\\\\b"'),
        ("it's", "it's"),
        ('args."a.b".c:x', 'args."a.b".c:x'),
        ('args."c":x', "args.c:x"),
        ("10:05", "10:05"),
        ("http://x/y", "http://x/y"),
        ("tool:a|b|tool:c", "tool:a|b | tool:c"),
        ("TOOL:Sum", "tool:Sum"),
        ("", ""),
    ],
)
def test_texts_are_read_like_this(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("(" * 1_000_000, "at most 8,000 characters, got 1,000,000"),
        ("a " * 100_000, "at most 8,000 characters, got 200,000"),
        ("-" * 1_000_000, "at most 8,000 characters"),
        ("(" * MAX_TEXT, f"at most {MAX_DEPTH} parentheses"),
        ("-(" * (MAX_TEXT // 2), f"at most {MAX_DEPTH} parentheses"),
        ("-" * MAX_TEXT, "expected a term or"),
        ("-----", "expected a term or"),
        (")" * MAX_TEXT, "got \\)"),
        ("a " * (MAX_TEXT // 2), f"at most {MAX_TERMS} terms"),
        ("a|" * (MAX_TEXT // 2 - 1) + "a", f"at most {MAX_TERMS} terms"),
        ('"' * (MAX_TEXT - 1), "expected a space after the quoted text"),
    ],
    ids=lambda text: text[:10],
)
def test_what_is_endless_or_garbage_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(FilterError, match=sentence):
        parse(text)


def test_the_deepest_and_longest_filters_work() -> None:
    assert str(parse("args" + ".a" * 3_000)) == "args" + ".a" * 3_000  # without a colon, a word
    deep = "-(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH
    assert str(parse(deep)) == "-(" * (MAX_DEPTH - 1) + "-a" + ")" * (MAX_DEPTH - 1)
    assert len(str(parse("a " * MAX_TERMS)).split()) == MAX_TERMS


ALPHABET = "ab:|-()\"' \\*.<>=5mx\nargstool"


@given(st.text(ALPHABET, max_size=60) | st.text(max_size=40))
@example('text:a|-1|"\\')
def test_any_text_is_a_filter_that_is_read_again_the_same_or_an_error_with_its_place(text: str) -> None:
    try:
        wanted = parse(text)
    except FilterError as error:
        assert error.position is not None
        assert 0 <= error.position <= len(text)
        return
    assert parse(str(wanted)) == wanted

"""The words of HTML, however broken it is, in time that grows with its length."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.primitives import html_words
from mcp_workbench.primitives.html_words import words_of_html


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>a<b>b</b> c</p><p>d", "ab c\nd"),
        ("<table><tr><th>x</th><th>y</th></tr><tr><td>1</td><td></td></tr></table>", "x | y\n1"),
        ("<style>p {color: red}</style><script>alert('&lt;')</script>shown", "shown"),
        ("<SCRIPT>if (a < b) f('<p>')</scripty></Script >shown", "shown"),
        ("<head><title>no</title></head>yes", "yes"),
        ("<template>no<template>no</template>yes", "yes"),
        ("&lt;b&gt; &amp; &copy; &copy &#65;&#x42; a&b", "<b> & © © AB a&b"),
        (f"&#{'9' * 5_000};&#x{'f' * 5_000};", "\ufffd\ufffd"),
        ("<img src='x.png' alt='a hill'><img src='y.png'>", "[image: a hill]"),
        ("<img title='no alt=this' ALT = \"q&amp;r\"><img alt=s><img alt>", "[image: q&r][image: s]"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("a<br>b\n\n  c<br/>d", "a\nb c\nd"),
        ("<pre>a\n  b</pre>c", "a\nb\nc"),
        ("<b>total</b>\n5", "total 5"),
        ("<!-- not this --><![CDATA[nor]]>this<!--><!-- > -- --!>and<!DOCTYPE html><?xml?></>this", "thisandthis"),
        ("<a title='x > y' href=\"?a>b\">in</a> 5 < 6 <5>", "in 5 < 6 <5>"),
        ("<a title=it's>in</a>", "in"),
        ("before<!-- never closed <p>no", "before"),
        ("before<script>never closed <p>no", "before"),
        ("before<a title='never closed> no", "before"),
        ("before<b", "before"),
        ("\ud800", "\ufffd"),
        ("<iframe src='x'></iframe>", ""),
        ("", ""),
    ],
)
def test_the_words_of_html(html: str, words: str) -> None:
    assert words_of_html(html) == words


PIECES = [
    "<p>",
    "</p>",
    "<td>",
    "</pre>",
    "<pre>",
    "<b",
    ">",
    "<!--",
    "-->",
    "<!",
    "</",
    "&lt;",
    "&#",
    "word",
    '"',
    "='",
    "\n",
    "<style>",
    "<img alt",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_any_html_ends_in_lines_of_words(pieces: list[str]) -> None:
    lines = words_of_html("".join(pieces)).split("\n")
    assert lines == [""] or all(line and line == line.strip() for line in lines)


@given(
    st.lists(st.sampled_from(["<p>", "</p>", "<td>", "<b>", "&lt;", "word", "\n", "<pre>", "</style>"]), max_size=20),
    st.sampled_from(["script", "style"]),
)
def test_what_is_in_a_script_or_style_is_not_among_the_words(pieces: list[str], tag: str) -> None:
    before = "".join(pieces)
    assert "secret" not in words_of_html(f"{before}<{tag}>secret <p>secret</{tag}>after")
    assert words_of_html(f"{before}<{tag}>secret</{tag}>after").endswith("after")


BROKEN = [
    "<!--",
    "<!",
    "<a ",
    "<a='",
    "</a ",
    "<![CDATA[",
    "<div a='",
    '<div a = "',
    "<template>",
    "<template></head>",
    "<script>",
    "<",
    "</",
    "&",
    "&#9",
    "<b>",
]


class Counting(str):
    """A text that counts what is looked at when it is searched for something."""

    looked_at = 0

    def find(self, *wanted: Any) -> int:
        found = super().find(*wanted)
        Counting.looked_at += (len(self) if found < 0 else found + 1) - wanted[1]
        return found


class CountingPattern:
    """A pattern that does the same."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern

    def search(self, text: str, begin: int) -> re.Match[str] | None:
        found = self._pattern.search(text, begin)
        Counting.looked_at += (len(text) if found is None else found.end()) - begin
        return found


@pytest.mark.parametrize("piece", BROKEN)
def test_what_is_broken_is_looked_at_a_few_times_only(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_STOP", "_COMMENT_END"):
        monkeypatch.setattr(html_words, name, CountingPattern(getattr(html_words, name)))
    monkeypatch.setattr(html_words, "_RAW_END", {name: CountingPattern(each) for name, each in html_words._RAW_END.items()})
    monkeypatch.setattr(html_words, "_to_unicode", Counting)
    html, Counting.looked_at = piece * 2_000, 0
    words_of_html(html)
    assert 0 < Counting.looked_at <= 4 * len(html)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", [*BROKEN, "<img alt='", "<img alt = ", "a= ", "alt  ", "| ", " "])
def test_html_of_any_length_is_read(piece: str) -> None:
    words_of_html(piece * 40_000)
    words_of_html(f"<img {piece * 40_000}>")


def test_of_very_long_html_the_beginning_is_read_and_the_last_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_words, "MAX_HTML_CHARS", 12)
    assert words_of_html("<p>one<p>two") == "one\ntwo"
    note = "[Of 18 characters of HTML the first 12 were read. Have the tool return a part.]"
    assert words_of_html("<p>one<p>two<p>six") == f"one\ntwo\n{note}"
    assert words_of_html("<script>beginning").startswith("[Of 17 characters")

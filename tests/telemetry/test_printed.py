"""The beginning and the end of a text of any length, against the text itself."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.telemetry.printed import Printed

NOTE = re.compile(r"\n… ([\d,]+) characters left out …\n")
pieces = st.lists(st.text("abcdefgh\n", max_size=30), max_size=30)


def printed(bound: int, texts: list[str]) -> Printed:
    made = Printed(bound)
    for text in texts:
        made.add(text)
    return made


@given(st.integers(1, 50), pieces, st.none() | st.integers(0, 120))
def test_beginning_and_end_are_the_texts_own_and_what_is_between_is_counted(bound: int, texts: list[str], at_most: int | None) -> None:
    whole, shown = "".join(texts), printed(bound, texts).text(at_most)
    allowed = min(2 * bound, len(whole) if at_most is None else at_most)
    if len(whole) <= allowed:
        assert shown == whole
        return
    note = NOTE.search(shown)
    assert note is not None
    begin, end = shown[: note.start()], shown[note.end() :]
    assert whole.startswith(begin)
    assert whole.endswith(end)
    assert len(begin) + len(end) == allowed
    assert len(begin) - len(end) in (0, 1)
    assert int(note[1].replace(",", "")) == len(whole) - allowed


@given(st.integers(1, 50), pieces)
def test_the_length_is_that_of_everything_and_what_is_kept_is_bounded(bound: int, texts: list[str]) -> None:
    made = printed(bound, texts)
    longest = max(map(len, texts), default=0)
    assert made.length == len("".join(texts))
    assert sum(map(len, made._head)) <= bound
    assert sum(map(len, made._tail)) <= bound + min(bound, longest)


@given(st.text(st.characters(categories=["L", "Cs", "Zs"]), max_size=40), st.integers(1, 10))
def test_the_text_can_be_written_as_json_whatever_was_printed(text: str, bound: int) -> None:
    shown = printed(bound, [text]).text()
    assert shown.encode().decode() == shown


def test_a_line_that_was_written_over_reads_as_it_was_seen_last() -> None:
    bar = Printed()
    for share in (10, 50, 100):
        bar.add(f"\r{share} %")
    bar.add("\r\nnext\r\nabc\rxyz")
    assert bar.text() == "100 %\nnext\nxyz"

"""Pages: joined they are the whole list, whatever changes in between, and each of them fits a message."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.protocol.cursors import PAGE_BYTES, PAGE_SIZE, page

NAMES = [f"t{number:04}" for number in range(2 * PAGE_SIZE + 10)]


def names_page(listing: str, names: Sequence[str], cursor: str | None) -> tuple[list[str], str | None]:
    found, following = page(listing, names, cursor, key=str, size=len)
    return list(found), following


def all_pages(names: list[str]) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        found, cursor = names_page("tools", names, cursor)
        pages.append(found)
        if cursor is None:
            return pages


def test_pages_follow_one_another_and_the_last_has_no_cursor() -> None:
    pages = all_pages(NAMES)
    assert [len(found) for found in pages] == [PAGE_SIZE, PAGE_SIZE, 10]
    assert sum(pages, []) == NAMES  # noqa: RUF017  # three short lists


@pytest.mark.parametrize("count", [0, 1, PAGE_SIZE - 1, PAGE_SIZE])
def test_what_fits_on_one_page_has_no_cursor(count: int) -> None:
    assert names_page("tools", NAMES[:count], None) == (NAMES[:count], None)


def test_one_more_than_a_page_makes_a_second_page() -> None:
    assert [len(found) for found in all_pages(NAMES[: PAGE_SIZE + 1])] == [PAGE_SIZE, 1]


@given(st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)))
def test_a_list_that_changes_between_two_pages_loses_and_repeats_nothing_that_stayed(gone: set[str], come: set[str]) -> None:
    before = [name for name in NAMES if name not in come]
    after = sorted((set(before) - gone) | come)
    first, cursor = names_page("tools", before, None)
    rest = []
    while cursor is not None:
        found, cursor = names_page("tools", after, cursor)
        rest += found
    seen = first + rest
    assert len(seen) == len(set(seen))
    if len(before) > PAGE_SIZE:
        assert set(before) & set(after) <= set(seen)


def test_a_cursor_behind_the_last_entry_gives_an_empty_last_page() -> None:
    _, cursor = names_page("tools", NAMES, None)
    assert names_page("tools", ["a"], cursor) == ([], None)


Sized = tuple[str, int]


def sized_page(entries: list[Sized], cursor: str | None, max_bytes: int = PAGE_BYTES) -> tuple[Sequence[Sized], str | None]:
    return page("tools", entries, cursor, key=lambda entry: entry[0], size=lambda entry: entry[1], max_bytes=max_bytes)


def test_a_page_ends_before_it_is_too_large() -> None:
    entries = [(name, PAGE_BYTES // 4) for name in NAMES[:10]]
    found, cursor = sized_page(entries, None)
    assert list(found) == entries[:4]
    assert list(sized_page(entries, cursor)[0]) == entries[4:8]


def test_an_entry_larger_than_a_page_has_one_of_its_own() -> None:
    entries = [("a", 1), ("b", PAGE_BYTES + 1), ("c", 1)]
    first, after_first = sized_page(entries, None)
    second, after_second = sized_page(entries, after_first)
    assert (list(first), list(second)) == ([("a", 1)], [("b", PAGE_BYTES + 1)])
    assert sized_page(entries, after_second) == ([("c", 1)], None)


@given(st.lists(st.integers(1, 60), max_size=60), st.integers(1, 100))
def test_pages_are_full_but_never_fuller_and_join_to_the_whole(sizes: list[int], max_bytes: int) -> None:
    entries = list(zip(NAMES, sizes, strict=False))
    seen: list[Sized] = []
    cursor: str | None = None
    while seen != entries or cursor is not None:
        found, cursor = sized_page(entries, cursor, max_bytes)
        assert sum(size for _, size in found) <= max_bytes or len(found) == 1
        seen += found
        if cursor is not None:
            assert sum(size for _, size in found) + entries[len(seen)][1] > max_bytes
    assert seen == entries


def test_only_the_entries_of_the_page_are_measured() -> None:
    measured: list[str] = []

    def size(name: str) -> int:
        measured.append(name)
        return PAGE_BYTES // 2

    page("tools", NAMES, None, key=str, size=size)
    assert measured == NAMES[:3]


def foreign(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "0",
        "tools:t0001",
        "!!!!",
        "\u20ac",
        "a",
        "====",
        foreign("prompts:t0001"),
        foreign("tools"),
        foreign(""),
        foreign("toolsx:a"),
        "\x00",
        "4pi6",
        "x" * 100_000,
    ],
)
def test_a_foreign_cursor_is_refused_with_a_sentence_that_says_what_to_do(cursor: str) -> None:
    with pytest.raises(RemoteProtocolError, match="nextCursor") as caught:
        names_page("tools", NAMES, cursor)
    assert caught.value.code == -32602


@given(st.text())
def test_an_arbitrary_cursor_gives_a_page_or_that_error(cursor: str) -> None:
    try:
        found, _ = names_page("tools", NAMES, cursor)
    except RemoteProtocolError:
        return
    assert found == sorted(found)


@given(st.sampled_from(["tools", "prompts"]), st.text(max_size=30))
def test_names_of_any_characters_survive_in_a_cursor(listing: str, name: str) -> None:
    if not all(character.isascii() or ord(character) < 0xD800 for character in name):
        return
    keys = sorted([name, *NAMES[:PAGE_SIZE]])
    _, cursor = names_page(listing, keys, None)
    if cursor is not None:
        assert names_page(listing, keys, cursor)[0] == keys[PAGE_SIZE:]

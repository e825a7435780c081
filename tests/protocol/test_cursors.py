from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.protocol.cursors import PAGE_SIZE, page

NAMES = [f"t{number:04}" for number in range(2 * PAGE_SIZE + 10)]


def all_pages(keys: list[str]) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        found, cursor = page("tools", keys, keys, cursor)
        pages.append(found)
        if cursor is None:
            return pages


def test_pages_follow_one_another_and_the_last_has_no_cursor() -> None:
    pages = all_pages(NAMES)
    assert [len(found) for found in pages] == [PAGE_SIZE, PAGE_SIZE, 10]
    assert sum(pages, []) == NAMES  # noqa: RUF017  # three short lists


@pytest.mark.parametrize("count", [0, 1, PAGE_SIZE - 1, PAGE_SIZE])
def test_what_fits_on_one_page_has_no_cursor(count: int) -> None:
    assert page("tools", NAMES[:count], NAMES[:count], None) == (NAMES[:count], None)


def test_one_more_than_a_page_makes_a_second_page() -> None:
    assert [len(found) for found in all_pages(NAMES[: PAGE_SIZE + 1])] == [PAGE_SIZE, 1]


@given(st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)))
def test_a_list_that_changes_between_two_pages_loses_and_repeats_nothing_that_stayed(gone: set[str], come: set[str]) -> None:
    before = [name for name in NAMES if name not in come]
    after = sorted((set(before) - gone) | come)
    first, cursor = page("tools", before, before, None)
    rest = []
    while cursor is not None:
        found, cursor = page("tools", after, after, cursor)
        rest += found
    seen = first + rest
    assert len(seen) == len(set(seen))
    if len(before) > PAGE_SIZE:
        assert set(before) & set(after) <= set(seen)


def test_a_cursor_behind_the_last_entry_gives_an_empty_last_page() -> None:
    _, cursor = page("tools", NAMES, NAMES, None)
    assert page("tools", ["a"], ["a"], cursor) == ([], None)


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
        page("tools", NAMES, NAMES, cursor)
    assert caught.value.code == -32602


@given(st.text())
def test_an_arbitrary_cursor_gives_a_page_or_that_error(cursor: str) -> None:
    try:
        found, _ = page("tools", NAMES, NAMES, cursor)
    except RemoteProtocolError:
        return
    assert found == sorted(found)


@given(st.sampled_from(["tools", "prompts"]), st.text(max_size=30))
def test_names_of_any_characters_survive_in_a_cursor(listing: str, name: str) -> None:
    if not all(character.isascii() or ord(character) < 0xD800 for character in name):
        return
    keys = sorted([name, *NAMES[:PAGE_SIZE]])
    _, cursor = page(listing, keys, keys, None)
    if cursor is not None:
        assert page(listing, keys, keys, cursor)[0] == keys[PAGE_SIZE:]

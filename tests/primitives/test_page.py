"""Items of a list share characters, bytes and what is kept."""

from __future__ import annotations

from mcp_workbench.primitives.page import MAX_KEPT_ITEMS, Page
from mcp_workbench.primitives.rendered import RenderRequest, json_size
from mcp_workbench.protocol.wire import ImageContent, TextContent
from tests.support.shelf import Shelf

PICTURE = b"picture"


def page(items: list[object], *, max_chars: int = 8_000, max_bytes: int = 100_000, shelf: Shelf | None = None) -> Page:
    return Page(RenderRequest("plots", max_chars, "alice", shelf, max_bytes), items)


def test_bytes_are_shared_among_what_may_be_a_picture_and_what_one_leaves_goes_to_the_next() -> None:
    shared = page(["words", PICTURE, PICTURE])
    assert shared.request.max_bytes == 50_000
    shared.add_text("words", "text/plain", heavy=False)
    content = ImageContent(data="x" * 1_000, mime_type="image/png")
    shared.add([content], heavy=True)
    spent = json_size(content) + json_size(TextContent(text="words"))
    assert shared.request.max_bytes == 100_000 - spent


def test_characters_are_shared_among_all_items() -> None:
    shared = page(["a", PICTURE, "b", PICTURE])
    assert shared.request.max_chars == (8_000 - 200) // 4


def test_only_so_much_of_one_list_is_kept() -> None:
    shelf = Shelf()
    shared = page([PICTURE] * 30, shelf=shelf)
    links = [shared.request.keep(b"", "image/png", "a picture") for _ in range(30)]
    assert len(shelf.kept) == MAX_KEPT_ITEMS
    assert [link is not None for link in links] == [True] * MAX_KEPT_ITEMS + [False] * 10


def test_what_is_left_out_is_counted_last() -> None:
    shared = page([PICTURE, PICTURE, "x"])
    shared.add([TextContent(text="a picture")], heavy=True)
    shared.leave_out(heavy=True)
    shared.add_text("x", "text/plain", heavy=False)
    assert [part.text for part in shared.finished() if isinstance(part, TextContent)] == [
        "a picture",
        "x",
        "[Left out: 1 of 3 items. Call plots for fewer at a time, or have it return a part or a summary.]",
    ]


def test_a_text_for_which_not_even_a_part_fits_is_left_out() -> None:
    shared = page(["x" * 700, "y" * 700, "z"], max_chars=700)
    for text in ("x" * 700, "y" * 700, "z"):
        shared.add_text(text, "text/plain", heavy=False)
    texts = [part.text for part in shared.finished() if isinstance(part, TextContent)]
    assert texts[0].startswith("x")
    assert "z" in texts
    assert texts[-1].startswith("[Left out: 1 of 3 items.")

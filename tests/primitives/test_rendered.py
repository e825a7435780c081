"""Texts within the room there is, in characters and in bytes; what is cut is kept and linked."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.primitives.keeping import MAX_MEDIA_BYTES
from mcp_workbench.primitives.rendered import RenderRequest, json_size, less, text_content
from mcp_workbench.protocol.wire import ResourceLink, TextContent
from tests.support.shelf import Shelf


def request(max_chars: int = 1_000, max_bytes: int = 100_000, shelf: Shelf | None = None) -> RenderRequest:
    return RenderRequest("top_routes", max_chars, "alice", shelf, max_bytes)


def shown_of(asked: RenderRequest) -> str:
    shown, *_ = text_content("x" * 2_000, asked)
    assert isinstance(shown, TextContent)
    return shown.text


def test_a_text_that_fits_is_itself_and_nothing_is_kept() -> None:
    shelf = Shelf()
    assert text_content("x" * 1_000, request(shelf=shelf)) == [TextContent(text="x" * 1_000)]
    assert shelf.kept == []


def test_a_text_that_is_too_long_is_kept_whole_cut_and_linked() -> None:
    shelf = Shelf()
    text, link = text_content("0123456789" * 200, request(shelf=shelf), "application/json")
    assert isinstance(text, TextContent)
    assert text.text.startswith("0123456789" * 80 + "\n")
    assert text.text.endswith("\n[Cut: 800 of 2,000 characters shown. More: result://_r1?offset=800, or call top_routes for less.]")
    assert link == ResourceLink(
        uri="result://_r1", name="_r1", description="the whole result of top_routes, 2,000 characters", mime_type="application/json"
    )
    assert shelf.kept == [("0123456789" * 200, "application/json", "the whole result of top_routes, 2,000 characters", "alice")]


def test_where_a_tool_reads_what_is_kept_the_call_is_named_and_who_takes_no_arguments_is_not_called_for_less() -> None:
    by_tool = msgspec.structs.replace(request(shelf=Shelf()), by_tool=lambda: True)
    assert shown_of(by_tool).endswith(' More: df_read("_r1", offset=800), or call top_routes for less.]')
    fixed = msgspec.structs.replace(by_tool, takes_arguments=False)
    assert shown_of(fixed).endswith('More: df_read("_r2", offset=800).]')
    unkept = msgspec.structs.replace(fixed, keeper=None)
    assert shown_of(unkept).endswith("shown. Have top_routes return a part or a summary.]")


def test_what_cannot_be_kept_is_cut_without_a_link() -> None:
    (text,) = text_content("x" * 2_000, request(shelf=Shelf(full=True)))
    assert isinstance(text, TextContent)
    assert text.text.endswith("Call top_routes for less at a time, or have it return a part or a summary.]")


def test_characters_that_take_many_bytes_are_counted_in_bytes() -> None:
    shelf = Shelf()
    text, _ = text_content("\U0001f600" * 1_000, request(max_bytes=2_000, shelf=shelf))
    assert isinstance(text, TextContent)
    assert 1_000 < json_size(text.text) <= 2_000
    assert "of 1,000 characters shown" in text.text


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\\n\x00'), max_size=2_000),
    st.integers(1, 2_000),
    st.integers(1, 8_000),
)
def test_what_fits_really_fits_and_no_more_is_left_out_than_must_be(text: str, max_chars: int, max_bytes: int) -> None:
    chars = request(max_chars, max_bytes).fitting(text)
    assert chars <= min(max_chars, len(text))
    if chars > 1:
        assert json_size(text[:chars]) <= max_bytes
    if len(text) <= max_chars and json_size(text) <= max_bytes:
        assert chars == len(text)


@given(st.text(min_size=1, max_size=3_000), st.integers(1, 1_500))
def test_the_shown_part_and_the_rest_from_the_offset_are_the_whole(text: str, max_chars: int) -> None:
    shelf = Shelf()
    shown, *links = text_content(text, request(max_chars, shelf=shelf))
    assert isinstance(shown, TextContent)
    if not links:
        assert shown.text == text
        return
    offset = int(shown.text.rpartition("?offset=")[2].partition(",")[0])
    assert shown.text.startswith(text[:offset] + "\n[Cut: ")
    assert shelf.only == (text, "text/plain")


def test_media_has_the_room_that_the_text_leaves_and_never_more_than_a_message_takes() -> None:
    assert request(8_000, 760 * 1024).media_bytes == MAX_MEDIA_BYTES
    assert request(1_000, 42_000).media_bytes == 30_000
    assert request(100_000, 40_000).media_bytes == 15_000


def test_beside_other_content_there_is_less_room() -> None:
    content = [TextContent(text="x" * 500)]
    assert less(request(max_bytes=1_000), content).max_bytes == 1_000 - len(msgspec.json.encode(content[0]))
    assert less(request(max_bytes=100), content).max_bytes == 0


def test_a_lone_surrogate_counts_and_does_not_raise() -> None:
    assert json_size("\ud800") == 6

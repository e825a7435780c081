"""Long results in slices: exact, owned, and told what they leave out."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.live.documents import DEFAULT_CHARS, MAX_CHARS, Document, Documents, slice_of
from mcp_workbench.live.results import Results
from mcp_workbench.primitives.binding import ArgumentError
from mcp_workbench.protocol.wire import ResourceContents, ResourceLink

TEXT = "".join(f"{number:06}\n" for number in range(3_000))


def kept(data: str | bytes = TEXT, mime_type: str = "text/plain", principal: str = "alice") -> Documents:
    documents = Documents(Results())
    assert documents.keep(data, mime_type, "a result", principal) is not None
    return documents


def data_of(contents: ResourceContents) -> str | bytes:
    if isinstance(contents.text, str):
        return contents.text
    assert isinstance(contents.blob, str)
    return base64.b64decode(contents.blob)


def walk(documents: Documents, uri: str) -> list[str | bytes]:
    """All slices from a URI on, each where the one before says the next is."""
    slices: list[str | bytes] = []
    following: object = uri
    while isinstance(following, str):
        first, *_ = documents.read(following, "alice")
        slices.append(data_of(first))
        assert isinstance(first.meta, dict)
        following = first.meta.get("mcp-workbench/next")
    return slices


def test_a_link_says_what_is_kept_and_how_much() -> None:
    documents = Documents(Results())
    assert documents.keep("é" * 10, "text/markdown", "words", "alice") == ResourceLink(
        uri="result://_r1", name="_r1", description="words", mime_type="text/markdown", size=20
    )
    assert documents.keep(b"\x89PNG", "image/png", "a picture", "alice") == ResourceLink(
        uri="result://_r2", name="_r2", description="a picture", mime_type="image/png", size=4
    )


def test_what_is_larger_than_the_store_has_no_link() -> None:
    assert Documents(Results(max_bytes=100)).keep("x" * 200, "text/plain", "a result", "alice") is None


def test_a_short_document_is_read_whole_with_its_own_type_and_no_note() -> None:
    (contents,) = kept("# hi", "text/markdown").read("result://_r1", "alice")
    assert contents == ResourceContents(
        uri="result://_r1",
        mime_type="text/markdown",
        text="# hi",
        meta={"mcp-workbench/offset": 0, "mcp-workbench/returned": 4, "mcp-workbench/total": 4},
    )


def test_a_slice_says_what_it_leaves_out_and_where_that_is() -> None:
    documents = kept()
    first, note = documents.read("result://_r1?offset=700&limit=70", "alice")
    assert (first.text, first.mime_type) == (TEXT[700:770], "text/plain")
    assert note.text == "[Characters 700-769 of 21,000 of _r1. More: result://_r1?offset=770&limit=70]"
    assert first.uri == note.uri == "result://_r1?offset=700&limit=70"
    _, last = documents.read("result://_r1?offset=20000", "alice")
    assert last.text == "[Characters 20,000-20,999 of 21,000 of _r1. These are the last.]"
    empty, nothing = documents.read("result://_r1?offset=30000", "alice")
    assert (empty.text, nothing.text) == ("", "[Nothing at offset 30,000: _r1 has 21,000 characters.]")


def test_without_a_limit_a_slice_is_as_long_as_the_reader_shows() -> None:
    documents = kept()
    assert len(data_of(documents.read("result://_r1", "alice")[0])) == DEFAULT_CHARS
    assert len(data_of(documents.read("result://_r1", "alice", default_chars=20_000)[0])) == 20_000
    assert len(data_of(documents.read("result://_r1", "alice", default_chars=0)[0])) == 1
    assert len(data_of(kept("x" * 300_000).read("result://_r1", "alice", default_chars=200_000)[0])) == MAX_CHARS
    assert len(data_of(kept(bytes(9_000)).read("result://_r1", "alice", default_bytes=5_000)[0])) == 5_000


def test_a_part_of_a_picture_is_bytes_and_a_part_of_json_is_text() -> None:
    for data, own, part in ((b"\x89PNG" * 10, "image/png", "application/octet-stream"), ("[1, 2, 3]", "application/json", "text/plain")):
        documents = kept(data, own)
        assert documents.read("result://_r1", "alice")[0].mime_type == own
        assert documents.read("result://_r1?limit=3", "alice")[0].mime_type == part
        assert documents.read("result://_r1?offset=3", "alice")[0].mime_type == part


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300) | st.binary(min_size=1, max_size=300),
    st.integers(0, 40),
    st.integers(1, 90),
)
def test_slices_side_by_side_are_the_document(data: str | bytes, start: int, limit: int) -> None:
    slices = walk(kept(data), f"result://_r1?offset={start}&limit={limit}")
    joined = "".join(map(str, slices)) if isinstance(data, str) else b"".join(part for part in slices if isinstance(part, bytes))
    assert joined == data[start:]
    assert all(len(part) == limit for part in slices[:-1])


@given(st.text(max_size=50), st.integers(0, 60), st.integers(1, 60) | st.none())
def test_a_slice_knows_whether_it_is_the_whole(data: str, offset: int, limit: int | None) -> None:
    found = slice_of(Document("_r1", data, "text/markdown", ""), offset, limit)
    assert found.data == data[offset : None if limit is None else offset + limit]
    assert (found.note is None) == found.whole == (found.data == data and not offset)
    assert (found.mime_type == "text/markdown") == found.whole
    assert (found.next_uri is not None) == (offset < found.end < len(data))


def test_a_document_exists_only_for_its_principal_and_the_author() -> None:
    documents = kept()
    assert documents.read("result://_r1", None)
    with pytest.raises(NotFound) as foreign:
        documents.read("result://_r1", "bob")
    with pytest.raises(NotFound) as never:
        documents.read("result://_r9", "bob")
    assert str(foreign.value).replace("_r1", "_r9") == str(never.value)


@pytest.mark.parametrize(
    "uri", ["result://_r1", "RESULT://_r1", "result://%5Fr1", "result://_r1/", "result://_r1?offset=0", "result://_r1#top"]
)
def test_ways_to_write_one_uri(uri: str) -> None:
    assert data_of(kept("hi").read(uri, "alice")[0]) == "hi"


@pytest.mark.parametrize("uri", ["df://_r1", "result:/_r1", "result://", "result://_r1/rows", "", "result"])
def test_what_can_be_no_document_is_not_resolved(uri: str) -> None:
    documents = kept()
    assert documents.resolve(uri) is None
    with pytest.raises(NotFound, match="results are read as result://_r8"):
        documents.read(uri, "alice")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("ofset=3", "No parameter 'ofset' for result://_r1. Nearest: offset."),
        ("columns=a", "No parameter 'columns' for result://_r1. There are: offset, limit."),
        ("offset=-1", "offset is a whole number from 0 to 9,007,199,254,740,992, not -1. Nearest: 0."),
        ("offset=x", "offset is a whole number from 0 to 9,007,199,254,740,992, not 'x'."),
        ("offset=1.5", "offset is a whole number from 0 to 9,007,199,254,740,992, not '1.5'."),
        ("limit=0", "limit is a whole number from 1 to 100,000, not 0. Nearest: 1."),
        ("limit=1000000", "limit is a whole number from 1 to 100,000, not 1,000,000. Nearest: 100000."),
        ("limit=", "limit is a whole number from 1 to 100,000, not ''."),
        ("offset=" + "9" * 5_000, f"offset is a whole number from 0 to 9,007,199,254,740,992, not '{'9' * 58}'."),
        ("offset=--1", "offset is a whole number from 0 to 9,007,199,254,740,992, not '--1'."),
        ("offset=%D9%A3", "offset is a whole number from 0 to 9,007,199,254,740,992, not '\u0663'."),
    ],
)
def test_a_parameter_that_does_not_fit_is_a_sentence(query: str, sentence: str) -> None:
    with pytest.raises(ArgumentError) as told:
        kept().read(f"result://_r1?{query}", "alice")
    assert str(told.value) == sentence


def test_a_name_that_is_no_results_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"^No result 'flights': results have names like _r8\.$"):
        kept().read("result://flights", "alice")


def test_a_lone_surrogate_is_kept_all_the_same() -> None:
    link = Documents(Results()).keep("a\ud800", "text/plain", "odd", "alice")
    assert link is not None
    assert link.size == 4

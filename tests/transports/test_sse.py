from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.transports.http_incoming import COMMENT, event
from mcp_workbench.transports.sse import EventReader, EventTooLargeError, ServerEvent

LINES = st.binary(max_size=30).map(lambda data: data.replace(b"\n", b"").replace(b"\r", b""))


@given(st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=5), st.sampled_from([b"\n", b"\r", b"\r\n"]), st.lists(st.integers(1, 9)))
def test_events_are_the_same_however_they_are_cut_up(events: list[list[bytes]], end: bytes, cuts: list[int]) -> None:
    stream = b"".join(b"".join(b"data: " + line + end for line in lines) + end for lines in events) + b":" + end
    reader, read = EventReader(10_000), []
    for cut in [*cuts, len(stream) + 1]:
        piece, stream = stream[:cut], stream[cut:]
        read += reader.feed(piece)
    assert [each.data for each in read] == [b"\n".join(lines) for lines in events]


def test_what_our_server_writes_is_read() -> None:
    reader = EventReader(1000)
    assert reader.feed(COMMENT + event(b'{"a":1}', "s-1-1") + COMMENT + event(b"{}")) == [
        ServerEvent(b'{"a":1}', event_id="s-1-1"),
        ServerEvent(b"{}"),
    ]
    assert reader.last_id == "s-1-1"


def test_fields_are_what_the_standard_says() -> None:
    reader = EventReader(1000)
    assert reader.feed(b"\xef\xbb\xbfevent: other\ndata:x\ndata:  y\nunknown: z\ndata\n\n") == [ServerEvent(b"x\n y\n", "other")]
    assert reader.feed(b"\n\nevent: nothing\n\n: comment\n\n") == []
    assert reader.feed(b"id: 7\nretry: 250\ndata:\n\n") == [ServerEvent(b"", event_id="7", retry_ms=250)]
    assert (reader.last_id, reader.retry_ms) == ("7", 250)
    assert reader.feed(b"id: a\0b\nretry: soon\ndata: x\n\n") == [ServerEvent(b"x")]
    assert (reader.last_id, reader.retry_ms) == ("7", 250)


def test_each_event_tells_its_own_id_and_pause_whatever_comes_in_the_same_piece() -> None:
    reader = EventReader(1000)
    assert reader.feed(b"id: 1\nretry: 100\ndata: \n\nid: 2\ndata: a\n\nretry: 5\n\ndata: b\n\n") == [
        ServerEvent(b"", event_id="1", retry_ms=100),
        ServerEvent(b"a", event_id="2"),
        ServerEvent(b"", retry_ms=5),
        ServerEvent(b"b"),
    ]
    assert (reader.last_id, reader.retry_ms) == ("2", 5)


def test_a_line_end_that_is_cut_in_two_is_one() -> None:
    reader = EventReader(1000)
    assert reader.feed(b"data: a\r") == []
    assert reader.feed(b"") == []
    assert reader.feed(b"\ndata: b\r") == []
    assert reader.feed(b"\n\r\ndata: c\n\r") == [ServerEvent(b"a\nb"), ServerEvent(b"c")]
    assert reader.feed(b"\n") == []


@given(
    st.lists(LINES, min_size=1, max_size=4), st.sampled_from([b"\n", b"\r", b"\r\n"]), st.none() | st.just("i-1"), st.none() | st.just(7)
)
def test_what_is_written_with_line_breaks_is_read_with_them(
    lines: list[bytes], end: bytes, event_id: str | None, retry_ms: int | None
) -> None:
    written = event(end.join(lines), event_id, kind="other", retry_ms=retry_ms)
    assert EventReader(1000).feed(written) == [ServerEvent(b"\n".join(lines), "other", event_id, retry_ms)]


def test_many_lines_take_no_more_memory_than_they_have_bytes() -> None:
    reader, lines = EventReader(1 << 20), b"data\n" * (1 << 12)
    tracemalloc.start()
    try:
        for _ in range(64):
            assert reader.feed(lines) == []
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


def test_an_event_that_is_too_large_is_not_waited_for() -> None:
    for endless in (b"data: " + b"x" * 200, b"data: x\n" * 60):
        with pytest.raises(EventTooLargeError):
            EventReader(100).feed(endless)

from __future__ import annotations

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
    assert reader.feed(COMMENT + event(b'{"a":1}', "s-1-1") + COMMENT + event(b"{}")) == [ServerEvent(b'{"a":1}'), ServerEvent(b"{}")]
    assert reader.last_id == "s-1-1"


def test_fields_are_what_the_standard_says() -> None:
    reader = EventReader(1000)
    assert reader.feed(b"\xef\xbb\xbfevent: other\ndata:x\ndata:  y\nunknown: z\ndata\n\n") == [ServerEvent(b"x\n y\n", "other")]
    assert reader.feed(b"\n\nevent: nothing\n\n: comment\n\n") == []
    assert reader.feed(b"id: 7\nretry: 250\ndata:\n\n") == [ServerEvent(b"")]
    assert (reader.last_id, reader.retry_ms) == ("7", 250)
    assert reader.feed(b"id: a\0b\nretry: soon\ndata: x\n\n") == [ServerEvent(b"x")]
    assert (reader.last_id, reader.retry_ms) == ("7", 250)


def test_an_event_that_is_too_large_is_not_waited_for() -> None:
    for endless in (b"data: " + b"x" * 200, b"data: x\n" * 60):
        with pytest.raises(EventTooLargeError):
            EventReader(100).feed(endless)

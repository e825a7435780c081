from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.transports.gate import HandshakeRequest, Refuse
from mcp_workbench.transports.http_body import MIN_FRAMING_BYTES, BodyTooLargeError, BrokenBodyError, ChunkedBody, body_length


def length_of(**headers: list[str]) -> int | Refuse | None:
    return body_length(HandshakeRequest("POST", "/mcp", {name.replace("_", "-"): values for name, values in headers.items()}, 1), 1000)


def test_one_way_of_saying_the_length_is_believed() -> None:
    assert length_of() == 0
    assert length_of(content_length=["17"]) == 17
    assert length_of(transfer_encoding=["Chunked"]) is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content_length": ["5"], "transfer_encoding": ["chunked"]}, 400),
        ({"content_length": ["5", "5"]}, 400),
        ({"content_length": ["5, 5"]}, 400),
        ({"content_length": ["5", "6"]}, 400),
        ({"content_length": ["-5"]}, 400),
        ({"content_length": ["+5"]}, 400),
        ({"content_length": ["0x5"]}, 400),
        ({"content_length": ["٥"]}, 400),
        ({"content_length": [""]}, 400),
        ({"content_length": ["1001"]}, 413),
        ({"content_length": ["9" * 40]}, 400),
        ({"transfer_encoding": ["gzip"]}, 501),
        ({"transfer_encoding": ["gzip, chunked"]}, 501),
        ({"transfer_encoding": ["chunked", "chunked"]}, 501),
        ({"transfer_encoding": ["\x0bchunked"]}, 501),
        ({"transfer_encoding": ["identity"]}, 501),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(headers: dict[str, list[str]], status: int) -> None:
    refusal = length_of(**headers)
    assert isinstance(refusal, Refuse)
    assert refusal.status == status


def chunked(parts: list[bytes]) -> bytes:
    return b"".join(b"%x;a=b\r\n%b\r\n" % (len(part), part) for part in parts if part) + b"0\r\nA: b\r\n\r\n"


@given(st.lists(st.binary(max_size=40)), st.lists(st.integers(1, 30)), st.binary(max_size=20))
def test_a_chunked_body_is_the_same_however_it_is_cut_up(parts: list[bytes], cuts: list[int], behind: bytes) -> None:
    data, reader, taken = chunked(parts) + behind, ChunkedBody(), b""
    for cut in [*cuts, len(data) + 1]:
        piece, data = data[:cut], data[cut:]
        if reader.ended:
            data = piece + data
            break
        reader.feed(piece)
        taken += reader.take()
    assert reader.ended
    assert taken == b"".join(parts)
    assert reader.rest + data == behind


@pytest.mark.parametrize(
    "broken",
    [
        b"x\r\n",
        b"-1\r\n",
        b"\r\n",
        b"5\nhello\r\n",
        b"5\r\nhelloXX\r\n",
        b"0x5\r\nhello\r\n",
        b"+5\r\nhello\r\n",
        b"123456789\r\n",
        b"5" + b" " * 300,
        b"0\r\n" + b"a" * 5000,
        b"3e9\r\n",
    ],
)
def test_what_is_not_chunked_is_not_read_on(broken: bytes) -> None:
    with pytest.raises(BrokenBodyError):
        ChunkedBody(1000).feed(broken)


def test_the_limit_is_for_all_chunks_together() -> None:
    reader = ChunkedBody(10)
    reader.feed(b"6\r\nabcdef\r\n")
    with pytest.raises(BodyTooLargeError, match="10 bytes"):
        reader.feed(b"5\r\n")


def test_a_body_of_crumbs_is_refused_long_before_its_end_and_only_where_there_is_a_limit() -> None:
    crumb = b"1\r\nx\r\n"
    few = MIN_FRAMING_BYTES // 5
    reader = ChunkedBody(4_194_304)
    reader.feed(crumb * few)
    with pytest.raises(BrokenBodyError, match="chunks are too small") as told:
        reader.feed(crumb * few)
    assert not isinstance(told.value, BodyTooLargeError)
    endless = ChunkedBody()
    endless.feed(crumb * few * 3)
    assert endless.take() == b"x" * few * 3
    ordinary = ChunkedBody(4_194_304)
    ordinary.feed((b"80\r\n" + b"x" * 128 + b"\r\n") * 32_768 + b"0\r\n\r\n")
    assert ordinary.ended

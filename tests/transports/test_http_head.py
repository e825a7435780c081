from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.transports.gate import HandshakeRequest, Refuse, Serve
from mcp_workbench.transports.http_head import parse_request, refuse_early, render_page, render_refusal, render_switch


def parse(head: bytes) -> HandshakeRequest | Refuse:
    return parse_request(head, port=80, secure=False)


def status(head: bytes) -> int:
    parsed = parse(head)
    assert isinstance(parsed, Refuse)
    return parsed.status


def test_a_request_head_becomes_its_parts() -> None:
    parsed = parse_request(b"GET /mcp?x=1 HTTP/1.1\r\nHost: a\r\nX-Y:  b c \t\r\nx-y:\r\nZ: \xe9", port=8801, secure=True)
    assert parsed == HandshakeRequest("GET", "/mcp?x=1", {"host": ["a"], "x-y": ["b c", ""], "z": ["\xe9"]}, 8801, secure=True)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"GET", b"GET /", b"GET / HTTP/1.1 ", b"GET  / HTTP/1.1", b" GET / HTTP/1.1", b"get / HTTP/1.1", b"GET /\xff HTTP/1.1",
        b"GET /a b HTTP/1.1", b"GET / HTTP/11", b"GET / http/1.1", b"GET /\0 HTTP/1.1", b"GET /\n HTTP/1.1", b"\x16\x03\x01",
    ],
)  # fmt: skip
def test_what_is_no_request_line_is_refused(line: bytes) -> None:
    assert status(line) == 400


@pytest.mark.parametrize(
    "header", [b"no colon", b" folded: x", b"a b: x", b"a : x", b": x", b"a: \0", b"a: x\n", b"a: x\rb", b"\xe9: x", b""]
)
def test_a_malformed_header_is_refused(header: bytes) -> None:
    assert status(b"GET / HTTP/1.1\r\nHost: a\r\n" + header) == 400


def test_other_http_versions_are_refused() -> None:
    assert status(b"GET / HTTP/1.0") == 505
    assert status(b"PRI * HTTP/2.0") == 505


def test_every_bound_has_its_refusal() -> None:
    assert status(b"GET /" + b"a" * 9000 + b" HTTP/1.1") == 414
    assert status(b"GET / HTTP/1.1\r\nX: " + b"a" * 9000) == 431
    assert status(b"GET / HTTP/1.1" + b"\r\nX: a" * 129) == 431
    assert status(b"GET / HTTP/1.1" + (b"\r\nX: " + b"a" * 8000) * 5) == 431
    assert isinstance(parse(b"GET / HTTP/1.1" + b"\r\nX: a" * 128), HandshakeRequest)


def test_a_head_that_can_no_longer_become_a_request_is_refused_early() -> None:
    assert refuse_early(b"") is None
    assert refuse_early(b"GET / HT") is None
    assert refuse_early(b"GET / HTTP/1.1\r\nHost: a") is None
    for head, expected in (
        (b"\x16\x03\x01", 400),
        (b"hello\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a", 400),
        (b"GET /" + b"a" * 9000, 414),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 6000, 431),
    ):
        refusal = refuse_early(head)
        assert refusal is not None
        assert refusal.status == expected


@given(st.binary(max_size=300), st.sampled_from([b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: "]))
def test_no_bytes_make_the_parser_raise(data: bytes, before: bytes) -> None:
    assert isinstance(parse(before + data), HandshakeRequest | Refuse)
    refuse_early(before + data)


@given(st.integers(1, 120))
def test_a_head_refused_early_is_refused_when_whole(cut: int) -> None:
    head = b"GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nAuthorization: Bearer abc"
    assert refuse_early(head[:cut]) is None


def test_a_refusal_is_a_short_plain_response_that_ends_the_connection() -> None:
    head, _, body = render_refusal(Refuse(401, "No.", (("WWW-Authenticate", "Bearer"),))).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 401 Unauthorized"
    assert {b"Connection: close", b"Content-Length: 4", b"WWW-Authenticate: Bearer", b"Content-Type: text/plain; charset=utf-8"} < set(
        lines
    )
    assert body == b"No.\n"


def test_a_page_is_told_whole_and_for_head_without_its_body() -> None:
    page = Serve("é".encode(), 200, (("Content-Type", "text/html; charset=utf-8"),))
    head, _, body = render_page(page).partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 200 OK"
    assert {b"Connection: close", b"Content-Length: 2", b"Content-Type: text/html; charset=utf-8"} < set(head.split(b"\r\n"))
    assert body == "é".encode()
    assert render_page(page, head_only=True).endswith(b"\r\n\r\n")
    assert b"Content-Length: 2\r\n" in render_page(page, head_only=True)
    assert render_refusal(Refuse(404, "No."), head_only=True).endswith(b"\r\n\r\n")


def test_the_switch_answers_the_key_of_rfc_6455() -> None:
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in render_switch("dGhlIHNhbXBsZSBub25jZQ==", None)
    assert b"Sec-WebSocket-Protocol" not in render_switch("dGhlIHNhbXBsZSBub25jZQ==", None)
    assert b"\r\nSec-WebSocket-Protocol: mcp\r\n" in render_switch("dGhlIHNhbXBsZSBub25jZQ==", "mcp")

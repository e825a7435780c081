"""The little HTTP that a WebSocket handshake and a page need: a strict request head in, one response out.

Bytes and values only. What a request may do is the gate's affair; the head is parsed here, apart from the
WebSocket library, because that one goes on to interpret frames behind the head before anybody has said yes.
"""

from __future__ import annotations

import re
from email.utils import formatdate
from http import HTTPStatus

from websockets.utils import accept_key

from mcp_workbench.transports.gate import HandshakeRequest, Refuse, Serve

MAX_LINE_BYTES = 8192
MAX_HEAD_BYTES = 32 * 1024
MAX_HEADERS = 128
END_OF_HEAD = b"\r\n\r\n"

_REQUEST_LINE = re.compile(rb"([A-Z]{1,16}) ([\x21-\x7e]+) HTTP/([0-9]\.[0-9])")
# RFC 9112 section 5: a token, a colon with nothing before it, a value without control characters; no folded lines.
_HEADER = re.compile(rb"([-!#$%&'*+.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)")

_NOT_HTTP = Refuse(400, "This is not an HTTP/1.1 request.")
_LONG_LINE = Refuse(414, "The request line is too long.")
_LONG_HEAD = Refuse(431, "The request's headers are too long.")


def refuse_early(head: bytes | bytearray) -> Refuse | None:
    """Say what is wrong already with a head that has not ended yet; None while it may become a request.

    Args:
        head: What arrived so far, without the end of the head.
    """
    line, newline, _ = head.partition(b"\n")
    if len(line) > MAX_LINE_BYTES:
        return _LONG_LINE
    if not newline:
        return None if not line or line[:1].isalpha() else _NOT_HTTP
    if not line.endswith(b"\r") or _REQUEST_LINE.fullmatch(line[:-1]) is None:
        return _NOT_HTTP
    return _LONG_HEAD if len(head) > MAX_HEAD_BYTES else None


def parse_request(head: bytes, *, port: int, secure: bool) -> HandshakeRequest | Refuse:
    """Read a whole request head.

    Args:
        head: Request line and headers, up to and without the empty line.
        port: The port of ours it arrived at.
        secure: Whether it arrived over TLS.

    Returns:
        The request, or the refusal of a head that is not one.
    """
    first, *lines = head.split(b"\r\n")
    if len(first) > MAX_LINE_BYTES:
        return _LONG_LINE
    request_line = _REQUEST_LINE.fullmatch(first)
    if request_line is None:
        return _NOT_HTTP
    if len(head) > MAX_HEAD_BYTES:
        return _LONG_HEAD
    if request_line[3] != b"1.1":
        return Refuse(505, "This server speaks HTTP/1.1.")
    headers = _parse_headers(lines)
    if isinstance(headers, Refuse):
        return headers
    return HandshakeRequest(request_line[1].decode(), request_line[2].decode(), headers, port, secure)


def _parse_headers(lines: list[bytes]) -> dict[str, list[str]] | Refuse:
    if len(lines) > MAX_HEADERS or any(len(line) > MAX_LINE_BYTES for line in lines):
        return Refuse(431, "The request has too many or too long headers.")
    headers: dict[str, list[str]] = {}
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            return Refuse(400, "A header of this request is malformed.")
        headers.setdefault(match[1].decode().lower(), []).append(match[2].decode("latin-1").strip(" \t"))
    return headers


def render_refusal(refusal: Refuse, *, head_only: bool = False) -> bytes:
    """A short text/plain response after which the connection is closed."""
    headers = (("Content-Type", "text/plain; charset=utf-8"), *refusal.headers)
    return render_page(Serve(f"{refusal.sentence}\n".encode(), refusal.status, headers), head_only=head_only)


def render_page(page: Serve, *, head_only: bool = False) -> bytes:
    """A response after which the connection is closed.

    Args:
        page: What it says.
        head_only: Leave the body out, as for HEAD; its length is told all the same (RFC 9110 section 9.3.2).
    """
    lines = [
        f"HTTP/1.1 {page.status} {HTTPStatus(page.status).phrase}",
        f"Date: {formatdate(usegmt=True)}",
        "Connection: close",
        f"Content-Length: {len(page.body)}",
        *(f"{name}: {value}" for name, value in page.headers),
    ]
    return "\r\n".join(lines).encode() + END_OF_HEAD + (b"" if head_only else page.body)


def render_switch(key: str, subprotocol: str | None) -> bytes:
    """The 101 response: RFC 6455 section 4.2.2, without any extension.

    Args:
        key: The request's Sec-WebSocket-Key.
        subprotocol: The one selected, None for none.
    """
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(key)}",
        *([f"Sec-WebSocket-Protocol: {subprotocol}"] if subprotocol is not None else []),
    ]
    return "\r\n".join(lines).encode() + END_OF_HEAD

"""What the load sends and how it tells where an answer ends: WebSocket and HTTP/1.1 by hand.

A client library costs more than the servers being measured, so requests are prepared bytes and answers
are cut out of what the socket gave, no more. One `Connection` serves every subject; what differs is in
the `Target` that a server prints about itself when it is ready. Blocking sockets; `load.py` is the neighbour
that keeps many of them busy.
"""

from __future__ import annotations

import base64
import os
import socket
import ssl
from typing import Literal

import msgspec

FIRST_ID = 1_000_000_000
"""Ids have ten digits, so every request of a target has the same length and the same frame header."""

TIMEOUT_S = 20.0
"""Longest wait for one answer."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to measure: how to reach it, what to send, what a good answer contains."""

    kind: Literal["websocket", "http"]
    port: int
    """On 127.0.0.1."""
    path: str
    body: str
    """The request; `%d` stands for its id, where it has one."""
    expect: str
    """Text that every good answer contains."""
    headers: dict[str, str] = {}
    opening: list[str] = []
    """Sent once per WebSocket connection; each text with an `id` is answered before the next is sent."""
    tls: bool = False


class BadAnswerError(Exception):
    """A server answered with something else than the result that was asked for."""


class Connection:
    """One connection to a target."""

    __slots__ = ("_request", "_rest", "_take", "socket", "target")

    def __init__(self, target: Target) -> None:
        """Connect, and hold the handshake and the opening of a WebSocket."""
        self.target = target
        self._rest = b""
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", target.port), TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.tls:
            self.socket = _tls_context().wrap_socket(self.socket)
        if target.kind == "http":
            self._request, self._take = _http_request(target), take_http
            return
        self._request, self._take = frame_template(target.body), take_websocket
        self._upgrade()
        for text in target.opening:
            self.send_text(text)
            if '"id"' in text:
                self.receive()

    def request(self, number: int) -> bytes:
        """The bytes of one request."""
        return self._request % number if b"%d" in self._request else self._request

    def feed(self, data: bytes) -> bytes | None:
        """Take in what the socket gave; the next whole answer, or None when more is needed."""
        self._rest = self._rest + data if self._rest else data
        answer, used = self._take(self._rest)
        while answer is None and used:
            self._rest = self._rest[used:]
            answer, used = self._take(self._rest)
        self._rest = self._rest[used:] if used < len(self._rest) else b""
        return answer

    def receive(self) -> bytes:
        """Block until the next whole answer is here."""
        answer = self.feed(b"") if self._rest else None
        while answer is None:
            data = self.socket.recv(65536)
            if not data:
                raise BadAnswerError(f"the server on port {self.target.port} closed the connection instead of answering")
            answer = self.feed(data)
        return answer

    def send_text(self, text: str) -> None:
        """Send one WebSocket text."""
        self.socket.sendall(frame(text.encode()))

    def check(self, answer: bytes) -> None:
        """Raise unless this is the answer that was asked for."""
        if self.target.expect.encode() not in answer:
            raise BadAnswerError(f"expected {self.target.expect} in the answer, got {answer[:200].decode(errors='replace')}")

    def close(self) -> None:
        """Drop the connection."""
        self.socket.close()

    def _upgrade(self) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        headers = {
            "Host": f"127.0.0.1:{self.target.port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "mcp",
        } | self.target.headers
        self.socket.sendall(_http_head(f"GET {self.target.path} HTTP/1.1", headers))
        head = b""
        while b"\r\n\r\n" not in head:
            data = self.socket.recv(65536)
            if not data:
                break
            head += data
        status, _, self._rest = head.partition(b"\r\n\r\n")
        if not status.startswith(b"HTTP/1.1 101"):
            raise BadAnswerError(f"expected a WebSocket on port {self.target.port}, got {status[:80].decode(errors='replace')}")


def frame(payload: bytes) -> bytes:
    """One client text frame (RFC 6455, 5.2). The mask is zero: legal to send, and nothing to compute for a loopback load."""
    if len(payload) < 126:
        length = bytes([0x80 | len(payload)])
    elif len(payload) < 65536:
        length = b"\xfe" + len(payload).to_bytes(2, "big")
    else:
        length = b"\xff" + len(payload).to_bytes(8, "big")
    return b"\x81" + length + bytes(4) + payload


def frame_template(body: str) -> bytes:
    """A frame whose `%d` is filled in by `%`."""
    if "%d" not in body:
        return frame(body.encode())
    whole = frame((body % FIRST_ID).encode())
    return whole.replace(b"%", b"%%").replace(str(FIRST_ID).encode(), b"%d")


def take_websocket(data: bytes) -> tuple[bytes | None, int]:
    """The first frame of a server (never masked): its payload if it is a text, and its length; (None, 0): not whole yet."""
    if len(data) < 2:
        return None, 0
    size, start = data[1] & 127, 2
    if size == 126:
        size, start = int.from_bytes(data[2:4], "big"), 4
    elif size == 127:
        size, start = int.from_bytes(data[2:10], "big"), 10
    end = start + size
    if len(data) < end:
        return None, 0
    # Only texts count; a ping may stay unanswered for the short time a measurement takes.
    return (data[start:end] if data[0] & 15 == 1 else None), end


def take_http(data: bytes) -> tuple[bytes | None, int]:
    """The first response and its length; (None, 0): not whole yet."""
    head_end = data.find(b"\r\n\r\n")
    if head_end < 0:
        return None, 0
    head = data[:head_end].lower()
    at = head.find(b"content-length:")
    if at < 0:
        raise BadAnswerError(f"expected a response with a content-length, got {data[:120].decode(errors='replace')}")
    end = head_end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
    return (data[:end], end) if len(data) >= end else (None, 0)


def _http_head(first_line: str, headers: dict[str, str]) -> bytes:
    return "\r\n".join([first_line, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()


def _http_request(target: Target) -> bytes:
    size = len(target.body % FIRST_ID if "%d" in target.body else target.body)
    headers = {"Host": f"127.0.0.1:{target.port}", "Content-Type": "application/json", "Content-Length": str(size)} | target.headers
    return _http_head(f"POST {target.path} HTTP/1.1", headers) + target.body.encode()


def _tls_context() -> ssl.SSLContext:
    """Believes any certificate: the cost of TLS is measured, on loopback, against a server just started."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

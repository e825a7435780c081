"""One HTTP request that was let in, and the ways to answer it: at once, or as a stream of events.

The connection it came on (`http_server`) writes what is said here; what is said is decided by `streamable_http`
and its two neighbours. Loop thread only.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import Protocol

from mcp_workbench.events import Principal
from mcp_workbench.transports.gate import HandshakeRequest

Headers = Sequence[tuple[str, str]]

JSON = (("Content-Type", "application/json"),)
TEXT = (("Content-Type", "text/plain; charset=utf-8"),)
EVENTS = (("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache, no-transform"), ("X-Accel-Buffering", "no"))
"""What keeps proxies from holding events back or changing them."""
COMMENT = b": \n\n"
"""An event stream's sign of life: clients skip it."""
_LINE_BREAK = re.compile(rb"\r\n|\n|\r")


class Keeper(Protocol):
    """What outlives a request on its connection."""

    def lost(self) -> None:
        """The connection is gone."""


class Line(Protocol):
    """The connection, as far as one request sees it."""

    keeper: Keeper | None
    """Kept for the next requests on it, whatever it is."""

    @property
    def remote(self) -> str:
        """The other end as text."""

    @property
    def full(self) -> bool:
        """Whether what is written would pile up."""

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the operating system has not taken yet."""

    def write(self, data: bytes) -> None:
        """Write; ignored when it is gone."""

    def answered(self, *, keep: bool) -> None:
        """The answer is complete; the connection goes on with another request, or ends."""

    def abort(self) -> None:
        """Drop it."""


class Incoming:
    """A request with its body.

    Args:
        line: Where the answer goes.
        request: Its head.
        principal: Who asks.
        body: All of it.
        headers: Of every answer, whatever it is.
    """

    __slots__ = (
        "_headers",
        "_keep",
        "body",
        "bytes_sent",
        "ended",
        "line",
        "on_beat",
        "on_gone",
        "on_writable",
        "principal",
        "request",
        "streaming",
    )

    def __init__(self, line: Line, request: HandshakeRequest, principal: Principal, body: bytes, headers: Headers = ()) -> None:
        self.request = request
        self.principal = principal
        self.body = body
        self.bytes_sent = 0
        self.streaming = False
        """Whether the answer is a stream that has begun."""
        self.ended = False
        """Whether the answer is complete, or the connection gone: what is said now is said to nobody."""
        self.on_gone: Callable[[], None] = _nothing
        """Called once when the connection is gone before the answer was complete."""
        self.on_writable: Callable[[], None] = _nothing
        """Called when `writable` has become true again."""
        self.on_beat: Callable[[], None] = _nothing
        """Called every 15 s while the answer is not complete."""
        self.line = line
        self._headers = headers
        self._keep = "close" not in [word.strip().lower() for each in request.headers.get("connection", ()) for word in each.split(",")]

    @property
    def writable(self) -> bool:
        """Whether what is written would be taken without piling up."""
        return self.ended or not self.line.full

    @property
    def unsent_bytes(self) -> int:
        """Bytes written that the operating system has not taken yet."""
        return 0 if self.ended else self.line.unsent_bytes

    def respond(self, status: int, body: bytes = b"", headers: Headers = ()) -> None:
        """Answer at once; only what is said first counts.

        Args:
            status: HTTP status.
            body: Whole.
            headers: Beside those that every response has.
        """
        if self.ended or self.streaming:
            return
        self.ended = True
        # RFC 9110 section 8.6: no Content-Length where there can be no content.
        length = () if status == HTTPStatus.NO_CONTENT else (("Content-Length", str(len(body))),)
        self._write(self._head(status, (*headers, *length)) + body)
        self.line.answered(keep=self._keep)

    def explain(self, status: int, sentence: str, headers: Headers = ()) -> None:
        """Answer with a sentence for people."""
        self.respond(status, f"{sentence}\n".encode(), (*TEXT, *headers))

    def begin(self, headers: Headers = ()) -> None:
        """Make the answer a stream of events."""
        if not (self.ended or self.streaming):
            self.streaming = True
            self._write(self._head(200, (*EVENTS, *headers, ("Transfer-Encoding", "chunked"))))

    def tell(self, data: bytes) -> None:
        """Write a part of the stream."""
        if self.streaming and not self.ended:
            self._write(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        """The stream is complete."""
        if self.streaming and not self.ended:
            self.ended = True
            self._write(b"0\r\n\r\n")
            self.line.answered(keep=self._keep)

    def abort(self) -> None:
        """Drop the connection in the middle of the answer; nobody is told."""
        if not self.ended:
            self.ended = True
            self.line.abort()

    def lost(self) -> None:
        """The connection is gone; told by it."""
        if not self.ended:
            self.ended = True
            self.on_gone()

    def _write(self, data: bytes) -> None:
        self.bytes_sent += len(data)
        self.line.write(data)

    def _head(self, status: int, headers: Headers) -> bytes:
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Date: {_date(int(time.time()))}"]
        lines += [f"{name}: {value}" for name, value in (*headers, *self._headers)]
        return "\r\n".join([*lines, *([] if self._keep else ["Connection: close"]), "\r\n"]).encode("latin-1")


@functools.lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def event(text: bytes, event_id: str | None = None, *, kind: str = "message", retry_ms: int | None = None) -> bytes:
    """A text as an event. JSON of ours has no line breaks; where a text has some, each line is one of the event's.

    Args:
        text: Its data.
        event_id: Where the stream is behind it; None: no word of it.
        kind: What it is; one line.
        retry_ms: Milliseconds to wait before coming again; None: no word of it.
    """
    head = b"" if event_id is None else b"id: %b\n" % event_id.encode()
    if retry_ms is not None:
        head += b"retry: %d\n" % retry_ms
    if b"\n" in text or b"\r" in text:
        text = _LINE_BREAK.sub(b"\ndata: ", text)
    return b"event: %b\n%bdata: %b\n\n" % (kind.encode(), head, text)


def _nothing() -> None:
    """Nobody wants to know."""

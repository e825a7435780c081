"""How long the body of an HTTP message is, and what is in a chunked one. Pure.

Used by both ends: the server reads requests with it, the client responses. What a request says of its length is
believed only where there is one way to read it: two lengths, or a length beside chunks, is how one request is smuggled
past a proxy inside another.
"""

from __future__ import annotations

import re

from mcp_workbench.transports.gate import HandshakeRequest, Refuse

MAX_TRAILER_BYTES = 4096
"""Fields behind the last chunk; nothing in them counts."""
MAX_SIZE_LINE_BYTES = 256
MIN_FRAMING_BYTES = 65_536
"""Of what is between the chunks, so much is always taken: some ten thousand chunks."""
BODY_PER_FRAMING_BYTE = 16
"""Beyond that there must be so much content for each byte of it: a body of single bytes is work for seconds."""

_LENGTH = re.compile(r"[0-9]{1,15}")
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t\x20-\x7e]*)?")


class BrokenBodyError(Exception):
    """What came is no chunked body, or more than was to come."""


class BodyTooLargeError(BrokenBodyError):
    """It is longer than the limit."""


def body_length(request: HandshakeRequest, limit: int) -> int | Refuse | None:
    """How long the body of a request is.

    Args:
        request: Its head.
        limit: Most bytes that are taken.

    Returns:
        Its length; None: it comes in chunks; or the refusal of a request that cannot be read in one way only (RFC 9112 section 6.3).
    """
    lengths, codings = request.headers.get("content-length", ()), request.headers.get("transfer-encoding", ())
    if codings:
        if lengths:
            return Refuse(400, "A request says how long it is in one way: Content-Length or Transfer-Encoding, not both.")
        if [coding.lower() for coding in codings] != ["chunked"]:
            return Refuse(501, "The only Transfer-Encoding understood here is chunked.")
        return None
    if not lengths:
        return 0
    if len(lengths) != 1 or _LENGTH.fullmatch(lengths[0]) is None:
        return Refuse(400, "A request carries one Content-Length, a number of bytes.")
    length = int(lengths[0])
    return length if length <= limit else Refuse(413, f"A body may have {limit:,} bytes at most.")


class ChunkedBody:
    """A chunked body as it arrives, however it is cut up.

    Args:
        limit: Most bytes that are taken, counted without what is between the chunks, which is bounded by it; None: any number of both.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.ended = False
        """The last chunk and what follows it have come; what came behind that is in `rest`."""
        self._limit = limit
        self._buffer = bytearray()
        self._taken = bytearray()
        self._total = self._framing = 0
        self._left = 0
        """Bytes of the chunk at hand that are still to come."""
        self._in_chunk = False
        self._in_trailer = False

    @property
    def rest(self) -> bytes:
        """What has come and belongs to no chunk yet, or not to this body."""
        return bytes(self._buffer)

    def take(self) -> bytes:
        """What of the content has come since the last time."""
        taken, self._taken = bytes(self._taken), bytearray()
        return taken

    def feed(self, data: bytes) -> None:
        """Read on.

        Raises:
            BodyTooLargeError: It is longer than the limit.
            BrokenBodyError: It is not chunked, or in chunks much too small.
        """
        self._buffer += data
        while not self.ended and self._step():
            pass

    def _step(self) -> bool:
        """One chunk, line or part of one; False when more must come first."""
        if self._left:
            piece = self._buffer[: self._left]
            del self._buffer[: len(piece)]
            self._left -= len(piece)
            self._taken += piece
            return bool(piece)
        line = self._line(MAX_TRAILER_BYTES if self._in_trailer else MAX_SIZE_LINE_BYTES)
        if line is None:
            return False
        if self._in_trailer:
            self.ended = not line
        elif self._in_chunk:
            self._expect(not line)
            self._in_chunk = False
        else:
            self._begin_chunk(line)
        return True

    def _line(self, limit: int) -> bytes | None:
        end = self._buffer.find(b"\r\n")
        self._expect(-1 <= end <= limit and (end >= 0 or len(self._buffer) <= limit))
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        self._framing += end + 2
        del self._buffer[: end + 2]
        return line

    def _begin_chunk(self, line: bytes) -> None:
        match = _SIZE_LINE.fullmatch(line)
        self._expect(match is not None)
        size = 0 if match is None else int(match[1], 16)
        self._total += size
        if self._limit is not None and self._total > self._limit:
            raise BodyTooLargeError(f"a body may have {self._limit:,} bytes at most")
        if self._limit is not None and self._framing > MIN_FRAMING_BYTES + self._total // BODY_PER_FRAMING_BYTE:
            raise BrokenBodyError(f"its chunks are too small: send some {MIN_FRAMING_BYTES:,} bytes in each, or all with a Content-Length")
        self._left, self._in_chunk, self._in_trailer = size, size > 0, size == 0

    def _expect(self, condition: bool) -> None:  # the one thing it is about
        if not condition:
            raise BrokenBodyError("this is not a chunked body")

"""The calling end of one HTTP/1.1 connection: a request out, a response in, as a whole or piece by piece.

No redirects, no proxies, no cookies, no compression: an MCP client needs none of them, and each would send a
credential where nobody meant it to go. The neighbour `http_client` makes MCP of it. Loop thread only.
"""

from __future__ import annotations

import asyncio
import re
import ssl as tls
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from mcp_workbench.errors import ConnectionClosed
from mcp_workbench.secret import Secret
from mcp_workbench.transports.http_body import BrokenBodyError, ChunkedBody

MAX_HEAD_BYTES = 64 * 1024
PIECE_BYTES = 64 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_TARGET = re.compile(r"/[\x21-\x7e]*")
# RFC 9110 section 5: a bare CR or LF in a value ends the header early for whoever it is passed on to.
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)")
SHORTEST_SECRET, LONG_SEGMENT = 4, 16
"""Letters from which on a value of the query, or a segment of the path, may be a secret."""
MOST_INTERIM = 64
"""Responses of 1xx before the one that counts."""


class BrokenResponseError(Exception):
    """The connection ended in the middle, or what came is no HTTP response; says which."""


def secrets_of(target: Secret) -> tuple[Secret, ...]:
    """The parts of a path and query that may be a credential, in each form in which a server may repeat them; longest first."""
    path, _, query = target.reveal().partition("?")
    values = [value for pair in query.split("&") if len(value := pair.partition("=")[2] or pair) >= SHORTEST_SECRET]
    segments = [segment for segment in path.split("/") if len(segment) >= LONG_SEGMENT]
    found = {*filter(None, [query]), *values, *segments}
    return tuple(Secret(each) for each in sorted(found | {unquote(each) for each in found}, key=len, reverse=True))


@dataclass(frozen=True, slots=True)
class HttpAddress:
    """Where to connect."""

    host: str
    port: int
    secure: bool
    target: Secret
    """Path and query; a ticket may stand in it."""

    @property
    def place(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_usual_path(self) -> bool:
        """Whether it ends as a workbench's address does."""
        return self.target.reveal().endswith("/mcp")

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The parts of path and query that may be a credential, in each form in which a server may repeat them; longest first."""
        return secrets_of(self.target)

    @classmethod
    def parse(cls, url: Secret) -> HttpAddress:
        """Read an address.

        Raises:
            ValueError: It is none, or holds a password.
        """
        # Nothing of the address stands in a variable here: in it may be a ticket, and a line that fails shows its variables.
        if (found := _read(url)) is None:
            raise ValueError("an HTTP address is wanted, for instance http://127.0.0.1:8802/mcp")
        if "@" in urlsplit(url.reveal()).netloc:
            raise ValueError("name and password in a URL end up in logs: pass token= instead")
        return found


def _read(url: Secret) -> HttpAddress | None:
    try:
        parts = urlsplit(url.reveal())
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    target = Secret((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    host = parts.hostname or ""
    good = parts.scheme in ("http", "https") and _HOST.fullmatch(host) is not None and _TARGET.fullmatch(target.reveal()) is not None
    return HttpAddress(host, port, parts.scheme == "https", target) if good else None


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """A response without its body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Lower-case name -> value, several joined by commas."""

    @property
    def media_type(self) -> str:
        """For instance `application/json`; empty where none is said."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class HttpConnection:
    """One connection; made by `dial`. One exchange at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: HttpAddress) -> None:
        self._reader = reader
        self._writer = writer
        self._address = address
        self._framing: int | ChunkedBody | None = 0
        self._keep = True
        self.complete = True
        """The last response was read to its end."""

    @classmethod
    async def dial(cls, address: HttpAddress, context: tls.SSLContext | None, timeout_s: float) -> HttpConnection:
        """Connect. Cancelling is safe.

        Raises:
            ConnectionClosed: Nothing listens there, or it cannot be reached.
        """
        try:
            async with asyncio.timeout(timeout_s):
                streams = await asyncio.open_connection(address.host, address.port, ssl=context, limit=MAX_HEAD_BYTES)
        except ConnectionRefusedError as error:
            raise ConnectionClosed(1006, f"nothing listens at {address.place}") from error
        except TimeoutError as error:
            raise ConnectionClosed(1006, f"{address.place} did not take a connection within {timeout_s:g} s") from error
        except OSError as error:
            raise ConnectionClosed(1006, f"{address.place} cannot be reached: {error.strerror or type(error).__name__}") from error
        return cls(*streams, address)

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent on it."""
        return self.complete and self._keep and not self._reader.at_eof() and not self._writer.is_closing()

    async def ask(
        self, method: str, headers: Mapping[str, Secret | str], body: bytes = b"", sent: asyncio.Event | None = None
    ) -> ResponseHead:
        """Send a request and read the head of its response; the body waits to be read.

        Args:
            method: Its method.
            headers: Beside `Host` and `Content-Length`.
            body: All of it.
            sent: Set when all has been handed to the system.

        Raises:
            BrokenResponseError: There was none.
        """
        self.complete = False
        try:
            self._writer.write(self._head_of(method, headers, body) + body)
            await self._writer.drain()
            if sent is not None:
                sent.set()
            head = await self._read_final_head()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise BrokenResponseError("the connection ended before an answer came") from error
        self._keep = "close" not in head.headers.get("connection", "").lower()
        self._framing = _framing_of(head)
        self.complete = self._framing == 0
        return head

    def _head_of(self, method: str, headers: Mapping[str, Secret | str], body: bytes) -> bytes:
        sent = {"Host": self._address.place, "Accept-Encoding": "identity", **headers} | (
            {"Content-Length": str(len(body))} if body or method == "POST" else {}
        )
        # One expression: what is revealed stands in no variable that a traceback could show.
        return (
            f"{method} {self._address.target.reveal()} HTTP/1.1\r\n"
            + "".join(f"{name}: {value.reveal() if isinstance(value, Secret) else value}\r\n" for name, value in sent.items())
            + "\r\n"
        ).encode("latin-1", "replace")

    async def _read_final_head(self) -> ResponseHead:
        for _ in range(MOST_INTERIM):
            head = await self._read_head()
            if head.status == HTTPStatus.SWITCHING_PROTOCOLS:
                raise BrokenResponseError("the server goes over to another protocol (HTTP 101), which nobody asked for")
            if head.status >= HTTPStatus.OK:
                return head
        raise BrokenResponseError(
            f"the server says for the {MOST_INTERIM}th time that an answer will come (HTTP {head.status}), and gives none"
        )

    async def _read_head(self) -> ResponseHead:
        status_line, *lines = (await self._reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        match = _STATUS_LINE.fullmatch(status_line)
        if match is None:
            raise BrokenResponseError("what answers there does not speak HTTP/1.1")
        headers: dict[str, str] = {}
        for line in lines:
            field_of = _FIELD.fullmatch(line)
            if field_of is None:
                raise BrokenResponseError("a header of the answer cannot be read: name, colon and a value of one line are wanted")
            name, value = field_of[1].decode().lower(), field_of[2].decode("latin-1").strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return ResponseHead(int(match[1]), headers)

    async def body(self, max_bytes: int) -> bytes:
        """All of the body.

        Raises:
            BrokenResponseError: It is longer than that, or ended in the middle.
        """
        whole = bytearray()
        async for piece in self.pieces():
            whole += piece
            if len(whole) > max_bytes:
                raise BrokenResponseError(f"an answer of more than {max_bytes:,} bytes")
        return bytes(whole)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes.

        Raises:
            BrokenResponseError: It ended in the middle.
        """
        while not self.complete:
            size = min(PIECE_BYTES, self._framing) if isinstance(self._framing, int) else PIECE_BYTES
            try:
                data = await self._reader.read(size)
                piece = self._take(data)
            except (OSError, BrokenBodyError) as error:
                raise BrokenResponseError("the connection broke in the middle of an answer") from error
            if piece:
                yield piece

    def _take(self, data: bytes) -> bytes:
        framing = self._framing
        if framing is None:
            # HTTP/1.0 and some proxies: the body goes on until the connection ends.
            self.complete, self._keep = not data, False
            return data
        if not data:
            raise BrokenBodyError("the end came too early")
        if isinstance(framing, int):
            self._framing = framing - len(data)
            self.complete = not self._framing
            return data
        framing.feed(data)
        self.complete = framing.ended
        return framing.take()

    def close(self) -> None:
        """Hang up at once."""
        self._writer.transport.abort()


def _framing_of(head: ResponseHead) -> int | ChunkedBody | None:
    """RFC 9112 section 6.3."""
    coding = head.headers.get("content-encoding", "identity").lower()
    if coding not in ("", "identity"):
        raise BrokenResponseError(f"the answer comes compressed ({coding[:20]}), though it was asked for as it is")
    if head.status in (204, 304):
        return 0
    if "transfer-encoding" in head.headers:
        if head.headers["transfer-encoding"].lower() != "chunked":
            raise BrokenResponseError("the answer comes in a coding that was not asked for")
        return ChunkedBody()
    length = head.headers.get("content-length")
    if length is None:
        return None
    if not (length.isascii() and length.isdigit() and len(length) <= 15):
        raise BrokenResponseError("the answer does not say how long it is")
    return int(length)

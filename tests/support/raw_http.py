"""An HTTP client that hides and repairs nothing: it sends any bytes and shows what comes back."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
}
ACCEPT = "application/json, text/event-stream"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, of a stream its head alone."""

    status: int
    headers: dict[str, list[str]]
    body: bytes = b""

    @property
    def json(self) -> dict[str, Any]:
        whole: dict[str, Any] = json.loads(self.body)
        return whole

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", [""])[0]


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it came."""

    data: str
    id: str | None = None
    retry: str | None = None

    @property
    def json(self) -> dict[str, Any]:
        whole: dict[str, Any] = json.loads(self.data)
        return whole


def request(
    port: int,
    token: str | None = None,
    *,
    method: str = "POST",
    target: str = "/mcp",
    host: str | None = None,
    accept: str | None = ACCEPT,
    kind: str | None = "application/json",
    body: bytes | None = b"",
    extra: Iterable[str] = (),
) -> bytes:
    """A request; the defaults make a good one but for its body. With `body` None there is no length either."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}"]
    lines += [] if token is None else [f"Authorization: Bearer {token}"]
    lines += [] if accept is None else [f"Accept: {accept}"]
    lines += [] if kind is None or method != "POST" else [f"Content-Type: {kind}"]
    lines += [] if body is None or method == "GET" else [f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *extra]).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def call(method: str, params: dict[str, Any] | None = None, request_id: int | str | None = 1) -> bytes:
    """A message; without an id a notification."""
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    message |= {} if request_id is None else {"id": request_id}
    return json.dumps(message | ({} if params is None else {"params": params})).encode()


class RawHttp:
    """A TCP connection on which requests are made."""

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.port = port
        self.reader = reader
        self.writer = writer
        self._events = b""

    @classmethod
    async def dial(cls, port: int, *, small: bool = False) -> Self:
        """Connect; `small` makes TCP hold little of what the server sends, so that not reading shows soon."""
        ours = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if small:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ours.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(ours, ("127.0.0.1", port))
        except BaseException:
            ours.close()
            raise
        return cls(port, *await asyncio.open_connection(sock=ours, limit=8 * 1024 * 1024))

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def head(self) -> Answer:
        """The head of a response."""
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, list[str]] = {}
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), []).append(value.strip())
        return Answer(int(lines[0].split(" ")[1]), headers)

    async def answer(self) -> Answer:
        """A whole response."""
        head = await self.head()
        if "transfer-encoding" in head.headers:
            body = b"".join([chunk async for chunk in self._chunks()])
        else:
            body = await self.reader.readexactly(int(head.headers.get("content-length", ["0"])[0]))
        return Answer(head.status, head.headers, body)

    async def _chunks(self) -> Any:
        while chunk := await self._chunk():
            yield chunk

    async def _chunk(self) -> bytes:
        size = int(await self.reader.readuntil(b"\r\n"), 16)
        return (await self.reader.readexactly(size + 2))[:-2]

    async def event(self) -> Event | None:
        """The next event of a stream, comments left out; None: the stream is complete."""
        while True:
            whole, separator, rest = self._events.partition(b"\n\n")
            if not separator:
                chunk = await self._chunk()
                if not chunk:
                    return None
                self._events += chunk
                continue
            self._events = rest
            fields = dict(line.split(": ", 1) for line in whole.decode().splitlines() if not line.startswith(":"))
            if fields:
                return Event(fields.get("data", ""), fields.get("id"), fields.get("retry"))

    async def ended(self) -> bytes:
        """What comes until the server hangs up."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""

    async def leave(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

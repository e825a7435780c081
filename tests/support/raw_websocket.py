"""A WebSocket client that hides and repairs nothing: it sends any bytes and shows what comes back.

RFC 6455 by hand over asyncio streams, so that no library stands between a test and the wire.
"""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self, cast

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


@dataclass(frozen=True, slots=True)
class Head:
    """A response without its body."""

    status: int
    headers: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as it came."""

    opcode: int
    payload: bytes
    fin: bool
    reserved: int

    @property
    def code(self) -> int:
        """Of a close frame; 1005 when it has none."""
        return struct.unpack("!H", self.payload[:2])[0] if len(self.payload) >= 2 else 1005

    @property
    def reason(self) -> str:
        return self.payload[2:].decode()


def frame(
    payload: bytes | str = b"", opcode: int = TEXT, *, fin: bool = True, reserved: int = 0, masked: bool = True, declared: int | None = None
) -> bytes:
    """One frame, legal or not; `declared` lies about the length."""
    data = payload.encode() if isinstance(payload, str) else payload
    size = len(data) if declared is None else declared
    first, mask_bit = (0x80 if fin else 0) | (reserved << 4) | opcode, 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first, mask_bit | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, mask_bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, size)
    if not masked:
        return head + data
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[index % 4] for index, byte in enumerate(data))


def close_frame(code: int | None = 1000, reason: bytes = b"") -> bytes:
    return frame(b"" if code is None else struct.pack("!H", code) + reason, CLOSE)


def request(
    port: int,
    token: str | None = None,
    *,
    target: str = "/mcp",
    method: str = "GET",
    host: str | None = None,
    offer: str | None = "mcp",
    key: str | None = None,
    version: str = "13",
    upgrade: bool = True,
    extra: Iterable[str] = (),
) -> bytes:
    """A handshake request; the defaults make a good one."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}"]
    if upgrade:
        lines += ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Version: {version}"]
        lines.append(f"Sec-WebSocket-Key: {key or base64.b64encode(os.urandom(16)).decode()}")
    if offer is not None:
        lines.append(f"Sec-WebSocket-Protocol: {offer}")
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, *extra]).encode("latin-1") + b"\r\n\r\n"


class RawConnection:
    """A TCP connection that may become a WebSocket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def dial(cls, port: int, host: str = "127.0.0.1", *, small: bool = False) -> Self:
        """Connect; `small` makes TCP hold little of what the server sends, so that not reading shows soon."""
        ours = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if small:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ours.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(ours, (host, port))
        except BaseException:
            ours.close()
            raise
        return cls(*await asyncio.open_connection(sock=ours))

    @classmethod
    async def open(cls, port: int, token: str, *, small: bool = False, **wishes: str) -> Self:
        """A WebSocket that the server has accepted."""
        connection = await cls.dial(port, small=small)
        connection.send(request(port, token, **wishes))  # type: ignore[arg-type]  # only the text parameters are passed on
        head = await connection.head()
        assert head.status == 101, head
        return connection

    @property
    def unsent_bytes(self) -> int:
        return self.writer.transport.get_write_buffer_size()

    def send(self, *pieces: bytes) -> None:
        self.writer.write(b"".join(pieces))

    async def head(self) -> Head:
        first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        headers: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), []).append(value.strip())
        return Head(int(first.split(" ")[1]), headers)

    async def body(self) -> bytes:
        """What follows a refusal's head, until the server ends its stream."""
        return await self.reader.read()

    async def frame(self) -> Frame:
        first, second = await self.reader.readexactly(2)
        assert not second & 0x80, "a server must not mask"
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
        return Frame(first & 0x0F, await self.reader.readexactly(size), bool(first & 0x80), first >> 4 & 7)

    async def text(self) -> bytes:
        """The next text; anything else is a failure."""
        got = await self.frame()
        assert got.opcode == TEXT, got
        return got.payload

    async def closing(self) -> Frame:
        """The next close frame, whatever comes before it."""
        while (got := await self.frame()).opcode != CLOSE:
            pass
        return got

    def stop_reading(self) -> None:
        """Leave what the server sends to TCP's buffers."""
        cast("asyncio.ReadTransport", self.writer.transport).pause_reading()

    def read_again(self) -> None:
        cast("asyncio.ReadTransport", self.writer.transport).resume_reading()

    def abort(self) -> None:
        self.writer.transport.abort()

    async def hang_up(self) -> None:
        """Close the TCP connection without a WebSocket goodbye."""
        self.writer.close()
        with suppress(ConnectionError):  # the server was quicker
            await self.writer.wait_closed()

    async def leave(self) -> None:
        """Say goodbye, and wait until the server has hung up."""
        self.send(close_frame())
        await self.reader.read()
        await self.hang_up()

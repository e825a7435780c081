"""The suite cannot send a token, and our gate lets nobody in without one: between the two stands this relay.

It adds the `Authorization` header to every request and passes on everything else as it came, `Host` and `Origin`
included, so that all the suite asks for is decided by the server itself. Of HTTP it knows as much as it needs to find where
the next request of a connection begins.
"""

from __future__ import annotations

import asyncio
import re

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_END = b"\r\n\r\n"


class Relay:
    """Listens on loopback.

    Attributes:
        port: Where it listens.
    """

    def __init__(self) -> None:
        self.port = 0
        self._upstream = ("127.0.0.1", 0)
        self._header = b""
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Begin to listen; what comes is relayed from `lead_to` on."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def lead_to(self, port: int, token: str) -> None:
        """Say where to.

        Args:
            port: Of the server, on loopback.
            token: What to add.
        """
        self._upstream = ("127.0.0.1", port)
        self._header = f"\r\nAuthorization: Bearer {token}".encode()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, to_them = await asyncio.open_connection(*self._upstream)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass_on(theirs, writer))
                group.create_task(self._pass_on_requests(reader, to_them))
        except* (OSError, EOFError):
            pass  # one of the two has hung up, as it may at any time: now both have
        finally:
            to_them.close()
            writer.close()

    async def _pass_on_requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(_END)
            line, rest = head.split(b"\r\n", 1)
            writer.write(line + self._header + b"\r\n" + rest)
            if (length := _LENGTH.search(head)) is not None:
                writer.write(await reader.readexactly(int(length[1])))
            await writer.drain()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    raise EOFError

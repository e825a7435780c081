"""The server behind a tap: where it is, and how a connection to it is made.

Its credential is the tap's own affair: it is sent to the server and shown to nobody. Loop thread only, but for the making.
"""

from __future__ import annotations

import os
import ssl as tls
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mcp_workbench.limits import MIB
from mcp_workbench.secret import Secret
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.http_connection import HttpAddress
from mcp_workbench.transports.http_pool import ConnectionPool
from mcp_workbench.transports.outgoing import outgoing_headers

MAX_TEXT = 64 * MIB
OPEN_TIMEOUT_S = 10.0
WEBSOCKET, HTTP, STDIO = "websocket", "http", "stdio"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A server of other people; made by `upstream_of`."""

    transport: str
    """`websocket`, `http` or `stdio`."""
    label: str
    """For people: host and port, or the program's name."""
    url: Secret | None = field(default=None, repr=False)
    command: tuple[str, ...] = field(default=(), repr=False)
    token: Secret | None = field(default=None, repr=False)
    headers: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    env: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    cwd: str | os.PathLike[str] | None = None
    ssl: tls.SSLContext | None = field(default=None, repr=False)
    allow_remote: bool = False

    async def open(self, subprotocol: str | None) -> Channel:
        """Make a channel to it; WebSocket and commands only.

        Args:
            subprotocol: What the client of the tap has chosen, offered to the server; None offers none.

        Raises:
            ConnectionClosed: It cannot be reached, or started.
            HandshakeRefused: It answered with an HTTP error.
            TimeoutError: No answer in time.
        """
        if self.url is None:
            from mcp_workbench.transports.command import open_command

            return await open_command(self.command, env=self.env, cwd=self.cwd, max_message_bytes=MAX_TEXT)
        from mcp_workbench.transports.websocket_client import open_websocket

        return await open_websocket(
            self.url,
            token=self.token,
            headers=self.headers,
            subprotocol=subprotocol,
            max_message_bytes=MAX_TEXT,
            open_timeout_s=OPEN_TIMEOUT_S,
            ssl=self.ssl,
            allow_remote=self.allow_remote,
        )

    def pool(self) -> tuple[ConnectionPool, dict[str, Secret]]:
        """Connections to it, and the headers of each request; HTTP only.

        Raises:
            ValueError: Its token would leave this machine unprotected.
        """
        address = HttpAddress.parse(self.url or Secret(""))
        protected = address.secure or self.allow_remote
        headers = outgoing_headers(
            self.token, self.headers, host=address.host, place=address.place, protected=protected, instead="https://"
        )
        context = (self.ssl or tls.create_default_context()) if address.secure else None
        return ConnectionPool(address, context, OPEN_TIMEOUT_S), headers


def upstream_of(
    where: Secret | Sequence[str],
    *,
    token: Secret | None = None,
    headers: Mapping[str, Secret] | None = None,
    env: Mapping[str, Secret] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    ssl: tls.SSLContext | None = None,
    allow_remote: bool = False,
) -> Upstream:
    """Read where a server is.

    Args:
        where: `ws://`, `wss://`, `http://` or `https://` address; or a command as a list of texts.
        token: Sent to it as `Authorization: Bearer`; a command gets none.
        headers: Further ones.
        env: A command's variables, beside the few that every program needs.
        cwd: The folder a command is started in.
        ssl: TLS settings.
        allow_remote: Send the token over plain `ws://` or `http://` to other machines too.

    Raises:
        ValueError: It is neither.
    """
    if not isinstance(where, Secret):
        if not where or not all(isinstance(part, str) for part in where):
            raise ValueError("a command is a list of texts: the program, then its arguments")
        return Upstream(STDIO, Path(where[0]).name, command=tuple(where), env=env or {}, cwd=cwd)
    scheme = where.reveal().partition("://")[0][:10].lower() if "://" in where.reveal() else ""
    transport = {"ws": WEBSOCKET, "wss": WEBSOCKET, "http": HTTP, "https": HTTP}.get(scheme)
    if transport is None:
        got = f"{scheme}://" if scheme else "something without a scheme"
        raise ValueError(f"a tap goes to an address that begins with ws://, wss://, http:// or https://, or to a command; got {got}")
    return Upstream(transport, _place(where), url=where, token=token, headers=headers or {}, ssl=ssl, allow_remote=allow_remote)


def _place(url: Secret) -> str:
    """Host and port of an address; nothing else of it is for people."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url.reveal())
        port = parts.port or {"http": 80, "ws": 80}.get(parts.scheme, 443)
    except ValueError:
        raise ValueError("the address of the server cannot be read: ws://HOST:PORT/PATH or http://HOST:PORT/PATH is wanted") from None
    host = parts.hostname or ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

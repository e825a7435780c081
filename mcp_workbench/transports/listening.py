"""A listening socket and the connections that came in through it, whatever they speak.

What a connection is from its first byte on is the affair of those who listen (`websocket_server`, `http_server`); here
they are counted (`admission.py`), ended together and let go of after a fork. Loop thread only, but for `close_in_child`, which a
forked child calls, and `refuse_from_now_on`; they touch descriptors alone.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl as tls
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import suppress

from mcp_workbench.limits import Limits
from mcp_workbench.platforms import reuse_address
from mcp_workbench.transports.admission import Admission
from mcp_workbench.transports.gate import Gate, Refuse

BACKLOG = 256
LINGER_S = 1.0
"""How long a client may take to hang up after the answer that ends its connection has left."""
DELIVERY_S = 30.0
"""How long a client may take to read an answer that is larger than the buffers between."""
CLOSE_WITHIN_S = 2.0
"""How long connections may take to end politely when the server does."""
TURNS_TO_ARRIVE = 4
"""Turns of the loop from asyncio's taking a connection until it is counted here; one that is on this way must not outlive the server."""
REFUSALS_AT_ONCE = 64
"""Connections past the limit that are still answered with 503; further ones are dropped without a word."""


class ListeningServer(ABC):
    """What the servers have in common.

    Args:
        gate: Decides who may come in.
        listener: Bound, not listening yet.
        limits: Bounds.
        secure: Whether it speaks TLS.
    """

    def __init__(self, gate: Gate, listener: socket.socket, limits: Limits, *, secure: bool) -> None:
        self.gate = gate
        self.limits = limits
        self.secure = secure
        self.host: str = listener.getsockname()[0]
        self.port: int = listener.getsockname()[1]
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._admission = Admission(limits)
        self._empty = asyncio.Event()
        self._empty.set()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.host}:{self.port}, {self.connections} connections>"

    @property
    def connections(self) -> int:
        """Connections at this moment, half-open handshakes and refusals under way included."""
        return len(self._admission)

    async def accept_with(self, protocol: Callable[[], asyncio.BaseProtocol], ssl: tls.SSLContext | None) -> None:
        """Begin to accept; each connection is driven by what `protocol` makes."""
        self._server = await asyncio.get_running_loop().create_server(
            protocol,
            sock=self._listener,
            backlog=BACKLOG,  # asyncio also takes so many in one turn
            ssl=ssl,
            ssl_handshake_timeout=None if ssl is None else self.limits.handshake_timeout_s,
        )

    def stop_accepting(self) -> None:
        """Close the listening socket at once; open connections stay."""
        if self._server is not None:
            self._server.close()

    def refuse_from_now_on(self) -> None:
        """Let nobody in any more, from another thread while the loop's own is held up; `close` is for all else.

        Windows, where a socket is no descriptor, cannot do this: new connections wait there.
        """
        if os.name == "posix":
            _point_at_nothing([self._listener])

    async def close(self) -> None:
        """Stop accepting, end every connection and wait until all are gone, about 2 s at most.

        Safe to cancel: what has been begun goes on by itself. A second call only waits.
        """
        self.stop_accepting()
        for _ in range(TURNS_TO_ARRIVE):
            await asyncio.sleep(0)
        for transport in self._admission.transports:
            self.close_one(transport)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._empty.wait()
        for transport in self._admission.transports:
            transport.abort()  # it was given its time: whoever does not read must not keep a server from ending
        await self._empty.wait()

    @abstractmethod
    def close_one(self, transport: asyncio.Transport) -> None:
        """End a connection as politely as it allows, within about 2 s."""

    def close_in_child(self) -> None:
        """Let go of every socket in a forked child, without a word to the loop, which is the parent's.

        The descriptors are pointed at the null device, not closed: their numbers stay taken, so that the
        socket objects which the child inherited can never close a stranger's file.
        """
        _point_at_nothing([self._listener, *(transport.get_extra_info("socket") for transport in self._admission.transports)])
        self._admission.forget_all()

    def enter(self, transport: asyncio.Transport) -> bool:
        """Count a new connection; says whether there is room for it."""
        self._empty.clear()
        return self._admission.enter(transport)

    def refusal(self) -> Refuse | None:
        """What a connection is told that found no room; None: nothing, there are too many of those as well."""
        return None if self._admission.overflow > REFUSALS_AT_ONCE else Refuse(503, self._admission.sentence)

    def known(self, transport: asyncio.Transport) -> None:
        """A connection has shown a credential: it need not make room for others any more."""
        self._admission.known(transport)

    def leave(self, transport: asyncio.Transport) -> None:
        """Forget a connection that is gone."""
        self._admission.leave(transport)
        if not self._admission:
            self._empty.set()


def _point_at_nothing(sockets: Iterable[socket.socket]) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for each in sockets:
        if (descriptor := each.fileno()) >= 0:
            os.dup2(null, descriptor, inheritable=False)
    os.close(null)


async def listen(host: str, port: int) -> socket.socket:
    """A bound socket.

    Args:
        host: Address to listen at.
        port: TCP port; 0 takes any free one.

    Raises:
        OSError: The address cannot be listened at, for instance because the port is taken.
    """
    # IPPROTO_TCP by name: asyncio sets TCP_NODELAY only on sockets that say so, and a call takes 45 ms without.
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    family, kind, _, _, address = found[0]
    listener = socket.socket(family, kind, socket.IPPROTO_TCP)
    try:
        reuse_address(listener)
        listener.setblocking(False)
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise OSError(error.errno, f"port {port} at {host} is taken: choose another one, or port=0 for any free one") from error
        raise
    return listener


def label(peername: object) -> str:
    """The other end of a connection as text."""
    match peername:
        case (str(host), int(port), *_):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case _:
            return "unknown"

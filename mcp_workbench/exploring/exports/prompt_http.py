"""HTTP requests of the standard library with one deadline: connecting, sending and reading the answer together take `timeout` at most.

By itself `timeout` is for each wait, so an answer that comes letter by letter is waited for without end. Here the clock is looked
at before each of them. Handlers for `urllib.request.build_opener`; knows nothing of what is sent (`otlp_sending`).
"""

from __future__ import annotations

import io
import socket
import ssl
import urllib.request
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class _Timed(io.RawIOBase):
    """Reads a socket until the deadline.

    Args:
        connected: The socket.
        raw: Reads it.
        deadline: By `time.monotonic()`.
    """

    def __init__(self, connected: socket.socket, raw: io.RawIOBase, deadline: float) -> None:
        self._connected, self._raw, self._deadline = connected, raw, deadline

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        """Read what is there next.

        Raises:
            TimeoutError: The deadline has passed.
        """
        _hurry(self._connected, self._deadline)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Let the socket go."""
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Timed(sock, self.fp.detach(), monotonic() + (sock.gettimeout() or 0.0)))


class _Connection(HTTPConnection):
    response_class = _Response

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._deadline = monotonic() + (self.timeout or 0.0)

    def connect(self) -> None:
        super().connect()
        _hurry(self.sock, self._deadline)

    def send(self, data: Any) -> None:
        if self.sock is not None:
            _hurry(self.sock, self._deadline)
        super().send(data)

    def getresponse(self) -> HTTPResponse:
        _hurry(self.sock, self._deadline)
        return super().getresponse()


class _SecureConnection(_Connection, HTTPSConnection): ...


def _hurry(connected: socket.socket, deadline: float) -> None:
    """Wait for a socket no longer than until then."""
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError("no answer in time")
    connected.settimeout(left)


class PromptHTTP(urllib.request.HTTPHandler):
    """`http:` with one deadline."""

    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        """Send it, and read the head of the answer."""
        return self.do_open(_Connection, req)


class PromptHTTPS(urllib.request.HTTPSHandler):
    """`https:` with one deadline.

    Args:
        tls: What is trusted; None: what this machine trusts.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        super().__init__()
        self._tls = tls

    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        """Send it, and read the head of the answer."""
        return self.do_open(_SecureConnection, req, context=self._tls)

from __future__ import annotations

import contextlib
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mcp_workbench.exploring.exports.prompt_http import PromptHTTP
from tests.exploring.exports.collector import collecting

OPENER = urllib.request.build_opener(PromptHTTP)


@contextmanager
def trickling(head: bytes, drop: bytes) -> Iterator[str]:
    """A server that says `head` at once and then a drop each 10 ms, for as long as somebody listens."""
    ends = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(head)
                while not ends.wait(0.01):
                    connection.sendall(drop)

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            ends.set()
            thread.join()


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b"x"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"x"),
    ],
)
def test_an_answer_that_comes_letter_by_letter_is_not_waited_for_for_ever(head: bytes, drop: bytes) -> None:
    with trickling(head, drop) as url, pytest.raises(TimeoutError), OPENER.open(url, b"?", timeout=0.3) as response:
        response.read()


def test_an_answer_in_time_is_read_whole() -> None:
    with collecting() as collector:
        collector.body = b"x" * 300_000
        with OPENER.open(f"{collector.endpoint}/", b"?", timeout=5) as response:
            assert response.read() == collector.body

from __future__ import annotations

import pytest

from mcp_workbench.events import Principal
from mcp_workbench.transports.gate import HandshakeRequest
from mcp_workbench.transports.http_incoming import JSON, Incoming, Keeper, event


class Wire:
    """A connection that keeps what is written."""

    remote = "test:1"
    unsent_bytes = 7
    keeper: Keeper | None = None

    def __init__(self) -> None:
        self.full = False
        self.written = b""
        self.ends: list[bool] = []
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written += data

    def answered(self, *, keep: bool) -> None:
        self.ends.append(keep)

    def abort(self) -> None:
        self.aborted = True


def incoming(*connection: str) -> tuple[Incoming, Wire]:
    wire = Wire()
    return Incoming(wire, HandshakeRequest("POST", "/mcp", {"connection": list(connection)}, 1), Principal("me"), b"{}"), wire


def test_an_answer_is_given_once() -> None:
    one, wire = incoming()
    one.respond(200, b"{}", JSON)
    written = wire.written
    one.respond(500)
    one.begin()
    one.tell(b"x")
    one.end()
    one.lost()
    one.abort()
    assert wire.written == written
    assert written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert written.endswith(b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    assert (wire.ends, wire.aborted, one.bytes_sent) == ([True], False, len(written))


@pytest.mark.parametrize(("said", "keep"), [(["close"], False), (["Keep-Alive, Close"], False), (["keep-alive"], True), ([], True)])
def test_who_wishes_no_further_request_is_told_so(said: list[str], keep: bool) -> None:
    one, wire = incoming(*said)
    one.respond(204)
    assert wire.ends == [keep]
    assert (b"Connection: close\r\n" in wire.written) is not keep
    assert b"Content-Length" not in wire.written


def test_a_stream_is_chunks_until_its_end() -> None:
    one, wire = incoming()
    one.begin()
    one.begin()
    one.respond(200)
    one.tell(event(b"{}", "a-1-1"))
    one.end()
    head, _, body = wire.written.partition(b"\r\n\r\n")
    assert head.count(b"HTTP/1.1") == 1
    assert b"Transfer-Encoding: chunked" in head
    assert body == b"29\r\nevent: message\nid: a-1-1\ndata: {}\n\n\r\n0\r\n\r\n".replace(b"29", b"%x" % len(event(b"{}", "a-1-1")))
    assert wire.ends == [True]


def test_what_is_gone_is_told_once_and_counts_nothing() -> None:
    one, wire = incoming()
    told: list[str] = []
    one.on_gone = lambda: told.append("gone")
    wire.full = True
    assert (one.writable, one.unsent_bytes) == (False, 7)
    one.lost()
    one.lost()
    assert (told, one.writable, one.unsent_bytes) == (["gone"], True, 0)


def test_an_answer_that_is_broken_off_is_no_loss() -> None:
    one, wire = incoming()
    one.on_gone = lambda: pytest.fail("it was not lost")
    one.begin()
    one.abort()
    one.lost()
    assert wire.aborted

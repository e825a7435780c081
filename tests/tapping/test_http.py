"""HTTP through a tap, byte by byte: servers that do what the test says, and a client that shows what came."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from mcp_workbench import Workbench
from mcp_workbench.tapping import http as tapping_http
from mcp_workbench.tapping.holdings import Holdings
from mcp_workbench.tapping.hooks import Passing
from mcp_workbench.tapping.tap import Tap
from mcp_workbench.transports import listening
from tests.transports.test_http_client import Asked, server

WITHIN_S = 20
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
DONE = b'{"jsonrpc":"2.0","id":1,"result":{}}'
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
JSON = "Content-Type: application/json"
EVENTS = (
    b'id: 1\nretry: 100\ndata: \n\nid: 2\nevent: message\ndata: {"jsonrpc":"2.0","method":"a"}\n\n'
    b'event: other\ndata: no message\n\nid: 3\ndata: {"jsonrpc":"2.0",\ndata: "id":1,"result":{}}\n\n'
)


@asynccontextmanager
async def tapped(answers: Callable[[Asked], Any]) -> AsyncIterator[tuple[Tap, Workbench, list[Asked]]]:
    ours = Workbench("ours")
    async with server(answers) as (url, asked):
        tap = await asyncio.to_thread(ours.tap, url)
        try:
            yield tap, ours, asked
        finally:
            await asyncio.to_thread(tap.close)


async def opened(
    tap: Tap, token: str, *headers: str, method: str = "POST", body: bytes = PING, receive_bytes: int | None = None
) -> Streams:
    """A connection on which a request was sent; `receive_bytes` is what the system takes for who does not read."""
    address = urlsplit(tap.url)
    client = socket.socket()
    client.setblocking(False)
    if receive_bytes is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    await asyncio.get_running_loop().sock_connect(client, (address.hostname, address.port))
    reader, writer = await asyncio.open_connection(sock=client)
    write(writer, tap, token, *headers, method=method, body=body)
    return reader, writer


def write(writer: asyncio.StreamWriter, tap: Tap, token: str, *headers: str, method: str = "POST", body: bytes = PING) -> None:
    """Send a request."""
    address = urlsplit(tap.url)
    lines = [f"{method} {address.path} HTTP/1.1", f"Host: {address.netloc}", f"Authorization: Bearer {token}"]
    writer.write("\r\n".join([*lines, f"Content-Length: {len(body)}", *headers, "\r\n"]).encode() + body)


async def ask(tap: Tap, token: str, *headers: str, method: str = "POST", body: bytes = PING) -> bytes:
    """The whole answer, head and all."""
    reader, writer = await opened(tap, token, *headers, "Connection: close", method=method, body=body)
    async with asyncio.timeout(WITHIN_S):
        answer = await reader.read()
    writer.transport.abort()
    return answer


def through(answers: Callable[[Asked], Any], prepare: Callable[[Tap], object] = lambda tap: None, *headers: str) -> bytes:
    """What a client gets of such a server through a tap."""

    async def main() -> bytes:
        async with tapped(answers) as (tap, ours, _):
            prepare(tap)
            return await ask(tap, ours.token, *headers)

    return asyncio.run(main())


def content(answer: bytes) -> bytes:
    """The body of a chunked answer."""
    whole, rest = b"", answer.partition(b"\r\n\r\n")[2]
    while size := int(rest.partition(b"\r\n")[0], 16):
        rest = rest.partition(b"\r\n")[2]
        whole, rest = whole + rest[:size], rest[size + 2 :]
    return whole


def events(one: Asked) -> None:
    one.respond(200, EVENTS, "Content-Type: text/event-stream")


def test_events_pass_as_they_are_where_no_hook_wants_them() -> None:
    assert content(through(events)) == EVENTS


def test_with_a_hook_each_event_keeps_its_id_its_pause_its_kind_and_its_lines() -> None:
    def watch(tap: Tap) -> None:
        tap.on_response(lambda passing: None)

    assert content(through(events, watch)) == (
        b"event: message\nid: 1\nretry: 100\ndata: \n\n"
        b'event: message\nid: 2\ndata: {"jsonrpc":"2.0","method":"a"}\n\n'
        b"event: other\ndata: no message\n\n"
        b'event: message\nid: 3\ndata: {"jsonrpc":"2.0",\ndata: "id":1,"result":{}}\n\n'
    )


def test_what_a_hook_writes_in_several_lines_is_one_event() -> None:
    def pretty(tap: Tap) -> None:
        @tap.on_response
        def change(passing: Passing) -> None:
            passing.change(b'{\n "a": 1\r\n}')

    def one_event(one: Asked) -> None:
        one.respond(200, b"data: " + DONE + b"\n\n", "Content-Type: text/event-stream")

    assert content(through(one_event, pretty)) == b'event: message\ndata: {\ndata:  "a": 1\ndata: }\n\n'


def test_a_hook_that_comes_in_the_middle_of_an_event_begins_with_the_next() -> None:
    async def main() -> None:
        go_on, more = asyncio.Event(), asyncio.Event()

        async def in_two_parts(one: Asked) -> None:
            one.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nid: 1\n")
            await go_on.wait()
            one.writer.write(b'data: {"first":1}\n\n')
            await more.wait()
            one.writer.write(b'data: {"second":2}\n\n')
            one.writer.close()

        async with tapped(in_two_parts) as (tap, ours, _):
            reader, writer = await opened(tap, ours.token)
            async with asyncio.timeout(WITHIN_S):
                begin = await reader.readuntil(b"id: 1\n\r\n")
                tap.on_response(lambda passing: None)
                go_on.set()
                rest = await reader.readuntil(b'first":1}\n\n\r\n')
                more.set()
                rest += await reader.readuntil(b"0\r\n\r\n")
            writer.transport.abort()
        assert content(begin + rest) == b'id: 1\ndata: {"first":1}\n\nevent: message\ndata: {"second":2}\n\n'

    asyncio.run(main())


@pytest.mark.parametrize(
    "broken", ["Mcp-X: a\nSet-Cookie: evil=1", "Mcp-X: a\rSet-Cookie: evil=1", "Mcp-X: a\n\nHTTP/1.1 200 X", "Mcp X: a"]
)
def test_a_header_that_would_end_early_is_no_answer(broken: str) -> None:
    answer = through(lambda one: one.respond(200, DONE, JSON, broken))
    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert b"a header of the answer cannot be read" in answer
    assert b"evil" not in answer


@pytest.mark.parametrize("status", [404, 500])
def test_events_with_another_status_keep_their_status(status: int) -> None:
    answer = through(lambda one: one.respond(status, b"data: {}\n\n", "Content-Type: text/event-stream"))
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.endswith(b"\r\n\r\ndata: {}\n\n")


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b"goes over to another protocol"),
        (b"HTTP/1.1 102 Processing\r\n\r\n" * 100, b"says for the 64th time that an answer will come (HTTP 102)"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b", b"comes compressed (gzip)"),
    ],
)
def test_an_answer_that_cannot_be_passed_on_honestly_is_none(raw: bytes, sentence: bytes) -> None:
    asked_for: list[str] = []

    def answers(one: Asked) -> None:
        asked_for.append(one.headers["accept-encoding"])
        one.writer.write(raw)

    answer = through(answers, lambda tap: None, "Accept-Encoding: gzip, br")
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert sentence in answer
    assert asked_for == ["identity"]


def test_what_all_answers_hold_together_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that nobody reads count, and count no more when their clients are gone."""
    monkeypatch.setattr(tapping_http, "Holdings", lambda: Holdings(45 << 20))
    big = b"[" + b" " * (20 << 20) + b"]"

    async def main() -> None:
        async with tapped(lambda one: one.respond(200, big, JSON)) as (tap, ours, _):
            silent = []
            for _ in range(2):
                reader, writer = await opened(tap, ours.token, receive_bytes=4096)
                async with asyncio.timeout(WITHIN_S):
                    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
                silent.append(writer)
            refused = await ask(tap, ours.token)
            assert refused.startswith(b"HTTP/1.1 503 ")
            assert b"hold 45 MiB already; ask again" in refused
            for writer in silent:
                writer.transport.abort()
            await asyncio.gather(*(writer.wait_closed() for writer in silent), return_exceptions=True)
            async with asyncio.timeout(WITHIN_S):
                while (await ask(tap, ours.token)).startswith(b"HTTP/1.1 503 "):
                    pass
            assert (await ask(tap, ours.token)).endswith(big)

    asyncio.run(main())


def test_a_client_that_reads_nothing_does_not_keep_a_tap_from_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "CLOSE_WITHIN_S", 0.05)
    big = b"[" + b" " * (20 << 20) + b"]"

    async def main() -> None:
        async with tapped(lambda one: one.respond(200, big, JSON)) as (tap, ours, _):
            reader, writer = await opened(tap, ours.token, receive_bytes=4096)
            async with asyncio.timeout(WITHIN_S):
                assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
            await asyncio.to_thread(tap.close)
            assert tap._server is not None
            assert (tap._server.connections, tap._engine.running) == (0, False)
            writer.transport.abort()

    asyncio.run(main())


def test_an_event_that_does_not_end_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tapping_http, "Holdings", lambda: Holdings(1 << 20))

    def endless(one: Asked) -> None:
        one.respond(200, b"data: " + b"x" * (2 << 20) + b"\n\n", "Content-Type: text/event-stream")

    answer = through(endless)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not answer.endswith(b"0\r\n\r\n")


def conversations(tap: Tap) -> list[tuple[str, str]]:
    return [(session.principal, session.session_id) for session in tap.sessions]


def test_a_session_is_its_principals_and_ends_when_its_server_says_so() -> None:
    refuses: list[bool] = [True]

    def answers(one: Asked) -> None:
        if one.method == "DELETE":
            one.respond(405 if refuses else 204)
        else:
            one.respond(200, DONE, JSON, "Mcp-Session-Id: s1")

    async def main() -> None:
        async with tapped(answers) as (tap, ours, asked):
            bob = ours.tokens.add("bob")
            await ask(tap, ours.token)
            assert conversations(tap) == [("default", "tap1")]
            for method in ("POST", "GET", "DELETE"):
                refused = await ask(tap, bob, "Mcp-Session-Id: s1", method=method, body=PING if method == "POST" else b"")
                assert refused.startswith(b"HTTP/1.1 404 Not Found\r\n")
                assert b"No session of yours has this id" in refused
            assert len(asked) == 1
            await ask(tap, ours.token, "Mcp-Session-Id: s1", method="DELETE", body=b"")
            assert conversations(tap) == [("default", "tap1")]
            refuses.clear()
            await ask(tap, ours.token, "Mcp-Session-Id: s1", method="DELETE", body=b"")
            assert conversations(tap) == []

    asyncio.run(main())


def test_a_connection_that_another_principal_goes_on_with_is_another_conversation() -> None:
    async def main() -> None:
        async with tapped(lambda one: one.respond(200, DONE, JSON)) as (tap, ours, _):
            bob = ours.tokens.add("bob")
            reader, writer = await opened(tap, ours.token)
            async with asyncio.timeout(WITHIN_S):
                await reader.readuntil(DONE)
                assert conversations(tap) == [("default", "tap1")]
                write(writer, tap, bob)
                await reader.readuntil(DONE)
            assert conversations(tap) == [("bob", "tap2")]
            writer.transport.abort()

    asyncio.run(main())

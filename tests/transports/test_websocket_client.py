from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from mcp_workbench.errors import ConnectionClosed, HandshakeRefused
from mcp_workbench.events import Principal
from mcp_workbench.transports.websocket_client import open_websocket
from tests.support.channels import Listener, echo, house
from tests.support.http_house import http_house

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ACCEPT = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        problems: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        async with asyncio.timeout(5):
            await main()
        assert problems == [], "an exception escaped to the loop"

    asyncio.run(bounded())


@asynccontextmanager
async def scripted(play: Play) -> AsyncIterator[int]:
    """A server that reads a request head and then does as it is told; gives its port."""
    done: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        done.append(asyncio.Event())
        try:
            await reader.readuntil(b"\r\n\r\n")
            await play(reader, writer)
        finally:
            writer.close()
            done[-1].set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for each in done:
            await each.wait()


def says(*pieces: bytes) -> Play:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    return play


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_both_ends_are_the_same_channel() -> None:
    async def main() -> None:
        async with house(on_text=echo) as here:
            channel = await open_websocket(here.url, token=here.token)
            assert channel.facts.transport == "websocket"
            assert channel.facts.remote == f"127.0.0.1:{here.port}"
            assert channel.facts.subprotocol == "mcp"
            listener = Listener()
            channel.open(listener)
            channel.send("один".encode())
            channel.send(b"x" * 200_000)
            assert await listener.until_texts(2) == ["один".encode(), b"x" * 200_000]
            channel.close(1000, "done")
            assert await listener.until_closed() == (1000, "done")
            assert await here.listeners[0].until_closed() == (1000, "done")
            assert (listener.closes, here.server.connections) == ([(1000, "done")], 0)

    run(main)


def test_connections_of_one_loop_may_share_the_memory_in_which_bytes_land() -> None:
    async def main() -> None:
        landing = memoryview(bytearray(1024))
        async with house(on_text=echo) as here:
            channels = [await open_websocket(here.url, token=here.token, landing=landing) for _ in range(3)]
            listeners = [Listener() for _ in channels]
            texts = [letter * 50_000 for letter in (b"a", b"b", b"c")]
            for channel, listener in zip(channels, listeners, strict=True):
                channel.open(listener)
            for channel, text in zip(channels, texts, strict=True):
                channel.send(text)
            for listener, text in zip(listeners, texts, strict=True):
                assert await listener.until_texts(1) == [text]
            assert bytes(landing).strip(b"\0"), "it is where they landed"

    run(main)


def test_what_the_server_says_before_the_channel_is_opened_is_kept() -> None:
    async def main() -> None:
        async with house() as here:
            channel = await open_websocket(here.url, token=here.token)
            for n in range(300):
                here.channels[0].send(b"%d" % n)
            here.channels[0].close(4000, "so much for that")
            listener = Listener()
            channel.open(listener)
            assert await listener.until_closed() == (4000, "so much for that")
            assert listener.texts == [b"%d" % n for n in range(300)]

    run(main)


def test_frames_in_the_same_piece_as_the_response_are_delivered() -> None:
    async def main() -> None:
        async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(ACCEPT + b"Sec-WebSocket-Accept: " + accepts[0] + b"\r\n\r\n\x81\x02hi\x89\x00\x81\x03you")
            assert len(await reader.readexactly(6)) == 6  # the pong
            await reader.read()

        accepts: list[bytes] = []
        async with scripted(play) as port:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("websockets.client.generate_key", lambda: "dGhlIHNhbXBsZSBub25jZQ==")
                accepts.append(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
                channel = await open_websocket(f"ws://127.0.0.1:{port}/mcp")
            listener = Listener()
            channel.open(listener)
            assert await listener.until_texts(2) == [b"hi", b"you"]
            channel.close()
            channel.abort()
            await listener.until_closed()

    run(main)


def test_a_ticket_needs_no_token() -> None:
    async def main() -> None:
        async with house(on_text=echo) as here:
            ticket = here.credentials.tickets.mint(Principal("alice"))
            channel = await open_websocket(f"{here.url}/t/{ticket}")
            channel.open(listener := Listener())
            channel.send(b"x")
            await listener.until_texts(1)
            assert here.principals == [Principal("alice")]
            with pytest.raises(HandshakeRefused) as refused:
                await open_websocket(f"{here.url}/t/{ticket}")
            assert refused.value.status == 401
            assert "did not accept the credential" in str(refused.value)
            assert ticket not in str(refused.value)
            channel.close()
            await listener.until_closed()

    run(main)


def test_a_wrong_token_is_refused_in_words_that_do_not_show_it() -> None:
    async def main() -> None:
        async with house() as here:
            with pytest.raises(HandshakeRefused, match=r"127\.0\.0\.1:\d+ did not accept the credential \(HTTP 401\): ") as refused:
                await open_websocket(here.url, token="wrong-token")
            assert refused.value.status == 401
            assert "wrong-token" not in str(refused.value)

    run(main)


def test_who_opens_the_address_for_http_is_told_of_the_websockets() -> None:
    async def main() -> None:
        async with http_house() as here:
            with pytest.raises(HandshakeRefused, match=r"HTTP 406: .*WebSockets have a port of their own: Workbench\.url"):
                await open_websocket(f"ws://127.0.0.1:{here.port}/mcp", token=here.token)

    run(main)


def test_no_subprotocol_is_offered_when_none_is_wanted() -> None:
    async def main() -> None:
        async with house() as here:
            channel = await open_websocket(here.url, token=here.token, subprotocol=None)
            assert channel.facts.subprotocol is None
            channel.abort()

    run(main)


def test_further_headers_are_sent() -> None:
    async def main() -> None:
        async with house() as here:
            with pytest.raises(HandshakeRefused) as refused:
                await open_websocket(here.url, token=here.token, headers={"Origin": "http://evil.example"})
            assert refused.value.status == 403

    run(main)


def test_a_text_that_is_too_large_closes_with_1009() -> None:
    async def main() -> None:
        async with house() as here:
            channel = await open_websocket(here.url, token=here.token, max_message_bytes=1000)
            channel.open(listener := Listener())
            here.channels[0].send(b"x" * 1001)
            code, _ = await here.listeners[0].until_closed()
            assert code == 1009
            assert (await listener.until_closed())[0] == 1009
            assert listener.texts == []

    run(main)


def test_nothing_listening_is_said_with_place_and_remedy() -> None:
    async def main() -> None:
        port = free_port()
        with pytest.raises(ConnectionClosed, match=rf"nothing listens at 127\.0\.0\.1:{port}: start it with .*wb\.start\(\)"):
            await open_websocket(f"ws://127.0.0.1:{port}/mcp", token="t")

    run(main)


@pytest.fixture
def no_such_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are not looked up on any network."""

    async def lookup(self: asyncio.BaseEventLoop, *args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", lookup)


@pytest.mark.usefixtures("no_such_host")
def test_an_unknown_host_is_said() -> None:
    async def main() -> None:
        with pytest.raises(ConnectionClosed, match=r"nowhere\.invalid:80 cannot be reached: Name or service not known"):
            await open_websocket("ws://nowhere.invalid/mcp")

    run(main)


def test_a_server_that_never_answers_times_out() -> None:
    async def main() -> None:
        async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with scripted(play) as port:
            with pytest.raises(TimeoutError, match=rf"no WebSocket was opened by 127\.0\.0\.1:{port} within 0\.05 s"):
                await open_websocket(f"ws://127.0.0.1:{port}/mcp", open_timeout_s=0.05)

    run(main)


def test_cancelling_drops_the_connection() -> None:
    async def main() -> None:
        arrived, gone = asyncio.Event(), asyncio.Event()

        async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            arrived.set()
            with suppress(ConnectionResetError):  # an aborted connection ends either way
                await reader.read()
            gone.set()

        async with scripted(play) as port, asyncio.TaskGroup() as group:
            opening = group.create_task(open_websocket(f"ws://127.0.0.1:{port}/mcp"))
            await arrived.wait()
            opening.cancel()
            await gone.wait()

    run(main)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nfull"], r"answered with HTTP 503: full\.$"),
        ([b"HTTP/1.1 404 Not Found\r\n\r\nto the ", b"end"], r"answered with HTTP 404: to the end\.$"),
        (
            [b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n"],
            r"HTTP 302: redirects, which are not followed, to http://evil\.example/\.$",
        ),
        (
            [b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 13\r\n\r\nyou sent s3cr"],
            r"did not accept the credential \(HTTP 401\): you sent …\. Is it",
        ),
        ([b"HTTP/1.1 500 Oops\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000], r"HTTP 500: x{300}\.$"),
    ],
)
def test_an_http_error_is_a_refusal_with_the_servers_words(answer: list[bytes], expected: str) -> None:
    async def main() -> None:
        async with scripted(says(*answer)) as port:
            with pytest.raises(HandshakeRefused, match=expected):
                await open_websocket(f"ws://127.0.0.1:{port}/mcp", token="s3cr")

    run(main)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([b"SSH-2.0-OpenSSH_9.9\r\n"], "does not speak WebSocket"),
        ([ACCEPT + b"Sec-WebSocket-Accept: bm9wZQ==\r\n\r\n"], "does not speak WebSocket"),
        ([b"HTTP/1.1 101 Switching Protocols\r\n\r\n"], "does not speak WebSocket"),
        ([], "does not speak WebSocket|hung up during the handshake"),
    ],
)
def test_what_is_no_websocket_server_is_said(answer: list[bytes], expected: str) -> None:
    async def main() -> None:
        async with scripted(says(*answer)) as port:
            with pytest.raises(ConnectionClosed, match=expected):
                await open_websocket(f"ws://127.0.0.1:{port}/mcp")

    run(main)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/s3cret", "127.0.0.1:80/s3cret", "ws:///s3cret", "ws://h/s3cret#x", "ws://h:x/s3cret", "", "ws://u:s3cret@h/"]
)
def test_what_is_no_websocket_address_is_refused_without_repeating_it(url: str) -> None:
    async def main() -> None:
        with pytest.raises(ValueError) as refused:
            await open_websocket(url)
        assert "s3cret" not in str(refused.value)
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__ or refused.value.__context__ is None

    run(main)


@pytest.mark.parametrize("host", ["lab.example", "192.0.2.1", "localhost.evil.example", "[2001:db8::1]"])
@pytest.mark.parametrize("how", [{"token": "t"}, {"headers": {"authorization": "Bearer t"}}])
def test_a_token_does_not_leave_this_machine_unprotected(host: str, how: dict[str, Any]) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match=r"would travel unencrypted to .*: use wss://, or allow_remote=True"):
            await open_websocket(f"ws://{host}/mcp", **how)

    run(main)


@pytest.mark.usefixtures("no_such_host")
def test_a_remote_host_may_be_allowed() -> None:
    async def main() -> None:
        with pytest.raises(ConnectionClosed, match="cannot be reached"):
            await open_websocket("ws://nowhere.invalid/mcp", token="t", allow_remote=True)

    run(main)


def test_an_ipv6_loopback_address_counts_as_this_machine() -> None:
    async def main() -> None:
        with pytest.raises(ConnectionClosed, match=r"at \[::1\]:|\[::1\]:\d+ cannot be reached"):
            await open_websocket(f"ws://[::1]:{free_port()}/mcp", token="t")

    run(main)


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nX-B: b"}, {"X A": "b"}, {"X-A": "\N{SNOWMAN}"}, {"": "a"}])
def test_headers_that_could_smuggle_others_are_refused_without_repeating_them(headers: dict[str, str]) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="printable ASCII") as refused:
            await open_websocket("ws://127.0.0.1:9/mcp", headers=headers)
        assert "X-B" not in str(refused.value)

    run(main)


def test_a_token_read_from_a_file_may_end_in_a_newline_and_a_broken_one_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    heads: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
            with pytest.raises(HandshakeRefused):
                await open_websocket(url, token="secret-token\n")
            with pytest.raises(ValueError, match="printable ASCII") as refused:
                await open_websocket(url, token="secret\ntoken")
        assert "secret" not in str(refused.value)

    run(main)
    assert ["Authorization: Bearer secret-token\r\n" in head for head in heads] == [True]
    assert "secret" not in caplog.text


@pytest.mark.parametrize(("path", "hinted"), [("/elsewhere", True), ("/user/x/mcp", False)])
def test_where_nothing_is_found_the_usual_path_is_named_unless_it_was_asked_for(path: str, hinted: bool) -> None:
    async def main() -> None:
        async with scripted(says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")) as port:
            with pytest.raises(HandshakeRefused) as caught:
                await open_websocket(f"ws://127.0.0.1:{port}{path}")
            assert ("ends in /mcp" in str(caught.value)) == hinted

    run(main)

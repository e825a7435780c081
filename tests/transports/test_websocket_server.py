from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest

from mcp_workbench.events import Principal
from mcp_workbench.limits import Limits
from mcp_workbench.transports import websocket_server
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.credentials import Credentials
from mcp_workbench.transports.gate import Endpoint, Gate, HandshakeRequest, Page, Serve
from mcp_workbench.transports.listening import REFUSALS_AT_ONCE
from mcp_workbench.transports.websocket import HIGH_WATER_BYTES, SLICE_BYTES, WebSocketChannel
from mcp_workbench.transports.websocket_server import serve_websocket
from tests.support.channels import House, Listener, echo, house
from tests.support.raw_websocket import CONT, PING, PONG, RawConnection, close_frame, frame, request


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        problems: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        async with asyncio.timeout(10):
            await main()
        assert problems == [], "an exception escaped to the loop"

    asyncio.run(bounded())


async def refused(here: House, data: bytes) -> tuple[int, bytes]:
    connection = await RawConnection.dial(here.port)
    connection.send(data)
    head = await connection.head()
    body = await connection.body()
    await connection.hang_up()
    assert head.headers["connection"] == ["close"]
    assert head.headers["content-type"] == ["text/plain; charset=utf-8"]
    assert len(body) < 300
    for secret in (here.token.encode(), b"Traceback", b".py", b"/mcp"):
        assert secret not in body
    return head.status, body


def test_a_client_with_the_token_comes_in_and_is_heard() -> None:
    async def main() -> None:
        async with house(on_text=echo) as here:
            client = await RawConnection.dial(here.port)
            client.send(request(here.port, here.token, key="dGhlIHNhbXBsZSBub25jZQ=="))
            head = await client.head()
            assert head.status == 101
            assert head.headers["sec-websocket-accept"] == ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]
            assert head.headers["sec-websocket-protocol"] == ["mcp"]
            client.send(frame("hello"))
            assert await client.text() == b"hello"
            assert here.principals == [Principal("default")]
            assert here.channels[0].facts.remote.startswith("127.0.0.1:")
            await client.leave()

    run(main)


def test_deflate_is_never_negotiated() -> None:
    async def main() -> None:
        async with house() as here:
            client = await RawConnection.dial(here.port)
            client.send(request(here.port, here.token, extra=["Sec-WebSocket-Extensions: permessage-deflate"]))
            head = await client.head()
            assert head.status == 101
            assert "sec-websocket-extensions" not in head.headers
            await client.leave()

    run(main)


def test_refusals_are_short_and_tell_nothing() -> None:
    async def main() -> None:
        async with house() as here:
            port, token = here.port, here.token
            for data, status in (
                (request(port), 401),
                (request(port, token + "x"), 401),
                (request(port, extra=[f"Cookie: token={token}"]), 401),
                (request(port, token, target="/nowhere"), 404),
                (request(port, token, target="/../../etc/passwd"), 404),
                (request(port, token, target="http://evil.example/mcp"), 404),
                (request(port, token, host="evil.example"), 403),
                (request(port, token, extra=["Origin: null"]), 403),
                (request(port, token, upgrade=False), 426),
                (request(port, token, method="POST", extra=["Content-Length: 2"]) + b"{}", 405),
                (request(port, token, version="8"), 426),
                (request(port, token, key="short"), 400),
                (request(port, token, extra=["X: " + "a" * 65536]), 431),
                (request(port, token, extra=[f"X-{n}: a" for n in range(600)]), 431),
                (request(port, token, target="/" + "a" * 65536), 414),
                (b"\x16\x03\x01\x02\x00\x01", 400),
                (b"hello\r\n", 400),
            ):
                assert (await refused(here, data))[0] == status, data[:80]
            assert here.channels == []

    run(main)


def test_a_bad_token_with_a_frame_behind_it_executes_nothing() -> None:
    async def main() -> None:
        async with house() as here:
            status, _ = await refused(here, request(here.port, "nope") + frame("ping", PING) + frame('{"jsonrpc":"2.0"}'))
            assert status == 401
            assert here.listeners == []

    run(main)


def test_frames_sent_with_the_handshake_are_delivered_after_it() -> None:
    async def main() -> None:
        async with house(on_text=echo) as here:
            client = await RawConnection.dial(here.port)
            client.send(request(here.port, here.token), frame("p", PING), frame("early"))
            assert (await client.head()).status == 101
            assert (await client.frame()).opcode == PONG
            assert await client.text() == b"early"
            await client.leave()

    run(main)


def test_a_handshake_may_come_byte_by_byte() -> None:
    async def main() -> None:
        async with house(on_text=echo) as here:
            client = await RawConnection.dial(here.port)
            for byte in request(here.port, here.token) + frame("x"):
                client.send(bytes([byte]))
                await asyncio.sleep(0)
            assert (await client.head()).status == 101
            assert await client.text() == b"x"
            await client.leave()

    run(main)


def test_a_ticket_opens_one_connection() -> None:
    async def main() -> None:
        async with house(on_text=echo) as here:
            target = f"/mcp/t/{here.credentials.tickets.mint(Principal('alice'))}"
            client = await RawConnection.dial(here.port)
            client.send(request(here.port, target=target), frame("x"))
            assert (await client.head()).status == 101
            assert await client.text() == b"x"
            assert here.principals == [Principal("alice")]
            assert (await refused(here, request(here.port, target=target)))[0] == 401
            await client.leave()

    run(main)


@pytest.mark.parametrize("sent", [b"", b"G", b"GET /mcp HTTP/1.1\r\nHost: 127"])
def test_a_handshake_that_takes_too_long_is_closed_without_an_answer(sent: bytes) -> None:
    async def main() -> None:
        async with house(Limits(handshake_timeout_s=0.05)) as here:
            client = await RawConnection.dial(here.port)
            client.send(sent)
            with suppress(ConnectionResetError):
                assert await client.reader.read() == b""
            await client.hang_up()

    run(main)


def test_an_accepted_connection_outlives_the_handshake_timeout() -> None:
    async def main() -> None:
        async with house(Limits(handshake_timeout_s=0.05), on_text=echo) as here:
            client = await RawConnection.open(here.port, here.token)
            silent = await RawConnection.dial(here.port)
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await silent.reader.readexactly(1)  # the other connection's timeout has passed
            client.send(frame("still here"))
            assert await client.text() == b"still here"
            await silent.hang_up()
            await client.leave()

    run(main)


def test_connections_past_the_limit_are_refused_and_counted() -> None:
    async def main() -> None:
        async with house(Limits(sessions=2)) as here:
            one = await RawConnection.open(here.port, here.token)
            half_open = await RawConnection.dial(here.port)
            two = await RawConnection.open(here.port, here.token)
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await half_open.head()  # who has shown no credential makes room
            status, body = await refused(here, request(here.port, here.token))
            assert status == 503
            assert b"2 connections" in body
            assert here.server.connections >= 2
            await half_open.hang_up()
            await one.leave()
            await two.leave()

    run(main)


def test_refusals_are_bounded_too() -> None:
    async def main() -> None:
        async with house(Limits(sessions=0)) as here:
            dialled = [await RawConnection.dial(here.port) for _ in range(REFUSALS_AT_ONCE + 1)]
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await dialled[-1].head()
            assert (await dialled[0].head()).status == 503
            for each in dialled:
                await each.hang_up()

    run(main)


def test_a_port_is_free_again_for_a_restart() -> None:
    async def main() -> None:
        async with house() as here:
            port = here.port
            await (await RawConnection.open(port, here.token)).leave()
        credentials = Credentials()
        again = await serve_websocket(Gate([]), port=port)
        assert again.port == port
        with pytest.raises(OSError, match=f"port {port} at 127.0.0.1 is taken: choose another one"):
            await serve_websocket(Gate([Endpoint("/", credentials, None, lambda channel, principal: None)]), port=port)
        await again.close()

    run(main)


def test_nagle_is_off_on_accepted_sockets() -> None:
    async def main() -> None:
        async with house() as here:
            client = await RawConnection.open(here.port, here.token)
            [transport] = here.server._admission.transports
            accepted = transport.get_extra_info("socket")
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            await client.leave()

    run(main)


def test_closing_stops_accepting_at_once_and_says_goodbye() -> None:
    async def main() -> None:
        async with house() as here:
            client = await RawConnection.open(here.port, here.token)
            half_open = await RawConnection.dial(here.port)
            client.send(frame("x"))
            await here.listeners[0].until_texts(1)
            here.server.stop_accepting()
            with pytest.raises(ConnectionRefusedError):
                await RawConnection.dial(here.port)
            closing = asyncio.gather(here.server.close(), here.server.close())
            goodbye = await client.closing()
            assert (goodbye.code, goodbye.reason) == (1001, "the server is stopping")
            client.send(close_frame(1001))
            await closing
            assert here.server.connections == 0
            assert here.listeners[0].closes == [(1001, "")]
            await half_open.hang_up()
            await client.hang_up()

    run(main)


def test_a_client_that_ignores_the_close_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_workbench.transports.websocket.CLOSE_TIMEOUT_S", 0.05)

    async def main() -> None:
        async with house() as here:
            client = await RawConnection.open(here.port, here.token)
            await here.server.close()
            assert here.listeners[0].closes == [(1001, "the server is stopping")]
            await client.hang_up()

    run(main)


@pytest.mark.parametrize(
    ("end", "heard"),
    [
        (lambda client: client.send(close_frame(4001, b"enough")), (4001, "enough")),
        (lambda client: client.send(close_frame(None)), (1005, "")),
        (lambda client: client.abort(), (1006, "")),
        (lambda client: client.writer.close(), (1006, "")),
        (lambda client: reset(client), (1006, "")),
        (lambda client: client.send(frame(b"\xff")), (1007, "a text frame was not UTF-8")),
        (lambda client: client.send(frame("x")[:3]) or client.writer.close(), (1006, "")),
    ],
    ids=["close frame", "close frame without code", "abort", "hang up", "reset", "violation", "cut in a frame"],
)
def test_the_receiver_hears_of_every_end_once(end: Callable[[RawConnection], None], heard: tuple[int, str]) -> None:
    async def main() -> None:
        async with house() as here:
            client = await RawConnection.open(here.port, here.token)
            client.send(frame("x"))
            await here.listeners[0].until_texts(1)
            end(client)
            assert await wait_closed(here.listeners[0], client) == heard
            assert here.server.connections == 0
            assert here.listeners[0].closes == [heard]

    run(main)


def reset(client: RawConnection) -> None:
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.abort()


async def wait_closed(listener: Listener, client: RawConnection) -> tuple[int, str]:
    with suppress(ConnectionError):
        await client.reader.read()
    await client.hang_up()
    return await listener.until_closed()


def test_a_gibibyte_header_is_answered_at_once() -> None:
    async def main() -> None:
        async with house() as here:
            client = await RawConnection.open(here.port, here.token)
            client.send(frame(b"x" * 100, declared=1 << 30))
            assert (await client.closing()).code == 1009
            await client.hang_up()

    run(main)


def test_the_message_limit_counts_all_fragments() -> None:
    async def main() -> None:
        async with house(Limits(max_message_bytes=1000), on_text=echo) as here:
            client = await RawConnection.open(here.port, here.token)
            client.send(frame(b"x" * 500, fin=False), frame(b"x" * 500, CONT))
            assert len(await client.text()) == 1000
            client.send(frame(b"x" * 500, fin=False), frame(b"x" * 501, CONT))
            assert (await client.closing()).code == 1009
            await client.hang_up()

    run(main)


def test_a_large_message_arrives_whole_and_comes_back() -> None:
    async def main() -> None:
        async with house(on_text=echo) as here:
            client = await RawConnection.open(here.port, here.token)
            text = b"abcdefgh" * (128 * 1024)
            client.send(frame(text))
            assert await client.text() == text
            await client.leave()

    run(main)


def test_others_are_served_while_one_client_floods() -> None:
    async def main() -> None:
        async with house(on_text=echo) as here:
            flooding, calm = await RawConnection.open(here.port, here.token), await RawConnection.open(here.port, here.token)
            flooding.send(frame("x") * 5000)
            calm.send(frame("calm"))
            assert await calm.text() == b"calm"
            assert len(here.listeners[0].texts) < 5000, "the calm client did not wait for the flood to end"
            for _ in range(5000):
                assert await flooding.text() == b"x"
            await flooding.leave()
            await calm.leave()

    run(main)


def test_a_flood_of_pings_from_a_client_that_does_not_read_stops_being_read() -> None:
    blob = frame("x" * 100, PING) * 1000

    async def main() -> None:
        async with house(on_text=echo) as here:
            client = await RawConnection.open(here.port, here.token, small=True)
            client.stop_reading()
            [transport] = here.server._admission.transports
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            channel = cast("WebSocketChannel", here.channels[0])
            while not channel._answers_unread:
                if client.unsent_bytes < len(blob):
                    client.send(blob)
                await asyncio.sleep(0)
            assert not transport.is_reading()
            assert channel.unsent_bytes < HIGH_WATER_BYTES + 2 * SLICE_BYTES
            client.read_again()
            client.send(frame("done"))
            tail = b""
            while not tail.endswith(b"\x81\x04done"):
                tail = tail[-8:] + await client.reader.read(1 << 20)
            await client.leave()

    run(main)


def test_a_client_that_does_not_read_makes_the_channel_unwritable_until_it_does() -> None:
    async def main() -> None:
        async with house() as here:
            client = await RawConnection.open(here.port, here.token)
            client.stop_reading()
            channel, listener = here.channels[0], here.listeners[0]
            sent = 0
            while channel.writable:
                channel.send(b"y" * 65536)
                sent += 1
            assert channel.unsent_bytes > 0
            client.read_again()
            for _ in range(sent):
                assert len(await client.text()) == 65536
            await listener.until(lambda each: each.writable_again == 1)
            assert channel.writable
            assert channel.unsent_bytes == 0
            await client.leave()

    run(main)


def test_an_endpoint_that_takes_nobody_closes_with_1013() -> None:
    async def main() -> None:
        async with house(refuses=True) as here:
            client = await RawConnection.open(here.port, here.token)
            assert (await client.closing()).code == 1013
            await client.leave()

    run(main)


def test_an_endpoint_that_raises_closes_with_1011(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with house(answers=RuntimeError("a bug of ours")) as here:
            client = await RawConnection.open(here.port, here.token)
            goodbye = await client.closing()
            assert (goodbye.code, goodbye.reason) == (1011, "internal error")
            await client.leave()

    run(main)
    assert [record.levelname for record in caplog.records if record.name == "mcp_workbench"] == ["ERROR"]


def test_a_receiver_may_close_or_abort_from_inside() -> None:
    async def main() -> None:
        def act(channel: Channel, text: bytes) -> None:
            channel.close(4000, "as asked") if text == b"close" else channel.abort()

        async with house(on_text=act) as here:
            client = await RawConnection.open(here.port, here.token)
            client.send(frame("close"))
            assert (await client.closing()).reason == "as asked"
            client.send(close_frame(4000, b"fine"))
            assert await wait_closed(here.listeners[0], client) == (4000, "fine")
            client = await RawConnection.open(here.port, here.token)
            client.send(frame("abort"))
            assert await wait_closed(here.listeners[1], client) == (1006, "")

    run(main)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX")
def test_a_forked_child_lets_go_of_every_socket_and_the_parent_goes_on() -> None:
    async def main() -> None:
        async with house(on_text=echo) as here:
            client = await RawConnection.open(here.port, here.token)
            release, hold = os.pipe()
            done, report = os.pipe()
            child = os.fork()  # noqa: TID251  # what happens then is what is tested
            if child == 0:
                os.close(hold)  # pragma: no cover - another process
                here.server.close_in_child()
                own = {
                    here.server._listener.fileno(),
                    *(each.get_extra_info("socket").fileno() for each in here.server._admission.transports),
                }
                left = [number for number in own if "socket:" in str(Path(f"/proc/self/fd/{number}").readlink())]  # noqa: ASYNC240  # no loop runs in the child
                os.write(report, b"clean" if not left and len(own) == 2 else b"dirty")
                os.read(release, 1)
                os._exit(0)
            try:
                assert os.read(done, 5) == b"clean"
                client.send(frame("parent?"))
                assert await client.text() == b"parent?"
                here.channels[0].abort()
                with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                    await client.frame()  # the child does not keep the connection open
                here.server.stop_accepting()
                with pytest.raises(ConnectionRefusedError):
                    await RawConnection.dial(here.port)
            finally:
                for descriptor in (release, hold, done, report):
                    os.close(descriptor)
                os.waitpid(child, 0)  # noqa: ASYNC222  # it has nothing left to do
            await client.hang_up()

    run(main)


def tls_pair(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server with a certificate of its own and of a client that trusts it."""
    import subprocess

    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate), *subject], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))


def test_the_same_over_tls(tmp_path: Path) -> None:
    from mcp_workbench.transports.websocket_client import open_websocket

    server_side, client_side = tls_pair(tmp_path)

    async def main() -> None:
        credentials = Credentials()
        served: list[Listener] = []

        def accept(channel: Channel, principal: Principal) -> Listener:
            served.append(Listener(channel.send))
            return served[-1]

        server = await serve_websocket(Gate([Endpoint("/mcp", credentials, "mcp", accept)]), ssl=server_side)
        channel = await open_websocket(f"wss://localhost:{server.port}/mcp", token=credentials.token(), ssl=client_side)
        listener = Listener()
        channel.open(listener)
        channel.send(b"z" * 300_000)
        for n in range(200):
            channel.send(b"%d" % n)
        assert await listener.until_texts(201) == [b"z" * 300_000, *(b"%d" % n for n in range(200))]
        channel.close(1000, "done")
        assert await listener.until_closed() == (1000, "done")
        assert await served[0].until_closed() == (1000, "done")
        await server.close()

    run(main)


LARGE = bytes(range(256)) * 32 * 1024


@asynccontextmanager
async def pages(limits: Limits | None = None, *, ssl: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server with a small, a large and a broken page; its port."""

    def fail(request: HandshakeRequest) -> Serve:
        raise RuntimeError("never said to anybody")

    doors = [Page("/small", lambda request: Serve(b"hello")), Page("/large", lambda request: Serve(LARGE)), Page("/broken", fail)]
    server = await serve_websocket(Gate(doors), limits=limits, ssl=ssl)
    try:
        yield server.port
    finally:
        await server.close()


def read(port: int, target: str, method: str = "GET", *extra: str) -> bytes:
    return request(port, target=target, method=method, upgrade=False, offer=None, extra=extra)


def test_a_page_is_served_whole_and_its_connection_ended() -> None:
    async def main() -> None:
        async with pages() as port:
            for target, method, body in (
                ("/small", "GET", b"hello"),
                ("/small?x", "GET", b"hello"),
                ("/small", "HEAD", b""),
                ("/large", "GET", LARGE),
            ):
                client = await RawConnection.dial(port)
                client.send(read(port, target, method) + read(port, "/small"))  # what comes behind a request is not looked at
                head = await client.head()
                assert (head.status, head.headers["connection"]) == (200, ["close"])
                assert head.headers["content-length"] == [str(len(LARGE if target == "/large" else b"hello"))]
                assert await client.body() == body
                await client.hang_up()

    run(main)


def test_what_is_no_reading_of_a_page_is_refused() -> None:
    async def main() -> None:
        async with pages() as port:
            for data, status in (
                (read(port, "/small", "POST", "Content-Length: 5") + b"12345", 405),
                (read(port, "/small", "GET", "Content-Length: 5") + b"12345", 400),
                (read(port, "/small", "GET", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
                (read(port, "/small", "GET", "Origin: http://evil.example"), 403),
                (read(port, "/x/../small"), 404),
                (read(port, "/small", "HEAD", "X: " + "a" * 65536), 431),
                (read(port, "/" + "a" * 65536), 414),
            ):
                client = await RawConnection.dial(port)
                client.send(data)
                assert (await client.head()).status == status, data[:80]
                await client.body()
                await client.hang_up()

    run(main)


def test_a_page_that_fails_says_nothing_of_why(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with pages() as port:
            client = await RawConnection.dial(port)
            client.send(read(port, "/broken"))
            assert (await client.head()).status == 500
            assert b"never said" not in await client.body()
            await client.hang_up()

    run(main)
    assert [record.getMessage() for record in caplog.records] == ["a request could not be decided on"]


async def time_passes(port: int) -> None:
    """Until a handshake that begins now has timed out."""
    silent = await RawConnection.dial(port)
    with suppress(ConnectionResetError):
        assert await silent.reader.read() == b""
    await silent.hang_up()


def test_a_slow_reader_gets_all_of_a_large_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_server, "LINGER_S", 0.05)

    async def main() -> None:
        async with pages(Limits(handshake_timeout_s=0.1)) as port:
            client = await RawConnection.dial(port, small=True)
            client.stop_reading()
            client.send(read(port, "/large"))
            await time_passes(port)
            client.read_again()
            assert (await client.head()).status == 200
            assert await client.body() == LARGE
            await client.hang_up()

    run(main)


def test_a_reader_that_never_reads_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_server, "DELIVERY_S", 0.05)

    async def main() -> None:
        async with pages(Limits(handshake_timeout_s=0.2)) as port:
            client = await RawConnection.dial(port, small=True)
            client.stop_reading()
            client.send(read(port, "/large"))
            await time_passes(port)
            client.read_again()
            with suppress(ConnectionResetError):
                assert len(await client.body()) < len(LARGE)
            await client.hang_up()

    run(main)


def test_a_large_page_arrives_whole_over_tls(tmp_path: Path) -> None:
    server_side, client_side = tls_pair(tmp_path)

    async def main() -> None:
        async with pages(ssl=server_side) as port:
            reader, writer = await asyncio.open_connection("localhost", port, ssl=client_side)
            writer.write(read(port, "/large"))
            assert (await reader.read()).endswith(LARGE)
            writer.close()
            await writer.wait_closed()

    run(main)

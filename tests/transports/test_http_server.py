"""What HTTP lets in and what not, over raw sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import warnings
from typing import Any

import pytest

import mcp_workbench as wb
from mcp_workbench.limits import Limits
from mcp_workbench.transports import http_server
from mcp_workbench.transports.listening import REFUSALS_AT_ONCE
from tests.interaction.requirements import requirement
from tests.support.http_house import INITIALIZE, HttpHouse, http_house, run
from tests.support.raw_http import call

ADD = {"name": "add", "arguments": {"a": 1, "b": 2}}


def without(data: bytes, line: bytes) -> bytes:
    """A request with a header line changed to nothing."""
    assert line in data
    return data.replace(line, b"", 1)


@requirement("http-origin")
@requirement("http-credential")
@requirement("http-accept")
@requirement("http-one-path")
def test_only_who_may_come_in_is_told_more_than_no() -> None:
    async def main() -> None:
        async with http_house(allowed_hosts=["lab.example"], allowed_origins=["https://lab.example"]) as here:
            body = call("initialize", {})
            own = f"http://127.0.0.1:{here.port}"
            for wishes, status in (
                # The order of the questions is that of the WebSocket's gate: Host, Origin, path, credential, then the rest.
                ({"host": "evil.example", "token": None}, 403),
                ({"host": f"127.0.0.1.evil.example:{here.port}"}, 403),
                ({"host": "lab.example"}, 200),
                ({"extra": ["Host: 127.0.0.1"]}, 400),
                ({"extra": ["Origin: https://evil.example"], "token": None}, 403),
                ({"extra": ["Origin: null"]}, 403),
                ({"extra": [f"Origin: {own}"]}, 200),
                ({"extra": ["Origin: https://lab.example"]}, 200),
                ({"target": "/nowhere", "token": None}, 404),
                ({"target": "/mcp/"}, 404),
                ({"target": "/mcp/../mcp"}, 404),
                ({"token": None}, 401),
                ({"token": "x" * 43}, 401),
                ({"token": None, "extra": [f"Cookie: token={here.token}"]}, 401),
                ({"token": None, "target": f"/mcp?token={here.token}"}, 401),
                ({"extra": [f"Authorization: Bearer {here.token}"]}, 401),
                ({"token": None, "method": "PUT"}, 401),
                ({"method": "PUT"}, 405),
                ({"kind": "text/plain"}, 415),
                ({"kind": None}, 415),
                ({"kind": "application/json, text/plain"}, 415),
                ({"kind": "application/json; charset=utf-8"}, 200),
                ({"accept": None}, 406),
                ({"accept": "text/html"}, 406),
                ({"accept": "application/json"}, 406),
                ({"accept": "text/event-stream"}, 406),
                ({"accept": "application/json, text/event-stream;q=0"}, 406),
                ({"accept": "*/*"}, 200),
                ({"accept": "application/*;q=0.5, text/*"}, 200),
            ):
                answer = await here.ask(here.request(body, **wishes))
                assert answer.status == status, wishes
                assert here.token.encode() not in answer.body
                assert b"Traceback" not in answer.body
                if status != 200:
                    assert answer.headers["connection"] == ["close"]

    run(main)


@requirement("http-origin")
@requirement("http-accept")
def test_a_page_of_another_site_reaches_nothing() -> None:
    async def main() -> None:
        async with http_house() as here:
            form = [f"Content-Type: {kind}" for kind in ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")]
            for kind in form:
                posted = here.request(
                    b'{"jsonrpc":"2.0"}', token=None, kind=None, accept="text/html", extra=[kind, "Origin: https://evil.example"]
                )
                assert (await here.ask(posted)).status == 403
                assert (await here.ask(here.request(b"{}", kind=None, accept="*/*", extra=[kind]))).status == 415
            preflight = [
                "Origin: https://evil.example",
                "Access-Control-Request-Method: POST",
                "Access-Control-Request-Headers: authorization",
            ]
            answer = await here.ask(here.request(b"", method="OPTIONS", token=None, kind=None, extra=preflight))
            assert answer.status == 403
            assert not any(name.startswith("access-control") for name in answer.headers)
            rebound = here.request(
                b"", method="GET", host=f"rebind.example:{here.port}", extra=[f"Origin: http://rebind.example:{here.port}"]
            )
            assert (await here.ask(rebound)).status == 403
            assert here.workbench.sessions == []

    run(main)


def test_a_ticket_opens_one_request() -> None:
    async def main() -> None:
        async with http_house() as here:
            ticket = here.workbench.ticket_url().rpartition("/t/")[2]
            bad = here.request(b"{}", token=None, target=f"/mcp/t/{ticket}", kind="text/plain")
            assert (await here.ask(bad)).status == 415, "what was not opened has not used the ticket up"
            data = here.modern("tools/call", ADD, token=None, target=f"/mcp/t/{ticket}")
            assert (await here.ask(data)).json["result"]["content"][0]["text"] == "3"
            again = await here.ask(data)
            assert (again.status, b"A ticket in the path is good for one request" in again.body) == (401, True)

    run(main)


def test_a_ticket_begins_no_session_which_could_not_go_on() -> None:
    async def main() -> None:
        async with http_house() as here:
            ticket = here.workbench.ticket_url().rpartition("/t/")[2]
            answer = await here.ask(here.request(call("initialize", INITIALIZE), token=None, target=f"/mcp/t/{ticket}"))
            assert (answer.status, answer.json["error"]["code"]) == (403, -32600)
            assert "send Authorization: Bearer with the token" in answer.json["error"]["message"]
            assert "mcp-session-id" not in answer.headers
            assert here.workbench.sessions == []

    run(main)


SMUGGLED = b"GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


SMUGGLERS: list[tuple[list[str], bytes, int]] = [
    (["Content-Length: 4", "Transfer-Encoding: chunked"], b"0\r\n\r\n" + SMUGGLED, 400),
    (["Transfer-Encoding: chunked", "Content-Length: 4"], b"0\r\n\r\n" + SMUGGLED, 400),
    (["Content-Length: 2", "Content-Length: 40"], b"{}" + SMUGGLED, 400),
    (["Content-Length: 2", "Content-Length: 2"], b"{}" + SMUGGLED, 400),
    (["Content-Length: 2, 2"], b"{}" + SMUGGLED, 400),
    (["Content-Length: +2"], b"{}", 400),
    (["Content-Length : 2"], b"{}", 400),
    (["Transfer-Encoding : chunked"], b"0\r\n\r\n", 400),
    (["Transfer-Encoding: xchunked"], b"0\r\n\r\n", 501),
    (["Transfer-Encoding: chunked, identity"], b"0\r\n\r\n", 501),
    (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], b"0\r\n\r\n", 501),
    (["Transfer-Encoding:\n chunked"], b"0\r\n\r\n", 400),
    (["Content-Length: 2\n"], b"{}", 400),
    (["Transfer-Encoding: chunked"], b"2\n{}\n0\n\n\r\n" + SMUGGLED, 400),
    (["Transfer-Encoding: chunked"], b"-2\r\n{}\r\n0\r\n\r\n" + SMUGGLED, 400),
    (["Content-Length: 9999999999"], b"{}", 413),
]


@requirement("http-framing")
def test_a_request_that_hides_another_is_refused_and_ends_the_connection() -> None:
    async def main() -> None:
        async with http_house() as here:
            for lines, behind, status in SMUGGLERS:
                connection = await here.dial()
                connection.send(here.request(None, extra=lines) + behind)
                assert (await connection.answer()).status == status, lines
                assert await connection.ended() == b"", "what was hidden is not answered"

    run(main)


def test_bodies_come_whole_in_chunks_or_byte_by_byte_and_have_a_bound() -> None:
    async def main() -> None:
        async with http_house(Limits(http_body_bytes=1000)) as here:
            body = call("initialize", {})
            chunks = b"".join(b"%x\r\n%b\r\n" % (1, body[n : n + 1]) for n in range(len(body))) + b"0\r\n\r\n"
            connection = await here.dial()
            for byte in here.request(None, extra=["Transfer-Encoding: chunked"]) + chunks:
                connection.send(bytes([byte]))
                await asyncio.sleep(0)
            assert (await connection.answer()).json["error"]["code"] == -32602
            large = b"{" + b" " * 1000
            assert (await here.ask(here.request(large))).status == 413
            assert (await here.ask(here.request(None, extra=["Transfer-Encoding: chunked"]) + b"3e9\r\n")).status == 413

    run(main)


def test_who_waits_to_be_told_to_go_on_is_told_so_only_when_let_in() -> None:
    async def main() -> None:
        async with http_house() as here:
            body = call("initialize", {})
            expecting = here.request(None, extra=[f"Content-Length: {len(body)}", "Expect: 100-continue"])
            connection = await here.dial()
            connection.send(expecting)
            assert (await connection.head()).status == 100
            connection.send(body)
            assert (await connection.answer()).status == 200
            stranger = await here.dial()
            stranger.send(expecting.replace(here.token.encode(), b"x" * 43))
            assert (await stranger.answer()).status == 401

    run(main)


def test_requests_that_come_together_are_answered_one_after_the_other() -> None:
    async def main() -> None:
        async with http_house() as here:
            connection = await here.dial()
            connection.send(b"".join(here.modern("tools/call", ADD, number) for number in range(5)))
            assert [(await connection.answer()).json["id"] for _ in range(5)] == list(range(5))
            connection.send(here.modern("tools/call", ADD, 6, extra=["Connection: close"]))
            answer = await connection.answer()
            assert (answer.json["id"], answer.headers["connection"]) == (6, ["close"])
            assert await connection.ended() == b""

    run(main)


def test_what_is_piled_up_behind_a_request_is_bounded() -> None:
    async def main() -> None:
        async with http_house() as here:
            connection = await here.dial()
            connection.send(here.modern("tools/call", {"name": "quiet", "arguments": {}}))
            await here.until(here.began.is_set)
            connection.send(b"x" * 200_000)
            assert await connection.ended() == b""
            await here.until(here.cancelled.is_set)

    run(main)


@requirement("http-patience")
def test_whoever_keeps_the_server_waiting_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "KEEP_S", 0.05)
    monkeypatch.setattr(http_server, "BEAT_S", 0.02)

    async def main() -> None:
        async with http_house(Limits(handshake_timeout_s=0.05, body_timeout_s=0.05)) as here:
            silent, halfway, bodiless, done = [await here.dial() for _ in range(4)]
            halfway.send(here.request(b"{}")[:40])
            bodiless.send(here.request(b"{}" * 50)[:-50])
            done.send(here.modern("tools/call", ADD))
            assert (await done.answer()).status == 200
            for connection in (silent, halfway, bodiless, done):
                assert await connection.ended() == b""
            # A byte now and then does not lengthen the time there is for all of them.
            for begun in (b"", here.request(b"x" * 100_000)[:-100_000]):
                slow = await here.dial()
                slow.send(begun)
                ended = asyncio.ensure_future(slow.ended())  # noqa: TID251  # not of the house: a test's own
                while not ended.done():
                    slow.send(b"P")
                    await asyncio.wait([ended], timeout=0.002)
                assert await ended == b""

    run(main)


@requirement("http-patience")
def test_a_hundred_half_open_requests_and_a_flood_of_gets_keep_nobody_out() -> None:
    async def main() -> None:
        async with http_house(Limits(handshake_timeout_s=2)) as here:
            session = await here.initialize()
            half_open = [await here.dial() for _ in range(100)]
            for connection in half_open:
                connection.send(here.request(b"{}")[:30])
            first, *others = [await here.dial() for _ in range(50)]
            first.send(here.legacy(session, b"", method="GET"))
            assert (await first.head()).status == 200
            for connection in others:
                connection.send(here.legacy(session, b"", method="GET"))
            assert {(await connection.answer()).status for connection in others} == {409}
            assert (await here.ask(here.modern("tools/call", ADD))).status == 200

    run(main)


def test_a_refusal_of_head_has_no_body() -> None:
    async def main() -> None:
        async with http_house() as here:
            connection = await here.dial()
            connection.send(here.request(method="HEAD"))
            head = await connection.head()
            assert (head.status, int(head.headers["content-length"][0]) > 0) == (405, True)
            assert await connection.ended() == b""

    run(main)


def test_connections_past_the_bound_are_refused() -> None:
    async def main() -> None:
        async with http_house(Limits(sessions=3, handshake_timeout_s=5)) as here:
            kept = [await here.dial() for _ in range(3)]
            for connection in kept:
                connection.send(here.modern("tools/call", ADD))
                assert (await connection.answer()).status == 200
            answer = await here.ask(b"")
            assert answer.status == 503
            flood = [await here.dial() for _ in range(REFUSALS_AT_ONCE + 5)]
            assert await flood[-1].ended() == b""
            for connection in kept[:1] + flood:
                await connection.leave()
            await here.until(lambda: _connections(here) < 3)
            assert (await here.ask(here.modern("tools/call", ADD))).status == 200

    run(main)


def _connections(here: HttpHouse) -> int:
    running: Any = here.workbench._running
    return int(running.http_server.connections)


def test_what_is_no_http_is_told_so() -> None:
    async def main() -> None:
        async with http_house() as here:
            for data, status in (
                (b"\x16\x03\x01\x02\x00\x01", 400),
                (b"hello\r\n", 400),
                (here.request(b"{}").replace(b"HTTP/1.1", b"HTTP/1.0"), 505),
                (here.request(b"{}").replace(b"HTTP/1.1", b"HTTP/2.0"), 505),
                (here.request(b"", extra=["X: " + "a" * 65536]), 431),
                (here.request(b"", target="/" + "a" * 65536), 414),
                (here.request(b"", extra=["X-A: a\x00b"]), 400),
            ):
                assert (await here.ask(data)).status == status, data[:60]

    run(main)


@requirement("http-loopback")
def test_it_opens_only_when_asked_for_and_says_where() -> None:
    workbench = wb.Workbench(name="plain")
    workbench.start()
    assert workbench.http_url is None
    workbench.stop()

    async def main() -> None:
        async with http_house() as here:
            url = str(here.workbench.http_url)
            assert url == f"http://127.0.0.1:{here.port}/mcp"
            running: Any = here.workbench._running
            assert running.http_server._listener.getsockname() == ("127.0.0.1", here.port)
            assert url in repr(here.workbench.status())
            assert here.token not in repr(here.workbench.status())

    run(main)


def test_a_port_that_is_taken_leaves_nothing_behind() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        workbench = wb.Workbench(name="taken", http=True, http_port=taken.getsockname()[1])
        with pytest.raises(OSError, match="is taken"):
            workbench.start()
        assert not workbench.running


def test_a_stop_ends_what_is_open_soon() -> None:
    async def main() -> None:
        async with http_house(Limits(stop_grace_s=0.1)) as here:
            idle, busy = await here.dial(), await here.dial()
            idle.send(here.modern("tools/call", ADD))
            await idle.answer()
            busy.send(here.modern("tools/call", {"name": "quiet", "arguments": {}}))
            await here.until(here.began.is_set)
            await asyncio.to_thread(here.workbench.stop)
            assert await idle.ended() == b""
            answer = await busy.answer()
            assert answer.status in (200, 503)
            assert await busy.ended() == b""

    run(main)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_forked_child_lets_go_of_the_sockets() -> None:
    async def main() -> None:
        async with http_house() as here:
            connection = await here.dial()
            connection.send(here.modern("tools/call", ADD))
            await connection.answer()
            running: Any = here.workbench._running
            server = running.http_server
            inodes = {os.fstat(each.fileno()).st_ino for each in (server._listener, *_sockets(server))}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of a fork in a process with threads
                child = os.fork()  # noqa: TID251  # it is the subject
            if child == 0:
                kept = {os.fstat(each.fileno()).st_ino for each in (server._listener, *_sockets(server))}
                os._exit(0 if kept.isdisjoint(inodes) else 1)
            _, status = await asyncio.to_thread(os.waitpid, child, 0)
            assert os.waitstatus_to_exitcode(status) == 0

    run(main)


def _sockets(server: Any) -> list[socket.socket]:
    return [transport.get_extra_info("socket") for transport in server._admission.transports]

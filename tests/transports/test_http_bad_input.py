"""What nobody should send over HTTP, and what becomes of it: a refusal, and everybody else is served as before."""

from __future__ import annotations

import asyncio

from mcp_workbench.limits import Limits
from tests.interaction.requirements import requirement
from tests.support.http_house import HttpHouse, http_house, run
from tests.support.raw_http import RawHttp, call

ADD = {"name": "add", "arguments": {"a": 1, "b": 2}}
HIDDEN = b"DELETE /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

SMUGGLERS: list[tuple[list[str], bytes, int]] = [
    # Another transfer coding than `chunked` alone, in every spelling that somebody behind or before us might take for it.
    (["Transfer-Encoding: identity, chunked"], b"0\r\n\r\n" + HIDDEN, 501),
    (["Transfer-Encoding: chunked, chunked"], b"0\r\n\r\n" + HIDDEN, 501),
    (["Transfer-Encoding: chunked;q=1"], b"0\r\n\r\n" + HIDDEN, 501),
    (["Transfer-Encoding: gzip"], b"0\r\n\r\n" + HIDDEN, 501),
    (['Transfer-Encoding: "chunked"'], b"0\r\n\r\n" + HIDDEN, 501),
    (["Transfer-Encoding:"], b"0\r\n\r\n" + HIDDEN, 501),
    (["Transfer-Encoding: \x0bchunked"], b"0\r\n\r\n" + HIDDEN, 400),
    (["Transfer-Encoding\t: chunked"], b"0\r\n\r\n" + HIDDEN, 400),
    (["Transfer-Encoding: chunked", "Content-Length: 0"], b"0\r\n\r\n" + HIDDEN, 400),
    (["Transfer-Encoding: identity", "Content-Length: 2"], b"{}" + HIDDEN, 400),
    # Folded lines and bare line breaks: two readers see two heads.
    (["Transfer-Encoding:", " chunked"], b"0\r\n\r\n" + HIDDEN, 400),
    (["X-Folded: a", "\tTransfer-Encoding: chunked"], b"0\r\n\r\n" + HIDDEN, 400),
    (["X-A: b\nContent-Length: 2"], b"{}" + HIDDEN, 400),
    (["X-A: b\rContent-Length: 2"], b"{}" + HIDDEN, 400),
    (["X-A: b\x00"], b"", 400),
    ([": no name"], b"", 400),
    (["no colon"], b"", 400),
    # Lengths that are read in more than one way.
    (["Content-Length: 2", "content-length: 2"], b"{}" + HIDDEN, 400),
    (["Content-Length: -1"], b"" + HIDDEN, 400),
    (["Content-Length: 0x2"], b"{}" + HIDDEN, 400),
    (["Content-Length: 2_0"], b"{}" + HIDDEN, 400),
    (["Content-Length: 2.0"], b"{}" + HIDDEN, 400),
    (["Content-Length:"], b"" + HIDDEN, 400),
    (["Content-Length: " + "9" * 40], b"", 400),
    # Chunks that end where only some readers see it.
    (["Transfer-Encoding: chunked"], b"2\r\n{}0\r\n\r\n" + HIDDEN, 400),
    (["Transfer-Encoding: chunked"], b"0x2\r\n{}\r\n0\r\n\r\n" + HIDDEN, 400),
    (["Transfer-Encoding: chunked"], b"2;a=\n\r\n{}\r\n0\r\n\r\n" + HIDDEN, 400),
    (["Transfer-Encoding: chunked"], b"100000002\r\n{}\r\n0\r\n\r\n" + HIDDEN, 400),
    (["Transfer-Encoding: chunked"], b"2\r{}\r\n0\r\n\r\n" + HIDDEN + b" " * 300, 400),
]


@requirement("http-framing")
def test_what_can_be_read_in_two_ways_is_refused_and_nothing_behind_it_is_answered() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            named = f"Mcp-Session-Id: {session}"
            for lines, behind, status in SMUGGLERS:
                connection = await here.dial()
                connection.send(here.request(None, extra=[named, *lines]) + behind)
                assert (await connection.answer()).status == status, (lines, behind)
                assert await connection.ended() == b"", "what was hidden is not answered"
            assert (await here.ask(here.legacy(session, call("ping")))).status == 200, "and not done: the session is there"

    run(main)


@requirement("http-framing")
def test_a_head_with_other_line_ends_or_another_kind_of_target_is_none() -> None:
    async def main() -> None:
        async with http_house() as here:
            good = here.request(call("initialize", {}))
            for data, status in (
                (good.replace(b"\r\n", b"\n"), 400),
                (good.replace(b"\r\n", b"\r"), None),
                (b"\r\n" * 3 + good, 400),
                (b" " + good, 400),
                (good.replace(b"POST /mcp", b"POST  /mcp"), 400),
                (good.replace(b"POST /mcp", b"post /mcp"), 400),
                (good.replace(b"POST /mcp", f"POST http://127.0.0.1:{here.port}/mcp".encode()), 404),
                (good.replace(b"POST /mcp", b"POST //mcp"), 404),
                (good.replace(b"POST /mcp", b"POST /%6dcp"), 404),
                (good.replace(b"POST /mcp", b"POST /mcp#x"), 404),
                (good.replace(b"POST /mcp", b"POST *"), 404),
                (b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 404),
                (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            ):
                connection = await here.dial()
                connection.send(data)
                if status is None:
                    await connection.leave()  # it may become a head still: the time there is for one ends it
                    continue
                assert (await connection.answer()).status == status, data[:60]
                assert await connection.ended() == b""
            assert here.workbench.sessions == []

    run(main)


@requirement("http-refused")
def test_a_body_that_is_no_message_is_refused_in_both_eras() -> None:
    bodies = {
        b"": -32700,
        b"\xff\xfe{\x00}\x00": -32700,
        b"\xef\xbb\xbf{}": -32700,
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":NaN}}': -32700,
        b'{"jsonrpc":"2.0","id":1,"method":"ping"}{}': -32700,
        b"[" * 100_000: -32600,
        b'"ping"': -32600,
        b"{}": -32600,
        b'{"jsonrpc":"1.0","id":1,"method":"ping"}': -32600,
        b'{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}': -32600,
        b'{"jsonrpc":"2.0","id":1,"method":7}': -32600,
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}': -32600,
    }

    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            for body, code in bodies.items():
                for data in (here.legacy(session, body), here.request(body, extra=["MCP-Protocol-Version: 2026-07-28"])):
                    answer = await here.ask(data)
                    assert (answer.status, answer.json["error"]["code"]) == (400, code), body[:60]
                    assert b"Traceback" not in answer.body
            assert (await here.ask(here.legacy(session, call("ping")))).status == 200

    run(main)


@requirement("http-session-own")
def test_a_session_id_that_is_guessed_changed_or_strange_names_nothing() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            other = session[:-1] + ("A" if session[-1] != "A" else "B")
            forged = (
                other,
                session.swapcase(),
                session[:-1],
                session + "A",
                session[::-1],
                "0",
                "../x",
                "%00",
                "null",
                "s1",
                "é",
                "x" * 4000,
            )
            for name in forged:
                for method in ("POST", "GET", "DELETE"):
                    answer = await here.ask(here.legacy(name, call("ping") if method == "POST" else b"", method=method))
                    assert answer.status == 404, (name, method)
                    assert session.encode() not in answer.body
            assert (await here.ask(here.legacy(session, call("ping")))).status == 200

    run(main)


@requirement("http-patience")
def test_readers_that_stop_end_their_session_or_their_listen_and_nobody_elses() -> None:
    async def main() -> None:
        async with http_house(Limits(slow_consumer_s=0.1, outbox_bytes=256 * 1024)) as here:
            session = await here.initialize()
            assert (await here.ask(here.legacy(session, call("logging/setLevel", {"level": "debug"})))).status == 200
            uris = [f"df://numbers/rows?columns=a&where=a%20%3C%20{number}{'0' * 700}" for number in range(400)]
            for uri in uris:
                await here.ask(here.legacy(session, call("resources/subscribe", {"uri": uri})))
            standing, listening = await _stopped(here, session, uris)
            await here.until(lambda: _touched(here) and 1013 in [each.close_code for each in here.workbench.telemetry.sessions()])
            await here.until(lambda: [each.queues["subscriptions"] for each in here.workbench.sessions] == [0])
            assert (await here.ask(here.modern("tools/call", ADD))).status == 200
            assert (await here.ask(here.legacy(session, call("ping")))).status == 404
            for connection in (standing, listening):
                connection.writer.transport.abort()

    run(main)


async def _stopped(here: HttpHouse, session: str, uris: list[str]) -> tuple[RawHttp, RawHttp]:
    """The stream of a GET and a listen, both of which nobody reads."""
    standing, listening = await here.dial(small=True), await here.dial(small=True)
    standing.send(here.legacy(session, b"", method="GET"))
    await standing.head()
    listening.send(here.modern("subscriptions/listen", {"notifications": {"resourceSubscriptions": uris}}, "l"))
    await listening.head()
    for connection in (standing, listening):
        connection.writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's own does
    return standing, listening


def _touched(here: HttpHouse) -> bool:
    here.workbench.touch("numbers")
    return True


@requirement("http-patience")
@requirement("http-resume")
def test_a_flood_of_resumptions_leaves_one_stream_and_serves_the_last() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            stream = await here.dial()
            stream.send(here.legacy(session, b"", method="GET"))
            await stream.head()
            prime = await stream.event()
            assert prime is not None
            flood = [await here.dial() for _ in range(50)]
            for connection in flood:
                connection.send(here.legacy(session, b"", method="GET", extra=[f"Last-Event-ID: {prime.id}"]))
                assert (await connection.head()).status == 200
            for connection in (stream, *flood[:-1]):
                await connection.ended()
            assert (await here.ask(here.legacy(session, call("resources/subscribe", {"uri": "df://numbers"})))).status == 200
            await asyncio.to_thread(here.workbench.touch, "numbers")
            while (event := await flood[-1].event()) is not None and not event.data:
                pass
            assert event is not None
            assert event.json["method"] == "notifications/resources/updated"

    run(main)


@requirement("http-session-delete")
def test_ending_a_session_twice_or_many_at_once_is_harmless() -> None:
    async def main() -> None:
        async with http_house() as here:
            session, kept = await here.initialize(), await here.initialize()
            ending = [await here.dial() for _ in range(20)]
            for connection in ending:
                connection.send(here.legacy(session, b"", method="DELETE"))
            statuses = sorted([(await connection.answer()).status for connection in ending])
            assert statuses == [204, *[404] * 19]
            assert (await here.ask(here.legacy(kept, call("ping")))).status == 200

    run(main)

"""HTTP through a Jupyter Server: who may come in, what passes, and how each end is told to the other side."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from mcp_workbench import discovery
from mcp_workbench.client import connect
from mcp_workbench.errors import HandshakeRefused, RequestRefused
from mcp_workbench.gateway import http_proxy, sentences
from mcp_workbench.gateway.routes import OPENS_HTTP, add_routes
from tests.gateway.jupyter import BASE, KERNEL, OTHER, Jupyter, announce, jupyter, kernel, run
from tests.support.http_house import HttpHouse, http_house
from tests.support.raw_http import Answer, RawHttp, call, request

FOREIGN = "https://elsewhere.example"
SECRET = "a" * 43
XSRF = "ab" * 16
"""Both the cookie and the header that repeats it; a page of another origin can write neither."""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def target(kernel_id: str = KERNEL) -> str:
    return f"{BASE}mcp-workbench/kernels/{kernel_id}/mcp"


class Relayed(HttpHouse):
    """The same house, spoken to through a Jupyter Server."""

    def __init__(self, house: HttpHouse, jupyter: Jupyter, kernel_id: str) -> None:
        super().__init__(house.workbench)
        self.began, self.go_on, self.cancelled = house.began, house.go_on, house.cancelled
        self.connections = house.connections
        self.own_token, self.kernel_id, self.jupyter = house.token, kernel_id, jupyter
        self.port, self.token = jupyter.port, jupyter.token

    def request(self, body: bytes | None = b"", **wishes: Any) -> bytes:
        return super().request(body, **{"target": target(self.kernel_id)} | wishes)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{target(self.kernel_id)}"


@asynccontextmanager
async def relayed(folder: Path, **settings: Any) -> AsyncIterator[Relayed]:
    """A Workbench with HTTP behind a Jupyter Server that believes it to be one of its kernels."""
    async with http_house() as house:
        [entry] = discovery.find()
        async with jupyter(folder, kernels=[entry.kernel_id], **settings) as here:
            yield Relayed(house, here, entry.kernel_id)


class StandIn:
    """What listens where a kernel's HTTP endpoint should: it keeps what comes and answers what a test says."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.gone = asyncio.Event()
        """A connection has ended."""
        self.writers: list[asyncio.StreamWriter] = []
        self.came = asyncio.Event()
        self.answer = ANSWER

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2]).get(b"content-length", b"0"))
            self.requests.append(head + await reader.readexactly(size))
            writer.write(self.answer)
            self.came.set()
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the gateway hangs up as soon as it has what it wants
        finally:
            self.gone.set()
            writer.close()


@asynccontextmanager
async def stand_in(folder: Path, **settings: Any) -> AsyncIterator[tuple[StandIn, Jupyter]]:
    there = StandIn()
    server = await asyncio.start_server(there.serve, "127.0.0.1", 0)
    file = announce(KERNEL, "mcp", 1, SECRET, http_port=server.sockets[0].getsockname()[1])
    try:
        async with jupyter(folder, **settings) as here:
            yield there, here
    finally:
        file.unlink()
        server.close()
        for writer in there.writers:
            writer.close()


async def ask(here: Jupyter, data: bytes) -> Answer:
    connection = await RawHttp.dial(here.port)
    connection.send(data)
    answer = await connection.answer()
    await connection.leave()
    return answer


def ping(here: Jupyter, kernel_id: str = KERNEL, token: str | None = "", **wishes: Any) -> bytes:
    token = here.token if token == "" else token
    return request(here.port, token, **{"target": target(kernel_id), "body": call("ping")} | wishes)


def sentence_of(answer: Answer) -> str:
    """Of a refusal, which is a JSON-RPC error."""
    assert answer.kind == "application/json"
    error = answer.json
    assert (error["jsonrpc"], error["id"]) == ("2.0", None)
    assert error["error"]["code"] == (-32603 if answer.status >= 500 else -32600)
    return str(error["error"]["message"])


# --- what passes ---------------------------------------------------------------------------------------------


def test_both_eras_work_as_if_the_kernel_were_spoken_to_itself(tmp_path: Path) -> None:
    async def main() -> None:
        async with relayed(tmp_path) as here:
            session = await here.initialize()
            listening = await here.dial()
            listening.send(here.legacy(session, b"", method="GET"))
            head = await listening.head()
            assert (head.status, head.kind) == (200, "text/event-stream")
            assert head.headers["cache-control"] == ["no-cache, no-transform"], "a proxy on the way would not know that this is a stream"
            asked = await here.ask(here.legacy(session, call("tools/call", {"name": "add", "arguments": {"a": 1, "b": 2}})))
            assert asked.json["result"]["content"][0]["text"] == "3"
            modern = await here.ask(here.modern("tools/call", {"name": "add", "arguments": {"a": 3, "b": 4}}))
            assert modern.json["result"]["content"][0]["text"] == "7"
            wrong = await here.ask(here.modern("tools/call", {"name": "add"}, extra=["Mcp-Method: tools/list"]))
            assert (wrong.status, wrong.json["error"]["code"]) == (400, -32020), "the headers that repeat a body did not go through"
            here.workbench.tool(name="another")(lambda: None)
            while (event := await listening.event()) is not None and "tools/list_changed" not in event.data:
                pass
            assert event is not None, "what belongs to no request did not come"
            ended = await here.ask(here.legacy(session, b"", method="DELETE"))
            assert (ended.status, ended.body) == (204, b"")
            assert (await here.ask(here.legacy(session, call("ping")))).status == 404
            assert sorted({each[0] for each in here.transports()}) == ["http"]

    run(main)


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_our_client_speaks_both_eras_through_it(era: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with relayed(tmp_path) as here:
            heard: list[float] = []
            async with connect(here.url, token=here.token, era=era) as session:
                assert (await session.call_tool("add", {"a": 2, "b": 3})).text == "5"
                text = (await session.call_tool("long", {"size": 5000})).text
                assert text is not None
                here.go_on.set()
                await session.call_tool("hang", on_progress=lambda done, *_: heard.append(done))
            assert heard == [1.0]

    run(main)


def test_events_come_one_by_one_and_hanging_up_is_a_cancel(tmp_path: Path) -> None:
    async def main() -> None:
        async with relayed(tmp_path) as here:
            connection = await here.dial()
            connection.send(
                here.modern("tools/call", {"name": "hang", "arguments": {}}, meta={"progressToken": "p"}, extra=["Accept-Encoding: gzip"])
            )
            head = await connection.head()
            assert (head.status, head.kind, "content-encoding" in head.headers) == (200, "text/event-stream", False)
            event = await connection.event()
            assert event is not None
            assert event.json["params"]["progress"] == 1
            await connection.leave()
            await here.until(here.cancelled.is_set)

    run(main)


def test_the_kernel_sees_the_specifications_headers_and_its_own_secret_and_nothing_of_jupyters(tmp_path: Path) -> None:
    async def main() -> None:
        async with stand_in(tmp_path) as (there, here):
            cookie = await here.cookie()
            there.answer = ANSWER.replace(b"Content-Type", b"Mcp-Session-Id: s-1\r\nSet-Cookie: a=b\r\nX-Other: y\r\nContent-Type")
            extra = [
                "Mcp-Session-Id: one",
                "mcp-param-Town: Z\u00fcrich",
                "Last-Event-ID: 7",
                f"Cookie: {cookie}",
                f"Origin: {here.origin}",
            ]
            extra += [
                "X-Forwarded-For: 10.0.0.1",
                "Forwarded: for=10.0.0.1",
                "Connection: keep-alive, Mcp-Method",
                "Transfer-Encodingx: chunked",
            ]
            answer = await ask(here, ping(here, extra=extra, target=f"{target()}?token={here.token}"))
            assert (answer.status, answer.json, answer.headers["mcp-session-id"]) == (200, {}, ["s-1"])
            assert {"x-other", "content-encoding"}.isdisjoint(answer.headers)
            assert not any("a=b" in each for each in answer.headers.get("set-cookie", ()))
            [seen] = there.requests
            line, *headers = seen.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
            assert line == "POST /mcp HTTP/1.1"
            assert sorted(name.partition(":")[0].lower() for name in headers) == sorted(
                [
                    "host",
                    "accept",
                    "accept-encoding",
                    "content-type",
                    "mcp-session-id",
                    "mcp-param-town",
                    "last-event-id",
                    "authorization",
                    "content-length",
                ]
            )
            assert f"Authorization: Bearer {SECRET}" in headers
            assert here.token not in seen.decode("latin-1")
            assert seen.partition(b"\r\n\r\n")[2] == call("ping")

    run(main)


# --- who may come in -----------------------------------------------------------------------------------------


Way = Callable[[Jupyter], Awaitable[dict[str, Any]]]
"""How a client comes, as wishes for a request."""


async def with_nothing(here: Jupyter) -> dict[str, Any]:
    return {"token": None}


async def with_a_wrong_token(here: Jupyter) -> dict[str, Any]:
    return {"token": here.token[:-1]}


async def with_the_kernels_own_token(here: Jupyter) -> dict[str, Any]:
    return {"token": SECRET}


async def with_a_wrong_query(here: Jupyter) -> dict[str, Any]:
    return {"token": None, "target": f"{target()}?token={here.token}x"}


async def with_a_cookie_alone(here: Jupyter) -> dict[str, Any]:
    return {"token": None, "extra": [f"Cookie: {await here.cookie()}"]}


async def with_a_cookie_from_its_own_page_without_xsrf(here: Jupyter) -> dict[str, Any]:
    return {"token": None, "extra": [f"Cookie: {await here.cookie()}", f"Origin: {here.origin}", "Sec-Fetch-Site: same-origin"]}


async def with_a_cookie_from_a_foreign_page(here: Jupyter) -> dict[str, Any]:
    own = [f"Cookie: {await here.cookie()}; _xsrf={XSRF}", f"X-XSRFToken: {XSRF}"]
    return {"token": None, "extra": [*own, f"Origin: {FOREIGN}", "Sec-Fetch-Site: cross-site"]}


async def with_a_token_from_a_foreign_page(here: Jupyter) -> dict[str, Any]:
    return {"extra": [f"Origin: {FOREIGN}", "Sec-Fetch-Site: cross-site"]}


async def with_a_token_from_a_page_of_no_origin(here: Jupyter) -> dict[str, Any]:
    return {"extra": ["Origin: null"]}


@pytest.mark.parametrize(
    "way",
    [
        with_nothing,
        with_a_wrong_token,
        with_the_kernels_own_token,
        with_a_wrong_query,
        with_a_cookie_alone,
        with_a_cookie_from_its_own_page_without_xsrf,
        with_a_cookie_from_a_foreign_page,
        with_a_token_from_a_foreign_page,
        with_a_token_from_a_page_of_no_origin,
    ],
)
def test_nobody_else_reaches_the_kernel_by_any_method(way: Way, tmp_path: Path) -> None:
    async def main() -> None:
        async with stand_in(tmp_path) as (there, here):
            wishes = await way(here)
            for method in ("POST", "GET", "DELETE"):
                for kernel_id in (KERNEL, "no-such-kernel"):
                    elsewhere = {"target": wishes.get("target", target()).replace(KERNEL, kernel_id)}
                    answer = await ask(here, ping(here, **{**wishes, **elsewhere}, method=method, body=b""))
                    assert answer.status == 403, (method, kernel_id)
                    sentence_of(answer)
            preflight = ["Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization"]
            answer = await ask(
                here, ping(here, token=None, method="OPTIONS", body=b"", extra=[f"Origin: {FOREIGN}", *preflight], target=target())
            )
            assert answer.status in (403, 405)
            assert not [name for name in answer.headers if name.startswith("access-control-allow-headers")]
            assert there.requests == []

    run(main)


def test_a_page_of_jupyters_own_may_with_its_cookie_and_the_token_against_forgery(tmp_path: Path) -> None:
    async def main() -> None:
        async with stand_in(tmp_path) as (there, here):
            own = [f"Cookie: {await here.cookie()}; _xsrf={XSRF}", f"Origin: {here.origin}", "Sec-Fetch-Site: same-origin"]
            own += [f"X-XSRFToken: {XSRF}"]
            assert (await ask(here, ping(here, token=None, extra=own))).status == 200
            assert (await ask(here, ping(here, token=None, target=f"{target()}?token={here.token}"))).status == 200
            assert len(there.requests) == 2

    run(main)


def test_where_jupyter_wants_no_login_pages_of_other_origins_still_stay_out(tmp_path: Path) -> None:
    async def main() -> None:
        async with stand_in(tmp_path, IdentityProvider={"token": ""}) as (there, here):
            for extra in ([f"Origin: {FOREIGN}"], ["Origin: null"], [f"Origin: {FOREIGN}", "Sec-Fetch-Site: cross-site"]):
                for method in ("POST", "GET", "DELETE"):
                    assert (await ask(here, ping(here, token=None, extra=extra, method=method, body=b""))).status in (403, 404)
            assert there.requests == []

    run(main)


# --- what leads nowhere --------------------------------------------------------------------------------------


def test_an_address_that_leads_nowhere_says_why_as_an_error_of_json_rpc(tmp_path: Path) -> None:
    async def main() -> None:
        async with kernel(OTHER), jupyter(tmp_path) as here:
            for kernel_id, status, sentence in [
                (KERNEL, 404, sentences.SERVES_NOTHING),
                (OTHER, 404, sentences.NO_HTTP),
                ("no-such-kernel", 404, sentences.NO_KERNEL),
            ]:
                for method in ("POST", "GET", "DELETE"):
                    answer = await ask(here, ping(here, kernel_id, method=method, body=b""))
                    assert (answer.status, sentence_of(answer)) == (status, sentence)
            assert (await ask(here, ping(here, method="PUT"))).status == 405
            assert (await ask(here, ping(here, target=f"{target()[:-4]}/view", method="GET"))).status == 426
            with pytest.raises(RequestRefused, match=r"HTTP 404: .*speaks WebSocket alone"):
                await connect(f"http://127.0.0.1:{here.port}{target(OTHER)}", token=here.token)
        async with jupyter(tmp_path, provisioner=object()) as here:
            answer = await ask(here, ping(here))
            assert (answer.status, sentence_of(answer)) == (503, sentences.ELSEWHERE)
        async with stand_in(tmp_path, McpWorkbenchGateway={"agents": False}) as (there, here):
            answer = await ask(here, ping(here))
            assert (answer.status, sentence_of(answer), there.requests) == (403, sentences.NO_AGENTS, [])

    run(main)


@pytest.mark.parametrize("settings", [{"agents": False}, {}])
def test_a_refusal_is_one_sentence_over_websocket_and_http(settings: dict[str, Any], tmp_path: Path) -> None:
    async def main() -> None:
        async with jupyter(tmp_path, McpWorkbenchGateway=settings) as here:
            told = []
            for scheme in ("ws", "http"):
                with pytest.raises(HandshakeRefused) as refused:
                    await connect(f"{scheme}://127.0.0.1:{here.port}{target()}", token=here.token)
                told.append((refused.value.status, str(refused.value)))
            assert told[0] == told[1]
            assert told[0][0] == (403 if settings else 404)
            with pytest.raises(HandshakeRefused) as refused:
                await connect(f"ws://127.0.0.1:{here.port}{target()}", token="wrong")
            with pytest.raises(RequestRefused) as asked:
                await connect(f"http://127.0.0.1:{here.port}{target()}", token="wrong")
            assert (refused.value.status, str(refused.value)) == (asked.value.status, str(asked.value))

    run(main)


def test_a_server_that_is_not_there_or_refuses_is_said_to_be_so(tmp_path: Path) -> None:
    async def main() -> None:
        gone = await asyncio.start_server(lambda _, writer: None, "127.0.0.1", 0)
        file = announce(KERNEL, "mcp", 1, SECRET, http_port=gone.sockets[0].getsockname()[1])
        gone.close()
        await gone.wait_closed()
        async with jupyter(tmp_path) as here:
            answer = await ask(here, ping(here))
            assert (answer.status, sentences.NOT_NOW in sentence_of(answer)) == (503, True)
        file.unlink()
        async with stand_in(tmp_path) as (there, here):
            there.answer = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 2\r\n\r\nno"
            answer = await ask(here, ping(here))
            assert (answer.status, "another secret" in sentence_of(answer), "www-authenticate" in answer.headers) == (503, True, False)
            for broken in (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", b"SSH-2.0\r\n\r\n"):
                there.answer = broken
                answer = await ask(here, ping(here))
                assert (answer.status, sentence_of(answer)) == (503, sentences.BROKEN)

    run(main)


def test_a_kernel_that_dies_is_told_before_the_answer_by_a_status_and_in_it_by_its_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with stand_in(tmp_path) as (there, here):
            there.answer = b""
            silent = await RawHttp.dial(here.port)
            silent.send(ping(here))
            await there.came.wait()
            there.writers[0].transport.abort()
            answer = await silent.answer()
            assert (answer.status, sentence_of(answer)) == (503, sentences.BROKEN)
            await silent.leave()
            for begun in (STREAM + b"8\r\ndata: a\n\r\n", ANSWER.replace(b"Length: 2", b"Length: 99")):
                there.answer = begun
                there.came.clear()
                streaming = await RawHttp.dial(here.port)
                streaming.send(ping(here))
                await there.came.wait()
                assert (await streaming.head()).status == 200
                there.writers[-1].transport.abort()
                assert not (await streaming.ended()).endswith(b"0\r\n\r\n"), "the answer ended as if it were whole"
                await streaming.leave()

    run(main)


# --- bounds --------------------------------------------------------------------------------------------------


def test_a_body_that_is_too_large_is_refused_before_it_is_read_where_it_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with stand_in(tmp_path, McpWorkbenchGateway={"max_body_bytes": 2000}) as (there, here):
            declared = await RawHttp.dial(here.port)
            declared.send(ping(here, body=None, extra=["Content-Length: 2001"]))
            answer = await declared.answer()
            assert (answer.status, sentence_of(answer)) == (413, sentences.too_large(2000))
            declared.send(b"x" * 2001 + ping(here))
            assert (await declared.answer()).status == 200, "a proxy that sends the body all the same was reset"
            await declared.leave()
            stranger = await RawHttp.dial(here.port)
            stranger.send(ping(here, token="another", body=None, extra=["Content-Length: 9"]))
            assert (await stranger.answer()).status == 403
            stranger.send(b"something" + ping(here))
            assert (await stranger.answer()).status == 200
            await stranger.leave()
            assert len(there.requests) == 2
            there.requests.clear()
            chunked = await RawHttp.dial(here.port)
            chunked.send(ping(here, body=None, extra=["Transfer-Encoding: chunked"]))
            for _ in range(100):
                chunked.send(b"400\r\n" + b"x" * 1024 + b"\r\n")
            chunked.send(b"0\r\n\r\n")
            answer = await chunked.answer()
            assert (answer.status, sentence_of(answer)) == (413, sentences.too_large(2000))
            await chunked.leave()
            assert there.requests == []
            assert (await ask(here, ping(here, body=b"x" * 2000))).status == 200

    run(main)


@pytest.mark.parametrize(
    "extra",
    [
        ["Content-Length: 4", "Content-Length: 5"],
        ["Content-Length: 4", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Content-Length: +4"],
        ["Content-Length: 4,5"],
        ["Content-Length: 0x4"],
    ],
)
def test_no_request_hides_behind_another(extra: list[str], tmp_path: Path) -> None:
    async def main() -> None:
        async with stand_in(tmp_path) as (there, here):
            connection = await RawHttp.dial(here.port)
            connection.send(ping(here, body=None, extra=extra) + b"0\r\n\r\n" + ping(here, body=b"hidden"))
            seen = await asyncio.wait_for(connection.ended(), 10)
            assert b" 200 " not in seen
            assert there.requests == [], "something was read out of it"
            await connection.leave()

    run(main)


def test_there_is_room_for_so_many_requests_at_a_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with stand_in(tmp_path, McpWorkbenchGateway={"max_connections": 1}) as (there, here):
            there.answer = STREAM
            first = await RawHttp.dial(here.port)
            first.send(ping(here))
            await first.head()
            answer = await ask(here, ping(here))
            assert (answer.status, sentence_of(answer)) == (503, sentences.full(1))
            await first.leave()
            await there.gone.wait()
            there.answer = ANSWER
            assert (await ask(here, ping(here))).status == 200

    run(main)


def test_a_client_that_does_not_read_stops_the_kernel_and_loses_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with stand_in(tmp_path) as (there, here):
            there.answer = STREAM
            client = await RawHttp.dial(here.port, small=True)
            reading = cast("asyncio.Transport", client.writer.transport)
            reading.pause_reading()
            client.send(ping(here))
            await there.came.wait()
            [writer] = there.writers
            writer.transport.set_write_buffer_limits(high=64 * 1024)
            event = b"data: " + b"x" * 8000 + b"\n\n"
            sent = 0
            while writer.transport.get_write_buffer_size() == 0 or not await settled(writer):
                writer.write(b"%x\r\n%b\r\n" % (len(event), event))
                sent += 1
                assert sent < 10_000, "the gateway takes everything, whoever reads"
            writer.write(b"0\r\n\r\n")
            reading.resume_reading()
            await client.head()
            got = 0
            while await client.event() is not None:
                got += 1
            assert got == sent
            await client.leave()

    async def settled(writer: asyncio.StreamWriter) -> bool:
        """Whether what waits to be sent is still as much after many turns of the loop."""
        before = writer.transport.get_write_buffer_size()
        for _ in range(200):
            await asyncio.sleep(0)
        return writer.transport.get_write_buffer_size() == before

    run(main)


# --- what stays secret, and what is opened ---------------------------------------------------------------------


def test_nothing_secret_is_logged_whatever_goes_wrong(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(door: object) -> dict[str, object]:
        raise RuntimeError("a fault that a test has made")

    async def main() -> None:
        async with stand_in(tmp_path) as (_, here):
            here.app.log.propagate = True
            query = f"{target()}?token={here.token}"
            assert (await ask(here, ping(here, token=None, target=query))).status == 200
            assert (await ask(here, ping(here, token=None, target=query.replace(KERNEL, OTHER)))).status == 404
            assert (await ask(here, ping(here, token=None, target=query + "x"))).status == 403
            monkeypatch.setattr(http_proxy, "entries", broken)
            assert (await ask(here, ping(here, token=None, target=query))).status == 500
            monkeypatch.undo()
            assert "mcp-workbench: a fault of the gateway itself" in caplog.text
            assert target() in caplog.text, "the log was not captured"
            assert here.token not in caplog.text
            assert SECRET not in caplog.text

    with caplog.at_level(logging.DEBUG):
        run(main)


@pytest.mark.parametrize(
    ("configured", "before", "after"),
    [({}, None, "1"), ({}, "0", "0"), ({"http": False}, None, None), ({"agents": False}, None, None)],
)
def test_kernels_that_such_a_jupyter_server_starts_open_their_http_endpoint(
    configured: dict[str, Any], before: str | None, after: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OPENS_HTTP, "")
    monkeypatch.delenv(OPENS_HTTP)
    if before is not None:
        monkeypatch.setenv(OPENS_HTTP, before)

    async def main() -> None:
        async with jupyter(tmp_path, McpWorkbenchGateway=configured) as here:
            add_routes(here.app)
        assert os.environ.get(OPENS_HTTP) == after

    run(main)

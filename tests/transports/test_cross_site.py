"""What web pages may do: nothing, unless their origin is one of `allowed_origins`; over raw sockets, as browsers speak."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.transports.cross_site import REQUEST_HEADERS, is_preflight, may_send
from tests.interaction.requirements import requirement
from tests.support.http_house import INITIALIZE, HttpHouse, http_house, run
from tests.support.raw_http import Answer, call

LAB, EVIL = "https://lab.example", "https://evil.example"
ADD = {"name": "add", "arguments": {"a": 1, "b": 2}}


def preflight(
    here: HttpHouse, origin: str, *, asks: str = "authorization, content-type, mcp-protocol-version", target: str = "/mcp"
) -> bytes:
    """What a browser sends before a page's first request: no credential, no body."""
    extra = [f"Origin: {origin}", "Access-Control-Request-Method: POST", f"Access-Control-Request-Headers: {asks}"]
    return here.request(None, method="OPTIONS", token=None, kind=None, accept="*/*", target=target, extra=extra)


def cross_site(answer: Answer) -> dict[str, list[str]]:
    return {name: values for name, values in answer.headers.items() if name.startswith("access-control") or name == "vary"}


READABLE = {"access-control-allow-origin": [LAB], "access-control-expose-headers": ["Mcp-Session-Id"], "vary": ["Origin"]}


@requirement("http-preflight")
def test_a_page_of_an_allowed_origin_may_ask_first_and_reads_the_answers() -> None:
    async def main() -> None:
        async with http_house(allowed_origins=[LAB]) as here:
            told = await here.ask(preflight(here, LAB, asks="authorization, content-type, mcp-method, Mcp-Param-Region, x-other"))
            assert (told.status, told.body) == (200, b"")
            assert {name: values for name, values in cross_site(told).items() if name in READABLE} == READABLE
            assert told.headers["access-control-allow-methods"] == ["POST, GET, DELETE"]
            [allowed] = told.headers["access-control-allow-headers"]
            assert {*REQUEST_HEADERS, "mcp-param-region"} == set(allowed.split(", "))
            assert "access-control-allow-credentials" not in told.headers

            origin = f"Origin: {LAB}"
            opened = await here.ask(here.request(call("initialize", INITIALIZE), extra=[origin]))
            assert (opened.status, cross_site(opened)) == (200, READABLE)
            [session] = opened.headers["mcp-session-id"]
            called = await here.ask(here.modern("tools/call", ADD, extra=[origin]))
            assert (called.json["result"]["content"][0]["text"], cross_site(called)) == ("3", READABLE)
            stream = await here.dial()
            stream.send(here.legacy(session, b"", method="GET", extra=[origin]))
            head = await stream.head()
            assert (head.kind, cross_site(head)) == ("text/event-stream", READABLE)
            # What is wrong can be read too: a page could not say otherwise what to do.
            for data, status in (
                (here.request(b"{}", token=None, extra=[origin]), 401),
                (here.request(b"{", extra=[origin]), 400),
                (here.request(b"{}", kind="text/plain", extra=[origin]), 415),
                (here.request(None, extra=[origin, "Content-Length: 9999999999"]), 413),
                (here.request(None, extra=[origin, "Transfer-Encoding: chunked"]) + b"nonsense\r\n", 400),
                (here.legacy("nobody", b"", method="DELETE", extra=[origin]), 404),
                (here.modern("no/such", extra=[origin]), 404),
            ):
                answer = await here.ask(data)
                assert (answer.status, cross_site(answer)) == (status, READABLE), data

    run(main)


@requirement("http-preflight")
def test_a_page_of_another_origin_is_told_nothing_before_or_after() -> None:
    async def main() -> None:
        async with http_house(allowed_origins=[LAB]) as here:
            own = f"http://127.0.0.1:{here.port}"
            for origin in (EVIL, "null", "https://lab.example.evil.example", "http://lab.example", "https://lab.example:444", "*", ""):
                told = await here.ask(preflight(here, origin))
                assert (told.status, cross_site(told)) == (403, {}), origin
                read = await here.ask(here.modern("tools/call", ADD, extra=[f"Origin: {origin}"]))
                assert (read.status, cross_site(read)) == (403, {}), origin
            both = preflight(here, LAB).replace(f"Origin: {LAB}".encode(), f"Origin: {LAB}\r\nOrigin: {EVIL}".encode())
            assert (await here.ask(both)).status == 403
            assert here.workbench.sessions == []
            # The server's own origin needs no leave, and programs have no origin.
            for extra in ([f"Origin: {own}"], []):
                answer = await here.ask(here.modern("tools/call", ADD, extra=extra))
                assert (answer.status, cross_site(answer)) == (200, {})
            # A preflight opens nothing: not another path, not with a foreign Host, not without being one.
            assert (await here.ask(preflight(here, LAB, target="/nowhere"))).status == 404
            rebound = preflight(here, LAB).replace(f"Host: 127.0.0.1:{here.port}".encode(), b"Host: rebind.example")
            assert (await here.ask(rebound)).status == 403
            plain = here.request(None, method="OPTIONS", token=None, kind=None, extra=[f"Origin: {LAB}"])
            assert (await here.ask(plain)).status == 401

    run(main)


@requirement("http-preflight")
def test_without_allowed_origins_every_page_is_refused() -> None:
    async def main() -> None:
        async with http_house() as here:
            told = await here.ask(preflight(here, LAB))
            assert (told.status, cross_site(told)) == (403, {})
            own = await here.ask(preflight(here, f"http://127.0.0.1:{here.port}"))
            assert (own.status, cross_site(own)) == (401, {})

    run(main)


def test_leave_to_read_is_given_for_one_request_only() -> None:
    async def main() -> None:
        async with http_house(allowed_origins=[LAB]) as here:
            connection = await here.dial()
            connection.send(here.modern("tools/call", ADD, extra=[f"Origin: {LAB}"]))
            assert cross_site(await connection.answer()) == READABLE
            connection.send(here.modern("tools/call", ADD))
            assert cross_site(await connection.answer()) == {}
            connection.send(b"nonsense\r\n\r\n")
            refused = await connection.answer()
            assert (refused.status, cross_site(refused)) == (400, {})

    run(main)


def test_the_websocket_port_knows_no_preflight() -> None:
    async def main() -> None:
        async with http_house(allowed_origins=[LAB]) as here:
            port = int(here.workbench.url.rpartition(":")[2].partition("/")[0])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(preflight(here, LAB).replace(str(here.port).encode(), str(port).encode()))
            assert b"access-control" not in (await reader.read()).lower()
            writer.close()

    run(main)


@given(st.lists(st.text(st.characters(codec="latin-1"), max_size=40), max_size=5))
def test_what_a_preflight_asks_for_puts_no_line_of_its_own_into_the_answer(asked: list[str]) -> None:
    headers = {"access-control-request-method": ["POST"], "access-control-request-headers": asked}
    assert is_preflight("OPTIONS", headers)
    for name, value in may_send(headers):
        assert f"{name}{value}".isprintable()
        assert f"{name}{value}".isascii()
    [allowed] = [value for name, value in may_send(headers) if name == "Access-Control-Allow-Headers"]
    assert all(name in REQUEST_HEADERS or name.startswith("mcp-param-") for name in allowed.split(", "))

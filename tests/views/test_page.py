"""The page of its own, over real sockets: who gets in, who does not, and what a browser is told."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench.events import Principal
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.credentials import Credentials, Tickets
from mcp_workbench.transports.gate import Endpoint, Gate
from mcp_workbench.transports.websocket_server import serve_websocket
from mcp_workbench.views.page import LINK_S, OwnPage, link_line
from tests.support.channels import Listener
from tests.support.raw_websocket import Head, RawConnection, frame, request

SCRIPT = b"export {};\n"


@dataclass(slots=True)
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser that has opened a link."""

    cookie: str
    """The header that it sends."""
    key: str


@dataclass(slots=True)
class Desk:
    """A server with a page, an agents' endpoint, and what came in by the page."""

    port: int
    page: OwnPage
    agents: Credentials
    viewers: Credentials
    clock: Clock
    principals: list[Principal] = field(default_factory=list)
    served: list[Listener] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def link(self) -> str:
        """The target of a new link."""
        return self.page.link(self.address).removeprefix(self.address)

    async def ask(self, target: str, *extra: str, method: str = "GET") -> tuple[Head, bytes]:
        connection = await RawConnection.dial(self.port)
        connection.send(request(self.port, target=target, method=method, upgrade=False, offer=None, extra=extra))
        head = await connection.head()
        body = await connection.body()
        await connection.hang_up()
        return head, body

    async def status(self, target: str, *extra: str, method: str = "GET") -> int:
        head, _ = await self.ask(target, *extra, method=method)
        return head.status

    async def visitor(self) -> Visitor:
        """A browser that opens a link."""
        head, _ = await self.ask(self.link())
        return Visitor(f"Cookie: {head.headers['set-cookie'][0].partition(';')[0]}", head.headers["location"][0].partition("#")[2])

    async def cookie(self) -> str:
        """The header of one."""
        return (await self.visitor()).cookie

    async def view(self, *extra: str, key: str = "", origin: str | None = "own", token: str | None = None) -> RawConnection:
        """A WebSocket that was asked for; the answer is not read yet."""
        connection = await RawConnection.dial(self.port)
        origins = [] if origin is None else [f"Origin: {self.address if origin == 'own' else origin}"]
        offer = f"mcp-workbench-view, key.{key}" if key else "mcp-workbench-view"
        connection.send(request(self.port, token, target="/panel/view", offer=offer, extra=[*extra, *origins]))
        return connection

    async def view_status(self, *extra: str, key: str = "", origin: str | None = "own", token: str | None = None) -> int:
        connection = await self.view(*extra, key=key, origin=origin, token=token)
        head = await connection.head()
        await connection.body()
        await connection.hang_up()
        return head.status


@asynccontextmanager
async def desk(static: Path) -> AsyncIterator[Desk]:
    clock = Clock()
    agents, viewers = Credentials(), Credentials()

    def accept(channel: Channel, principal: Principal) -> Listener:
        here.principals.append(principal)
        here.served.append(Listener(channel.send))
        return here.served[-1]

    page = OwnPage(accept, viewers, static=static, tickets=Tickets(clock=clock, limit=50))
    agents_door = Endpoint("/mcp", agents, "mcp", accept, agents.tickets)
    server = await serve_websocket(Gate([agents_door, *page.doors()]))
    here = Desk(server.port, page, agents, viewers, clock)
    try:
        yield here
    finally:
        await server.close()


def run(static: Path, main: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10), desk(static) as here:
            await main(here)

    asyncio.run(bounded())


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "page.js").write_bytes(SCRIPT)
    (tmp_path / "page.css").write_bytes(b"body {}\n")
    return tmp_path


def test_a_link_gives_a_browser_its_cookie_and_with_it_the_page(built: Path) -> None:
    async def main(here: Desk) -> None:
        head, body = await here.ask(here.link())
        assert (head.status, body) == (303, b"")
        assert re.fullmatch(r"/panel/#[\w-]{43}", head.headers["location"][0])
        cookie, *attributes = head.headers["set-cookie"][0].split("; ")
        assert cookie.startswith(f"mcp_workbench_{here.port}=")
        assert attributes == ["HttpOnly", "SameSite=Strict", "Path=/panel"]
        for target, kind, start in (
            ("/panel/", "text/html; charset=utf-8", b"<!doctype html>"),
            ("/panel/page.js", "text/javascript; charset=utf-8", SCRIPT),
            ("/panel/page.css", "text/css; charset=utf-8", b"body {}"),
            ("/panel/favicon.svg", "image/svg+xml", b"<svg"),
        ):
            head, body = await here.ask(target, f"Cookie: {cookie}")
            assert (head.status, head.headers["content-type"]) == (200, [kind])
            assert body.startswith(start)

    run(built, main)


def test_the_page_is_drawn_by_its_own_files_only(built: Path) -> None:
    async def main(here: Desk) -> None:
        _, body = await here.ask("/panel/", await here.cookie())
        assert b'<script type="module" src="page.js"></script>' in body
        assert b'<link rel="stylesheet" href="page.css">' in body
        assert b"style=" not in body
        assert b"http" not in body

    run(built, main)


def test_every_answer_of_the_page_forbids_what_it_does_not_need(built: Path) -> None:
    async def main(here: Desk) -> None:
        cookie = await here.cookie()
        targets = (here.link(), "/panel/open/used", "/panel/", "/panel/page.js", "/panel/page.css", "/panel/favicon.svg", "/panel/link")
        for target, extra in [(target, extra) for target in targets for extra in ((), (cookie,))]:
            head, _ = await here.ask(target, *extra)
            [policy] = head.headers["content-security-policy"]
            assert set(policy.split("; ")) == {
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                f"connect-src 'self' ws://127.0.0.1:{here.port} ws://localhost:{here.port}",
                "img-src 'self' data:",
                "font-src 'self'",
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
            }
            for name, value in (
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("cache-control", "no-store"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ):
                assert head.headers[name] == [value], (target, name)

    run(built, main)


def test_a_link_that_is_used_unknown_or_older_than_a_minute_says_what_to_do(built: Path) -> None:
    async def main(here: Desk) -> None:
        used, old = here.link(), here.link()
        assert await here.status(used) == 303
        here.clock.now += LINK_S
        for target in (used, old, "/panel/open/nope", "/panel/open/%2e%2e", f"/panel/open/{here.agents.token()}"):
            head, body = await here.ask(target)
            assert head.status == 403
            assert b"run wb.show(browser=True) again" in body
            assert "set-cookie" not in head.headers
        assert await here.status("/panel/open/") == 404

    run(built, main)


def test_who_only_previews_a_link_does_not_use_it_up(built: Path) -> None:
    async def main(here: Desk) -> None:
        link = here.link()
        head, _ = await here.ask(link, method="HEAD")
        assert (head.status, head.headers["location"]) == (303, ["/panel/"])
        assert "set-cookie" not in head.headers
        assert await here.status("/panel/open/nope", method="HEAD") == 403
        assert await here.status(link, "Sec-Purpose: prefetch;prerender") == 503
        for older in ("Purpose: prefetch", "X-Moz: prefetch", "X-Purpose: preview"):
            assert await here.status(link, older) == 503
        assert await here.status(link, method="POST") == 405
        assert await here.status(link, "Origin: http://evil.example") == 403
        assert await here.status(link) == 303

    run(built, main)


def test_without_a_cookie_that_counts_there_is_no_page(built: Path) -> None:
    async def main(here: Desk) -> None:
        cookie = await here.cookie()
        for extra in (
            (),
            (cookie + "x",),
            (cookie.replace(str(here.port), "1"),),
            (cookie, cookie),
            (f"Cookie: mcp_workbench_{here.port}={here.agents.token()}",),
            (f"Authorization: Bearer {here.agents.token()}",),
            (f"Authorization: Bearer {here.viewers.token()}",),
        ):
            for target in ("/panel/", "/panel/page.js", "/panel/page.css"):
                head, body = await here.ask(target, *extra)
                assert head.status == 403, (target, extra)
                assert b"wb.show(browser=True)" in body
        assert await here.status("/panel/", cookie) == 200

    run(built, main)


def test_after_a_click_in_another_sites_page_our_own_page_asks_once_more(built: Path) -> None:
    async def main(here: Desk) -> None:
        fetched = ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
        head, body = await here.ask("/panel/", "Sec-Fetch-Site: cross-site", *fetched)
        assert (head.status, head.headers["content-type"]) == (200, ["text/html; charset=utf-8"])
        assert b'content="0; url=?again"' in body
        assert b"page.js" not in body
        assert await here.status("/panel/?again", "Sec-Fetch-Site: cross-site", *fetched) == 403  # once, and not for ever
        for extra in (("Sec-Fetch-Site: same-origin", *fetched), ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: iframe")):
            head, body = await here.ask("/panel/", *extra)
            assert (head.status, head.headers["content-type"]) == (403, ["text/plain; charset=utf-8"])
            assert b"refresh" not in body

    run(built, main)


def test_a_link_that_was_clicked_in_another_sites_page_is_not_used_up_before_our_own_page_asks(built: Path) -> None:
    async def main(here: Desk) -> None:
        fetched = ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
        visitor, link = await here.visitor(), here.link()
        for site in ("cross-site", "same-site"):
            head, body = await here.ask(link, f"Sec-Fetch-Site: {site}", *fetched)
            assert (head.status, "set-cookie" in head.headers) == (200, False)
            assert b'content="0; url=?again"' in body
            assert link.rpartition("/")[2].encode() not in body
        head, _ = await here.ask(f"{link}?again", "Sec-Fetch-Site: same-origin", *fetched, visitor.cookie)
        assert (head.status, head.headers["location"]) == (303, [f"/panel/#{visitor.key}"])  # its first window stays in
        assert "set-cookie" not in head.headers
        assert await here.status(f"{link}?again") == 403
        known = await here.ask(here.link(), "Sec-Fetch-Site: same-site", *fetched, visitor.cookie)
        assert known[0].status == 303

    run(built, main)


def test_no_path_leads_out_of_the_bundle(built: Path) -> None:
    (built / "secret.txt").write_text("secret")

    async def main(here: Desk) -> None:
        cookie = await here.cookie()
        for target in (
            "/panel/secret.txt", "/panel/../panel/", "/panel/./page.js", "/panel/%2e%2e/secret.txt", "/panel/..%2fsecret.txt",
            "/panel/page.js/..", "/panel/page%2ejs", "/panel//page.js", "/panel/page.js%00", "/panel", "/panel/open", "/panel/view/x",
            "/panel/open/a/b", "/", "/static/page.js",
        ):  # fmt: skip
            assert await here.status(target, cookie) == 404, target

    run(built, main)


def test_pages_can_be_read_and_nothing_else(built: Path) -> None:
    async def main(here: Desk) -> None:
        cookie = await here.cookie()
        for target in ("/panel/", "/panel/page.js", "/panel/link"):
            for method in ("POST", "PUT", "DELETE", "OPTIONS"):
                assert await here.status(target, cookie, method=method) == 405
        head, body = await here.ask("/panel/page.js", cookie, method="HEAD")
        assert (head.status, head.headers["content-length"], body) == (200, [str(len(SCRIPT))], b"")

    run(built, main)


def test_the_page_opens_its_websocket(built: Path) -> None:
    async def main(here: Desk) -> None:
        visitor = await here.visitor()
        windows = [await here.view(visitor.cookie, key=visitor.key) for _ in range(2)]
        for window in windows:
            head = await window.head()
            assert (head.status, head.headers["sec-websocket-protocol"]) == (101, ["mcp-workbench-view"])
            window.send(frame("hello"))
            assert await window.text() == b"hello"
            await window.leave()
        assert here.principals == [Principal("view")] * 2

    run(built, main)


def test_nobody_else_opens_the_websocket_of_the_page(built: Path) -> None:
    async def main(here: Desk) -> None:
        visitor, agent = await here.visitor(), here.agents.token()
        cookie, key = visitor.cookie, visitor.key
        port = here.port
        for origin in (None, "http://evil.example", f"http://127.0.0.1:{port + 1}", f"http://localhost:{port}", "null"):
            assert await here.view_status(cookie, key=key, origin=origin) == 403
        assert await here.view_status(key=key) == 403
        assert await here.view_status(cookie + "x", key=key) == 403
        assert await here.view_status(key=key, token=agent) == 403
        assert await here.view_status(key=key, token=here.viewers.token()) == 403
        assert await here.view_status(f"Cookie: mcp_workbench_{port}={agent}", key=key) == 403
        own = (f"Origin: {here.address}", f"Sec-WebSocket-Protocol: key.{key}")
        assert await here.status("/panel/view", cookie, *own) == 426
        assert await here.status(f"/panel/view/t/{here.agents.tickets.mint(Principal('alice'))}") == 404
        assert here.served == []

    run(built, main)


def test_a_cookie_that_another_port_was_shown_opens_no_websocket(built: Path) -> None:
    """A server of somebody else has the cookie, and writes the Origin that it likes."""

    async def main(here: Desk) -> None:
        visitor, another = await here.visitor(), await here.visitor()
        value = visitor.cookie.partition("=")[2]
        for key in ("", "x", value, another.key, visitor.key[:-1], visitor.key + "x", f"{visitor.key}, key.{visitor.key}"):
            assert await here.view_status(visitor.cookie, key=key) == 403
        head, body = await here.ask("/panel/", visitor.cookie)  # the bare page, in which nothing is
        assert head.status == 200
        assert visitor.key not in f"{head}{body!r}"
        assert here.served == []

    run(built, main)


def test_a_cookie_opens_no_agents_endpoint(built: Path) -> None:
    async def main(here: Desk) -> None:
        connection = await RawConnection.dial(here.port)
        connection.send(request(here.port, target="/mcp", extra=[await here.cookie(), f"Origin: {here.address}"]))
        assert (await connection.head()).status == 401
        await connection.body()
        await connection.hang_up()

    run(built, main)


def test_a_program_with_the_secret_of_the_views_gets_a_link(built: Path) -> None:
    async def main(here: Desk) -> None:
        right = f"Authorization: Bearer {here.viewers.token()}"
        head, body = await here.ask("/panel/link", right)
        assert (head.status, head.headers["content-type"]) == (200, ["application/json"])
        link = json.loads(body)["url"]
        assert link.startswith(f"{here.address}/panel/open/")
        assert await here.status(link.removeprefix(here.address)) == 303
        for wrong in ((), (right, right), (f"Authorization: Bearer {here.agents.token()}",), (await here.cookie(),)):
            head, body = await here.ask("/panel/link", *wrong)
            assert head.status == 401
            assert b"url" not in body
        head, body = await here.ask("/panel/link", right, method="HEAD")
        assert (head.status, body) == (200, b"")

    run(built, main)


def test_too_many_links_that_wait_are_said_to_be_too_many(built: Path) -> None:
    async def main(here: Desk) -> None:
        for _ in range(50):
            here.link()
        head, body = await here.ask("/panel/link", f"Authorization: Bearer {here.viewers.token()}")
        assert head.status == 503
        assert body.startswith(b"50 tickets are waiting")

    run(built, main)


def test_before_the_front_end_is_built_a_sentence_says_how_and_after_it_the_page_is_there(tmp_path: Path) -> None:
    async def main(here: Desk) -> None:
        cookie = await here.cookie()
        for target, status in (("/panel/", 503), ("/panel/page.js", 404), ("/panel/page.css", 404)):
            head, body = await here.ask(target, cookie)
            assert head.status == status
            assert b"`jlpm build:view`" in body
        (tmp_path / "page.js").write_bytes(SCRIPT)
        assert await here.status("/panel/", cookie) == 200
        assert (await here.ask("/panel/page.js", cookie))[1] == SCRIPT

    run(tmp_path, main)


def test_no_secret_stands_in_a_log_a_repr_or_an_answer(built: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def main(here: Desk) -> None:
        link, secret = here.link(), here.viewers.token()
        visitor = await here.visitor()
        cookie, value = visitor.cookie, visitor.cookie.partition("=")[2]
        told = repr(here.page) + repr(here.page.doors())
        for target, extra in (
            (link, ()),
            (link, ()),
            ("/panel/", (cookie,)),
            ("/panel/", (cookie + "x",)),
            ("/panel/link", (f"Authorization: Bearer {secret}x",)),
            (f"/panel/{value}", (cookie,)),
        ):
            head, body = await here.ask(target, *extra)
            for name in ("set-cookie", "location"):
                head.headers.pop(name, None)
            told += repr(head) + repr(body)
        window = await here.view(cookie, key=visitor.key)
        told += repr(await window.head())
        await window.leave()
        assert await here.view_status(cookie, key=visitor.key + "x") == 403
        told += "".join(record.getMessage() + repr(record.args) for record in caplog.records)
        assert not [text for text in (link.rpartition("/")[2], value, visitor.key, secret) if text in told]

    run(built, main)


def test_the_line_that_is_printed_says_how_long_a_link_is_good() -> None:
    assert link_line("http://127.0.0.1:1/panel/open/x") == "http://127.0.0.1:1/panel/open/x (good once, for 60 s)"

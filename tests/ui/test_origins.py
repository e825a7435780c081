"""Whose page a browser lets at a kernel: the one that was opened by a link, and no other, whatever cookies browsers hold or give away."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from playwright.sync_api import Browser

from tests.gateway.jupyter import BASE
from tests.gateway.process import JupyterProcess, jupyter_process
from tests.ui.page_support import Program, Window, windows

pytestmark = pytest.mark.browser

SUBPROTOCOL = "mcp-workbench-view"
OPENS = """
([url, protocol]) => new Promise((resolve) => {
  const socket = new WebSocket(url, protocol);
  socket.onopen = () => resolve("opened");
  socket.onmessage = () => resolve("opened");
  socket.onclose = ({ code }) => resolve(`closed ${code}`);
})
"""
FETCHES = """
async ([url, mode]) => {
  try {
    const answer = await fetch(url, { mode, credentials: "include" });
    return answer.type === "opaque" ? "opaque" : `${answer.status} ${(await answer.text()).slice(0, 80)}`;
  } catch (error) {
    return error.name;
  }
}
"""
FRAMES = """
(url) => new Promise((resolve) => {
  const frame = document.createElement("iframe");
  frame.onload = () => { try { resolve(frame.contentDocument?.title || "nothing to be seen") } catch { resolve("nothing to be seen") } };
  frame.src = url;
  document.body.append(frame);
})
"""
SCRIPTS = """
(url) => new Promise((resolve) => {
  const script = document.createElement("script");
  script.type = "module";
  script.onload = () => resolve("ran");
  script.onerror = () => resolve("refused");
  script.src = url;
  document.head.append(script);
})
"""
EVALUATES = """
() => new Promise((resolve) => setTimeout(() => {
  const tried = [];
  for (const run of [() => eval("1"), () => new Function("return 1")(), () => setTimeout("1", 0)]) {
    try { run(); tried.push("ran") } catch (error) { tried.push(error.name) }
  }
  const inline = document.createElement("script");
  inline.textContent = "globalThis.ranInline = true";
  document.head.append(inline);
  const image = document.createElement("img");
  image.setAttribute("onerror", "globalThis.ranInline = true");
  image.src = "data:,";
  document.body.append(image);
  image.addEventListener("error", () => resolve([...tried, globalThis.ranInline ? "ran" : "stopped"]));
}, 0))
"""
"""In a turn of the page's own: what a driver of the browser runs at once is let past the policy."""


class _Page(BaseHTTPRequestHandler):
    """A page of somebody else's."""

    body: ClassVar[bytes] = b"<!doctype html><title>elsewhere</title><body><img src='/panel/x.png'></body>"
    cookies: ClassVar[list[str]] = []
    """What browsers have sent it."""

    def do_GET(self) -> None:
        self.cookies.extend(self.headers.get_all("Cookie", []))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    """The port of a server of somebody else's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True, name="somebody else's server")
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("origins")) as program:
        program.run("import mcp_workbench as wb\nwb.start(name='flights')")
        yield program


@contextmanager
def opened(browser: Browser, program: Program) -> Iterator[tuple[Window, Window]]:
    """The page, opened by its link, and another window of the same browser."""
    with windows(browser) as new:
        window = new()
        window.page.goto(program.link())
        window.until_state("live")
        yield window, new()


def key_of(window: Window) -> str:
    """What the page keeps for its window."""
    key = window.page.evaluate("sessionStorage.getItem('mcpw.key')")
    assert isinstance(key, str)
    return key


def opens(port: str, cookie: str, *subprotocols: str) -> int:
    """The status that a program is answered with: it sends what headers it likes."""
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=20)
    headers = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": ", ".join((SUBPROTOCOL, *subprotocols)), "Origin": f"http://127.0.0.1:{port}", "Cookie": cookie,
    }  # fmt: skip
    try:
        connection.request("GET", "/panel/view", headers=headers)
        with connection.getresponse() as answer:
            return answer.status
    finally:
        connection.close()


def test_a_server_on_another_port_is_shown_the_cookie_and_does_not_get_in_with_it(
    program: Program, browser: Browser, elsewhere: int
) -> None:
    with opened(browser, program) as (window, other), opened(browser, program) as (somebody, _):
        port = window.page.url.split(":")[2].partition("/")[0]
        _Page.cookies.clear()
        other.page.goto(f"http://127.0.0.1:{elsewhere}/")
        other.page.wait_for_load_state()
        assert other.page.evaluate("sessionStorage.length") == 0
        cookie = next(sent for sent in _Page.cookies if f"mcp_workbench_{port}=" in sent)  # browsers do not ask for ports
        key = key_of(window)
        assert opens(port, cookie) == 403
        assert opens(port, cookie, f"key.{cookie.partition('=')[2]}") == 403
        assert opens(port, cookie, f"key.{key_of(somebody)}") == 403
        assert opens(port, cookie, f"key.{key}") == 101  # so it is the key that was missing
        assert not [sent for sent in _Page.cookies if key in sent]


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_link_in_another_sites_page_leads_to_the_live_page_and_puts_no_window_out(
    program: Program, browser: Browser, elsewhere: int, name: str
) -> None:
    with opened(browser, program) as (window, other):
        address = f"http://{name}:{elsewhere}/"
        other.page.goto(address)
        other.page.evaluate("(link) => { document.body.innerHTML = '<a>go</a>'; document.querySelector('a').href = link }", program.link())
        other.page.click("a")
        other.until_state("live")
        assert other.page.url == window.page.url
        window.page.reload()
        window.until_state("live")
        other.page.reload()
        other.until_state("live")
        key = key_of(other)
        assert not [asked for asked in other.asked if asked.startswith("ws") and key in asked]
        other.page.go_back()
        assert other.page.url == address  # nothing of the link or the key is left to go back to


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_page_of_another_origin_gets_at_nothing_of_the_kernels(program: Program, browser: Browser, elsewhere: int, name: str) -> None:
    with opened(browser, program) as (window, other):
        other.page.goto(f"http://{name}:{elsewhere}/")
        port, offered = window.page.url.split(":")[2].partition("/")[0], [SUBPROTOCOL, f"key.{key_of(window)}"]
        for own_name in ("127.0.0.1", "localhost"):
            host = f"{own_name}:{port}"
            for path in ("/panel/view", "/view", "/mcp"):
                assert other.page.evaluate(OPENS, [f"ws://{host}{path}", offered]) == "closed 1006"
            for path in ("/panel/", "/panel/page.js", "/panel/link", "/panel/open/x"):
                assert other.page.evaluate(FETCHES, [f"http://{host}{path}", "cors"]) == "TypeError"
            assert other.page.evaluate(FETCHES, [f"http://{host}/panel/", "no-cors"]) == "TypeError"  # Cross-Origin-Resource-Policy
            assert other.page.evaluate(FRAMES, f"http://{host}/panel/") == "nothing to be seen"
            assert other.page.evaluate(SCRIPTS, f"http://{host}/panel/page.js") == "refused"
        assert window.at("mcpw").get_attribute("data-state") == "live"


def test_the_page_under_another_name_of_this_machine_wants_a_link_of_its_own(program: Program, browser: Browser) -> None:
    with opened(browser, program) as (window, other):
        answer = other.page.goto(window.page.url.replace("127.0.0.1", "localhost"))
        assert answer is not None
        assert answer.status == 403
        other.page.goto(program.link().replace("127.0.0.1", "localhost"))
        other.until_state("live")
        for key in (key_of(window), key_of(other)):
            address = window.page.url.replace("http", "ws") + "view"
            assert other.page.evaluate(OPENS, [address, [SUBPROTOCOL, f"key.{key}"]]) == "closed 1006"


def test_the_cookie_is_the_browsers_alone_and_ends_with_it(program: Program, browser: Browser) -> None:
    with opened(browser, program) as (window, _):
        [cookie] = window.page.context.cookies()
        port = window.page.url.split(":")[2].partition("/")[0]
        told = {name: cookie.get(name) for name in ("name", "domain", "path", "expires", "httpOnly", "sameSite")}
        assert told == {
            "name": f"mcp_workbench_{port}", "domain": "127.0.0.1", "path": "/panel", "expires": -1, "httpOnly": True, "sameSite": "Strict",
        }  # fmt: skip
        assert window.page.evaluate("document.cookie") == ""
        seen = window.page.evaluate("JSON.stringify([localStorage, document.documentElement.outerHTML, location.href, history.state])")
        kept = window.page.evaluate("JSON.stringify(sessionStorage)")
        assert str(cookie["value"]) not in seen + kept
        assert key_of(window) not in seen + window.page.title()


def test_nothing_is_run_in_the_page_but_its_own_program(program: Program, browser: Browser) -> None:
    with opened(browser, program) as (window, _):
        answer = window.page.reload()
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "script-src 'self';" in policy
        window.until_state("live")
        assert window.page.evaluate(EVALUATES) == ["EvalError", "EvalError", "ran", "stopped"]  # a timer is set, and then runs nothing
        assert {told.partition(" ")[0] for told in window.violations()} >= {"script-src", "script-src-elem", "script-src-attr"}


def test_jupyters_cookie_opens_a_kernel_to_jupyters_own_pages_only(browser: Browser, elsewhere: int, tmp_path: Path) -> None:
    with jupyter_process(tmp_path) as jupyter, windows(browser) as new, windows(browser) as stranger:
        kernel = jupyter.open_notebook("flights.ipynb")
        logged_in, other = new(), new()
        doors = [f"ws://127.0.0.1:{jupyter.port}{BASE}mcp-workbench/kernels/{kernel}/{door}" for door in ("mcp", "view")]
        page = f"http://127.0.0.1:{jupyter.port}{BASE}static/logo/logo.png"
        logged_in.page.goto(f"{page.partition('static')[0]}login?token={jupyter.token}")
        logged_in.page.goto(page)
        listing = f"http://127.0.0.1:{jupyter.port}{BASE}mcp-workbench/api/kernels"
        assert logged_in.page.evaluate(FETCHES, [listing, "cors"]).startswith("200 ")
        for name in ("127.0.0.1", "localhost"):
            other.page.goto(f"http://{name}:{elsewhere}/")
            for door in doors:
                assert other.page.evaluate(OPENS, [door, SUBPROTOCOL]) == "closed 1006"
            assert other.page.evaluate(FETCHES, [listing, "cors"]) == "TypeError"
        assert refusals(jupyter) == 4
        without = stranger()
        answer = without.page.goto(listing)
        assert answer is not None
        assert answer.status == 403
        without.page.goto(page)
        for door in doors:
            assert without.page.evaluate(OPENS, [door, SUBPROTOCOL]) == "closed 1006"
        assert refusals(jupyter) == 6


def refusals(jupyter: JupyterProcess) -> int:
    """How many WebSockets Jupyter's log says were refused."""
    return sum("mcp-workbench/kernels/" in line and " 403 " in line for line in jupyter.log)

"""A browser's pages as HTTP clients: those of an allowed origin speak MCP in both eras, those of another reach nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser

import mcp_workbench as wb
from tests.support.stage import running

pytestmark = pytest.mark.browser

SPEAKS = """
async ([url, token]) => {
  const headers = {"Authorization": `Bearer ${token}`, "Content-Type": "application/json", "Accept": "application/json, text/event-stream"};
  const say = (method, params, more) =>
    fetch(url, {method: "POST", headers: {...headers, ...more}, body: JSON.stringify({jsonrpc: "2.0", id: 1, method, params})});
  const call = {name: "shout", arguments: {text: "hé"}};
  const meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}};
  try {
    const told = [];
    const clientInfo = {name: "page", version: "1"};
    const opened = await say("initialize", {protocolVersion: "2025-11-25", capabilities: {}, clientInfo}, {});
    const session = {"Mcp-Session-Id": opened.headers.get("Mcp-Session-Id"), "MCP-Protocol-Version": "2025-11-25"};
    told.push(opened.status, (await (await say("tools/call", call, session)).json()).result.content[0].text);
    const modern = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "shout", "Mcp-Param-Unheard-Of": "x"};
    told.push((await (await say("tools/call", {_meta: meta, ...call}, modern)).json()).result.content[0].text);
    told.push((await fetch(url, {method: "DELETE", headers: {...headers, ...session}})).status);
    told.push((await say("ping", {}, session)).status);
    return told;
  } catch (error) {
    return error.name;
  }
}
"""
POSTS_A_FORM = """
(url) => new Promise((resolve) => {
  const frame = document.createElement("iframe");
  frame.name = "target";
  const form = Object.assign(document.createElement("form"), {action: url, method: "post", enctype: "text/plain", target: "target"});
  form.innerHTML = '<input name=\\'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"a":"\\' value=\\'"}}\\'>';
  document.body.append(frame, form);
  frame.onload = () => resolve("answered with a page of its own");
  form.submit();
})
"""


class _Page(BaseHTTPRequestHandler):
    """A page of somebody else's."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>elsewhere</title><body></body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of a server on this machine: browsers ask the person before a page from afar may reach it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True, name="somebody else's server")
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_pages_of_allowed_origins_speak_mcp_and_others_reach_nothing(browser: Browser, elsewhere: int) -> None:
    lab, evil = f"http://127.0.0.1:{elsewhere}", f"http://localhost:{elsewhere}"
    workbench = wb.Workbench(name="pages", http=True, allowed_origins=[lab])

    @workbench.tool
    def shout(text: str) -> str:
        return text.upper()

    with running(workbench), browser.new_context() as context:
        page = context.new_page()
        url, token = str(workbench.http_url), workbench.token
        page.goto(f"{lab}/")
        assert page.evaluate(SPEAKS, [url, token]) == [200, "HÉ", "HÉ", 204, 404]
        calls = len(workbench.telemetry.calls())
        page.goto(f"{evil}/")
        assert page.evaluate(SPEAKS, [url, token]) == "TypeError", "with the right token, too"
        page.evaluate(POSTS_A_FORM, url)
        assert len(workbench.telemetry.calls()) == calls

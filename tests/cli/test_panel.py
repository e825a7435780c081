"""`mcp-workbench panel`: which kernel, what is printed, what is opened, and never a secret."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from mcp_workbench import Workbench, discovery
from mcp_workbench.cli import panel
from mcp_workbench.cli.app import app
from mcp_workbench.cli.panel import NotOpened, ask_for_link, choose, open_panel
from mcp_workbench.secret import Secret
from mcp_workbench.transports.credentials import Credentials
from mcp_workbench.transports.gate import Gate, HandshakeRequest, Page, Refuse, Serve
from mcp_workbench.transports.websocket_server import serve_websocket
from mcp_workbench.views.page import OwnPage
from tests.support.stage import running


class Kernel:
    """A server on a thread of its own that gives links, as a running kernel does, and the view's discovery file of it."""

    def __init__(self) -> None:
        self.viewers = Credentials()
        self.page = OwnPage(lambda channel, principal: None, self.viewers)
        self.answer: Callable[[HandshakeRequest], Serve | Refuse] | None = None
        """In place of its own."""
        self.port = 0
        self._loop: asyncio.AbstractEventLoop
        self._end: asyncio.Event
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> Kernel:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        own = {door.path: door for door in self.page.doors()}
        link = own.pop("/panel/link")
        assert isinstance(link, Page)
        server = await serve_websocket(Gate([*own.values(), Page("/panel/link", lambda request: (self.answer or link.answer)(request))]))
        self.port = server.port
        self._ready.set()
        await self._end.wait()
        await server.close()

    def announce(self, kernel_id: str = "one", name: str = "flights", token: str | None = None) -> discovery.Entry:
        entry = discovery.describe_this_process(
            kernel_id=kernel_id,
            name=name,
            url=f"ws://127.0.0.1:{self.port}/view",
            token=Secret(token or self.viewers.token()),
            notebook=f"/home/ann/{name}.ipynb",
        )
        discovery.write_view(entry)
        return entry


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a browser was asked to open."""
    addresses: list[str] = []

    def open_it(url: str) -> bool:
        addresses.append(url)
        return True

    monkeypatch.setattr(panel, "open_near", open_it)
    return addresses


@pytest.fixture
def kernel(runtime: Path) -> Iterator[Kernel]:
    with Kernel() as serving:
        yield serving


def test_the_only_kernel_is_opened_and_its_address_printed(kernel: Kernel, opened: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    kernel.announce()
    assert open_panel(None, browser=True, as_json=False) == 0
    printed = capsys.readouterr()
    [link] = opened
    assert link.startswith(f"http://127.0.0.1:{kernel.port}/panel/open/")
    assert printed.out == f"{link} (good once, for 60 s)\n"
    assert kernel.viewers.token() not in printed.out + printed.err


def test_programs_get_one_document_and_no_browser_when_they_want_none(
    kernel: Kernel, opened: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    entry = kernel.announce()
    for browser in (True, False):
        assert open_panel("flights", browser=browser, as_json=True) == 0
        text = capsys.readouterr().out
        document = json.loads(text)
        assert document.pop("url").startswith(f"http://127.0.0.1:{kernel.port}/panel/open/")
        assert document == {
            "opened": browser,
            "name": "flights",
            "kernel_id": "one",
            "notebook": "/home/ann/flights.ipynb",
            "pid": entry.pid,
        }
        assert kernel.viewers.token() not in text
    assert len(opened) == 1


def test_when_nothing_serves_it_says_what_to_do(runtime: Path, opened: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert open_panel(None, browser=True, as_json=False) == 1
    assert capsys.readouterr().err == "No kernel serves. In a notebook: import mcp_workbench as wb; wb.start()\n"
    assert open_panel(None, browser=True, as_json=True) == 1
    assert json.loads(capsys.readouterr().out) == {"url": None, "opened": False, "error": panel.NONE_RUNS, "kernels": []}
    assert opened == []


def test_of_several_one_must_be_named(kernel: Kernel, opened: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    kernel.announce("one", "flights")
    kernel.announce("two", "weather")
    assert open_panel(None, browser=True, as_json=False) == 2
    said = capsys.readouterr().err
    assert said.startswith("Several kernels serve. Name one, by notebook or kernel id")
    assert "flights  one  /home/ann/flights.ipynb" in said
    assert "weather  two  /home/ann/weather.ipynb" in said
    assert open_panel("storms", browser=True, as_json=True) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["error"] == "No kernel serves storms. Those that serve:"
    assert {each["kernel_id"] for each in document["kernels"]} == {"one", "two"}
    assert opened == []
    for name in ("weather", "/home/ann/weather.ipynb", "weather.ipynb", "two"):
        assert open_panel(name, browser=False, as_json=False) == 0


def entry_of(kernel_id: str, name: str, started: float = 1.0) -> discovery.Entry:
    entry = discovery.describe_this_process(kernel_id=kernel_id, name=name, url="ws://127.0.0.1:1/view", token=Secret("x" * 43))
    return dataclasses.replace(entry, started=started)


def test_two_kernels_of_one_notebook_are_told_apart_by_their_ids() -> None:
    entries = [entry_of("aaaa-1", "flights"), entry_of("bbbb-2", "flights")]
    with pytest.raises(NotOpened) as refused:
        choose(entries, "flights")
    assert refused.value.exit_code == 2
    assert choose(entries, "bbbb") is entries[1]


def test_the_beginning_of_a_name_is_enough_where_only_one_begins_so() -> None:
    entries = [entry_of("aaaa-1", "airports"), entry_of("bbbb-2", "airlines")]
    assert choose(entries, "Airp") is entries[0]
    for several, code in (("air", 2), ("", 1), ("ports", 1)):
        with pytest.raises(NotOpened) as refused:
            choose(entries, several)
        assert refused.value.exit_code == code


def test_a_kernel_that_is_gone_is_said_to_be(runtime: Path, opened: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with Kernel() as kernel:
        kernel.announce()
    assert open_panel(None, browser=True, as_json=False) == 1
    assert capsys.readouterr().err.startswith("The kernel of flights does not answer (ConnectionRefusedError)")
    assert opened == []


def test_without_the_right_secret_there_is_no_link(kernel: Kernel, opened: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    kernel.announce(token="y" * 43)
    assert open_panel(None, browser=True, as_json=False) == 1
    said = capsys.readouterr().err
    assert "gave no link (HTTP 401)" in said
    assert "y" * 43 not in said
    assert opened == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b"null", b'"x"', b'{"url": 1}', b'{"url": "http://evil.example/"}', b'{"url": "file:///etc/passwd"}',
        b'{"url": "javascript:alert(1)"}', b'{"url": "http://127.0.0.1:PORT@evil.example/"}', b'{"url": "http://[/"}',
        b'{"url": "http://127.0.0.1:PORT/\\u001b[2J"}', b"[" * 5000,
    ],
)  # fmt: skip
def test_no_answer_sends_the_browser_elsewhere(body: bytes, kernel: Kernel) -> None:
    kernel.answer = lambda request: Serve(body.replace(b"PORT", str(kernel.port).encode()))
    with pytest.raises(NotOpened, match="gave no link") as refused:
        ask_for_link(kernel.announce())
    assert refused.value.exit_code == 1


def test_proxies_of_the_environment_are_not_told_the_secret(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask_for_link(kernel.announce()).startswith(f"http://127.0.0.1:{kernel.port}/")


def test_a_workbench_that_runs_is_found_and_its_link_opens_its_page(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(Workbench(name="trips")):
        assert open_panel("trips", browser=False, as_json=True) == 0
        link = urlsplit(json.loads(capsys.readouterr().out)["url"])
        connection = HTTPConnection(link.netloc, timeout=10)
        connection.request("GET", link.path)
        assert connection.getresponse().status == 303
        connection.close()
    assert open_panel("trips", browser=False, as_json=True) == 1


def test_the_command_hands_its_options_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def fake(notebook: str | None, *, browser: bool, as_json: bool) -> int:
        asked.append((notebook, browser, as_json))
        return 2

    monkeypatch.setattr(panel, "open_panel", fake)
    assert CliRunner().invoke(app, ["panel"]).exit_code == 2
    assert CliRunner().invoke(app, ["panel", "flights", "--no-browser", "--json"]).exit_code == 2
    assert asked == [(None, True, False), ("flights", False, True)]

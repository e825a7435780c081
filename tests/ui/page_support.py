"""A program that serves, and a window of the browser that writes down what goes wrong in it, for the tests of the page.

`Program` is a Python process of its own that runs what it is given on its main thread, line by line, so a test decides when that is
busy. `Window` is one page of the browser with everything it has asked for, said and refused.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Browser, BrowserContext, Dialog, Locator, Page

from mcp_workbench.client import ClientSession, connect
from tests.ui.browser import WAIT_MS

CHECKOUT = Path(__file__).parent.parent.parent
STATIC = CHECKOUT / "mcp_workbench" / "static"

DRIVER = """
import contextlib, io, json, queue, sys, threading, time, traceback

names, answers, lines = {"__name__": "__main__"}, sys.stdout, queue.SimpleQueue()


def read():
    for line in sys.stdin:
        lines.put(line)
    lines.put("")


def idle():
    try:
        names["wb"].wait(0.02)  # lends this thread to what is queued for it, as a notebook does between cells
    except Exception:
        time.sleep(0.02)  # it does not serve


threading.Thread(target=read, daemon=True).start()
while True:
    try:
        line = lines.get_nowait()
    except queue.Empty:
        idle()
        continue
    if not line:
        break
    printed, error = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(printed):
            exec(json.loads(line), names)
    except BaseException:
        error = traceback.format_exc()
    print(json.dumps([printed.getvalue(), error]), file=answers, flush=True)
"""
VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  (globalThis.violations ??= []).push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""


# --- the browser ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Window:
    """One page, and what it has done."""

    page: Page
    asked: list[str] = field(default_factory=list)
    """Every address that was asked for, WebSockets included."""
    complaints: list[str] = field(default_factory=list)
    """Errors of the console, exceptions, dialogs, downloads, windows that were opened."""

    @classmethod
    def of(cls, context: BrowserContext) -> Self:
        """A new one."""
        window = cls(context.new_page())
        page = window.page
        page.set_default_timeout(WAIT_MS)
        page.add_init_script(VIOLATIONS)
        page.on("request", lambda request: window.asked.append(request.url))
        page.on("websocket", lambda socket: window.asked.append(socket.url))
        page.on("console", lambda message: window._heard(message.type, message.text))
        page.on("pageerror", lambda error: window.complaints.append(f"exception: {error}"))
        page.on("dialog", lambda dialog: window._asked_by_a_dialog(dialog))
        page.on("download", lambda download: window.complaints.append(f"download: {download.url}"))
        page.on("popup", lambda popup: window.complaints.append(f"window: {popup.url}"))
        return window

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"{kind}: {text}")

    def _asked_by_a_dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def at(self, testid: str) -> Locator:
        """What has this test id."""
        return self.page.get_by_test_id(testid)

    def go(self, panel: str) -> None:
        """Choose a panel by its tab."""
        self.at(f"tab-{panel}").click()
        self.at(f"panel-{panel}").first.wait_for(state="visible")

    def until_state(self, state: str) -> None:
        """Wait until the header's light says so: `live`, `lost`, `refused`, `connecting`."""
        self.page.wait_for_selector(f'[data-testid="mcpw"][data-state="{state}"]')

    def violations(self) -> list[str]:
        """What the Content-Security-Policy has stopped."""
        told: list[str] = self.page.evaluate("globalThis.violations ?? []")
        return told

    def until(self, script: str) -> None:
        """Wait until a script gives true."""
        self.page.wait_for_function(script, polling=50)


@contextmanager
def windows(browser: Browser, **options: Any) -> Iterator[Callable[[], Window]]:
    """Makes windows of one browser profile: they share cookies."""
    context = browser.new_context(**options)
    try:
        yield lambda: Window.of(context)
    finally:
        context.close()


# --- the program -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Program:
    """A Python process that runs what it is told; ends with its `with`.

    Args:
        folder: Its Jupyter runtime folder, where it is found.
        path: Where it takes mcp_workbench from.
    """

    folder: Path
    path: Path = CHECKOUT
    python: str = sys.executable
    _process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(self.folder), "PYTHONPATH": str(self.path), "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            [self.python, "-c", DRIVER], env=environment, cwd=self.folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    def begin(self, code: str) -> None:
        """Have its main thread run something, without waiting for it."""
        assert self._process is not None
        assert self._process.stdin is not None
        print(json.dumps(code), file=self._process.stdin, flush=True)

    def finish(self) -> str:
        """Wait for what was begun; returns what it printed. It must have ended well."""
        assert self._process is not None
        assert self._process.stdout is not None
        printed, error = json.loads(self._process.stdout.readline())
        assert error == "", error
        return str(printed)

    def run(self, code: str) -> str:
        """Both."""
        self.begin(code)
        return self.finish()

    def link(self) -> str:
        """A link to its page, as people get it."""
        return link_in(self.run("wb.show(browser=True)"))

    def entry(self, kind: str = "kernel") -> dict[str, Any]:
        """What its discovery file says: `kernel` for agents, `view` for views."""
        [file] = (self.folder / "mcp-workbench").glob(f"{kind}-*.json")
        entry: dict[str, Any] = json.loads(file.read_text())
        return entry

    def agent(self, act: Callable[[ClientSession], Awaitable[None]], **options: Any) -> Agent:
        """An agent that does something, in a thread of its own.

        Args:
            act: What it does.
            options: As of `connect`.
        """
        entry = self.entry()
        return Agent(act, entry["url"], token=entry["token"], **options)

    def calls(self, act: Callable[[ClientSession], Awaitable[None]], **options: Any) -> None:
        """The same, to its end."""
        with self.agent(act, **options):
            pass


def link_in(printed: str) -> str:
    """The link in a line for people."""
    found = re.search(r"http://\S+/panel/open/[A-Za-z0-9_-]+", printed)
    assert found is not None, printed
    return found[0]


class Agent:
    """A client in a thread: the browser has this one. Leaving its `with` waits for it, and passes on what it raised."""

    def __init__(self, act: Callable[[ClientSession], Awaitable[None]], url: str, **options: Any) -> None:
        self._act = act
        self._connecting = (url, options)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="agent of a test")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive(), "the agent has not come to its end"
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._meet())
        except BaseException as error:  # raised again where it is waited for
            self._error = error

    async def _meet(self) -> None:
        url, options = self._connecting
        async with asyncio.timeout(60), connect(url, **options) as session:
            await self._act(session)

"""The browser that the tests of this folder drive: a Chromium of this machine, without a window."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, WebError, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 30_000
"""How long a condition may take on a machine that is busy; those that hold at once take no time."""


def chromium() -> str | None:
    """Where it is; None: there is none."""
    return next((path for name in NAMES if (path := shutil.which(name)) is not None), None)


@contextmanager
def running_browser(executable: str) -> Iterator[Browser]:
    """A browser for as long as the `with` lasts. Meanwhile this thread counts as running a loop: no `asyncio.run` in it."""
    # A proxy is for other hosts; Chromium asks no environment variable for exceptions by address.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=[*FLAGS, "--no-proxy-server"], env={**os.environ})
        yield browser
        browser.close()


class Complaints:
    """What a page's console and its uncaught exceptions said, but for what is expected.

    Args:
        context: Whose pages are listened to.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.heard: list[str] = []
        self._allowed: list[re.Pattern[str]] = []
        context.on("console", self._take_console)
        context.on("weberror", self._take_error)

    def allow(self, pattern: str, *, reason: str) -> None:
        """Leave out what matches; the reason is for who reads the test."""
        assert reason
        self._allowed.append(re.compile(pattern))

    def allow_lost_views(self) -> None:
        """Leave out what a browser logs of views whose server stops in this test."""
        self.allow("/view' failed.* 404", reason="views try to come back until JupyterLab has heard that the server is gone")

    @property
    def unexpected(self) -> list[str]:
        """What nobody allowed."""
        return [text for text in self.heard if not any(one.search(text) for one in self._allowed)]

    def _take_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.heard.append(f"{message.text} ({message.location.get('url', '')})")

    def _take_error(self, error: WebError) -> None:
        self.heard.append(f"uncaught: {error.error.stack or error.error}")

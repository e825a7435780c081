"""When a browser is asked to open something, and when nothing happens at all."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import webbrowser

import pytest

from mcp_workbench.views.browser import is_near, open_near

URL = "http://127.0.0.1:1/panel/open/a-ticket"


class Browser(webbrowser.BaseBrowser):
    """A browser with windows."""

    def __init__(self, answer: bool | Exception = True) -> None:
        super().__init__("test")
        self.opened: list[str] = []
        self.answer = answer

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        self.opened.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture(autouse=True)
def desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if not is_near({name: "x", "DISPLAY": ":0"}, "linux"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DISPLAY", ":0")


def use(browser: webbrowser.BaseBrowser | Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def get(using: str | None = None) -> webbrowser.BaseBrowser:
        if isinstance(browser, Exception):
            raise browser
        return browser

    monkeypatch.setattr(webbrowser, "get", get)


@pytest.mark.parametrize(
    ("environment", "platform", "near"),
    [
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"BROWSER": "lynx"}, "linux", False),
        ({}, "darwin", True),
        ({}, "win32", True),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "a b c d"}, "linux", False),
        ({"SSH_TTY": "/dev/pts/1"}, "darwin", False),
        ({"DISPLAY": ":0", "JUPYTERHUB_USER": "ann"}, "linux", False),
        ({"DISPLAY": ":0", "JUPYTERHUB_API_URL": ""}, "linux", False),
        ({"DISPLAY": ":0", "CODESPACES": "true"}, "linux", False),
        ({"DISPLAY": ":0", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "linux", False),
    ],
)
def test_a_browser_is_near_where_the_person_sits_at_this_machine(environment: dict[str, str], platform: str, near: bool) -> None:
    assert is_near(environment, platform) is near


def test_a_browser_that_is_near_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser()
    use(browser, monkeypatch)
    assert open_near(URL)
    assert browser.opened == [URL]


def test_far_away_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "a b c d")
    browser = Browser()
    use(browser, monkeypatch)
    assert not open_near(URL)
    assert browser.opened == []


@pytest.mark.parametrize("browser", [webbrowser.GenericBrowser("w3m"), webbrowser.Elinks("elinks"), webbrowser.Error("none")])
def test_a_program_that_takes_over_the_terminal_is_never_waited_for(
    browser: webbrowser.BaseBrowser | Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(*arguments: object, **options: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", start)
    use(browser, monkeypatch)
    assert not open_near(URL)


@pytest.mark.parametrize("answer", [False, webbrowser.Error(URL), OSError(URL)])
def test_a_browser_that_does_not_open_is_no_error_and_its_words_are_kept_from_the_log(
    answer: bool | Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    use(Browser(answer), monkeypatch)
    assert not open_near(URL)
    assert "a-ticket" not in caplog.text


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there a browser is part of the system")
def test_what_the_system_opens_addresses_with_counts_as_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    for browser in (webbrowser.Mozilla("firefox"), webbrowser.Chrome("chromium"), webbrowser.BackgroundBrowser("xdg-open")):
        asked: list[str] = []
        monkeypatch.setattr(type(browser), "open", lambda self, url, asked=asked: asked.append(url) or True)
        use(browser, monkeypatch)
        assert open_near(URL)
        assert asked == [URL]

"""Whatever clients, authors and data write is shown as text: in every panel of the page, and in JupyterLab's widget."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.ui.hostile import CLIENT, LINK, LONG_CLIENT, MARKUP, OPENING, say_it_all, set_free, wait_for_it, what_is_more_than_text
from tests.ui.page_support import Program, Window, windows

pytestmark = pytest.mark.browser

PANELS = ("connect", "sessions", "calls", "messages", "timeline", "latency", "dataframes", "kernel")
CALLS = ".mcpw-call"
SHOWN = "red\\x1b[0m \\x9b2J \\u202eltr\\u2066iso\\u200bzero\\ufeff\\x07\\r"
"""What acts, as it is to be read."""
HEIGHTS = "[...new Set([...document.querySelectorAll('.mcpw-call')].map((row) => row.offsetHeight))]"
UNFOLD = "for (const folded of document.querySelectorAll('[data-testid=call-detail] details')) folded.open = true"
WIDTHS = "[document.scrollingElement.scrollWidth, innerWidth]"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("hostile")) as program:
        program.run(OPENING)
        program.calls(say_it_all, client_info=CLIENT)
        program.calls(say_it_all, client_info=LONG_CLIENT, era="legacy")
        with program.agent(wait_for_it, client_info=CLIENT):
            yield program
            program.calls(set_free)


@pytest.mark.parametrize("width", [1100, 380])
def test_in_the_page_every_text_is_a_text(program: Program, browser: Browser, width: int) -> None:
    with windows(browser, viewport={"width": width, "height": 700}) as new:
        window = new()
        window.page.goto(program.link())
        window.until_state("live")
        for panel in PANELS:
            window.go(panel)
            look_at(window, panel)
            assert what_is_more_than_text(window.at("mcpw")) == [], panel
            inner = window.page.evaluate(WIDTHS)
            assert inner[0] <= inner[1], f"{panel} is wider than the page"
        assert MARKUP[:20] in window.page.title()
        assert window.complaints == []
        assert window.violations() == []
        own = window.page.url.partition("://")[2].partition("/")[0]
        assert {address.partition("://")[2].partition("/")[0] for address in window.asked} == {own}


def look_at(window: Window, panel: str) -> None:
    """Wait for what the panel has, and open what opens."""
    match panel:
        case "connect":
            expect(window.at("connect-session")).to_contain_text(MARKUP[:60])
        case "sessions":
            window.at("session-more").first.click()
            expect(window.at("session-detail")).to_contain_text(MARKUP[:60])
        case "calls":
            look_at_calls(window)
        case "messages":
            rows = window.page.locator(".mcpw-message")
            expect(rows.first).to_be_visible()
            for number in range(8):
                rows.nth(number).click()
                expect(window.at("message-text")).to_be_visible()
                window.at("message-Raw").click()
                assert what_is_more_than_text(window.at("mcpw")) == [], number
                window.at("message-close").click()
        case "timeline":
            expect(window.at("timeline-counts")).to_contain_text("calls")
            window.at("timeline-fit").click()
        case "latency":
            expect(window.at("panel-latency").first).to_contain_text("raises")
        case "dataframes":
            window.at("df-open").click()
            table = window.at("preview-table")
            for text in (MARKUP[:30], "nul \\x00 here", "\\ud800", LINK[:20]):
                expect(table).to_contain_text(text)


def look_at_calls(window: Window) -> None:
    """Each call in the drawer, with what is folded."""
    rows = window.page.locator(CALLS)
    expect(window.at("running-row")).to_contain_text(MARKUP[:60])
    expect(rows).to_have_count(26)
    assert window.page.evaluate(HEIGHTS) == [24]
    seen = ""
    for number in range(rows.count()):
        rows.nth(number).dispatch_event("click")
        window.at("call-arguments").wait_for(state="attached")
        window.page.evaluate(UNFOLD)
        window.until("document.querySelector('[data-testid=call-answer]').childElementCount > 1")
        seen += window.at("call-detail").text_content() or ""
        assert what_is_more_than_text(window.at("mcpw")) == [], number
        window.at("call-close").click()
    for text in (
        f"ValueError: {MARKUP}",
        SHOWN,
        LINK,
        "text/html",
        "\\u0000",
        "more",
        "show all",
        "notifications/progress",
        "notifications/message",
    ):
        assert text in seen, text
    assert window.page.evaluate(HEIGHTS) == [24]

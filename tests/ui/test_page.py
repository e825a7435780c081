"""The page of its own in a real browser: from the printed link to live panels, and what it says when the server is gone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from mcp_workbench.client import ClientSession
from mcp_workbench.views.page import NO_COOKIE, USED_LINK
from tests.ui.page_support import Program, link_in, windows

pytestmark = [pytest.mark.browser, pytest.mark.kernel]

OPENING = """
import threading
import mcp_workbench as wb
import pandas as pd

flights = pd.DataFrame({"carrier": ["UA", "AA", "B6"], "delay": [2.0, 4.0, 2.0]})
free = threading.Event()

@wb.tool
def add(a: int, b: int) -> int:
    "Add."
    return a + b

@wb.tool
def fails(why: str) -> int:
    "Fails."
    raise ValueError(why)

@wb.tool
def drain(ctx: wb.Context) -> None:
    "Runs until it is stopped."
    ctx.report_progress(3, 10, "draining")
    while not ctx.cancelled:
        free.wait(0.05)
    ctx.check_cancelled()

@wb.tool
def set_free() -> None:
    "Lets the main thread go on."
    free.set()

wb.publish(flights=flights)
wb.start(name="flights")
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with Program(tmp_path) as program:
        program.run(OPENING)
        yield program


async def some_calls(session: ClientSession) -> None:
    for n in range(5):
        assert (await session.call_tool("add", {"a": n, "b": 1})).text == str(n + 1)
    assert (await session.call_tool("fails", {"why": "no fuel"})).is_error


async def set_free(session: ClientSession) -> None:
    await session.call_tool("set_free", {})


async def drain(session: ClientSession) -> None:
    assert "stopped" in (await session.call_tool("drain", {})).text


def test_the_printed_link_opens_the_live_page_once(program: Program, browser: Browser) -> None:
    link = program.link()
    program.calls(some_calls)
    with windows(browser) as new, windows(browser) as somebody_else:
        window = new()
        window.page.goto(link)
        window.until_state("live")
        assert window.page.url == link.partition("/open/")[0] + "/"
        expect(window.page).to_have_title("flights · mcp_workbench")
        expect(window.at("panel-connect")).to_contain_text("Serving ws://127.0.0.1:")
        expect(window.at("connect-snippet").locator("code").first).to_have_text("claude mcp get notebook")

        window.go("sessions")
        expect(window.at("panel-sessions")).to_contain_text("mcp-workbench")
        window.go("calls")
        rows = window.page.locator(".mcpw-call")
        expect(rows).to_have_count(6)
        expect(rows.first).to_contain_text("no fuel")  # the newest
        rows.first.click()
        expect(window.at("call-detail")).to_contain_text("ValueError: no fuel")
        expect(window.at("call-arguments")).to_contain_text('"why": "no fuel"')
        expect(window.at("call-traceback")).to_contain_text("in fails")
        window.go("latency")
        expect(window.at("panel-latency").first).to_contain_text("add")

        window.page.reload()  # where it was
        window.until_state("live")
        expect(window.at("panel-latency").first).to_be_visible()
        assert window.complaints == []
        assert window.violations() == []
        assert {address.partition("/panel/")[0].partition("://")[2] for address in window.asked} == {link.split("/")[2]}

        for used in (window, somebody_else()):
            answer = used.page.goto(link)
            assert answer is not None
            assert (answer.status, answer.text().strip()) == (403, USED_LINK)
        stranger = somebody_else()
        answer = stranger.page.goto(link.partition("/open/")[0] + "/")
        assert answer is not None
        assert (answer.status, answer.text().strip()) == (403, NO_COOKIE)


def test_dataframes_are_seen_and_touched_and_told_anew(program: Program, browser: Browser) -> None:
    with windows(browser) as new:
        window = new()
        window.page.goto(program.link())
        window.go("dataframes")
        row = window.at("df-row")
        expect(row).to_contain_text("3 × 2")
        window.at("df-open").click()
        expect(window.at("preview-table")).to_contain_text("UA")
        program.run('flights.loc[0, "carrier"] = "ZZ"; flights.loc[3] = ["DL", 9.0]')
        window.at("df-touch").click()
        expect(window.at("touch-answer")).to_contain_text("v2")
        expect(row).to_contain_text("4 × 2")
        expect(window.at("preview-table")).to_contain_text("ZZ")
        expect(window.at("preview-table")).to_contain_text("DL")
        assert window.complaints == []


def test_while_the_main_thread_is_busy_the_page_is_live_and_a_call_is_stopped(program: Program, browser: Browser) -> None:
    link = link_in(
        subprocess.run(
            [sys.executable, "-m", "mcp_workbench", "panel", "--no-browser"],
            env={"JUPYTER_RUNTIME_DIR": str(program.folder)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
    )
    program.begin("free.wait()")  # busy from here on
    with windows(browser) as new, program.agent(drain):
        window = new()
        window.page.goto(link)
        window.go("calls")
        running = window.at("running-row")
        expect(running).to_contain_text("drain")
        expect(running).to_contain_text("30 %, draining")
        expect(window.page).to_have_title("(1) flights · mcp_workbench")
        window.at("stop").click()
        expect(window.at("stop")).to_have_text("Stop?")
        window.at("stop").click()
        expect(window.at("stop-answer")).to_contain_text("drain")
        expect(window.page.locator(".mcpw-call").first).to_contain_text("cancelled")
        expect(running).to_have_count(0)
        expect(window.page).to_have_title("flights · mcp_workbench")
        assert window.complaints == []
    program.calls(set_free)
    program.finish()


def test_several_windows_show_the_same_and_each_its_own_panel(program: Program, browser: Browser) -> None:
    with windows(browser) as new:
        first, second = new(), new()
        first.page.goto(program.link())
        first.until_state("live")
        second.page.goto(program.link())
        second.until_state("live")
        first.page.reload()  # the second link has put nobody out
        first.until_state("live")
        first.go("calls")
        second.go("latency")
        program.calls(some_calls)
        expect(first.page.locator(".mcpw-call")).to_have_count(6)
        expect(second.at("panel-latency").first).to_contain_text("fails")
        first.page.close()
        program.calls(some_calls)
        second.go("calls")
        expect(second.page.locator(".mcpw-call")).to_have_count(12)
        assert first.complaints == second.complaints == []


def test_a_page_whose_server_is_gone_says_so_and_asks_for_a_new_link(program: Program, browser: Browser) -> None:
    with windows(browser) as new:
        window = new()
        window.page.goto(program.link())
        window.until_state("live")
        port = window.page.url.split(":")[2].partition("/")[0]
        program.run("wb.stop()")
        window.until_state("lost")
        expect(window.page).to_have_title("✕ flights · mcp_workbench")
        expect(window.at("sentence")).to_contain_text("the server has ended: wb.start() in a cell starts it")
        expect(window.at("connect-state")).to_contain_text("Served")
        program.run(f"wb.start(name='flights', port={port})")
        expect(window.at("sentence")).to_contain_text("this page wants a new link: run wb.show(browser=True)")
        another = new()
        another.page.goto(program.link())  # in the same browser, which has a cookie of the new server then
        another.until_state("live")
        expect(window.at("sentence")).to_contain_text("this window wants a link of its own")
        window.page.goto(program.link())
        window.until_state("live")
        expect(window.page).to_have_title("flights · mcp_workbench")
        another.page.reload()
        another.until_state("live")


def test_a_window_that_no_link_has_opened_asks_for_one(program: Program, browser: Browser) -> None:
    with windows(browser) as new:
        first, second = new(), new()
        first.page.goto(program.link())
        first.until_state("live")
        second.page.goto(first.page.url)  # the cookie is the browser's, the key the window's
        second.until_state("refused")
        expect(second.at("sentence")).to_contain_text(
            "this window wants a link of its own: run wb.show(browser=True), or mcp-workbench panel in a terminal"
        )
        expect(second.page).to_have_title("✕ mcp_workbench")
        second.page.goto(f"{first.page.url}#{'x' * 43}")  # a key that somebody has made up
        second.page.reload()
        expect(second.at("sentence")).to_contain_text("this window wants a link of its own")
        assert second.page.url == first.page.url
        second.page.goto(program.link())
        second.until_state("live")

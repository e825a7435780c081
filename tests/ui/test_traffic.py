"""Messages, the timeline and what can be done with calls, in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from mcp_workbench.client import ClientSession
from tests.ui.page_support import Program, Window, windows

pytestmark = [pytest.mark.browser, pytest.mark.kernel]

OPENING = """
import mcp_workbench as wb
import pandas as pd

@wb.tool
def add(a: int, b: int = 0) -> int:
    return a + b

@wb.tool
def count(n: int, ctx: wb.Context) -> str:
    ctx.report_progress(1, 2, "half")
    return "x" * n

wb.publish(flights=pd.DataFrame({"a": [1]}))
wb.start(name="traffic")
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with Program(tmp_path) as program:
        program.run(OPENING)
        yield program


async def some_calls(session: ClientSession) -> None:
    for n in range(3):
        await session.call_tool("add", {"a": n, "b": 1})
    await session.call_tool("count", {"n": 30}, on_progress=lambda *_: None)


async def many_calls(session: ClientSession) -> None:
    for _ in range(20):
        await asyncio.gather(*(session.call_tool("add", {"a": n}) for n in range(100)))


def test_messages_of_both_directions_are_seen_paired_filtered_and_lead_to_their_call(program: Program, browser: Browser) -> None:
    with windows(browser) as new:
        window = new()
        window.page.goto(program.link())
        window.until_state("live")
        window.go("messages")
        program.calls(some_calls)
        rows = window.page.locator(".mcpw-message")
        progress = rows.filter(has_text="notifications/progress")
        expect(progress).to_have_count(1)
        progress.hover()
        expect(window.page.locator(".mcpw-message.mcpw-marked")).to_have_count(3)
        progress.click()
        expect(window.at("message-related").locator("li")).to_have_count(3)
        window.at("message-jump").first.click()
        expect(window.at("message-text")).to_contain_text('"name": "count"')
        window.at("messages-filter").fill("kind:response")
        expect(rows.filter(has_text="request")).to_have_count(0)
        expect(rows.filter(has_text="add tools/call")).to_have_count(0)  # their requests are not here
        expect(rows).not_to_have_count(0)
        window.at("messages-filter").fill("kinds:response")
        expect(window.at("messages-filter-wrong").locator("mark")).to_have_text("kinds:response")
        window.at("message-call").click()
        expect(window.at("call-detail")).to_contain_text("count")
        assert (window.complaints, window.violations()) == ([], [])


def test_calls_are_filtered_sent_again_annotated_compared_and_stand_in_the_timeline(program: Program, browser: Browser) -> None:
    program.calls(some_calls)
    with windows(browser) as new:
        window = new()
        window.page.goto(program.link())
        window.until_state("live")
        window.go("calls")
        rows = window.page.locator(".mcpw-call")
        window.at("calls-filter").fill("tool:add args.a:>0")
        expect(rows).to_have_count(2)
        rows.first.click()
        window.at("call-note").fill("<b>again</b>")
        window.at("call-note").press("Enter")
        expect(window.at("call-notes")).to_have_text("<b>again</b>")
        window.page.locator("[data-testid=call-resend] summary").click()
        window.at("call-resend-arguments").fill('{"a": 40, "b": 2}')
        window.at("call-resend-send").click()
        expect(window.at("call-result")).to_have_text("Result42")
        expect(window.page.locator(".mcpw-call.mcpw-active")).to_contain_text("a=40, b=2")
        window.at("call-compare").click()
        rows.last.click()
        expect(window.at("compare-arguments").locator(".mcpw-differs")).to_have_count(2)
        look_at_the_timeline(window)
        assert (window.complaints, window.violations()) == ([], [])


def look_at_the_timeline(window: Window) -> None:
    """What it counts, the filter above it, and a call by the keyboard."""
    window.go("timeline")
    expect(window.at("timeline-counts")).to_contain_text("7 calls")  # two handshakes
    window.at("timeline-filter").fill("outcom:ok")
    expect(window.at("timeline-filter-wrong").locator("mark")).to_have_text("outcom:ok")
    window.at("timeline-filter").fill("tool:none")
    expect(window.at("timeline-empty")).to_contain_text("No call that is kept matches.")
    window.at("timeline-filter").fill("method:tools/call tool:add")
    expect(window.at("timeline-counts")).to_contain_text("4 calls")
    window.at("timeline-fit").click()
    canvas = window.at("waterfall")
    canvas.focus()
    canvas.press(".")
    expect(window.at("timeline-line")).to_contain_text("add ok in")
    canvas.press("Enter")
    expect(window.at("panel-timeline").locator("[data-testid=call-detail]")).to_contain_text("add")
    canvas.press("Escape")
    expect(window.at("panel-timeline").locator("[data-testid=call-detail]")).to_have_count(0)


def test_thousands_of_messages_and_calls_need_few_elements(program: Program, browser: Browser) -> None:
    program.calls(many_calls)
    with windows(browser) as new:
        window = new()
        window.page.goto(program.link())
        window.until_state("live")
        window.go("messages")
        expect(window.at("messages-counts")).to_have_text("2,000")
        window.page.locator("[data-testid=messages]").evaluate("(grid) => { grid.scrollTop = grid.scrollHeight }")
        expect(window.at("messages-counts")).not_to_have_text("2,000")  # older ones are asked for
        assert window.page.locator(".mcpw-message").count() <= 200
        window.go("timeline")
        expect(window.at("timeline-counts")).to_contain_text("2,001 calls")
        assert window.at("panel-timeline").locator("*").count() < 100

"""An agent's visit as a person at the notebook sees it: in the cell's output, and in the sidebar."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.ui.cells import BUSY, CHANGE, SHOW, START
from tests.ui.page import LabPage, go

pytestmark = [pytest.mark.browser, pytest.mark.kernel, pytest.mark.timeout(300)]


def test_the_cell_shows_a_visit_from_the_waiting_to_the_restart_and_stops_a_call_while_another_cell_is_busy(page: LabPage) -> None:
    path = page.lab.write_notebook("visit.ipynb", SHOW, BUSY)
    page.open(path)
    page.run_cell(path, 0)
    view = page.cell_view
    expect(view).to_have_attribute("data-state", "live")
    who = view.get_by_test_id("connect-who")
    expect(who).to_have_text("waiting for your agent…")
    with page.agent(path, "claude-code") as agent:
        expect(who.get_by_test_id("connect-session")).to_contain_text("claude-code 1.0")
        expect(view.get_by_test_id("tab-sessions")).to_have_text("Sessions1")

        calls = go(view, "calls")
        expect(calls).to_contain_text("No calls yet")
        assert agent.call("add", a=2, b=3) == "5"
        agent.call("divide", a=1, b=0)
        expect(calls.locator(".mcpw-call")).to_have_count(2)
        expect(calls.locator(".mcpw-call").first).to_contain_text("ZeroDivisionError")
        calls.locator(".mcpw-call").first.click()
        expect(calls.get_by_test_id("call-detail")).to_contain_text("a // b")
        calls.get_by_test_id("call-close").click()

        latency = go(view, "latency")
        tool = latency.locator("[data-tool=add]")
        tool.click()
        expect(latency.get_by_test_id("legend-row")).to_contain_text("add1")
        for number in range(3):
            agent.call("add", a=number, b=0)
        expect(latency.get_by_test_id("legend-row")).to_contain_text("add4")
        expect(latency.get_by_test_id("distribution")).to_have_attribute("aria-label", re.compile("of 4 calls"))

        busy = go(view, "kernel").get_by_test_id("kernel-cell")
        page.run_cell(path, 1, waits=False)
        expect(busy).to_contain_text("cell [2], running")
        calls = go(view, "calls")
        request = agent.begin("slow")
        running = calls.get_by_test_id("running-row")
        expect(running).to_contain_text("30 %, three of ten")
        running.get_by_role("button", name="Stop slow").click()
        running.get_by_text("Stop?").click()
        assert "stopped" in agent.text(request)
        expect(calls.get_by_test_id("running-row")).to_have_count(0)
        expect(calls.get_by_test_id("stop-answer")).to_contain_text("slow: ")
        expect(go(view, "kernel").get_by_test_id("kernel-cell")).to_contain_text("cell [2], running")
        (page.lab.root / "busy").unlink()
        expect(busy).to_have_text("idle")

        page.complaints.allow_lost_views()
        page.restart_kernel()
        expect(view.get_by_test_id("sentence")).to_contain_text("the kernel was restarted, or has ended: run this cell again")
    page.run_cell(path, 0)
    expect(view).to_have_attribute("data-state", "live")
    expect(go(view, "connect").get_by_test_id("connect-who")).to_have_text("waiting for your agent…")


def test_the_sidebar_shows_dataframes_and_jobs_as_they_change_and_comes_back_after_the_kernel_was_restarted(page: LabPage) -> None:
    path = page.lab.write_notebook("figures.ipynb", START, CHANGE)
    page.open(path)
    page.execute("mcp-workbench:show-sidebar")
    expect(page.sidebar).to_contain_text("No MCP server runs in this kernel.")
    page.run_cell(path, 0)
    view = page.sidebar_view
    expect(view).to_have_attribute("data-state", "live")
    expect(page.sidebar.locator(".mcp-workbench-heading")).to_have_text("MCP · figures.ipynb")
    with page.agent(path, "cursor") as agent:
        agent.subscribe("df://flights")
        expect(view.get_by_test_id("tab-sessions")).to_have_text("Sessions1")
        row = go(view, "dataframes").get_by_test_id("df-row")
        expect(row).to_contain_text("flights2 × 2v1")
        expect(row.get_by_test_id("subscriber")).to_have_text("1")
        row.get_by_test_id("df-open").click()
        expect(row.get_by_test_id("preview-table")).to_contain_text("1.5")
        page.run_cell(path, 1)
        expect(row).to_contain_text("v2")
        expect(row.get_by_test_id("preview-table")).to_contain_text("42.25")

        kernel = go(view, "kernel")
        expect(kernel.get_by_test_id("jobs-empty")).to_be_visible()
        assert "job_wait" in agent.call("report")
        job = kernel.get_by_test_id("job-row")
        expect(job).to_contain_text("report")
        expect(job.get_by_test_id("job-progress")).to_have_attribute("aria-valuenow", "25")
        job.get_by_test_id("job-stop").click()
        job.get_by_test_id("confirm-yes").click()
        expect(job).to_contain_text("cancelled")

        page.complaints.allow_lost_views()
        page.restart_kernel()
        expect(page.sidebar).to_contain_text("No MCP server runs in this kernel.")
        expect(view.get_by_test_id("sentence")).to_be_hidden()
    page.run_cell(path, 0)
    expect(page.sidebar).not_to_contain_text("No MCP server runs in this kernel.")
    expect(view).to_have_attribute("data-state", "live")
    expect(go(view, "dataframes").get_by_test_id("df-row")).to_contain_text("v1")
    expect(go(view, "kernel").get_by_test_id("jobs-empty")).to_be_visible()

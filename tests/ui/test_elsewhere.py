"""The widget where JupyterLab's surroundings are others: a server without the gateway, and Notebook 7."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.ui.cells import BUSY, CHANGE, SHOW
from tests.ui.lab import running_lab
from tests.ui.page import LabPage, go, visit

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.kernel, pytest.mark.timeout(300)]


def test_without_the_gateway_the_widget_says_that_clicks_wait_for_cells_and_works_between_them(
    built: None, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with running_lab(tmp_path_factory.mktemp("lab"), gateway=False) as lab, visit(lab, browser) as page:
        page.complaints.allow("mcp-workbench/", reason="a server without the gateway answers 404, and a browser says so")
        path = lab.write_notebook("comm.ipynb", SHOW, CHANGE, BUSY)
        page.open(path)
        page.run_cell(path, 0)
        view = page.cell_view
        expect(view).to_have_attribute("data-state", "live")
        expect(view.get_by_test_id("sentence")).to_have_text("news and clicks may wait while a cell is busy")
        row = go(view, "dataframes").get_by_test_id("df-row")
        row.get_by_test_id("df-open").click()
        expect(row.get_by_test_id("preview-table")).to_contain_text("1.5")
        page.run_cell(path, 1)
        expect(row.get_by_test_id("preview-table")).to_contain_text("42.25")
        page.run_cell(path, 2, waits=False)
        page.until_exists("busy")
        row.get_by_test_id("df-touch").click()
        expect(row.get_by_test_id("touch-answer")).to_have_text("Asked; answered when no cell is busy …")
        (lab.root / "busy").unlink()
        expect(row).to_contain_text("v3")
        page.execute("mcp-workbench:show-sidebar")
        expect(page.sidebar).to_contain_text("The Jupyter server's part of mcp-workbench is missing or disabled.")
        expect(page.sidebar).to_contain_text("jupyter server extension enable mcp_workbench.gateway")


def test_in_notebook_7_the_widget_is_live_and_the_sidebar_opens(page: LabPage) -> None:
    own = "Notebook 7's own plugins reach for settings that are not loaded yet and for a command of JupyterLab's"
    page.complaints.allow(r"(reading 'schema'|'filebrowser:open-path' not registered)(?s:.*)/static/notebook/", reason=own)
    path = page.lab.write_notebook("seven.ipynb", SHOW)
    page.load(f"notebooks/{path}?token={page.lab.token}")
    page.until_ready(path)
    page.run_cell(path, 0)
    view = page.cell_view
    expect(view).to_have_attribute("data-state", "live")
    expect(view.get_by_test_id("sentence")).to_have_text("live")
    with page.agent(path, "claude-code") as agent:
        expect(view.get_by_test_id("connect-session")).to_contain_text("claude-code")
        assert agent.call("add", a=2, b=3) == "5"
        expect(go(view, "calls").locator(".mcpw-call")).to_have_count(1)
        page.execute("mcp-workbench:show-sidebar")
        expect(page.sidebar_view).to_have_attribute("data-state", "live")
        # There is no room for a panel of its own: the sidebar is shown.
        page.execute("mcp-workbench:open-panel", panel="calls")
        expect(page.main_panels).to_have_count(0)

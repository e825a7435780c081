"""What JupyterLab's frame offers: which notebook is followed, the status bar, the commands, the settings, and the layout's memory."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.ui.cells import START
from tests.ui.page import LabPage, go

pytestmark = [pytest.mark.browser, pytest.mark.kernel, pytest.mark.timeout(300)]

COMMANDS = ["copy-connection", "open-panel", "reconnect-view", "show-sidebar", "start-server", "stop-server"]
PANELS = ["connect", "sessions", "calls", "messages", "timeline", "latency", "dataframes", "kernel"]
SILENT = "No MCP server runs in this kernel."


def test_the_sidebar_and_the_status_bar_follow_the_notebook_that_is_worked_in(page: LabPage) -> None:
    first, second = page.lab.write_notebook("first.ipynb", START), page.lab.write_notebook("second.ipynb", "1 + 1")
    page.open(first)
    page.execute("mcp-workbench:show-sidebar")
    page.run_cell(first, 0)
    expect(page.status).to_have_text("MCP: 0 clients")
    with page.agent(first, "claude-code") as agent, page.agent(first, "cursor"):
        expect(page.status).to_have_text("MCP: 2 clients")
        agent.call("add", a=1, b=2)
        expect(page.status).to_have_text("MCP: 2 clients · 0.1 calls/s")
        page.open_too(second)
        expect(page.sidebar.locator(".mcp-workbench-heading")).to_have_text("MCP · second.ipynb")
        expect(page.sidebar).to_contain_text(SILENT)
        expect(page.sidebar_view).to_have_count(0)
        expect(page.status).to_be_hidden()
        page.open_too(first)
        expect(page.sidebar_view).to_have_attribute("data-state", "live")
        expect(go(page.sidebar_view, "sessions").locator(".mcpw-rows .mcpw-row")).to_have_count(2)
        expect(page.status).to_contain_text("MCP: 2 clients")
    expect(page.status).to_contain_text("MCP: 0 clients")


def test_every_command_does_what_it_says(page: LabPage) -> None:
    path = page.lab.write_notebook("commands.ipynb", START)
    page.open(path)
    assert page.commands("mcp-workbench:") == [f"mcp-workbench:{name}" for name in COMMANDS]
    page.execute("mcp-workbench:start-server")
    expect(page.sidebar_view).to_have_attribute("data-state", "live")
    expect(page.status).to_have_text("MCP: 0 clients")

    page.execute("mcp-workbench:copy-connection", client="claude-code")
    expect(page.page.locator(".jp-toast-message").first).to_contain_text("shell")
    assert "claude mcp add" in page.clipboard()
    page.begin("mcp-workbench:copy-connection")
    page.page.locator(".jp-Dialog select").select_option("Cursor")
    page.page.locator(".jp-Dialog .jp-mod-accept").click()
    page.page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('mcpServers')")

    for panel in PANELS:
        page.execute("mcp-workbench:open-panel", panel=panel)
    expect(page.main_panels).to_have_count(len(PANELS))
    expect(page.main_panels.locator("visible=true")).to_have_count(1)
    expect(page.main_panels.locator("[data-testid=mcpw][data-state=live]")).to_have_count(len(PANELS))
    page.execute("mcp-workbench:open-panel", panel="calls")
    expect(page.main_panels).to_have_count(len(PANELS))

    page.execute("mcp-workbench:reconnect-view")
    expect(page.main_panels.locator("[data-testid=mcpw][data-state=live]")).to_have_count(len(PANELS))
    expect(page.sidebar_view).to_have_attribute("data-state", "live")

    page.complaints.allow_lost_views()
    with page.agent(path, "claude-code"):
        expect(page.status).to_contain_text("1 client")
        page.begin("mcp-workbench:stop-server")
        dialog = page.page.locator(".jp-Dialog")
        expect(dialog).to_contain_text("One client is connected; its calls end with it.")
        dialog.locator(".jp-mod-reject").click()
        expect(dialog).to_have_count(0)
        expect(page.status).to_contain_text("1 client")
        page.begin("mcp-workbench:stop-server")
        dialog.locator(".jp-mod-warn").click()
        expect(page.sidebar).to_contain_text(SILENT)
        expect(page.status).to_be_hidden()
    assert not page.is_enabled("mcp-workbench:stop-server")
    page.sidebar.get_by_role("button", name="Start", exact=True).click()
    expect(page.status).to_have_text("MCP: 0 clients")


def test_a_setting_takes_effect_when_it_is_changed_and_the_layout_comes_back_with_the_page(page: LabPage) -> None:
    path = page.lab.write_notebook("settings.ipynb", START)
    page.open(path)
    page.execute("settingeditor:open", query="MCP")
    form = page.page.locator(".jp-SettingsForm")
    side = form.locator("select[name$=_side]")
    form.get_by_label("Open the sidebar when a server starts").check()
    expect(page.sidebar).to_be_hidden()
    page.run_cell(path, 0)
    expect(page.sidebar_view).to_have_attribute("data-state", "live")
    expect(page.status).to_be_visible()
    page.execute("settingeditor:open", query="MCP")
    form.get_by_label("Status bar").uncheck()
    expect(page.status).to_be_hidden()
    form.get_by_label("Status bar").check()
    expect(page.status).to_be_visible()
    side.select_option("left")
    expect(page.page.locator("#jp-left-stack .mcp-workbench-Sidebar")).to_be_attached()
    side.select_option("right")
    expect(page.page.locator("#jp-right-stack .mcp-workbench-Sidebar")).to_be_attached()

    page.execute("mcp-workbench:show-sidebar")
    with page.page.expect_response(lambda response: "/api/workspaces" in response.url and response.request.method == "PUT"):
        page.execute("mcp-workbench:open-panel", panel="latency")
    page.page.reload()
    page.until_started()
    expect(page.main_panels.locator("[data-testid=mcpw]")).to_have_attribute("data-state", "live")
    expect(page.main_panels.get_by_test_id("latency-empty")).to_be_visible()
    expect(page.sidebar_view).to_have_attribute("data-state", "live")

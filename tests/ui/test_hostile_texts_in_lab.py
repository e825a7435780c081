"""The same hostile texts in JupyterLab, whose page can do more: in the widget of a cell, in what is saved beside it, and in the sidebar."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Dialog, Locator, expect

from tests.ui.hostile import CLIENT, MARKUP, OPENING, say_it_all, what_is_more_than_text
from tests.ui.page import LabPage, go
from tests.ui.page_support import VIOLATIONS, Agent

pytestmark = pytest.mark.browser

PANELS = ("connect", "sessions", "messages", "timeline", "latency", "dataframes", "kernel", "calls")
MADE = (
    "img, script, iframe, svg:not([data-icon]), object, embed, base, form, "
    "[data-commandlinker-command], [onerror], [onload], a[href^=javascript]"
)


def test_in_jupyterlab_every_text_is_a_text(page: LabPage) -> None:
    asked: set[str] = set()
    dialogs: list[str] = []

    def take_dialog(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page.page.on("websocket", lambda socket: asked.add(urlsplit(socket.url).netloc))
    page.page.on("dialog", take_dialog)
    page.page.add_init_script(VIOLATIONS)
    path = page.lab.write_notebook("hostile.ipynb", OPENING.replace("wb.start(name", "server = wb.start(name") + "wb.show()")
    page.open(path)
    page.run_cell(path, 0)
    with Agent(say_it_all, page.lab.agent_url(path), headers={"Authorization": f"token {page.lab.token}"}, client_info=CLIENT):
        pass
    cell = page.cell_view
    look_at(cell)
    output = page.page.locator(".jp-OutputArea").filter(has=cell)
    assert made_in(output) == []
    page.execute("mcp-workbench:show-sidebar")
    expect(page.sidebar_view).to_be_visible()
    look_at(page.sidebar_view)
    assert made_in(page.sidebar_view) == []
    assert dialogs == []
    assert page.page.evaluate("globalThis.violations ?? []") == []
    assert asked <= {urlsplit(page.lab.url).netloc, ""}  # JupyterLab's own `data:` and `blob:` have no host


def made_in(place: Locator) -> list[str]:
    """What texts have become there."""
    return [str(one.evaluate("(element) => element.outerHTML.slice(0, 300)")) for one in place.locator(MADE).all()]


def look_at(view: Locator) -> None:
    """Every panel, and a call in the drawer."""
    for panel in PANELS:
        go(view, panel)
    rows = view.locator(".mcpw-call")
    expect(rows.first).to_be_visible()
    expect(view.locator(".mcpw-panel:visible")).to_contain_text("raises")
    rows.filter(has_text="raises").first.click()
    expect(view.get_by_test_id("call-traceback")).to_contain_text(MARKUP[:60])
    for panel in PANELS:
        go(view, panel)
        assert what_is_more_than_text(view) == [], panel

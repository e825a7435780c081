"""JupyterLab in one environment, the kernel in another, with another version of the package: what the sidebar says, and what works."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from mcp_workbench.version import __version__
from mcp_workbench.views.messages import VIEW_PROTOCOL
from tests.ui.other_environment import add_kernel, make_environment, write_notebook
from tests.ui.page import LabPage

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.kernel]

SERVING = """
import mcp_workbench as wb

@wb.tool
def add(a: int, b: int) -> int:
    "Add."
    return a + b

server = wb.start()
"""


def serve(page: LabPage, name: str, python: Path) -> None:
    """Open a notebook with a kernel of another environment, and have it serve."""
    add_kernel(page.lab, name, python)
    path = write_notebook(page.lab, f"{name}.ipynb", name, SERVING)
    page.open(path)
    page.execute("mcp-workbench:show-sidebar")
    page.run_cell(path, 0)
    expect(page.sidebar_view).to_be_visible()


@pytest.mark.parametrize(
    ("name", "version", "view_protocol", "which", "command", "then"),
    [
        (
            "older", "0.0.9", VIEW_PROTOCOL - 1,
            "upgrade it in the kernel's environment",
            "%pip install --upgrade /path/to/mcp_workbench",
            "in a cell, then restart the kernel",
        ),
        (
            "newer", "9.0", VIEW_PROTOCOL + 1,
            "upgrade it where Jupyter runs",
            "pip install --upgrade /path/to/mcp_workbench",
            "in Jupyter's environment, then start Jupyter anew and reload this page",
        ),
    ],
)  # fmt: skip
def test_where_the_two_cannot_talk_the_side_to_upgrade_is_named_with_the_command(
    page: LabPage, tmp_path: Path, name: str, version: str, view_protocol: int, which: str, command: str, then: str
) -> None:
    page.complaints.allow("WebSocket", reason="the view knocks again, in case the kernel was upgraded meanwhile")
    serve(page, name, make_environment(tmp_path / name, version=version, view_protocol=view_protocol))
    view = page.sidebar_view
    expect(view).to_have_attribute("data-state", "refused")
    versions = f"{version} (views {view_protocol}), this view comes from {__version__} (views {VIEW_PROTOCOL})"
    expect(view.get_by_test_id("sentence")).to_have_attribute("title", f"the kernel has mcp_workbench {versions}: {which}")
    expect(view.locator(".mcpw-remedy")).to_contain_text(command)
    expect(view.locator(".mcpw-remedy")).to_contain_text(then)
    with page.agent(f"{name}.ipynb", "claude-code") as agent:  # agents are not concerned
        assert agent.call("add", a=2, b=3) == "5"
    expect(view).to_have_attribute("data-state", "refused")


def test_another_version_that_speaks_the_same_works_and_is_told_quietly(page: LabPage, tmp_path: Path) -> None:
    serve(page, "sibling", make_environment(tmp_path / "sibling", version="0.0.9", view_protocol=VIEW_PROTOCOL))
    view = page.sidebar_view
    expect(view).to_have_attribute("data-state", "live")
    expect(view.get_by_test_id("sentence")).to_have_text(f"live; mcp_workbench 0.0.9 in the kernel, {__version__} in this view")
    with page.agent("sibling.ipynb", "claude-code") as agent:
        assert agent.call("add", a=2, b=3) == "5"
        expect(view).to_contain_text("claude-code")

"""A page of JupyterLab or Notebook 7 as tests use it: opens notebooks, runs cells and commands, and finds the views.

Nothing here waits for a time: everything waits for what the application says, or for what is to be seen.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Locator, Page

from tests.ui.agent import Agent
from tests.ui.browser import WAIT_MS, Complaints
from tests.ui.lab import JupyterLab

SIDEBAR = ".mcp-workbench-Sidebar"
VIEW = "[data-testid=mcpw]"

_FIND = """
const app = window.jupyterapp;
const panel = [...app.shell.widgets("main")].find((one) => one.context?.path === path);
"""
_READY = (
    "async (path) => {"
    + _FIND
    + """
await panel.context.ready;
await panel.sessionContext.ready;
await panel.sessionContext.session.kernel.info;
app.shell.activateById(panel.id);
panel.content.activate();
}"""
)
_RUN = (
    "async ([path, number, waits]) => {"
    + _FIND
    + """
app.shell.activateById(panel.id);
panel.content.deselectAll();
panel.content.activeCellIndex = number;
const done = app.commands.execute("notebook:run-cell");
if (waits) await done;
}"""
)


class LabPage:
    """One page of a browser.

    Args:
        page: It.
        lab: What it shows.
        complaints: What its console said.
    """

    def __init__(self, page: Page, lab: JupyterLab, complaints: Complaints) -> None:
        self.page = page
        self.lab = lab
        self.complaints = complaints

    # --- going places -------------------------------------------------------------------------------------

    def open(self, path: str) -> None:
        """Load JupyterLab, in a workspace of this page's own, with a notebook; returns when its kernel answers."""
        self.load(f"lab/workspaces/{uuid.uuid4().hex}/tree/{path}?token={self.lab.token}")
        self.until_ready(path)

    def open_too(self, path: str) -> None:
        """Open a further notebook; returns when its kernel answers."""
        self.execute("docmanager:open", path=path)
        self.until_ready(path)

    def load(self, address: str) -> None:
        """Load a page of this Jupyter; returns when the application has started."""
        self.page.goto(self.lab.url + address)
        self.until_started()

    def until_started(self) -> None:
        """Wait for the application."""
        self.page.wait_for_function("() => window.jupyterapp !== undefined")
        self.page.evaluate("async () => { await window.jupyterapp.restored }")

    def until_ready(self, path: str) -> None:
        """Wait for a notebook and its kernel, and make it the active one."""
        found = "(path) => [...window.jupyterapp.shell.widgets('main')].some((one) => one.context?.path === path)"
        self.page.wait_for_function(found, arg=path)
        self.page.evaluate(_READY, path)

    # --- doing ----------------------------------------------------------------------------------------------

    def run_cell(self, path: str, number: int, *, waits: bool = True) -> None:
        """Run a cell of a notebook.

        Args:
            path: Of the notebook.
            number: From 0.
            waits: Whether to return when it has ended, and not at once.
        """
        self.page.evaluate(_RUN, [path, number, waits])

    def restart_kernel(self) -> None:
        """Restart the active notebook's kernel, and say yes when asked."""
        self.begin("notebook:restart-kernel")
        self.page.locator(".jp-Dialog .jp-mod-warn").click()

    def execute(self, command: str, **args: Any) -> None:
        """Run a command of the application to its end."""
        self.page.evaluate("async ([command, args]) => { await window.jupyterapp.commands.execute(command, args) }", [command, args])

    def begin(self, command: str, **args: Any) -> None:
        """Run a command that asks something, without waiting for its end."""
        self.page.evaluate("([command, args]) => { void window.jupyterapp.commands.execute(command, args) }", [command, args])

    def agent(self, path: str, name: str) -> Agent:
        """An agent that connects to a notebook's kernel through Jupyter's server; used in a `with`."""
        return Agent(self.lab.agent_url(path), f"token {self.lab.token}", name)

    def until_exists(self, name: str) -> None:
        """Wait for a file beside the notebooks; the page's own clock looks for it, so that it goes on."""
        while not (self.lab.root / name).exists():
            self.page.wait_for_timeout(20)

    def clipboard(self) -> str:
        """What was copied last."""
        return str(self.page.evaluate("() => navigator.clipboard.readText()"))

    def commands(self, prefix: str) -> list[str]:
        """Ids of the commands that begin so, sorted."""
        listed = "(prefix) => window.jupyterapp.commands.listCommands().filter((id) => id.startsWith(prefix)).sort()"
        return list(self.page.evaluate(listed, prefix))

    def is_enabled(self, command: str, **args: Any) -> bool:
        """Whether a command can be run now."""
        asked = "([command, args]) => window.jupyterapp.commands.isEnabled(command, args)"
        return bool(self.page.evaluate(asked, [command, args]))

    # --- finding --------------------------------------------------------------------------------------------

    @property
    def sidebar(self) -> Locator:
        """The sidebar, with its heading."""
        return self.page.locator(SIDEBAR)

    @property
    def sidebar_view(self) -> Locator:
        """The view in the sidebar that is seen."""
        return self.page.locator(f"{SIDEBAR} .mcp-workbench-KernelView:not(.lm-mod-hidden) {VIEW}")

    @property
    def cell_view(self) -> Locator:
        """The view in a cell's output."""
        return self.page.locator(f".mcpw-cell {VIEW}")

    @property
    def main_panels(self) -> Locator:
        """Panels in the main area, also those behind others."""
        return self.page.locator(".mcp-workbench-Panel")

    @property
    def status(self) -> Locator:
        """The status bar's item."""
        return self.page.locator(".mcp-workbench-Status")


def go(view: Locator, panel: str) -> Locator:
    """Choose a panel by its tab; returns it."""
    view.get_by_test_id(f"tab-{panel}").click()
    return view.locator(f".mcpw-panel[data-testid=panel-{panel}]")


@contextmanager
def visit(lab: JupyterLab, browser: Browser) -> Iterator[LabPage]:
    """A page without a past, for as long as the `with` lasts; then its console must have said nothing amiss.

    Kernels and settings are cleared away.
    """
    context = browser.new_context(viewport={"width": 1400, "height": 950}, permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(WAIT_MS)
    complaints = Complaints(context)
    try:
        yield LabPage(context.new_page(), lab, complaints)
    finally:
        context.close()
        lab.end_kernels()
        lab.forget_settings()
    assert not complaints.unexpected, complaints.unexpected

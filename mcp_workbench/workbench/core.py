"""What all parts of a Workbench stand on: what is offered, and the server while one runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.hosts import current_host, notebook_name
from mcp_workbench.notebook import Notebook
from mcp_workbench.offer import Offer
from mcp_workbench.principals import Tokens
from mcp_workbench.settings import Settings
from mcp_workbench.status_report import SessionStatus

if TYPE_CHECKING:
    from mcp_workbench.assembly import RunningServer
    from mcp_workbench.exploring.recording.recorder import Recorder
    from mcp_workbench.exploring.traffic import Traffic
    from mcp_workbench.primitives.prompts import PromptDefinition
    from mcp_workbench.primitives.resources import ResourceDefinition
    from mcp_workbench.primitives.tools import ToolDefinition
    from mcp_workbench.stdio_host import StdioHost
    from mcp_workbench.views.door import ViewDoor
    from mcp_workbench.views.showing import Showing


class Core:
    """The state of a Workbench; its parts (`offering`, `conversing`, `remembering`, `serving`, `presenting`) are made of it."""

    def __init__(self, name: str | None = None, **settings: Any) -> None:
        self._running: RunningServer | None = None  # first: a traceback of what fails here may show our repr
        self._given = ({} if name is None else {"name": name}) | settings
        self._settings = Settings.read(self._given)
        self._offer = Offer(self._settings.limits)
        self._notebook: Notebook | None = None
        self._starting = threading.Lock()
        self._registering = threading.Lock()
        self._forked = False
        self._display: Showing | None = None
        self._traffic: Traffic | None = None
        self._showing = threading.Lock()
        self._stdio: StdioHost | None = None
        """The host that started this script, from when its pipes are taken until it was served."""
        self._view_door: ViewDoor
        """Of the server that runs."""
        self._watches_forks = False
        self._recorders: list[Recorder] = []
        self.tokens = Tokens(self._offer, lambda: self._running)
        """Who may connect: `.add(name)`, `.revoke(name)`, `.names()`."""

    @property
    def _name(self) -> str:
        return self._running.name if self._running else self._settings.name or notebook_name(current_host().identity().notebook)

    def _following(self) -> Notebook:
        """What follows the cells of this process, from the first registration or start on."""
        with self._registering:
            if self._notebook is None:
                self._notebook = Notebook(self._offer, current_host())
            return self._notebook

    def _server(self) -> RunningServer:
        if self._running is None:
            raise WorkbenchError("the server is not running: call start() first")
        return self._running

    @property
    def running(self) -> bool:
        """Whether it serves."""
        return self._running is not None

    @property
    def url(self) -> str:
        """`ws://127.0.0.1:PORT/mcp`.

        Raises:
            WorkbenchError: It is not running.
        """
        return self._server().url

    @property
    def http_url(self) -> str | None:
        """`http://127.0.0.1:PORT/mcp`; None unless it was started with `http=True`.

        Raises:
            WorkbenchError: It is not running.
        """
        return self._server().http_url

    @property
    def sessions(self) -> list[SessionStatus]:
        """The sessions that are open now."""
        return [] if self._running is None else [SessionStatus(session.record, session.statistics()) for session in self._running.sessions]

    @property
    def tools(self) -> tuple[ToolDefinition, ...]:
        """What is offered as tools, by name."""
        return self._offer.tools.list()

    @property
    def resources(self) -> tuple[ResourceDefinition, ...]:
        """The author's resources and templates, by name; DataFrames are not among them."""
        return self._offer.resources.list()

    @property
    def prompts(self) -> tuple[PromptDefinition, ...]:
        """What is offered as prompts, by name."""
        return self._offer.prompts.list()

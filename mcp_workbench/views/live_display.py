"""One display that renews itself while the Workbench serves, also while a cell runs.

A thread of its own looks twice a second and sends only what differs from what is shown. It looks instead of
being told because the path of a call has no room for telling, and because one look at a quiet server costs
microseconds. The thread ends with the display: when the server stops, or a newer display takes its place.

Threads: `show` and `end` belong to the main thread (any thread, one at a time); everything is sent by the display's own thread
after the first time, so what is shown last was sent last.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Self

from mcp_workbench.hosts import Renew
from mcp_workbench.views.facts import View
from mcp_workbench.views.html_view import render_html, render_moved
from mcp_workbench.views.text_view import render_text

logger = logging.getLogger("mcp_workbench")

INTERVAL_S = 0.5
"""At most two renewals a second."""
END_PATIENCE_S = 2.0
PANELS = ("all", "latency")
MOVED = {"text/html": render_moved(), "text/plain": "moved to the newer display"}

Bundle = Mapping[str, str]


def bundle_of(view: View, panel: str) -> Bundle:
    """A view as a MIME bundle."""
    return {"text/html": render_html(view, panel), "text/plain": render_text(view, panel)}


class LiveDisplay:
    """What one `show()` made.

    Args:
        look: Gives the facts of this moment, from any thread.
        panel: Which part of them is shown.
        wait: Waits so many seconds for the event, like `threading.Event.wait`; injected by tests.
    """

    def __init__(self, look: Callable[[], View], panel: str, wait: Callable[[threading.Event, float], bool] = threading.Event.wait) -> None:
        self._look = look
        self._panel = panel
        self._wait = wait
        self._ending = threading.Event()
        self._last: Bundle | None = None
        """What is sent at the very end; None: nothing."""
        self._renew: Renew | None = None
        self._view: View | None = None
        self._thread: threading.Thread | None = None

    def show(self, display: Callable[[Bundle], Renew | None]) -> Self:
        """Show it, and keep it current where the host can renew what it has shown.

        Args:
            display: The host's, as `Host.display`.
        """
        self._view = self._look()
        self._renew = display(bundle_of(self._view, self._panel))
        if self._renew is not None:
            self._thread = threading.Thread(target=self._run, name="mcp-workbench-display", daemon=True)
            self._thread.start()
        return self

    def end(self, *, moved: bool = False) -> None:
        """Show the last state once and end the thread.

        Args:
            moved: A newer display takes its place, and this one says so instead.
        """
        self._last = MOVED if moved else bundle_of(self._look(), self._panel)
        self._ending.set()
        if self._thread is not None:
            self._thread.join(END_PATIENCE_S)

    def _run(self) -> None:
        try:
            while not self._wait(self._ending, INTERVAL_S):
                self._renew_if_new()
            if self._last is not None:
                self._send(self._last)
        except Exception:  # a named boundary: without its front end, or by a fault of ours, a display stops; the server goes on
            logger.exception("the display can no longer be renewed; wb.show() makes a new one")

    def _renew_if_new(self) -> None:
        view = self._look()
        if view != self._view:
            self._view = view
            self._send(bundle_of(view, self._panel))

    def _send(self, bundle: Bundle) -> None:
        if self._renew is not None:
            self._renew(bundle)

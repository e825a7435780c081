"""One display that renews itself while the Workbench serves, also while a cell runs.

A thread of its own looks twice a second and sends only what differs from what is shown. It looks instead of
being told because the path of a call has no room for telling, and because one look at a quiet server costs
microseconds. The thread rests while the server does (`rest`, `go_on`), and ends when a newer display takes its place (`move`).
At the end of a cell the main thread looks too: a notebook that is run without a front end is over with its last cell.

Each state says of when it is, and the same one is sent again every minute: a display that is older was left behind by a kernel
that was killed or restarted, or is a saved copy. Nothing but its age can say so, for a display runs no code of its own.
What is sent is saved with the notebook and makes it differ from the saved one: so while somebody watches by other means
(a widget, which hides this) it is renewed seldom, and its age tells nothing.

Threads: `show`, `rest`, `go_on`, `move` and `cell_ended` belong to the main thread (any thread, one at a time). After the
first time whoever sends has looked under a lock before, so what is shown last is the latest.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from mcp_workbench.hosts import Renew
from mcp_workbench.views.facts import View
from mcp_workbench.views.html_view import render_html, render_moved
from mcp_workbench.views.text_view import render_text

logger = logging.getLogger("mcp_workbench")

INTERVAL_S = 0.5
"""At most two renewals a second."""
SELDOM = 20
"""Looks between renewals while somebody watches by other means: ten seconds."""
BEAT = 120
"""Looks after which the same state is sent again: a minute."""
END_PATIENCE_S = 2.0
MOVED = {"text/html": render_moved(), "text/plain": "moved to the newer display"}

Bundle = Mapping[str, Any]


def bundle_of(view: View, panel: str, at: float, mark: str = "") -> Bundle:
    """A view as a MIME bundle.

    Args:
        view: The facts.
        panel: Which part of them.
        at: Of when they are, in seconds since 1970.
        mark: As `render_html` takes it.
    """
    return {"text/html": render_html(view, panel, at=at, mark=mark), "text/plain": render_text(view, panel, at=at)}


class LiveDisplay:
    """What one `show()` made.

    Args:
        look: Gives the facts of this moment, from any thread.
        panel: Which part of them is shown.
        mark: Class of the HTML's outermost element, by which a widget finds it.
        viewers: How many watch by other means, from any thread.
        wait: Waits so many seconds for the event, like `threading.Event.wait`; injected by tests.
        now: Seconds since 1970; injected by tests.
    """

    def __init__(
        self,
        look: Callable[[], View],
        panel: str,
        *,
        mark: str = "",
        viewers: Callable[[], int] = lambda: 0,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._look = look
        self._panel = panel
        self._mark = mark
        self._viewers = viewers
        self._wait = wait
        self._now = now
        self._resting = threading.Event()
        self._last: Bundle | None = None
        """What is sent before the rest; None: the state of that moment."""
        self._renew: Renew | None = None
        self._view: View | None = None
        self._quiet = 0
        """Looks since something was sent."""
        self._sending = threading.Lock()
        self._thread: threading.Thread | None = None

    def show(self, display: Callable[[Bundle], Renew | None]) -> Self:
        """Show it, and keep it current where the host can renew what it has shown.

        Args:
            display: The host's, as `Host.display`.
        """
        self._renew = display(self._bundle(self._look()))
        self.go_on()
        return self

    def go_on(self) -> None:
        """Keep it current from now on, after a rest too."""
        if self._renew is not None and self._thread is None:
            self._resting.clear()
            self._thread = threading.Thread(target=self._run, name="mcp-workbench-display", daemon=True)
            self._thread.start()

    def rest(self) -> None:
        """Show the state of this moment and end the thread, until `go_on`."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._resting.set()
            thread.join(END_PATIENCE_S)

    def move(self) -> None:
        """A newer display takes its place, and this one says so."""
        self._last = MOVED
        self.go_on()  # at rest it has no thread that could send
        self.rest()

    def cell_ended(self) -> None:
        """Show what a cell has changed before its end is announced. Main thread."""
        thread = self._thread
        if thread is None or not thread.is_alive():  # it rests, it failed, or this is a fork and the thread the parent's
            return
        try:
            with self._sending:
                if (view := self._look()) != self._view:
                    self._send(self._bundle(view), here=True)
        except Exception:  # a named boundary: it would be printed into the cell
            logger.exception("the display could not be renewed at the end of a cell")

    def _run(self) -> None:
        try:
            while not self._wait(self._resting, INTERVAL_S):
                with self._sending:
                    self._look_again()
            with self._sending:
                self._send(self._last or self._bundle(self._look()))
        except Exception:  # a named boundary: without its front end, or by a fault of ours, a display stops; the server goes on
            logger.exception("the display can no longer be renewed; wb.show() makes a new one")

    def _look_again(self) -> None:
        view = self._look()
        self._quiet += 1
        watched = self._viewers() > 0
        changed, old = view != self._view, self._quiet >= BEAT
        if (changed and self._quiet >= SELDOM) if watched else (changed or old):
            self._send(self._bundle(view))

    def _bundle(self, view: View) -> Bundle:
        self._view, self._quiet = view, 0
        return bundle_of(view, self._panel, self._now(), self._mark)

    def _send(self, bundle: Bundle, *, here: bool = False) -> None:
        if self._renew is not None:
            self._renew(bundle, here=here)

"""What one `wb.show()` has put below its cell: where it can be, a live widget, and always the state as HTML and text.

The widget hides the HTML while it lives; the HTML is what is saved, and what other front ends show. Both outlive stop and start
of the server. Main thread.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Self

from mcp_workbench.hosts import Host, Renew
from mcp_workbench.views import widget as widgets
from mcp_workbench.views.comm import CommDoor, Place
from mcp_workbench.views.facts import View
from mcp_workbench.views.live_display import LiveDisplay

logger = logging.getLogger("mcp_workbench")

MOVED = {"text/plain": ""}
"""In place of a widget that is closed; the display below says where it went."""
ENDED = {"text/plain": "the kernel has ended: run this cell again for the live panel"}
"""In place of one whose kernel is gone; front ends say of such a widget only that it is an error."""


class Showing:
    """One widget and one display.

    Args:
        look: Gives the facts of this moment, as they may be saved; from any thread.
        panel: Which part of them is shown.
        place: Where the widget's view is taken in when it comes over a comm; from any thread.
        viewers: How many views are connected; from any thread.
    """

    def __init__(
        self, look: Callable[[], View], panel: str, place: Callable[[], Place | None], viewers: Callable[[], int] = lambda: 0
    ) -> None:
        self._static_id = uuid.uuid4().hex[:12]
        self._panel = panel
        self._place = place
        self._viewers = viewers
        self._display = LiveDisplay(look, panel, mark=f"mcpw-static-{self._static_id}", viewers=self._watching)
        self._widget: widgets.PanelWidget | None = None
        self._renew_widget: Renew | None = None
        self._door: CommDoor | None = None

    def show(self, host: Host, note: Callable[[str], None], kernel_id: str = "") -> Self:
        """Show both, the widget first.

        Args:
            host: Where.
            note: Takes a sentence that the author should know.
            kernel_id: By which a gateway finds this server; empty: it finds it by none.
        """
        if host.identity().kind == "ipykernel" and widgets.wanted():
            bundle = widgets.read_bundle()
            if bundle is None:
                note(widgets.NOT_BUILT)
            else:
                self._show_widget(host, bundle, kernel_id)
        self._display.show(host.display)
        return self

    def _show_widget(self, host: Host, bundle: widgets.Bundle, kernel_id: str) -> None:
        door = CommDoor(lambda message: widget.send(message), self._place, lambda: host.cell() is not None)
        widget = widgets.PanelWidget(bundle, self._panel, kernel_id, self._static_id, door.receive)
        self._widget, self._door = widget, door
        self._renew_widget = host.display(widget.mime_bundle)

    def _watching(self) -> int:
        """How many may see this panel; views elsewhere count too, for a way does not say where its view stands."""
        if self._door is None:
            return 0
        return self._viewers() or int(self._door.watched)

    def go_on(self) -> None:
        """The server has started again."""
        if self._door is not None:
            self._door.go_on()
        self._display.go_on()

    def rest(self) -> None:
        """The server has stopped."""
        self._display.rest()

    def cell_ended(self) -> None:
        """A cell has ended."""
        self._display.cell_ended()

    def end(self) -> None:
        """The process ends, and the widget with it."""
        try:
            if self._renew_widget is not None:
                self._renew_widget(ENDED)
        except Exception:  # a named boundary: at exit nobody could mend it
            logger.exception("the widget could not be taken away")

    def move(self) -> None:
        """A newer one takes its place."""
        if self._door is not None:
            self._door.close()
        if self._widget is not None:
            self._widget.close()
        if self._renew_widget is not None:
            self._renew_widget(MOVED)
        self._widget = self._door = self._renew_widget = None
        self._display.move()

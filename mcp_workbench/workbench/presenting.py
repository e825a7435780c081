"""What a Workbench shows of itself: its state as text, below a cell, and as a page of its own. Never the token."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from mcp_workbench.hosts import current_host
from mcp_workbench.job_report import JobReports
from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.secret import hidden
from mcp_workbench.status_report import Status

if TYPE_CHECKING:
    from mcp_workbench.offer import Offer
    from mcp_workbench.telemetry.telemetry import Telemetry
    from mcp_workbench.views.comm import Place

from mcp_workbench.workbench.serving import Serving


class Presenting(Serving):
    """Status and displays."""

    @property
    def jobs(self) -> JobReports:
        """Calls of agents that were answered early and went on: a list to look at, `jobs["j3"]` to get the result or to cancel."""
        return JobReports(self._offer.jobs)

    @property
    def telemetry(self) -> Telemetry:
        """Call records, session records and histograms."""
        return self._offer.telemetry

    def status(self) -> Status:
        """The facts of this moment, as text and as HTML. Never shows the token."""
        from mcp_workbench.views.open_calls import main_thread, open_calls  # not before the first use, as in show()
        from mcp_workbench.views.text_view import running_lines

        offer, running = self._offer, self._running
        going_on = () if running is None else open_calls(running, offer.jobs, time.time())
        return Status(
            name=self._name,
            url=None if running is None else running.url,
            http_url=None if running is None else running.http_url,
            tools=tuple(tool.name for tool in self.tools),
            resources=tuple(resource.uri for resource in self.resources),
            prompts=tuple(prompt.name for prompt in self.prompts),
            dataframes=self._dataframe_lines(),
            sessions=tuple(self.sessions),
            calls=tuple(offer.telemetry.by_tool()),
            execution={} if running is None else asdict(running.execution.statistics()) | running.suspended.statistics(),
            jobs=offer.jobs.statistics(),
            waiting_tickets=len(offer.tickets),
            recordings=tuple(str(recorder.status) for recorder in self._recorders if recorder.recording),
            notices=() if running is None else tuple(running.notices),
            running=() if running is None else tuple(running_lines(going_on, main_thread(running, going_on))),
            failed=offer.telemetry.failed,
            mistakes=offer.telemetry.mistaken,
            last_mistake=mistakes[0].call_id if (mistakes := offer.telemetry.mistakes()) else "",
        )

    def show(self, panel: str = "all", *, browser: bool = False, keep_data: bool = False) -> None:
        """Show the Workbench below the cell: state, how to connect, sessions, last calls, latencies. Starts the server if needed.

        Where the notebook has widgets, a live panel; and for all other places, and to be saved, a display which renews itself at most
        twice a second, also while a cell runs, and at least once a minute: one that says "as of" an older time is not alive. While
        the panel is watched the display is renewed seldom. Both rest while the server is stopped; a later `show()` takes their place.
        A terminal prints the state once. Never shows the token.

        With `browser=True` it is a page of its own instead, for editors and terminals: one line with its address is printed, which
        can be opened once within 60 s, and where this machine's screen is in front of the person a browser is asked to open it. The
        page lives, and can be clicked, while a cell runs, and ends with the server.

        Args:
            panel: Which panel is open: "all", "connect", "sessions", "calls", "messages", "timeline", "latency", "dataframes" or
                "kernel". The display shows what it has of it. The page of its own always has all.
            browser: Open the page of its own.
            keep_data: Whether the display, which is saved with the notebook, holds what clients and code said too: names of
                clients, URIs, errors, messages of progress. The live panel shows them anyway, and saves nothing.

        Raises:
            ValueError: There is no such panel.
            WorkbenchError: A thousand links wait to be opened.
        """
        from mcp_workbench.views.gathering import Gathering  # not before the first use: most scripts never show anything
        from mcp_workbench.views.keeping import author_names, without_data
        from mcp_workbench.views.showing import Showing
        from mcp_workbench.views.words import PANELS

        if panel not in PANELS:
            raise ValueError(f"panel is one of {', '.join(PANELS)}; got {str(panel)[:40]!r}")
        self.start()
        if browser:
            self._open_page()
            return
        gathering = Gathering(self._name, self._offer, lambda: self._running, self._dataframe_lines)
        named = author_names(self._offer)
        look = gathering.look if keep_data else lambda: without_data(gathering.look(), named)
        host, server = current_host(), self._server()
        # A second server of a kernel is not the one that the kernel's id leads to.
        kernel_id = server.kernel_id if server.kernel_id == server.identity.kernel_id else ""
        with self._showing:
            self._move_display()
            # Known before it is shown: where an interrupt comes meanwhile, the next one moves it all the same.
            self._display = showing = Showing(look, panel, self._view_place, self._count_viewers)
            showing.show(host, server.note_once, kernel_id)
            self._following().on_cell_end.append(showing.cell_ended)

    def _move_display(self) -> None:
        """A newer one takes the place of the last; an interrupt in the middle leaves nothing that the next could stumble over."""
        old, self._display = self._display, None
        if old is not None:
            with suppress(ValueError):  # an interrupt came before it was listed
                self._following().on_cell_end.remove(old.cell_ended)
            old.move()

    def _view_place(self) -> Place | None:
        """Where a view is taken in that comes over a comm; from any thread."""
        from mcp_workbench.views.comm import Place  # as in show()

        running = self._running
        return None if running is None else Place(running.loop, running.post, self._view_door.viewers.accept)

    def _count_viewers(self) -> int:
        return 0 if self._running is None else len(self._view_door.viewers)

    def _open_page(self) -> None:
        from mcp_workbench.views.browser import open_near  # not before the first use, as in show()
        from mcp_workbench.views.page import link_line

        link = hidden(self._view_door.page.link(self._server().page_address))
        sys.stdout.write(f"{link_line(link.reveal())}\n")
        sys.stdout.flush()  # before a browser is waited for
        open_near(link.reveal())

    def _dataframe_lines(self) -> tuple[str, ...]:
        offer = self._offer
        return tuple(line for name in offer.dataframes.names() if (line := _dataframe_line(offer, name)))


def _dataframe_line(offer: Offer, name: str) -> str | None:
    try:
        publication = offer.dataframes.publication(name)
    except NotFound:  # another thread has unpublished it since
        return None
    rows, columns = publication.latest.df.shape
    lost = f" (not followed any more: {publication.lost})" if publication.lost else ""
    return f"{name} v{publication.latest.version}, {rows:,} x {columns:,}{lost}"

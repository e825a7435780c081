"""What calls say, draw and ask does not reach the cells: the few objects of the process that are lent for it, all together.

There is one `sys.stdout`, one `logging` and one pyplot in a process however many servers run in it, so this is counted:
the first server to start lends them, the last one to stop gives them back, each only if it still is ours. They stay
lent when the code of a call outlives its server, because what that code prints belongs to no cell either; the next
stop gives them back.
"""

from __future__ import annotations

import threading

from mcp_workbench.asking import route_questions
from mcp_workbench.displays import route_displays
from mcp_workbench.execution.calls import current_call
from mcp_workbench.execution.drawings import route_pyplot
from mcp_workbench.execution.output import STREAMS, route_logging, sink_here, trace_sink_here
from mcp_workbench.execution.redirects import route_redirects
from mcp_workbench.patches import Patches
from mcp_workbench.tracebacks import route_tracebacks


class Apart:
    """Counts the servers that need it. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._servers = 0
        self._patches: Patches | None = None

    def begin(self) -> None:
        """A server starts. Where this raises, nothing is lent and nobody was counted."""
        with self._lock:
            if self._patches is None:
                self._patches = _lend()
            self._servers += 1

    def end(self, *, still_running: bool = False) -> None:
        """A server has stopped.

        Args:
            still_running: Code of one of its calls still runs.
        """
        with self._lock:
            self._servers -= 1
            if not self._servers and not still_running and self._patches is not None:
                self._patches.restore()
                self._patches = None


def _lend() -> Patches:
    patches = Patches()
    try:
        STREAMS.route()
        patches.on_restore(STREAMS.restore)
        route_logging(patches)
        route_redirects(patches, STREAMS.look)
        route_displays(patches, sink_here, STREAMS.look)
        route_tracebacks(patches, trace_sink_here)
        route_questions(patches, lambda: current_call.get() is not None)
        route_pyplot(patches)
    except BaseException:
        patches.restore()
        raise
    return patches


APART = Apart()
"""The one of this process."""

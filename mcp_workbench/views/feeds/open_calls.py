"""What runs or waits at this moment, jobs included."""

from __future__ import annotations

from collections.abc import Iterable

from mcp_workbench.telemetry.records import JOB
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import Message, OpenCall, OpenCalls, Watch
from mcp_workbench.views.open_calls import OnGoing, ageless, going_on, known

MOST = 200


class OpenCallsFeed:
    """Tells what goes on, whole, when it has changed."""

    panel = "running"
    """Two panels show it, and one of them wants nothing of the calls that have ended."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._told: OpenCalls | None = None

    def watch(self, wanted: Watch) -> None:
        """It is always the whole."""

    def look(self, now: float, *, last: bool = False) -> Iterable[Message]:
        """What goes on, where it is another than the last time."""
        open_calls = _open_calls(self._sources, now)
        if open_calls == self._told:
            return ()
        self._told = open_calls
        return (open_calls,)


def _open_calls(sources: Sources, now: float) -> OpenCalls:
    """What goes on; of the views that look at the same moment the first finds out."""

    def look() -> OpenCalls:
        calls, more = going_on(sources.running, sources.offer.jobs, now, MOST)
        return OpenCalls(rows=tuple(map(row_of, calls)), more=more)

    return sources.open_calls.at(now, look)


def row_of(call: OnGoing) -> OpenCall:
    """One of them as a row."""
    progress = call.progress
    return OpenCall(
        key=call.key,
        target=call.target,
        method=call.method,
        session=call.session_id,
        principal=call.principal,
        at=call.at,
        client=call.client or "",
        call_id=call.call_id,
        job=call.id if call.method == JOB else "",
        started=call.started,
        progress=0 if progress is None else known(progress.progress),
        total=0 if progress is None else known(progress.total),
        message=call.said,
        waits=ageless(call.waits),
    )

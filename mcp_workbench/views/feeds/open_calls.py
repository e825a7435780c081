"""What runs or waits at this moment, jobs included."""

from __future__ import annotations

from collections.abc import Iterable

from mcp_workbench.telemetry.records import JOB
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import Message, OpenCall, OpenCalls, Watch
from mcp_workbench.views.open_calls import OnGoing, going_on

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

    def look(self, now: float) -> Iterable[Message]:
        """What goes on, where it is another than the last time."""
        calls = going_on(self._sources.running, self._sources.offer.jobs, now)
        open_calls = OpenCalls(rows=tuple(map(row_of, calls[:MOST])), more=max(0, len(calls) - MOST))
        if open_calls == self._told:
            return ()
        self._told = open_calls
        return (open_calls,)


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
        progress=0 if progress is None else progress.progress,
        total=0 if progress is None or progress.total is None else progress.total,
        message=call.said,
        waits=call.waits,
    )

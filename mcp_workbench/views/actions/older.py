"""`GetOlder`: calls that ended before those a view has been told."""

from __future__ import annotations

from mcp_workbench.views.asks import Ask
from mcp_workbench.views.call_rows import CallRows
from mcp_workbench.views.messages import GetOlder, OlderCalls

MOST = 500


def get_older(ask: Ask[GetOlder]) -> None:
    """Answer with the calls right before one, ascending, as far as they are kept."""
    request, telemetry = ask.request, ask.sources.offer.telemetry
    until = min(request.before - 1, telemetry.recorded)
    calls = telemetry.calls_between(until - min(max(request.limit, 0), MOST), until)
    rows = CallRows(ask.sources)
    ask.answer(OlderCalls(re=request.id, rows=tuple(map(rows.row, calls)), oldest=telemetry.oldest))

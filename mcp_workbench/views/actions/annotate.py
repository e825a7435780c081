"""`Annotate`: what the notebook's author writes beside a call; shown wherever the call is, and written into recordings."""

from __future__ import annotations

from mcp_workbench.views.asks import Ask
from mcp_workbench.views.messages import Annotate


def annotate(ask: Ask[Annotate]) -> None:
    """Write it below what stands there; an empty text takes all of that away."""
    request, offer = ask.request, ask.sources.offer
    calls = offer.telemetry.calls_between(request.seq - 1, request.seq) if request.seq > 0 else []
    if not calls:
        ask.refuse(f"No record of call {request.seq} is kept: there is nothing to write beside.")
        return
    [call] = calls
    if not request.text.strip():
        offer.annotations.clear(call)
        ask.done("Taken away.")
        return
    try:
        offer.annotations.add(call, request.text)
    except ValueError as error:
        ask.refuse(f"{error}.")
    else:
        ask.done("Written beside it.")

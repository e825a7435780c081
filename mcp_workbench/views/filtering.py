"""Filters as views use them: what of a panel's rows is wanted, asked of each record where the records are.

The language is `exploring.filters`; a text has been checked (`CheckFilter`) before a view wants it, so one that cannot be read is
of a kernel that is another by now, and lets nothing through until the view has asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from mcp_workbench.exploring.filters import Filter, FilterError, parse
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import Watch

CALLS, MESSAGES = "calls", "messages"
"""Panels whose rows can be filtered."""


def text_for(panel: str, wanted: Watch) -> str:
    """The filter that a view wants for a panel; empty: none."""
    return next((each.text.strip() for each in wanted.filters if each.panel == panel), "")


def read_filter(text: str, sources: Sources) -> Filter:
    """The filter.

    Raises:
        FilterError: It is none.
    """
    names: dict[str, str] = {}

    def client_of(session_id: str) -> str | None:
        name = names.get(session_id) or sources.client_of(session_id, inf)
        if name:
            names[session_id] = name
        return name or None

    return parse(text, client_of=client_of)


def calls_filter(text: str, sources: Sources) -> Callable[[CallRecord], bool] | None:
    """What says whether a call is wanted; None: all are."""
    try:
        return read_filter(text, sources).for_calls() if text else None
    except FilterError:
        return _nothing


def messages_filter(text: str, sources: Sources) -> Callable[[Message], bool] | None:
    """What says whether a message is wanted, to be asked of each in order; None: all are."""
    try:
        return read_filter(text, sources).for_messages() if text else None
    except FilterError:
        return _nothing


def _nothing(_record: object) -> bool:
    return False

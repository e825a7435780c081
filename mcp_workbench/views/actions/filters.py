"""`CheckFilter`: whether a text is a filter, before a view wants to see by it."""

from __future__ import annotations

from mcp_workbench.exploring.filters import FilterError
from mcp_workbench.views.asks import Ask
from mcp_workbench.views.filtering import MESSAGES, read_filter
from mcp_workbench.views.messages import CheckFilter, FilterChecked


def check_filter(ask: Ask[CheckFilter]) -> None:
    """Answer how it is understood, or what is wrong with it and where."""
    request = ask.request
    try:
        read = read_filter(request.text, ask.sources)
        if request.panel == MESSAGES:
            read.for_messages()
        else:
            read.for_calls()
    except FilterError as error:
        ask.answer(FilterChecked(re=request.id, ok=False, sentence=error.sentence, position=error.position, nearest=error.nearest or ""))
    else:
        ask.answer(FilterChecked(re=request.id, ok=True, canonical=str(read)))

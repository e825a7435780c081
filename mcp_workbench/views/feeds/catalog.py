"""All that a view can be told, and all that it can ask for: a new panel is one more line in each of these two tables.

Each connection gets feeds of its own. The actions are made once for all views of a server, so that one may remember what others
have asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mcp_workbench.views.actions.annotate import annotate
from mcp_workbench.views.actions.compare import compare
from mcp_workbench.views.actions.dataframes import DataFrameActions
from mcp_workbench.views.actions.detail import get_detail
from mcp_workbench.views.actions.filters import check_filter
from mcp_workbench.views.actions.older import get_older, get_older_messages
from mcp_workbench.views.actions.resend import resend
from mcp_workbench.views.actions.stop import stop
from mcp_workbench.views.actions.text import get_text
from mcp_workbench.views.asks import Action, Ask
from mcp_workbench.views.feed import Feed
from mcp_workbench.views.feeds.calls import CallsFeed
from mcp_workbench.views.feeds.dataframes import DataFramesFeed, subscribers_in
from mcp_workbench.views.feeds.jobs import JobsFeed
from mcp_workbench.views.feeds.kernel import KernelFeed
from mcp_workbench.views.feeds.latency import LatencyFeed
from mcp_workbench.views.feeds.messages import MessagesFeed
from mcp_workbench.views.feeds.open_calls import OpenCallsFeed
from mcp_workbench.views.feeds.queues import readings
from mcp_workbench.views.feeds.sessions import SessionsFeed
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.feeds.state import StateFeed
from mcp_workbench.views.feeds.timeline import TimelineFeed
from mcp_workbench.views.messages import (
    Annotate,
    CheckFilter,
    Compare,
    GetDetail,
    GetOlder,
    GetOlderMessages,
    GetPreview,
    GetText,
    Resend,
    Stop,
    Touch,
)

FeedMaker = Callable[[Sources], Feed]
Actions = Mapping[type[Any], Action]
"""What answers a request, by the type of its message."""


def _latency(sources: Sources) -> Feed:
    return LatencyFeed(sources.offer.telemetry)


def _dataframes(sources: Sources) -> Feed:
    return DataFramesFeed(sources.offer.dataframes, subscribers_in(sources.running.sessions.index))


def _jobs(sources: Sources) -> Feed:
    return JobsFeed(sources.offer.jobs, sources.running.sessions.records)


def _kernel(sources: Sources) -> Feed:
    running, offer = sources.running, sources.offer
    return KernelFeed(running.cell, running.execution.main, lambda: readings(running, offer))


FEEDS: tuple[FeedMaker, ...] = (
    StateFeed,
    SessionsFeed,
    OpenCallsFeed,
    CallsFeed,
    MessagesFeed,
    TimelineFeed,
    _latency,
    _dataframes,
    _jobs,
    _kernel,
)
"""Asked in this order."""


def actions_of(sources: Sources) -> Actions:
    """All that a view of this server can ask for.

    Args:
        sources: Where the facts are.
    """
    of_dataframes = DataFrameActions(sources.offer.dataframes, sources.running.execution)

    def dataframe_action(ask: Ask[GetPreview] | Ask[Touch]) -> None:
        of_dataframes.answer(ask.request, ask.answer)

    return {
        Stop: stop,
        CheckFilter: check_filter,
        GetDetail: get_detail,
        Compare: compare,
        GetOlder: get_older,
        GetOlderMessages: get_older_messages,
        GetText: get_text,
        Resend: resend,
        Annotate: annotate,
        GetPreview: dataframe_action,
        Touch: dataframe_action,
    }

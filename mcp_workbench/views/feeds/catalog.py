"""All that a view can be told, and all that it can ask for: a new panel is one more line in each of these two tables.

Each connection gets feeds of its own. The actions are made once for all views of a server, so that one may remember what others
have asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mcp_workbench.views.actions.detail import get_detail
from mcp_workbench.views.actions.older import get_older
from mcp_workbench.views.actions.stop import stop
from mcp_workbench.views.asks import Action
from mcp_workbench.views.feed import Feed
from mcp_workbench.views.feeds.calls import CallsFeed
from mcp_workbench.views.feeds.open_calls import OpenCallsFeed
from mcp_workbench.views.feeds.sessions import SessionsFeed
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.feeds.state import StateFeed
from mcp_workbench.views.messages import GetDetail, GetOlder, Stop

FeedMaker = Callable[[Sources], Feed]
Actions = Mapping[type[Any], Action]
"""What answers a request, by the type of its message."""

FEEDS: tuple[FeedMaker, ...] = (StateFeed, SessionsFeed, OpenCallsFeed, CallsFeed)
"""Asked in this order."""


def actions_of(sources: Sources) -> Actions:
    """All that a view of this server can ask for.

    Args:
        sources: Where the facts are.
    """
    return {Stop: stop, GetDetail: get_detail, GetOlder: get_older}

"""Where updates come from: the interface of both eras, and how one notification becomes news.

A session has the implementation of its era: `legacy_feeds` (`resources/subscribe`, up to 2025-11-25) or
`listens` (`subscriptions/listen`, from 2026-07-28).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mcp_workbench.client.updates import Feed, ResourceUpdated
from mcp_workbench.errors import ConnectionClosed
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.happenings import NotificationReceived
from mcp_workbench.protocol.subscriptions import Listing

LIST_CHANGED = {f"notifications/{listing}/list_changed": listing.value for listing in Listing}


class Feeds(Protocol):
    """What a session can be told about."""

    def resource(self, uri: str) -> Feed[ResourceUpdated]:
        """Changes of one resource."""

    def lists(self) -> Feed[str]:
        """Changes of the lists: `tools`, `resources`, `prompts`."""

    def receive(self, notification: NotificationReceived) -> None:
        """The server tells something."""

    def end(self, error: ConnectionClosed) -> None:
        """The connection is gone."""


def fold_update(params: wire.ResourceUpdatedParams) -> Callable[[ResourceUpdated | None], ResourceUpdated]:
    """The latest update, counting those that still waited."""
    meta = params.meta or {}
    return lambda before: ResourceUpdated(params.uri, 1 if before is None else before.coalesced + 1, meta)


def fold_listing(listing: str) -> Callable[[str | None], str]:
    """A list that changed twice has changed."""
    return lambda _before: listing

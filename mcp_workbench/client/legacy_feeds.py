"""Updates up to 2025-11-25: `resources/subscribe` of the connection, list changes that come unasked.

One subscription on the wire however many readers a URI has: the first one subscribes, the last one
unsubscribes. The neighbour `listens` does the same for the modern era.
"""

from __future__ import annotations

import asyncio

from mcp_workbench.client.conversation import Conversation
from mcp_workbench.client.feeds import LIST_CHANGED, fold_listing, fold_update
from mcp_workbench.client.updates import Feed, ResourceUpdated, Sink
from mcp_workbench.errors import CallTimedOut, ConnectionClosed
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.happenings import NotificationReceived


class _Subscription:
    """One URI on the wire and its readers. The lock keeps subscribe and unsubscribe of one URI in order."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.readers: dict[Sink[ResourceUpdated], None] = {}
        self.on_wire = False


class LegacyFeeds:
    """Subscriptions of the connection; list changes come unasked.

    Args:
        conversation: Where to subscribe.
        timeout_s: Seconds a subscribe or unsubscribe may take.
    """

    def __init__(self, conversation: Conversation, timeout_s: float) -> None:
        self._conversation = conversation
        self._timeout_s = timeout_s
        self._subscriptions: dict[str, _Subscription] = {}
        self._list_readers: dict[Sink[str], None] = {}

    def resource(self, uri: str) -> Feed[ResourceUpdated]:
        """Changes of one resource; its first reader subscribes, its last one unsubscribes."""
        return _LegacyResourceFeed(self, uri)

    def lists(self) -> Feed[str]:
        """Changes of the lists, from now on."""
        return _LegacyListFeed(self._conversation, self._list_readers)

    def receive(self, notification: NotificationReceived) -> None:
        """Tell the readers concerned."""
        params = notification.params
        if isinstance(params, wire.ResourceUpdatedParams):
            for uri, subscription in self._subscriptions.items():
                if _covers(uri, params.uri):
                    for reader in subscription.readers:
                        reader.push(uri, fold_update(params))
        elif (listing := LIST_CHANGED.get(notification.method)) is not None:
            for list_reader in self._list_readers:
                list_reader.push(listing, fold_listing(listing))

    def end(self, error: ConnectionClosed) -> None:
        """End every reader."""
        for subscription in self._subscriptions.values():
            for reader in subscription.readers:
                reader.end(error)
        for list_reader in self._list_readers:
            list_reader.end(error)

    async def join(self, uri: str, reader: Sink[ResourceUpdated]) -> None:
        """Add a reader; subscribes where nobody has."""
        subscription = self._subscriptions.setdefault(uri, _Subscription())
        # Before the request: an update may follow its answer in the same turn of the loop.
        subscription.readers[reader] = None
        try:
            async with subscription.lock:
                self._conversation.check_open()
                if not subscription.on_wire:
                    await self._subscribe(uri, subscription)
        except BaseException:
            subscription.readers.pop(reader, None)
            self._tidy(uri, subscription)
            raise

    async def leave(self, uri: str, reader: Sink[ResourceUpdated]) -> None:
        """Remove a reader; the last one unsubscribes."""
        subscription = self._subscriptions[uri]
        subscription.readers.pop(reader, None)
        try:
            async with subscription.lock:
                if subscription.on_wire and not subscription.readers and not self._conversation.closed:
                    subscription.on_wire = False
                    await self._ask("resources/unsubscribe", uri)
        finally:
            self._tidy(uri, subscription)

    async def _subscribe(self, uri: str, subscription: _Subscription) -> None:
        try:
            await self._ask("resources/subscribe", uri)
        except (asyncio.CancelledError, CallTimedOut):
            # The server may have subscribed us already; it answers in order, so this undoes it. Nobody needs the answer.
            if not self._conversation.closed:
                self._conversation.tell("resources/unsubscribe", {"uri": uri}, timeout_s=self._timeout_s)
            raise
        subscription.on_wire = True

    async def _ask(self, method: str, uri: str) -> None:
        await self._conversation.request(method, {"uri": uri}, timeout_s=self._timeout_s)

    def _tidy(self, uri: str, subscription: _Subscription) -> None:
        if not subscription.readers and not subscription.on_wire and not subscription.lock.locked():
            self._subscriptions.pop(uri, None)


class _LegacyResourceFeed:
    def __init__(self, feeds: LegacyFeeds, uri: str) -> None:
        self._feeds = feeds
        self._uri = uri

    async def open(self, sink: Sink[ResourceUpdated]) -> None:
        await self._feeds.join(self._uri, sink)

    async def close(self, sink: Sink[ResourceUpdated]) -> None:
        await self._feeds.leave(self._uri, sink)


class _LegacyListFeed:
    def __init__(self, conversation: Conversation, readers: dict[Sink[str], None]) -> None:
        self._conversation = conversation
        self._readers = readers

    async def open(self, sink: Sink[str]) -> None:
        self._conversation.check_open()
        self._readers[sink] = None

    async def close(self, sink: Sink[str]) -> None:
        self._readers.pop(sink, None)


def _covers(subscribed: str, updated: str) -> bool:
    # 2025-11-25 schema, ResourceUpdatedNotification: "This might be a sub-resource of the one that the client actually subscribed to."
    return updated == subscribed or updated.startswith(subscribed.rstrip("/") + "/")

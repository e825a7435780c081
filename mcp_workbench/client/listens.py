"""Updates from 2026-07-28: each reader is a `subscriptions/listen` of its own.

The listen is a request that stays open: its acknowledgement comes first and says what is honoured, every
message of it carries its id, its response ends it. The neighbour `legacy_feeds` does the same for the
legacy era.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote

from mcp_workbench.client.conversation import Conversation
from mcp_workbench.client.feeds import LIST_CHANGED, fold_listing, fold_update
from mcp_workbench.client.updates import Feed, ResourceUpdated, Sink
from mcp_workbench.errors import CallTimedOut, ConnectionClosed, PeerError, RemoteProtocolError, WorkbenchError
from mcp_workbench.jsonrpc import ErrorCode, RequestId
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.happenings import NotificationReceived, Pending

METHOD = "subscriptions/listen"


class ModernFeeds:
    """The listens of one conversation.

    Args:
        conversation: Where to listen.
        timeout_s: Seconds until the acknowledgement must have come.
    """

    def __init__(self, conversation: Conversation, timeout_s: float) -> None:
        self.conversation = conversation
        self.timeout_s = timeout_s
        self.listens: dict[RequestId, Listen] = {}
        """Those that are open, by the id of their request."""

    def resource(self, uri: str) -> Feed[ResourceUpdated]:
        """Changes of one resource."""
        return Listen(self, wire.ListenFilter(resource_subscriptions=[uri]))

    def lists(self) -> Feed[str]:
        """Changes of the lists."""
        return Listen(self, wire.ListenFilter(tools_list_changed=True, prompts_list_changed=True, resources_list_changed=True))

    def task(self, task_id: str) -> Feed[wire.Task]:
        """How one task stands, each time that changes."""
        return Listen(self, wire.ListenFilter(task_ids=[task_id]))

    def receive(self, notification: NotificationReceived) -> None:
        """Tell the listen it belongs to; a message of an ended or unknown listen is late and changes nothing."""
        listen = None if notification.subscription_id is None else self.listens.get(notification.subscription_id)
        if listen is not None:
            listen.receive(notification)

    def end(self, error: ConnectionClosed) -> None:
        """Nothing to do: every listen is an open request and has heard of it by itself."""


class Listen:
    """One listen, as its reader's feed and as the waiter of its request."""

    def __init__(self, feeds: ModernFeeds, wanted: wire.ListenFilter) -> None:
        self._feeds = feeds
        self._wanted = wanted
        self._sink: Sink[Any] | None = None
        self._pending: Pending | None = None
        self._acknowledged: asyncio.Future[wire.ListenFilter] | None = None

    # --- as a feed ------------------------------------------------------------------------------------

    async def open(self, sink: Sink[Any]) -> None:
        """Listen; returns when the server has acknowledged.

        Raises:
            PeerError: The server refused, or does not honour what was asked for.
            CallTimedOut: It did not acknowledge in time.
            ConnectionClosed: The connection is gone.
        """
        loop, conversation = asyncio.get_running_loop(), self._feeds.conversation
        deadline = loop.time() + self._feeds.timeout_s
        await conversation.wait_for_room(deadline, METHOD)
        self._sink, self._acknowledged = sink, loop.create_future()
        self._pending = conversation.begin(METHOD, {"notifications": self._wanted}, self)
        self._feeds.listens[self._pending.id] = self
        try:
            self._check(await self._acknowledgement(self._acknowledged, deadline))
        except BaseException:
            self._stop()
            raise

    async def close(self, sink: Sink[Any]) -> None:
        """Cancel the request; no response follows."""
        self._stop()

    async def _acknowledgement(self, future: asyncio.Future[wire.ListenFilter], deadline: float) -> wire.ListenFilter:
        try:
            async with asyncio.timeout_at(deadline):
                return await future
        except TimeoutError:
            raise CallTimedOut(f"{METHOD} was not acknowledged within {self._feeds.timeout_s:g} s") from None

    def _check(self, honoured: wire.ListenFilter) -> None:
        """A listen that would stay silent for ever is refused at once."""
        uris = {unquote(uri) for uri in honoured.resource_subscriptions or ()}
        if any(unquote(uri) not in uris for uri in self._wanted.resource_subscriptions or ()):
            raise PeerError(ErrorCode.INVALID_PARAMS, "The server does not honour a subscription to this resource")
        if any(task_id not in (honoured.task_ids or ()) for task_id in self._wanted.task_ids or ()):
            raise PeerError(ErrorCode.INVALID_PARAMS, "The server does not tell how this task stands")
        flags = (honoured.tools_list_changed, honoured.prompts_list_changed, honoured.resources_list_changed)
        if self._wanted.tools_list_changed and True not in flags:
            raise PeerError(ErrorCode.INVALID_PARAMS, "The server announces changes of none of its lists")

    def _stop(self) -> None:
        if self._pending is not None:
            self._feeds.listens.pop(self._pending.id, None)
            self._feeds.conversation.give_up(self._pending, "the reader no longer listens")

    # --- what the server tells --------------------------------------------------------------------------

    def receive(self, notification: NotificationReceived) -> None:
        """A message of this listen."""
        params = notification.params
        if isinstance(params, wire.ListenParams):
            if self._acknowledged is not None and not self._acknowledged.done():
                self._acknowledged.set_result(params.notifications)
        elif self._sink is not None and isinstance(params, wire.ResourceUpdatedParams):
            self._sink.push("resource", fold_update(params))
        elif self._sink is not None and isinstance(params, wire.Task):
            self._sink.push("task", lambda _before: params)
        elif self._sink is not None and (listing := LIST_CHANGED.get(notification.method)) is not None:
            self._sink.push(listing, fold_listing(listing))

    # --- as the waiter of its request ---------------------------------------------------------------------

    def receive_result(self, result: dict[str, Any]) -> None:
        """The server ended it in good order."""
        self._ended(None)

    def receive_error(self, error: WorkbenchError) -> None:
        """The server refused or broke it off, or the connection is gone."""
        self._ended(error)

    def receive_progress(self, params: wire.ProgressParams) -> None:
        """A listen asks for none."""

    def _ended(self, error: WorkbenchError | None) -> None:
        if self._pending is not None:
            self._feeds.listens.pop(self._pending.id, None)
        if self._acknowledged is not None and not self._acknowledged.done():
            early = RemoteProtocolError(ErrorCode.INVALID_REQUEST, f"The server ended {METHOD} before acknowledging it")
            self._acknowledged.set_exception(error or early)
        elif self._sink is not None:
            self._sink.end(error)

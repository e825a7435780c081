"""What the server tells, as something to iterate over: a level trigger, not a queue.

An update says "this has changed, read it again". A reader slower than the server therefore sees the latest
state of each thing, with the number of updates folded into it; what waits is bounded by the number of
things, one for a resource and three for the lists. Where updates come from is the affair of `feeds`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from mcp_workbench.errors import ConnectionClosed, LocalProtocolError, WorkbenchError

T = TypeVar("T")

CLOSE_NORMAL = 1000


@dataclass(frozen=True, slots=True)
class ResourceUpdated:
    """A resource has changed: read it again."""

    uri: str
    """As the server names it: what was subscribed, or a part of it."""
    coalesced: int = 1
    """Updates this one stands for: more than 1 when the reader was slower than the server."""
    meta: dict[str, Any] = field(default_factory=dict)
    """The notification's `_meta`."""


class Sink(Protocol[T]):
    """Who is told by a feed."""

    def push(self, key: str, fold: Callable[[T | None], T]) -> None:
        """Something changed: `fold` makes the news out of what still waits under this key."""

    def end(self, error: WorkbenchError | None) -> None:
        """Nothing more will come; None = the server ended it in good order."""


class Feed(Protocol[T]):
    """Where updates come from: one implementation per era."""

    async def open(self, sink: Sink[T]) -> None:
        """Begin to tell; returns when the server has agreed."""

    async def close(self, sink: Sink[T]) -> None:
        """Stop; called once, also after the end of the connection."""


class Updates(Generic[T]):
    """One reader's updates: `async with session.subscribe(uri) as updates: async for update in updates: …`.

    Iterating without `async with` subscribes at the first step; then `aclose()` must be called when the loop
    was left early. The iteration ends when the server ends the subscription in good order or the connection
    is closed with 1000; any other end is raised. Cancelling a wait is safe: nothing is lost.
    """

    def __init__(self, feed: Feed[T]) -> None:
        self._feed = feed
        self._waiting: dict[str, T] = {}
        self._wake: asyncio.Future[None] | None = None
        self._opened = False
        self._closed = False
        self._ended = False
        self._error: WorkbenchError | None = None

    async def __aenter__(self) -> Updates[T]:
        await self._open()
        return self

    async def __aexit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        await self.aclose()

    def __aiter__(self) -> Updates[T]:
        return self

    async def __anext__(self) -> T:
        if not self._opened:
            await self._open()
        if self._wake is not None:
            raise LocalProtocolError("two tasks wait for the same updates: subscribe once for each of them")
        while not self._waiting and not self._ended:
            await self._wait()
        if self._waiting:
            return self._waiting.pop(next(iter(self._waiting)))
        if self._error is not None:
            raise self._error
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Unsubscribe; a second time does nothing.

        Raises:
            PeerError: The server refused to unsubscribe.
            CallTimedOut: It did not answer.
        """
        if self._opened and not self._closed:
            self._closed = True
            self.end(None)
            await self._feed.close(self)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come; what still waits can be read."""
        return self._ended

    def push(self, key: str, fold: Callable[[T | None], T]) -> None:
        """Take news; the feed calls this."""
        if not self._ended:
            self._waiting[key] = fold(self._waiting.get(key))
            self._wake_reader()

    def end(self, error: WorkbenchError | None) -> None:
        """Take the end; the feed calls this. What still waits is read first."""
        if not self._ended:
            self._ended = True
            # Closing with 1000 is how either side says that all is well.
            self._error = None if isinstance(error, ConnectionClosed) and error.code == CLOSE_NORMAL else error
            self._wake_reader()

    async def _open(self) -> None:
        if self._opened:
            raise LocalProtocolError("these updates were subscribed before: subscribe anew")
        self._opened = True
        try:
            await self._feed.open(self)
        except BaseException:
            self._closed = True
            self.end(None)
            raise

    async def _wait(self) -> None:
        self._wake = asyncio.get_running_loop().create_future()
        try:
            await self._wake
        finally:
            self._wake = None

    def _wake_reader(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

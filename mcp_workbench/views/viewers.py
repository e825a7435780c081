"""All views of one running server, and the one timer by which they are told what is new.

The timer runs only while there is a view; a server that nobody looks at does nothing here. Everything is on the protocol
loop but `post`. Neighbours: `viewer.py` is one of them, `door.py` lets them in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import Context
from functools import partial

from mcp_workbench.events import Principal
from mcp_workbench.transports.channel import Channel
from mcp_workbench.views.feeds.catalog import FEEDS, Actions, FeedMaker, actions_of
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.viewer import CLOSE_TRY_LATER, Viewer

MOST = 32
"""Views at once."""
TICK_S = 0.25
CLOSE_GOING_AWAY = 1001


class Viewers:
    """The views.

    Args:
        sources: Where the facts are.
        loop: The protocol loop.
        feeds: Makes what a view is told.
        actions: Makes what answers a request.
        tick_s: Seconds between two looks.
        now: Seconds since 1970.
    """

    def __init__(
        self,
        sources: Sources,
        loop: asyncio.AbstractEventLoop,
        *,
        feeds: Sequence[FeedMaker] = FEEDS,
        actions: Callable[[Sources], Actions] = actions_of,
        tick_s: float = TICK_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.now = now
        self._sources = sources
        self._loop = loop
        self._feeds = feeds
        self._actions = actions(sources)
        self._tick_s = tick_s
        self._open: dict[Viewer, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._open)

    def accept(self, channel: Channel, principal: Principal | None = None) -> Viewer | None:
        """A view has come in. The channel's owner opens the channel on what is returned.

        Args:
            channel: Its connection.
            principal: Whoever presented the credential; all may do the same.

        Returns:
            The viewer; None: there is no room, or the server stops, and the channel is being closed.
        """
        if self._closed or len(self._open) >= MOST:
            full = f"{MOST} views are open already: close one"
            channel.close(CLOSE_TRY_LATER, "the server is stopping" if self._closed else full)
            return None
        viewer = Viewer(channel, self._sources, [make(self._sources) for make in self._feeds], self._actions, self)
        self._open[viewer] = None
        if self._timer is None:
            self._timer = self._loop.call_later(self._tick_s, self._tick)
        return viewer

    def forget(self, viewer: Viewer) -> None:
        """A view has left."""
        self._open.pop(viewer, None)
        if not self._open:
            self._rest()

    def post(self, function: Callable[[], None]) -> bool:
        """From any thread: have the loop run a function soon; False: it is closed."""
        try:
            self._loop.call_soon_threadsafe(function, context=Context())
        except RuntimeError:  # the loop was closed: nobody waits for this any more
            return False
        return True

    def close(self) -> None:
        """The server stops: every view is told how it all stands, then goodbye, and none is let in."""
        self._closed = True
        now = self.now()
        for viewer in tuple(self._open):
            viewer.say_goodbye(now, CLOSE_GOING_AWAY, "the server is stopping")
        self._rest()

    def _tick(self) -> None:
        self._look_in_turn(iter(tuple(self._open)), self.now())

    def _look_in_turn(self, turns: Iterator[Viewer], now: float) -> None:
        """One view a turn of the loop: with thousands of calls a second a look takes milliseconds, which no call waits for twice."""
        if (viewer := next(turns, None)) is not None:
            viewer.look(now)
            self._timer = self._loop.call_later(0, partial(self._look_in_turn, turns, now))
        elif self._open and not self._closed:
            self._timer = self._loop.call_later(self._tick_s, self._tick)
        else:
            self._timer = None

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

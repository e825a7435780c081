"""Calls that wait for something to happen instead of asking again: `notebook_status`, `df_changes`, `job_wait`.

Such a call holds no thread. It is asked whether it has something to say each time anything happens, and
at the latest when its time is up it runs and says what there is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from mcp_workbench.primitives.tools import Waiting

logger = logging.getLogger("mcp_workbench")


class _Waiter:
    __slots__ = ("ready", "resume", "timer")

    def __init__(self, ready: Callable[[], bool], resume: Callable[[], None]) -> None:
        self.ready = ready
        self.resume = resume
        self.timer: asyncio.TimerHandle | None = None


class News:
    """Who waits, and for what. The protocol loop's thread only; others post `tell` to it.

    Args:
        loop: The protocol loop, for its timers.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiters: dict[_Waiter, None] = {}
        self._closed = False

    def __len__(self) -> int:
        """Count the calls that wait."""
        return len(self._waiters)

    def wait(self, waiting: Waiting, resume: Callable[[], None]) -> Callable[[], None]:
        """Call `resume` once: when there is news, when time is up, or when the server stops.

        Args:
            waiting: What for, and how long.
            resume: Called on the loop; before this returns only when the server has begun to stop.

        Returns:
            What takes the waiting back; `resume` is not called after it.
        """
        waiter = _Waiter(waiting.ready, resume)
        if self._closed:
            resume()
            return lambda: None
        self._waiters[waiter] = None
        waiter.timer = self._loop.call_later(waiting.at_most_s, self._resume, waiter)

        def leave() -> None:
            self._leave(waiter)

        return leave

    def tell(self) -> None:
        """Something has happened: whoever was waiting for it goes on."""
        for waiter in list(self._waiters):
            try:
                ready = waiter.ready()
            except Exception:  # a named boundary: one that cannot tell must neither wait for ever nor stop the others
                logger.exception("a waiting call could not be asked whether there is news for it; it goes on")
                ready = True
            if ready:
                self._resume(waiter)

    def close(self) -> None:
        """The server stops: all go on now."""
        self._closed = True
        for waiter in list(self._waiters):
            self._resume(waiter)

    def _leave(self, waiter: _Waiter) -> bool:
        if waiter not in self._waiters:
            return False
        del self._waiters[waiter]
        if waiter.timer is not None:
            waiter.timer.cancel()
        return True

    def _resume(self, waiter: _Waiter) -> None:
        if self._leave(waiter):
            waiter.resume()

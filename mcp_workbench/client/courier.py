"""Handing what arrives to a function of the user, in order, without letting it hold up or break the arrival.

One task per courier, alive only while something waits. The queue has a bound: past it the oldest entry
is dropped and counted, because progress and log messages are told, never owed.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from mcp_workbench.tasks import start_task

logger = logging.getLogger("mcp_workbench")


class Courier:
    """Delivers to one function. Loop thread only.

    Args:
        function: Sync or async; what it raises is logged and the next delivery goes on.
        name: What it is called in the log, for instance `on_progress`.
        bound: Deliveries that may wait.
    """

    def __init__(self, function: Callable[..., Any], name: str, bound: int) -> None:
        self._function = function
        self._name = name
        self._waiting: deque[tuple[Any, ...]] = deque(maxlen=bound)
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.dropped = 0
        """Deliveries lost to the bound."""

    def deliver(self, *arguments: Any) -> None:
        """Have the function called with these arguments, after what waits already."""
        if self._closed:
            return
        if len(self._waiting) == self._waiting.maxlen:
            self.dropped += 1
        self._waiting.append(arguments)
        if self._task is None:
            self._task = start_task(self._work(), name=f"mcp-client {self._name}")

    async def finish(self, timeout_s: float) -> None:
        """Wait until nothing waits any more, at most this many seconds."""
        if self._task is not None and timeout_s > 0:
            await asyncio.wait([self._task], timeout=timeout_s)

    def close(self) -> None:
        """Take nothing more; what waits is delivered still."""
        self._closed = True

    def stop(self) -> None:
        """Take nothing more, drop what waits and cancel a delivery under way."""
        self._closed = True
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._call(self._waiting.popleft())
        finally:
            self._task = None

    async def _call(self, arguments: tuple[Any, ...]) -> None:
        try:
            outcome = self._function(*arguments)
            if inspect.isawaitable(outcome):
                await outcome
        except Exception:
            # The user's own function: what it raises must not end the connection, nor the deliveries behind it.
            logger.exception("%s failed", self._name)

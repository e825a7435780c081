"""The one border crossing into an event loop: many threads post, one loop runs.

Waking a loop costs a system call and a fight for the interpreter lock, so postings are batched: they
go to one deque, and only the first one after the loop has looked wakes it. What one thread posts runs
in the order it was posted; the last progress of a tool therefore always comes before its result.
Knows nothing of calls; `threads.py`, `async_tools.py` and `context.py` post through it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVarTuple

logger = logging.getLogger("mcp_workbench")

Ts = TypeVarTuple("Ts")


class Portal:
    """Lets any thread run a function on one loop. `post`, `is_here`: any thread; `close`: the loop's thread."""

    __slots__ = ("_awake", "_closed", "_loop", "_posted")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._posted: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._awake = False
        self._closed = False

    def post(self, function: Callable[[*Ts], object], *args: *Ts) -> bool:
        """Have the loop run `function(*args)` soon; never blocks.

        Returns:
            False when the portal or its loop is closed: then nothing will be run.
        """
        if self._closed:
            return False
        self._posted.append((function, args))
        # Reading False twice costs a second wake-up; reading True means the loop has yet to look.
        if not self._awake:
            self._awake = True
            try:
                # A context of nobody: what is posted belongs to many calls, and the first one's would be everybody's.
                self._loop.call_soon_threadsafe(self._run_posted, context=Context())
            except RuntimeError:  # the loop was closed without a word: late results have no reader
                self.close()
                return False
        return True

    def is_here(self) -> bool:
        """Whether the calling code runs on this portal's loop."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def close(self) -> None:
        """Refuse further postings and forget those not yet run."""
        self._closed = True
        self._posted.clear()

    def _run_posted(self) -> None:
        self._awake = False  # before counting: whatever is appended from here on wakes the loop again
        posted = self._posted
        for _ in range(len(posted)):
            if not posted:  # a posted function closed the portal
                return
            function, args = posted.popleft()
            try:
                function(*args)
            except Exception:  # the others' results must still arrive
                logger.exception("a function posted to the loop failed")

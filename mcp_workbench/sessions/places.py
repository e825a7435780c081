"""How many calls run, are parked and wait, for whoever shares one allowance: one connection, or over HTTP one principal.

There a session costs its client nothing, so that a bound per session would bound nothing. Who waits for a place gets one in
the order of arrival, and then the turn goes round. Knows no calls, only their number and size. Loop thread only.
"""

from __future__ import annotations

from typing import Protocol

from mcp_workbench.limits import Limits


class Waiting(Protocol):
    """A session with calls that wait."""

    def start_next(self) -> bool:
        """Start one of them; False when none can be started now."""


class Places:
    """One allowance.

    Args:
        limits: `running_calls`, `parked_calls`, `backlog_messages` and `backlog_bytes` are used.
        whose: Whose it is, for sentences.
    """

    __slots__ = ("_limits", "_queue", "_starting", "parked", "running", "waiting", "waiting_bytes", "whose")

    def __init__(self, limits: Limits, whose: str = "this connection") -> None:
        self.whose = whose
        self.running = 0
        self.parked = 0
        self.waiting = 0
        self.waiting_bytes = 0
        self._limits = limits
        self._queue: dict[Waiting, None] = {}
        self._starting = False

    @property
    def free(self) -> bool:
        """Whether one more may run."""
        return self.running < self._limits.running_calls

    @property
    def may_park(self) -> bool:
        """Whether one more may be parked."""
        return self.parked < self._limits.parked_calls

    def may_wait(self, size: int) -> bool:
        """Whether one more of so many bytes may wait."""
        return self.waiting < self._limits.backlog_messages and self.waiting_bytes + size <= self._limits.backlog_bytes

    def wait(self, session: Waiting, size: int) -> None:
        """A call of a session waits from now on."""
        self.waiting += 1
        self.waiting_bytes += size
        self._queue.setdefault(session)

    def left(self, size: int) -> None:
        """A call that waited does so no longer."""
        self.waiting -= 1
        self.waiting_bytes -= size

    def forget(self, session: Waiting) -> None:
        """Nothing of a session waits any more."""
        self._queue.pop(session, None)

    def start_waiting(self) -> None:
        """Start what waits; a loop, not a recursion: inline calls end while they start."""
        if self._starting:
            return
        self._starting = True
        try:
            while self._start_round():
                pass
        finally:
            self._starting = False

    def _start_round(self) -> bool:
        """Start one call of each session that waits, as far as there are places; says whether any was started."""
        started = False
        for session in tuple(self._queue):
            if not self.free:
                return False
            if session.start_next():
                started = True
                if session in self._queue:  # further ones of it wait behind those of the others
                    del self._queue[session]
                    self._queue[session] = None
        return started

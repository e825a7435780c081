"""Turning many changes into few notifications: leading edge at once, then one per interval, always the latest.

A subscriber needs a level trigger ("it changed, read again"), not every step. This module decides which
change is announced when; it knows no clock, no thread and no client. Whoever owns the timer (a session's
driver) passes monotonic seconds in, asks `next_due()` when to come back, and sends what `due()` gives.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
P = TypeVar("P")


@dataclass(slots=True)
class _Waiting(Generic[P]):
    open_at: float
    """From this moment on the key may be announced again."""
    payload: P | None = None
    pending: bool = False


class Coalescer(Generic[K, P]):
    """Announces each key at most once per interval, and never loses the last change.

    Not thread-safe: one owner calls it. Cancelling around a call is safe, nothing is awaited.

    Args:
        interval_s: Least seconds between two announcements of one key; default 0.25.
    """

    def __init__(self, interval_s: float = 0.25) -> None:
        self.interval_s = interval_s
        self._keys: dict[K, _Waiting[P]] = {}

    def changed(self, key: K, payload: P, now: float) -> bool:
        """Tell that `key` changed.

        Args:
            key: What changed, for instance `(session, uri)`.
            payload: What to announce; replaces a payload still waiting.
            now: Monotonic seconds.

        Returns:
            True: announce `payload` now. False: `due()` will hand out the latest payload later.
        """
        waiting = self._keys.get(key)
        if waiting is None or (now >= waiting.open_at and not waiting.pending):
            self._keys[key] = _Waiting(now + self.interval_s)
            return True
        waiting.payload, waiting.pending = payload, True
        return False

    def due(self, now: float) -> list[P]:
        """Hand out what may be announced by now; the caller announces all of it.

        Args:
            now: Monotonic seconds.

        Returns:
            The latest payload of each key whose interval has passed, oldest key first.
        """
        ready: list[P] = []
        for key, waiting in [item for item in self._keys.items() if item[1].open_at <= now]:
            if waiting.pending:
                ready.append(waiting.payload)  # type: ignore[arg-type]  # pending means a payload was set, which may be None itself
                self._keys[key] = _Waiting(now + self.interval_s)
            else:
                del self._keys[key]
        return ready

    def next_due(self) -> float | None:
        """Tell when `due()` will have something: monotonic seconds, or None when nothing waits.

        `due(next_due())` always hands out something, so a timer set to it never spins.
        """
        return min((waiting.open_at for waiting in self._keys.values() if waiting.pending), default=None)

    def forget(self, key: K) -> None:
        """Drop a key and what waits for it, for instance when the last subscriber left."""
        self._keys.pop(key, None)

    def __len__(self) -> int:
        """Count the keys remembered: those announced less than one interval ago, and those waiting."""
        return len(self._keys)

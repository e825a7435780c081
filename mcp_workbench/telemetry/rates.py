"""How often something happens: counts by the second, of the last ten seconds only.

Knows nothing of calls; when something happened and what time it is, is said by whoever asks.
"""

from __future__ import annotations

WINDOW_S = 10


class Rate:
    """Counts by the second. One thread adds at a time; any thread may read.

    A clock that is set back does no harm: what was counted last is kept, whatever second it calls itself.
    """

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, at: float) -> None:
        """It happened.

        Args:
            at: Seconds since 1970.
        """
        counts, second = self._counts, int(at)
        if second in counts:
            counts[second] += 1
            return
        counts[second] = 1
        if len(counts) > WINDOW_S + 1:
            del counts[next(iter(counts))]

    def per_s(self, now: float) -> float:
        """How often a second, over the ten seconds before `now`.

        The window begins within a second: of what happened in that one, the share counts that its part in the window has.
        So a steady rate reads as it is, whenever one looks.
        """
        second = int(now)
        counts = [self._counts.get(second - ago, 0) for ago in range(WINDOW_S + 1)]
        return round((sum(counts) - (now - second) * counts[-1]) / WINDOW_S, 2)

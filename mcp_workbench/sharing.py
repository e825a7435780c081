"""One bound for all principals, of which none can take everything: `Shares`.

A principal gets a further place only while it holds fewer than are left. One alone gets half of them, two get a third
each, and whoever comes next finds some free, however much the others ask for. Counts only; knows neither what is
counted nor whose sentences say so. One thread at a time.
"""

from __future__ import annotations


class Shares:
    """The places of one bound.

    Args:
        limit: How many there are.
    """

    __slots__ = ("_held", "_limit", "total")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[str | None, int] = {}
        self.total = 0
        """Places that are taken."""

    def may_take(self, holder: str | None) -> bool:
        """Whether one more may be taken; what belongs to nobody has no share to keep to."""
        left = self._limit - self.total
        return left > 0 if holder is None else left > self._held.get(holder, 0)

    @property
    def full(self) -> bool:
        """Whether nobody can take one more."""
        return self.total >= self._limit

    def held(self, holder: str | None) -> int:
        """How many somebody has taken."""
        return self._held.get(holder, 0)

    def taken(self, holder: str | None, what: str) -> str:
        """How many are taken, for the sentence that refuses one more.

        Args:
            holder: Who is refused.
            what: Of which; a plural.
        """
        return f"{self.total} {what}" if self.full else f"{self.held(holder)} {what} of this client"

    def take(self, holder: str | None) -> None:
        """Count one more."""
        self._held[holder] = self._held.get(holder, 0) + 1
        self.total += 1

    def give_back(self, holder: str | None) -> None:
        """Count one less; `holder` as it was taken."""
        left = self._held[holder] - 1
        if left:
            self._held[holder] = left
        else:
            del self._held[holder]
        self.total -= 1

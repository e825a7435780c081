"""What a view is still to be told of records that a filter may choose among: how far it has been told, and by which filter.

A view that looks again is told the latest first of all, as one that begins; one that filters anew, everything anew (`pace`). Knows
filters by their texts only; what one means is said where it is made (`filtering`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from mcp_workbench.views.feeds.pace import Pace, Piece
from mcp_workbench.views.filtering import text_for
from mcp_workbench.views.messages import Watch

T = TypeVar("T")
Matches = Callable[[T], bool]


class Following(Generic[T]):
    """One panel of one view.

    Args:
        panel: As `Watch.panels` names it.
        pace: How far the view has been told.
        matcher: The text of a filter -> what says whether a record is wanted; None: all are.
    """

    def __init__(self, panel: str, pace: Pace, matcher: Callable[[str], Matches[T] | None]) -> None:
        self._panel, self._pace, self._matcher = panel, pace, matcher
        self._watched = False
        self.filter = ""
        """Its text; empty: none."""
        self._matches = matcher("")

    def watch(self, wanted: Watch, total: int) -> bool:
        """What is to be seen has changed.

        Args:
            wanted: As the view says it.
            total: Number of the latest record.

        Returns:
            Whether the view filters anew, and is told everything from the beginning.
        """
        watched, text = self._panel in wanted.panels, text_for(self._panel, wanted)
        anew = watched and text != self.filter
        if anew:
            self.filter, self._matches = text, self._matcher(text)
            self._pace.restart(total)
        elif watched and not self._watched:
            self._pace.begin(total)
        self._watched = watched
        return anew

    def next(self, total: int) -> Piece | None:
        """What is to be told now; None: nothing is new. Args as `Pace.next`."""
        return self._pace.next(total)

    def wants(self, record: T) -> bool:
        """Whether the filter lets a record through."""
        return self._matches is None or self._matches(record)

    def chosen(self, piece: Piece, found: list[T]) -> tuple[list[T], int]:
        """Those of a piece that are wanted, and how many the view is not told that may be."""
        if self._matches is None:
            return found, piece.passed_over + piece.until - piece.after - len(found)
        return list(filter(self._matches, found)), piece.passed_over


def since(piece: Piece) -> int:
    """Number of the first that a view is told which begins; 0: from the first of all on, or it has begun before."""
    return piece.after + 1 if piece.is_first and piece.after else 0

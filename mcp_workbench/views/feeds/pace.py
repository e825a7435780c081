"""How far a view has been told of what is numbered as it happens: calls, messages.

A view that begins, or that looks again after a while, is first told the latest, in pieces, while others go on happening: it
catches up with them within a second. From then on each look tells what has happened since. Numbers alone; what is told of
them, and which are left out where they are too many, is the feed's business.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """What is told now: what comes after `after`, up to and including `until`."""

    after: int
    until: int
    passed_over: int
    """How many before it are never told: the view did not look while they happened."""
    is_first: bool
    """Whether the view was told nothing before."""


class Pace:
    """Of one view.

    Args:
        history: How many of those that had happened are told to a view that begins.
        at_once: How many of them in one piece.
    """

    def __init__(self, history: int, at_once: int) -> None:
        self._most, self._at_once = history, at_once
        self._told: int | None = None
        """Number of the last that was told, or left out."""
        self._history = 0
        """Number of the last that had happened when the view began to look."""

    def begin(self, total: int) -> None:
        """The view looks from now on."""
        self._history = total

    def restart(self, total: int) -> None:
        """The view wants others: it is told from the beginning."""
        self._told, self._history = None, total

    def next(self, total: int) -> Piece | None:
        """What is to be told now, which counts as told; None: nothing is new.

        Args:
            total: Number of the latest that has happened.
        """
        told = self._told
        if told == total:
            return None
        after = max(told or 0, self._history - self._most)
        is_history = after < self._history
        self._told = min(after + self._at_once, total) if is_history else total
        return Piece(after, self._told, 0 if told is None else after - told, told is None)

"""Attributes of other people's objects that are ours for a while, and are put back.

The few places where this house reaches into Python, IPython or matplotlib go through here, so that each is undone,
and so that nothing is undone that somebody else has set meanwhile: what no longer is ours is left as it is. Knows
nothing of what is replaced or why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_NOTHING = object()


class Patches:
    """What was replaced, in order. One thread at a time."""

    __slots__ = ("_undo",)

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, ours: Any) -> None:
        """Set an attribute until `restore`.

        Args:
            owner: An object, class or module with a `__dict__`.
            name: The attribute; where the owner has none of its own, `restore` deletes ours.
            ours: The new value.

        Raises:
            AttributeError: The owner does not take it; TypeError for classes written in C. Nothing is changed then.
        """
        before = vars(owner).get(name, _NOTHING)
        setattr(owner, name, ours)

        def undo() -> None:
            if vars(owner).get(name, _NOTHING) is not ours:
                return
            if before is _NOTHING:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

        self._undo.append(undo)

    def on_restore(self, undo: Callable[[], None]) -> None:
        """Have something else undone, in its turn."""
        self._undo.append(undo)

    def restore(self) -> None:
        """Put everything back, the last first."""
        while self._undo:
            self._undo.pop()()

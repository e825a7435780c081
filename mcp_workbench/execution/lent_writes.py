"""The `write` of a stream, lent: who writes is asked first whether the text goes elsewhere.

The stream itself stays in place, because handlers and libraries keep a stream for good. Setting `stream.write` alone
would not last: IPython does the same for the length of every cell, puts back what it found, and would write a call's
text into the history of the cell on top of it. So where its class allows it, `write` becomes a descriptor of the class
that ours is read from, whatever is set on the stream below it; streams written in C only take the plain way.
Knows nothing of calls.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from mcp_workbench.patches import Patches

Write = Callable[[str], Any]
Instead = Callable[[], Write | None]
"""What the code that asks writes with; None: with what it always did."""


class LentWrite:
    """What `stream.write` is meanwhile; kept by somebody for longer, it goes on asking."""

    __slots__ = ("_instead", "beneath")

    def __init__(self, beneath: Write, instead: Instead) -> None:
        self.beneath: Write = beneath.beneath if type(beneath) is LentWrite else beneath
        """What it is without us."""
        self._instead = instead

    def __call__(self, text: str, /) -> Any:
        """Write, there or here."""
        return (self._instead() or self.beneath)(text)


class _Lent:
    """What is handed out for one stream: made anew when somebody has set another `write`, which is not often."""

    __slots__ = ("instead", "own", "write")

    def __init__(self, instead: Instead, write: LentWrite) -> None:
        self.instead = instead
        self.write = write
        self.own: Any = None
        """What was set on the stream when that was made; None: nothing."""


class _WriteOfClass:
    """`write` of a class of streams, of which some are lent."""

    def __init__(self, kind: type[Any], function: Any) -> None:
        self._kind = kind
        self._function = function
        self._own = vars(kind).get("write")
        self._lent: dict[int, _Lent] = {}

    def lend(self, stream: Any, instead: Instead) -> bool:
        """Lend one; False: it is lent already."""
        if id(stream) in self._lent:
            return False
        self._lent[id(stream)] = _Lent(instead, LentWrite(self._function.__get__(stream, self._kind), instead))
        return True

    def give_back(self, stream: object) -> None:
        """One is not lent any more; after the last one the class is as it was."""
        self._lent.pop(id(stream), None)
        if self._lent or vars(self._kind).get("write") is not self:
            return
        if self._own is None:
            del self._kind.write
        else:
            self._kind.write = self._own

    def __get__(self, stream: Any, kind: type[Any] | None = None) -> Any:
        if stream is None:
            return self._function
        own = stream.__dict__.get("write")
        lent = self._lent.get(id(stream))
        if lent is not None and lent.own is own:
            return lent.write
        beneath = self._function.__get__(stream, self._kind) if own is None else own
        if lent is None:
            return beneath
        lent.write = made = LentWrite(beneath, lent.instead)
        lent.own = own  # last, as other threads compare it
        return made

    def __set__(self, stream: Any, write: Any) -> None:
        stream.__dict__["write"] = write.beneath if type(write) is LentWrite else write

    def __delete__(self, stream: Any) -> None:
        if stream.__dict__.pop("write", None) is None:
            raise AttributeError("write")


def lend_write(patches: Patches, stream: Any, instead: Instead) -> bool:
    """Lend the `write` of a stream; one that is lent already stays as it is.

    Args:
        patches: Take it back.
        stream: Anything with a `write`.
        instead: Asked at each writing.

    Returns:
        Whether it stays lent when somebody sets another `write`.

    Raises:
        AttributeError: The stream does not take it, or cannot be written to; TypeError likewise.
    """
    of_class = _of_class(type(stream)) if hasattr(stream, "__dict__") else None
    if of_class is None:
        if not is_lent(stream):
            patches.replace(stream, "write", LentWrite(stream.write, instead))
        return False
    if of_class.lend(stream, instead):
        patches.on_restore(partial(of_class.give_back, stream))
    return True


def is_lent(stream: Any) -> bool:
    """Whether what is written to it is asked about first."""
    return type(getattr(stream, "write", None)) is LentWrite


def _of_class(kind: type[Any]) -> _WriteOfClass | None:
    function = inspect.getattr_static(kind, "write", None)
    if isinstance(function, _WriteOfClass):
        return function
    if not hasattr(function, "__get__") or hasattr(function, "__set__"):
        return None
    of_class = _WriteOfClass(kind, function)
    try:
        kind.write = of_class
    except TypeError:  # written in C
        return None
    return of_class

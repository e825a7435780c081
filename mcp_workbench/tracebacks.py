"""Tracebacks that a call has shown go to its record: `sys.excepthook` and IPython's `showtraceback`, called by its code.

Without a cell of its own, what they show would appear in whichever cell ran last, IPython's even as the failure of
that cell. IPython puts a hook of its own in place for the time of each cell and puts back what it found: so the hook
is lent anew after each cell, and a stop within a cell is completed after it. IPython is not imported.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from mcp_workbench.patches import Patches

SinkHere = Callable[[], Callable[[str], None] | None]
"""Where a traceback goes that the code that asks has shown; None: where it always went."""


def route_tracebacks(patches: Patches, sink_here: SinkHere) -> None:
    """Begin.

    Args:
        patches: Take it back.
        sink_here: Asked at each traceback.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    hook = _LentHook(sink_here, shell)
    hook.begin()
    patches.on_restore(hook.end)
    if shell is not None:
        # All its ways of showing end here; on the shell itself, for the kernel's start has set a method there.
        patches.replace(shell, "_showtraceback", _shown_apart(shell._showtraceback, sink_here))  # noqa: SLF001  # no public way


class _LentHook:
    """`sys.excepthook` of this process. Main thread, but for what is shown."""

    def __init__(self, sink_here: SinkHere, shell: Any) -> None:
        self._sink_here = sink_here
        self._shell = shell
        self._before = sys.excepthook
        self._ended = False

    def begin(self) -> None:
        self._lend()
        if self._shell is not None:
            self._shell.events.register("post_run_cell", self._after_cell)

    def end(self) -> None:
        self._ended = True
        if sys.excepthook == self._show:
            sys.excepthook = self._before
            self._unregister()
        # else a cell runs, which will put ours back; or somebody else's hook stays, and ours behind it shows as ever

    def _after_cell(self, result: object = None) -> None:  # IPython gives it
        if self._ended:
            if sys.excepthook == self._show:
                sys.excepthook = self._before
            self._unregister()
        else:
            self._lend()

    def _lend(self) -> None:
        if sys.excepthook != self._show:
            self._before, sys.excepthook = sys.excepthook, self._show

    def _unregister(self) -> None:
        if self._shell is not None:
            self._shell.events.unregister("post_run_cell", self._after_cell)

    def _show(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sink = self._sink_here()
        if sink is None:
            self._before(kind, error, trace)
        else:
            sink("".join(traceback.format_exception(kind, error, trace)))


def _shown_apart(show: Callable[..., None], sink_here: SinkHere) -> Callable[..., None]:
    def show_apart(kind: Any, error: Any, lines: list[str]) -> None:
        sink = sink_here()
        if sink is None:
            show(kind, error, lines)
        elif isinstance(error, BaseException):
            sink("".join(traceback.format_exception(error)))  # IPython's lines are coloured
        else:
            sink("".join(f"{line}\n" for line in lines))

    return show_apart

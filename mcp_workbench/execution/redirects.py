"""`contextlib.redirect_stdout` and `redirect_stderr` beside cells: a call redirects what it prints itself, and nothing else.

They exchange `sys.stdout` for the whole process. In a thread beside a cell this would take the cell's output, and
when both redirect at the same time the one that ends last could put the other's buffer back for good. So in a call
they leave `sys.stdout` alone and are remembered with the code at hand (`redirected`), where `output.py` finds them
before it takes what is written. In a cell they do what they always did, and who follows the streams is told.

What exchanges `sys.stdout` in another way (an assignment, IPython's `capture_output`) is not seen here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Literal, NamedTuple

from mcp_workbench.execution.calls import current_call
from mcp_workbench.patches import Patches

StreamName = Literal["stdout", "stderr"]


class Redirection(NamedTuple):
    """Where a stream goes for the code at hand."""

    target: Any
    """Whatever has a `write`; None: nowhere, as `print` has it where there is no stream."""
    outer: Redirection | None
    """Where it went before; what the target itself writes goes there."""


redirected: dict[StreamName, ContextVar[Redirection | None]] = {
    "stdout": ContextVar("mcp_workbench_stdout", default=None),
    "stderr": ContextVar("mcp_workbench_stderr", default=None),
}
"""None: to the call's record."""


def route_redirects(patches: Patches, on_exchange: Callable[[], None]) -> None:
    """Begin.

    Args:
        patches: Take it back.
        on_exchange: A cell has put another stream in place of the process's.
    """
    streams: tuple[tuple[type[Any], StreamName], ...] = ((contextlib.redirect_stdout, "stdout"), (contextlib.redirect_stderr, "stderr"))
    for kind, name in streams:
        patches.replace(kind, "__enter__", _entered_apart(kind.__enter__, name, on_exchange))
        patches.replace(kind, "__exit__", _left_apart(kind.__exit__, name))


def write_redirected(redirection: Redirection, name: StreamName, text: str) -> Any:
    """Write to where a call has redirected its stream; gives what the target gives."""
    if redirection.target is None:
        return len(text)
    here = redirected[name]
    token = here.set(redirection.outer)
    try:
        return redirection.target.write(text)
    finally:
        here.reset(token)


def _entered_apart(enter: Callable[[Any], Any], name: StreamName, on_exchange: Callable[[], None]) -> Callable[[Any], Any]:
    here = redirected[name]

    def enter_apart(self: Any) -> Any:
        if current_call.get() is None:
            target = enter(self)
            on_exchange()
            return target
        target = self._new_target  # where the standard library keeps it, 3.11 to 3.14
        here.set(Redirection(target, here.get()))
        return target

    return enter_apart


def _left_apart(leave: Callable[..., Any], name: StreamName) -> Callable[..., Any]:
    here = redirected[name]

    def leave_apart(self: Any, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> Any:
        if current_call.get() is None:
            return leave(self, kind, error, trace)
        redirection = here.get()
        if redirection is not None and redirection.target is self._new_target:
            here.set(redirection.outer)
        return None

    return leave_apart

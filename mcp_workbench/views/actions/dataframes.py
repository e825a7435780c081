"""What a view asks of a DataFrame: its first rows (`GetPreview`), and to look at it again now (`Touch`).

Both are pandas' work, so neither runs on the protocol loop; `Execution` carries them elsewhere and brings the answer back.
A preview reads a snapshot, which nobody writes to: a thread kept for quick calls takes it. A touch reads what the
author's cells write to. In the notebook whoever calls `wb.touch` vouches that nobody does so meanwhile; a click cannot know. So it
runs on the main thread when no cell is at work, where whatever follows cells looks as well, and waits for the cell that is.

One object for all views of a server: those that touch the same DataFrame while it waits get one version, and one place in the line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.execution.calls import Busy, Call, Cancelled, Outcome, Returned, RunOn, TimedOut
from mcp_workbench.execution.runner import Execution
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.primitives.wording import type_name
from mcp_workbench.views.actions.preview import preview
from mcp_workbench.views.messages import Done, GetPreview, Message, Touch

logger = logging.getLogger("mcp_workbench")

PATIENCE_S = 10.0
"""How long a preview may take: cells of somebody's own making may do anything when they are read."""

Reply = Callable[[Message], None]
"""Sends one message to the view that asked; on the protocol loop, and must not raise."""


@dataclass(slots=True, eq=False)
class _Touching:
    """A touch that waits or runs, and who will be told."""

    call: Call
    replies: list[tuple[int, Reply]] = field(default_factory=list)


class DataFrameActions:
    """Answers `GetPreview` and `Touch`. Made and called on the protocol loop.

    Args:
        dataframes: What is published.
        execution: Where the work is done.
    """

    def __init__(self, dataframes: DataFrames, execution: Execution) -> None:
        self._dataframes = dataframes
        self._execution = execution
        self._touching: dict[str, _Touching] = {}

    def answer(self, message: GetPreview | Touch, reply: Reply) -> None:
        """Do what is asked.

        Args:
            message: The request.
            reply: Called once, on the protocol loop: with the answer, or with a `Done` that says why there is none. It may be
                called before this returns, and long after the view has gone.
        """
        if isinstance(message, Touch):
            self._touch(message, reply)
        else:
            self._preview(message, reply)

    def _preview(self, message: GetPreview, reply: Reply) -> None:
        call = self._new_call("preview", "thread", partial(self._previewed, message), timeout_s=PATIENCE_S)
        what = f"the preview of {message.name}"
        self._execution.start(call, lambda _call, outcome: reply(_answer(message.id, what, outcome)))

    def _touch(self, message: Touch, reply: Reply) -> None:
        touching = self._touching.get(message.name)
        if touching is not None and not touching.call.started_ns:  # one that has begun may not see what this one is to see
            touching.replies.append((message.id, reply))
            return
        where: RunOn = "main" if message.name in self._dataframes.names() else "thread"  # that there is none can be said at once
        call = self._new_call("touch", where, partial(touch, self._dataframes, message.name))
        self._touching[message.name] = touching = _Touching(call, [(message.id, reply)])
        self._execution.start(call, lambda _call, outcome: self._touched(message.name, touching, outcome))

    def _touched(self, name: str, touching: _Touching, outcome: Outcome) -> None:
        if self._touching.get(name) is touching:
            del self._touching[name]
        for re, reply in touching.replies:
            reply(_answer(re, f"the touch of {name}", outcome))

    def _new_call(self, name: str, run_on: RunOn, work: Callable[[], object], timeout_s: float | None = None) -> Call:
        call = self._execution.new_call(name, run_on, quick=True, timeout_s=timeout_s)
        call.work = partial(_or_why_not, work)
        return call

    def _previewed(self, message: GetPreview) -> Message:
        return preview(self._dataframes.snapshot(message.name), message.id)


def touch(dataframes: DataFrames, name: str) -> str:
    """Make a new version of a DataFrame, as `wb.touch`; on the main thread, while no cell is at work.

    Args:
        dataframes: What is published.
        name: Its name.

    Returns:
        The new version and what changed: `flights v18: 1,000 rows appended`.

    Raises:
        WorkbenchError: Nothing of that name, what it followed is gone, or cannot be read.
    """
    change = dataframes.touch(name)
    return f"{change.name} v{change.version}: {change.summary}"


@dataclass(frozen=True, slots=True)
class _WhyNot:
    sentence: str


def _or_why_not(work: Callable[[], object]) -> object:
    """Errors become sentences where the work is done: an exception of the author's own may do anything when it is read."""
    try:
        return work()
    except WorkbenchError as error:
        return _WhyNot(str(error))
    except Exception as error:  # the boundary to other people's DataFrame subclasses and cells
        logger.exception("what a view asked for could not be done")
        return _WhyNot(f"It could not be done: {type_name(type(error))}; the notebook's log holds the traceback.")


def _answer(re: int, what: str, outcome: Outcome) -> Message:
    if not isinstance(outcome, Returned):
        return Done(re=re, ok=False, sentence=_why(what, outcome))
    value = outcome.value
    if isinstance(value, _WhyNot):
        return Done(re=re, ok=False, sentence=value.sentence)
    return value if isinstance(value, Message) else Done(re=re, ok=True, sentence=str(value))


def _why(what: str, outcome: Outcome) -> str:
    match outcome:
        case Busy(sentence):
            return sentence
        case TimedOut(seconds):
            return f"{what} took longer than {seconds:g} s and was given up; try again when the kernel is less busy"
        case Cancelled(reason):
            return f"{what} was given up: {reason}"
        case _:
            return f"{what} was interrupted; ask again"

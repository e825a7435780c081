"""Calls that wait for a tool thread: one line for each session, and the turn goes round.

The first in the line of the session whose turn it is goes next, so that who sends many calls waits behind them
itself. Whether a session may have a further thread is for `threads.py` to say. Pure; the protocol loop's thread only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from mcp_workbench.execution.calls import Call, Outcome

Step = Callable[[Call], Outcome]
"""What a thread does for a call; it never raises."""
Job = tuple[Call, Step]


class Lines:
    """Calls in line, by whose they are (`Call.owner`)."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str | None, OrderedDict[str, Job]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        """Calls in all lines."""
        return self._count

    def join(self, job: Job, *, in_front: bool = False) -> None:
        """Let a call wait at the end of its owner's line; in front when it had left it already."""
        call = job[0]
        line = self._lines.get(call.owner)
        if line is None:
            line = self._lines[call.owner] = OrderedDict()
        line[call.id] = job
        self._count += 1
        if in_front:
            line.move_to_end(call.id, last=False)
            self._lines.move_to_end(call.owner, last=False)

    def leave(self, call: Call) -> bool:
        """Take a call out of line; whether it was there."""
        line = self._lines.get(call.owner)
        if line is None or line.pop(call.id, None) is None:
            return False
        self._count -= 1
        if not line:
            del self._lines[call.owner]
        return True

    def next(self, may: Callable[[str | None], bool] = lambda _owner: True) -> Job | None:
        """Take the next call out of line.

        Args:
            may: Whether a call of this owner can have its turn now.

        Returns:
            The oldest call of the owner whose turn it is; None when none may.
        """
        for owner, line in self._lines.items():
            if may(owner):
                _, job = line.popitem(last=False)
                self._count -= 1
                if line:
                    self._lines.move_to_end(owner)
                else:
                    del self._lines[owner]
                return job
        return None

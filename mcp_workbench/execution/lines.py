"""Calls that wait for a tool thread: one line for each session, and the turn goes round.

The first in the line of the session whose turn it is goes next, so that who sends many calls waits behind them
itself. How many may wait is one bound for all principals. Whether a session may have a further thread is for `threads.py` to say.
Pure; the protocol loop's thread only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from mcp_workbench.execution.calls import Call, Outcome
from mcp_workbench.sharing import Shares

Step = Callable[[Call], Outcome]
"""What a thread does for a call; it never raises."""
Job = tuple[Call, Step]


class Lines:
    """Calls in line, by whose they are (`Call.owner`).

    Args:
        limit: How many may wait.
    """

    def __init__(self, limit: int) -> None:
        self._shares = Shares(limit)
        self._lines: OrderedDict[str | None, OrderedDict[str, Job]] = OrderedDict()

    def __len__(self) -> int:
        """Calls in all lines."""
        return self._shares.total

    def may_join(self, call: Call) -> bool:
        """Whether one more of this call's principal may wait."""
        return self._shares.may_take(call.holder)

    def join(self, job: Job, *, in_front: bool = False) -> None:
        """Let a call wait at the end of its owner's line; in front when it had left it already."""
        call = job[0]
        line = self._lines.get(call.owner)
        if line is None:
            line = self._lines[call.owner] = OrderedDict()
        line[call.id] = job
        self._shares.take(call.holder)
        if in_front:
            line.move_to_end(call.id, last=False)
            self._lines.move_to_end(call.owner, last=False)

    def leave(self, call: Call) -> bool:
        """Take a call out of line; whether it was there."""
        line = self._lines.get(call.owner)
        if line is None or line.pop(call.id, None) is None:
            return False
        self._shares.give_back(call.holder)
        if not line:
            del self._lines[call.owner]
        return True

    def next(self, may: Callable[[Call], bool] = lambda _call: True) -> Job | None:
        """Take the next call out of line.

        Args:
            may: Whether this call, the oldest of its owner, can have its turn now.

        Returns:
            The oldest call of the owner whose turn it is; None when none may.
        """
        for owner, line in self._lines.items():
            job = next(iter(line.values()))
            call = job[0]
            if may(call):
                del line[call.id]
                self._shares.give_back(call.holder)
                if line:
                    self._lines.move_to_end(owner)
                else:
                    del self._lines[owner]
                return job
        return None

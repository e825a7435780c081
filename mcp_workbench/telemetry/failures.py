"""The latest calls that failed, with what they were called with, so that their author can look and try again.

A record of a call that went well holds no arguments. A failed one is given them as JSON text by whoever
answered it, and loses them here when newer failures have pushed it out: that bounds what they take.
"""

from __future__ import annotations

from collections import deque

from mcp_workbench.telemetry.records import CallRecord, Outcome

KEPT = 20
"""Failed calls that keep their arguments."""

_FAILURES = frozenset((Outcome.TOOL_ERROR, Outcome.RPC_ERROR, Outcome.TIMEOUT, Outcome.REJECTED))
_METHODS = frozenset(("tools/call", "resources/read", "prompts/get", "completion/complete", "job"))
"""The last is the record of a call that went on as a job (`telemetry.JOB`)."""


class Failures:
    """Remembers the latest of the failed calls it is shown. One thread at a time adds; any thread may read."""

    def __init__(self, kept: int = KEPT) -> None:
        self.total = 0
        """Failed calls ever added."""
        self._latest: deque[CallRecord] = deque()
        self._kept = kept

    def add(self, call: CallRecord) -> None:
        """Remember a call that ended, if it failed in what the notebook's author wrote or offered.

        A client that took its request back, vanished, or asked for an unknown method is nothing the author can mend.
        """
        if call.outcome not in _FAILURES or call.method not in _METHODS:
            call.arguments = None
            return
        self._latest.append(call)
        if len(self._latest) > self._kept:
            self._latest.popleft().arguments = None
        self.total += 1

    def latest(self) -> list[CallRecord]:
        """The failed calls that are remembered, newest first."""
        return list(self._latest.copy())[::-1]

"""The latest calls that failed, with what they were called with, so that their author can look and try again.

Two kinds, kept apart, so that an agent's typos do not bury a fault of the author's: failures of what the author wrote (it
raised, took too long, or gave what cannot be sent), and mistakes of callers (arguments that do not fit, names that are not
there, calls that found no room).

A record of a call that went well holds no arguments. A failed one is given them as JSON text by whoever
answered it, and loses them here when newer ones of its kind have pushed it out: that bounds what they take.
"""

from __future__ import annotations

from collections import deque

from mcp_workbench.telemetry.records import CallRecord, Outcome

KEPT = 20
"""Failed calls of each kind that keep their arguments."""

_FAILURES = frozenset((Outcome.TOOL_ERROR, Outcome.RPC_ERROR, Outcome.TIMEOUT, Outcome.REJECTED))
_METHODS = frozenset(("tools/call", "resources/read", "prompts/get", "completion/complete", "job"))
"""The last is the record of a call that went on as a job (`telemetry.JOB`)."""


class Latest:
    """The latest of some calls. One thread at a time adds; any thread may read."""

    def __init__(self, kept: int = KEPT) -> None:
        self.total = 0
        """Calls ever added."""
        self._latest: deque[CallRecord] = deque()
        self._kept = kept

    def add(self, call: CallRecord) -> None:
        """Remember one more."""
        self._latest.append(call)
        if len(self._latest) > self._kept:
            self._latest.popleft().arguments = None
        self.total += 1

    def calls(self) -> list[CallRecord]:
        """Those that are remembered, newest first."""
        return list(self._latest.copy())[::-1]


class Failures:
    """Remembers the latest of the failed calls it is shown. One thread at a time adds; any thread may read."""

    def __init__(self) -> None:
        self.of_author = Latest()
        self.of_callers = Latest()
        self._unnamed = 0

    def add(self, call: CallRecord) -> None:
        """Remember a call that ended, if it failed in what the notebook's author wrote or offered.

        A client that took its request back, vanished, or asked for an unknown method is nothing the author can mend. One that
        failed before anything ran has no id yet, and gets one by which people can ask for it.
        """
        if call.outcome not in _FAILURES or call.method not in _METHODS:
            call.arguments = None
            return
        if not call.call_id:
            self._unnamed += 1
            call.call_id = f"x{self._unnamed}"
        (self.of_author if call.is_authors else self.of_callers).add(call)

"""Tools that run on the protocol loop itself: the fastest way, and the only user code that can stop everything.

So each is watched. Three calls in a row that took more than 5 ms, and the tool is *demoted*: from then on
it runs in a thread. What counts is processor time of this thread, because a wall clock would also blame
a tool for a cell that held the interpreter lock. Reading that clock costs about 0.8 µs, so a tool is
metered only once it has looked slow on the wall clock, which the call's own stamps give for nothing:
wall time is never less than processor time, so no slow call escapes. The call that raised the suspicion
is the first of the three; the other two must have been slow by the processor's clock.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from contextvars import copy_context

from mcp_workbench.execution.calls import Call, CallState, Clock, Outcome, run_work

SLOW_NS = 5_000_000
"""Longest time a call may hold the protocol loop: one switch interval of CPython."""
SLOW_CALLS = 3
"""Slow calls in a row after which a tool no longer runs inline."""


class _Watched:
    """What is remembered of one tool; a redefined function starts anew."""

    __slots__ = ("demoted", "function", "slow_calls")

    def __init__(self, function: object) -> None:
        self.function = _reference(function)
        self.slow_calls = 0
        self.demoted = False


class InlineTools:
    """Runs calls on the protocol loop and watches what they cost. The protocol loop's thread only."""

    def __init__(self, on_demoted: Callable[[str, str], None], *, clock_ns: Clock, cpu_ns: Clock = time.thread_time_ns) -> None:
        self._on_demoted = on_demoted
        self._clock_ns = clock_ns
        self._cpu_ns = cpu_ns
        self._watched: dict[str, _Watched] = {}
        self.demotions = 0
        """Tools demoted so far."""

    def demoted(self, call: Call) -> bool:
        """Whether this call must run in a thread."""
        watched = self._watched.get(call.name)
        return watched is not None and watched.demoted and watched.function() is call.function

    def run(self, call: Call) -> Outcome:
        """Run and render the call now, in a fresh context."""
        call.state = CallState.RUNNING
        function = call.function
        watched = self._watched.get(call.name)
        if watched is not None and watched.slow_calls and watched.function() is function:
            return self._run_metered(call, watched)
        outcome = copy_context().run(run_work, call, self._clock_ns)
        if self._clock_ns() - call.started_ns > SLOW_NS:
            self._watched[call.name] = watched = _Watched(function)
            watched.slow_calls = 1
        return outcome

    def _run_metered(self, call: Call, watched: _Watched) -> Outcome:
        before_ns = self._cpu_ns()
        outcome = copy_context().run(run_work, call, self._clock_ns)
        if self._cpu_ns() - before_ns <= SLOW_NS:
            watched.slow_calls = 0
            return outcome
        watched.slow_calls += 1
        if watched.slow_calls >= SLOW_CALLS and not watched.demoted:
            self._demote(call, watched)
        return outcome

    def _demote(self, call: Call, watched: _Watched) -> None:
        watched.demoted = True
        self.demotions += 1
        self._on_demoted(
            call.name,
            f"the inline tool {call.name!r} held the server for more than {SLOW_NS // 1_000_000} ms in {SLOW_CALLS} calls in a row; "
            'from now on it runs in a thread. Remove run_on="inline" from it, or make it faster and define it again.',
        )


def _reference(function: object) -> Callable[[], object]:
    """A weak reference where the object allows one, so a removed tool's function is not kept alive here."""
    try:
        return weakref.ref(function)
    except TypeError:
        return lambda: function

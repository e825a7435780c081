"""What happened on one server: the latest calls, the sessions that ended, and the sums over all calls.

On a call's path stands `Telemetry.record`: it numbers the record and appends it to a ring. Adding up
happens beside the path, in batches: when somebody reads, else every `BATCH` calls.

Threads: the protocol loop's thread calls `record`, `record_session` and `calls_between`; every other method may be called
from any thread. That works without a lock because each shared step is one that the interpreter does as a
whole: appending to and taking from the left of a deque, `dict.setdefault`, `dict.copy`, slicing a list.
Whoever adds up first claims the right to (`_fold`); who finds it claimed reads the sums as they are, at
most one batch behind. A lock would make the loop wait for a reader, and a reader stopped by an interrupt
while holding it would stop the server.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from mcp_workbench.telemetry.aggregates import Aggregates, Phase, Row, ToolSums
from mcp_workbench.telemetry.failures import Failures
from mcp_workbench.telemetry.heatmap import Column
from mcp_workbench.telemetry.histogram import Histogram
from mcp_workbench.telemetry.messages import Messages, Reader
from mcp_workbench.telemetry.records import CALL_TOOL, FORMALITIES, CallRecord, Outcome, SessionRecord, Side
from mcp_workbench.telemetry.records import JOB as JOB
from mcp_workbench.telemetry.ring import Ring

BATCH = 256
"""Calls added up at once, some 3 µs each: fewer than one call in a hundred meets the pause, so p99 does not."""

ABANDONED_AFTER = 16 * BATCH
"""A claim that outlives so many calls belongs to a reader that was interrupted between two statements."""

PRINTED_CALLS = 500
"""Latest calls whose output is kept: up to some 8,000 characters each."""

ENDED_SESSIONS = 1000
"""Records of ended sessions kept."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The readings of telemetry itself."""

    calls: int
    """Calls recorded since the start."""
    formalities: int
    """... of which so many opened a conversation or were pings."""
    calls_kept: int
    """... of which so many records are still here."""
    errors: int
    """Calls that failed since the start."""
    bytes_in: int
    """Bytes of the requests recorded since the start."""
    bytes_out: int
    """Bytes of their answers."""
    not_added_up: int
    """Calls recorded and not yet in errors, bytes and histograms; more than 0 only while another thread adds up."""
    sessions_ended: int
    keys: int
    """Different (method, target) told apart."""


class Follower(Reader, Protocol):
    """Who wants everything that is written down, as it is. On the path of calls: put it aside and return."""

    def memory_begins(self, messages: Messages) -> None:
        """From now on messages are kept there, and it is one of its readers."""

    def memory_ends(self) -> None:
        """It is no reader any more as soon as this returns; what has crossed until now is its own."""

    def call_ended(self, call: CallRecord) -> None:
        """Its answer was handed over, or there will be none."""

    def session_ended(self, session: SessionRecord) -> None:
        """Nothing more will be said in it."""


class Telemetry:
    """The memory of one server."""

    def __init__(self, records: int = 50_000, messages: Messages | None = None) -> None:
        """Start empty.

        Args:
            records: Call records kept (`Limits.records`).
            messages: Where messages are kept; None: in a memory of their own.
        """
        self.max_records = records
        self._calls: Ring[CallRecord] = Ring(records)
        self._sessions: Ring[SessionRecord] = Ring(ENDED_SESSIONS)
        self._unfolded: deque[CallRecord] = deque()
        self._printed: deque[CallRecord] = deque()
        self.messages = Messages() if messages is None else messages
        """What crossed the wire."""
        self._followers: tuple[Follower, ...] = ()
        self._claim: dict[str, object] = {}
        self._aggregates = Aggregates()
        self._failures = Failures()
        self._added_up = 0
        self._formalities = 0
        self._errors = 0
        self._bytes_in = 0
        self._bytes_out = 0

    def record(self, call: CallRecord) -> None:
        """Remember a call that ended; once per call, after its answer was handed over. Loop thread only.

        Raises:
            ValueError: The call's outcome is still pending.
        """
        if call.outcome is Outcome.PENDING:
            raise ValueError(f"call {call.call_id} has not ended: set its outcome, then record it")
        calls = self._calls
        call.seq = calls.total + 1
        calls.append(call)
        for follower in self._followers:
            follower.call_ended(call)
        if call.printed is not None:
            self._keep_printed(call)
        unfolded = self._unfolded
        unfolded.append(call)
        if len(unfolded) >= BATCH:
            if len(unfolded) >= ABANDONED_AFTER:
                self._claim.clear()
            self._fold()

    def _keep_printed(self, call: CallRecord) -> None:
        self._printed.append(call)
        if len(self._printed) > PRINTED_CALLS:
            self._printed.popleft().printed = None

    def record_session(self, session: SessionRecord) -> None:
        """Remember a session that ended. Loop thread only."""
        self._sessions.append(session)
        for follower in self._followers:
            follower.session_ended(session)

    def follow(self, follower: Follower) -> None:
        """Tell `follower` of everything from now on; one thread at a time adds and removes, any."""
        self._set_followers((*self._followers, follower))
        follower.memory_begins(self.messages)

    def unfollow(self, follower: Follower) -> None:
        """Tell it no more."""
        if follower in self._followers:
            follower.memory_ends()
        self._set_followers(tuple(each for each in self._followers if each is not follower))

    def inherit(self, before: Telemetry) -> None:
        """Take the place of another memory, which has kept no message yet: who followed it follows this one."""
        self._set_followers(before._followers)
        for follower in self._followers:
            follower.memory_begins(self.messages)

    def _set_followers(self, followers: tuple[Follower, ...]) -> None:
        self._followers = followers
        self.messages.readers = followers

    def calls(self, limit: int | None = 100) -> list[CallRecord]:
        """The latest calls that ended, oldest first; `limit` None: all that are kept."""
        return self._calls.latest(limit)

    @property
    def recorded(self) -> int:
        """Calls recorded since the start: `seq` of the latest."""
        return self._calls.total

    @property
    def oldest(self) -> int:
        """`seq` of the oldest call whose record is still kept; 0: there is none."""
        return self._calls.total - len(self._calls) + 1 if len(self._calls) else 0

    def calls_between(self, after: int, until: int) -> list[CallRecord]:
        """Calls that ended after the one with `seq` `after`, up to and including `until`, ascending, as far as kept. Loop thread only."""
        return self._calls.between(after, until)

    def sessions(self, limit: int | None = 100) -> list[SessionRecord]:
        """The sessions that ended last, oldest first; `limit` None: all that are kept."""
        return self._sessions.latest(limit)

    def by_tool(self) -> list[Row]:
        """One row per tool, the most called first."""
        self._fold()
        return self._aggregates.rows(CALL_TOOL)

    def by_method(self) -> list[Row]:
        """One row per method, the most called first."""
        self._fold()
        return self._aggregates.rows_by_method()

    def histogram(self, name: str, phase: Phase = Phase.TOTAL, *, failed: bool = False, method: str = CALL_TOOL) -> Histogram:
        """Durations of one tool, or of one target of another method.

        Args:
            name: Tool name; for other methods the target, which may be empty.
            phase: Which stretch of the calls.
            failed: The calls that failed instead of those that succeeded.
            method: JSON-RPC method.

        Returns:
            A copy; empty when there was no such call.
        """
        self._fold()
        return self._aggregates.histogram((method, name), phase, failed=failed)

    @property
    def added_up(self) -> int:
        """Number of the last record that every sum holds; whoever remembers it can ask later what came after."""
        self._fold()
        return self._added_up

    def tools_after(self, seq: int) -> list[str]:
        """The tools with records after this number; 0: all that were called."""
        self._fold()
        return self._aggregates.tools_after(seq)

    def tool(self, name: str, now: float) -> ToolSums | None:
        """All that is told of one tool; None: it was not called.

        Args:
            name: Its name.
            now: Seconds since 1970.
        """
        self._fold()
        return self._aggregates.tool(name, now)

    def per_s(self, name: str, now: float) -> float:
        """Calls of one tool that ended in the ten seconds before `now`, a second."""
        self._fold()
        return self._aggregates.per_s(name, now)

    def heatmap(self, tool: str, now: float, *, after: int = -1) -> list[Column]:
        """How long calls of tools took over the last ten minutes.

        Args:
            tool: Its name; empty: all together.
            now: Seconds since 1970.
            after: Only columns with a record after this number; -1: all.

        Returns:
            Columns with calls, ascending. Jobs stand where they ended, with the time they took; early answers nowhere.
        """
        self._fold()
        return self._aggregates.heatmaps.columns(tool, now, after)

    def failures(self) -> list[CallRecord]:
        """The latest calls that failed in what the author wrote, newest first, with their arguments."""
        self._fold()
        return self._failures.of_author.calls()

    def mistakes(self) -> list[CallRecord]:
        """The latest calls that failed by what callers sent, or found no room, newest first, with their arguments."""
        self._fold()
        return self._failures.of_callers.calls()

    @property
    def failed(self) -> int:
        """How many calls failed in what the author wrote since the start."""
        self._fold()
        return self._failures.of_author.total

    @property
    def mistaken(self) -> int:
        """How many calls failed by what callers sent since the start."""
        self._fold()
        return self._failures.of_callers.total

    def statistics(self) -> Statistics:
        """How much was recorded and kept."""
        self._fold()
        return Statistics(
            calls=self._calls.total,
            formalities=self._formalities,
            calls_kept=len(self._calls),
            errors=self._errors,
            bytes_in=self._bytes_in,
            bytes_out=self._bytes_out,
            not_added_up=len(self._unfolded),
            sessions_ended=self._sessions.total,
            keys=len(self._aggregates),
        )

    def _fold(self) -> None:
        """Add up what was recorded since the last time, unless another thread is doing so."""
        claim = object()
        try:
            if self._claim.setdefault("", claim) is claim:
                self._fold_all()
        finally:
            if self._claim.get("") is claim:
                self._claim.clear()

    def _fold_all(self) -> None:
        unfolded = self._unfolded
        while True:
            try:
                call = unfolded.popleft()
            except IndexError:
                return
            if call.side is Side.SERVER:
                self._add_up(call)
            self._added_up = call.seq

    def _add_up(self, call: CallRecord) -> None:
        self._bytes_in += call.bytes_in
        self._bytes_out += call.bytes_out
        self._formalities += call.method in FORMALITIES
        if call.outcome is not Outcome.OK:
            self._errors += call.failed
            self._failures.add(call)
        self._aggregates.add(call)

"""Jobs: calls that went on after their request had been answered, and their results until somebody fetches them.

A host drops a call after about 60 s whatever its progress says, so a call that takes longer is answered early
(`background.py`) and lives on here under a name, `j3`. A job belongs to the principal whose call it was: it
outlives the session, and nobody else can see, fetch or cancel it. What runs is never dropped, only
bounded; what has ended is kept for a day, or for an hour after it was first fetched, within two bounds.

The memory outlives the server; ended jobs can be fetched after a restart of it. Knows no sessions and no
wire ids. The agent's tools for it are `builtin/jobs.py`, the author's view is `job_report.py`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import msgspec

from mcp_workbench.execution.calls import Call, Progress
from mcp_workbench.limits import Limits
from mcp_workbench.primitives.tools import ToolDefinition
from mcp_workbench.protocol import wire
from mcp_workbench.wording import plain

logger = logging.getLogger("mcp_workbench")

T = TypeVar("T")

KEPT_S = 24 * 3600.0
"""How long the result of an ended job is kept."""
KEPT_FETCHED_S = 3600.0
"""How long it is kept once somebody has fetched it."""
LONGEST_SAID = 200
"""Characters of what a job said last."""


class JobState(StrEnum):
    """Where a job is."""

    WAITING = "waiting"
    """Its code has not begun."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """The function raised, or its result could not be used."""
    CANCELLED = "cancelled"
    TIMED_OUT = "timed out"
    """Ran longer than its `timeout_s`."""


class Job:
    """One call that outlived its request. Changed on the protocol loop, read from any thread."""

    __slots__ = (
        "_arguments",
        "_began",
        "_call",
        "_cancel",
        "_clock",
        "_ended",
        "_outcome",
        "_said",
        "_tool",
        "began_at",
        "fetched",
        "number",
        "principal",
        "result",
        "result_bytes",
        "tool",
    )

    def __init__(
        self,
        number: int,
        tool: ToolDefinition,
        principal: str,
        arguments: bytes,
        call: Call,
        cancel: Callable[[str], None],
        *,
        waited_s: float,
        clock: Callable[[], float],
    ) -> None:
        self.number = number
        self.tool = tool.name
        """Name of the tool."""
        self.principal = principal
        """Name of the principal whose call it was."""
        self.began_at = time.time() - waited_s
        """When the call arrived, in seconds since 1970."""
        self.result: wire.CallToolResult | None = None
        """What the call would have been answered with; None while it runs."""
        self.result_bytes = 0
        self.fetched: float | None = None
        """When the result was first fetched, by the clock of `Jobs`."""
        self._tool: ToolDefinition | None = tool
        self._arguments = arguments
        self._call = call
        self._cancel: Callable[[str], None] | None = cancel
        self._clock = clock
        self._began = clock() - waited_s
        self._ended: float | None = None
        self._outcome: JobState | None = None
        self._said = ""

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.tool}: {self.standing}>"

    @property
    def id(self) -> str:
        """`j3`."""
        return f"j{self.number}"

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._outcome is not None

    @property
    def state(self) -> JobState:
        """Where it is now."""
        return self._outcome or (JobState.RUNNING if self._call.started_ns else JobState.WAITING)

    @property
    def seconds(self) -> float:
        """From the call's arrival until its end, or until now."""
        return (self._clock() if self._ended is None else self._ended) - self._began

    @property
    def ended(self) -> float | None:
        """When it ended, by the clock of `Jobs`; None while it runs."""
        return self._ended

    @property
    def done(self) -> str:
        """How much of it is done, as the function reports it: `62 %`; empty when it does not."""
        return _share(self._call.progress)

    @property
    def said(self) -> str:
        """The message of its latest progress, else what it logged last; one line, empty when there is neither."""
        progress = self._call.progress
        return _one_line(progress.message) if progress is not None and progress.message else self._said

    @property
    def standing(self) -> str:
        """Where it is, as one phrase: `running, 62 %, 96 s`."""
        return ", ".join(part for part in (self.state.value, "" if self.over else self.done, elapsed(self.seconds)) if part)

    def is_of(self, tool: ToolDefinition, arguments: bytes) -> bool:
        """Whether it runs this very definition with these arguments."""
        return self._tool is tool and self._arguments == arguments

    def hear(self, data: object) -> None:
        """The function logged something."""
        self._said = _one_line(data if isinstance(data, str) else msgspec.json.encode(data).decode())

    def cancel(self, reason: str) -> None:
        """Ask the call to end; it has when this returns, its code perhaps not. The protocol loop's thread."""
        if self._cancel is not None:
            self._cancel(reason)

    def note_fetched(self) -> None:
        """Somebody was given the result: from now on it is kept for an hour."""
        if self.fetched is None:
            self.fetched = self._clock()

    def end(self, state: JobState, result: wire.CallToolResult) -> None:
        """It is over; nothing of the function and its arguments is kept."""
        self._ended, self.result, self.result_bytes = self._clock(), result, _size_of(result)
        self._outcome = state
        self._tool, self._arguments, self._cancel = None, b"", None

    def expired(self) -> bool:
        """Whether its result has been kept long enough."""
        now = self._clock()
        kept_long = self._ended is not None and now - self._ended >= KEPT_S
        return kept_long or (self.fetched is not None and now - self.fetched >= KEPT_FETCHED_S)


@dataclass(frozen=True, slots=True)
class Fetched:
    """The result of a job, handed on by a call of `job_wait` as it is."""

    result: wire.CallToolResult


class Jobs:
    """The jobs of all principals. `begin`, `same` and `end`: the protocol loop's thread; the rest: any thread.

    Args:
        limits: `running_jobs`, `jobs` and `jobs_bytes` are used.
        clock: Seconds that only grow; injected by tests.
    """

    def __init__(self, limits: Limits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.on_end: list[Callable[[Job], None]] = []
        """Called on the protocol loop when a job has ended; one that raises is logged and skipped."""
        self.run_on_loop: Callable[[Callable[[], object]], object] = _run_here
        """How to reach the protocol loop and wait; a server sets it while it runs, without one there is nothing to reach."""
        self._clock = clock
        self._jobs: dict[int, Job] = {}
        self._count = 0
        self._revoked: set[str] = set()
        self.running = 0
        """How many have not ended."""

    # --- readings ------------------------------------------------------------------------------------

    def of(self, principal: str | None) -> tuple[Job, ...]:
        """A principal's jobs, oldest first; None: everybody's, for the notebook's author."""
        return tuple(job for job in tuple(self._jobs.values()) if principal in (None, job.principal) and not job.expired())

    def find(self, principal: str | None, number: int) -> Job | None:
        """A principal's job by its number; None when there is none, it has expired, or is somebody else's."""
        job = self._jobs.get(number)
        return job if job is not None and principal in (None, job.principal) and not job.expired() else None

    # --- the life of a job ----------------------------------------------------------------------------

    def begin(
        self, tool: ToolDefinition, principal: str, arguments: bytes, call: Call, cancel: Callable[[str], None], *, waited_s: float
    ) -> Job | None:
        """A call goes on as a job.

        Args:
            tool: What runs.
            principal: Name of the principal whose call it is.
            arguments: Digest of the call's arguments.
            call: The run.
            cancel: Ends it, for a reason.
            waited_s: Seconds since the call arrived.

        Returns:
            The job; None when the principal has as many running as it may have, or was revoked.
        """
        if principal in self._revoked or self._running_of(principal) >= self.limits.running_jobs:
            return None
        self._prune()
        self._count += 1
        job = self._jobs[self._count] = Job(self._count, tool, principal, arguments, call, cancel, waited_s=waited_s, clock=self._clock)
        self.running += 1
        return job

    def same(self, tool: ToolDefinition, principal: str, arguments: bytes) -> Job | None:
        """The job that runs this very definition with these arguments for this principal."""
        return next((job for job in self._jobs.values() if job.principal == principal and job.is_of(tool, arguments)), None)

    def end(self, job: Job, state: JobState, result: wire.CallToolResult) -> None:
        """A job is over; whoever waits for it is told."""
        self.running -= 1
        job.end(state, result)
        self._prune()
        for listener in tuple(self.on_end):
            try:
                listener(job)
            except Exception:  # the boundary to listeners: one that raises must not cost the others the news
                logger.exception("the end of job %s could not be told", job.id)

    def cancel(self, job: Job, reason: str) -> None:
        """Ask a job to end; see `Job.cancel`. One that has ended stays as it is."""
        self.run_on_loop(lambda: job.cancel(reason))

    def forget(self, principal: str) -> None:
        """A principal was revoked: its jobs are cancelled, nothing of them is kept, and it gets no more."""
        self.run_on_loop(lambda: self._forget(principal))

    def admit(self, principal: str) -> None:
        """Take jobs of a principal of this name again: it has a new credential."""
        self._revoked.discard(principal)

    def _forget(self, principal: str) -> None:
        self._revoked.add(principal)
        for job in [job for job in self._jobs.values() if job.principal == principal]:
            job.cancel("the credential of its principal was revoked")
            self._jobs.pop(job.number, None)

    def _running_of(self, principal: str) -> int:
        return sum(job.principal == principal and not job.over for job in self._jobs.values())

    def _prune(self) -> None:
        for job in [job for job in self._jobs.values() if job.expired()]:
            del self._jobs[job.number]
        ended = sorted((job for job in self._jobs.values() if job.over), key=lambda job: job.ended or 0.0)
        nbytes = sum(job.result_bytes for job in ended)
        for job in ended[:-1]:
            if len(ended) <= self.limits.jobs and nbytes <= self.limits.jobs_bytes:
                break
            ended = ended[1:]
            nbytes -= job.result_bytes
            del self._jobs[job.number]


def elapsed(seconds: float) -> str:
    """A duration for people: `96 s`, `12 min`, `3.5 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _share(progress: Progress | None) -> str:
    if progress is None:
        return ""
    if progress.total is not None and progress.total > 0:
        return f"{min(max(progress.progress / progress.total, 0), 1):.0%}".replace("%", " %")
    return f"{progress.progress:g} so far"


def _one_line(text: object) -> str:
    # Whatever the function gave as a message: what is no text is not shown, and of several lines the last is the newest.
    line = plain(text.strip().rpartition("\n")[2][:LONGEST_SAID]) if isinstance(text, str) else ""
    return line if len(line) <= LONGEST_SAID else f"{line[: LONGEST_SAID - 1]}…"


def _size_of(result: wire.CallToolResult) -> int:
    try:
        return len(msgspec.json.encode(result))
    except Exception:  # noqa: BLE001  # a named boundary: whoever fetches a result that JSON cannot carry is told so then
        return 0


def _run_here(function: Callable[[], object]) -> object:
    return function()

"""Jobs: calls that went on after their request had been answered, and their results until somebody fetches them.

A host drops a call after about 60 s whatever its progress says, so a call that takes longer is answered early
(`background.py`) and lives on here under a name, `j3`. A job belongs to the principal whose call it was: it
outlives the session, and nobody else can see, fetch or cancel it. What runs is never dropped, only
bounded; what has ended is kept for a day, or for an hour after it was first fetched, within two bounds:
past them the first goes of the principal that keeps most.

The memory outlives the server; ended jobs can be fetched after a restart of it. Knows no sessions and no
wire ids. The agent's tools for it are `builtin/jobs.py`, the author's view is `job_report.py`.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcp_workbench.execution.calls import Call
from mcp_workbench.limits import Limits
from mcp_workbench.primitives.tools import ToolDefinition
from mcp_workbench.protocol import wire
from mcp_workbench.serving.job import Job as Job
from mcp_workbench.serving.job import JobState as JobState
from mcp_workbench.serving.job import elapsed as elapsed

logger = logging.getLogger("mcp_workbench")


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
        self.run_on_loop: Callable[[Callable[[], Any]], Any] = _run_here
        """How to reach the protocol loop and wait; a server sets it while it runs, without one there is nothing to reach."""
        self.server_stops = False
        """Whether no call can wait for a job any more; a server says so from its end until the next one begins."""
        self._clock = clock
        self._jobs: dict[int, Job] = {}
        self._ended: dict[int, Job] = {}
        """Those that are over, in the order in which they ended."""
        self._ended_bytes = 0
        self._count = 0
        self._revoked: set[str] = set()

    # --- readings ------------------------------------------------------------------------------------

    def of(self, principal: str | None) -> tuple[Job, ...]:
        """A principal's jobs, oldest first; None: everybody's, for the notebook's author."""
        return tuple(job for job in tuple(self._jobs.values()) if principal in (None, job.principal) and not job.expired())

    def find(self, principal: str | None, number: int) -> Job | None:
        """A principal's job by its number; None when there is none, it has expired, or is somebody else's."""
        job = self._jobs.get(number)
        return job if job is not None and principal in (None, job.principal) and not job.expired() else None

    @property
    def running(self) -> int:
        """How many have not ended."""
        return len(self._jobs) - len(self._ended)

    def statistics(self) -> dict[str, int]:
        """Reading of the bounds: jobs that run, ended ones whose results are kept, and the bytes of those."""
        return {"running": self.running, "ended": len(self._ended), "ended_bytes": self._ended_bytes}

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
        return job

    def same(self, tool: ToolDefinition, principal: str, arguments: bytes) -> Job | None:
        """The job that runs this very definition with these arguments for this principal."""
        return next((job for job in self._jobs.values() if job.principal == principal and job.is_of(tool, arguments)), None)

    def end(self, job: Job, state: JobState, result: wire.CallToolResult, error: wire.RpcError | None = None) -> None:
        """A job is over; whoever waits for it is told.

        Args:
            job: Which.
            state: How it ended.
            result: What whoever fetches it is given.
            error: The JSON-RPC error that `result` puts into words, where its call failed with one.
        """
        job.end(state, result, error)
        if job.number in self._jobs:  # else it was forgotten while it ran
            self._ended[job.number] = job
            self._ended_bytes += job.result_bytes
        self._prune()
        for listener in tuple(self.on_end):
            try:
                listener(job)
            except Exception:  # the boundary to listeners: one that raises must not cost the others the news
                logger.exception("the end of job %s could not be told", job.id)

    def cancel(self, job: Job, reason: str) -> str:
        """Ask a job to end. One that has ended stays as it is.

        Args:
            job: Which.
            reason: Who asked, for the function and the record.

        Returns:
            What became of it, and whether its code may still run: a sentence for whoever asked.
        """
        sentence: str = self.run_on_loop(lambda: _cancel(job, reason))
        return sentence

    def forget(self, principal: str) -> None:
        """A principal was revoked: its jobs are cancelled, nothing of them is kept, and it gets no more."""
        self.run_on_loop(lambda: self._forget(principal))

    def admit(self, principal: str) -> None:
        """Take jobs of a principal of this name again: it has a new credential."""
        self._revoked.discard(principal)

    def _forget(self, principal: str) -> None:
        self._revoked.add(principal)
        for job in [job for job in self._jobs.values() if job.principal == principal]:
            self._drop(job)  # first: what is not kept pushes out nothing of others
            job.cancel("the credential of its principal was revoked")

    def _running_of(self, principal: str) -> int:
        return sum(job.principal == principal and not job.over for job in self._jobs.values())

    def _prune(self) -> None:
        for job in [job for job in self._ended.values() if job.expired()]:
            self._drop(job)
        while len(self._ended) > 1 and (len(self._ended) > self.limits.jobs or self._ended_bytes > self.limits.jobs_bytes):
            self._drop(self._first_of_the_greatest(by_bytes=self._ended_bytes > self.limits.jobs_bytes))

    def _first_of_the_greatest(self, *, by_bytes: bool) -> Job:
        """Of the principal whose results take most, the one that ended first: nobody's results push out those of who keeps less."""
        *older, newest = self._ended.values()
        taken = Counter({newest.principal: newest.result_bytes if by_bytes else 1})
        first: dict[str, Job] = {}
        for job in older:
            taken[job.principal] += job.result_bytes if by_bytes else 1
            first.setdefault(job.principal, job)
        return first[max(first, key=taken.__getitem__)]

    def _drop(self, job: Job) -> None:
        self._jobs.pop(job.number, None)
        if self._ended.pop(job.number, None) is not None:
            self._ended_bytes -= job.result_bytes


def _cancel(job: Job, reason: str) -> str:
    if job.over:
        return f"{job.id} had ended already: {job.standing}."
    return f"{job.id} is cancelled. {job.cancel(reason)}"


def _run_here(function: Callable[[], Any]) -> Any:
    return function()

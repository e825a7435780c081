"""`job_wait` and `job_cancel`: how an agent comes by the result of a call that was answered early.

Always on offer with the other tools of the workbench: hosts may freeze their tool list at start, before the first
job exists. A call of `job_wait` parks until the job has ended or its time is up, so several may wait for one
job and all get its result. Both run on the protocol loop: they look things up, and must get through when
every tool thread is taken by the very jobs they are asked about.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from mcp_workbench.errors import ToolError
from mcp_workbench.execution.context import Context
from mcp_workbench.primitives.tools import ToolDefinition, Waiting
from mcp_workbench.protocol.wire import Json
from mcp_workbench.serving.builtin.job_results import handed_on
from mcp_workbench.serving.builtin.own_tools import Group, define
from mcp_workbench.serving.job import Job, said_last
from mcp_workbench.serving.jobs import Fetched, Jobs

LONGEST_WAIT_S = 50.0
"""Desktop hosts drop a call at about 60 s."""
STOPPING = "The notebook's server is stopping: if its kernel is restarted, the job is gone with its result; if not, ask when it is back."
LISTED = 10
"""Jobs that an error names."""
_LONGEST_ARGUMENT = 40
"""Characters of a job or of seconds that are looked at; patterns see no more."""

_NUMBER = re.compile(r"\W*(?:job)?\W*j?(\d{1,9})\W*", re.ASCII | re.IGNORECASE)
_SECONDS = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(?:s|sec|seconds?)?\s*", re.ASCII | re.IGNORECASE)


def job_tools(jobs: Jobs) -> Group:
    """The two tools, offered together."""
    return Group(("job_wait", "job_cancel"), _JobTools(jobs).tools)


class _JobTools:
    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def tools(self) -> list[ToolDefinition]:
        """Define them."""
        defined = (define(self.job_wait, waits=self._until_over), define(self.job_cancel, read_only=False))
        return [dataclasses.replace(tool, run_on="inline", background_after_s=None) for tool in defined]

    def job_wait(self, ctx: Context, job: str | int, wait_s: str | float = LONGEST_WAIT_S, offset: int = 0) -> Any:
        """Result of a call that answered "running as job j3"; waits for it, and says how far it is if it takes longer.

        Args:
            job: "j3".
            wait_s: Seconds to wait, at most 50.
            offset: Where to read on in a long result.
        """
        found = self._found(job, ctx.principal.name)
        if not found.over and self._jobs.server_stops:
            return f"{found.id}: still {found.standing}. {STOPPING}{said_last(found)}"
        if not found.over:
            return f'{found.id}: still {found.standing}; call job_wait("{found.id}") again.{said_last(found)}'
        found.note_fetched()
        return Fetched(handed_on(found, self._jobs.limits.max_result_bytes, max(offset, 0)))

    def job_cancel(self, ctx: Context, job: str | int) -> str:
        """Ask a job to stop; says whether its code may still run.

        Args:
            job: "j3".
        """
        found = self._found(job, ctx.principal.name)
        ended_before = found.over
        told = self._jobs.cancel(found, "its client asked for it with job_cancel")
        return f'{told} job_wait("{found.id}") has its result.' if ended_before else told

    def _until_over(self, arguments: Mapping[str, Json], principal: str) -> Waiting | None:
        number = _number(arguments.get("job"))
        job = None if number is None else self._jobs.find(principal, number)
        return None if job is None else Waiting(partial(_is_over, job), _seconds(arguments.get("wait_s", LONGEST_WAIT_S)))

    def _found(self, job: str | int, principal: str) -> Job:
        number = _number(job)
        found = None if number is None else self._jobs.find(principal, number)
        if found is None:
            raise ToolError(self._none_such(job, principal))
        return found

    def _none_such(self, job: str | int, principal: str) -> str:
        mine = self._jobs.of(principal)
        listed = ", ".join(f"{each.id} ({each.tool}, {each.state.value})" for each in mine[-LISTED:])
        kept = "Results are kept for an hour after they were fetched, for a day at most, and not beyond a restart of the kernel."
        return f"No job {str(job)[:_LONGEST_ARGUMENT]!r}. {f'Yours: {listed}.' if mine else 'You have none.'} {kept}"


def _is_over(job: Job) -> bool:
    return job.over


def _number(job: object) -> int | None:
    """3 of 3, "3", "j3", "job j3"; None for anything else."""
    if isinstance(job, int) and not isinstance(job, bool):
        return job
    match = _NUMBER.fullmatch(job) if isinstance(job, str) and len(job) <= _LONGEST_ARGUMENT else None
    return None if match is None else int(match[1])


def _seconds(wait_s: object) -> float:
    """What was asked for, within bounds; the longest wait where it is no number."""
    if isinstance(wait_s, str) and len(wait_s) <= _LONGEST_ARGUMENT and (match := _SECONDS.fullmatch(wait_s)) is not None:
        wait_s = float(match[1])
    if isinstance(wait_s, bool) or not isinstance(wait_s, int | float) or math.isnan(wait_s):
        return LONGEST_WAIT_S
    return float(min(max(wait_s, 0), LONGEST_WAIT_S))

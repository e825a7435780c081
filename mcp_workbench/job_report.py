"""What `wb.jobs` shows: the calls of agents that were answered early and went on, for the notebook's author.

The author sees everybody's jobs; agents see their own, through `job_wait` and `job_cancel`. Names and texts in it are
other people's, so they are shown as plain, escaped text. Neighbour: `serving/jobs.py` keeps the jobs.
"""

from __future__ import annotations

import html
from collections.abc import Iterator

from msgspec import UNSET

from mcp_workbench.client.results import CallResult
from mcp_workbench.execution.calls import Progress
from mcp_workbench.serving.job import Job, JobState
from mcp_workbench.serving.jobs import Jobs
from mcp_workbench.wording import plain

NONE = "No jobs: no call has run longer than its tool's background_after_s (45 s unless it says otherwise)."


class JobReport:
    """One job, as it is now; from any thread.

    Args:
        job: Which.
        jobs: Where it is kept.
    """

    def __init__(self, job: Job, jobs: Jobs) -> None:
        self._job = job
        self._jobs = jobs

    @property
    def id(self) -> str:
        """`j3`."""
        return self._job.id

    @property
    def tool(self) -> str:
        """Name of the tool that runs."""
        return self._job.tool

    @property
    def principal(self) -> str:
        """Whose call it was."""
        return self._job.principal

    @property
    def state(self) -> JobState:
        """`waiting`, `running`, `done`, `failed`, `cancelled` or `timed out`."""
        return self._job.state

    @property
    def progress(self) -> Progress | None:
        """The latest report: `.progress`, `.total`, `.message`; None when the function reports none."""
        return self._job.progress

    @property
    def seconds(self) -> float:
        """From the call's arrival until its end, or until now."""
        return self._job.seconds

    @property
    def result(self) -> CallResult | None:
        """What the agent is given: `.text`, `.structured`, `.images`, `.is_error`; None while it runs."""
        result = self._job.result
        if result is None:
            return None
        structured = None if result.structured_content is UNSET else result.structured_content
        return CallResult(tuple(result.content), structured, result.is_error, result.meta or {})

    def cancel(self) -> str:
        """Ask it to stop.

        Returns:
            What became of it, and whether its code may still run.
        """
        return self._jobs.cancel(self._job, "the notebook's author cancelled it")

    def __repr__(self) -> str:
        job = self._job
        said = f": {job.said}" if job.said and not job.over else ""
        return plain(f"{job.id}  {job.tool}  as {job.principal}  {job.standing}{said}")

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


class JobReports:
    """All jobs that run or whose result is still kept, oldest first; `["j3"]` is one of them.

    Args:
        jobs: Where they are kept.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def __len__(self) -> int:
        """Count them."""
        return len(self._jobs.of(None))

    def __iter__(self) -> Iterator[JobReport]:
        return (JobReport(job, self._jobs) for job in self._jobs.of(None))

    def __getitem__(self, job: str | int) -> JobReport:
        """One of them.

        Args:
            job: `"j3"`, or 3.

        Raises:
            KeyError: There is none of that name, or its result is no longer kept; names those there are.
        """
        for report in self:
            if report.id in (job, f"j{job}"):
                return report
        there = f"there are {', '.join(report.id for report in self)}" if len(self) else "there are none"
        raise KeyError(f"no job {str(job)[:40]!r}; {there}")

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or NONE

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"

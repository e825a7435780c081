"""The jobs of the panel of the kernel: what goes on after its call was answered, and what has ended and is still kept.

A job's key is its id, which is what `Stop` takes. Progress and messages are what its function says.
Ended jobs do not change any more, except that somebody fetches the result, so only what runs is read anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mcp_workbench.serving.job import Job
from mcp_workbench.serving.jobs import Jobs
from mcp_workbench.telemetry.records import SessionRecord
from mcp_workbench.views import messages
from mcp_workbench.views.messages import JobRow, Message, Watch
from mcp_workbench.views.open_calls import ageless, known


class JobsFeed:
    """Gives `Jobs`.

    Args:
        jobs: The jobs of all principals.
        sessions: Records of the sessions, ended ones included: in one of them the job's call came (`Sessions.records`).
    """

    panel = "kernel"

    def __init__(self, jobs: Jobs, sessions: Callable[[], Iterable[SessionRecord]]) -> None:
        self._jobs = jobs
        self._sessions = sessions
        self._told: dict[str, JobRow] = {}
        self._is_first = True

    def watch(self, wanted: Watch) -> None:
        """There is nothing to choose."""

    def look(self, now: float, *, last: bool = False) -> Iterator[Message]:
        """The rows that are new or have changed, and the ids that are kept no longer; the first time also that there is none."""
        jobs = {job.id: job for job in self._jobs.of(None)}
        clients = self._clients(jobs.values())
        changed = tuple(row for job in jobs.values() if (row := self._changed(job, clients)) is not None)
        gone = tuple(key for key in self._told if key not in jobs)
        for key in gone:
            del self._told[key]
        self._told.update((row.id, row) for row in changed)
        if changed or gone or self._is_first:
            self._is_first = False
            yield messages.Jobs(rows=changed, gone=gone)

    def _clients(self, jobs: Iterable[Job]) -> dict[str, str]:
        """What the clients of jobs that were not told call themselves."""
        new = {job.session_id for job in jobs if job.id not in self._told}
        return {record.session_id: record.client_name or "" for record in self._sessions() if record.session_id in new} if new else {}

    def _changed(self, job: Job, clients: dict[str, str]) -> JobRow | None:
        told = self._told.get(job.id)
        if told is not None and told.seconds and told.fetched is (job.fetched is not None):
            return None
        row = _row(job, clients.get(job.session_id, "") if told is None else told.client)
        return None if row == told else row


def _row(job: Job, client: str) -> JobRow:
    progress = job.progress
    return JobRow(
        id=job.id,
        key=job.id,
        tool=job.tool,
        principal=job.principal,
        state=job.state.value,
        at=job.began_at,
        client=client,
        call_id=job.call_id,
        seconds=job.seconds if job.over else 0,
        progress=0 if progress is None else known(progress.progress),
        total=0 if progress is None else known(progress.total),
        message=job.said,
        waits=ageless(job.waits),
        result_bytes=job.result_bytes,
        fetched=job.fetched is not None,
    )

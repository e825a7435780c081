"""The tasks there are, by their ids: as long as their jobs, which outlive the server.

Knows whose a task is, no sessions and no methods; `tasks.py` has those.
"""

from __future__ import annotations

from collections.abc import Callable

from mcp_workbench.protocol import wire
from mcp_workbench.serving.job import Job
from mcp_workbench.serving.jobs import Jobs
from mcp_workbench.serving.task import Task


class TaskMemory:
    """The tasks of all principals; each belongs to a job and is kept as long. The protocol loop's thread only.

    Args:
        jobs: Where the jobs are; their bounds are those of tasks.
    """

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.on_change: list[Callable[[Task], None]] = []
        """Called when there is something to be seen anew of a task."""
        self.on_said: list[Callable[[Task], None]] = []
        """Called when only what its function says is to be seen anew, which may be often."""
        self._tasks: dict[str, Task] = {}
        jobs.on_end.append(self._job_ended)

    def __len__(self) -> int:
        """Count those that are kept."""
        return len(self._tasks)

    def begin(self, job: Job, brought: dict[str, wire.Json]) -> Task:
        """Let a client follow a job that has just begun.

        Args:
            job: Which.
            brought: Answers that came with its call.
        """
        self._tasks = {task.id: task for task in self._tasks.values() if self._is_kept(task)}
        task = Task(job, brought, self.jobs.limits.max_result_bytes // 2, self._tell)
        self._tasks[task.id] = task
        return task

    def of(self, job: Job) -> Task:
        """The task of a job; it gets one where nobody follows it yet."""
        return next((task for task in self._tasks.values() if task.job is job), None) or self.begin(job, {})

    def find(self, principal: str, task_id: str) -> Task | None:
        """A principal's task; None when there is none, it is kept no longer, or is somebody else's."""
        task = self._tasks.get(task_id)
        return task if task is not None and task.job.principal == principal and self._is_kept(task) else None

    def note_said(self, job: Job) -> None:
        """A job's function has said how far it is, or anything else."""
        for task in tuple(self._tasks.values()):
            if task.job is job:
                task.note_said()
                for listener in tuple(self.on_said):
                    listener(task)

    def _is_kept(self, task: Task) -> bool:
        return self.jobs.find(None, task.job.number) is task.job

    def _job_ended(self, job: Job) -> None:
        for task in tuple(self._tasks.values()):
            if task.job is job:
                task.touch()

    def _tell(self, task: Task) -> None:
        for listener in tuple(self.on_change):
            listener(task)

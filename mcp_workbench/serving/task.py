"""One task (SEP-2663): a job that its client follows by an id of its own, and what its call asks meanwhile.

A client that has declared `io.modelcontextprotocol/tasks` is answered with a task where another one is answered early. The id
is all it needs, and cannot be guessed; that it belongs to the principal as well is seen to by `task_memory.py`. What the
call asks stands in the task until `tasks/update` brings the answer: a task is the third way of asking beside `Direct` and
`Rounds`, and the only one in which a call that has become a job can still ask.

Neighbours: `job.py` has the job, `tasks.py` the methods.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from msgspec import UNSET, UnsetType

from mcp_workbench.errors import NotAnswered
from mcp_workbench.execution.questions import Question
from mcp_workbench.protocol import wire
from mcp_workbench.serving.builtin.job_results import handed_on
from mcp_workbench.serving.failures import UNWRITABLE
from mcp_workbench.serving.job import Job, JobState, said_last
from mcp_workbench.serving.questions import input_request

ID_BYTES = 18
"""Of chance in an id: nobody can guess one (SEP-2663, security considerations)."""
MAX_MISFITS = 10
"""Answers in a row that do not fit; then the question fails."""
_POLL_S = (0.2, 5.0)
"""Shortest and longest pause between two looks that a client is advised to make; a twentieth of the job's age between them."""

T = TypeVar("T", wire.Task, wire.CreateTaskResult)


class Task:
    """Of one job. The protocol loop's thread only.

    Args:
        job: What goes on.
        brought: Answers that came with the call, by the keys of the questions.
        max_bytes: Of one message, into which all that is asked must fit.
        changed: Told when another status is to be seen, or something else asked.
    """

    ends_waiting = False

    def __init__(self, job: Job, brought: dict[str, wire.Json], max_bytes: int, changed: Callable[[Task], None]) -> None:
        self.id = secrets.token_urlsafe(ID_BYTES)
        self.job = job
        self.updated_at = time.time()
        """When what is to be seen of it last changed, in seconds since 1970."""
        self._brought = dict(brought)
        self._room = max_bytes
        self._changed = changed
        self._open: dict[str, Question] = {}
        self._used: set[str] = set()
        self._misfits = 0

    def __repr__(self) -> str:
        return f"<Task of {self.job!r}: {self.status}>"

    @property
    def status(self) -> wire.TaskStatus:
        """Where it is, in the extension's words."""
        if not self.job.over:
            return "input_required" if self._open else "working"
        if self.job.state is JobState.CANCELLED:
            return "cancelled"
        # A tool that failed has completed, with a result that says so; `failed` is for JSON-RPC errors.
        return "completed" if self.job.error is None else "failed"

    def note_said(self) -> None:
        """Its function has said something, which stands in what is seen of it; nobody is told yet."""
        self.updated_at = time.time()

    def touch(self) -> None:
        """Something of it is to be seen anew."""
        self.updated_at = time.time()
        self._changed(self)

    # --- what its call asks ------------------------------------------------------------------------------

    def ask(self, question: Question) -> None:
        """Have it stand in the task until it is answered; what the call brought along is taken at once."""
        if question.key is not None and self._fits(question, self._brought.pop(question.key, None)):
            return
        if question.size + sum(each.size for each in self._open.values()) > self._room:
            question.fail(NotAnswered(f"{self.job.tool} asks too much at once: all of it must fit into {self._room:,} bytes."))
            return
        self._open[self._new_key(question.key)] = question
        question.on_settled.append(self._close)
        self.touch()

    def update(self, responses: dict[str, wire.Json]) -> None:
        """Take a client's answers; those to what is not asked (any more) are ignored.

        Args:
            responses: By key; some of those asked for are enough.
        """
        for key, result in responses.items():
            question = self._open.get(key)
            if question is not None and self._fits(question, result):
                self._misfits = 0
            elif question is not None:
                self._ask_again(key, question)

    def _fits(self, question: Question, result: wire.Json) -> bool:
        if not isinstance(result, dict) or question.misfit(result) is not None:
            return False
        question.answer(result)
        return True

    def _ask_again(self, key: str, question: Question) -> None:
        self._misfits += 1
        if self._misfits >= MAX_MISFITS:
            question.fail(NotAnswered(f"{self.job.tool} got {MAX_MISFITS} answers that do not fit."))
            return
        # Clients answer a key once; so what was not answered is asked under another one.
        del self._open[key]
        self._open[self._new_key(question.key)] = question
        self.touch()

    def _new_key(self, wanted: str | None) -> str:
        """A key that this task has never used: "each request key MUST be unique over the lifetime of a single task"."""
        number = len(self._used) + 1
        key = f"q{number}" if wanted is None else wanted
        while key in self._used:
            key, number = f"{wanted or 'q'}-{number}", number + 1
        self._used.add(key)
        return key

    def _close(self, question: Question) -> None:
        self._open = {key: each for key, each in self._open.items() if each is not question}
        self.touch()

    # --- as it stands on the wire --------------------------------------------------------------------------

    def handle(self) -> wire.CreateTaskResult:
        """The answer to the call, by which its client finds the task again."""
        return self._told(wire.CreateTaskResult, "working", {})

    def shown(self, max_bytes: int) -> wire.Task:
        """All that is to be seen of it.

        Args:
            max_bytes: Of the message; a longer result is handed on in slices.
        """
        payload: dict[str, wire.Json] = {}
        status = self.status
        if status == "input_required":
            payload["input_requests"] = {key: input_request(question) for key, question in self._open.items()}
        elif status == "completed":
            payload["result"] = self._result(max_bytes)
        elif status == "failed":
            payload["error"] = self.job.error
        return self._told(wire.Task, status, payload)

    def _result(self, max_bytes: int) -> wire.CallToolResult:
        if not self.job.result_bytes:
            return wire.CallToolResult(content=[wire.TextContent(text=UNWRITABLE)], is_error=True)
        return handed_on(self.job, max_bytes)

    def _told(self, shape: type[T], status: wire.TaskStatus, payload: dict[str, wire.Json]) -> T:
        kept_s = self.job.kept_s
        return shape(
            task_id=self.id,
            status=status,
            created_at=_iso(self.job.created_at),
            last_updated_at=_iso(self.updated_at),
            ttl_ms=None if kept_s is None else max(1, int(kept_s * 1000)),
            meta=self._progress(),
            poll_interval_ms=UNSET if self.job.over else int(min(max(self.job.seconds / 20, _POLL_S[0]), _POLL_S[1]) * 1000),
            status_message=self._message(),
            **payload,
        )

    def _progress(self) -> dict[str, wire.Json] | UnsetType:
        """Its progress as numbers: the extension has words for it alone, and no `notifications/progress` (SEP-2663, notifications)."""
        progress = self.job.progress
        if progress is None or self.job.over:
            return UNSET
        told = {"progress": progress.progress, "total": progress.total, "message": self.job.said or None}
        return {wire.META_PROGRESS: {name: value for name, value in told.items() if value is not None}}

    def _message(self) -> str:
        """How it stands, for people and models."""
        job = self.job
        if job.state is JobState.CANCELLED and job.result is not None:
            return "".join(item.text for item in job.result.content if isinstance(item, wire.TextContent))
        if job.error is not None:
            return job.error.message
        asked = f" It asks {', '.join(dict.fromkeys(each.whom for each in self._open.values()))}." if self._open else ""
        return f"{job.id} ({job.tool}): {job.standing}.{asked}{'' if job.over else said_last(job)}"


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

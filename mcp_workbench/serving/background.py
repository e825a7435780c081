"""Early answers: a call that takes long is answered before its client gives up, and goes on as a job.

Desktop hosts drop a call about 60 s after they sent it, whatever its progress says. So each call that may take
long is expected here from its arrival on; when its time has come it is answered "running as job j3:
call job_wait" and goes on without its exchange. One timer, set for the earliest of them, does for all: a timer
of its own would cost each call as much as everything else that is done for it on the loop. A call for which there is
no room among the jobs waits for the end of one.

An answer without structured content breaks the promise of a tool that lists an output schema: the official
clients (Python 1.30 and 2.3, TypeScript 1.32) raise on it, unless it is an error (tests/foreign shows it). Structured
content made up to fit the schema would be a lie a program acts on. So such a tool's early answer is marked as
an error, and says in its text what it is; any other tool's is an ordinary result.

A client that takes tasks (SEP-2663) is answered with one instead, and follows the job as `tasks.py` lets it.

Neighbours: `tools.py` has the call, `jobs.py` the memory of jobs.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from collections.abc import Callable
from typing import Protocol

import msgspec

from mcp_workbench.errors import NotAnswered, RemoteProtocolError
from mcp_workbench.execution.calls import Call
from mcp_workbench.execution.questions import Question
from mcp_workbench.primitives.tools import ToolDefinition
from mcp_workbench.protocol import wire
from mcp_workbench.serving.job import Job, JobState, after_cancel, elapsed, said_last
from mcp_workbench.serving.jobs import Jobs
from mcp_workbench.serving.task_memory import TaskMemory
from mcp_workbench.sessions.work import Answer
from mcp_workbench.telemetry.records import CallRecord, Outcome

logger = logging.getLogger("mcp_workbench")


class Expected(Protocol):
    """A call that will be answered early when it takes too long."""

    def answer_early(self, waited_s: float) -> bool:
        """Answer and go on as a job; False: no job can be had now, ask again when one has ended."""


class Background:
    """Which calls are answered early, and when. The protocol loop's thread only.

    Args:
        loop: The protocol loop, for its clock and timer.
        jobs: Where calls go on.
        record: Where the records of ended jobs go.
        fetchable: Whether `job_wait` is on offer; without it a job's result could not be had but as a task.
        tasks: Which jobs their clients follow as tasks.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        jobs: Jobs,
        record: Callable[[CallRecord], None],
        fetchable: Callable[[], bool],
        tasks: TaskMemory,
    ) -> None:
        self.jobs = jobs
        self.tasks = tasks
        self.record = record
        self.fetchable = fetchable
        self._loop = loop
        self._expected: dict[Expected, tuple[float, float]] = {}
        """When each arrived, and when it is due."""
        self._overdue: dict[Expected, float] = {}
        """When each arrived of those for which there was no room, the longest waiting first."""
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = math.inf
        self._retry_due = False
        self._closed = False
        jobs.on_end.append(self._job_ended)

    def __len__(self) -> int:
        """Count the calls that may still be answered early."""
        return len(self._expected) + len(self._overdue)

    def expect(self, call: Expected, after_s: float, waited_s: float) -> None:
        """Answer a call early unless it is forgotten first.

        Args:
            call: It is about to run.
            after_s: Seconds after its arrival.
            waited_s: Seconds since its arrival.
        """
        arrived = self._loop.time() - waited_s
        self._expected[call] = (arrived, arrived + after_s)
        if arrived + after_s < self._rings_at:
            self._ring_at(arrived + after_s)

    def forget(self, call: Expected) -> None:
        """The call has ended, or was answered."""
        if self._expected.pop(call, None) is None:
            self._overdue.pop(call, None)

    def close(self) -> None:
        """The server stops: what still runs is answered when it ends, or is told that it was stopped."""
        self._closed = True
        self._expected.clear()
        self._overdue.clear()
        self.jobs.on_end.remove(self._job_ended)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = when
        self._timer = None if self._closed or when == math.inf else self._loop.call_at(when, self._ring)

    def _ring(self) -> None:
        # A timer may ring a little early; what is due then must not be put off for a whole turn of the clock.
        now = max(self._loop.time(), self._rings_at)
        for call in [call for call, (_, due) in self._expected.items() if due <= now]:
            # One may have ended meanwhile, by what answering another set free.
            if (times := self._expected.pop(call, None)) is not None and not self._answer(call, now - times[0]):
                self._overdue[call] = times[0]
        self._ring_at(min((due for _, due in self._expected.values()), default=math.inf))

    def _job_ended(self, job: Job) -> None:
        if self._overdue and not self._retry_due:
            self._retry_due = True
            self._loop.call_soon(self._retry)  # not at once: whoever is told of the end too comes first

    def _retry(self) -> None:
        self._retry_due = False
        now = self._loop.time()
        for call, arrived in list(self._overdue.items()):
            if call in self._overdue and self._answer(call, now - arrived):
                self._overdue.pop(call, None)

    def _answer(self, call: Expected, waited_s: float) -> bool:
        """Whether the call needs no early answer any more."""
        try:
            return call.answer_early(waited_s)
        except Exception:  # a named boundary: one that cannot become a job is answered when it ends
            logger.exception("a call could not be answered early")
            return True


class JobPort:
    """What a function says when nobody waits for its answer: the last of it stands with the job.

    Args:
        job: Whose function it is.
        ask: Brings a question to the client that follows the job as a task; None: it cannot be asked any more.
        news: Called when the function has said something.
    """

    request_id: str | int | None = None
    wants_progress = True
    """Whoever follows it as a task is told; that may begin at any time."""

    def __init__(self, job: Job, news: Callable[[Job], None], ask: Callable[[Question], None] | None = None) -> None:
        self._job = job
        self._news = news
        self._ask = ask

    def wants_output(self, level: wire.LogLevel) -> bool:
        """What is printed may be the only sign of life there is."""
        return True

    def send_progress(self, progress: float, total: float | None, message: str | None) -> None:
        """The latest stands with the call: there whoever follows it looks."""
        self._news(self._job)

    def send_log(self, level: wire.LogLevel, data: wire.Json, logger: str | None) -> None:
        """Keep it as what the job said last."""
        self._job.hear(data)
        self._news(self._job)

    def ask(self, question: Question) -> None:
        """Bring a question to a client that follows the task; to any other there is no request any more within which it could be asked."""
        job = self._job
        if self._ask is not None:
            self._ask(question)
            return
        question.fail(
            NotAnswered(
                f"{job.tool} cannot ask its client any more: its call was answered and goes on as job {job.id}. "
                "Its author can let it ask before its long part, or define it with background_after_s=None or needs_task=True."
            )
        )


def arguments_digest(arguments: dict[str, wire.Json]) -> bytes:
    """Equal for arguments that are equal as JSON values, whatever the order of their members."""
    return hashlib.sha256(msgspec.json.encode(arguments, order="deterministic")).digest()


def early_answer(tool: ToolDefinition, job: Job) -> wire.CallToolResult:
    """A call has become a job."""
    begun = job.state is JobState.RUNNING
    so_far = f"Running {elapsed(job.seconds)} so far." if begun else f"It has waited {elapsed(job.seconds)} for its turn."
    return _promise(tool, f"{'Running' if begun else 'Waiting'} as job {job.id}{_where(job)}: {_advice(job)} {so_far}{said_last(job)}")


def same_again(tool: ToolDefinition, job: Job) -> wire.CallToolResult:
    """A call that runs already as a job was repeated."""
    return _promise(
        tool, f"Already {job.state.value} as job {job.id}{_where(job)}: {_advice(job)} It was not started again.{said_last(job)}"
    )


def verdict(job: Job, call: Call, answer: Answer | None, record: CallRecord) -> tuple[JobState, wire.CallToolResult]:
    """How a job ended, from what its call would have been answered with; the record is completed on the way."""
    if answer is None:
        record.outcome = Outcome.CANCELLED
        record.error = f"Job {job.id} ({job.tool}) was cancelled: {call.cancel_reason or 'no reason was given'}. {after_cancel(call)}"
        return JobState.CANCELLED, _told(record.error, is_error=True)
    if isinstance(answer, RemoteProtocolError):
        record.outcome, record.code, record.error = Outcome.RPC_ERROR, answer.code, answer.message
        return JobState.FAILED, _told(answer.message, is_error=True)
    result = answer if isinstance(answer, wire.CallToolResult) else _told("Internal error", is_error=True)
    if record.outcome is Outcome.PENDING:
        record.outcome = Outcome.TOOL_ERROR if result.is_error else Outcome.OK
    if record.outcome is Outcome.TIMEOUT:
        return JobState.TIMED_OUT, result
    return (JobState.FAILED if result.is_error else JobState.DONE), result


def _promise(tool: ToolDefinition, sentence: str) -> wire.CallToolResult:
    """See the chapter above: a promised structure that is not there yet can only be left out of an error."""
    return _told(sentence, is_error=tool.output is not None)


def _told(sentence: str, *, is_error: bool) -> wire.CallToolResult:
    return wire.CallToolResult(content=[wire.TextContent(text=sentence)], is_error=is_error)


def _advice(job: Job) -> str:
    return f'call job_wait("{job.id}") for its result; do not repeat this call.'


def _where(job: Job) -> str:
    """How far it is, or what it waits for."""
    if job.behind:
        return f" {job.behind}"
    return f" ({job.done})" if job.done else ""

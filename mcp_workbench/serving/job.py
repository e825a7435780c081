"""One job: a call that goes on after its request was answered, and how it is spoken of.

Its words are the same wherever a job is named: in an early answer, to an agent that waits, to the notebook's
author. Knows the call, no session and no wire id; `jobs.py` keeps jobs and says whose they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum

import msgspec

from mcp_workbench.execution.calls import Call, Progress
from mcp_workbench.primitives.tools import ToolDefinition
from mcp_workbench.protocol import wire
from mcp_workbench.serving.questions import CLIENTS_ANSWER
from mcp_workbench.wording import plain

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
        "_created",
        "_ended",
        "_outcome",
        "_said",
        "_tool",
        "began_at",
        "created_at",
        "error",
        "fetched",
        "number",
        "principal",
        "result",
        "result_bytes",
        "session_id",
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
        self.created_at = time.time()
        """When it became a job, in seconds since 1970."""
        self.error: wire.RpcError | None = None
        """The JSON-RPC error its call would have been answered with, where it was one; `result` says it in words."""
        self.result: wire.CallToolResult | None = None
        """What the call would have been answered with; None while it runs."""
        self.result_bytes = 0
        self.session_id = ""
        """The session in which the call had come."""
        self.fetched: float | None = None
        """When the result was first fetched, by the clock of `Jobs`."""
        self._tool: ToolDefinition | None = tool
        self._arguments = arguments
        self._call = call
        self._cancel: Callable[[str], None] | None = cancel
        self._clock = clock
        self._created = clock()
        self._began = self._created - waited_s
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
    def call_id(self) -> str:
        """The run of it, as in its call record."""
        return self._call.id

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
    def kept_s(self) -> float | None:
        """Seconds after it became a job for which its result is kept; None: it runs, and no end is set."""
        if self._ended is None:
            return None
        until = self._ended + KEPT_S
        return (until if self.fetched is None else min(until, self.fetched + KEPT_FETCHED_S)) - self._created

    @property
    def progress(self) -> Progress | None:
        """The latest progress its function reported; None when it reports none."""
        return self._call.progress

    @property
    def done(self) -> str:
        """How much of it is done, as the function reports it: `62 %`; empty when it does not."""
        return share(self.progress)

    @property
    def said(self) -> str:
        """The message of its latest progress, else what it logged last; one line, empty when there is neither."""
        progress = self.progress
        return ("" if progress is None else _one_line(progress.message)) or self._said

    @property
    def behind(self) -> str:
        """What it waits for: `behind cell [12], running 8 s`; empty when it runs, has ended, or that is not known."""
        obstacle = None if self.state is not JobState.WAITING else self._call.waiting_for
        return f"behind {obstacle}" if obstacle else ""

    @property
    def waits(self) -> str:
        """What it waits for, also where only that is known: `its turn`, `the client's answer`; empty when it runs or has ended."""
        if self._call.questions and not self.over:
            return CLIENTS_ANSWER
        return self.behind or ("its turn" if self.state is JobState.WAITING else "")

    @property
    def standing(self) -> str:
        """Where it is, as one phrase: `running, 62 %, 96 s`; `waiting, 50 s, behind cell [12], running 52 s`."""
        done = "" if self.over else self.done
        return ", ".join(part for part in (self.state.value, done, elapsed(self.seconds), self.behind) if part)

    def is_of(self, tool: ToolDefinition, arguments: bytes) -> bool:
        """Whether it runs this very definition with these arguments."""
        return self._tool is tool and self._arguments == arguments

    def hear(self, data: object) -> None:
        """The function logged something."""
        self._said = _one_line(data if isinstance(data, str) else msgspec.json.encode(data).decode())

    def cancel(self, reason: str) -> str:
        """End the call. The protocol loop's thread.

        Returns:
            What is known of its code, which may go on: a sentence.
        """
        if self._cancel is not None:
            self._cancel(reason)
        return after_cancel(self._call)

    def note_fetched(self) -> None:
        """Somebody was given the result: from now on it is kept for an hour."""
        if self.fetched is None:
            self.fetched = self._clock()

    def end(self, state: JobState, result: wire.CallToolResult, error: wire.RpcError | None = None) -> None:
        """It is over; nothing of the function and its arguments is kept."""
        self._ended, self.result, self.result_bytes, self.error = self._clock(), result, _size_of(result), error
        self._outcome = state
        self._tool, self._arguments, self._cancel = None, b"", None

    def expired(self) -> bool:
        """Whether its result has been kept long enough."""
        kept_s = self.kept_s
        return kept_s is not None and self._clock() - self._created >= kept_s


def after_cancel(call: Call) -> str:
    """What is known of the code of a call that was cancelled: a sentence."""
    if not call.started_ns:
        return "Its code had not begun."
    if call.run_on == "async":
        return "Its code is told so where it next awaits something, and may still be running."
    if call.run_on == "main":
        return "Its code was asked to stop and may still be running on the notebook's main thread, where the person can interrupt it."
    return "Its code was asked to stop and may still be running: Python code in a thread cannot be made to."


def elapsed(seconds: float) -> str:
    """A duration for people: `96 s`, `12 min`, `3.5 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def share(progress: Progress | None) -> str:
    """How much is done: `62 %`; empty when the function does not report it."""
    if progress is None:
        return ""
    if progress.total is not None and progress.total > 0:
        return f"{min(max(progress.progress / progress.total, 0), 1):.0%}".replace("%", " %")
    return f"{progress.progress:g} so far"


def said_last(job: Job) -> str:
    """What its function said last, as a sentence to append; empty when it said nothing."""
    return f" It said last: {job.said}" if job.said else ""


def _one_line(text: object) -> str:
    # Whatever the function gave as a message: what is no text is not shown, and of several lines the last is the newest.
    line = plain(str.strip(text).rpartition("\n")[2][: LONGEST_SAID + 1]) if isinstance(text, str) else ""
    return line if len(line) <= LONGEST_SAID else f"{line[: LONGEST_SAID - 1]}…"


def _size_of(result: wire.CallToolResult) -> int:
    try:
        return len(msgspec.json.encode(result))
    except Exception:  # noqa: BLE001  # a named boundary: whoever fetches a result that JSON cannot carry is told so then
        return 0

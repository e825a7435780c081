"""One run of user code, and the five ways it can end.

A call is not an exchange: an exchange is one request and its answer, a call is one run of a tool.
A call has at most one current exchange, reached through its `port`; it may outlive it and may gain a
new one. Nothing here knows threads, loops, schemas or messages: the rooms beside this module
(`threads.py`, `async_tools.py`, `inline.py`) decide where the two steps below run, `runner.py` decides
how a call ends, and `serving` fills in what to run.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from types import AsyncGeneratorType, CoroutineType
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from mcp_workbench.events import Era, Principal
from mcp_workbench.execution.portal import Portal
from mcp_workbench.protocol.wire import Json, LogLevel

if TYPE_CHECKING:  # they look up which call they are in
    from mcp_workbench.execution.context import CallContext
    from mcp_workbench.execution.drawings import Drawings
    from mcp_workbench.execution.output import CallOutput
    from mcp_workbench.execution.questions import Question

RunOn = Literal["thread", "async", "inline", "main"]
Clock = Callable[[], int]
"""Nanoseconds that only grow, like `time.perf_counter_ns`."""


PROGRESS_STEP = 1e-6
"""By how much progress grows where nothing is done yet: the protocol wants it to grow, and hosts draw it as a bar."""


class CallPort(Protocol):
    """How a call reaches its current exchange. Every method is called on the protocol loop's thread only."""

    @property
    def request_id(self) -> str | int | None:
        """The id the client gave its request, None when none is open any more; constant, read from any thread."""

    @property
    def wants_progress(self) -> bool:
        """Whether the request carried a progress token; constant, read from any thread."""

    def wants_output(self, level: LogLevel) -> bool:
        """Whether the client asked for log messages of this level, so that what is printed goes to it too; from any thread."""

    def send_progress(self, progress: float, total: float | None, message: str | None) -> None:
        """Pass one progress value on; one that is not above the last that was sent goes out as the next step above that.

        A tool's own values grow, but news of its waiting (`main_line`), in steps of `PROGRESS_STEP`, may have come before them.
        """

    def send_log(self, level: LogLevel, data: Json, logger: str | None) -> None:
        """Pass one log message on; the port knows which levels the client asked for."""

    def ask(self, question: Question) -> None:
        """Bring a question to the client, or fail it at once with a sentence; its answer settles it."""


class SessionFacts(Protocol):
    """What a tool may know of the session it is called in; read from any thread, so it must not change."""

    @property
    def session_id(self) -> str:
        """As the panel shows it."""

    @property
    def client_name(self) -> str | None:
        """From `clientInfo`: a label, never identity. None when the client said nothing."""

    @property
    def client_version(self) -> str | None:
        """From `clientInfo`."""

    @property
    def protocol_version(self) -> str:
        """The MCP revision spoken, for instance `2025-11-25`."""

    @property
    def era(self) -> Era:
        """Legacy or modern."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The latest thing a tool said about how far it is."""

    progress: float
    """Grows with every report."""
    total: float | None
    """What `progress` grows to; None when unknown."""
    message: str | None


class Returned(msgspec.Struct, frozen=True):
    """The function returned and its value was rendered."""

    value: object
    """What `Call.finish` gave."""


@dataclass(frozen=True, slots=True)
class Raised:
    """The function, or the rendering of its value (then `Call.returned_ns` is set), raised."""

    exception: BaseException
    """Its traceback begins in the user's code, not in ours."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Somebody asked for the call to end before it did."""

    reason: str
    may_still_run: bool = False
    """Whether user code was running: Python code in a thread cannot be stopped, only asked."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The call ran longer than its `timeout_s`, time in the queue not counted. Its code may still run."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Busy:
    """The call was never run."""

    sentence: str
    """What is full, and what to do; meant for the model."""


Outcome = Returned | Raised | Cancelled | TimedOut | Busy


class CallState(Enum):
    """Where a call is; changed on the protocol loop's thread only."""

    NEW = "new"
    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    """`on_done` was called. The user's code may still run, if the call was cancelled or timed out."""


class Call:
    """One run of user code. Made by `Execution.new_call`.

    Everything is set on the protocol loop's thread, except `started_ns`, `returned_ns`, `finished_ns`
    and `progress`, which belong to the thread that runs the code until the call has ended. Reading is
    allowed from any thread. While it waits for the main thread `waiting_for` says what has that (`cell [12], running 8 s`);
    `queued_behind` keeps the first such reading. `owner` is whose share of the threads it takes: the session that began it, also when
    that is gone; a `quick` call has threads of its own to run in. `questions` are those that its client
    has still to answer; `asked_ns` adds up how long it has waited for such. `work`, `finish` and `port` are let go when the call
    has ended, so a record that keeps the call keeps no argument, no result and no connection alive.
    """

    __slots__ = (
        "__weakref__",
        "asked_ns",
        "asking_since_ns",
        "cancel_reason",
        "cancelled",
        "context",
        "drawings",
        "dropped_logs",
        "finish",
        "finished_ns",
        "function",
        "id",
        "name",
        "on_done",
        "output",
        "owner",
        "port",
        "portal",
        "principal",
        "progress",
        "questions",
        "queued_behind",
        "queued_ns",
        "quick",
        "returned_ns",
        "run_on",
        "session",
        "started_ns",
        "state",
        "timeout_s",
        "waiting_for",
        "work",
    )

    def __init__(self, call_id: str, name: str, run_on: RunOn) -> None:
        self.id = call_id
        self.name = name
        self.run_on: RunOn = run_on
        self.work: Callable[[], object] | None = None
        self.finish: Callable[[object], object] = _as_it_is
        self.function: object = None
        self.timeout_s: float | None = None
        self.owner: str | None = None
        self.quick = False
        self.principal: Principal | None = None
        self.session: SessionFacts | None = None
        self.port: CallPort | None = None
        self.portal: Portal | None = None
        self.context: CallContext | None = None
        self.output: CallOutput | None = None
        self.drawings: Drawings | None = None
        self.on_done: Callable[[Call, Outcome], None] | None = None
        self.state = CallState.NEW
        self.cancelled = False
        self.cancel_reason = ""
        self.progress: Progress | None = None
        self.queued_behind: str | None = None
        self.waiting_for: str | None = None
        self.dropped_logs = 0
        self.questions: list[Question] = []
        self.asked_ns = self.asking_since_ns = 0
        self.queued_ns = self.started_ns = self.returned_ns = self.finished_ns = 0

    @property
    def holder(self) -> str | None:
        """Who is counted where principals share a bound; a call that is no principal's is its session's."""
        principal = self.principal
        return self.owner if principal is None else principal.name

    def is_over(self) -> bool:
        """Whether nothing the code says or returns will be heard any more."""
        return self.cancelled or self.state is CallState.ENDED

    def asking_ns(self, now_ns: int) -> int:
        """How long it has waited for its client's answers until now."""
        return self.asked_ns + (now_ns - self.asking_since_ns if self.questions else 0)

    def let_go(self) -> None:
        """Drop what the call held of the user's and the session's objects."""
        self.work = None
        self.finish = _as_it_is
        self.function = None
        self.port = None
        self.context = self.drawings = None


current_call: ContextVar[Call | None] = ContextVar("mcp_workbench_call", default=None)
"""The call that the code at hand belongs to; None: none, the code of a cell for instance. Set by whatever runs a call, always in a context
made for it, so nobody needs to unset it."""


def run_work(call: Call, clock_ns: Clock) -> Outcome:
    """Run the function and render what it returned, on the current thread, in a context made for it.

    Args:
        call: Its `work` and `finish` are run; nothing when it is already over.
        clock_ns: Stamps `started_ns`, `returned_ns` and `finished_ns`.

    Returns:
        `Returned` or `Raised`, whatever the code raised, SystemExit and KeyboardInterrupt included;
        `Cancelled` when there was nothing left to do.
    """
    work = call.work
    if call.is_over() or work is None:
        return Cancelled(call.cancel_reason)
    current_call.set(call)
    call.started_ns = clock_ns()
    try:
        value = work()
        refuse_unawaited(call.name, value)
    except BaseException as error:  # noqa: BLE001 - the named boundary: user code ends here, whatever it raises
        return Raised(from_user_code(error))
    call.returned_ns = clock_ns()
    return run_finish(call, value, clock_ns)


def render_value(call: Call, value: object, clock_ns: Clock) -> Outcome:
    """As `run_finish`, elsewhere than where the function ran. On the current thread, in a context of its own."""
    current_call.set(call)
    return run_finish(call, value, clock_ns)


def run_finish(call: Call, value: object, clock_ns: Clock) -> Outcome:
    """Render what the function returned, on the current thread.

    Args:
        call: Its `finish` is run, unless the call is over.
        value: What the function returned.
        clock_ns: Stamps `finished_ns`.

    Returns:
        `Returned`, `Raised`, or `Cancelled` when nobody waits for the result any more.
    """
    if call.is_over():
        return Cancelled(call.cancel_reason)
    try:
        rendered = call.finish(value)
    except BaseException as error:  # noqa: BLE001 - rendering runs the user's __str__, __iter__ and the like
        return Raised(from_user_code(error))
    call.finished_ns = clock_ns()
    return Returned(rendered)


def refuse_unawaited(name: str, value: object) -> None:
    """Refuse what an `async` function gave where a plain value was due.

    Raises:
        TypeError: With the sentence for the tool's author.
    """
    if isinstance(value, CoroutineType):
        value.close()
        raise TypeError(f"the tool {name!r} returned a coroutine instead of a value; define it with `async def`, or await the coroutine")
    if isinstance(value, AsyncGeneratorType):
        raise TypeError(f"the tool {name!r} is an async generator; return one value instead of yielding several")


def from_user_code(error: BaseException) -> BaseException:
    """The same exception without our own frame, so a traceback starts where the reader's code does."""
    trace = error.__traceback__
    return BaseException.with_traceback(error, trace.tb_next if trace is not None else None)


def _as_it_is(value: object) -> object:
    return value

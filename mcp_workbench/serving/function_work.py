"""Work that runs one function of the notebook's author.

Tools, resources and prompts differ in what they bind and how they render; that they run somewhere, can be
cancelled, can fail, time out or find the kernel busy is the same for all, and stands here. Binding,
the function and rendering all run where the author's code may run, never on the protocol loop (unless
the tool asked for `inline`): validators and `__str__` are the author's code too.
"""

from __future__ import annotations

import inspect
import logging
import time
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from mcp_workbench.errors import NotAnswered, RemoteProtocolError
from mcp_workbench.events import Era
from mcp_workbench.execution.calls import PROGRESS_STEP, Busy, Call, Cancelled, Outcome, Raised, Returned, RunOn, TimedOut
from mcp_workbench.execution.questions import Question
from mcp_workbench.execution.runner import Execution
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.primitives import ArgumentError, Arguments
from mcp_workbench.primitives.signature import is_async_function
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.serving.failures import Failure, failure_of
from mcp_workbench.serving.job import after_cancel
from mcp_workbench.serving.questions import Direct, Way, seconds_since, told
from mcp_workbench.serving.rounds import Rounds, Suspended
from mcp_workbench.sessions.session import Session
from mcp_workbench.sessions.work import Answer, Done, Work
from mcp_workbench.telemetry.records import CallRecord, freeze_exception
from mcp_workbench.telemetry.records import Outcome as RecordOutcome

logger = logging.getLogger("mcp_workbench")

STOPPED = "the notebook's author stopped it"
"""The reason of a call that was stopped in a view."""


class SessionView:
    """What a tool may know of the session and client that called it; fixed for the call."""

    __slots__ = ("client_name", "client_version", "era", "protocol_version", "session_id")

    def __init__(self, session: Session, exchange: Exchange) -> None:
        client = exchange.client
        self.session_id = session.id
        self.client_name: str | None = None if client.info is None else client.info.name
        self.client_version: str | None = None if client.info is None else client.info.version
        self.protocol_version: str = client.version
        self.era: Era = client.era


class Runnable(Protocol):
    """A function and where it runs."""

    @property
    def name(self) -> str:
        """Shown with the call."""

    @property
    def function(self) -> Callable[..., Any]:
        """Called with what `bind` gives."""

    @property
    def run_on(self) -> RunOn:
        """thread, async, inline or main."""

    @property
    def timeout_s(self) -> float | None:
        """Seconds until it is given up; None: never."""


class Defined(Runnable, Protocol):
    """A function of the author's, as it was registered."""

    @property
    def arguments(self) -> Arguments:
        """Its compiled binder."""

    @property
    def context_parameter(self) -> str | None:
        """Where the call's context goes."""


@dataclass(frozen=True, slots=True)
class OwnFunction:
    """A function of ours that must not run on the protocol loop."""

    name: str
    function: Callable[..., Any]
    run_on: RunOn = "thread"
    timeout_s: float | None = None


class FunctionWork(Work):
    """One run of one function for one request; subclasses say how it is bound and rendered.

    It is also the `CallPort` through which the call reaches its exchange. The two live and end together, unless the call asks
    its client something in the modern era: then the exchange ends, the call is suspended, and a retry becomes its exchange.

    Args:
        execution: Where it runs.
        session: Who asked.
        exchange: The request.
        record: What is written down about it.
        runs: The function.
        suspended: Where it waits when it has asked its client something; None: it asks nothing.
    """

    __slots__ = (
        "_asked",
        "_call",
        "_done",
        "_execution",
        "_fits",
        "_progress",
        "_resumed_ns",
        "_stopped",
        "_suspended",
        "_timed_out",
        "_way",
        "exchange",
        "notes",
        "record",
        "runs",
        "session",
    )

    def __init__(
        self,
        execution: Execution,
        session: Session,
        exchange: Exchange,
        record: CallRecord,
        runs: Runnable,
        suspended: Suspended | None = None,
    ) -> None:
        self._execution = execution
        self._suspended = suspended
        self._way: Way | None = None
        self._asked: tuple[str, ...] = ()
        self._fits = False
        """Whether the arguments were taken, so that the function was entered."""
        self._resumed_ns = 0
        self._timed_out = False
        self.runs = runs
        self._call: Call | None = None
        self._done: Done | None = None
        self._progress = float("-inf")  # the latest that was sent
        self._stopped = False
        self.session = session
        self.exchange = exchange
        self.record = record
        self.notes: tuple[str, ...] = ()

    # --- what a subclass says -------------------------------------------------------------------------

    @abstractmethod
    def bind(self, call: Call) -> dict[str, Any]:
        """Keyword arguments for the function; runs where the function runs."""

    @abstractmethod
    def render(self, value: object) -> wire.Result:
        """The function's value as a result; runs in a tool thread (or inline)."""

    @abstractmethod
    def fail(self, sentence: str, reason: str) -> Answer:
        """The answer when there is no value: `reason` is one word for programs, the sentence for people and models."""

    @property
    def is_authors(self) -> bool:
        """Whether what it runs was written by the notebook's author, and is theirs to mend."""
        return True

    @property
    def is_quick(self) -> bool:
        """Whether it is one of ours that takes milliseconds, and so may run in a thread kept for such."""
        return False

    def ended(self) -> None:
        """It has ended, however it ended; on the loop thread."""

    # --- Work ---------------------------------------------------------------------------------------------

    def start(self, done: Done) -> None:
        """Run."""
        self._done = done
        call = self._call = self._execution.new_call(
            self.runs.name,
            self.runs.run_on,
            function=self.runs.function,
            timeout_s=self.runs.timeout_s,
            principal=self.session.principal,
            port=self,
            owner=self.session.id,
            quick=self.is_quick,
        )
        call.work = self._run_async if self._awaits else self._run
        call.finish = self._finish
        self.record.call_id = call.id
        self._execution.start(call, self._ended)

    def cancel(self, reason: str) -> None:
        """Ask it to end; nobody is answered."""
        if self._call is not None:
            self._execution.cancel(self._call, reason)

    def stop(self) -> Answer | None:
        """End it for the notebook's author."""
        self._stopped = True
        if self._call is None:
            return self._told_stopped("Its code had not begun.")
        self._execution.cancel(self._call, STOPPED)
        return None

    def _told_stopped(self, of_its_code: str) -> Answer:
        record = self.record
        record.outcome, record.error = RecordOutcome.CANCELLED, f"The call was stopped by the notebook's author. {of_its_code}"
        return self.fail(f"{record.error} Ask them before you repeat it.", "stopped")

    def refuse(self, sentence: str) -> Answer:
        """Never started."""
        return self.fail(sentence, "busy")

    # --- where the author's code runs -----------------------------------------------------------------------

    @property
    def _awaits(self) -> bool:
        """Whether the function is an `async def`."""
        run_on = self.runs.run_on
        return run_on == "async" or (run_on == "main" and is_async_function(self.runs.function))

    def _run(self) -> object:
        try:
            return self.runs.function(**self._bound())
        except BaseException as error:  # noqa: BLE001  # the author's code ends here, whatever it raises
            raise self._failure(error) from None

    async def _run_async(self) -> object:
        try:
            value = self.runs.function(**self._bound())
            return await value if inspect.isawaitable(value) else value
        except BaseException as error:  # the author's code ends here, whatever it raises
            if isinstance(error, GeneratorExit) or (self._call is not None and self._call.cancelled):
                raise
            raise self._failure(error) from None

    def _failure(self, error: BaseException) -> BaseException:
        """What is left of an exception of the author's code; runs where the code ran."""
        return failure_of(error, self.runs.function, on_main=self.runs.run_on == "main")

    def _bound(self) -> dict[str, Any]:
        if self._call is None:
            raise Failure("the call was never made", None)
        arguments = self.bind(self._call)
        self._fits = True
        return arguments

    def _finish(self, value: object) -> wire.Result:
        try:
            return self.render(value)
        except BaseException as error:  # noqa: BLE001  # the author's code ends here, whatever it raises
            failure = self._failure(error)
            if isinstance(failure, Failure):
                failure.is_mistake = False  # no caller can help what the function returns
            raise failure from None

    def bind_definition(self, call: Call, definition: Defined, raw: dict[str, wire.Json]) -> dict[str, Any]:
        """Validated arguments, the snapshots they name (noted), and the context where the function wants one.

        Raises:
            ArgumentError: The arguments do not fit.
        """
        bound = definition.arguments.bind(raw, self.session.principal.name)
        self.notes = bound.notes
        parameter = definition.context_parameter
        if parameter is None:
            return bound.kwargs
        execution, call.session = self._execution, SessionView(self.session, self.exchange)
        context = execution.async_context(call) if self._awaits else execution.context(call)
        return bound.kwargs | {parameter: context}

    # --- CallPort, on the loop --------------------------------------------------------------------------

    @property
    def request_id(self) -> str | int:
        """The client's id."""
        return self.exchange.id

    @property
    def wants_progress(self) -> bool:
        """Whether the request carried a progress token."""
        return self.exchange.progress_token is not None

    def wants_output(self, level: wire.LogLevel) -> bool:
        """Whether what is printed goes to the client too."""
        return self.session.peer.wants_output(self.exchange, level)

    def send_progress(self, progress: float, total: float | None, message: str | None) -> None:
        """Latest value wins while the client does not read."""
        self._progress = progress = progress if progress > self._progress else self._progress + PROGRESS_STEP
        text = self.session.peer.progress(self.exchange, progress, total, message)
        if text is not None:
            self._notify(text, key="progress")

    def send_log(self, level: wire.LogLevel, data: wire.Json, logger: str | None) -> None:
        """Dropped, counted, once the outbox is full."""
        text = self.session.peer.log(self.exchange, level, data, logger)
        if text is not None:
            self._notify(text)

    def _notify(self, text: bytes, *, key: str | None = None) -> None:
        self.record.note(self.session.notify(text, owner=self.exchange.id, key=key))

    # --- asking the client ----------------------------------------------------------------------------------

    @property
    def sent(self) -> object:
        """The params of its first request, as they were sent."""
        return self.exchange.params

    @property
    def has_exchange(self) -> bool:
        """Whether a request waits for its answer; not while it is suspended."""
        return self._done is not None

    def ask(self, question: Question) -> None:
        """Bring a question to the client."""
        call, suspended = self._call, self._suspended
        if call is None or suspended is None:
            question.fail(NotAnswered(f"{self.runs.name} has nobody to ask."))
            return
        if self._way is None:
            legacy = self.exchange.client.era is Era.LEGACY
            self._way = Direct(self) if legacy else Rounds(suspended, call, self, self.sent)
        began_ns = time.perf_counter_ns()
        question.on_settled.append(lambda question: self._note_asked(told(question, seconds_since(began_ns))))
        suspended.questions.ask(question, call, self, self._way)

    def _note_asked(self, note: str) -> None:
        self._asked = (*self._asked, note)

    def suspend(self, answer: wire.InputRequiredResult) -> None:
        """Answer the request with what is asked; the call has none until a retry comes."""
        record, done = self.record, self._done
        if self._call is None or done is None:
            return
        self._done = None
        record.started_ns, record.returned_ns = self._started_ns(self._call), time.perf_counter_ns()
        record.notes = (*self.notes, *self._asked, "asks its client: input_required")
        record.outcome = RecordOutcome.INPUT_REQUIRED
        self._asked = ()
        self.record = _record_between(record)
        done(answer)

    def resume(self, session: Session, exchange: Exchange, record: CallRecord, done: Done) -> None:
        """A retry is the call's exchange from now on."""
        exchange.params = self.exchange.params  # as far as the call is concerned: a forwarded call stays what was meant
        record.target, record.call_id = self.record.target, self.record.call_id
        record.tool_version, record.defined_at = self.record.tool_version, self.record.defined_at
        self.session, self.exchange, self.record, self._done = session, exchange, record, done
        self._resumed_ns, self._progress = time.perf_counter_ns(), float("-inf")
        if self._call is not None and self._call.session is not None:
            self._call.session = SessionView(session, exchange)

    def give_up(self, reason: str, *, timed_out: bool) -> None:
        """End the call: nobody comes back for it."""
        self._timed_out = timed_out
        self.cancel(reason)

    def _started_ns(self, call: Call) -> int | None:
        """When this exchange's part of the run began."""
        return max(call.started_ns, self._resumed_ns) if call.started_ns else None

    def _ended_without_exchange(self, answer: Answer | None) -> None:
        record = self.record
        if record.outcome is RecordOutcome.PENDING:
            failed = isinstance(answer, RemoteProtocolError) or (isinstance(answer, wire.CallToolResult) and answer.is_error)
            record.outcome = RecordOutcome.TOOL_ERROR if failed else RecordOutcome.OK
        record.sent_ns = time.perf_counter_ns()
        if isinstance(self._way, Rounds) and self._suspended is not None:
            self._suspended.questions.record(record)
            self._way.hold(answer)

    # --- back on the loop -----------------------------------------------------------------------------------

    def _ended(self, call: Call, outcome: Outcome) -> None:
        record, done = self.record, self._done
        # What the caller sent did not fit: the function never began, and nothing was waited for.
        record.started_ns = self._started_ns(call) if self._fits else None
        # What raised has not returned; that it ended a moment before it was heard of here is near enough.
        record.returned_ns = call.returned_ns or (call.finished_ns if isinstance(outcome, Raised) and record.started_ns else None) or None
        record.notes = (*self.notes, *self._asked)
        if call.output is not None:
            record.printed = call.output.printed
        if call.queued_behind is not None:
            record.queued_behind = call.queued_behind
        answer: Answer | None
        try:
            self.ended()
            answer = self._answer_for(outcome)
        except Exception as error:  # a fault of ours must not leave the client waiting
            logger.exception("the end of a call of %s could not be told", self.runs.name)
            record.exception = freeze_exception(error)
            answer = RemoteProtocolError(ErrorCode.INTERNAL_ERROR, "Internal error", {"reason": type(error).__name__})
        if done is not None:
            done(answer)
        else:
            self._ended_without_exchange(answer)

    def _answer_for(self, outcome: Outcome) -> Answer | None:
        """One table for every way a call can end: docs/errors.md shows it."""
        record = self.record
        if isinstance(outcome, Returned):
            return outcome.value if isinstance(outcome.value, wire.Result) else self.fail("Internal error", "internal")
        if isinstance(outcome, Cancelled):
            if self._stopped and self._call is not None and (self.exchange_is_open or not self.has_exchange):
                return self._told_stopped(after_cancel(self._call))
            if not self.has_exchange:
                record.outcome = RecordOutcome.TIMEOUT if self._timed_out else RecordOutcome.CANCELLED
                record.error = f"The call waited for its client's answer and was ended: {outcome.reason}."
            if not self.exchange_is_open:
                return None
            record.error = "The call was stopped: the server is shutting down. Its code may still be running."
            return self.fail(record.error, "shutting down")
        if isinstance(outcome, TimedOut):
            record.outcome, record.is_authors = RecordOutcome.TIMEOUT, self.is_authors
            sentence = f"{self.runs.name} did not finish within {outcome.seconds:g} s and was given up; its code may still be running."
            record.error = sentence
            return self.fail(sentence, "timeout")
        if isinstance(outcome, Busy):
            record.outcome = RecordOutcome.REJECTED
            record.error = outcome.sentence
            return self.fail(outcome.sentence, "busy")
        return self._raised(outcome)

    @property
    def exchange_is_open(self) -> bool:
        """Whether somebody still waits for an answer."""
        return self.exchange.fate == "open" and not self.session.closed

    def _raised(self, outcome: Raised) -> Answer:
        error = outcome.exception
        failure = error if isinstance(error, Failure) else failure_of(error, self.runs.function, on_main=self.runs.run_on == "main")
        self.record.outcome = RecordOutcome.TOOL_ERROR
        self.record.is_authors = self.is_authors and not failure.is_mistake
        self.record.error, self.record.exception = failure.sentence[:500], failure.frozen
        if failure.required_capabilities is not None and self.exchange.client.era is Era.MODERN:
            self.record.outcome = RecordOutcome.RPC_ERROR
            return RemoteProtocolError(
                ErrorCode.MISSING_CLIENT_CAPABILITY, failure.sentence, {"requiredCapabilities": failure.required_capabilities}
            )
        return self.fail(failure.sentence, "failed")


def _record_between(told: CallRecord) -> CallRecord:
    """What is written down of a call while it is suspended; it counts only if no retry comes."""
    record = CallRecord(
        told.call_id,
        told.session_id,
        told.principal,
        told.era,
        told.method,
        told.target,
        told.request_id,
        told.received_ns,
        told.received_at,
        0,
    )
    record.tool_version, record.defined_at = told.tool_version, told.defined_at
    return record


class OtherWork(FunctionWork):
    """Work for a method other than `tools/call`: what goes wrong is a JSON-RPC error."""

    __slots__ = ()

    def fail(self, sentence: str, reason: str) -> Answer:
        """-32603 with the reason for programs and the sentence for people."""
        return RemoteProtocolError(ErrorCode.INTERNAL_ERROR, sentence, {"reason": reason})

    def error_for(self, error: BaseException) -> RemoteProtocolError | None:
        """The error a method has for this exception, here for arguments that do not fit; None: the function failed."""
        return RemoteProtocolError(ErrorCode.INVALID_PARAMS, str(error)) if isinstance(error, ArgumentError) else None

    def _failure(self, error: BaseException) -> BaseException:
        return self.error_for(error) or super()._failure(error)

    def _raised(self, outcome: Raised) -> Answer:
        error = outcome.exception
        return error if isinstance(error, RemoteProtocolError) else super()._raised(outcome)

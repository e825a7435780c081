"""`tools/list` and `tools/call`."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET

from mcp_workbench.errors import RemoteProtocolError, ToolError
from mcp_workbench.events import Era
from mcp_workbench.execution.calls import Call, CallState
from mcp_workbench.execution.questions import Question
from mcp_workbench.execution.runner import Execution
from mcp_workbench.jsonrpc import ErrorCode, encode
from mcp_workbench.limits import KIB
from mcp_workbench.primitives import ArgumentError, Rendering, RenderRequest, ToolDefinition
from mcp_workbench.primitives.rendered import json_size
from mcp_workbench.primitives.rendering import content_of_number
from mcp_workbench.primitives.tools import Forwarded, Waiting
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.content import takes_structured_content
from mcp_workbench.protocol.cursors import page
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.serving.background import Background, JobPort, arguments_digest, early_answer, same_again, verdict
from mcp_workbench.serving.budgets import chars_for, content_bytes
from mcp_workbench.serving.builtin.calling import explained
from mcp_workbench.serving.catalog import Catalog
from mcp_workbench.serving.function_work import FunctionWork
from mcp_workbench.serving.job import Job
from mcp_workbench.serving.jobs import Fetched
from mcp_workbench.serving.moved_on import unknown_function, unknown_tool, with_changes
from mcp_workbench.serving.rounds import Suspended
from mcp_workbench.serving.side_products import with_side_products
from mcp_workbench.serving.tasks import undeclared
from mcp_workbench.serving.waiting import News
from mcp_workbench.sessions.session import Session
from mcp_workbench.sessions.work import Answer, Done, Work
from mcp_workbench.telemetry.records import JOB, MAX_ARGUMENTS, CallRecord
from mcp_workbench.telemetry.records import Outcome as RecordOutcome

_DRAWN_BYTES = 96 * KIB
"""Room in a message for the figures that a call drew beside its value."""


class Tools:
    """Answers the tools methods.

    Args:
        catalog: The tools on offer.
        rendering: Turns what tools return into content.
        execution: Where tools run.
        news: Where calls wait that have nothing to say yet.
        after_call: Called on the loop thread when a tool has ended, however it ended.
        background: Answers calls early that take long.
        suspended: Where calls wait that have asked their client something.
    """

    def __init__(
        self,
        catalog: Catalog,
        rendering: Rendering,
        execution: Execution,
        news: News,
        after_call: Callable[[], None],
        background: Background,
        suspended: Suspended,
    ) -> None:
        self._catalog = catalog
        self._rendering = rendering
        self._execution = execution
        self._news = news
        self._after_call = after_call
        self._background = background
        self._suspended = suspended

    def list(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result:
        """`tools/list`."""
        tools = self._catalog.list()
        shown, following = page("tools", tools, exchange.params.cursor, key=attrgetter("name"), size=attrgetter("listed_bytes"))
        return wire.ListToolsResult(tools=[tool.listed for tool in shown], next_cursor=following or UNSET)

    def call(self, session: Session, exchange: Exchange, record: CallRecord) -> Work | wire.Result:
        """`tools/call`."""
        params: wire.CallToolParams = exchange.params
        record.target = params.name
        tool = self._catalog.get(params.name)
        if tool is None:
            raise RemoteProtocolError(ErrorCode.INVALID_PARAMS, unknown_tool(self._catalog, params.name))
        if tool.forwards:
            try:
                tool = self._meant(tool, exchange, record)
            except ToolError as error:
                record.error = str(error)
                return tool_error(record.error)
        record.tool_version, record.defined_at = tool.edition, tool.defined_at
        rest = params, self._suspended, self._rendering, self._news, self._after_call, self._background, self._catalog
        return ToolWork(self._execution, session, exchange, record, tool, *rest)

    def _meant(self, tool: ToolDefinition, exchange: Exchange, record: CallRecord) -> ToolDefinition:
        """The tool that a call of `notebook_call` means; from here on the exchange is a call of that.

        Raises:
            ToolError: Its arguments do not fit, or there is no such tool.
        """
        params: wire.CallToolParams = exchange.params
        sent = {} if params.arguments is UNSET else params.arguments
        try:
            forwarded: Forwarded = tool.function(**tool.arguments.bind(sent).kwargs)
        except ArgumentError as error:
            raise ToolError(explained(str(error), tool, sent)) from None
        meant = self._catalog.get(forwarded.name)
        if meant is None:
            raise ToolError(unknown_function(self._catalog, forwarded.name))
        exchange.params = msgspec.structs.replace(params, name=meant.name, arguments=forwarded.arguments)
        record.target = meant.name
        return meant


class ToolWork(FunctionWork):
    """One `tools/call`."""

    __slots__ = ("_after_call", "_background", "_catalog", "_leave", "_news", "_rendering", "_sent", "tool")

    def __init__(
        self,
        execution: Execution,
        session: Session,
        exchange: Exchange,
        record: CallRecord,
        tool: ToolDefinition,
        sent: wire.CallToolParams,
        suspended: Suspended,
        rendering: Rendering,
        news: News,
        after_call: Callable[[], None],
        background: Background,
        catalog: Catalog,
    ) -> None:
        super().__init__(execution, session, exchange, record, tool, suspended)
        self._sent = sent
        self._catalog = catalog
        self.tool = tool
        self._rendering = rendering
        self._news = news
        self._leave: Callable[[], None] | None = None
        self._after_call = after_call
        self._background = background

    @property
    def parks(self) -> bool:
        """Whether it may wait for news."""
        return self.tool.waits is not None

    @property
    def is_authors(self) -> bool:
        """Not where it is one of the workbench's own."""
        return self.tool.name not in self._catalog.builtins

    @property
    def is_quick(self) -> bool:
        """As its definition says."""
        return self.tool.quick

    def start(self, done: Done) -> None:
        """Run; a call that has nothing to say yet waits first, and one that runs as a job already is told so."""
        if self.tool.waits is not None:
            self._start_or_wait(done, self.tool.waits(self._arguments, self.session.principal.name))
        elif self.tool.needs_task and not self.exchange.client.takes_tasks:
            done(self._without_tasks())
        elif (after_s := self.tool.background_after_s) is None:
            super().start(done)
        elif (job := self._running_already()) is not None:
            self._note_job(job)
            done(self._background.tasks.of(job).handle() if self.exchange.client.takes_tasks else same_again(self.tool, job))
        elif self.tool.needs_task:
            super().start(done)
            if not self.answer_early(0.0):
                self._background.expect(self, 0.0, 0.0)  # answered with a task as soon as one can be had
        else:
            self._background.expect(self, after_s, (time.perf_counter_ns() - self.record.received_ns) / 1e9)
            super().start(done)

    def _without_tasks(self) -> Answer:
        sentence = (
            f"{self.tool.name} runs as a task only, and this client has not declared that it takes tasks: extensions ({wire.TASKS}). "
            "Use a host that does, or ask the author for a way without."
        )
        self.record.outcome, self.record.error = RecordOutcome.REJECTED, sentence
        return undeclared(sentence) if self.exchange.client.era is Era.MODERN else self.fail(sentence, "failed")

    def _start_or_wait(self, done: Done, waiting: Waiting | None) -> None:
        if waiting is None or waiting.ready():
            super().start(done)
        else:
            self._done = done
            leave = self._news.wait(waiting, self._go_on)
            if self._call is None:  # else the server stops and it went on at once
                self._leave = leave

    def _go_on(self) -> None:
        self._leave = None
        if self._done is not None:
            super().start(self._done)

    def cancel(self, reason: str) -> None:
        """Ask it to end; one that waits has ended."""
        if not self._left():
            super().cancel(reason)
        elif self._done is not None:
            self._done(None)

    def stop(self) -> Answer | None:
        """End it for the notebook's author; one that waits has ended."""
        self._left()
        return super().stop()

    def _left(self) -> bool:
        """Whether it was waiting for news; it no longer is."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()
        return leave is not None

    @property
    def _arguments(self) -> dict[str, wire.Json]:
        arguments = self.exchange.params.arguments
        return {} if arguments is UNSET else arguments

    def bind(self, call: Call) -> dict[str, Any]:
        """Validate the arguments and take the snapshots they name."""
        try:
            return self.bind_definition(call, self.tool, self._arguments)
        except ArgumentError as error:
            raise with_changes(error, self._catalog, self.tool, self._arguments.keys()) from None

    def render(self, value: object) -> wire.CallToolResult:
        """Content, structured content, and which versions were read."""
        if type(value) is Fetched:
            # That the job failed stands in the job's record; this call did what it was asked for.
            self.record.outcome = RecordOutcome.OK
            return value.result
        number = content_of_number(value) if self.tool.output is None else None
        if number is not None and (self._call is None or (self._call.output is None and self._call.drawings is None)):
            return wire.CallToolResult(content=self._with_notes([number]))
        request = self._render_request()
        for_value = self._leaving_room(request)
        rendered = self._rendering.render(value, for_value, self.tool.output)
        if for_value is not request and rendered.structured is not UNSET:
            request = msgspec.structs.replace(request, max_bytes=request.max_bytes - json_size(rendered.structured))
        content = with_side_products(rendered.content, value, self._call, request)
        return wire.CallToolResult(content=self._with_notes(content), structured_content=rendered.structured)

    def _with_notes(self, content: list[wire.Content]) -> list[wire.Content]:
        """The content, and which versions were read."""
        if self.notes:
            content.append(wire.TextContent(text=f"Read: {', '.join(self.notes)}"))
        return content

    def _render_request(self) -> RenderRequest:
        """How much room there is: in characters by the author's word, else by the client's name; in bytes by the connection."""
        max_bytes = content_bytes(self.session.peer.room(self.exchange))
        client = self.exchange.client.info
        max_chars = chars_for(client) if self.tool.max_chars is None else self.tool.max_chars
        return RenderRequest(
            tool=self.tool.name,
            max_chars=min(max_chars, max_bytes),
            principal=self.session.principal.name,
            keeper=self._rendering.keeper,
            max_bytes=max_bytes,
            takes_arguments=bool(self.tool.arguments.names),
            by_tool=self._catalog.reads,
            takes_structured=takes_structured_content(self.exchange.client.version),
        )

    def _leaving_room(self, request: RenderRequest) -> RenderRequest:
        """The same for the value, when figures follow it that the call drew."""
        if self._call is None or self._call.drawings is None:
            return request
        return msgspec.structs.replace(request, max_bytes=request.max_bytes - min(_DRAWN_BYTES, request.max_bytes // 2))

    def fail(self, sentence: str, reason: str) -> Answer:
        """An `isError` result: whatever goes wrong with a tool, the model can act on the sentence."""
        arguments = encode(self._arguments)
        self.record.arguments = arguments if len(arguments) <= MAX_ARGUMENTS else None
        return tool_error(sentence)

    def ended(self) -> None:
        """The function may have changed a published DataFrame: somebody should look."""
        self._background.forget(self)
        self._after_call()

    # --- asking the client: a call that waits for its client needs no early answer ------------------------------

    @property
    def sent(self) -> wire.CallToolParams:
        """As they were sent: of a forwarded call, to `notebook_call`."""
        return self._sent

    def ask(self, question: Question) -> None:
        """Bring a question to the client."""
        self._background.forget(self)
        question.on_settled.append(self._answered)
        super().ask(question)

    def _answered(self, question: Question) -> None:
        call, after_s = self._call, self.tool.background_after_s
        if call is not None and not call.is_over() and not call.questions and self.has_exchange and after_s is not None:
            self._background.expect(self, after_s, 0.0)

    # --- going on as a job ---------------------------------------------------------------------------------

    def answer_early(self, waited_s: float) -> bool:
        """Answer the request and go on as a job; False: no job can be had now."""
        call, done, background, as_task = self._call, self._done, self._background, self.exchange.client.takes_tasks
        if call is None or done is None or call.state not in (CallState.WAITING, CallState.RUNNING):
            return True
        if self.session.ending or not (as_task or background.fetchable()):
            return False  # a call ends with its session, and an early answer must be of use
        principal, arguments = self.session.principal.name, arguments_digest(self._arguments)
        job = background.jobs.begin(self.tool, principal, arguments, call, self.cancel, waited_s=waited_s)
        if job is None:
            return False
        job.session_id = self.session.id
        answer = self._task_of(job) if as_task else early_answer(self.tool, job)
        self.record.started_ns = call.started_ns or None
        self._note_job(job)
        self.record = self._record_of_job(call)
        call.port = JobPort(job, background.tasks.note_said, super().ask if as_task else None)
        self._done = partial(self._job_over, job, call)
        done(answer)
        return True

    def _task_of(self, job: Job) -> wire.CreateTaskResult:
        """Its client follows it as a task, which is also how it asks from now on."""
        brought = self.sent.input_responses if self._way is None else UNSET
        task = self._way = self._background.tasks.begin(job, brought or {})
        return task.handle()

    def _running_already(self) -> Job | None:
        jobs = self._background.jobs
        return jobs.same(self.tool, self.session.principal.name, arguments_digest(self._arguments)) if jobs.running else None

    def _note_job(self, job: Job) -> None:
        record = self.record
        record.outcome, record.job, record.notes = RecordOutcome.OK, job.id, (f"job {job.id}",)

    def _record_of_job(self, call: Call) -> CallRecord:
        """The request's record ends with its early answer; what becomes of the run is written here."""
        told, tool = self.record, self.tool
        record = CallRecord(
            call.id, told.session_id, told.principal, told.era, JOB, tool.name, told.request_id, told.received_ns, told.received_at, 0
        )
        record.tool_version, record.defined_at = told.tool_version, told.defined_at
        record.request = told.request
        return record

    def _job_over(self, job: Job, call: Call, answer: Answer | None) -> None:
        record = self.record
        state, result = verdict(job, call, answer, record)
        record.notes = (f"job {job.id}", *record.notes)
        record.sent_ns = time.perf_counter_ns()
        self._background.record(record)
        self._background.jobs.end(job, state, result, rpc_error(answer))


def rpc_error(answer: Answer | None) -> wire.RpcError | None:
    """The JSON-RPC error that an answer is, as part of a task; None where it is none."""
    if not isinstance(answer, RemoteProtocolError):
        return None
    return wire.RpcError(code=answer.code, message=answer.message, data=UNSET if answer.data is None else answer.data)


def tool_error(sentence: str) -> wire.CallToolResult:
    """A result that says what went wrong and what to do."""
    return wire.CallToolResult(content=[wire.TextContent(text=sentence)], is_error=True)

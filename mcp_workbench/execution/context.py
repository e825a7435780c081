"""`ctx`: what a tool can say and ask while it runs.

A tool speaks from whatever thread it is on and never waits, unless it asks its client something
(`questions.py`): progress and log messages are left here and one wake-up brings the protocol loop to fetch
them. Progress is a level, the latest value wins; log messages are a bounded queue. Nothing is sent once the
call has ended or was cancelled, and nothing while the call has no exchange. What a tool prints, warns of and
logs itself comes through `output.py`, which sends it from here too.

There are two classes with the same methods so that a tool can say which kind it is; the wrong one is
refused at registration. Knows the call and its port, no message and no session.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import msgspec

from mcp_workbench import errors
from mcp_workbench.events import Era, Principal
from mcp_workbench.execution.calls import Call, CallState, Clock, Progress, SessionFacts
from mcp_workbench.execution.portal import Portal
from mcp_workbench.execution.questions import Elicited, Question, Root, ask_person, ask_roots
from mcp_workbench.execution.sampling import Sampled, ToolLike, ask_model
from mcp_workbench.protocol.sampling import ToolChoice
from mcp_workbench.protocol.wire import LOG_LEVELS, Json, LogLevel

logger = logging.getLogger("mcp_workbench")

PENDING_LOGS = 1000
"""Log messages of one call that wait for the protocol loop; further ones are dropped and counted."""
WAIT_SLICE_S = 0.5
"""How long a `def` tool on the main thread waits for an answer at a time: on Windows no interrupt reaches it in between."""


class Done:
    """An awaitable that is done: code written as `await ctx.report_progress(...)` runs unchanged."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


DONE = Done()


@dataclass(frozen=True, slots=True)
class Client:
    """What the client says of itself: a label, never identity."""

    name: str | None
    version: str | None


class CallContext:
    """The one call a tool is running in. Every method and property: any thread, except where said otherwise."""

    __slots__ = ("_call", "_clock_ns", "_flush_posted", "_highest", "_lock", "_logs", "_portal", "_progress")

    def __init__(self, call: Call, portal: Portal, clock_ns: Clock = time.perf_counter_ns) -> None:
        self._call = call
        self._portal = portal
        self._clock_ns = clock_ns
        # Held for a few instructions, by the tool's own threads only; reentrant, as an object collected meanwhile may print.
        self._lock = threading.RLock()
        self._highest = float("-inf")
        self._progress: deque[Progress] = deque(maxlen=1)
        self._logs: deque[tuple[LogLevel, Json, str | None]] = deque()
        self._flush_posted = False

    # --- saying -----------------------------------------------------------------------------------

    def report_progress(self, progress: float, total: float | None = None, message: str | None = None) -> Done:
        """Say how far the work is; never blocks.

        Values that come faster than they can be sent are skipped, the latest is sent. Dropped: a value
        that is not finite or not higher than the one before (the protocol wants progress to increase), and
        any value after the call has ended or was cancelled.

        Args:
            progress: How much is done, in any unit.
            total: How much there is, in the same unit; None when unknown.
            message: One phrase for people.

        Returns:
            Something that may be awaited and need not be.
        """
        call = self._call
        value = float(progress)
        if call.is_over() or not isfinite(value):
            return DONE
        with self._lock:
            if value <= self._highest:
                return DONE
            self._highest = value
            call.progress = report = Progress(value, None if total is None else float(total), message)
            self._progress.append(report)
        if (port := call.port) is not None and port.wants_progress:
            self._wake()
        return DONE

    def log(self, data: Json, level: LogLevel = "info", logger: str | None = None) -> Done:
        """Send a log message to the client, if it asked for that level; never blocks.

        Args:
            data: Text, or anything made of dicts, lists, numbers and texts; other objects go as their `str()`.
            level: debug, info, notice, warning, error, critical, alert or emergency.
            logger: Name of what speaks; None for none.

        Returns:
            Something that may be awaited and need not be.

        Raises:
            ValueError: If the level is none of these.
        """
        if level not in LOG_LEVELS:
            raise ValueError(f"log level is one of {', '.join(LOG_LEVELS)}; got {str(level)[:40]!r}")
        call = self._call
        if call.is_over() or call.port is None:
            return DONE
        # A copy, as the tool may go on changing what it logged.
        entry = (level, data if type(data) is str else msgspec.to_builtins(data, str_keys=True, enc_hook=str), logger)
        with self._lock:
            if len(self._logs) >= PENDING_LOGS:
                call.dropped_logs += 1
                return DONE
            self._logs.append(entry)
        self._wake()
        return DONE

    # --- asking -----------------------------------------------------------------------------------

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more: cancelled, timed out, or the server stops."""
        return self._call.cancelled

    def check_cancelled(self) -> None:
        """Leave the tool if nobody waits for its result any more.

        Raises:
            Cancelled: With the reason; let it pass.
        """
        if self._call.cancelled:
            raise errors.Cancelled(self._call.cancel_reason)

    @property
    def call_id(self) -> str:
        """The call as the panel names it, for instance `c17`."""
        return self._call.id

    @property
    def request_id(self) -> str | int | None:
        """The id the client gave the request this call currently answers; None while there is none."""
        port = self._call.port
        return None if port is None else port.request_id

    @property
    def principal(self) -> Principal:
        """Whose credential was presented."""
        principal = self._call.principal
        if principal is None:
            raise errors.WorkbenchError(f"the call {self._call.id} was not made by a client, so it has no principal")
        return principal

    @property
    def session(self) -> SessionFacts:
        """The session the call came in."""
        session = self._call.session
        if session is None:
            raise errors.WorkbenchError(f"the call {self._call.id} was not made by a client, so it has no session")
        return session

    @property
    def client(self) -> Client:
        """Name and version the client gave; a label, never identity."""
        return Client(self.session.client_name, self.session.client_version)

    @property
    def protocol_version(self) -> str:
        """The MCP revision the client speaks, for instance `2025-11-25`."""
        return self.session.protocol_version

    @property
    def era(self) -> Era:
        """Legacy or modern."""
        return self.session.era

    # --- crossing to the protocol loop ------------------------------------------------------------

    def _put(self, questions: list[Question]) -> None:
        """Have the protocol loop bring questions to the client; whatever keeps it from that settles them."""
        if self._call.run_on == "inline" or self._portal.is_here():
            raise errors.NotAnswered(_INLINE.format(name=self._call.name))
        if self._call.state is CallState.NEW:
            raise errors.NotAnswered(f"{self._call.name} has nobody to ask: it runs again without its client.")
        if not self._portal.post(self._ask, questions):
            raise errors.Cancelled("the server has stopped")

    def _ask(self, questions: list[Question]) -> None:
        """The protocol loop's thread only."""
        for question in questions:
            call, port = self._call, self._call.port
            if port is None or call.is_over():
                question.fail(errors.Cancelled(call.cancel_reason or "the call has ended"))
            elif not question.future.done():  # else it was taken back meanwhile
                if not call.questions:
                    call.asking_since_ns = self._clock_ns()
                call.questions.append(question)
                question.on_settled.append(self._settled)
                port.ask(question)

    def _settled(self, question: Question) -> None:
        call = self._call
        call.questions.remove(question)
        if not call.questions:
            call.asked_ns += self._clock_ns() - call.asking_since_ns

    def _wake(self) -> None:
        if self._portal.is_here():
            self._flush()
        elif not self._flush_posted:
            self._flush_posted = True
            self._portal.post(self._flush)

    def _flush(self) -> None:
        """Hand everything pending to the port. The protocol loop's thread only."""
        self._flush_posted = False  # before looking: what is said from here on wakes the loop again
        progress = self._progress.popleft() if self._progress else None
        logs = [self._logs.popleft() for _ in range(len(self._logs))]
        port = self._call.port
        if port is None or self._call.is_over():
            return
        for level, data, name in logs:
            self._guard(port.send_log, level, data, name)
        if progress is not None and port.wants_progress:
            self._guard(port.send_progress, progress.progress, progress.total, progress.message)

    def _guard(self, send: Any, *values: object) -> None:
        try:
            send(*values)
        except Exception:  # the border to serving: what a tool says must not break what it returns
            logger.exception("a message of call %s could not be sent", self._call.id)


class Context(CallContext):
    """`ctx` of a `def` tool; what asks the client blocks the tool's thread until the answer is there."""

    __slots__ = ()

    def elicit(
        self, message: str, schema: object = None, *, url: str | None = None, key: str | None = None, timeout_s: float | None = None
    ) -> Elicited:
        """Ask the person before the client.

        Args:
            message: What is asked, at most 4,000 characters.
            schema: The form: a JSON Schema of flat fields, a pydantic model, dataclass or TypedDict, a dict of names and
                annotations, or one annotation (`bool`, `Literal["a", "b"]`); None: a mere yes or no.
            url: A page to send them to instead of a form, for clients that declared this (2025-11-25 and later).
            key: Names the question (2026-07-28); one that is named may be answered by the call itself, in `inputResponses`.
            timeout_s: Seconds until it is given up; at most, and unless told, `Limits.answer_wait_s` (300 s).

        Returns:
            What they did, with the value the form's schema makes of their answer when they accepted.

        Raises:
            NotAnswered: The client cannot be asked, or gave no answer that fits; its text is meant for the model.
            Cancelled: Nobody waits for the tool's result any more; let it pass.
            ValueError: The question is none.
        """
        answer: Elicited = self._wait(ask_person(message, schema, url=url, key=key, timeout_s=timeout_s))
        return answer

    def sample(
        self,
        messages: str | Sequence[str | Mapping[str, Json]],
        *,
        max_tokens: int = 1000,
        system_prompt: str | None = None,
        temperature: float | None = None,
        stop_sequences: Sequence[str] | None = None,
        model_preferences: str | Sequence[str] | Mapping[str, Json] | None = None,
        tools: Sequence[ToolLike] | None = None,
        tool_choice: ToolChoice | None = None,
        key: str | None = None,
        timeout_s: float | None = None,
    ) -> Sampled:
        """Ask the client's model.

        Args:
            messages: A text; or texts and `{"role": …, "content": …}`, in order.
            max_tokens: Longest answer.
            system_prompt: What the model is told first.
            temperature: As the model takes it.
            stop_sequences: Texts at which it ends.
            model_preferences: Names of models, or a ModelPreferences as on the wire; the client chooses.
            tools: What the model may want used, for clients that declared this (2025-11-25 and later): functions, or Tools as on the
                wire. Nothing runs by itself: `.tool_uses` of the answer says what it wants, and the next call brings the results.
            tool_choice: `auto`, `required` or `none`; None: as the client does, which is `auto`.
            key: As for `elicit`.
            timeout_s: As for `elicit`.

        Returns:
            Its answer.

        Raises:
            NotAnswered, Cancelled, ValueError: As `elicit`.
        """
        answer: Sampled = self._wait(
            ask_model(
                messages,
                max_tokens=max_tokens,
                system_prompt=system_prompt,
                temperature=temperature,
                stop_sequences=stop_sequences,
                model_preferences=model_preferences,
                tools=tools,
                tool_choice=tool_choice,
                key=key,
                timeout_s=timeout_s,
            )
        )
        return answer

    def roots(self, *, key: str | None = None, timeout_s: float | None = None) -> list[Root]:
        """Ask which folders the client lends.

        Args:
            key: As for `elicit`.
            timeout_s: As for `elicit`.

        Raises:
            NotAnswered, Cancelled: As `elicit`.
        """
        answer: list[Root] = self._wait(ask_roots(key=key, timeout_s=timeout_s))
        return answer

    def _wait(self, question: Question) -> Any:
        call, future = self._call, question.future
        if call.run_on == "main" and call.principal is not None and call.principal.own:
            raise errors.NotAnswered(_OWN_CLIENT.format(name=call.name))
        question.blocks = True
        self._put([question])
        try:
            while call.run_on == "main" and not future.done():
                concurrent.futures.wait([future], WAIT_SLICE_S)
            return question.value(future.result())
        except BaseException:
            self._portal.post(question.fail, errors.Cancelled("the tool no longer waits for it"))
            raise
        finally:
            del question, future  # what is raised stands in the future: this frame would close the circle


class AsyncContext(CallContext):
    """`ctx` of an `async def` tool: what asks the client is awaited, nothing else needs to be."""

    __slots__ = ("_asked",)

    def __init__(self, call: Call, portal: Portal, clock_ns: Clock = time.perf_counter_ns) -> None:
        super().__init__(call, portal, clock_ns)
        self._asked: list[Question] = []

    async def elicit(
        self, message: str, schema: object = None, *, url: str | None = None, key: str | None = None, timeout_s: float | None = None
    ) -> Elicited:
        """As `Context.elicit`; cancelling is safe, the question is taken back."""
        answer: Elicited = await self._answer(ask_person(message, schema, url=url, key=key, timeout_s=timeout_s))
        return answer

    async def sample(
        self,
        messages: str | Sequence[str | Mapping[str, Json]],
        *,
        max_tokens: int = 1000,
        system_prompt: str | None = None,
        temperature: float | None = None,
        stop_sequences: Sequence[str] | None = None,
        model_preferences: str | Sequence[str] | Mapping[str, Json] | None = None,
        tools: Sequence[ToolLike] | None = None,
        tool_choice: ToolChoice | None = None,
        key: str | None = None,
        timeout_s: float | None = None,
    ) -> Sampled:
        """As `Context.sample`; cancelling is safe, the question is taken back."""
        answer: Sampled = await self._answer(
            ask_model(
                messages,
                max_tokens=max_tokens,
                system_prompt=system_prompt,
                temperature=temperature,
                stop_sequences=stop_sequences,
                model_preferences=model_preferences,
                tools=tools,
                tool_choice=tool_choice,
                key=key,
                timeout_s=timeout_s,
            )
        )
        return answer

    async def roots(self, *, key: str | None = None, timeout_s: float | None = None) -> list[Root]:
        """As `Context.roots`; cancelling is safe, the question is taken back."""
        answer: list[Root] = await self._answer(ask_roots(key=key, timeout_s=timeout_s))
        return answer

    async def _answer(self, question: Question) -> Any:
        # What is asked side by side (`asyncio.gather`) goes out together, so that one round trip answers it all.
        self._asked.append(question)
        if len(self._asked) == 1:
            asyncio.get_running_loop().call_soon(self._put_asked)
        try:
            return question.value(await asyncio.wrap_future(question.future))
        except asyncio.CancelledError:
            self._portal.post(question.fail, errors.Cancelled("the tool no longer waits for it"))
            raise
        finally:
            del question

    def _put_asked(self) -> None:
        asked, self._asked = self._asked, []
        try:
            self._put(asked)
        except errors.WorkbenchError as error:
            for question in asked:
                question.fail(error)


_INLINE = (
    '{name} cannot ask its client: it runs inline, on the very loop that would bring the answer. Its author can leave out run_on="inline"'
)
_OWN_CLIENT = (
    "{name} cannot ask its client: both have the notebook's main thread, and waiting there for the answer would keep it from coming. "
    'Its author can make it an async def, or leave out run_on="main"'
)

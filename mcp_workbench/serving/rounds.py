"""Calls that are suspended (2026-07-28): answered `input_required`, alive, and taken up again by the retry; never run twice.

A call that asks is answered with its questions and a `requestState`; from then on it has no exchange. The retry is a
request of its own, with an id of its own, perhaps on another connection of the same principal. It becomes the call's exchange, its
answers settle the questions, and what the function then returns, or asks further, answers it. What was not
answered, or does not fit, is asked again. A result that is there before the retry is kept for it.

A state is good once, for the same request, by the same principal, until its time is up; then the call is ended. Neighbours:
`request_state.py` makes and proves the token, `questions.py` has the rules of asking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Protocol

from msgspec import UNSET

from mcp_workbench.errors import NotAnswered, RemoteProtocolError
from mcp_workbench.events import Era
from mcp_workbench.execution.calls import Call
from mcp_workbench.execution.questions import Question
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.serving.questions import ENVELOPE_BYTES, Questions, input_request
from mcp_workbench.serving.request_state import RequestState, request_digest, seal, unseal
from mcp_workbench.sessions.session import Session
from mcp_workbench.sessions.work import Answer, Done, Work
from mcp_workbench.sharing import Shares
from mcp_workbench.telemetry.records import CALL_TOOL, CallRecord

MAX_MISFITS = 10
"""Retries of one call without an answer that fits; then its questions fail."""

UNKNOWN = (
    "Invalid params: this requestState is not valid here. It is good once, for the same request with the same arguments, by the same "
    "principal, and only while the kernel that gave it runs. Make the call again without requestState and inputResponses."
)
OVER = (
    "Invalid params: the call that this requestState belongs to has ended: its answer came too late, or it was stopped. "
    "Make the call again without requestState and inputResponses."
)
USED = "Invalid params: this requestState was used already; a requestState is good once. Use the latest one of this call."


class Suspendable(Protocol):
    """A call that can be without an exchange: `FunctionWork`."""

    session: Session
    exchange: Exchange
    record: CallRecord

    @property
    def has_exchange(self) -> bool:
        """Whether a request waits for its answer."""

    def suspend(self, answer: wire.InputRequiredResult) -> None:
        """Answer the request; the call goes on without."""

    def resume(self, session: Session, exchange: Exchange, record: CallRecord, done: Done) -> None:
        """Take a further request as the call's own."""

    def give_up(self, reason: str, *, timed_out: bool) -> None:
        """End the call."""

    def cancel(self, reason: str) -> None:
        """Its request was taken back."""

    def stop(self) -> Answer | None:
        """The notebook's author ends it."""


class Suspended:
    """The calls of one server that wait for a retry. The protocol loop's thread only; readings: any.

    Args:
        questions: The rules, and the secret.
    """

    def __init__(self, questions: Questions) -> None:
        self.questions = questions
        self._calls: dict[str, Rounds] = {}
        self._shares = Shares(questions.limits.suspended_calls)

    def __len__(self) -> int:
        """Count them; bound: `limits.suspended_calls`."""
        return len(self._calls)

    def statistics(self) -> dict[str, int]:
        """Reading of every bound of asking. From any thread."""
        questions = self.questions
        return {"questions": questions.waiting, "asking_threads": questions.blocked, "suspended_calls": len(self)}

    def waiting(self) -> list[Rounds]:
        """Those that wait, not those that have a result already. From any thread."""
        return [rounds for rounds in tuple(self._calls.values()) if rounds.held is None]

    def find(self, call_id: str) -> Rounds | None:
        """One of those that wait."""
        rounds = self._calls.get(call_id)
        return rounds if rounds is not None and rounds.held is None else None

    def refusal(self, principal: str) -> str | None:
        """Why one more call of a principal may not wait; None: it may."""
        shares = self._shares
        if shares.may_take(principal):
            return None
        return f"{shares.taken(principal, 'calls')} wait for answers already, which is all that may. Call it again later."

    def add(self, rounds: Rounds) -> None:
        """It waits from now on."""
        if rounds.call.id not in self._calls:
            self._shares.take(rounds.principal)
        self._calls[rounds.call.id] = rounds

    def drop(self, rounds: Rounds) -> None:
        """It waits no longer."""
        if self._calls.pop(rounds.call.id, None) is not None:
            self._shares.give_back(rounds.principal)

    def retry(self, session: Session, exchange: Exchange, record: CallRecord) -> Work | None:
        """The work of a request that goes on with a suspended call; None when it is a request like any other."""
        state = getattr(exchange.params, "request_state", UNSET)
        if state is UNSET or exchange.client.era is Era.LEGACY:
            return None
        record.target = exchange.params.uri if isinstance(exchange.params, wire.UriParams) else exchange.params.name
        return Retry(self, session, exchange, record)

    def take(self, session: Session, exchange: Exchange) -> Rounds:
        """The call that a request's state belongs to; its state is used up.

        Raises:
            RemoteProtocolError: -32602, with the sentence.
        """
        digest = request_digest(exchange.method, exchange.params)
        state = unseal(self.questions.secret, exchange.params.request_state, session.principal.name, digest)
        if state is None:
            raise RemoteProtocolError(ErrorCode.INVALID_PARAMS, UNKNOWN)
        rounds = self._calls.get(state.call_id)
        if rounds is None or state.round != rounds.round:
            used = rounds is not None or state.until_ms > self.now_ms()
            raise RemoteProtocolError(ErrorCode.INVALID_PARAMS, USED if used else OVER)
        self.drop(rounds)
        return rounds

    def now_ms(self) -> int:
        """The clock of states."""
        return int(self.questions.loop.time() * 1000)

    def forget(self, principal: str) -> None:
        """A principal was revoked: end its calls."""
        self._end(
            (each for each in tuple(self._calls.values()) if each.principal == principal), "the credential of its principal was revoked"
        )

    def close(self) -> None:
        """The server stops: nothing is asked any more, and nobody will come back."""
        self.questions.closed = True
        self._end(tuple(self._calls.values()), "the server is shutting down")

    def _end(self, calls: Iterable[Rounds], reason: str) -> None:
        for rounds in calls:
            rounds.end(reason)


class Rounds:
    """The questions of one call, and its rounds. The protocol loop's thread only.

    Args:
        suspended: Where it waits.
        call: The run.
        work: Its side towards the client.
        sent: The params of its first request, as they were sent.
    """

    ends_waiting = True

    def __init__(self, suspended: Suspended, call: Call, work: Suspendable, sent: object) -> None:
        self.call = call
        self.work = work
        self.principal = work.session.principal.name
        self.round = 0
        self.held: Answer | None = None
        """The call's answer, where it is there before the retry."""
        self._suspended = suspended
        self._digest = request_digest(work.exchange.method, sent)
        self._brought: dict[str, wire.Json] = getattr(work.exchange.params, "input_responses", None) or {}
        """Answers that the first request brought along."""
        self._open: dict[str, Question] = {}
        self._asked = 0
        self._misfits = 0
        self._flush_due = False
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, question: Question) -> None:
        """Have it answered by this round's client, together with what is asked in the same turn of the loop."""
        self._asked += 1
        key = question.key or f"q{self._asked}"
        if key in self._open:
            question.fail(NotAnswered(f"{self.call.name} asks two questions named {key!r} at once; give each a key of its own."))
            return
        if question.key is not None and self._answer(question, self._brought.pop(key, None)):
            return
        self._open[key] = question
        question.on_settled.append(partial(self._close, key))
        self._flush_soon()

    def _close(self, key: str, question: Question) -> None:
        self._open.pop(key, None)

    def _answer(self, question: Question, result: wire.Json) -> bool:
        if not isinstance(result, dict) or question.misfit(result) is not None:
            return False
        question.answer(result)
        return True

    def _flush_soon(self) -> None:
        if not self._flush_due and self.work.has_exchange:
            self._flush_due = True
            self._suspended.questions.loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Answer the exchange with what is asked, as far as one message holds it; the rest is asked in the next round."""
        self._flush_due = False
        if not self._open or not self.work.has_exchange or self.call.is_over():
            return
        refusal = self._suspended.refusal(self.principal)
        if refusal is not None:
            self._fail(refusal)
            return
        requests: dict[str, wire.InputRequest] = {}
        room = self.work.session.peer.room(self.work.exchange) - ENVELOPE_BYTES
        for key, question in self._open.items():
            room -= question.size
            if requests and room < 0:
                break
            requests[key] = input_request(question)
        self._suspend(requests)

    def _suspend(self, requests: dict[str, wire.InputRequest]) -> None:
        questions = self._suspended.questions
        wait_s = questions.limits.answer_wait_s
        self.round += 1
        state = RequestState(self.call.id, self.round, self._suspended.now_ms() + int(wait_s * 1000))
        token = seal(questions.secret, state, self.principal, self._digest)
        self._suspended.add(self)
        self._timer = questions.loop.call_later(wait_s, partial(self.end, f"nobody answered within {wait_s:g} s", timed_out=True))
        self.work.suspend(wire.InputRequiredResult(input_requests=requests, request_state=token))

    def _fail(self, sentence: str) -> None:
        for question in tuple(self._open.values()):
            question.fail(NotAnswered(f"{self.call.name} cannot ask its client: {sentence}"))

    def resume(self, session: Session, exchange: Exchange, record: CallRecord, done: Done) -> None:
        """The retry is there: it is the call's exchange now."""
        self._stop_timer()
        responses = exchange.params.input_responses or {}
        self.work.resume(session, exchange, record, done)
        if self.held is not None:
            held, self.held = self.held, None
            done(held)
            return
        fitting = [self._answer(question, responses.get(key)) for key, question in tuple(self._open.items())]
        self._misfits = 0 if any(fitting) else self._misfits + 1
        if self._misfits >= MAX_MISFITS:
            self._fail(f"it retried {MAX_MISFITS} times without an answer that fits.")
        elif self._open:
            self._flush_soon()

    def hold(self, answer: Answer | None) -> bool:
        """The call has ended while it had no exchange; says whether its answer is kept for the retry."""
        self.held = answer
        if answer is None:
            self._stop_timer()
            self._suspended.drop(self)
        return answer is not None

    def end(self, reason: str, *, timed_out: bool = False) -> None:
        """Nobody comes back for it."""
        self._stop_timer()
        self._suspended.drop(self)
        if self.held is None:
            self.work.give_up(reason, timed_out=timed_out)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Retry(Work):
    """A request with a `requestState`: it finds its call when its turn has come."""

    __slots__ = ("_exchange", "_record", "_session", "_suspended", "_work")

    def __init__(self, suspended: Suspended, session: Session, exchange: Exchange, record: CallRecord) -> None:
        self._suspended = suspended
        self._session = session
        self._exchange = exchange
        self._record = record
        self._work: Suspendable | None = None

    def start(self, done: Done) -> None:
        """Go on with the call, or say why not."""
        try:
            rounds = self._suspended.take(self._session, self._exchange)
        except RemoteProtocolError as error:
            done(error)
            return
        self._work = rounds.work
        rounds.resume(self._session, self._exchange, self._record, done)

    def cancel(self, reason: str) -> None:
        """End the call."""
        if self._work is not None:
            self._work.cancel(reason)

    def stop(self) -> Answer | None:
        """End the call; one that was still to be found waits on."""
        if self._work is None:
            return self._failed("The call was stopped by the notebook's author. Ask them before you repeat it.", "stopped")
        return self._work.stop()

    def refuse(self, sentence: str) -> Answer:
        """Not taken on: the state stays good."""
        return self._failed(sentence, "busy")

    def _failed(self, sentence: str, reason: str) -> Answer:
        if self._exchange.method == CALL_TOOL:
            return wire.CallToolResult(content=[wire.TextContent(text=sentence)], is_error=True)
        return RemoteProtocolError(ErrorCode.INTERNAL_ERROR, sentence, {"reason": reason})

"""What calls ask their clients, of one server: who may ask, how long is waited, and how a question reaches its client.

Up to 2025-11-25 a question is a request to the client while the call's own is open (`Direct`). From 2026-07-28 a
server asks nothing: the call's request is answered `input_required`, and the retry brings the answer
(`rounds.py`). Where the author's code runs, the two look the same.

Nothing here knows tools or forms. Neighbours: `execution/questions.py` has what is asked, `function_work.py` the call
that asks, `request_state.py` the token of a suspended call.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from msgspec import UNSET

from mcp_workbench.errors import LocalProtocolError, NotAnswered, PeerError
from mcp_workbench.execution.calls import Call
from mcp_workbench.execution.questions import Question
from mcp_workbench.limits import Limits
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import ClientFacts, Exchange
from mcp_workbench.protocol.versions import V2025_11_25
from mcp_workbench.sessions.session import Session
from mcp_workbench.sharing import Shares
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.wording import plain

ENVELOPE_BYTES = 2048
"""Room in a message for what is around a question."""
CLIENTS_ANSWER = "the client's answer"
"""What a call waits for that has asked something."""
_SINCE_2025_11_25 = frozenset({"url", "tools"})
"""Parts of capabilities that no earlier revision has."""
MAX_AT_ONCE = 16
"""Questions of one call that wait at the same time."""


class Asking(Protocol):
    """A call that may ask, with the exchange it has at this moment; the latest one while it has none."""

    @property
    def session(self) -> Session:
        """Where the exchange came in."""

    @property
    def exchange(self) -> Exchange:
        """The client's request."""


class Way(Protocol):
    """How the questions of one call reach its client."""

    ends_waiting: bool
    """Whether it sees to it itself that nothing waits for ever."""

    def ask(self, question: Question) -> None:
        """Bring it there, or fail it."""


class Questions:
    """The rules of asking, and the memory of suspended calls. The protocol loop's thread only; readings: any.

    Args:
        loop: The protocol loop, for its clock and timers.
        limits: `answer_wait_s`, `suspended_calls` and `asking_threads` are used.
        record: Where the record of a suspended call goes that ended without a retry.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: Limits, record: Callable[[CallRecord], None]) -> None:
        self.loop = loop
        self.limits = limits
        self.record = record
        self.secret = secrets.token_bytes(32)
        """Of this run of the server: what another one gave out is void."""
        self.closed = False
        self._open = 0
        self._blocked = Shares(limits.asking_threads)

    @property
    def waiting(self) -> int:
        """Questions that wait for an answer."""
        return self._open

    @property
    def blocked(self) -> int:
        """`def` functions whose threads wait for an answer; bound: `limits.asking_threads`."""
        return self._blocked.total

    def ask(self, question: Question, call: Call, asking: Asking, way: Way) -> None:
        """Let a call ask something, or fail the question with the sentence that says why not.

        Args:
            question: What.
            call: Whose it is; the question is among its `questions` already.
            asking: Where it stands.
            way: How it gets there.
        """
        refusal = self._refusal(question, call, asking)
        if refusal is not None:
            question.fail(refusal)
            return
        timer = None if way.ends_waiting and question.timeout_s is None else self._timer(question, call)
        self._open += 1
        holder = call.holder
        if question.blocks:
            self._blocked.take(holder)
        question.on_settled.append(partial(self._settled, timer, holder))
        way.ask(question)

    def _timer(self, question: Question, call: Call) -> asyncio.TimerHandle:
        wait_s = min(question.timeout_s or self.limits.answer_wait_s, self.limits.answer_wait_s)
        sentence = f"{call.name} asked {question.whom} and got no answer within {wait_s:g} s."
        return self.loop.call_later(wait_s, question.fail, NotAnswered(sentence))

    def _settled(self, timer: asyncio.TimerHandle | None, holder: str | None, question: Question) -> None:
        if timer is not None:
            timer.cancel()
        self._open -= 1
        if question.blocks:
            self._blocked.give_back(holder)

    def _refusal(self, question: Question, call: Call, asking: Asking) -> NotAnswered | None:
        name, client = call.name, asking.exchange.client
        if self.closed:
            return NotAnswered(f"{name} cannot ask its client: the server is shutting down.")
        if not _declares(client, question.needs):
            return _undeclared(name, question)
        if len(call.questions) > MAX_AT_ONCE:
            return NotAnswered(f"{name} asks too much at once: {MAX_AT_ONCE} questions of one call may wait for answers.")
        if question.blocks and not self._blocked.may_take(call.holder):
            return NotAnswered(
                f"{name} cannot ask its client now: {self._blocked.taken(call.holder, 'tools')} wait for answers already, each with a "
                "thread of its own, which is all that may. Call it again later; its author can make it an async def, "
                "which waits without a thread."
            )
        room = asking.session.peer.room(asking.exchange) - ENVELOPE_BYTES
        if question.size > room:
            return NotAnswered(f"{name} asks something of {question.size:,} bytes; this connection takes {room:,}.")
        return None


class Direct:
    """The way up to 2025-11-25: a request of ours while the client's is open.

    Args:
        asking: The call; its exchange stays the same.
    """

    ends_waiting = False

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def ask(self, question: Question) -> None:
        """Send it; when its answer is wanted no longer the client is told."""
        session, exchange = self._asking.session, self._asking.exchange
        try:
            pending = session.ask(exchange, question.method, question.params, Reply(question))
        except LocalProtocolError as error:
            question.fail(NotAnswered(f"The client cannot be asked: {error}."))
            return
        question.on_settled.append(lambda question: session.take_back(exchange, pending, _why(question)))


class Reply:
    """Gives a client's response to the question; `Session.ask` takes it as the waiter."""

    __slots__ = ("_question",)

    def __init__(self, question: Question) -> None:
        self._question = question

    def receive_result(self, result: dict[str, Any]) -> None:
        """It answered; what does not fit is no answer."""
        question = self._question
        misfit = question.misfit(result)
        if misfit is None:
            question.answer(result)
        else:
            question.fail(NotAnswered(f"The answer of {question.whom} does not fit: {misfit}."))

    def receive_error(self, error: Exception) -> None:
        """It answered with an error, or is gone."""
        said = f"{plain(error.message[:300])} (code {error.code})" if isinstance(error, PeerError) else "the connection was closed"
        self._question.fail(NotAnswered(f"The client did not answer for {self._question.whom}: {said}."))


def input_request(question: Question) -> wire.InputRequest:
    """A question as 2026-07-28 asks it, within a result or a task."""
    # There is no elicitationId any more: nothing can be told of an elicitation once it was answered.
    params = {name: value for name, value in question.params.items() if name != "elicitationId"}
    return wire.InputRequest(method=question.method, params=params)


def told(question: Question, seconds: float) -> str:
    """What a record says of a question that was settled: who was asked, what they did, how long it took; never what they said."""
    return f"asked {question.whom}: {question.outcome} after {seconds:.0f} s"


def _declares(client: ClientFacts, needs: dict[str, wire.Json]) -> bool:
    """Whether the client declared what a question needs."""
    for name, modes in needs.items():
        declared = getattr(client.capabilities, name)
        if declared is UNSET or (modes.keys() & _SINCE_2025_11_25 and client.version < V2025_11_25):
            return False
        # 2025-11-25 client/elicitation: an empty object means forms; before, there was nothing else.
        if not (name == "elicitation" and "form" in modes and "url" not in declared) and not modes.keys() <= declared.keys():
            return False
    return True


def _undeclared(name: str, question: Question) -> NotAnswered:
    [(capability, modes)] = question.needs.items()
    what = f"{capability} ({', '.join(modes)})" if modes else capability
    return NotAnswered(
        f"{name} needs to ask {question.whom}, and this client has not declared that it can: {what}. "
        "Use a host that can, or ask the author for a way without. "
        "(In a notebook: wb.connect(on_elicit=…, on_sample=…, on_roots=…) answers.)",
        question.needs,
    )


def _why(question: Question) -> str:
    error = question.future.exception()
    return "" if error is None else str(error)[:200]


def seconds_since(moment_ns: int) -> float:
    """Since a reading of `time.perf_counter_ns`."""
    return (time.perf_counter_ns() - moment_ns) / 1e9

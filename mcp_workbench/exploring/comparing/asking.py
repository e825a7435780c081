"""Recorded requests made again, one after the other, through an open session; what comes back is a call like any other.

Times are the client's: from the request until its answer was there.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

from mcp_workbench.client.session import ClientSession
from mcp_workbench.errors import CallTimedOut, ConnectionClosed, PeerError, RemoteProtocolError
from mcp_workbench.events import Era
from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.comparing.answers import asks_server
from mcp_workbench.exploring.comparing.playing import NOT_HELD, WITHHELD, Answers, lacking
from mcp_workbench.exploring.comparing.questions import Questions, brings_answers
from mcp_workbench.exploring.origin import task_of
from mcp_workbench.jsonrpc import encode, encode_error, encode_request, encode_result
from mcp_workbench.protocol import wire
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.telemetry.pairing import outcome_of, target_of
from mcp_workbench.telemetry.records import CallRecord, Outcome, Side


def not_again(call: Call, questions: Questions) -> str | None:
    """Why a call cannot be made again; None: it can.

    Args:
        call: Which.
        questions: What clients were asked, and answered.
    """
    if not asks_server(call.record):
        return "belongs to its conversation"
    if call.request is None:
        return "its request is kept no longer, or was withheld"
    if brings_answers(call) and not questions.behind(call.record):
        return "went on with a call that had asked its client something, which is not here"
    if call.outcome == Outcome.INPUT_REQUIRED:
        return "asked its client something, and what became of it is not here"
    if call.record.job is not None or task_of(call.record) is not None:
        return "went on as a job or task, and its answer says only that"
    if call.response is None:
        return "has no answer to compare with"
    if WITHHELD in encode(params_again(call)):
        return "a secret was withheld of what it asked"
    return lacking(questions.of(call))


_OF_CONVERSATION = ("_meta", "requestState", "inputResponses")


class Asker:
    """Makes calls in one session.

    Args:
        session: Where.
        name: Stands as the session of the calls.
        answers: What the recorded client answered; the session is answered by it.
        trusted: What is called there is one function that the author gave to be run, and that is all there is.
    """

    def __init__(self, session: ClientSession, name: str, answers: Answers, *, trusted: bool = False) -> None:
        self._session, self._name, self._answers, self.trusted = session, name, answers, trusted
        self._numbers = itertools.count(1)
        self._annotations = Annotations()

    async def tools(self) -> list[wire.Tool]:
        """What is offered; nothing where there are no tools."""
        try:
            return await self._session.list_tools()
        except PeerError:
            return []

    async def ask(self, call: Call) -> Call:
        """The same again; however it ends, it is a call. What the server asks meanwhile is answered as it was."""
        params = _meant(call) if self.trusted else params_again(call)
        self._answers.begin(call, self._session)
        record = self._begin(call.method, params)
        try:
            result = await self._session.ask(call.method, params)
            record.sent_ns, record.outcome = time.perf_counter_ns(), outcome_of(result)
            self._note_answer(record, encode_result(record.request_id, encode(result)))
        except PeerError as error:
            record.sent_ns, record.outcome = time.perf_counter_ns(), Outcome.RPC_ERROR
            record.code, record.error = error.code, error.message
            self._note_answer(record, encode_error(record.request_id, error.code, error.message, error.data))
        except (CallTimedOut, ConnectionClosed, RemoteProtocolError) as error:
            record.sent_ns, record.error = time.perf_counter_ns(), str(error)
            record.outcome = Outcome.TIMEOUT if isinstance(error, CallTimedOut) else Outcome.DROPPED
        return Call(record, self._annotations)

    @property
    def lacked(self) -> str | None:
        """What the call that was made last needed and the recording does not hold; None: nothing."""
        lacked = self._answers.lacked
        return None if lacked is None else f"{NOT_HELD}, to {lacked}"

    def unasked(self, call: Call) -> str | None:
        """Why a server may not have asked what it asked when a call was recorded; None: it could.

        Args:
            call: As it was recorded.
        """
        mute = next((each for each in self._answers.questions.of(call) if not self._session.may_be_asked(each.method)), None)
        if mute is None:
            return None
        return f"asks its client ({mute.method}), and the server was not told that this session can be: give an address, or wb.connect(…)"

    def _begin(self, method: str, params: dict[str, Any]) -> CallRecord:
        number = next(self._numbers)
        text = encode_request(number, method, params)
        era, now, at = Era(self._session.era), time.perf_counter_ns(), time.time()
        record = CallRecord("", self._name, "", era, method, target_of(method, params), number, now, at, len(text))
        record.seq, record.side, record.direction = number, Side.CLIENT, Direction.OUT
        record.request = Message(self._name, Direction.OUT, now, at, len(text), text, 2 * number - 1)
        return record

    def _note_answer(self, record: CallRecord, text: bytes) -> None:
        record.bytes_out = len(text)
        record.answer = Message(self._name, Direction.IN, record.sent_ns or 0, time.time(), len(text), text, 2 * record.seq)


def params_again(call: Call) -> dict[str, Any]:
    """What is asked when a call is made again: without what belongs to the conversation."""
    return {name: value for name, value in call.params.items() if name not in _OF_CONVERSATION}


def _meant(call: Call) -> dict[str, Any]:
    """As if the tool had been called itself, where another, `notebook_call`, was to call it."""
    params = params_again(call)
    arguments = params.get("arguments")
    if params.get("name") == call.target or not isinstance(arguments, dict) or arguments.get("function") != call.target:
        return params
    return params | {"name": call.target, "arguments": arguments.get("arguments") or {}}

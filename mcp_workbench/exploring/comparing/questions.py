"""What clients were asked in recorded calls, and what they answered: pure, from the calls alone.

Up to 2025-11-25 a question is a request of the server's while the call is open; from 2026-07-28 it stands in an answer of the call,
and the client's answer in the request that goes on with it, so that one call is several exchanges. `playing` gives the answers again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.comparing.answers import Volatile, asks_client, asks_server, params_of
from mcp_workbench.exploring.comparing.differences import same
from mcp_workbench.telemetry.records import CallRecord, Outcome

METHODS = ("elicitation/create", "sampling/createMessage", "roots/list")

Key = tuple[object, ...]
_EVERYTHING = Volatile()


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One, and what the client said."""

    method: str
    params: dict[str, Any]
    result: Any = None
    """What it answered; None: it refused, or that is not known."""
    error: tuple[int, str, Any] | None = None
    """Code, sentence and data, where it refused (up to 2025-11-25)."""


class Questions:
    """Of all calls of a recording.

    Args:
        calls: In their order; also those that are not made again, for among them are questions, and what went on with calls.
    """

    def __init__(self, calls: Iterable[Call]) -> None:
        calls = list(calls)
        self._of: dict[Key, list[Question]] = {}
        self._behind: dict[Key, list[CallRecord]] = {}
        self._went_on: set[Key] = set()
        self._read_rounds(call for call in calls if asks_server(call.record))
        self._read_requests(calls)

    def of(self, call: Call) -> list[Question]:
        """What the client of a call was asked, in order; where the call is several exchanges, of the last of them."""
        return self._of.get(key_of(call.record), [])

    def behind(self, record: CallRecord) -> list[CallRecord]:
        """The records that this is known from: questions, and exchanges that the call began with."""
        return self._behind.get(key_of(record), [])

    def went_on(self, call: Call) -> bool:
        """Whether a call that asked (from 2026-07-28) is there as a later one, which has its answer."""
        return key_of(call.record) in self._went_on

    def methods(self) -> set[str]:
        """What clients were asked."""
        return {question.method for each in self._of.values() for question in each}

    # --- from 2026-07-28: rounds ------------------------------------------------------------------------------

    def _read_rounds(self, calls: Iterable[Call]) -> None:
        waiting: list[Call] = []
        for call in calls:
            first = next((each for each in waiting if _goes_on(call, each)), None) if brings_answers(call) else None
            if first is not None:
                waiting.remove(first)
                self._went_on.add(key_of(first.record))
                self._of[key_of(call.record)] = [*self.of(first), *_in_round(first, call)]
                self._behind[key_of(call.record)] = [*self.behind(first.record), first.record]
            if call.outcome == Outcome.INPUT_REQUIRED:
                waiting.append(call)

    # --- up to 2025-11-25: requests ---------------------------------------------------------------------------

    def _read_requests(self, calls: list[Call]) -> None:
        asked = [call for call in calls if call.method in METHODS and asks_client(call.record)]
        if not asked:
            return
        open_then = _Open(call.record for call in calls if asks_server(call.record))
        for question in asked:
            for record in open_then.when(question.record):
                self._of.setdefault(key_of(record), []).append(_of_request(question))
                self._behind.setdefault(key_of(record), []).append(question.record)


class _Open:
    """The calls in which a question may have been asked."""

    def __init__(self, records: Iterable[CallRecord]) -> None:
        self._by_session: dict[str, list[CallRecord]] = {}
        self._by_message: dict[int, list[CallRecord]] = {}
        for record in records:
            self._by_session.setdefault(record.session_id, []).append(record)
            for message in record.said_meanwhile():
                self._by_message.setdefault(message.seq, []).append(record)

    def when(self, question: CallRecord) -> list[CallRecord]:
        """The call that asked; where that was not written down, as by a tap, those that were open when it was asked."""
        seq, at = 0 if question.request is None else question.request.seq, question.received_ns
        said = self._by_message.get(seq, []) if seq else []
        return said or [each for each in self._by_session.get(question.session_id, []) if _is_open(each, at)]


def with_what_was_asked(records: Iterable[CallRecord], everything: Iterable[Call]) -> list[CallRecord]:
    """Some calls, and of all that there are those from which is known what their clients were asked and answered."""
    records = list(records)
    questions = Questions(everything)
    there = {key_of(record) for record in records}
    behind = {key_of(each): each for record in records for each in questions.behind(record) if key_of(each) not in there}
    if not behind:
        return records
    return sorted([*records, *behind.values()], key=lambda record: record.seq)


def key_of(record: CallRecord) -> Key:
    """What an exchange is known by, also when it was written down and read again."""
    first = record.received_ns if record.request is None else record.request.seq
    return record.session_id, record.direction, record.request_id, first


def brings_answers(call: Call) -> bool:
    """Whether it goes on with a call that was answered with a question (from 2026-07-28)."""
    raw = b"" if call.record.request is None else call.record.request.raw
    if b'"inputResponses"' not in raw and b'"requestState"' not in raw:
        return False
    return "inputResponses" in call.params or "requestState" in call.params


def _goes_on(call: Call, first: Call) -> bool:
    """Whether a call is the next exchange of one that was answered with a question."""
    if (call.method, call.target) != (first.method, first.target):
        return False
    state, brought = _member(first.result, "requestState"), call.params.get("requestState")
    if state is not None or brought is not None:
        return bool(state == brought)
    return same(params_of(call, _EVERYTHING), params_of(first, _EVERYTHING)) and _asked_in(first).keys() <= _brought_by(call).keys()


def _in_round(first: Call, then: Call) -> Iterator[Question]:
    brought = _brought_by(then)
    for name, asked in _asked_in(first).items():
        if isinstance(asked, dict) and isinstance(asked.get("method"), str):
            params = asked.get("params")
            yield Question(asked["method"], params if isinstance(params, dict) else {}, brought.get(name))


def _asked_in(call: Call) -> dict[str, Any]:
    asked = _member(call.result, "inputRequests")
    return asked if isinstance(asked, dict) else {}


def _brought_by(call: Call) -> dict[str, Any]:
    brought = call.params.get("inputResponses")
    return brought if isinstance(brought, dict) else {}


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _is_open(record: CallRecord, at_ns: int) -> bool:
    return record.received_ns <= at_ns and (record.sent_ns is None or at_ns <= record.sent_ns)


def _of_request(question: Call) -> Question:
    response = question.response if isinstance(question.response, dict) else {}
    error = response.get("error")
    refused = (error.get("code", 0), str(error.get("message", "")), error.get("data")) if isinstance(error, dict) else None
    return Question(question.method, question.params, response.get("result"), refused)

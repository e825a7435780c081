"""Recorded answers by what was asked: method, target and params in a canonical form.

Equal requests are answered in the order in which they were. What a request is compared by leaves `_meta` out, which belongs to
the conversation, and whatever its reader calls volatile. A value that was redacted in the recording stands for any. Pure.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from mcp_workbench.exploring.recording.known_secrets import could_have_been
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.primitives.argument_paths import parse_path, replace_at
from mcp_workbench.primitives.wording import nearest
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.telemetry.pairing import entries_of, target_of
from mcp_workbench.telemetry.records import JOB, CallRecord, Side
from mcp_workbench.wording import counted, plain, shown

_LEFT_OUT = ("_meta", "requestState", "inputResponses")
_SHOWN = 200
_TO_SERVER = {Side.SERVER: Direction.IN, Side.TAP: Direction.IN, Side.CLIENT: Direction.OUT}
"""Which way requests go that a server answers."""


@dataclass(slots=True, eq=False)
class Recorded:
    """One exchange of the recording."""

    method: str
    target: str
    params: dict[str, Any]
    """As compared."""
    result: dict[str, Any] | None
    error: tuple[int, str, Any] | None
    """Code, sentence, data."""
    notifications: list[dict[str, Any]]
    """What was told for it meanwhile, in order."""
    took_s: float
    used: int = 0
    """How often it was given."""

    def __repr__(self) -> str:
        said = "" if not self.params else f" {shown(_canonical(self.params).decode(), _SHOWN)}"
        return f"<Recorded {f'{self.method} {self.target}'.strip()}{said}, given {self.used} times>"


class NotRecordedError(Exception):
    """Nothing of the recording answers this request; says what comes nearest."""

    code = int(ErrorCode.INVALID_PARAMS)


class Tape:
    """The answers of a recording.

    Args:
        calls: Its calls, in order; those that went to the server, and were answered.
        volatile: Paths in params that are not compared, for instance `arguments.now` or `$.arguments.items[*].id`.
        messages: Its messages, in which stands how tasks ended.
        repeat: Whether the last of equal requests is answered again when it is asked once more; None: of those that only read.

    Raises:
        ValueError: A path cannot be read.
    """

    def __init__(
        self,
        calls: Iterable[CallRecord],
        volatile: Sequence[str] = (),
        *,
        repeat: bool | None = None,
        messages: Iterable[Message] = (),
    ) -> None:
        self._paths = [parse_path(path) for path in volatile]
        self._repeat = repeat
        self._by_target: dict[tuple[str, str], list[Recorded]] = {}
        self._by_params: dict[tuple[str, str, bytes], list[Recorded]] = {}
        self.missing = 0
        """Calls of the recording that have no answer, or whose texts were withheld."""
        self._tasks: dict[str, Recorded] = {}
        """Calls that went on as tasks (2026-07-28), until it is known how they ended."""
        for call in calls:
            if call.direction is _TO_SERVER[call.side] and call.method != JOB:
                self._add(call)
        for told in (_task_in(message) for message in messages if self._tasks and b'"taskId"' in message.raw):
            self._note_task(told)
        for recorded in self._tasks.values():
            self._forget(recorded)

    def __len__(self) -> int:
        """Count the answers."""
        return sum(map(len, self._by_target.values()))

    @property
    def methods(self) -> set[str]:
        """What was asked."""
        return {method for method, _ in self._by_target}

    def unused(self) -> list[Recorded]:
        """The answers that were never given."""
        return [recorded for each in self._by_target.values() for recorded in each if not recorded.used]

    def first(self, method: str) -> Recorded | None:
        """The first recorded request of a method."""
        return next((recorded for (its, _), each in self._by_target.items() if its == method for recorded in each), None)

    def take(self, method: str, params: Mapping[str, Any]) -> Recorded:
        """The answer to a request: the next of the equal ones that was not given yet.

        Raises:
            NotRecordedError: There is none.
        """
        compared = self._compared(params)
        target = target_of(method, compared)
        equal = self._by_params.get((method, target, _canonical(compared)))
        if equal is None:
            equal = [one for one in self._by_target.get((method, target), ()) if _fits(one.params, compared)]
        found = next((one for one in equal if not one.used), equal[-1] if equal and self._repeats(method) else None)
        if found is None:
            raise NotRecordedError(self._why_not(method, target, compared, len(equal)))
        found.used += 1
        return found

    def _repeats(self, method: str) -> bool:
        return method != "tools/call" if self._repeat is None else self._repeat

    def _add(self, call: CallRecord) -> None:
        request, answer = _said(call, asks=True), _said(call, asks=False)
        if request is None or answer is None:
            self.missing += 1
            return
        params, error, result = request.get("params"), answer.get("error"), answer.get("result")
        if call.method.startswith("tasks/") or (isinstance(result, dict) and result.get("resultType") == "input_required"):
            return  # how a task ended stands with its call; the retry that brought what was asked has the answer
        compared = self._compared(params if isinstance(params, dict) else {})
        recorded = Recorded(
            call.method,
            target_of(call.method, compared),
            compared,
            result,
            _error(error) if isinstance(error, dict) else None,
            _notices(call),
            (call.total_ns or 0) / 1e9,
        )
        if isinstance(result, dict) and result.get("resultType") == "task" and isinstance(result.get("taskId"), str):
            self._tasks[result["taskId"]] = recorded
        self._by_target.setdefault((recorded.method, recorded.target), []).append(recorded)
        self._by_params.setdefault((recorded.method, recorded.target, _canonical(compared)), []).append(recorded)

    def _note_task(self, told: object) -> None:
        """How a task stood: once it has ended, that is what its call is answered with."""
        recorded = self._tasks.get(told["taskId"]) if isinstance(told, dict) and isinstance(told.get("taskId"), str) else None
        if recorded is None or not isinstance(told, dict):
            return
        result, error = told.get("result"), told.get("error")
        if told.get("status") == "completed" and isinstance(result, dict):
            recorded.result, recorded.error = result, None
        elif isinstance(error, dict):
            recorded.result, recorded.error = None, _error(error)
        else:
            return
        del self._tasks[told["taskId"]]

    def _forget(self, recorded: Recorded) -> None:
        """It went on as a task whose end is not in the recording."""
        self.missing += 1
        for each in (*self._by_target.values(), *self._by_params.values()):
            if recorded in each:
                each.remove(recorded)

    def _compared(self, params: Mapping[str, Any]) -> dict[str, Any]:
        compared: dict[str, Any] = {key: value for key, value in params.items() if key not in _LEFT_OUT}
        if self._paths:
            compared = copy.deepcopy(compared)
            for path in self._paths:
                replace_at(compared, path, _volatile)
        return compared

    def _why_not(self, method: str, target: str, compared: dict[str, Any], given: int) -> str:
        what = f"{method} {target}".strip()
        asked = shown(_canonical(compared).decode(), _SHOWN)
        if given:
            return (
                f"The recording answers {plain(what)} with {asked} {counted(given, 'time')}, and each of them was given. "
                "replay(…, repeat=True) gives the last again."
            )
        others = self._by_target.get((method, target))
        if not others:
            known = [name for its, name in self._by_target if its == method]
            close = nearest(target, known) if target else []
            hint = f" Nearest: {', '.join(map(plain, close))}." if close else ""
            return f"The recording has no answer to {plain(what)}: it was never asked there.{hint}"
        texts = [_canonical(one.params).decode() for one in others]
        close = nearest(asked, texts, 1, likeness=0.0)
        return (
            f"The recording has {counted(len(others), 'answer')} to {plain(what)}, none to {asked}. "
            f"Nearest: {shown(close[0] if close else texts[0], _SHOWN)}. volatile= names what is not to be compared."
        )


def _said(call: CallRecord, *, asks: bool) -> dict[str, Any] | None:
    message = call.request if asks else call.answer
    if message is None or not message.raw:
        return None
    entries = (entry for entry in entries_of(message.raw) if isinstance(entry, dict))
    return next((entry for entry in entries if entry.get("id") == call.request_id and ("method" in entry) is asks), None)


def _notices(call: CallRecord) -> list[dict[str, Any]]:
    entries = (entry for message in call.said_meanwhile() for entry in entries_of(message.raw))
    return [entry for entry in entries if isinstance(entry, dict) and "id" not in entry]


def _task_in(message: Message) -> object:
    """How a task stands, as an answer or a notification says."""
    entry = next(entries_of(message.raw), None)
    return entry.get("result", entry.get("params")) if isinstance(entry, dict) else None


def _error(error: dict[str, Any]) -> tuple[int, str, Any]:
    return error.get("code", 0), str(error.get("message", "")), error.get("data")


def _canonical(params: dict[str, Any]) -> bytes:
    return msgspec.json.encode(params, order="sorted")


def _volatile(value: object) -> str:
    return "‹volatile›"


def _fits(recorded: object, asked: object) -> bool:
    """Whether they are equal, what was redacted standing for any value."""
    if isinstance(recorded, str) and isinstance(asked, str):
        return recorded == asked or could_have_been(recorded, asked)
    if isinstance(recorded, dict) and isinstance(asked, dict):
        return recorded.keys() == asked.keys() and all(_fits(value, asked[key]) for key, value in recorded.items())
    if isinstance(recorded, list) and isinstance(asked, list):
        return len(recorded) == len(asked) and all(map(_fits, recorded, asked))
    return type(recorded) is type(asked) and recorded == asked

"""The answers that a recording's client gave, given again to a live server that asks.

What is asked is matched by method and params, equal questions of one call in their order. Nothing is made up: where the recording
holds no answer, or has withheld it, the session's own functions are asked if it has any (somebody gave them for that); else the
question is refused, and the call is one that needs an answer that the recording does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from mcp_workbench.client.handlers import Handlers
from mcp_workbench.client.session import ClientSession
from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.events import Era
from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.comparing.answers import Volatile
from mcp_workbench.exploring.comparing.differences import FIRST, as_text, same
from mcp_workbench.exploring.comparing.questions import METHODS, Question, Questions
from mcp_workbench.jsonrpc import ErrorCode, encode
from mcp_workbench.protocol import wire
from mcp_workbench.wording import plain, shown

WITHHELD = "‹redacted:".encode()
"""Is part of what stands in the place of a secret."""

NOT_HELD = "needs an answer that the recording does not hold"

_ANSWERS: dict[str, type[wire.Result]] = {
    "elicitation/create": wire.ElicitResult,
    "sampling/createMessage": wire.CreateMessageResult,
    "roots/list": wire.ListRootsResult,
}
_ABILITIES = {"elicitation/create": "elicitation", "sampling/createMessage": "sampling", "roots/list": "roots"}
_SHOWN = 120


class Playing:
    """Answers in the place of a session's functions (`client.handlers.StandIn`).

    Args:
        own: The session's own functions.
        abilities: What the recorded client said that it can do, see `abilities`.
        volatile: Places in the params of questions that are not compared.
    """

    def __init__(self, own: Handlers, abilities: wire.ClientCapabilities, volatile: Volatile) -> None:
        self._own, self._abilities, self._volatile = own, abilities, volatile
        self._open: list[Question] = []
        self._era: Era | None = None
        self.lacked: str | None = None
        """The first question of the call at hand that nothing answers; None: there is none."""

    def begin(self, questions: Iterable[Question], era: Era) -> None:
        """A call is made.

        Args:
            questions: What its client was asked, in order.
            era: Of the session, which says how a refusal can be told.
        """
        self._open, self._era, self.lacked = list(questions), era, None

    def capabilities(self) -> wire.ClientCapabilities:
        """What may be declared: what the recorded client could do, and what the session's own functions can."""
        own = self._own.capabilities()
        played = {name: said for name in _ABILITIES.values() if (said := getattr(self._abilities, name)) is not UNSET}
        return msgspec.structs.replace(own, **played)

    async def answer(self, method: str, params: dict[str, Any]) -> wire.Result:
        """What the recorded client answered.

        Raises:
            RemoteProtocolError: What it refused the question with; or there is no answer.
        """
        question = self._take(method, params)
        answer = None if question is None else self._given(question)
        if answer is not None:
            return answer
        if self._own.can(method):
            return await self._own.answer(method, params)
        self.lacked = self.lacked or _described(method, params)
        raise RemoteProtocolError(ErrorCode.INTERNAL_ERROR, f"This client makes calls of a recording, and {NOT_HELD}.")

    def _take(self, method: str, params: dict[str, Any]) -> Question | None:
        """The first that was not answered again, of those that are equal; else of those that are equal but for what was withheld."""
        asked = _compared(params, self._volatile)
        waiting = [(each, _compared(each.params, self._volatile)) for each in self._open if each.method == method]
        alike = [(each, params) for each, params in waiting if same(params, asked, recorded=FIRST)]
        found = next((each for each, params in alike if params == asked), alike[0][0] if alike else None)
        if found is not None:
            self._open.remove(found)
        return found

    def _given(self, question: Question) -> wire.Result | None:
        if question.error is not None and self._era is Era.LEGACY:  # from 2026-07-28 a client has no errors to answer with
            raise RemoteProtocolError(*question.error)
        return read_answer(question.method, question.result)


class Asked:
    """What is known of what clients were asked.

    Args:
        calls: All that there are, in which stands too what their client could do.
        volatile: Places in params and answers that are not compared.
    """

    def __init__(self, calls: Sequence[Call], volatile: Volatile) -> None:
        self.questions, self.volatile = Questions(calls), volatile
        self.abilities = abilities(calls, self.questions.methods())

    def answers(self) -> Answers:
        """For one session."""
        return Answers(self)


class Answers:
    """Makes a `Playing` for the one session that is `answered_by` this, and tells it which call is made.

    Args:
        asked: What is known.
    """

    def __init__(self, asked: Asked) -> None:
        self.questions = asked.questions
        self._asked = asked
        self._playing: Playing | None = None

    def __call__(self, own: Handlers) -> Playing:
        """Answer in the place of a session's functions."""
        self._playing = Playing(own, self._asked.abilities, self._asked.volatile)
        return self._playing

    def begin(self, call: Call, session: ClientSession) -> None:
        """The call is made again in this session, which is `answered_by` this."""
        if self._playing is not None:
            self._playing.begin(self.questions.of(call), session.era)

    @property
    def lacked(self) -> str | None:
        """The first question of the call at hand that nothing answers; None: there is none."""
        return None if self._playing is None else self._playing.lacked


def read_answer(method: str, result: Any) -> wire.Result | None:
    """A recorded answer as one to give; None: there is none, it was withheld, or it is none that MCP knows."""
    if not isinstance(result, dict) or WITHHELD in encode(result) or method not in _ANSWERS:
        return None
    try:
        return msgspec.convert({name: value for name, value in result.items() if name != "_meta" and value is not None}, _ANSWERS[method])
    except msgspec.ValidationError:
        return None


def lacking(questions: Iterable[Question]) -> str | None:
    """Why a call is not even begun: a question of it that cannot be answered again; None: all can."""
    for question in questions:
        if question.error is None and read_answer(question.method, question.result) is None:
            return f"{NOT_HELD}, to {_described(question.method, question.params)}"
    return None


def abilities(calls: Iterable[Call], asked: Iterable[str]) -> wire.ClientCapabilities:
    """What clients said that they can do for a server: in handshakes, or with each request; and whatever they did.

    Args:
        calls: Of the recording.
        asked: Methods of questions that they answered.
    """
    found: dict[str, Any] = {_ABILITIES[method]: {} for method in asked if method in METHODS}
    for call in calls:
        raw = b"" if call.record.request is None else call.record.request.raw
        if not any(name.encode() in raw for name in _ABILITIES.values()):
            continue
        params = call.params
        said = params.get("capabilities") if call.method == "initialize" else _object(params.get("_meta")).get(wire.META_CAPABILITIES)
        found |= {name: able for name in _ABILITIES.values() if isinstance(able := _object(said).get(name), dict)}
    return wire.ClientCapabilities(**found)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _compared(params: dict[str, Any], volatile: Volatile) -> Any:
    kept = {name: value for name, value in params.items() if name != "_meta"}
    if kept.get("mode") == "form":
        del kept["mode"]  # what is meant where nothing is said (2025-11-25)
    return volatile.without(kept)


def _described(method: str, params: dict[str, Any]) -> str:
    message = params.get("message")
    return f"{method} {plain(shown(message if isinstance(message, str) else as_text(params), _SHOWN))}"

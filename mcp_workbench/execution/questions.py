"""What a call asks its client: a person's answer to a form, a model's completion, the client's roots.

A `Question` is made where the tool runs, put on the protocol loop by the call's context, and settled there once: by
the client's answer, or by whatever ends the waiting. What a client answers is data: its shape is checked
before the tool goes on, and the author's own types only where the tool runs. Knows no messages and no eras:
`CallPort.ask` brings a question to the client, `context.py` waits for its answer; what a model is asked stands in `sampling.py`.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

import msgspec

from mcp_workbench.errors import NotAnswered
from mcp_workbench.primitives.forms import Form, form_of
from mcp_workbench.protocol.wire import Json

MAX_MESSAGE_CHARS = 4000
"""Longest text that a person is asked."""
MAX_QUESTION_BYTES = 256 * 1024
"""Longest question, as JSON."""
MAX_ROOTS = 1000

Action = Literal["accept", "decline", "cancel"]
_DONE: dict[Json, str] = {"accept": "accepted", "decline": "declined", "cancel": "dismissed"}


@dataclass(frozen=True, slots=True)
class Elicited:
    """What a person did with a question."""

    action: Action
    """`accept`, `decline` (they said no) or `cancel` (they closed it without an answer)."""
    data: Any = None
    """The form's value when it was accepted; None otherwise, and for a question by URL."""

    @property
    def accepted(self) -> bool:
        """Whether they accepted."""
        return self.action == "accept"


@dataclass(frozen=True, slots=True)
class Root:
    """A folder or file that the client lends."""

    uri: str
    """`file://…`, as the client says: a label until it was checked."""
    name: str | None


class Question:
    """One question. `answer` and `fail`: the protocol loop's thread, once; the rest: any thread.

    Args:
        method: `elicitation/create`, `sampling/createMessage` or `roots/list`.
        params: Its params, camelCase.
        needs: What the client must have declared, as on the wire.
        misfit: Why a result of the client does not fit, as a phrase; None when it does. Runs no code of the author.
        value: Makes the author's value of a result; may run code of the author's types.
        whom: Who is asked, for records: `the person`.
        outcome: What they did, for records, without what they said.
        key: Its name in 2026-07-28, where the author gave one.
        timeout_s: Seconds until it is given up; None: as long as the server waits.
    """

    def __init__(
        self,
        method: str,
        params: dict[str, Json],
        needs: dict[str, Json],
        *,
        misfit: Callable[[dict[str, Json]], str | None],
        value: Callable[[dict[str, Json]], object],
        whom: str,
        outcome: Callable[[dict[str, Json]], str],
        key: str | None,
        timeout_s: float | None,
    ) -> None:
        if timeout_s is not None and not timeout_s > 0:
            raise ValueError(f"timeout_s must be more than 0 seconds, got {timeout_s:g}")
        self.method = method
        self.params = params
        self.size = len(msgspec.json.encode(params))
        if self.size > MAX_QUESTION_BYTES:
            raise ValueError(f"a question may have {MAX_QUESTION_BYTES:,} bytes as JSON; this one has {self.size:,}. Ask for less")
        self.needs = needs
        self.misfit = misfit
        self.whom = whom
        self.key = key
        self.timeout_s = timeout_s
        self.blocks = False
        """Whether a thread waits for it."""
        self.future: concurrent.futures.Future[dict[str, Json]] = concurrent.futures.Future()
        self.future.set_running_or_notify_cancel()
        self.on_settled: list[Callable[[Question], None]] = []
        """Called on the protocol loop when it is settled, in this order."""
        self.outcome = ""
        """What became of it, in a word or two; empty until then."""
        self._value = value
        self._outcome = outcome

    def value(self, result: dict[str, Json]) -> Any:
        """The author's value of a result that fits; runs where the tool runs.

        Raises:
            NotAnswered: It does not fit the author's own types.
        """
        try:
            return self._value(result)
        except ValueError as error:
            raise NotAnswered(f"The answer of {self.whom} does not fit: {error}.") from None

    def answer(self, result: dict[str, Json]) -> None:
        """The client answered with what fits."""
        if not self.future.done():
            self.outcome = self._outcome(result)
            self.future.set_result(result)
            self._settled()

    def fail(self, error: BaseException) -> None:
        """No answer will come; the tool gets this exception."""
        if not self.future.done():
            self.outcome = "no answer"
            self.future.set_exception(error)
            self._settled()

    def _settled(self) -> None:
        for told in self.on_settled:
            told(self)
        self.on_settled.clear()


def ask_person(message: str, schema: object, *, url: str | None, key: str | None, timeout_s: float | None) -> Question:
    """A question to the person before the client.

    Raises:
        ValueError: There is nothing to ask, or the form is not one.
    """
    if not 0 < len(message) <= MAX_MESSAGE_CHARS:
        raise ValueError(f"the message says what is asked, in 1 to {MAX_MESSAGE_CHARS:,} characters")
    if url is not None:
        return _ask_by_url(message, schema, url, key, timeout_s)
    form = form_of(schema)
    return Question(
        "elicitation/create",
        {"mode": "form", "message": message, "requestedSchema": form.schema},
        {"elicitation": {"form": {}}},
        misfit=lambda result: _misfit_of_person(result, form),
        value=lambda result: Elicited(result["action"], form.value(result.get("content") or {}) if result["action"] == "accept" else None),
        whom="the person",
        outcome=_outcome_of_person,
        key=key,
        timeout_s=timeout_s,
    )


def _ask_by_url(message: str, schema: object, url: str, key: str | None, timeout_s: float | None) -> Question:
    if schema is not None:
        raise ValueError("a question by URL has no form: give schema or url, not both")
    if not url.startswith(("https://", "http://")):
        raise ValueError("url must begin with https:// or http://")
    return Question(
        "elicitation/create",
        {"mode": "url", "message": message, "url": url, "elicitationId": uuid4().hex},
        {"elicitation": {"url": {}}},
        misfit=lambda result: _misfit_of_person(result, None),
        value=lambda result: Elicited(result["action"]),
        whom="the person",
        outcome=_outcome_of_person,
        key=key,
        timeout_s=timeout_s,
    )


def _misfit_of_person(result: dict[str, Json], form: Form | None) -> str | None:
    action = result.get("action")
    if not isinstance(action, str) or action not in _DONE:
        return "expected the action accept, decline or cancel"
    # Clients that know no empty forms leave the content out.
    return form.misfit(result.get("content") or {}) if form is not None and action == "accept" else None


def _outcome_of_person(result: dict[str, Json]) -> str:
    return _DONE[result["action"]]


def ask_roots(*, key: str | None, timeout_s: float | None) -> Question:
    """A question for the folders that the client lends."""
    return Question(
        "roots/list",
        {},
        {"roots": {}},
        misfit=_misfit_of_roots,
        value=lambda result: [Root(root["uri"], root.get("name")) for root in result["roots"]],
        whom="the client for its roots",
        outcome=lambda result: f"{len(result['roots'])} given",
        key=key,
        timeout_s=timeout_s,
    )


def _misfit_of_roots(result: dict[str, Json]) -> str | None:
    roots = result.get("roots")
    if not isinstance(roots, list) or len(roots) > MAX_ROOTS:
        return f"expected a list of at most {MAX_ROOTS:,} roots"
    fit = all(isinstance(root, dict) and isinstance(root.get("uri"), str) and isinstance(root.get("name"), str | None) for root in roots)
    return None if fit else "expected roots with a uri and perhaps a name"

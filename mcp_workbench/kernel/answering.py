"""What a tool asks while `%mcp_call` waits for it, put to the person before the notebook with `input()`.

A front end takes what is typed for the cell that runs, and an interrupt reaches the main thread alone, while the client has
a loop and thread of its own. So a question lies here until the thread that waits for the call takes it up. What is asked
is text of others: it is printed with its control characters as escapes. Where nobody can type, a question is declined, in words.

Neighbours: `calling.py` makes the call, `primitives/forms.py` says whether an answer fits.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from mcp_workbench.client.handlers import ElicitOutcome, ElicitRequest, SampleOutcome, SampleRequest
from mcp_workbench.kernel.results import say
from mcp_workbench.primitives.forms import Form, form_of
from mcp_workbench.protocol.wire import Json
from mcp_workbench.wording import shown

T = TypeVar("T")

MOST_TRIES = 10
"""Answers to one field that do not fit; then the question is dismissed: whatever types there is no person."""
CANNOT_TYPE = "this front end takes no typed answers while a cell runs; JupyterLab, Notebook, VS Code and IPython do"
_LONGEST = 4000
"""Characters of one text that is shown."""
_YES, _NO = frozenset(("y", "yes", "true", "1")), frozenset(("n", "no", "false", "0"))


class Declined(Exception):
    """What was asked of a model is not answered, which ends the call; says why."""


class Answering:
    """The questions of one call. `elicit` and `sample`: on the client's loop; `wait`: on the thread that waits for the call.

    Args:
        tool: Who asks.
        before: Called before anything is printed.
    """

    def __init__(self, tool: str, before: Callable[[], None]) -> None:
        self._tool = tool
        self._before = before
        self._asked: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._turn: Future[None] = Future()

    async def elicit(self, request: ElicitRequest) -> ElicitOutcome:
        """Ask the person for what a form has."""
        return await self._have(partial(ask_form, self._tool, request))

    async def sample(self, request: SampleRequest) -> SampleOutcome:
        """Ask the person in the place of a model."""
        return await self._have(partial(ask_in_place_of_a_model, self._tool, request))

    async def _have(self, ask: Callable[[], T]) -> T:
        answer: Future[T] = Future()
        self._asked.append((ask, answer))
        self._wake()
        return await asyncio.wrap_future(answer)

    def wait(self, wait: Callable[[Future[None]], None], call: Future[T]) -> T:
        """Wait for a call and ask meanwhile what there is to ask.

        Args:
            wait: Waits for a future.
            call: Ends with the call.

        Returns:
            What the call came to; what it raises is raised.

        Raises:
            KeyboardInterrupt: The waiting, or a question, was interrupted.
        """
        call.add_done_callback(lambda _: self._wake())
        while True:
            self._turn = Future()  # first: what comes from here on is not missed
            if call.done():
                return call.result()
            if self._asked:
                self._put(*self._asked.popleft())
            else:
                wait(self._turn)

    def _put(self, ask: Callable[[], Any], answer: Future[Any]) -> None:
        self._before()
        try:
            outcome = ask()
        except Declined as error:
            _settle(answer, answer.set_exception, error)
        else:
            _settle(answer, answer.set_result, outcome)

    def _wake(self) -> None:
        turn = self._turn
        if not turn.done():
            turn.set_result(None)


def _settle(answer: Future[Any], settle: Callable[[Any], None], value: object) -> None:
    if answer.set_running_or_notify_cancel():  # else its connection is gone, and nobody waits for it
        settle(value)


# --- forms ----------------------------------------------------------------------------------------------------


def ask_form(tool: str, request: ElicitRequest) -> ElicitOutcome:
    """Have the person answer a form, field by field.

    Args:
        tool: Who asks.
        request: What.

    Returns:
        The form's content; False: declined; `cancel`: dismissed.
    """
    say(f"{tool} asks: {_cut(request.message)}")
    try:
        form = form_of({"properties": {}} | request.schema | {"type": "object"})
        fields = form.schema["properties"]
        content = {name: value for name, field in fields.items() for value in _field(form, name, field)}
        if _says_yes("Send this answer? [Y/n] ", default=True) if fields else _says_yes("Accept? [y/N] ", default=False):
            return content
        say("Declined.")
    except EOFError:
        say("Dismissed.")
        return "cancel"
    except ValueError as error:
        say(f"Declined: {error}")
    except (NotImplementedError, OSError):  # IPython's, of front ends that take no input; a terminal's that is none
        say(f"Declined: {CANNOT_TYPE}.")
    return False


def _field(form: Form, name: str, field: Mapping[str, Json]) -> list[Json]:
    """The value of one field; none where it is left out."""
    for _ in range(MOST_TRIES):
        typed = input(_prompt(name, field, name in form.schema.get("required", ()))).strip()
        if not typed and (field.get("default") is not None or name not in form.schema.get("required", ())):
            return []  # where there is a default, the client fills it in
        value = _read(field, typed)
        misfit = Form({"type": "object", "properties": {name: dict(field)}}).misfit({name: value})
        if misfit is None:
            return [value]
        say(f"{misfit[0].upper()}{misfit[1:]}.")
    raise EOFError


def _prompt(name: str, field: Mapping[str, Json], required: bool) -> str:
    default = field.get("default")
    choices = _titled(field["items"] if field.get("type") == "array" else field)
    parts = [
        *(str(field[key]) for key in ("title", "description") if field.get(key)),
        ("several of, with commas between: " if field.get("type") == "array" else "one of: ") + _listed(choices)
        if choices
        else _kind(field),
        f"Enter: {_written(default)}" if default is not None else "" if required else "Enter: left out",
    ]
    about = "; ".join(filter(None, parts)).replace("\n", " ")
    return shown(f"{name} ({about}): " if about else f"{name}: ", _LONGEST)


def _kind(field: Mapping[str, Json]) -> str:
    kinds = {"boolean": "y or n", "integer": "a whole number", "number": "a number"}
    return kinds.get(str(field.get("type")), str(field.get("format", "")))


def _titled(field: Mapping[str, Json]) -> dict[str, str]:
    """What may be chosen, by what is shown of it."""
    if isinstance(field.get("enum"), list):
        return {str(choice): str(choice) for choice in field["enum"]}
    titled = field.get("oneOf", field.get("anyOf"))
    each = [one for one in titled if isinstance(one, Mapping) and "const" in one] if isinstance(titled, list) else []
    return {str(one.get("title", one["const"])): str(one["const"]) for one in each}


def _listed(choices: Mapping[str, str]) -> str:
    return ", ".join(title if title == value else f"{value} ({title})" for title, value in choices.items())


def _written(value: Json) -> str:
    if isinstance(value, bool):
        return "y" if value else "n"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _read(field: Mapping[str, Json], typed: str) -> Json:
    """What was typed as a value of the field's kind; as it is, which does not fit then, where it is none."""
    kind = field.get("type")
    if kind == "boolean":
        return True if typed.lower() in _YES else False if typed.lower() in _NO else typed
    if kind in ("integer", "number"):
        return _number(typed)
    if kind == "array":
        choices = _titled(field["items"])
        return [choices.get(each, each) for each in map(str.strip, typed.split(",")) if each]
    return _titled(field).get(typed, typed)


def _number(typed: str) -> Json:
    for kind in (int, float):
        try:
            number = kind(typed)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    return typed


def _says_yes(question: str, *, default: bool) -> bool:
    said = input(question).strip().lower()
    return default if not said else said in _YES


# --- in the place of a model ------------------------------------------------------------------------------------


def ask_in_place_of_a_model(tool: str, request: SampleRequest) -> SampleOutcome:
    """Have the person say what a model would.

    Args:
        tool: Who asks.
        request: What.

    Returns:
        What was typed, as a model's answer.

    Raises:
        Declined: Nothing was.
    """
    say(f"{tool} asks a model. There is none here: what you type is its answer.")
    if request.system_prompt:
        say(f"system: {_cut(request.system_prompt)}")
    for message in request.messages:
        say(f"{message.get('role')}: {_cut(_text_of(message.get('content')))}")
    try:
        typed = input("Answer (Enter alone: decline): ").strip()
    except EOFError:
        typed = ""
    except (NotImplementedError, OSError):
        raise Declined(f"{tool} asks a model, and nobody could answer in its place: {CANNOT_TYPE}. Its call was taken back") from None
    if not typed:
        raise Declined(f"{tool} asks a model, and you declined to answer in its place. Its call was taken back")
    return {"role": "assistant", "content": {"type": "text", "text": typed}, "model": "a person at %mcp_call", "stopReason": "endTurn"}


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"


def _text_of(content: object) -> str:
    blocks = content if isinstance(content, list) else [content]
    return " ".join(str(each.get("text", f"({each.get('type')})")) for each in blocks if isinstance(each, Mapping))

"""What a tool asks while `%mcp_call` waits: shown, answered field by field, declined, dismissed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from threading import Thread
from typing import Any

import pytest
from IPython.core.error import StdinNotImplementedError

from mcp_workbench.client.handlers import ElicitRequest, SampleRequest
from mcp_workbench.kernel import answering
from mcp_workbench.kernel.answering import MOST_TRIES, Answering, Declined, ask_form, ask_in_place_of_a_model
from mcp_workbench.tasks import start_task

Type = Callable[..., list[str]]


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Makes a person type these lines, and gives what they are asked; an exception is what happens instead of a line."""

    def begin(*lines: str | type[BaseException]) -> list[str]:
        left, prompts = list(lines), list[str]()

        def ask(prompt: str) -> str:
            prompts.append(prompt)
            line = left.pop(0)
            if isinstance(line, str):
                return line
            raise line

        monkeypatch.setattr(answering, "input", ask, raising=False)
        return prompts

    return begin


def asked(properties: dict[str, Any], required: Iterable[str] = (), message: str = "Which?") -> ElicitRequest:
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return ElicitRequest(message, schema, {"message": message, "requestedSchema": schema})


CHOICES = {"type": "array", "items": {"anyOf": [{"const": "a", "title": "Apple"}, {"const": "b", "title": "Pear"}]}}


@pytest.mark.parametrize(
    ("field", "prompt", "typed", "value"),
    [
        ({"type": "string", "title": "Name", "description": "of it"}, "x (Name; of it): ", " Ada ", "Ada"),
        ({"type": "string", "minLength": 2}, "x: ", "Al", "Al"),
        ({"type": "string", "format": "email"}, "x (email): ", "a@b.c", "a@b.c"),
        ({"type": "integer"}, "x (a whole number): ", "-3", -3),
        ({"type": "number", "maximum": 1}, "x (a number): ", "0.5", 0.5),
        ({"type": "boolean"}, "x (y or n): ", "Y", True),
        ({"type": "boolean"}, "x (y or n): ", "no", False),
        ({"type": "string", "enum": ["red", "blue"]}, "x (one of: red, blue): ", "blue", "blue"),
        ({"type": "string", "oneOf": [{"const": "#f00", "title": "Red"}]}, "x (one of: #f00 (Red)): ", "Red", "#f00"),
        (CHOICES, "x (several of, with commas between: a (Apple), b (Pear)): ", "a, Pear", ["a", "b"]),
        ({"type": "string", "title": "one\ntwo\x1b[31m"}, "x (one two\\x1b[31m): ", "so", "so"),
    ],
)
def test_a_field_says_what_it_takes_and_what_is_typed_becomes_that(
    types: Type, field: dict[str, Any], prompt: str, typed: str, value: object
) -> None:
    prompts = types(typed, "")
    assert ask_form("trim", asked({"x": field}, ["x"])) == {"x": value}
    assert prompts == [prompt, "Send this answer? [Y/n] "]


@pytest.mark.parametrize(
    ("field", "wrong", "sentence", "right"),
    [
        ({"type": "integer", "minimum": 1}, "0", 'The field "x" must be a number, at least 1.', "1"),
        ({"type": "integer"}, "1.5", 'The field "x" must be a whole number.', "1"),
        ({"type": "number"}, "inf", 'The field "x" must be a number.', "1"),
        ({"type": "boolean"}, "perhaps", 'The field "x" must be true or false.', "y"),
        ({"type": "string", "enum": ["a"]}, "b", 'The field "x" must be one of "a".', "a"),
        ({"type": "string", "minLength": 1}, "", 'The field "x" must be text, at least 1.', "a"),
        ({"type": "boolean"}, "", 'The field "x" must be true or false.', "y"),
    ],
)
def test_what_does_not_fit_is_asked_for_again(
    types: Type, capsys: pytest.CaptureFixture[str], field: dict[str, Any], wrong: str, sentence: str, right: str
) -> None:
    types(wrong, right, "y")
    assert ask_form("trim", asked({"x": field}, ["x"])) == {"x": {"y": True, "1": 1}.get(right, right)}
    assert sentence in capsys.readouterr().out.splitlines()


def test_enter_takes_the_default_and_leaves_out_what_need_not_be_given(types: Type) -> None:
    fields = {"n": {"type": "integer", "default": 7}, "sure": {"type": "boolean", "default": False}, "why": {"type": "string"}}
    prompts = types("", "", "", "")
    assert ask_form("trim", asked(fields, ["n", "sure"])) == {}
    assert prompts[:3] == ["n (a whole number; Enter: 7): ", "sure (y or n; Enter: n): ", "why (Enter: left out): "]


def test_a_mere_yes_or_no_is_no_unless_it_is_yes(types: Type, capsys: pytest.CaptureFixture[str]) -> None:
    prompts = types("y", "", "nope")
    assert [ask_form("trim", asked({}, message="Delete\nall\x1b[2J?")) for _ in range(3)] == [{}, False, False]
    assert prompts == ["Accept? [y/N] "] * 3
    assert capsys.readouterr().out.startswith("trim asks: Delete\nall\\x1b[2J?\n")


@pytest.mark.parametrize(
    ("happens", "outcome", "said"),
    [
        (("Ada", "n"), False, "Declined."),
        ((EOFError,), "cancel", "Dismissed."),
        (("Ada", EOFError), "cancel", "Dismissed."),
        ((StdinNotImplementedError,), False, f"Declined: {answering.CANNOT_TYPE}."),
        ((OSError,), False, f"Declined: {answering.CANNOT_TYPE}."),
        (("",) * MOST_TRIES, "cancel", "Dismissed."),
    ],
)
def test_a_question_is_declined_or_dismissed(
    types: Type, capsys: pytest.CaptureFixture[str], happens: Any, outcome: object, said: str
) -> None:
    types(*happens)
    assert ask_form("trim", asked({"x": {"type": "string", "minLength": 1}}, ["x"])) == outcome
    assert capsys.readouterr().out.splitlines()[-1] == said


def test_a_form_that_is_none_is_declined_with_its_reason(types: Type, capsys: pytest.CaptureFixture[str]) -> None:
    types()
    assert ask_form("trim", asked({"x": {"type": "object"}})) is False
    assert 'Declined: the field "x" cannot be asked for' in capsys.readouterr().out


def model_asked(*messages: dict[str, Any]) -> SampleRequest:
    return SampleRequest(list(messages), 100, "Be brief.", {})


HELLO = {"role": "user", "content": {"type": "text", "text": "Sum it\x1b[31m up"}}
SEEN = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "what is it?"}]}


def test_what_is_typed_is_the_answer_of_a_model(types: Type, capsys: pytest.CaptureFixture[str]) -> None:
    types("a cat")
    answer: Any = ask_in_place_of_a_model("look", model_asked(HELLO, SEEN))
    assert (answer["content"]["text"], answer["role"]) == ("a cat", "assistant")
    assert capsys.readouterr().out.splitlines()[1:] == ["system: Be brief.", "user: Sum it\\x1b[31m up", "user: (image) what is it?"]


@pytest.mark.parametrize(
    ("happens", "why"),
    [("", "you declined"), (EOFError, "you declined"), (StdinNotImplementedError, "this front end takes no typed answers")],
)
def test_a_model_that_is_not_answered_for_ends_the_call(types: Type, happens: Any, why: str) -> None:
    types(happens)
    with pytest.raises(Declined, match=why):
        ask_in_place_of_a_model("look", model_asked(HELLO))


class Elsewhere:
    """A call on a loop and thread of its own, as the magic has it; waited for here."""

    def __init__(self, asks: Answering) -> None:
        self.future: Future[object] = Future()
        self._asks = asks

    async def call(self) -> object:
        first = await self._asks.elicit(asked({}))
        return first, await self._asks.elicit(asked({}))

    def run(self) -> None:
        try:
            self.future.set_result(asyncio.run(self.call()))
        except BaseException as error:  # raised where it is waited for
            self.future.set_exception(error)

    def wait(self) -> object:
        thread = Thread(target=self.run)
        thread.start()
        try:
            return self._asks.wait(lambda turn: turn.result(), self.future)
        finally:
            thread.join()


def test_questions_are_asked_on_the_thread_that_waits_one_after_the_other(types: Type) -> None:
    types("y", "n")
    before: list[str] = []
    assert Elsewhere(Answering("trim", lambda: before.append("the line is ended"))).wait() == ({}, False)
    assert before == ["the line is ended"] * 2


def test_a_call_that_ends_while_it_asks_is_asked_for_no_more(types: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    asks = Answering("trim", lambda: None)
    call = Elsewhere(asks)

    async def ended() -> object:
        pending = start_task(asks.elicit(asked({})), name="asks")
        await asyncio.sleep(0)
        pending.cancel()
        await asyncio.gather(pending, return_exceptions=True)
        return "the end"

    monkeypatch.setattr(call, "call", ended)
    types("y")
    assert call.wait() == "the end"

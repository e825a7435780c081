from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.error import StdinNotImplementedError

from mcp_workbench.errors import ToolError
from mcp_workbench.exploring.comparing import consent
from mcp_workbench.exploring.comparing.consent import NOBODY, Consent, ask_person, check, is_destructive, refusals, tools_of_call
from mcp_workbench.hosts import PlainHost
from tests.exploring.comparing.rig import made


def saying(answer: str | None, asked: list[str] | None = None) -> Callable[[str], str | None]:
    def ask(question: str) -> str | None:
        if asked is not None:
            asked.append(question)
        return answer

    return ask


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        (None, True),
        ({}, True),
        ({"readOnlyHint": True}, False),
        ({"readOnlyHint": False}, True),
        ({"destructiveHint": False}, False),
        ({"readOnlyHint": True, "destructiveHint": True}, False),
        ({"idempotentHint": True}, True),
    ],
)
def test_a_tool_may_destroy_unless_it_says_it_does_not(annotations: Any, expected: bool) -> None:
    assert is_destructive({"annotations": annotations}) is expected
    assert is_destructive(None)


def test_the_person_is_asked_once_for_all_tools() -> None:
    asked: list[str] = []
    assert refusals(["drop", "drop", "send"], "ask", saying("y", asked)) == {}
    [question] = asked
    assert "drop (2 calls), send (1 call)" in question


@pytest.mark.parametrize(("answer", "refused"), [("", {"a", "b"}), ("n", {"a", "b"}), ("b, c", {"a"}), ("YES ", set()), ("a b", set())])
def test_what_is_not_allowed_is_refused(answer: str, refused: set[str]) -> None:
    assert refusals(["a", "b"], "ask", saying(answer)).keys() == refused


def test_nobody_is_asked_where_the_wish_is_known() -> None:
    asked: list[str] = []
    assert refusals(["a"], "run", saying("n", asked)) == {}
    assert refusals(["a"], "skip", saying("y", asked)).keys() == {"a"}
    assert refusals([], "ask", saying("n", asked)) == {}
    assert asked == []


def test_where_nobody_sits_nothing_is_run() -> None:
    assert refusals(["a"], "ask", saying(None)) == {"a": NOBODY}


def test_a_script_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "input", lambda _: pytest.fail("nobody is to be asked"))
    monkeypatch.setattr(consent, "current_host", PlainHost)
    assert ask_person("?") is None


@pytest.mark.parametrize("error", [EOFError, NotImplementedError, OSError, lambda: ToolError("in a call")])
def test_a_notebook_asks_and_knows_when_there_is_nobody(error: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "current_host", lambda: object())
    monkeypatch.setattr(builtins, "input", lambda question: f"heard {question}")
    assert ask_person("?") == "heard ?"

    def nobody(question: str) -> str:
        raise error()

    monkeypatch.setattr(builtins, "input", nobody)
    assert ask_person("?") is None


def test_a_front_end_that_takes_no_input_is_known_by_its_error() -> None:
    assert issubclass(StdinNotImplementedError, NotImplementedError)


def test_hostile_names_of_tools_cannot_steer_a_terminal() -> None:
    asked: list[str] = []
    refusals(["\x1b[2J\u202e"], "ask", saying("", asked))
    assert "\x1b" not in asked[0]
    assert "\u202e" not in asked[0]


def test_a_wish_that_there_is_not_is_an_error() -> None:
    assert check("skip") == "skip"
    with pytest.raises(ValueError, match="'ask', 'skip', 'run'"):
        check("maybe")


def test_a_call_is_of_every_tool_that_it_may_run() -> None:
    call = made("tools/call", {"name": "notebook_call", "arguments": {"function": "drop"}}, {})
    call.record.target = "look"
    assert tools_of_call(call) == ("notebook_call", "drop", "look")
    call.record.target = "drop"
    assert tools_of_call(call) == ("notebook_call", "drop")
    assert tools_of_call(made("tools/call", {"name": ["x"]}, {})) == ("",)
    assert tools_of_call(made("prompts/get", {"name": "drop"}, {})) == ()


@pytest.mark.parametrize(("answer", "made_again"), [("y", True), ("notebook_call", False), ("drop, notebook_call", True), ("look", False)])
def test_a_call_is_made_when_all_that_it_may_run_is_allowed(answer: str, made_again: bool) -> None:
    call = made("tools/call", {"name": "notebook_call", "arguments": {"function": "drop"}}, {})
    offered = {"notebook_call": {"annotations": {"readOnlyHint": False}}, "look": {"annotations": {"readOnlyHint": True}}}
    asked: list[str] = []
    given = Consent([call], [offered], "ask", saying(answer, asked))
    assert (given.refusal(call) is None) is made_again
    assert len(asked) == 1

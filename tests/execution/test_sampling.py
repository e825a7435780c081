"""Asking the model with tools: what goes out, what an answer becomes, and what of it is no answer."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_workbench.execution.questions import Question
from mcp_workbench.execution.sampling import Sampled, ToolUse, ask_model

REST: dict[str, Any] = {
    "max_tokens": 9,
    "system_prompt": None,
    "temperature": None,
    "stop_sequences": None,
    "model_preferences": None,
    "key": None,
    "timeout_s": None,
}
SUB = {"name": "sub", "inputSchema": {"type": "object"}}


def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


def ask(messages: Any = "Hi", tools: Any = None, tool_choice: Any = None) -> Question:
    return ask_model(messages, tools=tools, tool_choice=tool_choice, **REST)


def answer(*content: Any, **other: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content), "model": "m"} | other


def use(name: str = "add", use_id: str = "u1") -> dict[str, Any]:
    return {"type": "tool_use", "id": use_id, "name": name, "input": {"a": 2}}


def test_tools_are_functions_or_stand_as_on_the_wire() -> None:
    asked = ask(tools=[add, SUB], tool_choice="required")
    first, second = asked.params["tools"]
    assert (first["name"], first["description"], first["inputSchema"]["required"]) == ("add", "Add two numbers.", ["a"])
    assert second == SUB
    assert asked.params["toolChoice"] == {"mode": "required"}
    assert asked.needs == {"sampling": {"tools": {}}}
    assert ask().needs == {"sampling": {}}
    assert not {"tools", "toolChoice"} & ask().params.keys()


def test_a_use_is_answered_in_the_next_message_and_the_whole_is_asked_again() -> None:
    sampled: Sampled = ask(tools=[add]).value(answer({"type": "text", "text": "let me"}, use(), stopReason="toolUse"))
    assert sampled.text == "let me"
    assert sampled.tool_uses == (ToolUse("u1", "add", {"a": 2}),)
    results = [each.result("3", is_error=False) for each in sampled.tool_uses]
    again = ask(["Hi", sampled.message, {"role": "user", "content": results}])
    assert again.params["messages"][1:] == [
        {"role": "assistant", "content": [{"type": "text", "text": "let me"}, use()]},
        {"role": "user", "content": [{"type": "tool_result", "toolUseId": "u1", "content": [{"type": "text", "text": "3"}]}]},
    ]
    assert again.needs == {"sampling": {"tools": {}}}, "a client that knows no tools would not know what to make of it"
    failed = sampled.tool_uses[0].result([{"type": "text", "text": "no"}], is_error=True)
    assert failed["isError"] is True


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tools": [add, add]}, "same name"),
        ({"tools": [{"name": "x"}]}, "inputSchema"),
        ({"tools": [SUB], "tool_choice": "always"}, "auto, required, none"),
        ({"tool_choice": "auto"}, "give tools as well"),
        ({"messages": [{"role": "assistant", "content": use()}]}, r"tool result missing.*\.result"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result", "toolUseId": "x", "content": []}]}]}, "belongs to no tool use"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_is_asked(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ask(**given)


def test_an_answer_that_uses_what_it_was_not_offered_does_not_fit() -> None:
    assert ask(tools=[add]).misfit(answer(use())) is None
    assert "'sub'" in str(ask(tools=[add]).misfit(answer(use("sub"))))
    assert "may not use" in str(ask().misfit(answer(use())))
    assert "may not use" in str(ask(tools=[add], tool_choice="none").misfit(answer(use())))
    assert "same id" in str(ask(tools=[add]).misfit(answer(use(), use())))

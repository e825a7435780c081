"""Conversations with tools: what may follow what, whoever has written them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.protocol.sampling import has_tools, misfit_of_answer, misfit_of_messages

TEXT = {"type": "text", "text": "x"}


def use(use_id: str = "a", name: str = "add") -> dict[str, Any]:
    return {"type": "tool_use", "id": use_id, "name": name, "input": {}}


def result(use_id: str = "a", **other: Any) -> dict[str, Any]:
    return {"type": "tool_result", "toolUseId": use_id, "content": [TEXT]} | other


def assistant(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content)}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "user", "content": TEXT}, {"role": "assistant", "content": TEXT}],
        [user(TEXT, TEXT), assistant(TEXT, use()), user(result())],
        [{"role": "assistant", "content": use()}, {"role": "user", "content": result()}],
        [assistant(use("a"), use("b")), user(result("b"), result("a", isError=True)), assistant(use("a")), user(result("a"))],
    ],
)
def test_a_conversation_whose_uses_are_answered_at_once_fits(messages: list[Any]) -> None:
    assert misfit_of_messages(messages) is None


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([assistant(use())], "tool result missing for the tool use 'a'"),
        ([assistant(use()), user(TEXT), user(result())], "tool result missing"),
        ([assistant(use("a"), use("b")), user(result("a"))], "tool result missing for the tool use 'b'"),
        ([user(result())], "belongs to no tool use"),
        ([assistant(use()), user(result(), result())], "belongs to no tool use"),
        ([assistant(use()), user(result("other"))], "tool result missing for the tool use 'a'"),
        ([assistant(use()), user(result(), TEXT)], "mixed with other content"),
        ([assistant(use()), assistant(result())], "message of the user"),
        ([user(use()), user(result())], "tool uses stand in messages of the assistant"),
        ([assistant(use("a"), use("a"))], "same id"),
        ([assistant({"type": "tool_use", "id": 1, "name": "add", "input": {}})], "an id, a name and an object"),
        ([assistant({"type": "tool_use", "id": "a", "name": "add", "input": []})], "an id, a name and an object"),
        ([assistant(use()), user({"type": "tool_result", "toolUseId": "a"})], "a toolUseId and a list of content"),
        ([assistant(use()), user(result(content=["x"]))], "a toolUseId and a list of content"),
        ([assistant(use()), user(result(isError="no"))], "a toolUseId and a list of content"),
    ],
)
def test_what_does_not_fit_is_said_in_a_phrase(messages: list[Any], said: str) -> None:
    assert said in str(misfit_of_messages(messages))


def test_an_answer_uses_only_what_it_was_offered_and_brings_no_results() -> None:
    tools = frozenset({"add"})
    assert misfit_of_answer([TEXT, use("a"), use("b")], tools) is None
    assert misfit_of_answer(TEXT, frozenset()) is None
    assert "'sub'" in str(misfit_of_answer(use(name="sub"), tools))
    assert "may not use: 'add'" in str(misfit_of_answer([use()], frozenset()))
    assert "no tool result" in str(misfit_of_answer([result()], tools))
    assert "same id" in str(misfit_of_answer([use(), use()], tools))


def test_who_speaks_of_tools_is_told_by_the_blocks() -> None:
    assert has_tools([user(TEXT), assistant(use())])
    assert has_tools([{"role": "user", "content": result()}])
    assert not has_tools([user(TEXT), {"role": "user", "content": "tool_use"}])


WORDS = st.sampled_from(["a", "tool_use", "tool_result", "user", "assistant"])
KEYS = st.sampled_from(["type", "id", "name", "input", "role", "content", "toolUseId", "isError"])
JSON = st.recursive(
    st.none() | st.integers() | WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner), max_leaves=12
)


@given(st.lists(st.dictionaries(st.sampled_from(["role", "content"]), JSON), max_size=4))
def test_nothing_that_a_peer_sends_breaks_the_check(messages: list[dict[str, Any]]) -> None:
    assert misfit_of_messages(messages) is None or has_tools(messages)
    for message in messages:
        misfit_of_answer(message.get("content"), frozenset({"a"}))

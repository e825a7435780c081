"""Functions as prompts, and their results as messages."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest

from mcp_workbench.errors import RegistrationError, ToolError
from mcp_workbench.primitives.prompts import define_prompt, prompt_messages
from mcp_workbench.protocol.wire import ImageContent, PromptMessage, TextContent


def review(table: str, depth: int = 1, tone: Literal["kind", "strict"] = "kind") -> str:
    """Review a table.

    Args:
        table: Which one.
    """
    return table


def test_arguments_are_listed_by_name_with_their_descriptions() -> None:
    definition = define_prompt(review, title="Review")
    assert msgspec.json.decode(msgspec.json.encode(definition.listed)) == {
        "name": "review",
        "title": "Review",
        "description": "Review a table.",
        "arguments": [
            {"name": "table", "description": "Which one.", "required": True},
            {"name": "depth", "required": False},
            {"name": "tone", "required": False},
        ],
    }


def test_text_from_the_wire_is_converted() -> None:
    assert define_prompt(review).arguments.bind({"table": "5", "depth": "2"}).kwargs == {"table": "5", "depth": 2}


def test_known_values_are_kept_for_completion() -> None:
    definition = define_prompt(review, completions={"table": lambda prefix, context: []})
    assert definition.choices == {"tone": ("kind", "strict")}
    assert list(definition.completers) == ["table"]


def test_what_cannot_be_a_prompt_is_refused() -> None:
    with pytest.raises(RegistrationError, match="This prompt has no name"):
        define_prompt(lambda: "x")
    with pytest.raises(RegistrationError, match="none of its arguments; nearest is table"):
        define_prompt(review, completions={"tabel": lambda prefix, context: []})


def user(text: str) -> PromptMessage:
    return PromptMessage(role="user", content=TextContent(text=text))


ASSISTANT = PromptMessage(role="assistant", content=TextContent(text="a"))
IMAGE = ImageContent(data="", mime_type="image/png")


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        ("hello", [user("hello")]),
        (["one", "two"], [user("one"), user("two")]),
        (("one", "two"), [user("one"), user("two")]),
        (("assistant", "a"), [ASSISTANT]),
        ([("user", "u"), ("assistant", "a")], [user("u"), ASSISTANT]),
        (ASSISTANT, [ASSISTANT]),
        (IMAGE, [PromptMessage(role="user", content=IMAGE)]),
        (["look", IMAGE], [user("look"), PromptMessage(role="user", content=IMAGE)]),
        ({"role": "assistant", "content": "a"}, [ASSISTANT]),
        ([{"role": "assistant", "content": {"type": "text", "text": "a"}}], [ASSISTANT]),
        ({"content": "u"}, [user("u")]),
        ([], []),
    ],
)
def test_short_forms_become_messages(value: object, messages: list[PromptMessage]) -> None:
    assert prompt_messages("review", value) == messages


class Secretive:
    def __repr__(self) -> str:
        raise AssertionError("repr was called")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "The prompt review returned a NoneType; expected text, or a list"),
        (5, "returned an int"),
        ([["nested"]], "returned a list"),
        (Secretive(), "Secretive"),
        ({"role": "user", "content": Secretive()}, "a message that holds a .*Secretive"),
        ([("system", "x")], 'neither "user" nor "assistant"'),
        (("system", "x"), 'neither "user" nor "assistant"'),
        ({"role": [], "content": "x"}, 'neither "user" nor "assistant"'),
        ({"role": "user"}, "a message that holds a NoneType"),
        ({"role": "user", "content": {"type": "video"}}, "content that is not MCP's"),
    ],
)
def test_anything_else_is_a_sentence_that_names_the_type(value: Any, words: str) -> None:
    with pytest.raises(ToolError, match=words):
        prompt_messages("review", value)

"""What must be right about the tools of a sampling (2025-11-25, 2026-07-28), for the side that asks and the side that answers.

A server may offer the client's model tools of its own; the model asks for their use in its answer, and the server
runs them and asks again with the results. Which message may hold what is checked here, on the wire's own objects. Pure;
what the tools are and who runs them is nobody's business here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from mcp_workbench.protocol.wire import Json

ToolChoice = Literal["auto", "required", "none"]
"""Whether the model may, must or must not use a tool."""
TOOL_CHOICES: tuple[ToolChoice, ...] = get_args(ToolChoice)
TOOL_USE, TOOL_RESULT = "tool_use", "tool_result"


def blocks_of(content: Json) -> list[Json]:
    """Content as a list: the wire has one block or several."""
    return content if isinstance(content, list) else [content]


def of_type(content: Json, kind: str) -> list[dict[str, Json]]:
    """The blocks of one type."""
    return [block for block in blocks_of(content) if isinstance(block, dict) and block.get("type") == kind]


def has_tools(messages: Sequence[Mapping[str, Json]]) -> bool:
    """Whether a conversation speaks of tools, which only clients take that declared so."""
    return any(of_type(message.get("content"), kind) for message in messages for kind in (TOOL_USE, TOOL_RESULT))


def misfit_of_messages(messages: Sequence[Mapping[str, Json]]) -> str | None:
    """What is wrong with the tools of a conversation, as a phrase; None: nothing.

    2025-11-25 client/sampling: each use MUST be answered by a result in the very next message, which MUST hold nothing else.
    """
    wanted: list[str] = []
    for message in messages:
        problem = _misfit_of_message(message, wanted)
        if problem is not None:
            return problem
        wanted = [use["id"] for use in of_type(message.get("content"), TOOL_USE)]
    return f"tool result missing for the tool use {_shown(wanted[0])}" if wanted else None


def _misfit_of_message(message: Mapping[str, Json], wanted: list[str]) -> str | None:
    content = message.get("content")
    results = of_type(content, TOOL_RESULT)
    if not all(map(_is_result, results)):
        return "a tool result has a toolUseId and a list of content"
    if results and (message.get("role") != "user" or len(results) != len(blocks_of(content))):
        return "tool results mixed with other content: they are a message of the user of their own"
    given = [result["toolUseId"] for result in results]
    if sorted(given) != sorted(wanted):
        missing = next((use for use in wanted if use not in given), None)
        extra = "a tool result that belongs to no tool use of the message before"
        return extra if missing is None else f"tool result missing for the tool use {_shown(missing)}"
    uses = of_type(content, TOOL_USE)
    if uses and message.get("role") != "assistant":
        return "tool uses stand in messages of the assistant"
    return _misfit_of_uses(uses)


def misfit_of_answer(content: Json, tools: frozenset[str]) -> str | None:
    """What is wrong with the tools of a model's answer, as a phrase; None: nothing.

    Args:
        content: Of the answer.
        tools: Names of the tools it was offered, and may use.
    """
    if of_type(content, TOOL_RESULT):
        return "expected no tool result in an answer"
    uses = of_type(content, TOOL_USE)
    problem = _misfit_of_uses(uses)
    if problem is not None:
        return problem
    unknown = next((use["name"] for use in uses if use["name"] not in tools), None)
    return None if unknown is None else f"it uses a tool that it may not use: {_shown(unknown)}"


def _misfit_of_uses(uses: list[dict[str, Json]]) -> str | None:
    if not all(map(_is_use, uses)):
        return "a tool use has an id, a name and an object as input"
    ids = [use["id"] for use in uses]
    return None if len(set(ids)) == len(ids) else "two tool uses have the same id"


def _is_use(block: dict[str, Json]) -> bool:
    return isinstance(block.get("id"), str) and isinstance(block.get("name"), str) and isinstance(block.get("input"), dict)


def _is_result(block: dict[str, Json]) -> bool:
    content = block.get("content")
    return (
        isinstance(block.get("toolUseId"), str)
        and isinstance(content, list)
        and all(isinstance(each, dict) and isinstance(each.get("type"), str) for each in content)
        and isinstance(block.get("isError", False), bool)
    )


def _shown(name: str) -> str:
    return repr(name[:60])

"""What a call asks its client's model, with or without tools that the model may use.

The tools belong to the call that asks: the model only says which it wants and with what, as data; the author's code runs
it, or does not, and asks again with the results. Neighbours: `questions.py` has the question itself, `protocol/sampling.py` what a
conversation with tools must look like on the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from mcp_workbench.execution.questions import Question
from mcp_workbench.primitives.tools import define_tool
from mcp_workbench.protocol.sampling import (
    TOOL_CHOICES,
    TOOL_USE,
    ToolChoice,
    blocks_of,
    has_tools,
    misfit_of_answer,
    misfit_of_messages,
    of_type,
)
from mcp_workbench.protocol.wire import Json, Tool

ToolLike = Callable[..., Any] | Mapping[str, Json]
"""A tool that a model may use: a function, or a Tool as on the wire."""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """The model wants one of the tools used."""

    id: str
    name: str
    input: dict[str, Json]
    """The arguments, as the model says: data, which need not fit the tool's schema."""

    def result(self, content: str | Sequence[Mapping[str, Json]], *, is_error: bool = False) -> dict[str, Json]:
        """What came of it, as a block for the next message.

        Args:
            content: A text; or content as on the wire.
            is_error: Whether it failed.
        """
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else [dict(block) for block in content]
        return {"type": "tool_result", "toolUseId": self.id, "content": blocks} | ({"isError": True} if is_error else {})


@dataclass(frozen=True, slots=True)
class Sampled:
    """What the client's model answered."""

    text: str
    """All texts of the answer, one below the other."""
    content: tuple[dict[str, Json], ...]
    """The whole content, as on the wire: texts, images, sounds, uses of tools."""
    model: str
    """Which model it was, as the client says."""
    stop_reason: str | None

    @property
    def tool_uses(self) -> tuple[ToolUse, ...]:
        """Which tools it wants used, in its order; each is answered by its `result` in the next message."""
        return tuple(ToolUse(use["id"], use["name"], use["input"]) for use in of_type(list(self.content), TOOL_USE))

    @property
    def message(self) -> dict[str, Json]:
        """The answer as a message, to go on from."""
        return {"role": "assistant", "content": list(self.content)}


def ask_model(
    messages: str | Sequence[str | Mapping[str, Json]],
    *,
    max_tokens: int,
    system_prompt: str | None,
    temperature: float | None,
    stop_sequences: Sequence[str] | None,
    model_preferences: str | Sequence[str] | Mapping[str, Json] | None,
    tools: Sequence[ToolLike] | None,
    tool_choice: ToolChoice | None,
    key: str | None,
    timeout_s: float | None,
) -> Question:
    """A question to the client's model.

    Raises:
        ValueError: There is nothing to ask, or the tools make no sense.
    """
    said = [_sampling_message(each) for each in ([messages] if isinstance(messages, str) else messages)]
    if not said or max_tokens < 1:
        raise ValueError("sampling takes at least one message, and max_tokens of at least 1")
    if (misfit := misfit_of_messages(said)) is not None:
        raise ValueError(
            f"{misfit}. Behind an answer's .message goes one message of the user with the .result(…) of each of its .tool_uses"
        )
    listed = [_listed(tool) for tool in tools or ()]
    _check_choice(tool_choice, listed)
    optional = {
        "systemPrompt": system_prompt,
        "temperature": temperature,
        "stopSequences": None if stop_sequences is None else list(stop_sequences),
        "modelPreferences": _preferences(model_preferences),
        "tools": listed or None,
        "toolChoice": None if tool_choice is None else {"mode": tool_choice},
    }
    usable = frozenset() if tool_choice == "none" else frozenset(tool["name"] for tool in listed)
    return Question(
        "sampling/createMessage",
        {"messages": said, "maxTokens": max_tokens} | {name: value for name, value in optional.items() if value is not None},
        {"sampling": {"tools": {}} if listed or has_tools(said) else {}},
        misfit=lambda result: _misfit_of_model(result, usable),
        value=_sampled,
        whom="the client's model",
        outcome=lambda _: "answered",
        key=key,
        timeout_s=timeout_s,
    )


def _sampling_message(message: str | Mapping[str, Json]) -> dict[str, Json]:
    if isinstance(message, str):
        message = {"role": "user", "content": message}
    content = message.get("content")
    if message.get("role") not in ("user", "assistant") or not isinstance(content, str | Mapping | list):
        raise ValueError('a message is a text, or {"role": "user" or "assistant", "content": …} as on the wire')
    return {"role": message["role"], "content": {"type": "text", "text": content} if isinstance(content, str) else content}


def _listed(tool: ToolLike) -> dict[str, Json]:
    if callable(tool):
        described: Tool = define_tool(tool).listed
    else:
        try:
            described = msgspec.convert(tool, Tool)
        except msgspec.ValidationError as error:
            raise ValueError(
                f"a tool for the model is a function, or a mapping with name and inputSchema as on the wire: {error}"
            ) from None
    listed: dict[str, Json] = msgspec.to_builtins(described)
    return listed


def _check_choice(choice: ToolChoice | None, listed: list[dict[str, Json]]) -> None:
    names = [tool["name"] for tool in listed]
    if len(set(names)) < len(names):
        raise ValueError(f"two tools for the model have the same name; the names are {', '.join(names)[:200]}")
    if choice is not None and choice not in TOOL_CHOICES:
        raise ValueError(f"tool_choice is one of {', '.join(TOOL_CHOICES)}; got {str(choice)[:40]!r}")
    if choice is not None and not listed:
        raise ValueError("tool_choice says how the model uses tools: give tools as well")


def _preferences(wanted: str | Sequence[str] | Mapping[str, Json] | None) -> dict[str, Json] | None:
    if wanted is None or isinstance(wanted, Mapping):
        return None if wanted is None else dict(wanted)
    return {"hints": [{"name": name} for name in ([wanted] if isinstance(wanted, str) else wanted)]}


def _misfit_of_model(result: dict[str, Json], tools: frozenset[str]) -> str | None:
    content = result.get("content")
    if not isinstance(result.get("model"), str):
        return "expected the name of a model"
    if not all(isinstance(each, dict) and isinstance(each.get("type"), str) for each in blocks_of(content)):
        return "expected content with a type"
    if not all(isinstance(each.get("text"), str) for each in of_type(content, "text")):
        return "expected text content with a text"
    return misfit_of_answer(content, tools)


def _sampled(result: dict[str, Json]) -> Sampled:
    content = blocks_of(result.get("content"))
    reason = result.get("stopReason")
    text = "\n".join(each["text"] for each in of_type(content, "text"))
    return Sampled(text, tuple(content), result["model"], reason if isinstance(reason, str) else None)

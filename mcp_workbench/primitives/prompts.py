"""A function -> a prompt, and what it returns -> messages.

A prompt's arguments are text on the wire; they are converted by the same `Arguments` as a tool's. What
comes back may be as short as a str: it becomes one message of the user.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from mcp_workbench.errors import ToolError
from mcp_workbench.events import DefinedAt
from mcp_workbench.primitives.binding import ArgumentBinder, Arguments
from mcp_workbench.primitives.boundary import ends_in_a_sentence
from mcp_workbench.primitives.completions import Completer, checked_completers, choices_of
from mcp_workbench.primitives.docstrings import read_documentation
from mcp_workbench.primitives.listing import listed_size
from mcp_workbench.primitives.options import (
    IconLike,
    RunOn,
    checked_count,
    checked_icons,
    checked_name,
    checked_run_on,
    checked_text,
    checked_timeout,
    digest_of,
    edition_of,
)
from mcp_workbench.primitives.signature import read_signature
from mcp_workbench.primitives.wording import a_type, shorten
from mcp_workbench.protocol.wire import Content, Prompt, PromptArgument, PromptMessage, TextContent

_ROLES = ("user", "assistant")
_FORMS = 'text, or a list of texts, ("user" or "assistant", text) pairs, PromptMessage objects and their dicts'


@dataclass(frozen=True, slots=True)
class PromptDefinition:
    """One prompt, ready to be listed and filled."""

    name: str
    function: Callable[..., Any]
    run_on: RunOn
    listed: Prompt
    """As `prompts/list` shows it."""
    arguments: Arguments
    context_parameter: str | None
    timeout_s: float | None
    choices: Mapping[str, tuple[str, ...]]
    """Argument -> its values, from `Literal`, `Enum` and `bool` annotations."""
    completers: Mapping[str, Completer]
    """Argument -> the author's completer."""
    version: int
    defined_at: DefinedAt
    digest: str
    listed_bytes: int
    """Bytes of `listed` on the wire."""
    edition: str
    """Version and digest, for call records: `v2@1f3a9c0e`."""


@ends_in_a_sentence
def define_prompt(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    title: str | None = None,
    description: str | None = None,
    icons: Sequence[IconLike] | IconLike | None = None,
    run_on: object = None,
    timeout_s: float | None = None,
    version: int | None = None,
    completions: Mapping[str, Completer] | None = None,
    defined_at: DefinedAt | None = None,
    binders: Sequence[ArgumentBinder] = (),
    sync_context: type | None = None,
    async_context: type | None = None,
) -> PromptDefinition:
    """Describe one prompt.

    Args:
        function: Takes the arguments, returns what `prompt_messages` understands.
        name: Listed name; default: the function's own.
        title: Name for people.
        description: Default: the docstring's text.
        icons: `https:` or `data:` URIs, or `Icon`s.
        run_on: As for tools.
        timeout_s: Seconds until it is given up; default: no bound of its own.
        version: Default 1.
        completions: Argument -> completer, see `completions`.
        defined_at: Default: read off the function's code.
        binders: Asked for every parameter; see `binding`.
        sync_context: Annotation of the context parameter of a `def`.
        async_context: The same for an `async def`.

    Raises:
        RegistrationError: Something cannot be offered as written; names function, parameter and value.
    """
    name = checked_name(name, function, "prompt")
    signature = read_signature(function, label=name, sync_context=sync_context, async_context=async_context)
    documentation = read_documentation(function)
    arguments = Arguments(signature, descriptions=documentation.parameters, binders=binders)
    listed = Prompt(
        name=name,
        title=checked_text(title, "title", name),
        description=checked_text(documentation.text if description is None else description, "description", name),
        arguments=_listed_arguments(arguments) or msgspec.UNSET,
        icons=checked_icons(icons, name),
    )
    listed_bytes = listed_size(listed, name)
    version = checked_count(1 if version is None else version, "version", name)
    digest = digest_of(listed, version)
    return PromptDefinition(
        name=name,
        function=function,
        run_on=checked_run_on(run_on, is_async=signature.is_async, label=name),
        listed=listed,
        arguments=arguments,
        context_parameter=signature.context_parameter,
        timeout_s=checked_timeout(timeout_s, name),
        choices=choices_of(signature),
        completers=checked_completers(completions, arguments.names, name),
        version=version,
        defined_at=defined_at or signature.defined_at,
        digest=digest,
        listed_bytes=listed_bytes,
        edition=edition_of(version, digest),
    )


def prompt_messages(prompt: str, value: object) -> list[PromptMessage]:
    """What a prompt's function returned, as messages.

    Args:
        prompt: The prompt's name, for the sentence.
        value: A text, content or message, or a list of such; see `_FORMS`.

    Raises:
        ToolError: The value, or an entry of the list, is none of these; names its type.
    """
    # A pair that begins with a role is one message; any other tuple is a list.
    several = isinstance(value, list | tuple) and not _is_pair(value)
    entries: Sequence[object] = value if several else [value]  # type: ignore[assignment]  # a list or tuple by the line above
    return [_message(prompt, entry) for entry in entries]


def _message(prompt: str, entry: object) -> PromptMessage:
    if isinstance(entry, PromptMessage):
        return entry
    if isinstance(entry, str):
        return PromptMessage(role="user", content=TextContent(text=entry))
    if isinstance(entry, Content):
        return PromptMessage(role="user", content=entry)
    if isinstance(entry, dict):
        return _from_parts(prompt, entry.get("role", "user"), entry.get("content"))
    if isinstance(entry, tuple) and _is_pair(entry):
        return _from_parts(prompt, *entry)
    raise ToolError(f"The prompt {prompt} returned {a_type(type(entry))}; expected {_FORMS}. The prompt's author can correct this.")


def _from_parts(prompt: str, role: object, content: object) -> PromptMessage:
    if role not in _ROLES:
        raise ToolError(f'The prompt {prompt} returned a message whose role is neither "user" nor "assistant"; MCP has only these two.')
    if isinstance(content, str):
        content = TextContent(text=content)
    elif isinstance(content, dict):
        content = _content_from_dict(prompt, content)
    if not isinstance(content, Content):
        raise ToolError(f"The prompt {prompt} returned a message that holds {a_type(type(content))}; expected {_FORMS}.")
    return PromptMessage(role="assistant" if role == "assistant" else "user", content=content)


def _content_from_dict(prompt: str, content: dict[Any, Any]) -> Content:
    try:
        converted: Content = msgspec.convert(content, Content)
    except msgspec.ValidationError as error:
        raise ToolError(f"The prompt {prompt} returned content that is not MCP's: {shorten(str(error), 200)}.") from error
    return converted


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and value[0] in (*_ROLES, "system")


def _listed_arguments(arguments: Arguments) -> list[PromptArgument]:
    required = arguments.input_schema.get("required", ())
    return [
        PromptArgument(name=name, description=schema.get("description") or msgspec.UNSET, required=name in required)
        for name, schema in arguments.input_schema["properties"].items()
    ]

"""Values to complete a prompt's argument or a template's variable with.

They come from the annotation (`Literal`, `Enum`, `bool`) or from a completer the author registered:
`completions={"city": lambda prefix, context: CITIES}`. Those that begin with what was typed come first,
then those that contain it, whatever the case. A completer that knows better - "nyc" -> "New York" - keeps
its own choice: it counts when none of its values contains the text.
"""

from __future__ import annotations

import enum
import itertools
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from mcp_workbench.errors import RegistrationError, ToolError
from mcp_workbench.primitives.listing import fault_in
from mcp_workbench.primitives.signature import Signature
from mcp_workbench.primitives.wording import a_type, describe_value, nearest, shorten
from mcp_workbench.protocol.wire import CompletionValues

MAX_VALUES = 100
"""Values in one answer: MCP's bound."""
MAX_CANDIDATES = 10_000
"""Values taken from one completer: it may be endless."""

Completer = Callable[[str, Mapping[str, str]], Iterable[str]]
"""What was typed so far, and the arguments already chosen -> candidates. Runs user code."""


def choices_of(signature: Signature) -> Mapping[str, tuple[str, ...]]:
    """Parameter -> its possible values as text, for the annotations that list them.

    Raises:
        RegistrationError: A value cannot be sent.
    """
    found = {parameter.name: _choices(parameter.annotation) for parameter in signature.parameters}
    if (fault := fault_in(found)) is not None:
        raise RegistrationError(f"{signature.label}: of the values to complete with, {fault}")
    return MappingProxyType({name: values for name, values in found.items() if values})


def checked_completers(completers: object, names: Iterable[str], label: str) -> Mapping[str, Completer]:
    """The author's completers, as a frozen mapping.

    Raises:
        RegistrationError: One is for a name that does not exist, or is not callable.
    """
    if completers is None:
        return MappingProxyType({})
    if not isinstance(completers, Mapping):
        raise RegistrationError(f"{label}: completions is a dict of completers by argument, got {describe_value(completers)}.")
    known = tuple(names)
    for name, completer in completers.items():
        if name not in known:
            shown = name if isinstance(name, str) else describe_value(name)
            close = nearest(shown, known, 1)
            raise RegistrationError(
                f"{label}: completions names {shorten(shown)}, which is none of its arguments{f'; nearest is {close[0]}' if close else ''}."
            )
        if not callable(completer):
            raise RegistrationError(
                f"{label}: the completer of {name} is a function of prefix and context, got {describe_value(completer)}."
            )
    return MappingProxyType(dict(completers))


def complete(
    argument: str,
    typed: str,
    context: Mapping[str, str],
    *,
    choices: Mapping[str, tuple[str, ...]],
    completers: Mapping[str, Completer],
) -> CompletionValues:
    """Complete one argument.

    Args:
        argument: Its name; one without values completes to nothing.
        typed: The text so far.
        context: Arguments already chosen.
        choices: Values known from annotations.
        completers: The author's completers; they go first and run user code here.

    Returns:
        At most `MAX_VALUES` values, their total where it is known, and whether there are more.

    Raises:
        ToolError: A completer yielded something that is not text.
    """
    completer = completers.get(argument)
    candidates = choices.get(argument, ()) if completer is None else _candidates(argument, completer(typed, context))
    endless = len(candidates) > MAX_CANDIDATES
    matching = _matching(candidates[:MAX_CANDIDATES], typed)
    if not matching and completer is not None:
        matching = list(candidates[:MAX_CANDIDATES])
    shown = matching[:MAX_VALUES]
    if endless:
        return CompletionValues(values=shown, has_more=True)
    return CompletionValues(values=shown, total=len(matching), has_more=len(matching) > len(shown))


def _candidates(argument: str, values: Iterable[str]) -> tuple[str, ...]:
    taken = tuple(dict.fromkeys(itertools.islice(values, MAX_CANDIDATES + 1)))
    for value in taken:
        if not isinstance(value, str):
            raise ToolError(f"The completer of {argument} yielded {a_type(type(value))}; expected text.")
    return taken


def _matching(candidates: Iterable[str], typed: str) -> list[str]:
    wanted = typed.casefold()
    ranked = [(0 if value.casefold().startswith(wanted) else 1, value) for value in candidates if wanted in value.casefold()]
    return [value for _, value in sorted(ranked, key=lambda pair: pair[0])]


def _choices(annotation: Any) -> tuple[str, ...]:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _choices(typing.get_args(annotation)[0])
    if origin is typing.Literal:
        return tuple(_value_text(value) for value in typing.get_args(annotation) if value is not None)
    if origin is typing.Union or origin is types.UnionType:
        branches = [_choices(argument) for argument in typing.get_args(annotation) if argument is not types.NoneType]
        # `Literal["a"] | str` takes any text: the known values are still worth offering.
        return tuple(dict.fromkeys(value for branch in branches for value in branch))
    if annotation is bool:
        return ("true", "false")
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return tuple(_value_text(member.value) for member in annotation)
    return ()


def _value_text(value: object) -> str:
    """As a client must send it for pydantic to take it."""
    value = value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)

"""A function -> a tool: what is listed, how its arguments are bound, what it promises, where it runs.

Everything is decided here, at decoration: a call looks nothing up and compiles nothing. The neighbours
are `binding` and `output` (compiled once, kept in the definition) and, above, the rooms that run it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from mcp_workbench.errors import RegistrationError
from mcp_workbench.events import DefinedAt
from mcp_workbench.primitives.argument_paths import checked_redact
from mcp_workbench.primitives.binding import ArgumentBinder, Arguments
from mcp_workbench.primitives.boundary import concerning, ends_in_a_sentence
from mcp_workbench.primitives.docstrings import read_documentation
from mcp_workbench.primitives.listing import listed_size
from mcp_workbench.primitives.options import (
    IconLike,
    RunOn,
    checked_background,
    checked_count,
    checked_flag,
    checked_icons,
    checked_name,
    checked_needs_task,
    checked_run_on,
    checked_tags,
    checked_text,
    checked_timeout,
    digest_of,
    edition_of,
    one_struct,
)
from mcp_workbench.primitives.output import Output, output_of
from mcp_workbench.primitives.own_schema import checked_input_schema
from mcp_workbench.primitives.signature import MISSING, read_signature
from mcp_workbench.primitives.wording import annotation_text
from mcp_workbench.protocol.http_headers import ANNOTATION, param_headers_of
from mcp_workbench.protocol.wire import Json, Tool, ToolAnnotations

_BAD_HEADER = (
    f"{ANNOTATION} is not as 2026-07-28 wants it, and clients would leave the tool out. Expected: the end of a header's name, each one "
    "once, for a parameter that is a text, an integer or a boolean, not optional and not inside a list."
)


class Waiting(msgspec.Struct, frozen=True):
    """A call that has nothing to say yet."""

    ready: Callable[[], bool]
    """Whether it has by now; asked on the protocol loop each time anything happens, so it must be quick."""
    at_most_s: float
    """Seconds after which it is run anyway."""


class Forwarded(msgspec.Struct, frozen=True):
    """The call that is meant by a call of another tool."""

    name: str
    """Of the tool; there may be none of that name."""
    arguments: dict[str, Json]


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """One tool, ready to be listed and called."""

    name: str
    function: Callable[..., Any]
    run_on: RunOn
    listed: Tool
    """As `tools/list` shows it."""
    arguments: Arguments
    output: Output | None
    """What the return annotation promises; None when nothing."""
    context_parameter: str | None
    """Keyword under which the call's context is passed; None when the function wants none."""
    timeout_s: float | None
    """Seconds until a call is given up; None for no bound of its own."""
    max_chars: int | None
    """Characters of text in one result; what is longer is cut, and says so. None: as many as the client's host shows."""
    tags: frozenset[str]
    """The author's labels; never listed."""
    version: int
    """What `version=` says; else counted from 1 by the notebook, each time what is published changed."""
    defined_at: DefinedAt
    digest: str
    """Hash of name, listing and version: equal when nothing published changed."""
    listed_bytes: int
    """Bytes of `listed` on the wire."""
    edition: str
    """Version and digest, for call records: `v2@1f3a9c0e`."""
    returns: str = ""
    """The return annotation as text; empty when there is none."""
    background_after_s: float | None = None
    """Seconds after which a call is answered as a job and goes on; None: never. A tool that `waits` never is."""
    redact: tuple[str, ...] = ()
    """Arguments, and places in them, that are withheld where its calls are written into files."""
    needs_task: bool = False
    """Whether each call is a task from its beginning, so that only clients that take tasks can call it."""
    waits: Callable[[Mapping[str, Json], str], Waiting | None] | None = None
    """What a call of one of the workbench's own tools waits for first, by raw arguments and principal; it holds no thread meanwhile."""
    forwards: bool = False
    """One of the workbench's own tools whose function says, on the protocol loop, which call is meant: a `Forwarded`."""
    quick: bool = False
    """One of the workbench's own tools that takes milliseconds whatever is published: it runs in a thread kept for such."""


@ends_in_a_sentence
def define_tool(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    title: str | None = None,
    description: str | None = None,
    input_schema: Mapping[str, Json] | None = None,
    annotations: ToolAnnotations | Mapping[str, Any] | None = None,
    icons: Sequence[IconLike] | IconLike | None = None,
    tags: Sequence[str] | str = (),
    timeout_s: float | None = None,
    read_only: bool | None = None,
    destructive: bool | None = None,
    run_on: object = None,
    background_after_s: float | UnsetType | None = UNSET,
    needs_task: bool = False,
    max_chars: int | None = None,
    version: int | None = None,
    redact: Sequence[str] | str = (),
    defined_at: DefinedAt | None = None,
    binders: Sequence[ArgumentBinder] = (),
    sync_context: type | None = None,
    async_context: type | None = None,
) -> ToolDefinition:
    """Describe one tool.

    Args:
        function: A function, bound method, `functools.partial` or callable instance; the last two need `name`.
        name: Listed name; default: the function's own.
        title: Name for people.
        description: Default: the docstring's text and what it says of the result.
        input_schema: JSON Schema of the arguments as listed; default: what the annotations say. See `own_schema`.
        annotations: Hints for hosts, as `ToolAnnotations` or its members by name.
        icons: `https:` or `data:` URIs, or `Icon`s.
        tags: Labels of the author.
        timeout_s: Seconds until a call is given up; default: no bound of its own.
        read_only: Short for the hint `read_only_hint`.
        destructive: Short for the hint `destructive_hint`.
        run_on: `"thread"` (default of a `def`), `"async"` (of an `async def`) or `"inline"`.
        background_after_s: Seconds after which a call is answered as a job and goes on; None: never. Default 45.
        needs_task: Each call is a task from its beginning; a client that takes none is refused.
        max_chars: Characters of text in one result; default: as many as the client's host shows, 8,000 where that is not known.
        version: Default 1.
        redact: Arguments, or places in them (`user.ssn`, `rows[*].email`), that are withheld where its calls are written into files.
        defined_at: Default: read off the function's code.
        binders: Asked for every parameter; see `binding`.
        sync_context: Annotation of the context parameter of a `def`.
        async_context: The same for an `async def`.

    Returns:
        The definition; nothing is registered.

    Raises:
        RegistrationError: Something cannot be offered as written; names function, parameter and value.
    """
    name = checked_name(name, function, "tool")
    signature = read_signature(function, label=name, sync_context=sync_context, async_context=async_context)
    documentation = read_documentation(function)
    arguments = Arguments(signature, descriptions=documentation.parameters, binders=binders)
    with concerning(f"{name}: its return annotation"):
        output = output_of(signature.returns)
    version = checked_count(1 if version is None else version, "version", name)
    listed = Tool(
        name=name,
        title=checked_text(title, "title", name),
        description=checked_text(documentation.description() if description is None else description, "description", name),
        input_schema=checked_input_schema(input_schema, arguments, name),
        output_schema=output.schema if output else UNSET,
        annotations=_hints(annotations, read_only, destructive, name),
        icons=checked_icons(icons, name),
    )
    if param_headers_of(listed.input_schema) is None:
        raise RegistrationError(f"{name}: {_BAD_HEADER}")
    listed_bytes = listed_size(listed, name)
    place = checked_run_on(run_on, is_async=signature.is_async, label=name)
    digest = digest_of(listed, version)
    return ToolDefinition(
        name=name,
        function=function,
        run_on=place,
        listed=listed,
        arguments=arguments,
        output=output,
        context_parameter=signature.context_parameter,
        timeout_s=checked_timeout(timeout_s, name),
        max_chars=None if max_chars is None else checked_count(max_chars, "max_chars", name),
        tags=checked_tags(tags, name),
        version=version,
        defined_at=defined_at or signature.defined_at,
        digest=digest,
        listed_bytes=listed_bytes,
        edition=edition_of(version, digest),
        background_after_s=checked_background(background_after_s, place, name),
        redact=checked_redact(redact, arguments.names, name),
        needs_task=checked_needs_task(needs_task, background_after_s, place, name),
        returns="" if signature.returns is MISSING else annotation_text(signature.returns),
    )


def _hints(
    annotations: ToolAnnotations | Mapping[str, Any] | None, read_only: bool | None, destructive: bool | None, label: str
) -> ToolAnnotations | UnsetType:
    """Annotations with the two short forms merged in; the two ways to say one thing must agree."""
    hints: ToolAnnotations = ToolAnnotations() if annotations is None else one_struct(ToolAnnotations, annotations, f"{label}: annotations")
    for option, hint, given in (("read_only", "read_only_hint", read_only), ("destructive", "destructive_hint", destructive)):
        value = checked_flag(given, option, label)
        if value is None:
            continue
        if getattr(hints, hint) not in (UNSET, value):
            raise RegistrationError(f"{label}: {option}={value} and the annotation {hint}={getattr(hints, hint)} disagree; keep one.")
        hints = msgspec.structs.replace(hints, **{hint: value})
    if hints.read_only_hint is True and hints.destructive_hint is True:
        raise RegistrationError(f"{label}: a tool that is read_only cannot be destructive; keep one of them.")
    return UNSET if hints == ToolAnnotations() else hints

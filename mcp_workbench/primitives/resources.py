"""A function -> a resource, or a family of resources: the variables of its URI are the function's parameters.

Values come as text out of the URI and are converted by the same `Arguments` as a tool's, so `{days}` may be
an int. The neighbours are `uri_templates` (matching) and, above, the rooms that read and subscribe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mcp_workbench.errors import RegistrationError
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
from mcp_workbench.primitives.signature import Signature, read_signature
from mcp_workbench.primitives.uri_templates import UriTemplate, best_match
from mcp_workbench.primitives.wording import describe_value, quote
from mcp_workbench.protocol.wire import Resource, ResourceTemplate


@dataclass(frozen=True, slots=True)
class ResourceDefinition:
    """One resource or template, ready to be listed and read."""

    name: str
    template: UriTemplate
    """Parsed URI; without variables it is one resource."""
    function: Callable[..., Any]
    run_on: RunOn
    listed: Resource | ResourceTemplate
    """As `resources/list` or `resources/templates/list` shows it."""
    arguments: Arguments
    context_parameter: str | None
    mime_type: str | None
    """What the author says; None leaves it to the value."""
    timeout_s: float | None
    choices: Mapping[str, tuple[str, ...]]
    """Variable -> its values, from `Literal`, `Enum` and `bool` annotations."""
    completers: Mapping[str, Completer]
    """Variable -> the author's completer."""
    version: int
    defined_at: DefinedAt
    digest: str
    listed_bytes: int
    """Bytes of `listed` on the wire."""
    edition: str
    """Version and digest, for call records: `v2@1f3a9c0e`."""

    @property
    def uri(self) -> str:
        """The URI or template as written."""
        return self.template.text

    @property
    def is_template(self) -> bool:
        """A family of resources; listed apart."""
        return bool(self.template.variables)


@ends_in_a_sentence
def define_resource(
    uri: object,
    function: Callable[..., Any],
    *,
    name: str | None = None,
    title: str | None = None,
    description: str | None = None,
    mime_type: str | None = None,
    icons: Sequence[IconLike] | IconLike | None = None,
    run_on: object = None,
    timeout_s: float | None = None,
    version: int | None = None,
    completions: Mapping[str, Completer] | None = None,
    defined_at: DefinedAt | None = None,
    binders: Sequence[ArgumentBinder] = (),
    sync_context: type | None = None,
    async_context: type | None = None,
) -> ResourceDefinition:
    """Describe one resource or resource template.

    Args:
        uri: A URI or a template, see `uri_templates`.
        function: Its parameters are the template's variables; others need defaults.
        name: Listed name; default: the function's own.
        title: Name for people.
        description: Default: the docstring's text.
        mime_type: For instance `text/markdown`; default: decided by the value that is read.
        icons: `https:` or `data:` URIs, or `Icon`s.
        run_on: As for tools.
        timeout_s: Seconds until a read is given up; default: no bound of its own.
        version: Default 1.
        completions: Variable -> completer, see `completions`.
        defined_at: Default: read off the function's code.
        binders: Asked for every parameter; see `binding`.
        sync_context: Annotation of the context parameter of a `def`.
        async_context: The same for an `async def`.

    Raises:
        RegistrationError: The template is not understood, or function and template do not fit together.
    """
    name = checked_name(name, function, "resource")
    if not isinstance(uri, str):
        raise RegistrationError(f'A resource needs its URI first: resource("notes://today"); got {describe_value(uri)}.')
    template = UriTemplate(str.__str__(uri))
    signature = read_signature(function, label=name, sync_context=sync_context, async_context=async_context)
    documentation = read_documentation(function)
    arguments = Arguments(signature, descriptions=documentation.parameters, binders=binders)
    _check_fit(template, signature, arguments)
    facts: dict[str, Any] = {
        "name": name,
        "title": checked_text(title, "title", name),
        "description": checked_text(documentation.description() if description is None else description, "description", name),
        "mime_type": checked_text(mime_type, "mime_type", name),
        "icons": checked_icons(icons, name),
    }
    listed = ResourceTemplate(uri_template=template.text, **facts) if template.variables else Resource(uri=template.text, **facts)
    listed_bytes = listed_size(listed, name)
    version = checked_count(1 if version is None else version, "version", name)
    digest = digest_of(listed, version)
    return ResourceDefinition(
        name=name,
        template=template,
        function=function,
        run_on=checked_run_on(run_on, is_async=signature.is_async, label=name),
        listed=listed,
        arguments=arguments,
        context_parameter=signature.context_parameter,
        mime_type=listed.mime_type or None,
        timeout_s=checked_timeout(timeout_s, name),
        choices=MappingProxyType({key: values for key, values in choices_of(signature).items() if key in template.variables}),
        completers=checked_completers(completions, template.variables, name),
        version=version,
        defined_at=defined_at or signature.defined_at,
        digest=digest,
        listed_bytes=listed_bytes,
        edition=edition_of(version, digest),
    )


def find_resource(definitions: Iterable[ResourceDefinition], uri: str) -> tuple[ResourceDefinition, dict[str, str]] | None:
    """The resource a URI means.

    Args:
        definitions: All that are offered; of several that match, the most literal one is meant.
        uri: As a client sent it.

    Returns:
        The definition and its variables' texts, to be bound by `definition.arguments`; None when none matches.
    """
    by_name = {definition.name: definition for definition in definitions}
    found = best_match({name: definition.template for name, definition in by_name.items()}, uri)
    return (by_name[found[0]], found[1]) if found else None


def _check_fit(template: UriTemplate, signature: Signature, arguments: Arguments) -> None:
    """Variables without a parameter would be lost, parameters without a variable never filled."""
    label, required = signature.label, set(arguments.input_schema.get("required", ()))
    for variable in template.variables:
        if variable not in arguments.names:
            raise RegistrationError(
                f"{label}: the template {quote(template.text)} has the variable {variable}, the function has no such parameter."
            )
        if variable in template.optional and variable in required:
            raise RegistrationError(
                f"{label}: {variable} stands in the query and may be left out; give the parameter {variable} a default."
            )
    for name in arguments.names:
        if name in required and name not in template.variables:
            raise RegistrationError(
                f"{label}: parameter {name} is no variable of {quote(template.text)}; add {{{name}}} or give it a default."
            )

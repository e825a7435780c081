"""`input_schema=`: an author's own JSON Schema of a tool's arguments, listed instead of the one made of annotations.

For what annotations cannot say: rules across parameters (`allOf`, `if`/`then`), vocabulary of JSON Schema 2020-12 that
pydantic does not write. It describes and checks nothing: arguments are bound by annotations as ever. So it is held to the
signature here, at registration: whoever keeps to it can call the function.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.binding import Arguments
from mcp_workbench.primitives.listing import fault_in
from mcp_workbench.primitives.wording import describe_value, quote
from mcp_workbench.protocol.wire import Json


def checked_input_schema(given: object, arguments: Arguments, label: str) -> dict[str, Json]:
    """The schema to list.

    Args:
        given: What the author wrote; None: what the annotations say.
        arguments: Of the function.
        label: How sentences call the tool.

    Raises:
        RegistrationError: It is no schema of an object, has not exactly the function's parameters as properties, or leaves
            one optional that has no default.
    """
    if given is None:
        return arguments.input_schema
    if not isinstance(given, Mapping) or given.get("type") != "object" or not _has_members(given):
        raise RegistrationError(
            f'{label}: input_schema is a JSON Schema of an object, {{"type": "object", "properties": {{…}}}}, got {describe_value(given)}.'
        )
    _check_names(set(given["properties"]), set(arguments.names), label)
    _check_required(given.get("required", ()), arguments, label)
    if (fault := fault_in(dict(given))) is not None:
        raise RegistrationError(f"{label}: input_schema: {fault}")
    # A copy: what is listed stays as it was registered, whatever becomes of the author's dicts.
    schema: dict[str, Json] = msgspec.json.decode(msgspec.json.encode(given))
    return schema


def _has_members(schema: Mapping[Any, Any]) -> bool:
    return isinstance(schema.get("properties"), Mapping) and isinstance(schema.get("$defs", {}), Mapping)


def _check_names(described: set[Any], taken: set[str], label: str) -> None:
    for names, sentence in (
        (described - taken, "input_schema describes {}, which the function does not take"),
        (taken - described, "input_schema does not describe {}, which the function takes"),
    ):
        if names:
            raise RegistrationError(f"{label}: {sentence.format(quote(min(map(str, names))))}; they must agree.")


def _check_required(required: object, arguments: Arguments, label: str) -> None:
    listed = set(required) if isinstance(required, list | tuple) else set()
    needed = [name for name in arguments.input_schema.get("required", ()) if name not in listed]
    if needed:
        raise RegistrationError(f'{label}: {quote(needed[0])} has no default, so "required" of input_schema must name it.')

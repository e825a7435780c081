"""What a caller must know of a tool, and what changed between two of them, in words.

`n int -> float; limit added (int = 10); region removed`. Descriptions are not compared: who has read the old one is
not misled by it. A shape holds texts only, so it keeps neither the old function nor what that closed over alive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from mcp_workbench.primitives.tools import ToolDefinition
from mcp_workbench.primitives.usage import ParameterText
from mcp_workbench.protocol.wire import Json

_REMARKS = frozenset(("description", "title", "default", "examples"))
"""Members of a schema that do not decide what may be sent."""
_OF_NAMES = frozenset(("properties", "$defs", "patternProperties"))
"""Members of a schema whose own members are named by the author."""
_POINTER = "#/$defs/"


@dataclass(frozen=True, slots=True)
class Shape:
    """One tool as its callers know it."""

    parameters: tuple[ParameterText, ...]
    accepts: tuple[bytes, ...]
    """What may be sent for each of them: its schema without remarks, models it refers to included."""
    returns: str
    """The return annotation; empty when there is none."""
    promises: bytes
    """The output schema without remarks; empty when there is none."""

    def could_take(self, names: frozenset[str]) -> bool:
        """Whether somebody who knows this shape may have sent arguments of these names."""
        known = frozenset(parameter.name for parameter in self.parameters)
        return names <= known and all(parameter.name in names for parameter in self.parameters if parameter.default is None)


def shape_of(tool: ToolDefinition) -> Shape:
    """What callers know of a tool."""
    schema = tool.listed.input_schema
    definitions = schema.get("$defs", {})
    return Shape(
        parameters=tool.arguments.parameters,
        accepts=tuple(_form(schema["properties"][parameter.name], definitions) for parameter in tool.arguments.parameters),
        returns=tool.returns,
        promises=b"" if tool.output is None else _form(tool.output.schema, tool.output.schema.get("$defs", {})),
    )


def differences(before: Shape, after: Shape) -> tuple[str, ...]:
    """What a caller who knows `before` has to learn, one phrase for each parameter and one for the result; empty: nothing."""
    old = {parameter.name: (parameter, accepts) for parameter, accepts in zip(before.parameters, before.accepts, strict=True)}
    new = {parameter.name: (parameter, accepts) for parameter, accepts in zip(after.parameters, after.accepts, strict=True)}
    phrases = [phrase for name in new if name in old and (phrase := _changed(*old[name], *new[name]))]
    phrases += [_added(parameter) for name, (parameter, _) in new.items() if name not in old]
    phrases += [f"{name} removed" for name in old if name not in new]
    if before.returns != after.returns:
        phrases.append(f"returns {before.returns or 'anything'} -> {after.returns or 'anything'}")
    elif before.promises != after.promises:
        phrases.append("its result has other fields")
    return tuple(phrases)


def _changed(before: ParameterText, accepted: bytes, after: ParameterText, accepts: bytes) -> str:
    parts = []
    if before.annotation != after.annotation:
        parts.append(f"{before.annotation or 'anything'} -> {after.annotation or 'anything'}")
    elif accepted != accepts:
        parts.append("takes other values")
    if before.default != after.default:
        parts.append(_default_changed(before.default, after.default))
    return f"{after.name} {', '.join(parts)}" if parts else ""


def _default_changed(before: str | None, after: str | None) -> str:
    if after is None:
        return "is now required"
    return f"may be left out (= {after})" if before is None else f"default {before} -> {after}"


def _added(parameter: ParameterText) -> str:
    if parameter.default is None:
        return f"{parameter.name} added ({parameter.annotation + ', ' if parameter.annotation else ''}required)"
    return f"{parameter.name} added ({parameter.annotation + ' ' if parameter.annotation else ''}= {parameter.default})"


def _form(schema: Json, definitions: dict[str, Any]) -> bytes:
    """What a schema accepts, as bytes that can be compared."""
    met: dict[str, Json] = {}
    waiting = [_without_remarks(schema)]
    forms = list(waiting)
    while waiting:
        for name in _referred(waiting.pop()):
            if name in definitions and name not in met:
                met[name] = _without_remarks(definitions[name])
                waiting.append(met[name])
    return msgspec.json.encode([forms, met], order="sorted")


def _without_remarks(schema: Json, *, named: bool = False) -> Json:
    """A schema without what does not decide; `named`: its members are the author's names."""
    if isinstance(schema, list):
        return [_without_remarks(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_remarks(value, named=not named and key in _OF_NAMES)
        for key, value in schema.items()
        if named or (key not in _REMARKS and key != "$defs")
    }


def _referred(schema: Json) -> Iterator[str]:
    """Names of the models a schema points to."""
    if isinstance(schema, list):
        for item in schema:
            yield from _referred(item)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.removeprefix(_POINTER)
            else:
                yield from _referred(value)

"""What Streamable HTTP says twice from 2026-07-28: in the body, and in headers for whoever routes without reading bodies.

A server refuses a request whose headers say something else than its body; a client writes them from the body. Both
ends take the rules from here. Pure.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import MODERN_VERSIONS

VERSION_HEADER = "MCP-Protocol-Version"
METHOD_HEADER = "Mcp-Method"
NAME_HEADER = "Mcp-Name"
PARAM_PREFIX = "Mcp-Param-"
ANNOTATION = "x-mcp-header"
"""In a tool's input schema: the argument is repeated in the header `Mcp-Param-<its value>`."""

NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"} | dict.fromkeys(
    ("tasks/get", "tasks/update", "tasks/cancel"), "taskId"
)
"""Method -> the param that `Mcp-Name` repeats."""

ParamHeaders = Mapping[tuple[str, ...], str]
"""Path of an argument -> what stands behind `Mcp-Param-`."""

_WRAPPED = re.compile(r"=\?base64\?(.*)\?=", re.DOTALL)
_PLAIN = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?|")
_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_DECIMAL = re.compile(r"(-?[0-9]{1,400})(?:\.0+)?")
_TYPES = ("string", "integer", "boolean")


def encode_value(value: str) -> str:
    """A text as a header's value: as it is where a header can hold it, else in base64."""
    if _PLAIN.fullmatch(value) and not _WRAPPED.fullmatch(value):
        return value
    return f"=?base64?{base64.b64encode(value.encode('utf-8', 'surrogatepass')).decode()}?="


def decode_value(value: str) -> str | None:
    """What a header's value stands for; None where it is broken."""
    wrapped = _WRAPPED.fullmatch(value)
    if wrapped is None:
        return value
    try:
        content = base64.b64decode(wrapped[1], validate=True)
        # Other base64 for the same bytes would let two readers of the header disagree.
        return content.decode() if base64.b64encode(content).decode() == wrapped[1] else None
    except (binascii.Error, UnicodeError, ValueError):
        return None


def is_modern(version: str) -> bool:
    """Whether a header's version names a revision from 2026-07-28 on, known here or not."""
    return version in MODERN_VERSIONS or (re.fullmatch(r"\d{4}-\d{2}-\d{2}", version) is not None and version > MODERN_VERSIONS[0])


def mismatch(headers: Mapping[str, Sequence[str]], method: str, params: Mapping[str, Any], param_headers: ParamHeaders) -> str | None:
    """What headers and body of a request disagree about.

    Args:
        headers: Lower-case name -> values.
        method: As the body says.
        params: As the body says.
        param_headers: Of the tool that is called; empty for other methods.

    Returns:
        A sentence; None: they agree.
    """
    meta = params.get("_meta")
    version = meta.get(wire.META_VERSION) if isinstance(meta, dict) else None
    expected: list[tuple[str, Any]] = [(VERSION_HEADER, version), (METHOD_HEADER, method)]
    named_by = NAMED_BY.get(method)
    if named_by is not None and isinstance(params.get(named_by), str):
        expected.append((NAME_HEADER, params[named_by]))
    for name, value in expected:
        if (problem := _check_one(headers, name, value)) is not None:
            return problem
    return _check_params(headers, params.get("arguments"), param_headers) if param_headers else None


def _check_one(headers: Mapping[str, Sequence[str]], name: str, value: Any) -> str | None:
    values = headers.get(name.lower(), ())
    if len(values) != 1:
        return f"Header mismatch: a request of this revision carries one {name} header, this one {len(values)}"
    return None if decode_value(values[0]) == value else f"Header mismatch: {name} says something else than the body"


def _check_params(headers: Mapping[str, Sequence[str]], arguments: Any, param_headers: ParamHeaders) -> str | None:
    for path, token in param_headers.items():
        name, argument = f"{PARAM_PREFIX}{token}", ".".join(path)
        values = headers.get(name.lower(), ())
        value = _at(arguments, path)
        if len(values) > 1:
            return f"Header mismatch: {name} is there {len(values)} times"
        if value is None or (text := _text_of(value)) is None:
            if values:
                return f"Header mismatch: {name} is there, but the argument {argument} has no such value"
        elif not values:
            return f"Header mismatch: the argument {argument} is there, but not the header {name}"
        elif not _same(decode_value(values[0]), text, value):
            return f"Header mismatch: {name} says something else than the argument {argument}"
    return None


def _same(said: str | None, text: str, value: Any) -> bool:
    if said is not None and isinstance(value, int | float) and not isinstance(value, bool) and value == int(value):
        number = _DECIMAL.fullmatch(said)
        return number is not None and int(number[1]) == int(value)
    return said == text


def header_values(params: Mapping[str, Any], method: str, param_headers: ParamHeaders) -> dict[str, str]:
    """The headers a client sends with a request: those that repeat its body.

    Args:
        params: The request's params, `_meta` included.
        method: Its method.
        param_headers: Of the tool that is called.
    """
    headers = {METHOD_HEADER: method}
    named_by = NAMED_BY.get(method)
    if named_by is not None and isinstance(params.get(named_by), str):
        headers[NAME_HEADER] = encode_value(params[named_by])
    for path, token in param_headers.items():
        value = _at(params.get("arguments"), path)
        if value is not None and (text := _text_of(value)) is not None:
            headers[f"{PARAM_PREFIX}{token}"] = encode_value(text)
    return headers


def param_headers_of(schema: Any) -> ParamHeaders | None:
    """Which arguments of a tool are repeated in headers.

    Args:
        schema: Its input schema.

    Returns:
        By path; None: the schema says it in a way that is not allowed, and then it says nothing (2026-07-28, custom headers).
    """
    found: dict[tuple[str, ...], str] = {}
    tokens: set[str] = set()
    for path, node in _positions(schema):
        token = node.get(ANNOTATION)
        if ANNOTATION not in node:
            continue
        good = bool(path) and isinstance(token, str) and _TOKEN.fullmatch(token) is not None and node.get("type") in _TYPES
        if not good or not isinstance(token, str) or token.lower() in tokens:
            return None
        tokens.add(token.lower())
        found[path or ()] = token
    return found


_ONE = (
    "items",
    "contains",
    "unevaluatedItems",
    "additionalProperties",
    "propertyNames",
    "unevaluatedProperties",
    "not",
    "if",
    "then",
    "else",
)
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS = ("patternProperties", "dependentSchemas", "$defs", "definitions")


def _positions(schema: Any) -> Iterator[tuple[tuple[str, ...] | None, dict[str, Any]]]:
    """Every schema in a schema, with its path where only `properties` lead there."""
    waiting: list[tuple[tuple[str, ...] | None, Any]] = [((), schema)]
    while waiting:
        path, node = waiting.pop()
        if not isinstance(node, dict):
            continue
        yield path, node
        properties = node.get("properties")
        if isinstance(properties, dict):
            waiting += [(None if path is None else (*path, name), each) for name, each in properties.items()]
        waiting += [(None, node.get(key)) for key in _ONE]
        waiting += [(None, each) for key in _LISTS if isinstance(node.get(key), list) for each in node[key]]
        waiting += [(None, each) for key in _MAPS if isinstance(node.get(key), dict) for each in node[key].values()]


def _at(arguments: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if not isinstance(arguments, dict):
            return None
        arguments = arguments.get(step)
    return arguments


def _text_of(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None

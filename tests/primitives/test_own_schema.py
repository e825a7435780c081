"""An author's own schema of a tool's arguments."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.binding import ArgumentError
from mcp_workbench.primitives.shapes import differences, shape_of
from mcp_workbench.primitives.tools import define_tool

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"code": {"$anchor": "airport", "type": "string"}},
    "properties": {"origin": {"$ref": "#/$defs/code"}, "limit": {"type": "integer"}},
    "required": ["origin"],
    "if": {"properties": {"origin": {"const": "JFK"}}},
    "then": {"properties": {"limit": {"maximum": 10}}},
    "allOf": [{"anyOf": [{"required": ["limit"]}, {"required": ["origin"]}]}],
    "additionalProperties": False,
}


def routes(origin: str, limit: int = 5) -> list[str]:
    """Routes from an airport."""
    return [origin] * limit


def test_it_is_listed_as_it_was_written() -> None:
    tool = define_tool(routes, input_schema=SCHEMA)
    assert tool.listed.input_schema == SCHEMA
    assert list(tool.listed.input_schema) == list(SCHEMA)
    assert tool.digest != define_tool(routes).digest


def test_it_stays_as_it_was_registered() -> None:
    schema = SCHEMA | {"properties": {"origin": {"type": "string"}, "limit": {}}}
    tool = define_tool(routes, input_schema=schema)
    schema["properties"]["origin"]["type"] = "integer"
    assert tool.listed.input_schema["properties"]["origin"] == {"type": "string"}


def test_arguments_are_checked_by_the_annotations_as_ever() -> None:
    arguments = define_tool(routes, input_schema=SCHEMA).arguments
    assert arguments.bind({"origin": "JFK", "limit": "50"}).kwargs == {"origin": "JFK", "limit": 50}
    with pytest.raises(ArgumentError, match="limit"):
        arguments.bind({"origin": "JFK", "limit": "many"})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"type": "array"}, "is a JSON Schema of an object"),
        ({"properties": None}, "is a JSON Schema of an object"),
        ({"$defs": []}, "is a JSON Schema of an object"),
        ({"properties": {"origin": {}}}, "does not describe 'limit', which the function takes"),
        ({"properties": {"origin": {}, "limit": {}, "dest": {}}}, "describes 'dest', which the function does not take"),
        ({"properties": {"origin": {}, "limit": {}, 3: {}}}, "describes '3', which the function does not take"),
        ({"required": ["limit"]}, "'origin' has no default"),
        ({"required": None}, "'origin' has no default"),
        ({"then": {"properties": {"limit": {"maximum": float("inf")}}}}, "is not finite"),
        ({"then": {"const": object()}}, "no JSON form"),
    ],
)
def test_one_that_does_not_fit_the_function_is_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RegistrationError, match="routes: ") as refusal:
        define_tool(routes, input_schema=SCHEMA | change)
    assert sentence in str(refusal.value).replace('"', "'")


def test_one_that_changed_is_told_to_those_who_know_the_old_one() -> None:
    before, after = (define_tool(routes, input_schema=SCHEMA | {"$defs": {"code": {"type": kind}}}) for kind in ("string", "integer"))
    (phrase,) = differences(shape_of(before), shape_of(after))
    assert "origin" in phrase


@pytest.mark.parametrize("given", [True, "{}", [], 3])
def test_what_is_no_mapping_is_refused(given: Any) -> None:
    with pytest.raises(RegistrationError, match="is a JSON Schema of an object"):
        define_tool(routes, input_schema=given)

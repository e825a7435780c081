"""What a tool asks a person for, as a form: a flat JSON Schema on the wire, a checked value in Python.

MCP's forms are objects of flat fields (text, numbers, yes or no, choices), so that every client can draw one.
A form is written as such a schema, or as what tool authors write anyway: a model, annotations by name, one annotation.

Checking is done twice, because the author's types are code of theirs: `misfit` is ours, looks at the schema
alone and may run anywhere; `value` runs the author's validators and belongs where the tool runs. Sentences name
fields and what was expected, never what a person has typed. Knows no calls and no messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

# pydantic accepts only this TypedDict before Python 3.12, and depends on the package itself.
from typing_extensions import TypedDict

from mcp_workbench.primitives.schema import NOT_DESCRIBABLE, describe
from mcp_workbench.primitives.wording import annotation_text, quote
from mcp_workbench.protocol.wire import Json

MAX_FIELDS = 100
ALONE = "value"
"""The one field of a form that was written as a single annotation."""

_KINDS: dict[str, tuple[Callable[[Json], bool], str]] = {
    "string": (lambda value: isinstance(value, str), "text"),
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "integer": (lambda value: _is_number(value) and float(value).is_integer(), "a whole number"),
    "number": (lambda value: _is_number(value), "a number"),
    "array": (lambda value: isinstance(value, list), "a list of choices"),
}


class Form:
    """One form.

    Args:
        schema: What is asked for, as on the wire.
        adapter: Makes the author's value of an answer; None: the answer as it is.
        alone: Whether the author wants the one field's value and not an object.
        nullable: Fields that may be left out and are None then.
    """

    __slots__ = ("_adapter", "_alone", "_nullable", "schema")

    def __init__(
        self, schema: dict[str, Json], adapter: TypeAdapter[Any] | None = None, *, alone: bool = False, nullable: tuple[str, ...] = ()
    ) -> None:
        self.schema = schema
        self._adapter = adapter
        self._alone = alone
        self._nullable = nullable

    def misfit(self, content: Json) -> str | None:
        """Why an answer does not fit the schema, as a phrase; None when it does. Fields that were not asked for are no reason."""
        if not isinstance(content, dict):
            return "expected an object with the form's fields"
        missing = [name for name in self.schema.get("required", ()) if name not in content]
        if missing:
            return f"the field {quote(missing[0])} is missing"
        for name, described in self.schema["properties"].items():
            if name in content and (expected := _expected(described, content[name])) is not None:
                return f"the field {quote(name)} must be {expected}"
        return None

    def value(self, content: dict[str, Json]) -> object:
        """The author's value of an answer that fits; runs code of the author's types.

        Raises:
            ValueError: It does not fit after all; names the fields.
        """
        known = {name: content[name] for name in self.schema["properties"] if name in content}
        if self._adapter is None:
            _check_patterns(self.schema, known)
            return known
        known = dict.fromkeys(name for name in self._nullable if name not in known) | known
        try:
            value = self._adapter.validate_python(known)
        except ValidationError as error:
            places = {str(finding["loc"][0]) for finding in error.errors(include_url=False, include_input=False) if finding["loc"]}
            named = ", ".join(quote(place) for place in sorted(places))
            raise ValueError(f"the fields {named} do not fit the form" if named else "the answer does not fit the form") from None
        return value[ALONE] if self._alone else value


def form_of(asked: object) -> Form:
    """Read what an author asks for.

    Args:
        asked: A JSON Schema of an object; a pydantic model, dataclass or TypedDict; a dict of names and annotations;
            one annotation; or None for a mere yes or no.

    Raises:
        ValueError: It is none of these, or not flat; says which field and what forms may have.
    """
    if asked is None:
        return Form({"type": "object", "properties": {}})
    if isinstance(asked, Mapping):
        if asked.get("type") == "object" or isinstance(asked.get("properties"), Mapping):
            return Form(_flat_schema(dict(asked))[0])
        return _typed(dict(asked), alone=False)
    adapter, described = _described(asked)
    if described.get("type") == "object" and "properties" in described:
        if described.get("title") == getattr(asked, "__name__", None):
            del described["title"]  # pydantic's, not the author's
        schema, nullable = _flat_schema(described)
        return Form(schema, adapter, nullable=nullable)
    return _typed({ALONE: asked}, alone=True)


def _typed(fields: dict[str, Any], *, alone: bool) -> Form:
    if not all(isinstance(name, str) for name in fields):
        raise ValueError("a form's fields are named by texts: {'rows': int, 'sure': bool}")
    adapter, described = _described(cast(Any, TypedDict)("Form", fields))
    described.pop("title", None)
    schema, nullable = _flat_schema(described)
    return Form(schema, adapter, alone=alone, nullable=nullable)


def _described(asked: object) -> tuple[TypeAdapter[Any], dict[str, Json]]:
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(cast(Any, asked))
        described = describe(adapter, "validation")
    except (*NOT_DESCRIBABLE, TypeError) as error:
        raise ValueError(
            f"a form is a JSON Schema, a model or annotations; none can be made of {annotation_text(asked)} ({type(error).__name__})"
        ) from None
    # A model that refers to itself or is described by reference stands among its own definitions.
    if (reference := described.get("$ref")) is not None:
        described = _referred(described.get("$defs", {}), reference) | {"$defs": described["$defs"]}
    return adapter, described


def _flat_schema(described: dict[str, Json]) -> tuple[dict[str, Json], tuple[str, ...]]:
    """The schema with flat fields only, and the fields that may be null."""
    definitions = described.get("$defs", {})
    fields = described.get("properties", {})
    if not isinstance(fields, Mapping) or len(fields) > MAX_FIELDS:
        raise ValueError(f"a form has `properties` by name, {MAX_FIELDS} at most")
    properties: dict[str, Json] = {}
    nullable = []
    for name, field in fields.items():
        flat, may_be_null = _flat(field if isinstance(field, Mapping) else {}, definitions)
        if not _is_flat(flat):
            raise ValueError(
                f"the field {quote(str(name))} cannot be asked for: a form's fields are text, numbers, true or false, "
                "one of several texts, or a list of those; none may be an object"
            )
        properties[str(name)] = flat
        if may_be_null and "default" not in field:
            nullable.append(str(name))
    required = [name for name in described.get("required", ()) if name in properties and name not in nullable]
    kept: dict[str, Json] = {key: described[key] for key in ("title", "description") if key in described}
    flat_schema: dict[str, Json] = {"type": "object", **kept, "properties": properties}
    return (flat_schema | {"required": required} if required else flat_schema), tuple(nullable)


def _flat(field: Mapping[str, Json], definitions: Mapping[str, Json]) -> tuple[dict[str, Json], bool]:
    """A field without references and null."""
    flat, may_be_null = dict(field), False
    if "anyOf" in flat:
        choices = [choice for choice in flat["anyOf"] if choice != {"type": "null"}]
        may_be_null = len(choices) < len(flat.pop("anyOf"))
        if len(choices) == 1:
            flat = dict(choices[0]) | flat
    if (reference := flat.pop("$ref", None)) is not None:
        flat = _referred(definitions, reference) | flat
    if isinstance(flat.get("items"), Mapping) and "$ref" in flat["items"]:
        flat["items"] = _referred(definitions, flat["items"]["$ref"])
    if "const" in flat:
        flat["enum"] = [flat.pop("const")]
    if flat.get("default", "") is None:
        del flat["default"]
    return flat, may_be_null


def _referred(definitions: Mapping[str, Json], reference: str) -> dict[str, Json]:
    return dict(definitions.get(reference.rpartition("/")[2], {}))


def _is_flat(field: dict[str, Json]) -> bool:
    if field.get("type") == "array":
        items = field.get("items")
        return isinstance(items, Mapping) and bool(_choices(items)) and all(isinstance(choice, str) for choice in _choices(items))
    return field.get("type") in _KINDS and all(isinstance(choice, str) for choice in _choices(field))


def _choices(field: Mapping[str, Json]) -> list[Json]:
    """What may be chosen, with or without titles; empty where anything may be."""
    if isinstance(field.get("enum"), list):
        return cast(list[Json], field["enum"])
    titled = field.get("oneOf", field.get("anyOf"))
    return [each.get("const") for each in titled if isinstance(each, Mapping)] if isinstance(titled, list) else []


def _expected(field: dict[str, Json], value: Json) -> str | None:
    """What a field must be, when its value is not that; None when it is."""
    fits, expected = _KINDS[field["type"]]
    if not fits(value):
        return expected
    if field["type"] == "array":
        choices = _choices(field["items"])
        within = field.get("minItems", 0) <= len(value) <= field.get("maxItems", len(value))
        return None if within and all(each in choices for each in value) else f"a list of {_listed(choices)}{_bounds(field, 'Items')}"
    if (choices := _choices(field)) and value not in choices:
        return f"one of {_listed(choices)}"
    if isinstance(value, str):
        within = field.get("minLength", 0) <= len(value) <= field.get("maxLength", len(value))
        return None if within else f"text{_bounds(field, 'Length')}"
    if isinstance(value, bool):
        return None
    within = field.get("minimum", value) <= value <= field.get("maximum", value)
    return None if within else f"a number{_bounds(field, 'imum')}"


def _bounds(field: dict[str, Json], what: str) -> str:
    least, most = field.get(f"min{what}"), field.get(f"max{what}")
    said = [f"at least {least}" if least is not None else "", f"at most {most}" if most is not None else ""]
    return "".join(f", {each}" for each in said if each)


def _listed(choices: list[Json]) -> str:
    return ", ".join(quote(str(choice)) for choice in choices[:20])


def _check_patterns(schema: dict[str, Json], content: dict[str, Json]) -> None:
    for name, field in schema["properties"].items():
        pattern, value = field.get("pattern"), content.get(name)
        if isinstance(pattern, str) and isinstance(value, str) and re.search(pattern, value) is None:
            raise ValueError(f"the field {quote(name)} does not fit the form's pattern")


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

"""JSON Schema 2020-12 of parameters and results, from pydantic, without its noise.

Kept: descriptions, constraints, enums, defaults, `$defs`, titles their author wrote. Left out: the
titles pydantic derives from names. What a tool's listing costs is read by a model in every
conversation, so every word counts.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from pydantic import (
    PydanticInvalidForJsonSchema,
    PydanticSchemaGenerationError,
    PydanticUndefinedAnnotation,
    PydanticUserError,
    TypeAdapter,
)
from pydantic.errors import PydanticForbiddenQualifier
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind
from pydantic_core import PydanticSerializationError, SchemaError

from mcp_workbench.protocol.wire import Json

NO_JSON_FORM = (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUndefinedAnnotation, PydanticForbiddenQualifier)
"""What pydantic raises for a type that it cannot make of JSON or describe as JSON."""
NOT_DESCRIBABLE = (*NO_JSON_FORM, PydanticUserError, SchemaError)
"""The same, and what it raises for an annotation that is put together wrongly."""


class _Inputs(GenerateJsonSchema):
    """Schemas without derived titles."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class _Outputs(_Inputs):
    """Schemas of results: NaN and the infinities travel as null, so a promised float is a number or null.

    Bytes have no JSON form, unless a model says it wants them as base64: a list of them is a list of images or sounds.
    """

    def bytes_schema(self, schema: Any) -> dict[str, Any]:
        described = super().bytes_schema(schema)
        return self.handle_invalid_for_json_schema(schema, "bytes") if described.get("format") == "binary" else described

    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        """`str | bytes` is not described as text alone."""
        if kind == "skipped-choice":
            raise PydanticInvalidForJsonSchema(detail)
        super().emit_warning(kind, detail)

    def float_schema(self, schema: Any) -> dict[str, Any]:
        described = super().float_schema(schema)
        return described | {"type": ["number", "null"]} if described.get("type") == "number" else described


def describe(adapter: TypeAdapter[Any], mode: Literal["validation", "serialization"]) -> dict[str, Json]:
    """The JSON Schema of an adapter.

    Args:
        adapter: The compiled annotation.
        mode: `validation` for what comes in, `serialization` for what goes out.

    Returns:
        A schema of our own, free to be changed.

    Raises:
        PydanticInvalidForJsonSchema: The annotation has no JSON form (one of `NOT_DESCRIBABLE`).
    """
    generator = _Inputs if mode == "validation" else _Outputs
    schema = adapter.json_schema(mode=mode, schema_generator=generator, by_alias=True)
    for name, definition in schema.get("$defs", {}).items():
        if definition.get("title") == name:
            del definition["title"]
    return schema


def default_as_json(adapter: TypeAdapter[Any], default: object) -> tuple[Json] | None:
    """A default as it may stand in a schema, in a tuple of one; None when JSON cannot hold it.

    Such a default (an object of the notebook, NaN …) still works: it is only left out of the schema.
    """
    try:
        # Through the encoded text: the only proof that it can stand in a message.
        value = msgspec.json.decode(msgspec.json.encode(adapter.dump_python(default, mode="json", by_alias=True, warnings=False)))
    except (PydanticSerializationError, ValueError, TypeError, RecursionError):
        return None
    return None if value is None and default is not None else (value,)

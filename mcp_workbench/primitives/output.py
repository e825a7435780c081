"""What a tool promises to return: the output schema, and the check that a result keeps it.

Only object-like annotations promise anything: `dict[str, X]`, TypedDict, dataclass, pydantic model, and
`list` / `tuple` / `set` of a described type, which travel as `{"result": [...]}` because MCP up to
2025-11-25 wants an object. Scalars, text, None, `Optional`, DataFrames, bytes, `Any`, `list` and `dict` alone or of
`Any`, and whatever pydantic cannot describe promise nothing; their results are rendered as they come.

A promised float is a number or null: JSON has no NaN and no infinity, DataFrames are full of them, and
a client may refuse a result that breaks its schema.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import typing
from typing import Any

import msgspec
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError
from typing_extensions import is_typeddict

from mcp_workbench.errors import ToolError
from mcp_workbench.primitives.jsonable import UnsupportedResult, to_jsonable
from mcp_workbench.primitives.mistakes import explain
from mcp_workbench.primitives.schema import NOT_DESCRIBABLE, describe
from mcp_workbench.primitives.signature import MISSING
from mcp_workbench.primitives.wording import a_type, annotation_text
from mcp_workbench.protocol.wire import Json

_ARRAYS = (list, tuple, set, frozenset, collections.abc.Sequence)
_OBJECTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
WRAPPER = "result"
"""The member under which an array travels."""


class Output:
    """One tool's promise.

    Attributes:
        schema: The output schema, always an object's.
        wrapped: The result is an array and travels under `WRAPPER`.
    """

    __slots__ = ("_adapter", "_promise", "schema", "wrapped")

    def __init__(self, adapter: TypeAdapter[Any], promise: str, schema: dict[str, Json], *, wrapped: bool) -> None:
        """Made by `output_of`."""
        self._adapter = adapter
        self._promise = promise
        self.schema = schema
        self.wrapped = wrapped

    def structured(self, tool: str, value: object) -> dict[str, Json]:
        """The structured content of a result.

        Args:
            tool: The tool's name, for the sentence.
            value: What the function returned.

        Returns:
            An object that fits `schema`.

        Raises:
            ToolError: The value does not keep the promise.
            UnsupportedResult: Something in it has no JSON form.
        """
        try:
            result = self._dump(self._adapter.validate_python(value), warnings="error")
        except (ValidationError, PydanticSerializationError):
            result = self._second_way(tool, value)
        return {WRAPPER: result} if self.wrapped else result

    def _second_way(self, tool: str, value: object) -> Any:
        """Validate the JSON form: it knows numpy, and it shows where the difference is."""
        plain = to_jsonable(value)
        try:
            return self._dump(self._adapter.validate_python(plain), warnings="none")
        except ValidationError as error:
            difference = explain(error, plain)
        except PydanticSerializationError:
            difference = "it cannot be written as JSON"
        raise ToolError(
            f"{tool} returned {a_type(type(value))}, its annotation promises {self._promise}: {difference}. "
            "The tool's author can correct this."
        )

    def _dump(self, value: object, *, warnings: typing.Literal["none", "error"]) -> Any:
        refusals: list[UnsupportedResult] = []

        def fallback(inner: Any) -> Json:
            try:
                return to_jsonable(inner)
            except UnsupportedResult as error:
                refusals.append(error)
                raise

        try:
            text = self._adapter.dump_json(value, by_alias=True, warnings=warnings, fallback=fallback)
        except PydanticSerializationError:
            if refusals:
                raise refusals[0] from None
            raise
        try:
            return to_jsonable(msgspec.json.decode(text))
        except (msgspec.DecodeError, RecursionError) as error:
            raise UnsupportedResult(
                "The result cannot be written as JSON: it is nested too deep or a serializer wrote something else."
            ) from error


def output_of(annotation: Any) -> Output | None:
    """The promise of a return annotation; None when it promises nothing."""
    annotation = _unwrap(annotation)
    is_array, is_object = _is_array(annotation), _is_object(annotation)
    if not (is_array or is_object):
        return None
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        described = describe(adapter, "serialization")
    except NOT_DESCRIBABLE:
        return None  # a dict of DataFrames, a list of images: rendered as they come
    if is_array:
        definitions = {"$defs": described.pop("$defs")} if "$defs" in described else {}
        described = {"type": "object", "properties": {WRAPPER: described}, "required": [WRAPPER], **definitions}
    elif described.get("type", "object") != "object":
        return None
    described.pop("title", None)
    # A recursive model stands behind a $ref; MCP up to 2025-11-25 wants the type at the top.
    return Output(adapter, annotation_text(annotation), {"type": "object", **described}, wrapped=is_array)


def _unwrap(annotation: Any) -> Any:
    """Behind `Annotated` and `type X = ...`."""
    while True:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return annotation


def _is_array(annotation: Any) -> bool:
    arguments = [_unwrap(argument) for argument in typing.get_args(annotation)]
    return typing.get_origin(annotation) in _ARRAYS and bool(arguments) and not any(map(_is_anything, arguments))


def _is_anything(annotation: Any) -> bool:
    """It may be a figure, so nothing can be promised of it."""
    return annotation is Any or annotation is object


def _is_object(annotation: Any) -> bool:
    if annotation is MISSING:
        return False
    origin = typing.get_origin(annotation)
    if origin in _OBJECTS:
        key, member = (_unwrap(argument) for argument in typing.get_args(annotation))
        return key is str and not _is_anything(member)
    kind = origin or annotation
    if is_typeddict(kind):
        return True
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or issubclass(kind, BaseModel))

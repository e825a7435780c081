"""A function's parameters as one pydantic schema: all but those that a binder of another room claims.

One schema, because one call then validates all arguments. What pydantic says of the whole when it cannot
compile it helps nobody, so the parameters are then tried one by one until the one to blame is found.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NotRequired, Required, cast

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

# pydantic accepts only this TypedDict before Python 3.12, and depends on the package itself.
from typing_extensions import TypedDict

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.boundary import concerning
from mcp_workbench.primitives.schema import NO_JSON_FORM, default_as_json, describe
from mcp_workbench.primitives.signature import MISSING, Parameter
from mcp_workbench.primitives.wording import a_type, annotation_text, describe_value
from mcp_workbench.protocol.wire import Json

_OF_TYPED_DICTS = (Required, NotRequired)


class PlainParameters:
    """Some parameters of one function, compiled.

    Attributes:
        adapter: Validates an object of arguments into keyword arguments.
        wire_names: Parameter -> the name a client sends it under.
    """

    def __init__(self, label: str, parameters: tuple[Parameter, ...]) -> None:
        """Compile.

        Args:
            label: How sentences call the function.
            parameters: In the order written.

        Raises:
            RegistrationError: One cannot be compiled; says which.
        """
        self._label = label
        self._parameters = parameters
        with self._naming_the_culprit():
            self.wire_names = {parameter.name: self._wire_name(parameter) for parameter in parameters}
            self.adapter = _compiled(parameters)

    def schema(self, descriptions: Mapping[str, str]) -> dict[str, Json]:
        """The object's schema, with descriptions and the defaults that JSON can hold.

        Args:
            descriptions: Parameter -> text, for those that do not describe themselves.

        Raises:
            RegistrationError: One has no JSON form, or its default breaks its annotation.
        """
        with self._naming_the_culprit():
            described = describe(self.adapter, "validation")
            # An annotation that means the whole, such as `Self`, leaves none of them there.
            own = {parameter.name: described["properties"][self.wire_names[parameter.name]] for parameter in self._parameters}
        described.pop("title", None)
        for parameter in self._parameters:
            schema = own[parameter.name]
            if text := descriptions.get(parameter.name):
                schema.setdefault("description", text)
            if parameter.default is not MISSING and not isinstance(parameter.default, FieldInfo):
                self._add_default(parameter, schema)
        return described

    def _wire_name(self, parameter: Parameter) -> str:
        """`Annotated[str, Field(alias="from")]` lets a client send what Python cannot name."""
        if typing.get_origin(parameter.annotation) in _OF_TYPED_DICTS:
            raise RegistrationError(
                f"{self._label}: parameter {parameter.name} is annotated {annotation_text(parameter.annotation)}, which is for members "
                "of a TypedDict; a parameter is required unless it has a default."
            )
        alias = FieldInfo.from_annotation(_bare_type(parameter)).validation_alias
        if alias is not None and not isinstance(alias, str):
            raise RegistrationError(
                f"{self._label}: parameter {parameter.name} has {a_type(type(alias))}; a client sends it under one name: Field(alias=...)."
            )
        return parameter.name if alias is None else alias

    def _add_default(self, parameter: Parameter, schema: dict[str, Json]) -> None:
        # Validators and serializers of the author's run here.
        with concerning(f"{self._label}: parameter {parameter.name}, whose default is {describe_value(parameter.default)},"):
            adapter: TypeAdapter[Any] = TypeAdapter(Any if parameter.annotation is MISSING else parameter.annotation)
            try:
                adapter.validate_python(parameter.default)
            except ValidationError:
                raise self._wrong_default(parameter) from None
            if (default := default_as_json(adapter, parameter.default)) is not None:
                schema["default"] = default[0]

    def _wrong_default(self, parameter: Parameter) -> RegistrationError:
        advice = f"; write {annotation_text(parameter.annotation)} | None" if parameter.default is None else ""
        return RegistrationError(
            f"{self._label}: parameter {parameter.name} is annotated {annotation_text(parameter.annotation)}, "
            f"its default is {describe_value(parameter.default)}{advice}."
        )

    @contextmanager
    def _naming_the_culprit(self) -> Iterator[None]:
        try:
            yield
        except (RegistrationError, KeyboardInterrupt):
            raise
        except BaseException as error:
            for parameter in self._parameters:
                self._check_alone(parameter)
            raise RegistrationError(
                f"{self._label}: its parameters cannot be described as JSON together; check their annotations."
            ) from error

    def _check_alone(self, parameter: Parameter) -> None:
        with concerning(f"{self._label}: parameter {parameter.name}, annotated {annotation_text(parameter.annotation)},"):
            try:
                describe(TypeAdapter(_bare_type(parameter)), "validation")
                describe(_compiled((parameter,)), "validation")
            except NO_JSON_FORM as error:
                raise RegistrationError(
                    f"{self._label}: parameter {parameter.name} is annotated {annotation_text(parameter.annotation)}, which no JSON value "
                    "can become; take a JSON type, a date or datetime, a dataclass or a pydantic model, and look the object up inside."
                ) from error
            except PydanticUserError as error:
                if error.code != "typed-dict-version":
                    raise
                raise RegistrationError(
                    f"{self._label}: parameter {parameter.name} uses typing.TypedDict; before Python 3.12 import TypedDict "
                    "from typing_extensions."
                ) from error


def _compiled(parameters: tuple[Parameter, ...]) -> TypeAdapter[Any]:
    shape = cast(Any, TypedDict)("Arguments", {parameter.name: _field_type(parameter) for parameter in parameters}, total=False)
    shape.__pydantic_config__ = ConfigDict(extra="forbid")
    return TypeAdapter(shape)


def _bare_type(parameter: Parameter) -> Any:
    annotation = Any if parameter.annotation is MISSING else parameter.annotation
    return typing.Annotated[annotation, parameter.default] if isinstance(parameter.default, FieldInfo) else annotation


def _field_type(parameter: Parameter) -> Any:
    annotation = _bare_type(parameter)
    field = FieldInfo.from_annotation(annotation)
    if isinstance(parameter.default, FieldInfo):
        return Required[annotation] if field.is_required() else annotation
    return Required[annotation] if parameter.default is MISSING and field.is_required() else annotation

"""Parameters compiled into one schema, and which of them is to blame when they cannot be."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final, Literal, NotRequired, Required, Self

import msgspec
import pytest
from pydantic import AfterValidator, AliasChoices, AliasPath, Field, PlainSerializer

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.plain_parameters import PlainParameters
from mcp_workbench.primitives.signature import MISSING, Parameter
from mcp_workbench.primitives.tools import define_tool


def compiled(annotation: Any, default: Any = MISSING) -> PlainParameters:
    return PlainParameters("f", (Parameter("good", int, MISSING), Parameter("x", annotation, default)))


def refused(annotation: Any, default: Any = MISSING) -> RegistrationError:
    with pytest.raises(RegistrationError) as caught:
        compiled(annotation, default).schema({})
    return caught.value


def raising(error: BaseException) -> Callable[..., Any]:
    def raises(_: Any) -> Any:
        raise error

    return raises


def test_one_schema_for_all_with_descriptions_and_defaults() -> None:
    plain = PlainParameters("f", (Parameter("a", int, MISSING), Parameter("b", str, "x"), Parameter("from_", str, Field(alias="from"))))
    assert plain.wire_names == {"a": "a", "b": "b", "from_": "from"}
    assert plain.schema({"b": "which"}) == {
        "type": "object",
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "string", "description": "which", "default": "x"},
            "from": {"type": "string"},
        },
        "required": ["a", "from"],
        "additionalProperties": False,
    }
    assert plain.adapter.validate_python({"a": "1", "from": "JFK"}) == {"a": 1, "from_": "JFK"}


class Odd:
    def __repr__(self) -> str:
        raise AssertionError("repr was called")


class Leaving:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        raise SystemExit(3)


class Refusing(type):
    def __getattr__(cls, name: str) -> Any:
        raise RuntimeError(name)


class Refused(metaclass=Refusing):
    pass


OWN: Any = Self

BROKEN: list[tuple[Any, str]] = [
    (OWN, "f: parameter x, annotated Self, cannot be offered: reading it raised PydanticUserError."),
    (list[OWN], r"f: parameter x, annotated list\[Self\], cannot be offered"),
    (ClassVar[int], r"f: parameter x is annotated ClassVar\[int\], which no JSON value can become"),
    (Final[int], r"f: parameter x, annotated Final\[int\], cannot be offered: reading it raised TypeError."),
    (Required[int], "f: parameter x is annotated Required.*, which is for members of a TypedDict"),
    (NotRequired[int], "f: parameter x is annotated NotRequired.*, which is for members of a TypedDict"),
    (Annotated[int, Field(discriminator="kind")], "f: parameter x, annotated int, cannot be offered: reading it raised TypeError."),
    (Annotated[int, Field(validation_alias=AliasChoices("a", "b"))], "f: parameter x has a pydantic.aliases.AliasChoices; a client sends"),
    (Annotated[int, Field(validation_alias=AliasPath("a", 0))], "f: parameter x has a pydantic.aliases.AliasPath; a client sends"),
    (Annotated[int, Field(json_schema_extra={"x": Odd()})], "annotated int, cannot be offered: reading it raised"),  # type: ignore[dict-item]
    (Annotated[int, Field(examples=[object()])], "annotated int, cannot be offered: reading it raised PydanticSerializationError."),
    (Annotated[int, Field(json_schema_extra=raising(KeyError("x")))], "annotated int, cannot be offered: reading it raised KeyError."),
    (Annotated[str, Field(pattern="(")], "annotated str, cannot be offered: reading it raised SchemaError."),
    (Leaving, "f: parameter x, annotated Leaving, cannot be offered: reading it raised SystemExit."),
    (Refused, "f: parameter x, annotated Refused, cannot be offered: reading it raised RuntimeError."),
    (Odd(), "f: parameter x.* annotated an? .*Odd"),
    (Odd, "f: parameter x is annotated Odd, which no JSON value can become"),
]


@pytest.mark.parametrize(("annotation", "words"), BROKEN)
@pytest.mark.parametrize("default", [MISSING, None])
def test_the_parameter_to_blame_is_named(annotation: Any, words: str, default: Any) -> None:
    assert re.search(words, str(refused(annotation, default)))


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyError("x"), SystemExit(1), RecursionError()])
def test_a_default_whose_validator_raises_is_refused(error: BaseException) -> None:
    refusal = refused(Annotated[int, AfterValidator(raising(error))], 7)
    assert str(refusal).startswith("f: parameter x, whose default is the number 7, cannot be offered: reading it raised ")
    assert refusal.__cause__ is error


@pytest.mark.parametrize("error", [RuntimeError("x"), SystemExit(1)])
def test_a_default_that_cannot_be_written_is_left_out_of_the_schema(error: BaseException) -> None:
    schema = compiled(Annotated[int, PlainSerializer(raising(error))], 7).schema({})
    assert schema["properties"]["x"] == {"type": "integer"}


def test_an_interrupted_registration_stays_interrupted() -> None:
    with pytest.raises(KeyboardInterrupt):
        compiled(Annotated[int, AfterValidator(raising(KeyboardInterrupt()))], 7).schema({})


class Colour(enum.Enum):
    HALF = "\ud800"


@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[int, Field(title="\ud800")],
        Annotated[int, Field(description="\ud800")],
        Annotated[int, Field(alias="\ud800")],
        Annotated[str, Field(json_schema_extra={"a": {"b": ["\ud800"]}})],
        Annotated[int, Field(json_schema_extra={"x": float("nan")})],
        Annotated[int, Field(description="d" * 300_000)],
        Literal[tuple(f"value {number}" for number in range(30_000))],
        Literal["\ud800"],
        Colour,
    ],
)
def test_a_tool_is_listed_or_refused_whatever_its_annotation_holds(annotation: Any) -> None:
    def tool(x): ...  # type: ignore[no-untyped-def]

    tool.__annotations__ = {"x": annotation}
    with pytest.raises(RegistrationError, match=r"^tool: "):
        define_tool(tool)


@pytest.mark.parametrize("annotation", [Leaving, dict[str, Leaving], list[Leaving], dict[str, Annotated[int, Field(examples=[object()])]]])
def test_a_return_annotation_promises_nothing_or_is_named(annotation: Any) -> None:
    def tool(): ...  # type: ignore[no-untyped-def]

    tool.__annotations__ = {"return": annotation}
    if annotation is Leaving:
        assert define_tool(tool).output is None
        return
    with pytest.raises(RegistrationError, match="tool: its return annotation cannot be offered: reading it raised"):
        define_tool(tool)


def test_what_is_listed_can_be_sent() -> None:
    def tool(x: Annotated[int, Field(ge=1, examples=[3], json_schema_extra={"unit": "°C"})] = 2) -> None: ...

    listed = define_tool(tool).listed
    assert msgspec.json.decode(msgspec.json.encode(listed), type=type(listed)) == listed

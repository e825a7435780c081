"""Arguments from the wire: what is taken, what is refused, and in which words."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.binding import ArgumentError, Arguments, Bound
from mcp_workbench.primitives.signature import MISSING

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4),
    max_leaves=8,
)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.0


class Model(BaseModel):
    point: Point
    tags: list[str] = []


class Options(TypedDict, total=False):
    depth: int


class Table:
    """Stands for a DataFrame: only its binder knows how to find one."""


class Context:
    """Stands for the context of a call."""


def add(a: int, b: int = 2) -> int:
    return a + b


class TableBinder:
    """Finds tables by name, as a room above will find DataFrames."""

    def __init__(self, tables: dict[str, Table]) -> None:
        self.tables = tables

    def claims(self, annotation: object) -> bool:
        return annotation is Table or annotation == (Table | None)

    def json_schema(self, parameter: str, annotation: object, description: str | None) -> dict[str, Any]:
        return {"type": "string", "description": description or f"A table; default {parameter}"}

    def bind(self, parameter: str, value: Any, default: object, principal: str | None) -> Bound:
        if value is MISSING and default is not MISSING:
            return Bound(default)
        name = parameter if value is MISSING else value
        if name not in self.tables:
            raise ArgumentError(f"there is no table {name}")
        return Bound(self.tables[name], f"{name} v1" + (f" of {principal}" if principal else ""))


def refusal(arguments: Arguments, sent: dict[str, Any]) -> str:
    with pytest.raises(ArgumentError) as caught:
        arguments.bind(sent)
    return str(caught.value)


def test_arguments_become_keyword_arguments() -> None:
    assert Arguments.of(add).bind({"a": 1, "b": 3}).kwargs == {"a": 1, "b": 3}


def test_a_left_out_argument_is_left_to_the_function() -> None:
    assert Arguments.of(add).bind({"a": 1}).kwargs == {"a": 1}


def test_numbers_sent_as_text_are_taken() -> None:
    assert Arguments.of(add).bind({"a": "5", "b": 3.0}).kwargs == {"a": 5, "b": 3}


def test_a_str_parameter_that_gets_json_text_stays_text() -> None:
    def note(text: str) -> None: ...

    for text in ('{"a": 1}', "[1, 2]", "5", "null"):
        assert Arguments.of(note).bind({"text": text}).kwargs == {"text": text}


def test_a_list_sent_as_json_text_is_decoded_where_text_does_not_fit() -> None:
    def pick(columns: list[str], where: dict[str, int] | None = None) -> None: ...

    assert Arguments.of(pick).bind({"columns": '["a", "b"]', "where": ' {"x": 1}'}).kwargs == {"columns": ["a", "b"], "where": {"x": 1}}


def test_a_union_with_str_keeps_json_text_as_text() -> None:
    def pick(columns: list[str] | str) -> None: ...

    assert Arguments.of(pick).bind({"columns": '["a"]'}).kwargs == {"columns": '["a"]'}


def test_rich_annotations_become_their_python_values() -> None:
    def rich(when: datetime.date, colour: Colour, model: Model, options: Options, mode: Literal["fast", "slow"] = "fast") -> None: ...

    bound = Arguments.of(rich).bind(
        {"when": "2026-01-31", "colour": "red", "model": {"point": {"x": "1"}}, "options": {"depth": 2}, "mode": "slow"}
    )
    assert bound.kwargs == {
        "when": datetime.date(2026, 1, 31),
        "colour": Colour.RED,
        "model": Model(point=Point(1)),
        "options": {"depth": 2},
        "mode": "slow",
    }


@given(JSON)
def test_a_parameter_without_annotation_takes_any_json_value(value: Any) -> None:
    def anything(value) -> None: ...  # type: ignore[no-untyped-def]

    assert Arguments.of(anything).bind({"value": value}).kwargs["value"] is value


def test_a_wrong_argument_is_named_with_what_was_expected_and_what_came() -> None:
    assert refusal(Arguments.of(add), {"a": "five"}) == 'a: expected a valid integer, got text "five". Expected: add(a: int, b: int = 2).'


def test_a_missing_argument_is_named() -> None:
    assert refusal(Arguments.of(add), {}) == "argument a is missing. Expected: add(a: int, b: int = 2)."


def test_an_unknown_argument_is_answered_with_the_nearest_name() -> None:
    def top_routes(count: int = 5) -> None: ...

    assert refusal(Arguments.of(top_routes), {"cuont": 5}).startswith('there is no argument "cuont". Nearest: count. ')


def test_branches_of_a_union_are_one_phrase() -> None:
    def pick(key: int | Literal["all"]) -> None: ...

    assert refusal(Arguments.of(pick), {"key": None}).startswith("key: expected a valid integer or 'all', got null. ")


def test_a_place_deep_inside_is_named() -> None:
    def draw(models: list[Model]) -> None: ...

    sent = {"models": [{"point": {"x": 1}}, {"point": {"x": [], "z": 1}}]}
    assert "models[1].point.x: expected a valid integer, got an array of 0 items" in refusal(Arguments.of(draw), sent)


def test_many_mistakes_are_counted_not_listed() -> None:
    def draw(points: list[int]) -> None: ...

    few = refusal(Arguments.of(draw), {"points": ["x"] * 10})
    assert few.count("expected a valid integer") == 3
    assert "; and 7 more." in few
    assert refusal(Arguments.of(draw), {"points": ["x"] * 5000}).startswith("5,000 values in it are not what is expected. ")


def test_a_validator_of_the_author_speaks_for_itself() -> None:
    def sample(share: Annotated[float, Field(gt=0, le=1)]) -> None: ...

    assert refusal(Arguments.of(sample), {"share": 2}).startswith("share: expected less than or equal to 1, got the number 2.")


@given(st.text(st.characters(codec="utf-8"), min_size=61), st.sampled_from(["value", "name", "key"]))
def test_a_long_value_is_never_echoed_whole(text: str, where: str) -> None:
    def tool(number: int = 0, table: dict[int, int] | None = None) -> None: ...

    ways: dict[str, dict[str, Any]] = {"value": {"number": text}, "name": {text: 1}, "key": {"table": {text: 1}}}
    sent = ways[where]
    try:
        Arguments.of(tool).bind(sent)
    except ArgumentError as error:
        assert len(str(error)) < 300  # noqa: PT017  # some values do fit


@pytest.mark.parametrize("name", ["__class__", "*args", "**kwargs", "ctx", "", "self", "a b", "\x00"])
def test_a_hostile_name_is_just_an_unknown_argument(name: str) -> None:
    def tool(a: int, ctx: Context) -> None: ...

    arguments = Arguments.of(tool, sync_context=Context)
    assert refusal(arguments, {"a": 1, name: 1}).startswith("there is no argument ")


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, max_size=5))
def test_binding_never_fails_otherwise_than_by_a_sentence(sent: dict[str, Any]) -> None:
    def tool(a: int, b: list[Point] | None = None, c: Colour = Colour.RED) -> None: ...

    try:
        bound = Arguments.of(tool).bind(sent)
    except ArgumentError as error:
        assert str(error).endswith("Expected: tool(a: int, b: list[Point] | None = None, c: Colour = …).")  # noqa: PT017
    else:
        assert bound.kwargs.keys() <= {"a", "b", "c"}


def test_what_the_client_sent_is_not_changed() -> None:
    def tool(a: int, table: Table) -> None: ...

    sent = {"a": "1", "table": "t"}
    Arguments.of(tool, binders=[TableBinder({"t": Table()})]).bind(sent)
    assert sent == {"a": "1", "table": "t"}


def test_a_binder_gets_its_parameters_and_its_notes_are_kept() -> None:
    tables = {"flights": Table(), "planes": Table()}

    def join(flights: Table, n: int, other: Table | None = None) -> None: ...

    arguments = Arguments.of(join, binders=[TableBinder(tables)], descriptions={"other": "the right side"})
    bound = arguments.bind({"n": 1, "other": "planes"})
    assert bound.kwargs == {"n": 1, "flights": tables["flights"], "other": tables["planes"]}
    assert bound.notes == ("flights v1", "planes v1")
    assert list(arguments.input_schema["properties"]) == ["flights", "n", "other"]
    assert arguments.input_schema["properties"]["other"] == {"type": "string", "description": "the right side"}
    assert arguments.input_schema["required"] == ["n"]


def test_a_binder_is_told_whose_call_it_is() -> None:
    def join(flights: Table) -> None: ...

    arguments = Arguments.of(join, binders=[TableBinder({"flights": Table()})])
    assert arguments.bind({}, "alice").notes == ("flights v1 of alice",)


def test_a_claimed_default_is_the_binders_to_use() -> None:
    def join(other: Table | None = None) -> None: ...

    bound = Arguments.of(join, binders=[TableBinder({})]).bind({})
    assert bound.kwargs == {"other": None}
    assert bound.notes == ()


def test_a_claimed_name_beside_a_mistake_is_not_called_unknown() -> None:
    def join(flights: Table, n: int) -> None: ...

    message = refusal(Arguments.of(join, binders=[TableBinder({"flights": Table()})]), {"flights": "flights", "n": "x"})
    assert message.startswith('n: expected a valid integer, got text "x". Expected: join(flights: Table = …, n: int).')


def test_two_parameters_are_never_sent_under_one_name() -> None:
    def aliased(x: Annotated[int, Field(alias="y")], y: int) -> None: ...
    def twice(x: Annotated[int, Field(alias="z")], y: Annotated[int, Field(alias="z")]) -> None: ...
    def crossed(x: Annotated[int, Field(alias="y")], y: Annotated[int, Field(alias="x")]) -> None: ...
    def claimed(table: Table, x: Annotated[int, Field(alias="table")]) -> None: ...

    with pytest.raises(RegistrationError, match='aliased: x and y would both be sent as "y"; give one another alias'):
        Arguments.of(aliased)
    with pytest.raises(RegistrationError, match='twice: x and y would both be sent as "z"'):
        Arguments.of(twice)
    with pytest.raises(RegistrationError, match='claimed: table and x would both be sent as "table"'):
        Arguments.of(claimed, binders=[TableBinder({})])
    assert Arguments.of(crossed).bind({"x": 1, "y": 2}).kwargs == {"x": 2, "y": 1}


def test_the_first_binder_that_claims_owns_the_parameter() -> None:
    def tool(table: Table) -> None: ...

    first, second = TableBinder({"table": Table()}), TableBinder({"table": Table()})
    assert Arguments.of(tool, binders=[first, second]).bind({}).kwargs["table"] is first.tables["table"]


def test_the_schema_says_what_pydantic_knows() -> None:
    def tool(
        n: Annotated[int, Field(ge=1, description="how many")],
        colour: Colour = Colour.RED,
        mode: Literal["a", "b"] = "a",
        maybe: str | None = None,
    ) -> None: ...

    schema = Arguments.of(tool, descriptions={"n": "loses against Field", "mode": "which"}).input_schema
    assert schema == {
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 1, "description": "how many"},
            "colour": {"$ref": "#/$defs/Colour", "default": "red"},
            "mode": {"type": "string", "enum": ["a", "b"], "description": "which", "default": "a"},
            "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        },
        "$defs": {"Colour": {"type": "string", "enum": ["red", "blue"]}},
        "required": ["n"],
        "additionalProperties": False,
    }


def test_titles_are_kept_only_where_the_author_wrote_them() -> None:
    def tool(title: Annotated[str, Field(title="Heading")], model: Model) -> None: ...

    schema = Arguments.of(tool).input_schema
    assert schema["properties"]["title"] == {"type": "string", "title": "Heading"}
    assert b'"title":"Model"' not in msgspec.json.encode(schema)
    assert b'"title":"Arguments"' not in msgspec.json.encode(schema)


def test_a_default_that_json_cannot_hold_works_and_stays_out_of_the_schema() -> None:
    marker = object()

    def tool(value=marker, share: float = float("nan")) -> None:  # type: ignore[no-untyped-def]
        ...

    arguments = Arguments.of(tool)
    assert arguments.input_schema["properties"] == {"value": {}, "share": {"type": "number"}}
    assert arguments.bind({}).kwargs == {}


def test_a_default_that_breaks_its_annotation_is_refused_with_function_parameter_and_value() -> None:
    def tool(n: int = "many") -> None:  # type: ignore[assignment]
        ...

    with pytest.raises(RegistrationError, match=r'^tool: parameter n is annotated int, its default is text "many"\.$'):
        Arguments.of(tool)


def test_a_none_default_without_none_in_the_annotation_says_what_to_write() -> None:
    def tool(n: int = None) -> None:  # type: ignore[assignment]  # noqa: RUF013
        ...

    with pytest.raises(RegistrationError, match=r"its default is null; write int \| None\.$"):
        Arguments.of(tool)


def test_a_field_as_default_counts_as_its_annotation() -> None:
    def tool(n: int = Field(5, ge=1), m: int = Field(ge=1)) -> None: ...

    arguments = Arguments.of(tool)
    assert arguments.input_schema["required"] == ["m"]
    assert arguments.input_schema["properties"]["n"] == {"type": "integer", "minimum": 1, "default": 5}
    assert arguments.bind({"m": 2}).kwargs == {"n": 5, "m": 2}


def test_an_alias_lets_a_client_send_what_python_cannot_name() -> None:
    def tool(from_: Annotated[str, Field(alias="from")]) -> None: ...

    arguments = Arguments.of(tool)
    assert arguments.names == ("from",)
    assert arguments.bind({"from": "x"}).kwargs == {"from_": "x"}
    assert refusal(arguments, {"from_": "x"}).endswith("Expected: tool(from: str).")


def test_an_annotation_no_json_value_can_become_is_refused_by_name() -> None:
    def tool(a: int, table: Table) -> None: ...

    with pytest.raises(RegistrationError, match=r"^tool: parameter table is annotated Table, which no JSON value can become"):
        Arguments.of(tool)


def test_unknown_members_of_plain_dataclasses_are_refused_too() -> None:
    def tool(point: Point) -> None: ...

    assert refusal(Arguments.of(tool), {"point": {"x": 1, "colour": "red"}}).startswith("point.colour is not known there.")


def test_a_function_without_parameters_takes_an_empty_object() -> None:
    def tool() -> None: ...

    arguments = Arguments.of(tool)
    assert arguments.input_schema == {"type": "object", "properties": {}, "additionalProperties": False}
    assert arguments.bind({}).kwargs == {}
    assert refusal(arguments, {"a": 1}) == 'there is no argument "a". Expected: tool().'

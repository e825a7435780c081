"""Forms: what authors write, what stands on the wire, and what of an answer reaches the tool."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator

from mcp_workbench.primitives.forms import MAX_FIELDS, form_of


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Order(BaseModel):
    """What to make."""

    colour: Colour
    count: Annotated[int, Field(ge=1, le=5, description="How many.")] = 2
    day: date | None = None
    also: list[Colour] = []
    note: str | None

    @field_validator("note")
    @classmethod
    def polite(cls, note: str | None) -> str | None:
        if note == "damn":
            raise ValueError("mind your words, secret-7")
        return note


@dataclass
class Point:
    x: float
    sure: bool = False


def test_a_model_is_a_flat_schema_without_references_and_null() -> None:
    form = form_of(Order)
    assert form.schema == {
        "type": "object",
        "description": "What to make.",
        "properties": {
            "colour": {"enum": ["red", "blue"], "type": "string"},
            "count": {"default": 2, "description": "How many.", "maximum": 5, "minimum": 1, "type": "integer"},
            "day": {"format": "date", "type": "string"},
            "also": {"default": [], "items": {"enum": ["red", "blue"], "type": "string"}, "type": "array"},
            "note": {"type": "string"},
        },
        "required": ["colour"],
    }
    content = {"colour": "blue", "day": "2026-01-31", "also": ["red"]}
    assert form.misfit(content) is None
    assert form.value(content) == Order(colour=Colour.BLUE, day=date(2026, 1, 31), also=[Colour.RED], note=None)


@pytest.mark.parametrize(
    ("asked", "content", "value"),
    [
        (None, {}, {}),
        (bool, {"value": True}, True),
        (Literal["a", "b"], {"value": "b"}, "b"),
        (list[Literal["a", "b"]], {"value": ["b", "a"]}, ["b", "a"]),
        (Colour, {"value": "red"}, Colour.RED),
        (Point, {"x": 2}, Point(2.0)),
        ({"rows": int, "why": str | None}, {"rows": 3}, {"rows": 3, "why": None}),
        ({"type": "object", "properties": {"n": {"type": "number"}}}, {"n": 1.5, "unasked": "x"}, {"n": 1.5}),
    ],
)
def test_whatever_authors_write_gives_them_what_they_wrote(asked: Any, content: dict[str, Any], value: object) -> None:
    form = form_of(asked)
    assert form.schema["type"] == "object"
    assert form.misfit(content) is None
    assert form.value(content) == value


@pytest.mark.parametrize(
    "asked",
    [
        {"type": "object", "properties": {"deep": {"type": "object"}}},
        {"type": "object", "properties": {"any": {}}},
        {"type": "object", "properties": {"many": {"type": "array", "items": {"type": "string"}}}},
        {"type": "object", "properties": {"n": {"type": "integer", "enum": [1, 2]}}},
        {"type": "object", "properties": {str(n): {"type": "string"} for n in range(MAX_FIELDS + 1)}},
        {"point": Point},
        dict[str, int],
        list[int],
        object(),
        "no_such_type",
        {3: int},
    ],
)
def test_what_no_form_can_ask_is_refused_with_a_sentence(asked: Any) -> None:
    with pytest.raises(ValueError, match="form"):
        form_of(asked)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ({"type": "string"}, 3, "text"),
        ({"type": "string", "minLength": 2, "maxLength": 3}, "secret-7", "text, at least 2, at most 3"),
        ({"type": "string", "oneOf": [{"const": "#f00", "title": "Red"}]}, "Red", 'one of "#f00"'),
        ({"type": "integer"}, 1.5, "a whole number"),
        ({"type": "integer"}, True, "a whole number"),
        ({"type": "integer", "minimum": 3}, 2, "a number, at least 3"),
        ({"type": "boolean"}, 1, "true or false"),
        ({"type": "array", "items": {"anyOf": [{"const": "a"}]}, "maxItems": 1}, ["a", "a"], 'a list of "a", at most 1'),
        ({"type": "array", "items": {"enum": ["a"]}}, [["a"]], 'a list of "a"'),
    ],
)
def test_what_does_not_fit_is_named_without_what_was_typed(field: dict[str, Any], value: Any, told: str) -> None:
    misfit = form_of({"type": "object", "properties": {"x": field}}).misfit({"x": value})
    assert misfit == f'the field "x" must be {told}'


def test_missing_fields_and_other_shapes_do_not_fit() -> None:
    form = form_of({"rows": int})
    assert form.misfit({}) == 'the field "rows" is missing'
    assert form.misfit([]) == "expected an object with the form's fields"


def test_the_authors_own_checks_have_the_last_word_and_repeat_nothing() -> None:
    with pytest.raises(ValueError, match='"note"') as refused:
        form_of(Order).value({"colour": "red", "note": "damn"})
    assert "secret-7" not in str(refused.value)
    with pytest.raises(ValueError, match="pattern"):
        form_of({"type": "object", "properties": {"x": {"type": "string", "pattern": "^a"}}}).value({"x": "b"})


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_answer_makes_the_check_raise_and_what_fits_becomes_a_value(content: Any) -> None:
    form = form_of({"s": str, "n": float, "b": bool, "c": Literal["a"]} | {"o": str | None})
    for answer in (
        content,
        {"s": content, "n": content, "b": content, "c": content},
        {"s": "x", "n": 1, "b": True, "c": "a", "o": content},
    ):
        if form.misfit(answer) is None:
            assert isinstance(form.value(answer), dict)

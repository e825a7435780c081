"""The generated schemas: JSON Schema without pydantic's noise."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter

from mcp_workbench.primitives.schema import NOT_DESCRIBABLE, default_as_json, describe


class Node(BaseModel):
    """A node."""

    title: str = Field(title="Heading")
    weight: float = 1.0
    children: list[Node] = []


def test_derived_titles_go_and_written_ones_stay() -> None:
    node = describe(TypeAdapter(list[Node]), "validation")["$defs"]["Node"]
    assert "title" not in node
    assert node["properties"]["title"] == {"type": "string", "title": "Heading"}
    assert "title" not in node["properties"]["weight"]
    assert node["description"] == "A node."


def test_a_float_may_be_null_on_its_way_out_only() -> None:
    adapter: TypeAdapter[float] = TypeAdapter(float)
    assert describe(adapter, "validation") == {"type": "number"}
    assert describe(adapter, "serialization") == {"type": ["number", "null"]}


def test_what_has_no_json_form_raises_one_of_the_listed_errors() -> None:
    with pytest.raises(NOT_DESCRIBABLE):
        describe(TypeAdapter(type(describe)), "validation")


@pytest.mark.parametrize(
    ("annotation", "default", "expected"),
    [
        (datetime.date, datetime.date(2026, 1, 31), ("2026-01-31",)),
        (Node, Node(title="x"), ({"title": "x", "weight": 1.0, "children": []},)),
        (int | None, None, (None,)),
        (Any, object(), None),
        (float, float("nan"), None),
        (bytes, b"\xff", None),
        (set[int], {3}, ([3],)),
    ],
)
def test_a_default_is_shown_when_json_can_hold_it(annotation: Any, default: object, expected: tuple[Any] | None) -> None:
    assert default_as_json(TypeAdapter(annotation), default) == expected


@given(
    st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")), st.lists, max_leaves=6)
)
def test_a_json_default_is_shown_as_it_is(default: Any) -> None:
    assert default_as_json(TypeAdapter(Any), default) == (default,)

"""Values and types in sentences: short, and never by foreign code."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.primitives.wording import MAX_ANNOTATION, a_type, annotation_text, describe_value, nearest, quote, shorten, type_name


class Secretive:
    def __repr__(self) -> str:
        raise AssertionError("repr was called")

    __str__ = __repr__

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"attribute {name} was read")


class Odd:
    def __repr__(self) -> str:
        raise AssertionError("repr was called")


class Level(enum.IntEnum):
    LOW = 1


class Shouting(str):
    def __repr__(self) -> str:
        raise AssertionError("repr was called")

    __str__ = __repr__


class ShoutingNumber(int):
    __repr__ = Shouting.__repr__


@pytest.mark.parametrize(
    ("value", "phrase"),
    [
        (None, "null"),
        (True, "true"),
        (7, "the number 7"),
        (10**50, "a number of more than 38 digits"),
        (1.5, "the number 1.5"),
        (float("-inf"), "the number -Infinity"),
        ('say "hi"\n', r'text "say \"hi\"\n"'),
        ([1], "an array of 1 item"),
        ({}, "an object with 0 members"),
        (b"x", "a bytes"),
    ],
)
def test_a_value_is_a_phrase(value: object, phrase: str) -> None:
    assert describe_value(value) == phrase


def test_foreign_objects_are_named_by_type_alone() -> None:
    assert describe_value(Secretive()).endswith("Secretive")
    assert describe_value(Shouting("x")).endswith("Shouting")
    assert describe_value(ShoutingNumber(1)).endswith("ShoutingNumber")


@given(st.text())
def test_quoted_text_is_short_and_on_one_line(text: str) -> None:
    assert len(quote(text)) <= 60
    assert "\n" not in quote(text)
    assert len(shorten(text, 10)) <= 10


def test_types_are_named_with_module_and_article() -> None:
    assert type_name(int) == "int"
    assert a_type(int) == "an int"
    assert type_name(Secretive).endswith("test_wording.Secretive")


def refuse(cls: type) -> str:
    raise AssertionError("the metaclass was asked")


Liar = type("Liar", (type,), {"__module__": property(refuse)})


def test_a_metaclass_is_not_asked_for_the_name() -> None:
    assert type_name(Liar("Thing", (), {})).endswith("Thing")


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "int"),
        (None, "None"),
        (list[dict[str, int]], "list[dict[str, int]]"),
        (int | None, "int | None"),
        (Annotated[str, 1], "str"),
        (Literal["a", 1], "Literal['a', 1]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (Any, "Any"),
        (Literal[Level.LOW], "Literal[Level.LOW]"),
        ({"a": 1}, "an object with 1 member"),
        (Callable[[int], str], "Callable[[int], str]"),
        (ClassVar[int], "ClassVar[int]"),
    ],
)
def test_annotations_read_as_they_were_written(annotation: object, text: str) -> None:
    assert annotation_text(annotation) == text


def test_an_object_in_an_annotation_is_named_and_never_shown() -> None:
    odd: Any = Odd()
    for annotation in (odd, Annotated[odd, 1], list[odd], Literal[odd]):
        assert "Odd" in annotation_text(annotation)


def test_a_long_annotation_is_cut() -> None:
    values: Any = Literal.__getitem__(tuple(f"value {number}" for number in range(50_000)))
    assert len(annotation_text(values)) == len(annotation_text(list[values])) == MAX_ANNOTATION


def test_how_alike_the_nearest_must_be_is_the_callers_choice() -> None:
    assert nearest("which_thread", ["df_read"]) == ["df_read"]
    assert nearest("which_thread", ["df_read"], likeness=0.6) == []
    assert nearest("df_raed", ["df_read"], likeness=0.6) == ["df_read"]


def test_the_nearest_names_come_best_first_whatever_their_case() -> None:
    assert nearest("depdelay", ["carrier", "arr_delay", "dep_delay"]) == ["dep_delay", "arr_delay"]
    assert nearest("FLIGHTS", ["flights"]) == ["flights"]
    assert nearest("x" * 10_000, ["flights"]) == []

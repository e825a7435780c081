"""Completion values from annotations and completers."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.errors import RegistrationError, ToolError
from mcp_workbench.primitives.completions import MAX_VALUES, Completer, checked_completers, choices_of, complete
from mcp_workbench.primitives.signature import read_signature
from mcp_workbench.protocol.wire import CompletionValues


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Number(enum.IntEnum):
    ONE = 1


def values(typed: str, completer: Completer, context: Mapping[str, str] | None = None) -> CompletionValues:
    return complete("city", typed, context or {}, choices={}, completers={"city": completer})


def test_annotations_that_list_their_values_are_completed() -> None:
    def tool(
        mode: Literal["a", 1, None], colour: Colour, number: Number, flag: bool, maybe: Annotated[Literal["x"] | None, 1], free: str
    ) -> None: ...

    assert choices_of(read_signature(tool)) == {
        "mode": ("a", "1"),
        "colour": ("red", "blue"),
        "number": ("1",),
        "flag": ("true", "false"),
        "maybe": ("x",),
    }


def test_values_that_begin_with_the_text_come_before_those_that_contain_it() -> None:
    found = complete("m", "RE", {}, choices={"m": ("blue", "fire", "red", "real")}, completers={})
    assert found == CompletionValues(values=["red", "real", "fire"], total=3, has_more=False)


def test_an_argument_without_values_completes_to_nothing() -> None:
    assert complete("m", "x", {}, choices={}, completers={}) == CompletionValues(values=[], total=0, has_more=False)


def test_a_completer_sees_what_was_typed_and_what_was_chosen() -> None:
    seen: list[Any] = []

    def completer(prefix: str, context: Mapping[str, str]) -> Iterable[str]:
        seen.append((prefix, dict(context)))
        return ["Paris", "Parma", "Rome", "Paris"]

    assert values("par", completer, {"country": "IT"}).values == ["Paris", "Parma"]
    assert seen == [("par", {"country": "IT"})]


def test_a_completer_that_knows_better_keeps_its_choice() -> None:
    assert values("nyc", lambda prefix, context: ["New York"]).values == ["New York"]


def test_a_completer_goes_before_the_annotation() -> None:
    found = complete("city", "", {}, choices={"city": ("a",)}, completers={"city": lambda prefix, context: ["b"]})
    assert found.values == ["b"]


def test_at_most_a_hundred_values_are_sent_and_the_total_is_told() -> None:
    found = values("", lambda prefix, context: (f"c{number}" for number in range(250)))
    assert len(found.values) == MAX_VALUES
    assert (found.total, found.has_more) == (250, True)


def test_an_endless_completer_is_cut() -> None:
    found = values("", lambda prefix, context: (str(number) for number in itertools.count()))
    assert len(found.values) == MAX_VALUES
    assert found.has_more is True


def test_a_completer_that_yields_something_else_is_a_sentence() -> None:
    with pytest.raises(ToolError, match="The completer of city yielded an int; expected text"):
        values("", lambda prefix, context: [1])  # type: ignore[list-item]


def test_completers_are_checked_at_registration() -> None:
    assert checked_completers(None, ["a"], "f") == {}
    with pytest.raises(RegistrationError, match="none of its arguments"):
        checked_completers({"b": lambda prefix, context: []}, ["a"], "f")
    with pytest.raises(RegistrationError, match="got an array of 1 item"):
        checked_completers({"a": ["x"]}, ["a"], "f")


@given(st.lists(st.text(), max_size=300), st.text(max_size=3))
def test_values_are_bounded_unique_and_contain_the_text(candidates: list[str], typed: str) -> None:
    found = complete("m", typed, {}, choices={"m": tuple(dict.fromkeys(candidates))}, completers={})
    assert len(found.values) <= MAX_VALUES
    assert len(set(found.values)) == len(found.values)
    assert all(typed.casefold() in value.casefold() for value in found.values)
    assert found.has_more == (isinstance(found.total, int) and found.total > MAX_VALUES)

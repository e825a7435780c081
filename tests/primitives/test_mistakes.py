"""pydantic's findings as phrases."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, TypeAdapter, ValidationError

from mcp_workbench.primitives.mistakes import explain, top_level_names


def failure(annotation: Any, value: object) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(annotation).validate_python(value)
    return caught.value


def explained(annotation: Any, value: object) -> str:
    return explain(failure(annotation, value), value)


def fail(value: int) -> int:
    raise ValueError("Only even days fly, " + "x" * 500)


@pytest.mark.parametrize(
    ("annotation", "value", "phrase"),
    [
        (int, "x", 'expected a valid integer, got text "x"'),
        (list[int], {"a": 1}, "expected an array, got an object with 1 member"),
        (dict[str, int], {"a b": "x"}, '"a b": expected a valid integer, got text "x"'),
        (dict[str, list[int]], {"a": [1, None]}, "a[1]: expected a valid integer, got null"),
        (str, 1, "expected text, got the number 1"),
        (int | list[str], None, "expected a valid integer or an array, got null"),
    ],
)
def test_where_what_was_expected_and_what_came(annotation: Any, value: object, phrase: str) -> None:
    assert explained(annotation, value) == phrase


def test_an_authors_sentence_is_passed_on_and_bounded() -> None:
    text = explained(Annotated[int, AfterValidator(fail)], 1)
    assert text.startswith("only even days fly, xxx")
    assert len(text) < 240


def test_the_top_level_members_in_which_something_is_wrong() -> None:
    value = {"a": ["x"], "b": [1], "c": ["y"]}
    assert top_level_names(failure(dict[str, list[int]], value)) == {"a", "c"}
    assert top_level_names(failure(dict[str, list[int]], {"a": ["x"] * 1000})) == set()

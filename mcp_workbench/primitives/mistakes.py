"""pydantic's findings -> sentences a model can act on.

Each finding says where, what was expected, and what came (JSON type and at most sixty characters).
Union branches, which pydantic reports one by one, become one `expected … or …`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from mcp_workbench.primitives.wording import describe_value, nearest, quote, shorten

MAX_FINDINGS = 3
"""Findings spelled out; the rest are counted."""
_MAX_READ = 200
"""Findings worth reading: a list of 100,000 wrong items has 100,000 of them, at microseconds each."""
_MAX_EXPECTED = 200

_PYTHON_TO_JSON = (
    ("a dictionary or an instance of", "an object for"),
    ("a valid dictionary or object to extract fields from", "an object"),
    ("a valid dictionary or instance of", "an object for"),
    ("a valid dictionary", "an object"),
    ("a valid list", "an array"),
    ("a valid tuple", "an array"),
    ("a valid set", "an array"),
    ("a valid frozenset", "an array"),
    ("a valid string", "text"),
    ("None", "null"),
)


def explain(error: ValidationError, value: object, known: Iterable[str] = ()) -> str:
    """What is wrong with a value, as one phrase.

    Args:
        error: pydantic's findings about `value`.
        value: What was validated.
        known: Names of the arguments, when `value` holds arguments: to suggest for an unknown one.

    Returns:
        For instance `b: expected a valid integer, got text "five"`; several are joined by semicolons.
    """
    if error.error_count() > _MAX_READ:
        return f"{error.error_count():,} values in it are not what is expected"
    places = _by_place(error.errors(include_url=False, include_context=False), value)
    phrases = [_phrase(place, findings, tuple(known)) for place, findings in places.items()]
    more = len(phrases) - MAX_FINDINGS
    return "; ".join(phrases[:MAX_FINDINGS]) + (f"; and {more} more" if more > 0 else "")


def top_level_names(error: ValidationError) -> set[str]:
    """The members of the validated object in which something is wrong."""
    if error.error_count() > _MAX_READ:
        return set()
    return {
        str(finding["loc"][0]) for finding in error.errors(include_url=False, include_context=False, include_input=False) if finding["loc"]
    }


def _by_place(findings: Iterable[Any], value: object) -> dict[str, list[tuple[Any, object]]]:
    places: dict[str, list[tuple[Any, object]]] = {}
    for finding in findings:
        steps, found = _walk(finding, value)
        places.setdefault(_path(steps), []).append((finding, found))
    return places


def _walk(finding: Any, value: Any) -> tuple[list[str | int], object]:
    """Follow a location through the value; what leads nowhere is the name of a union branch, not a step."""
    steps: list[str | int] = []
    location = finding["loc"]
    for index, step in enumerate(location):
        if finding["type"] == "missing" and index == len(location) - 1:
            steps.append(step)
        elif _leads_on(step, value):
            steps.append(step)
            value = value[step]
    return steps, value


def _leads_on(step: str | int, value: Any) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list | tuple) and isinstance(step, int) and 0 <= step < len(value)


def _path(steps: list[str | int]) -> str:
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if step.isidentifier() and len(step) <= 60 else quote(step))
    return text


def _phrase(place: str, findings: list[tuple[Any, object]], known: tuple[str, ...]) -> str:
    first, found = findings[0]
    if first["type"] == "missing":
        return f"argument {place} is missing" if known and len(first["loc"]) == 1 else f"{place} is missing"
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return _unknown_name(place, str(first["loc"][-1]), len(first["loc"]) == 1, known)
    wanted = list(dict.fromkeys(_expected(finding) for finding, _ in findings))
    prefix = f"{place}: " if place else ""
    return f"{prefix}{' or '.join(wanted).replace(' or expected ', ' or ')}, got {describe_value(found)}"


def _unknown_name(place: str, name: str, top_level: bool, known: tuple[str, ...]) -> str:
    if not top_level:
        return f"{place} is not known there"
    suggestions = nearest(name, known, 1)
    return f"there is no argument {quote(name)}" + (f". Nearest: {suggestions[0]}" if suggestions else "")


def _expected(finding: Any) -> str:
    text: str = finding["msg"]
    if finding["type"].endswith("_parsing"):
        text = text.split(", unable to parse")[0]
    for python, json in _PYTHON_TO_JSON:
        text = text.replace(python, json)
    if text.startswith("Input should be "):
        text = "expected " + text.removeprefix("Input should be ")
    text = text.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return shorten(text[:1].lower() + text[1:], _MAX_EXPECTED)

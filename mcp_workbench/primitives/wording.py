"""How values and types are named in sentences, for models and for the notebook's author.

A sentence names types and short JSON values. It never holds the `repr` or `str` of an object that a
user's code made: those run foreign code and may print secrets or megabytes. Every other module of
this room words its errors through here.
"""

from __future__ import annotations

import difflib
import enum
import inspect
import math
import types
import typing
from collections.abc import Iterable

import msgspec

from mcp_workbench.wording import visible_json

MAX_ECHO = 60
"""Characters of a value that an error repeats."""
MAX_ANNOTATION = 200
"""Characters of an annotation in a sentence."""


def shorten(text: str, limit: int = MAX_ECHO) -> str:
    """Text of at most `limit` characters; what was cut is marked by an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def quote(text: str) -> str:
    """Text as a JSON string of at most `MAX_ECHO` characters, control characters escaped."""
    # Cut before encoding, so that a megabyte is never encoded to show sixty characters of it.
    return shorten(visible_json(msgspec.json.encode(text[:MAX_ECHO].encode("utf-8", "replace").decode()).decode()))


def describe_value(value: object) -> str:
    """A value as a phrase: JSON type and short value for JSON, the type's name for anything else.

    Returns:
        For instance `text "five"`, `the number 7`, `an array of 3 items`, `a pandas.DataFrame`.
    """
    # The type is asked first: `isinstance` reads an attribute of what is not exactly that type.
    kind = type(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int and isinstance(value, int):
        return f"the number {value}" if value.bit_length() < 128 else "a number of more than 38 digits"
    if kind is float and isinstance(value, float):
        return f"the number {value!r}" if math.isfinite(value) else f"the number {non_finite_name(value)}"
    if kind is str and isinstance(value, str):
        return f"text {quote(value)}"
    if kind is list and isinstance(value, list):
        return f"an array of {_count(len(value), 'item')}"
    if kind is dict and isinstance(value, dict):
        return f"an object with {_count(len(value), 'member')}"
    return a_type(kind)


def non_finite_name(value: float) -> str:
    """`NaN`, `Infinity` or `-Infinity`."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def type_name(kind: type) -> str:
    """Qualified name of a type; builtins go without their module."""
    # Through `type`'s own descriptors: a metaclass may answer `__module__` and `__qualname__` with anything.
    module = type.__dict__["__module__"].__get__(kind)
    name = type.__dict__["__qualname__"].__get__(kind)
    if not isinstance(module, str) or module in ("builtins", "__main__"):
        return shorten(str(name), 120)
    return shorten(f"{module}.{name}", 120)


def a_type(kind: type) -> str:
    """A type's name with its article: `a pandas.DataFrame`, `an int`."""
    name = type_name(kind)
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"


def annotation_text(annotation: object) -> str:
    """An annotation as its author would write it, without modules, of at most `MAX_ANNOTATION` characters: `list[str]`, `Literal['a']`."""
    return shorten(_annotation_text(annotation), MAX_ANNOTATION)


def _annotation_text(annotation: object) -> str:
    if typing.get_origin(annotation) is typing.Annotated:
        return _annotation_text(typing.get_args(annotation)[0])
    if annotation is None or annotation is types.NoneType:
        return "None"
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return type_name(annotation).rpartition(".")[2]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)[:MAX_ANNOTATION]
    if origin is typing.Union or origin is types.UnionType:
        return " | ".join(_annotation_text(argument) for argument in arguments)
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(_literal_text, arguments))}]"
    if isinstance(origin, type) and arguments:
        return f"{_annotation_text(origin)}[{', '.join(_argument_text(argument) for argument in arguments)}]"
    if type(annotation).__module__ not in ("typing", "typing_extensions", "types"):
        return describe_value(annotation)
    return inspect.formatannotation(annotation).replace("typing.", "")


def nearest(name: str, known: Iterable[str], count: int = 3, *, likeness: float = 0.5) -> list[str]:
    """Up to `count` of the known names that look most like `name`, best first; alike by this share of their characters at least."""
    candidates = {candidate.casefold(): candidate for candidate in known}
    return [candidates[match] for match in difflib.get_close_matches(name[:128].casefold(), candidates, n=count, cutoff=likeness)]


def _argument_text(argument: object) -> str:
    if argument is Ellipsis:
        return "..."
    return f"[{', '.join(map(_annotation_text, argument))}]" if isinstance(argument, list) else _annotation_text(argument)


def _literal_text(value: object) -> str:
    if isinstance(value, enum.Enum):
        return f"{type_name(type(value)).rpartition('.')[2]}.{value.name}"
    return repr(value) if type(value) in (str, int, bool, bytes, type(None)) else describe_value(value)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

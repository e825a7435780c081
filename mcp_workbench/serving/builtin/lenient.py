"""What models send instead of what is meant: read where the meaning is plain, refused with a sentence where it is not.

17 or "v17" for a version, a list or text with commas for several names, "flights" or "df://flights" or "`flights`" for
a DataFrame, "null" or "" for nothing. The annotations here go on the parameters of the workbench's own tools:
their schema stays the plain one, so that whoever follows it sends the plain form.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

import msgspec
from pydantic import BeforeValidator, WithJsonSchema

LONGEST_WAIT_S = 50.0
"""Desktop hosts drop a call at about 60 s."""

_NOTHING = frozenset(("", "null", "none", "nil", "undefined", "nan"))
_VERSION = re.compile(r"(?:\w+\s+)?(?:v|version\s*)?([1-9]\d{0,17})", re.ASCII | re.IGNORECASE)
_LATEST = frozenset(("latest", "current", "newest", "now"))
_WHOLE = re.compile(r"\d{1,18}|\d{1,3}(?:[,_]\d{3}){1,5}", re.ASCII)
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(?:s|sec|seconds?)?", re.ASCII | re.IGNORECASE)
_QUOTES = "`\"'"


def text(value: object) -> object:
    """A text, or None for "null", "" and the like."""
    return None if isinstance(value, str) and value.strip().lower() in _NOTHING else value


def name(value: object) -> object:
    """`flights` of "`flights`", "'flights'"; a URI stays one, `result://_r8` becomes `_r8`."""
    if not isinstance(value, str):
        raise ValueError("expected the name of a DataFrame as text")
    bare = _unquoted(value).rstrip("/")
    return bare.partition("://")[2] if bare.lower().startswith("result://") else bare


def names(value: object) -> object:
    """A list of texts: of one text (its commas are left to whoever knows what the names are), of JSON in a text."""
    value = text(value)
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = decoded(value)
    if isinstance(value, str):
        return [value.replace("`", "").strip()] if "`" in value else [value]
    if not isinstance(value, list):
        return value
    return [_unquoted(each) if isinstance(each, str) else str(each) if type(each) in (int, float) else each for each in value]


def version(value: object) -> object:
    """17 of 17, "17", "v17", "flights v17", 17.0; None of "latest"."""
    value = text(value)
    if value is None or (isinstance(value, str) and value.strip().lower() in _LATEST):
        return None
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    match = _VERSION.fullmatch(str(number).strip()) if isinstance(number, int | str) and not isinstance(number, bool) else None
    if match is None:
        raise ValueError("expected a version like 17 or v17")
    return int(match[1])


def whole(value: object) -> object:
    """1000 of 1000, "1000", "1,000", 1000.0."""
    value = text(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        value = int(value.replace(",", "").replace("_", ""))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**18):
        raise ValueError("expected a whole number from 0")
    return value


def seconds(value: object) -> float:
    """Seconds to wait, within bounds, of 50, "50", "50 s"; 0 of what is no number."""
    if isinstance(value, str) and (match := _SECONDS.fullmatch(value.strip())) is not None:
        value = float(match[1])
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return 0.0
    return min(max(float(value), 0.0), LONGEST_WAIT_S)


def members(value: object) -> object:
    """An object, also as JSON in a text; an empty one for nothing."""
    value = text(value)
    if value is None:
        return {}
    return decoded(value) if isinstance(value, str) else value


def decoded(value: str) -> object:
    """What a text says as JSON; the text itself where it is none."""
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return value


def _unquoted(value: str) -> str:
    bare = value.strip()
    while len(bare) > 1 and bare[0] == bare[-1] and bare[0] in _QUOTES:
        bare = bare[1:-1].strip()
    return bare


def _read(read: Callable[[object], object], kind: str) -> tuple[BeforeValidator, WithJsonSchema]:
    schema: dict[str, Any] = {"type": kind} if kind != "array" else {"type": kind, "items": {"type": "string"}}
    return BeforeValidator(read), WithJsonSchema(schema)


_NAME, _TEXT, _NAMES, _VERSION_OF = _read(name, "string"), _read(text, "string"), _read(names, "array"), _read(version, "integer")
_WHOLE_OF, _SECONDS_OF, _MEMBERS = _read(whole, "integer"), _read(seconds, "number"), _read(members, "object")

Name: TypeAlias = Annotated[str, _NAME[0], _NAME[1]]
Text: TypeAlias = Annotated[str | None, _TEXT[0], _TEXT[1]]
Names: TypeAlias = Annotated[list[str] | None, _NAMES[0], _NAMES[1]]
Version: TypeAlias = Annotated[int | None, _VERSION_OF[0], _VERSION_OF[1]]
Whole: TypeAlias = Annotated[int | None, _WHOLE_OF[0], _WHOLE_OF[1]]
Seconds: TypeAlias = Annotated[float, _SECONDS_OF[0], _SECONDS_OF[1]]
Members: TypeAlias = Annotated[dict[str, Any], _MEMBERS[0], _MEMBERS[1]]

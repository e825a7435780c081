"""What is about to be listed, checked as a whole: one entry that cannot be sent makes its list unreadable to every client.

The single options are checked in `options`, with better sentences; schemas come from annotations, where an
author can put anything. So every value is looked at once, when it is registered, and no list is looked at again.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
from msgspec import UNSET

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.wording import a_type, quote
from mcp_workbench.protocol.cursors import PAGE_BYTES

MAX_DEPTH = 100
"""Levels of nesting; clients of ours read 128, the message around an entry adds a few."""


def listed_size(listed: msgspec.Struct, label: str) -> int:
    """Bytes of an entry on the wire.

    Args:
        listed: A `Tool`, `Resource`, `ResourceTemplate` or `Prompt`.
        label: How sentences call what it belongs to.

    Raises:
        RegistrationError: Something in it has no JSON form or is of a wrong type (says where), or it is too large.
    """
    if (fault := fault_in(listed)) is not None:
        raise RegistrationError(f"{label}: {fault}")
    text = msgspec.json.encode(listed)
    try:
        msgspec.json.decode(text, type=type(listed))
    except msgspec.ValidationError as error:
        raise RegistrationError(f"{label}: its listing breaks MCP's form: {error}.") from error
    if len(text) > PAGE_BYTES:
        raise RegistrationError(
            f"{label}: its listing is {len(text):,} bytes, {PAGE_BYTES:,} fit a page. Shorten {_largest_member(listed)}; "
            "long texts and long lists of values can be a resource."
        )
    return len(text)


def fault_in(value: object) -> str | None:
    """Say where in a value something stands that no message can carry; None when it is all JSON."""
    return _fault(value, (), 0)


def _fault(value: Any, path: tuple[str, ...], depth: int) -> str | None:
    kind = type(value)
    if kind is str:
        return _text_fault(value, path)
    if value is None or value is UNSET or kind is bool or kind is int:
        return None
    if kind is float:
        return None if math.isfinite(value) else f"{_place(path)} is not finite, JSON numbers are."
    if depth > MAX_DEPTH:
        return f"{_place(path[:3])} is nested deeper than {MAX_DEPTH} levels."
    if kind is dict:
        return _first_fault(value.items(), path, depth)
    if kind is list or kind is tuple:
        return _first_fault(((f"[{index}]", item) for index, item in enumerate(value)), path, depth)
    if issubclass(kind, msgspec.Struct):
        return _first_fault(((name, getattr(value, name)) for name in kind.__struct_fields__), path, depth)
    return f"{_place(path)} is {a_type(kind)}, which has no JSON form."


def _first_fault(members: Any, path: tuple[str, ...], depth: int) -> str | None:
    for name, member in members:
        if type(name) is not str:
            return f"{_place(path)} has a key that is {a_type(type(name))}, keys are text."
        fault = _text_fault(name, path) or _fault(member, (*path, name), depth + 1)
        if fault is not None:
            return fault
    return None


def _text_fault(text: str, path: tuple[str, ...]) -> str | None:
    if text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text):
        return None
    return f"{_place(path)} holds half of a surrogate pair, which is no character and cannot be sent."


def _place(path: tuple[str, ...]) -> str:
    return quote(".".join(path))[1:-1].replace(".[", "[") or "it"


def _largest_member(listed: msgspec.Struct) -> str:
    sizes = {name: len(msgspec.json.encode(getattr(listed, name, None) or None)) for name in listed.__struct_fields__}
    return max(sizes, key=sizes.__getitem__)

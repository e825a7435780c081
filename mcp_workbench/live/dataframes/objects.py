"""One Python object in a DataFrame cell -> one JSON value that gives nothing away.

Cells of object columns hold anything: numbers, dates, lists, models with passwords. What is data is
shown as data; any other object becomes a marker that names its type, never its repr or its attributes.
Lookups go by `type(value).__mro__`, because `isinstance` asks the object (`__class__`) and some lie.
The vectorised paths for whole columns are in `cells`, which uses this module for object columns.
"""

from __future__ import annotations

import base64
import datetime as dt
import enum
import math
import pathlib
import uuid
from collections.abc import Callable, Iterable
from decimal import Decimal
from types import NoneType
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from mcp_workbench.primitives.wording import type_name
from mcp_workbench.protocol.wire import Json

SAFE_INTEGER = 2**53
"""Integers beyond it are sent as text: JSON readers that use doubles would change them."""
MAX_DEPTH = 8
MAX_ITEMS = 1_000
"""Items of one nested cell; what follows is counted, not shown."""


def encode_object(value: object, max_chars: int) -> Json:
    """Encode one cell.

    Args:
        value: Anything.
        max_chars: Longest text; longer ones are cut and say by how much.

    Returns:
        None for every kind of missing value; bool, int, float or text; list or dict for nested data.
    """
    encoded = _encode(value, MAX_DEPTH)
    if isinstance(encoded, str):
        return clean(encoded, max_chars)
    if isinstance(encoded, list | dict):
        text = nested_text(encoded)
        return encoded if len(text) <= max_chars else clean(text, max_chars)
    return encoded


def clean(text: str, max_chars: int) -> str:
    """Make a text fit for the wire: cut to `max_chars`, lone surrogates written as escapes."""
    if len(text) > max_chars:
        text = f"{text[:max_chars]}… (+{len(text) - max_chars:,} characters)"
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def nested_text(value: Json) -> str:
    """Write a nested cell as compact JSON text."""
    return msgspec.json.encode(value).decode("utf-8")


def encode_int(value: int) -> int | str:
    """Keep an integer exact for every reader; of one that Python does not write in decimal, hexadecimal is as exact."""
    if -SAFE_INTEGER <= value <= SAFE_INTEGER:
        return value
    try:
        return str(value)
    except ValueError:  # beyond `sys.get_int_max_str_digits()`
        return hex(value)


def encode_float(value: float) -> float | str | None:
    """JSON knows no NaN (shown as missing) and no infinity (shown as text)."""
    if value != value:
        return None
    if math.isfinite(value):
        return value
    return "Infinity" if value > 0 else "-Infinity"


def marker(value: object) -> str:
    """Name the type of an object that is not data."""
    return f"<{type_name(type(value))} object>"


def _encode(value: object, depth: int) -> Json:
    for base in type(value).__mro__:
        if (scalar := _SCALARS.get(base)) is not None:
            return scalar(value)
        if (parts := _CONTAINERS.get(base)) is not None:
            return parts(value, depth)
    return marker(value)


def _items(values: Iterable[object], count: int, depth: int) -> Json:
    if depth == 0:
        return f"… ({count:,} items)"
    encoded: list[Json] = []
    for value in values:
        if len(encoded) == MAX_ITEMS:
            return [*encoded, f"… (+{count - MAX_ITEMS:,} items)"]
        encoded.append(_inner(value, depth - 1))
    return encoded


def _mapping(mapping: dict[object, object], depth: int) -> Json:
    if depth == 0:
        return f"… ({len(mapping):,} entries)"
    encoded: dict[str, Json] = {}
    for key, value in dict.items(mapping):
        if len(encoded) == MAX_ITEMS:
            encoded["…"] = f"+{len(mapping) - MAX_ITEMS:,} entries"
            break
        encoded[_key(key)] = _inner(value, depth - 1)
    return encoded


def _inner(value: object, depth: int) -> Json:
    encoded = _encode(value, depth)
    return clean(encoded, len(encoded)) if isinstance(encoded, str) else encoded


def _key(key: object) -> str:
    encoded = _inner(key, 1)
    if encoded is None:
        return "null"
    return encoded if isinstance(encoded, str) else nested_text(encoded)


def _small_float(value: Any) -> float | str | None:
    # float(np.float32(0.1)) is 0.10000000149011612; its own text is the shortest that reads back.
    return encode_float(float(value) if value.itemsize >= 8 else float(str(value)))


def _decimal(value: Any) -> str | None:
    return None if Decimal.is_nan(value) else Decimal.__str__(value)


def _duration(value: Any) -> str | None:
    try:
        return None if pd.isna(value) else pd.Timedelta(value).isoformat()
    except (ValueError, OverflowError):  # beyond what pandas can hold
        return dt.timedelta.__str__(value)


def _numpy_datetime(value: Any) -> str | None:
    return None if np.isnat(value) else str(value)


def _bytes(value: Any) -> str:
    return "base64:" + base64.b64encode(bytes(value)).decode("ascii")


def _missing(_value: object) -> None:
    return None


# The base class's own method is called, so that a subclass cannot put its attributes into the text.
_SCALARS: dict[type, Callable[[Any], Json]] = {
    NoneType: _missing,
    type(pd.NaT): _missing,
    type(pd.NA): _missing,
    bool: lambda value: value,
    int: lambda value: encode_int(int.__int__(value)),
    float: lambda value: encode_float(float.__float__(value)),
    complex: lambda value: complex.__str__(value),
    str: lambda value: str.__str__(value),
    bytes: _bytes,
    bytearray: _bytes,
    Decimal: _decimal,
    pd.Timestamp: lambda value: pd.Timestamp.isoformat(value),
    dt.datetime: lambda value: dt.datetime.isoformat(value),
    dt.date: lambda value: dt.date.isoformat(value),
    dt.time: lambda value: dt.time.isoformat(value),
    dt.timedelta: _duration,
    pd.Period: str,
    pd.Interval: str,
    uuid.UUID: lambda value: uuid.UUID.__str__(value),
    pathlib.PurePath: lambda value: pathlib.PurePath.__str__(value),
    enum.Enum: lambda value: f"{type_name(type(value))}.{value.name}",
    np.bool_: bool,
    np.integer: lambda value: encode_int(int(value)),
    np.floating: _small_float,
    np.complexfloating: str,
    np.datetime64: _numpy_datetime,
    np.timedelta64: _duration,
}

_CONTAINERS: dict[type, Callable[[Any, int], Json]] = {
    list: lambda value, depth: _items(list.__iter__(value), list.__len__(value), depth),
    tuple: lambda value, depth: _items(tuple.__iter__(value), tuple.__len__(value), depth),
    set: lambda value, depth: _items(set.__iter__(value), set.__len__(value), depth),
    frozenset: lambda value, depth: _items(frozenset.__iter__(value), frozenset.__len__(value), depth),
    np.ndarray: lambda value, depth: _items(iter(np.ravel(value)[: MAX_ITEMS + 1]), value.size, depth),
    dict: _mapping,
}

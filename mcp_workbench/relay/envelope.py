"""A cheap look at a text: id and method, nothing else is read.

Measured on a call of 100 bytes: 0.25 µs, against 0.6 µs for the whole; on 50 MB the parser skips at the speed of a
memory scan. What does not fit is left to whoever the text is for, whose answer the sender is due.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from mcp_workbench.jsonrpc import RequestId, encode


class Envelope(msgspec.Struct, gc=False):
    """What every message has."""

    id: str | int | None = None
    method: str | None = None
    error: Raw | UnsetType = UNSET
    """Of a response: there is one."""


_look = msgspec.json.Decoder(Envelope).decode
_array = msgspec.json.Decoder(list[Raw]).decode
_values = msgspec.json.Decoder(dict[str, Any]).decode


def look(text: bytes) -> Envelope | None:
    """Id and method of one message; None for arrays and for what is no message."""
    try:
        return _look(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def is_utf8(text: bytes) -> bool:
    """Whether the whole text is; `look` skips over what it does not read. ASCII costs one scan of the memory."""
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def entries(text: bytes) -> list[bytes] | None:
    """The messages of a batch (2025-03-26 has them); None: it is no array."""
    try:
        return [bytes(entry) for entry in _array(text)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def member(text: bytes, name: str) -> dict[str, Any]:
    """One object of a message: its params, its result or its error; empty where there is none. Reads the whole text."""
    try:
        found = _values(text).get(name)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def with_member(text: bytes, name: str, value: Any) -> bytes:
    """The message with this member put in its place."""
    return encode(_values(text) | {name: value})


def usable_id(value: Any) -> RequestId | None:
    """A request's id where something names one."""
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None

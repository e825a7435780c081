"""Opaque cursors of the list methods.

A cursor says "after this name", so a list that changes between two pages loses nothing and repeats
nothing that stayed. Clients must treat it as opaque; ours are checked, and a foreign one is -32602.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeVar

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.jsonrpc import ErrorCode

PAGE_SIZE = 250
"""Entries per page."""

T = TypeVar("T")


def page(listing: str, keys: Sequence[str], values: Sequence[T], cursor: str | None) -> tuple[list[T], str | None]:
    """One page of a list.

    Args:
        listing: Which list, for instance `tools`; a cursor of another list is refused.
        keys: The values' names in ascending order.
        values: The values, in the order of `keys`.
        cursor: What the client sent; None for the first page.

    Returns:
        At most `PAGE_SIZE` values and the cursor of the next page, None on the last one.

    Raises:
        RemoteProtocolError: -32602, the cursor is not one of ours.
    """
    start = 0 if cursor is None else bisect_right(keys, _decode(listing, cursor))
    end = start + PAGE_SIZE
    return list(values[start:end]), _encode(listing, keys[end - 1]) if end < len(keys) else None


def _encode(listing: str, after: str) -> str:
    return base64.urlsafe_b64encode(f"{listing}:{after}".encode()).decode()


def _decode(listing: str, cursor: str) -> str:
    try:
        name, colon, after = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        name = colon = after = ""
    if name != listing or not colon:
        raise RemoteProtocolError(
            ErrorCode.INVALID_PARAMS, f"Unknown cursor: send the nextCursor of the previous {listing}/list page, or none"
        )
    return after

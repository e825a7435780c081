"""Pages of the list methods, bounded by entries and by bytes, and the opaque cursors that join them.

A cursor says "after this name", so a list that changes between two pages loses nothing and repeats
nothing that stayed. Clients must treat it as opaque; ours are checked, and a foreign one is -32602.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeVar

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.jsonrpc import ErrorCode

PAGE_SIZE = 250
"""Entries per page."""
PAGE_BYTES = 256 * 1024
"""Encoded bytes of a page's entries, unless a single one is larger: a client cannot ask for less than a page."""

T = TypeVar("T")


def page(
    listing: str,
    entries: Sequence[T],
    cursor: str | None,
    *,
    key: Callable[[T], str],
    size: Callable[[T], int],
    max_bytes: int = PAGE_BYTES,
) -> tuple[Sequence[T], str | None]:
    """One page of a list.

    Args:
        listing: Which list, for instance `tools`; a cursor of another list is refused.
        entries: All entries, in ascending order of their keys.
        cursor: What the client sent; None for the first page.
        key: An entry's name.
        size: An entry's bytes when encoded; asked of the entries of this page only.
        max_bytes: Bytes of the page's entries together; default 256 KiB.

    Returns:
        At most `PAGE_SIZE` entries of at most `max_bytes`, one at least, and the cursor of the next page, None on the last one.

    Raises:
        RemoteProtocolError: -32602, the cursor is not one of ours.
    """
    start = 0 if cursor is None else bisect_right(entries, _decode(listing, cursor), key=key)
    end, left = start, max_bytes
    for entry in entries[start : start + PAGE_SIZE]:
        left -= size(entry)
        if left < 0 and end > start:
            break
        end += 1
    return entries[start:end], _encode(listing, key(entries[end - 1])) if end < len(entries) else None


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

"""What a result leaves out of a message, kept whole behind a link.

This room makes the previews and knows nothing of where the whole is kept, how long and for whom: whoever asks
for a rendering brings a `Keep` that knows (`mcp_workbench.live.results`, through `serving.tools`).
"""

from __future__ import annotations

from typing import Protocol

from mcp_workbench.protocol.wire import ResourceLink

MAX_MEDIA_BYTES = 500_000
"""Encoded bytes of one picture or sound that are sent; a message takes 768 KiB and base64 makes a third more of them."""


class Keep(Protocol):
    """Keeps texts and bytes for the principal whose call it is."""

    def __call__(self, data: str | bytes, mime_type: str, description: str, /) -> ResourceLink | None:
        """Keep one.

        Args:
            data: The whole, never changed.
            mime_type: What it is.
            description: A few words for the link.

        Returns:
            The link under which it is read; None when it cannot be kept: too large, or nothing is kept for this principal any more.
        """


class Keeper(Protocol):
    """Keeps for many principals."""

    def keep(self, data: str | bytes, mime_type: str, description: str, principal: str) -> ResourceLink | None:
        """Keep one for a principal; see `Keep`."""
        ...


def keep_nothing(data: str | bytes, mime_type: str, description: str, /) -> ResourceLink | None:
    """Keep nothing: where there is nobody who could read it later."""
    return None


def size_text(size: int) -> str:
    """A number of bytes for people: `812 bytes`, `64 kB`, `2.1 MB`."""
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"

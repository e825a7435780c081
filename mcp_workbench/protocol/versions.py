"""Revisions of MCP and the two eras they fall into.

Revisions are ISO dates, so comparing them as text compares them in time.
"""

from __future__ import annotations

from typing import Final

V2024_11_05: Final = "2024-11-05"
V2025_03_26: Final = "2025-03-26"
V2025_06_18: Final = "2025-06-18"
V2025_11_25: Final = "2025-11-25"
V2026_07_28: Final = "2026-07-28"

LEGACY_VERSIONS: Final = (V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25)
"""Opened by `initialize`; the connection is the session."""
MODERN_VERSIONS: Final = (V2026_07_28,)
"""Every request carries its own version, capabilities and client facts in `_meta`."""
LATEST_LEGACY: Final = LEGACY_VERSIONS[-1]
LATEST_MODERN: Final = MODERN_VERSIONS[-1]


def negotiate_legacy(requested: str) -> str:
    """Version to answer an `initialize` with.

    The requested one if it is a legacy revision we speak, else the latest legacy one: a modern revision
    is never the answer to `initialize` (specification 2026-07-28, basic/versioning).
    """
    return requested if requested in LEGACY_VERSIONS else LATEST_LEGACY

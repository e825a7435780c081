from __future__ import annotations

import pytest
from mcp_types.version import KNOWN_PROTOCOL_VERSIONS

from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN, LEGACY_VERSIONS, MODERN_VERSIONS, negotiate_legacy


def test_revisions_stand_in_the_order_of_time() -> None:
    both = [*LEGACY_VERSIONS, *MODERN_VERSIONS]
    assert both == sorted(both) == list(KNOWN_PROTOCOL_VERSIONS)
    assert (LATEST_LEGACY, LATEST_MODERN) == ("2025-11-25", "2026-07-28")


@pytest.mark.parametrize("requested", LEGACY_VERSIONS)
def test_a_legacy_revision_we_speak_is_taken(requested: str) -> None:
    assert negotiate_legacy(requested) == requested


@pytest.mark.parametrize("requested", [*MODERN_VERSIONS, "1999-01-01", "", "2025-06-18x"])
def test_anything_else_becomes_the_latest_legacy_one(requested: str) -> None:
    assert negotiate_legacy(requested) == LATEST_LEGACY

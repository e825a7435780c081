"""Which versions of a publication are kept: so many, and no more than so much memory.

Copy-on-write makes most versions nearly free, but five versions of a 400 MB DataFrame made by ordinary
filters held 2.2 GB: so the ring is bounded by what the older versions alone keep alive.
"""

from __future__ import annotations

from mcp_workbench.limits import MIB
from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.live.dataframes.snapshots import Snapshot, unshared_bytes

KEPT_VERSIONS = 8
"""Versions kept per name, the served one included."""
KEPT_BYTES = 256 * MIB
"""Bytes that the older versions of one name may keep alive by themselves."""


def kept(versions: tuple[Snapshot, ...], max_versions: int, max_bytes: int) -> tuple[Snapshot, ...]:
    """Drop the oldest versions until both bounds hold; the newest is always kept.

    Args:
        versions: Oldest first.
        max_versions: How many may stay.
        max_bytes: Memory that no newer version keeps alive; of a slice it is that of the whole it was cut from.

    Returns:
        The newest ones, oldest first.
    """
    newest_first = versions[::-1][:max_versions]
    seen = {owner for owner, _size in newest_first[0].memory.owners}
    used = 0
    for count, snapshot in enumerate(newest_first[1:], start=1):
        used += unshared_bytes(snapshot, seen)
        if used > max_bytes:
            return newest_first[:count][::-1]
    return newest_first[::-1]


def version_of(versions: tuple[Snapshot, ...], version: int | None) -> Snapshot:
    """Find one version.

    Args:
        versions: Those kept, oldest first, never empty.
        version: Default: the newest.

    Returns:
        The snapshot.

    Raises:
        NotFound: Not kept (any more); names those that are.
    """
    latest = versions[-1]
    if version is None or version == latest.version:
        return latest
    for snapshot in versions:
        if snapshot.version == version:
            return snapshot
    why = "does not exist yet" if version > latest.version else "is no longer kept"
    names = ", ".join(f"v{snapshot.version}" for snapshot in versions)
    raise NotFound(f"{latest.name} v{version} {why}. Kept: {names} (latest).")

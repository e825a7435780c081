"""What became of a published DataFrame since a version: every version since, and what they come to together.

Two consumers: the URI `df://{name}/changes` and the tool `df_changes`. How changes are found is `changes`' business.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcp_workbench.live.dataframes.changes import Difference, describe, of_origin
from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.live.dataframes.publications import Publication
from mcp_workbench.live.dataframes.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class News:
    """What happened after version `since`."""

    since: int
    latest: Snapshot
    newer: tuple[Snapshot, ...]
    """Kept versions after it, oldest first."""
    forgotten: int
    """Versions after it that are not kept any more."""
    together: Difference | None
    """From that version to the latest; None where it is not kept any more, or nothing differs."""
    rows_before: int | None
    """Rows of that version; None where it is not kept any more."""
    lost: str | None
    """Why no new version will come, if so."""


def news_since(publication: Publication, since: int) -> News:
    """Look what is new; reads values, so not on the protocol loop.

    Args:
        publication: As it stands.
        since: A version, of which the caller knows.

    Raises:
        NotFound: There was no such version yet.
    """
    latest = publication.latest
    if since > latest.version:
        raise NotFound(f"{latest.name} v{since} does not exist yet. Nearest: {latest.version} (latest).")
    newer = tuple(snapshot for snapshot in publication.versions if snapshot.version > since)
    before = next((snapshot for snapshot in publication.versions if snapshot.version == since), None)
    together = _together(before, latest) if before is not None and newer else None
    rows_before = None if before is None else len(before.df)
    return News(since, latest, newer, latest.version - since - len(newer), together, rows_before, publication.lost)


def _together(before: Snapshot, latest: Snapshot) -> Difference | None:
    return of_origin(before.origin, latest.origin, before.df, latest.df) or describe(before.df, latest.df, confirm=True)

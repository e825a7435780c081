"""Published DataFrames: names, what each follows, and the versions kept.

A publication follows a variable of the notebook. After every cell the main thread calls `check()`, which
looks where the buffers lie (`fingerprint`; of another library's table, which object it is: `foreign`) and, where
something moved, takes a snapshot and says what changed (`changes`). Readers on other threads see snapshots
only, so nobody sees a half-done cell.
Subscriptions, URIs and clients are elsewhere (`reading`, `serving`): they hear of changes by `on_change`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import pandas as pd

from mcp_workbench.errors import RegistrationError
from mcp_workbench.events import Change, ChangeKind
from mcp_workbench.live.dataframes.admission import (
    asked_once,
    check_description,
    check_following,
    check_name,
    check_size,
    check_value,
    without_copy_on_write,
)
from mcp_workbench.live.dataframes.cards import shape_text
from mcp_workbench.live.dataframes.changes import Difference, describe, of_origin
from mcp_workbench.live.dataframes.conversions import as_published
from mcp_workbench.live.dataframes.fingerprint import Fingerprint
from mcp_workbench.live.dataframes.following import Followed, as_seen, choose, look_up, seen
from mcp_workbench.live.dataframes.foreign import Origin, Sight, UnservableTable, kind_of, see
from mcp_workbench.live.dataframes.names import NotFound, parse_reference, unknown_name
from mcp_workbench.live.dataframes.snapshots import Snapshot, copy_on_write, freeze_table, take_snapshot
from mcp_workbench.live.dataframes.versions import KEPT_BYTES, KEPT_VERSIONS, kept, version_of

logger = logging.getLogger("mcp_workbench")

Frozen: TypeAlias = tuple[pd.DataFrame, Origin | None]
"""What a version is made of: the data, and where it came from if not from pandas."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One published DataFrame as it stands; replaced as a whole, never changed."""

    name: str
    description: str | None
    live: bool
    """Looked at after every cell; otherwise only `touch()` makes a version."""
    followed: Followed
    fingerprint: Fingerprint | Sight
    versions: tuple[Snapshot, ...]
    """Oldest first; the last one is what is served."""
    lost: str | None = None
    """Why nothing is followed any more: `its variable df was deleted`; the last version is still served."""
    refused: tuple[Sight, str] | None = None
    """What is followed cannot be read, and why: it is not asked again until it is another."""

    @property
    def latest(self) -> Snapshot:
        """The newest version."""
        return self.versions[-1]


@dataclass(frozen=True, slots=True)
class Published:
    """What `publish` did."""

    name: str
    version: int
    change: Change | None
    """None when the same data was published again."""
    sentence: str | None
    """What the author should be told once; None when everything is as one would expect."""


class DataFrames:
    """The published DataFrames of one workbench.

    Threads: `publish` and `check` belong to the notebook's main thread; `touch` and `unpublish` may come
    from any; readers (`get`, `snapshot`, `publication`, `names`) from any, without a lock, because a
    publication is one immutable value. One lock keeps those who change something apart. `on_change` is
    called on the thread that noticed, outside the lock; `watched` inside it, so it must not call back.

    Args:
        max_versions: Versions kept per name, the served one included; default 8.
        max_bytes: Memory that the versions before it may keep alive by themselves, per name; default 256 MiB.
        clock: Seconds since the epoch.
    """

    def __init__(self, *, max_versions: int = KEPT_VERSIONS, max_bytes: int = KEPT_BYTES, clock: Callable[[], float] = time.time) -> None:
        self.on_change: list[Callable[[Change], None]] = []
        """Told of every change, one after the other; one that raises is logged and skipped."""
        self.watched: Callable[[str], bool] = lambda _name: False
        """Whether somebody listens to a name, so that a suspected change is worth confirming by value."""
        self._max_versions = max_versions
        self._max_bytes = max_bytes
        self._clock = clock
        self._changing = threading.Lock()
        self._published: dict[str, Publication] = {}
        self._last_versions: dict[str, int] = {}

    # --- the author's side ---------------------------------------------------------------------------------

    def publish(
        self,
        name: str,
        df: Any,
        *,
        description: str | None = None,
        live: bool = True,
        follow: str | None = None,
        namespace: Mapping[str, Any] | None = None,
    ) -> Published:
        """Serve a DataFrame under a name, from now on with versions.

        Args:
            name: A letter, then up to 63 letters, digits or underscores. A name in use gets a new version.
            df: A pandas DataFrame (a Series becomes the only column of one), or a table that `foreign` knows.
            description: For agents, in the card and the list.
            live: Whether `check()` looks at it.
            follow: Variable to follow; default: the one called `name` if it is bound to `df`, else the only
                public one that is, else the object itself.
            namespace: The author's variables.

        Returns:
            Version, change, and a sentence for the author where one is due.

        Raises:
            RegistrationError: The name cannot be used, `df` is no DataFrame or cannot be read, an option is not of its
                type, or `follow` is not bound to `df`.
        """
        name, description = check_name(name), check_description(description)
        check_value(name, df)
        check_following(live, follow)
        followed, sentence = choose(name, df, follow, namespace)
        kind = kind_of(df)
        if kind is None and not copy_on_write():
            sentence = without_copy_on_write(name)
        with self._changing:
            try:
                change = self._put(name, df, description=description, live=live, followed=followed)
            except UnservableTable as error:
                raise RegistrationError(f"{name} cannot be published. {error}") from error
            latest = self._published[name].latest  # another thread may unpublish it as soon as the lock is free
        self._announce([change] if change else [])
        if kind is not None and kind.lazy:
            sentence = " ".join(filter(None, [sentence, asked_once(name, kind, len(latest.df))]))
        return Published(name, latest.version, change, sentence if live else None)

    def check(self, namespace: Mapping[str, Any] | None = None) -> list[Change]:
        """Look whether followed DataFrames have changed; main thread, between cells.

        Costs about 5 µs a publication when nothing has. Interrupting it is safe: what was found is announced.

        Args:
            namespace: The author's variables; default: those given to `publish`.

        Returns:
            The changes found, already announced.
        """
        found: list[Change] = []
        try:
            with self._changing:
                for publication in list(self._published.values()):
                    if publication.live and (change := self._look(publication, namespace)) is not None:
                        found.append(change)  # noqa: PERF401  # an interrupt must leave what was found so far
        finally:
            self._announce(found)
        return found

    def touch(self, name_or_uri: str) -> Change:
        """Make a new version now, from any thread; the caller vouches that nobody writes meanwhile.

        Args:
            name_or_uri: `flights`, or any of its URIs.

        Returns:
            The change; kind `touched` when nothing can be seen from outside.

        Raises:
            NotFound: Nothing of that name, or what it followed is gone.
            UnservableTable: It cannot be read.
        """
        name = parse_reference(name_or_uri).name
        with self._changing:
            publication = self.publication(name)
            current, lost = look_up(publication.followed, None)
            if current is None:
                raise NotFound(
                    f"{name} cannot be renewed: {lost}. Publish it again; until then version {publication.latest.version} is served."
                )
            if kind_of(current) is None:
                check_size(name, current)
            frozen, difference = self._compare(publication, current)
            change = self._make_version(publication, current, frozen, difference or Difference(ChangeKind.TOUCHED, _touched(current)))
        self._announce([change])
        return change

    def unpublish(self, name: str) -> Change:
        """Serve it no longer, nor any of its versions; version numbers go on if the name is published again.

        Args:
            name: The published name.

        Returns:
            The change, with the last version there was.

        Raises:
            NotFound: Nothing of that name.
        """
        with self._changing:
            publication = self.publication(name)
            del self._published[name]
        change = Change(name, publication.latest.version, ChangeKind.UNPUBLISHED, "no longer published")
        self._announce([change])
        return change

    # --- the readers' side ---------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """List what is published, in the order of publishing."""
        return list(self._published)

    def publication(self, name: str) -> Publication:
        """Find a publication.

        Raises:
            NotFound: Nothing of that name.
        """
        publication = self._published.get(name)
        if publication is None:
            raise NotFound(unknown_name(name, self._published))
        return publication

    def snapshot(self, name: str, version: int | None = None) -> Snapshot:
        """Find one version.

        Args:
            name: The published name.
            version: Default: the latest.

        Raises:
            NotFound: Nothing of that name, or a version that is not kept; the sentence names those that are.
        """
        return version_of(self.publication(name).versions, version)

    def get(self, name: str, version: int | None = None) -> Any:
        """Hand out one version in the kind that was published; whoever gets it may write to it, and nobody else will see that.

        Args:
            name: The published name.
            version: Default: the latest.

        Raises:
            NotFound: As `snapshot`.
        """
        return as_published(self.snapshot(name, version))

    # --- inside the lock -----------------------------------------------------------------------------------

    def _put(self, name: str, df: Any, *, description: str | None, live: bool, followed: Followed) -> Change | None:
        before = self._published.get(name)
        if before is not None:
            return self._advance(replace(before, description=description, live=live, followed=followed), df)
        frozen, origin = freeze_table(df, name)
        version = self._last_versions[name] = self._last_versions.get(name, 0) + 1
        summary = shape_text(frozen)
        first = take_snapshot(name, version, frozen, ChangeKind.PUBLISHED, summary, self._clock(), origin)
        self._published[name] = Publication(name, description, live, followed, seen(df), (first,))
        return Change(name, version, ChangeKind.PUBLISHED, summary)

    def _look(self, publication: Publication, namespace: Mapping[str, Any] | None) -> Change | None:
        if not copy_on_write() and publication.latest.origin is None:  # unseen writes are possible: only touch() makes a version
            return None
        try:
            current, lost = look_up(publication.followed, namespace)
            if publication.refused is not None and publication.refused[0].still(current):
                lost = publication.refused[1]
            if lost != publication.lost:
                publication = self._published[publication.name] = replace(publication, lost=lost)
                if lost is not None:
                    return _lost(publication)
            if lost is not None or as_seen(publication.fingerprint, current):
                return None
            return self._advance(publication, current)
        except UnservableTable as error:
            why = f"what it follows cannot be read: {error}"
            publication = self._published[publication.name] = replace(publication, lost=why, refused=(see(current), why))
            return _lost(publication)
        except Exception:  # the boundary to other people's DataFrame subclasses: one must not hide the others' changes
            logger.exception("%s could not be checked; version %d is still served", publication.name, publication.latest.version)
            return None

    def _advance(self, publication: Publication, current: Any) -> Change | None:
        frozen, difference = self._compare(publication, current)
        if difference is not None:
            return self._make_version(publication, current, frozen, difference)
        # The new snapshot takes the place of the old: only while it is held does the next write in place move a buffer.
        # Its values are certainly the same; everything else stays as it was.
        latest, (df, origin) = publication.latest, frozen
        df.index, df.columns, df.attrs = latest.df.index, latest.df.columns, latest.df.attrs
        same = take_snapshot(publication.name, latest.version, df, latest.kind, latest.summary, latest.taken_at, origin)
        self._store(publication, current, (*publication.versions[:-1], same))
        return None

    def _compare(self, publication: Publication, current: Any) -> tuple[Frozen, Difference | None]:
        latest = publication.latest
        frozen, origin = freeze_table(current, publication.name)
        # A deep copy, or what another library hands over anew, shares no buffer with the one before: only values tell.
        confirm = not copy_on_write() or origin is not None or self.watched(publication.name)
        difference = of_origin(latest.origin, origin, latest.df, frozen) or describe(latest.df, frozen, confirm=confirm)
        return (frozen, origin), difference

    def _make_version(self, publication: Publication, current: Any, frozen: Frozen, difference: Difference) -> Change:
        name, version = publication.name, publication.latest.version + 1
        df, origin = frozen
        newest = take_snapshot(name, version, df, difference.kind, difference.summary, self._clock(), origin)
        self._store(publication, current, kept((*publication.versions, newest), self._max_versions, self._max_bytes))
        return Change(name, version, difference.kind, difference.summary, difference.columns)

    def _store(self, publication: Publication, current: Any, versions: tuple[Snapshot, ...]) -> None:
        self._last_versions[publication.name] = versions[-1].version
        publication = replace(publication, fingerprint=seen(current), versions=versions, lost=None, refused=None)
        self._published[publication.name] = publication

    # --- outside the lock ----------------------------------------------------------------------------------

    def _announce(self, changes: list[Change]) -> None:
        for change in changes:
            for listener in list(self.on_change):
                try:
                    listener(change)
                except Exception:  # the boundary to listeners: one that raises must not silence the others
                    logger.exception("a listener failed on %s v%d", change.name, change.version)


def _touched(current: Any) -> str:
    """What is asked anew shows by its values that nothing changed; of what is written to in place that cannot be said."""
    kind = kind_of(current)
    return "touched; read again, nothing differs" if kind is not None and kind.lazy else "touched"


def _lost(publication: Publication) -> Change:
    return Change(publication.name, publication.latest.version, ChangeKind.LOST, f"no longer followed: {publication.lost}")

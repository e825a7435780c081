"""What agents' calls returned, kept under `_r1, _r2 …` so that the next call can name it instead of sending it.

Each result belongs to the principal whose call made it; for anybody else it does not exist. The store is
bounded by number and by memory, the oldest go first, and who asks for one that went is told so.
Reading them as resources is in `dataframes.reading`, passing them to tools in `dataframes.arguments`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from mcp_workbench.events import ChangeKind
from mcp_workbench.limits import MIB
from mcp_workbench.live.dataframes.fingerprint import Frame
from mcp_workbench.live.dataframes.memory import detached, memory_of
from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.live.dataframes.snapshots import Snapshot, freeze, take_snapshot

_LISTED = 8


@dataclass(frozen=True, slots=True)
class _Kept:
    snapshot: Snapshot
    principal: str


class Results:
    """The kept results of one workbench.

    Threads: any; one lock, held for moments.

    Args:
        max_results: How many are kept, of all principals together; default 50.
        max_bytes: Their memory together; default 256 MiB. A single larger result is not kept at all.
        clock: Seconds since the epoch.
    """

    def __init__(self, *, max_results: int = 50, max_bytes: int = 256 * MIB, clock: Callable[[], float] = time.time) -> None:
        self.max_results = max_results
        self.max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._bytes = 0
        self._made = 0
        self._revoked: set[str] = set()
        self._revocations: dict[str, int] = {}

    def keep(self, value: Frame, principal: str) -> Snapshot | None:
        """Keep a result; runs on the thread that made it, while nobody writes to it.

        Args:
            value: A DataFrame or Series.
            principal: Name of the principal whose call made it.

        Returns:
            Its snapshot, named `_rN`; None when it alone is larger than the whole store, or when the principal
            was forgotten before it was kept.
        """
        with self._lock:
            admission = self._admission(principal)
            self._made += 1
            name = f"_r{self._made}"
        if admission is None:
            return None
        frozen = self._freeze(value)
        snapshot = take_snapshot(name, 1, frozen, ChangeKind.PUBLISHED, "result of a call", self._clock())
        if snapshot.memory.alive > self.max_bytes or self.max_results < 1:
            return None
        with self._lock:
            if self._admission(principal) != admission:
                return None
            self._kept[name] = _Kept(snapshot, principal)
            self._bytes += snapshot.memory.alive
            while len(self._kept) > self.max_results or self._bytes > self.max_bytes:
                self._drop(next(iter(self._kept)))
        return snapshot

    def _freeze(self, value: Frame) -> pd.DataFrame:
        """Five rows of a large DataFrame are copied out of it: as a slice they would keep all of it in memory."""
        frozen = freeze(value, "value")
        memory = memory_of(frozen)
        fits_only_copied = memory.nbytes <= self.max_bytes < memory.alive
        return detached(frozen) if memory.wasteful or fits_only_copied else frozen

    def _drop(self, name: str) -> None:
        self._bytes -= self._kept.pop(name).snapshot.memory.alive

    def snapshot(self, name: str, principal: str | None, version: int | None = None) -> Snapshot:
        """Find a result of a principal's.

        Args:
            name: `_r7`.
            principal: Who asks; None: the notebook's author, who sees all.
            version: Only 1 means anything: results have no versions.

        Raises:
            NotFound: None of that name, not kept any more, or somebody else's: the sentence is the same. Or a version.
        """
        kept = self._kept.get(name)
        if kept is not None and principal in (None, kept.principal):
            if version not in (None, kept.snapshot.version):
                raise NotFound(f"{name} is a result and has no versions; leave version out.")
            return kept.snapshot
        own = self.names(principal)
        listed = f"Kept: {', '.join(own[-_LISTED:])}." if own else "None is kept now."
        raise NotFound(
            f"No result {name} is kept: the oldest go first, after {self.max_results} or {self.max_bytes >> 20} MiB. "
            f"{listed} Call the tool again."
        )

    def names(self, principal: str | None) -> list[str]:
        """List a principal's results, oldest first; None: everybody's."""
        return [name for name, kept in list(self._kept.items()) if principal in (None, kept.principal)]

    def forget(self, principal: str) -> None:
        """Drop what belongs to a principal, and keep nothing more for it: its credential is revoked.

        A call of its that is still running, or whose result is being rendered, leaves nothing either.
        """
        with self._lock:
            self._revoked.add(principal)
            self._revocations[principal] = self._revocations.get(principal, 0) + 1
            for name in self.names(principal):
                self._drop(name)

    def admit(self, principal: str) -> None:
        """Keep results for a principal of this name again: it has a new credential. Names never forgotten need no admission."""
        with self._lock:
            self._revoked.discard(principal)

    def _admission(self, principal: str) -> int | None:
        """Tell principals of one name apart: how often it was revoked before; None: it is revoked."""
        return None if principal in self._revoked else self._revocations.get(principal, 0)

    @property
    def nbytes(self) -> int:
        """Memory that what is kept keeps alive, in bytes; memory of object cells is estimated."""
        return self._bytes

    def __len__(self) -> int:
        """Count what is kept."""
        return len(self._kept)

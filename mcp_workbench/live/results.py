"""What agents' calls returned, kept under `_r1, _r2 …` so that the next call can name it instead of sending it.

Each result belongs to the principal whose call made it; for anybody else it does not exist. The store is
bounded by number and by memory, the oldest go first, and who asks for one that went is told so.
DataFrames, and whatever else is too long for a message (`documents`), are numbered and bounded together.
Reading them as resources is in `dataframes.reading` and `documents`, passing them to tools in `dataframes.arguments`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from mcp_workbench.events import NOTEBOOK, ChangeKind
from mcp_workbench.limits import MIB
from mcp_workbench.live.dataframes.foreign import Origin, TableKind
from mcp_workbench.live.dataframes.memory import detached, memory_of
from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.live.dataframes.snapshots import Snapshot, freeze_table, take_snapshot
from mcp_workbench.live.documents import Document

COPIED_BYTES = 16 * MIB
"""Largest polars DataFrame that is copied when it is kept."""
_LISTED = 8


@dataclass(frozen=True, slots=True)
class _Kept:
    what: Snapshot | Document
    principal: str
    nbytes: int


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
        self.on_change: list[Callable[[], None]] = []
        """Called when a result was kept, before its caller is told, on the thread that keeps it; must not raise."""

    def keep(self, value: Any, principal: str) -> Snapshot | None:
        """Keep a result; runs on the thread that made it, while nobody writes to it.

        Args:
            value: A DataFrame or Series, or a table that `foreign` knows; what is lazy is asked here.
            principal: Name of the principal whose call made it.

        Returns:
            Its snapshot, named `_rN`; None when it alone is larger than the whole store, or when the principal
            was forgotten before it was kept.

        Raises:
            UnservableTable: It cannot be read.
        """
        name, admission = self._next(principal)
        if admission is None:
            return None
        frozen, origin = self._freeze(value)
        snapshot = take_snapshot(name, 1, frozen, ChangeKind.PUBLISHED, "result of a call", self._clock(), origin)
        return snapshot if self._take_in(_Kept(snapshot, principal, snapshot.memory.alive), admission) else None

    def keep_document(self, data: str | bytes, mime_type: str, description: str, principal: str) -> Document | None:
        """Keep a text or a picture.

        Args:
            data: The whole.
            mime_type: What it is.
            description: A few words for its link.
            principal: Name of the principal whose call made it.

        Returns:
            The document, named `_rN`; None for the reasons `keep` has.
        """
        name, admission = self._next(principal)
        document = Document(name, data, mime_type, description)
        return document if admission is not None and self._take_in(_Kept(document, principal, document.nbytes), admission) else None

    def _next(self, principal: str) -> tuple[str, int | None]:
        with self._lock:
            self._made += 1
            return f"_r{self._made}", self._admission(principal)

    def _take_in(self, kept: _Kept, admission: int) -> bool:
        if kept.nbytes > self.max_bytes or self.max_results < 1:
            return False
        with self._lock:
            if self._admission(kept.principal) != admission:
                return False
            self._kept[kept.what.name] = kept
            self._bytes += kept.nbytes
            while len(self._kept) > self.max_results or self._bytes > self.max_bytes:
                self._drop(next(iter(self._kept)))
        for listener in tuple(self.on_change):
            listener()
        return True

    def _freeze(self, value: Any) -> tuple[pd.DataFrame, Origin | None]:
        """Five rows of a large DataFrame are copied out of it: as a slice they would keep all of it in memory."""
        frozen, origin = freeze_table(value, "value")
        memory = memory_of(frozen)
        fits_only_copied = memory.nbytes <= self.max_bytes < memory.alive
        # How much a slice of a polars DataFrame keeps alive is not to be seen, so what is small is copied always.
        may_be_slice = origin is not None and origin.kind is TableKind.POLARS and memory.nbytes <= COPIED_BYTES
        if not (memory.wasteful or fits_only_copied or may_be_slice):
            return frozen, origin
        return detached(frozen), None if origin is None else replace(origin, held=None)

    def _drop(self, name: str) -> None:
        self._bytes -= self._kept.pop(name).nbytes

    def snapshot(self, name: str, principal: str | None, version: int | None = None) -> Snapshot:
        """Find a result of a principal's.

        Args:
            name: `_r7`.
            principal: Who asks; `notebook`, or None: the notebook's author, who sees all.
            version: Only 1 means anything: results have no versions.

        Raises:
            NotFound: None of that name, not kept any more, or somebody else's: the sentence is the same. Or a version.
        """
        kept = self._find(name, principal)
        if isinstance(kept, Document):
            raise NotFound(f"{name} is no DataFrame ({kept.mime_type}, {len(kept.data):,} {kept.unit}); read it as {kept.uri}.")
        if version not in (None, kept.version):
            raise NotFound(f"{name} is a result and has no versions; leave version out.")
        return kept

    def document(self, name: str, principal: str | None) -> Document:
        """Find a kept text or picture of a principal's.

        Args:
            name: `_r8`.
            principal: Who asks; `notebook`, or None: the notebook's author, who sees all.

        Raises:
            NotFound: None of that name, not kept any more, or somebody else's: the sentence is the same. Or a DataFrame.
        """
        kept = self._find(name, principal)
        if isinstance(kept, Snapshot):
            raise NotFound(f"{name} is a DataFrame; read it as df://{name} or df://{name}/rows.")
        return kept

    def _find(self, name: str, principal: str | None) -> Snapshot | Document:
        kept = self._kept.get(name)
        if kept is not None and principal in (None, NOTEBOOK, kept.principal):
            return kept.what
        own = self._names(principal)
        listed = f"Kept: {', '.join(own[-_LISTED:])}." if own else "None is kept now."
        raise NotFound(
            f"No result {name} is kept: the oldest go first, after {self.max_results} or {self.max_bytes >> 20} MiB. "
            f"{listed} Call the tool again."
        )

    def names(self, principal: str | None) -> list[str]:
        """List a principal's DataFrames, oldest first; None: everybody's."""
        return self._names(principal, Snapshot)

    def document_names(self, principal: str | None) -> list[str]:
        """List a principal's texts and pictures, oldest first; None: everybody's."""
        return self._names(principal, Document)

    def labels(self, principal: str) -> list[str]:
        """List a principal's results, oldest first, and what they are where that is no DataFrame: `_r7`, `_r8 (text)`."""
        kept = [self._kept.get(name) for name in self._names(principal)]  # one may go meanwhile
        return [_label(each.what) for each in kept if each is not None]

    def _names(self, principal: str | None, kind: type = object) -> list[str]:
        kept = list(self._kept.items())
        return [name for name, each in kept if principal in (None, each.principal) and isinstance(each.what, kind)]

    def forget(self, principal: str) -> None:
        """Drop what belongs to a principal, and keep nothing more for it: its credential is revoked.

        A call of its that is still running, or whose result is being rendered, leaves nothing either.
        """
        with self._lock:
            self._revoked.add(principal)
            self._revocations[principal] = self._revocations.get(principal, 0) + 1
            for name in self._names(principal):
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


def _label(what: Snapshot | Document) -> str:
    return f"{what.name} ({what.kind})" if isinstance(what, Document) else what.name

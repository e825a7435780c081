"""The panel of DataFrames: what is published, in which version, what changed last, and who is told of it.

A version knows how and when it came to be (`live.dataframes.snapshots`), so a row says the same to a view that opens later.
Nothing here reads values: a shape takes a microsecond, and whatever needs pandas is an action (`views.actions`).
No row holds a version, or the panel would keep data alive that nobody else needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.live.dataframes.publications import DataFrames, Publication
from mcp_workbench.live.dataframes.reading import topic
from mcp_workbench.sessions.index import TopicIndex
from mcp_workbench.sessions.session import Session
from mcp_workbench.views import messages
from mcp_workbench.views.messages import DataFrameRow, Message, Watch

Subscribers = Callable[[str], Iterable[str]]
"""Name of a DataFrame -> ids of the sessions that are told when it changes; on the protocol loop."""


def subscribers_in(index: TopicIndex[Session]) -> Subscribers:
    """Read them off the sessions' index; a session that watches several URIs of one DataFrame counts once."""
    return lambda name: (session.id for session, _uris in index.watchers(topic(name)))


class DataFramesFeed:
    """Gives `DataFrames`.

    Args:
        dataframes: What is published.
        subscribers: Who is told.
    """

    panel = "dataframes"

    def __init__(self, dataframes: DataFrames, subscribers: Subscribers) -> None:
        self._dataframes = dataframes
        self._subscribers = subscribers
        self._told: dict[str, DataFrameRow] = {}
        self._is_first = True

    def watch(self, wanted: Watch) -> None:
        """There is nothing to choose."""

    def look(self, now: float, *, last: bool = False) -> Iterator[Message]:
        """The rows that are new or have changed, and the names that are gone; the first time also that there is none."""
        rows = {row.name: row for row in self._rows()}
        changed = tuple(row for name, row in rows.items() if row != self._told.get(name))
        gone = tuple(name for name in self._told if name not in rows)
        self._told = rows
        if changed or gone or self._is_first:
            self._is_first = False
            yield messages.DataFrames(rows=changed, gone=gone)

    def _rows(self) -> Iterator[DataFrameRow]:
        for name in self._dataframes.names():
            try:
                publication = self._dataframes.publication(name)
            except NotFound:  # unpublished by another thread since
                continue
            yield _row(publication, tuple(self._subscribers(name)))


def _row(publication: Publication, subscribers: tuple[str, ...]) -> DataFrameRow:
    latest = publication.latest
    rows, columns = latest.df.shape
    return DataFrameRow(
        name=publication.name,
        rows=rows,
        columns=columns,
        version=latest.version,
        kind=latest.kind.value,
        library="" if latest.origin is None else latest.library.partition(" ")[0].lower(),
        summary=latest.summary,
        at=latest.taken_at,
        subscribers=subscribers,
        lost=publication.lost or "",
    )

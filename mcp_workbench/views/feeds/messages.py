"""The messages that cross, in both directions: of this server's sessions, of this notebook as a client, of taps.

Rows carry what a line of a table shows (`message_rows`); whole texts are asked for (`GetText`). Where more have crossed since the
last look than fit, by count or by how much there is to read, the newest are told, and how many are left out is told too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate

from mcp_workbench.limits import MIB
from mcp_workbench.telemetry import messages as wire
from mcp_workbench.views.feeds.following import Following, since
from mcp_workbench.views.feeds.pace import Pace, Piece
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.filtering import messages_filter
from mcp_workbench.views.message_rows import MessageRows
from mcp_workbench.views.messages import Message, Messages, Watch

HISTORY = 2_000
BEFORE = 500
"""Messages among which requests are looked for that are answered in what is told first."""
AT_ONCE = 500
BYTES_AT_ONCE = 2 * MIB
"""Of texts that are read in one look: some 10 ms."""


class MessagesFeed:
    """Tells of messages."""

    panel = "messages"

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._rows = MessageRows(sources)
        pace = Pace(HISTORY, AT_ONCE)
        self._following: Following[wire.Message] = Following(self.panel, pace, self._filter)

    def _filter(self, text: str) -> Callable[[wire.Message], bool] | None:
        """What is wanted; it has been asked of those right before what is told first, for answers to them may follow."""
        matches = messages_filter(text, self._sources)
        if matches is not None:
            messages = self._sources.offer.telemetry.messages
            first = max(messages.total - HISTORY, 0)
            for message in messages.between(max(first - BEFORE, 0), first):
                matches(message)
        return matches

    def watch(self, wanted: Watch) -> None:
        """See `Following.watch`."""
        self._following.watch(wanted, self._sources.offer.telemetry.messages.total)

    def look(self, now: float, *, last: bool = False) -> Iterable[Message]:
        """Messages that have crossed since the last one that was told."""
        while (piece := self._following.next(self._sources.offer.telemetry.messages.total)) is not None:
            told = self._told(piece)
            if told.rows or told.skipped or piece.is_first:
                yield told
            if not last:
                return

    def _told(self, piece: Piece) -> Messages:
        messages = self._sources.offer.telemetry.messages
        found, skipped = self._following.chosen(piece, messages.between(piece.after, piece.until))
        chosen = newest(found)
        return Messages(
            rows=tuple(map(self._rows.row, chosen)),
            skipped=skipped + len(found) - len(chosen),
            oldest=messages.oldest,
            newest=messages.total,
            oldest_text=messages.oldest_text,
            since=since(piece),
            filter=self._following.filter,
        )


def newest(messages: list[wire.Message]) -> list[wire.Message]:
    """As many of the newest as are told at once, ascending; one at least."""
    latest = messages[-AT_ONCE:]
    read = accumulate(len(message.raw) for message in reversed(latest))
    fits = sum(1 for size in read if size <= BYTES_AT_ONCE)
    return latest[-max(fits, 1) :]

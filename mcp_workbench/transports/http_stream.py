"""One stream of a session over HTTP up to 2025-11-25: what a POST is answered with, or what is told to a GET.

Whether it is plain JSON or a stream of events is decided by what is said first. It outlives its reader: what is said
meanwhile is kept by `replay` for one that comes back. The neighbour `http_legacy` says which text goes to which stream.
"""

from __future__ import annotations

from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.transports.http_incoming import COMMENT, JSON, Incoming, event
from mcp_workbench.transports.replay import Replay


class Stream:
    """What one POST is answered with, or what is told to a GET.

    Args:
        number: Names it in event ids.
        replay: Keeps what is said.
        primed: Begin with an id.
    """

    __slots__ = ("_primed", "_replay", "began", "ids", "incoming", "number", "over", "wanted")

    def __init__(self, number: int, replay: Replay, *, primed: bool) -> None:
        self.number = number
        self.ids: set[RequestId] = set()
        """Requests whose answers belong here."""
        self.wanted: set[RequestId] = set()
        """Those of them that were not taken back."""
        self.incoming: Incoming | None = None
        """Where it is read now."""
        self.over = False
        """Nothing more will be said."""
        self._replay = replay
        self._primed = primed
        self.began = False
        """It is a stream of events."""

    def begin(self) -> None:
        """Make it a stream of events, where it is not one yet."""
        incoming = self.incoming
        if incoming is not None and not incoming.streaming:
            incoming.begin()
            if self._primed and not self.began:
                incoming.tell(b"id: %b\ndata: \n\n" % self._replay.add(self.number, b"").encode())
        self.began = True

    def beat(self) -> None:
        """Give a sign of life."""
        if self.incoming is not None:
            self.begin()
            self.incoming.tell(COMMENT)

    def say(self, text: bytes, *, last: bool, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Say a text; as plain JSON, where it is all that is to be said."""
        self.over = self.over or last
        if last and not self.began and self.incoming is not None:
            self.incoming.respond(200, text, (*JSON, *headers))
            return
        self.begin()
        event_id = self._replay.add(self.number, text)
        if self.incoming is not None:
            self.incoming.tell(event(text, event_id))
            if last:
                self.incoming.end()

    def finish(self) -> None:
        """Nothing more will be said, an answer included."""
        self.over = True
        if self.incoming is not None:
            self.begin()
            self.incoming.end()

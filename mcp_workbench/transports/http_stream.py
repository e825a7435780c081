"""One stream of a session over HTTP up to 2025-11-25: what a POST is answered with, or what is told to a GET.

Whether it is plain JSON or a stream of events is decided by what is said first. It outlives its reader: what is said
meanwhile is kept by `replay` for one that comes back. So a connection that has been held for long is given back, and the
client comes again: none is held for as long as a call takes. The neighbour `http_legacy` says which text goes to which stream.
"""

from __future__ import annotations

import asyncio

from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.transports.http_incoming import COMMENT, JSON, Incoming, event
from mcp_workbench.transports.replay import Replay

RETRY_MS = 1000
"""How long a reader whose stream has ended early is asked to wait before it comes back."""


class Stream:
    """What one POST is answered with, or what is told to a GET.

    Args:
        number: Names it in event ids.
        replay: Keeps what is said.
        primed: Begin with an id.
        lease_s: Give the connection it is read on back after so many seconds; None: never.
    """

    __slots__ = ("_lease", "_lease_s", "_primed", "_replay", "began", "ids", "incoming", "number", "over", "wanted")

    def __init__(self, number: int, replay: Replay, *, primed: bool, lease_s: float | None = None) -> None:
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
        self._lease_s = lease_s
        self._lease: asyncio.TimerHandle | None = None
        self.began = False
        """It is a stream of events."""

    def read_by(self, incoming: Incoming | None) -> None:
        """From now on it is read there; None: nowhere."""
        self.incoming = incoming
        if self._lease is not None:
            self._lease.cancel()
            self._lease = None

    def begin(self) -> None:
        """Make it a stream of events, where it is not one yet."""
        incoming = self.incoming
        if incoming is not None and not incoming.streaming:
            incoming.begin()
            if self._primed and not self.began:
                incoming.tell(b"id: %b\nretry: %d\ndata: \n\n" % (self._replay.add(self.number, b"").encode(), RETRY_MS))
            if self._lease_s is not None:
                self._lease = asyncio.get_running_loop().call_later(self._lease_s, self._give_back, incoming)
        self.began = True

    def _give_back(self, incoming: Incoming) -> None:
        # 2025-11-25 basic/transports: the server MAY close the connection at any time; the client polls by reconnecting.
        incoming.end()
        incoming.on_gone()

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

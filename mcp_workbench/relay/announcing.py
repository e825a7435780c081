"""Telling the host that a list has changed: once, until it lists again; in its era's way; not before it may be told."""

from __future__ import annotations

from collections.abc import Callable

from mcp_workbench.events import Era
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.relay import answers
from mcp_workbench.relay.memory import Memory


class Announcing:
    """To one host.

    Args:
        memory: Says how it may be told.
        send: Sends it a text.
    """

    def __init__(self, memory: Memory, send: Callable[[bytes], None]) -> None:
        self._memory = memory
        self._send = send
        self._told: set[Listing] = set()
        """Told as changed, and not listed since."""
        self._due: set[Listing] = set()
        """To be told when the handshake is complete."""

    def tell(self, listing: Listing) -> None:
        """This list is not what the host was shown."""
        if listing in self._told:
            return
        if self._memory.era is Era.MODERN:
            # A host that has no listen for it did not ask to be told.
            for listen_id, held in self._memory.listens.items():
                if held.wants_listing(listing):
                    self._told.add(listing)
                    self._send(answers.list_changed(listing, listen_id))
        elif self._memory.initialized:
            self._told.add(listing)
            self._send(answers.list_changed(listing, None))
        else:
            self._due.add(listing)

    def note_told(self, listing: Listing) -> None:
        """A kernel has told it itself."""
        self._told.add(listing)

    def note_listed(self, listing: Listing) -> None:
        """The host was shown the list."""
        self._told.discard(listing)

    def tell_due(self) -> None:
        """The handshake is complete."""
        due, self._due = self._due, set()
        for listing in due:
            self.tell(listing)

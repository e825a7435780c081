"""What the answers that pass a tap hold in memory, over all its clients: those that come in, and those that nobody reads.

One answer is bounded by itself; a bound over all of them is what keeps ten clients that ask for much and read nothing from
taking the notebook's memory. Loop thread only.
"""

from __future__ import annotations

from mcp_workbench.limits import MIB
from mcp_workbench.transports.http_incoming import Line

HELD_BYTES = 256 * MIB
WORTH_COUNTING = 64 * 1024
"""Fewer bytes of one answer are not counted: there may be as many of those as connections."""


class TooMuchHeldError(Exception):
    """No further answer can be taken now."""


class Holdings:
    """All that one tap holds.

    Args:
        most: Bytes.
    """

    def __init__(self, most: int = HELD_BYTES) -> None:
        self._most = most
        self._coming_in = 0
        self._unread: set[Line] = set()

    def begin(self) -> Holding:
        """An answer begins to come in."""
        return Holding(self)

    def note_unread(self, line: Line) -> None:
        """An answer was written to a client that may not read it."""
        if line.unsent_bytes > WORTH_COUNTING:
            self._unread.add(line)

    def change(self, more: int) -> None:
        """Count; for `Holding`."""
        if more > 0 and self._coming_in + more > self._most - self._waiting():
            raise TooMuchHeldError(f"the answers that pass this tap hold {self._most // MIB:,} MiB already; ask again when they are read")
        self._coming_in += more

    def _waiting(self) -> int:
        self._unread = {line for line in self._unread if line.unsent_bytes}
        return sum(line.unsent_bytes for line in self._unread)


class Holding:
    """What one answer holds while it comes in; `with` it, so that it is given back."""

    def __init__(self, holdings: Holdings) -> None:
        self._holdings = holdings
        self._counted = 0

    def __enter__(self) -> Holding:
        return self

    def __exit__(self, *_: object) -> None:
        self._holdings.change(-self._counted)

    def now(self, held: int) -> None:
        """It holds so many bytes now.

        Raises:
            TooMuchHeldError: All together hold too many.
        """
        counted = held if held > WORTH_COUNTING else 0
        if counted != self._counted:
            self._holdings.change(counted - self._counted)
            self._counted = counted

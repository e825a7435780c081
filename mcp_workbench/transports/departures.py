"""Answers that are given in one turn of the loop leave together.

Handing a small text to the operating system wakes whoever waits for it, and that costs more than everything else
that is done to send it: 8 of 52 µs a call, measured with 128 busy sessions of one client process, which
falls asleep between two answers. So while a server is busy, which is when more than one text arrives in a turn, what
it sends is held until the turn is over or 16 texts are together; what goes to one connection is joined.
A text that comes alone is answered at once, as everything is that is not sent in such a turn.
"""

from __future__ import annotations

import asyncio

HELD_TEXTS = 16
"""Texts held at most, over all connections: about half a millisecond of quick calls."""
HELD_BYTES = 4096
"""A larger text leaves at once, and with it what is held."""


class Departures:
    """What one server's connections send, in the order they send it. The loop's thread only.

    Args:
        loop: Its turns are counted.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arrivals = 0
        self._expects_several = False
        self._turn_open = False
        self._count = 0
        self._held: dict[asyncio.Transport, list[bytes]] = {}

    def note_arrival(self) -> None:
        """A text has arrived and is about to be delivered."""
        self._arrivals += 1
        if not self._turn_open:
            self._turn_open = True
            self._loop.call_soon(self._end_turn)

    def write(self, transport: asyncio.Transport, data: bytes) -> None:
        """Write now, or with the others of this turn."""
        if not self._turn_open or not (self._expects_several or self._arrivals > 1):
            transport.write(data)
            return
        self._held.setdefault(transport, []).append(data)
        self._count += 1
        if self._count >= HELD_TEXTS or len(data) > HELD_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        held, self._held, self._count = self._held, {}, 0
        for transport, pieces in held.items():
            if not transport.is_closing():
                transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _end_turn(self) -> None:
        self._turn_open = False
        self._expects_several, self._arrivals = self._arrivals > 1, 0
        if self._held:
            self.flush()

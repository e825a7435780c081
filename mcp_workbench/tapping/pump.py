"""Two channels joined: what one delivers the other sends, unchanged, and no faster than the other end takes it.

What arrives before the server's end is there waits, bounded, because the client is not read meanwhile. Close codes and
reasons pass too. With hooks a direction's texts go one after the other through a task, in their order; without any they pass
in the turn of the loop in which they came. Loop thread only.
"""

from __future__ import annotations

import asyncio
from collections import deque

from mcp_workbench.exploring.overhearing import Overheard
from mcp_workbench.tapping.hooks import Hooks, Passing
from mcp_workbench.tasks import start_task
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.websocket import cut_reason, sendable_code

STDIO = "stdio"
NORMAL, VANISHED = 1000, 1006
UPSTREAM_GONE = 1014
"""Bad gateway (registered with IANA): the other end of a tap vanished or cannot be reached."""
LAST_ANSWERS_S = 10.0
"""A host that has closed its end of stdio still reads: how long what it asked before may take."""
LANE_BYTES = 1 << 20
"""Texts that wait for hooks; past it their sender is not read."""


class _Lane:
    """One direction: it is the receiver of one channel, and sends to the other."""

    def __init__(self, pump: Pump, direction: Direction) -> None:
        self._pump = pump
        self.direction = direction
        self.source: Channel | None = None
        self.target: Channel | None = None
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._at_work = False
        self._held = False
        self._end: tuple[int, str] | None = None

    def receive_text(self, text: bytes) -> None:
        """It passes: at once, or behind what waits. It is written down while the other end is at work already."""
        message = self._pump.overheard.crossing(self.direction, text)
        passes = self.target is not None and not self._at_work and not self._pump.hooks.any(self.direction)
        if passes and self.target is not None:
            self.target.send(text)
        else:
            self._waiting.append(text)
            self._waiting_bytes += len(text)
            self.go_on()
        self._pump.overheard.hear(message)
        if passes:
            self._pump.end_when_answered()
        self.pace()

    def receive_writable(self) -> None:
        """This end reads again: who sends to it may be read again."""
        self._pump.other(self).pace()

    def receive_close(self, code: int, reason: str) -> None:
        """This end is gone; what it said before still passes."""
        self._end = (code, reason)
        self._pump.note_gone()
        if not (self._waiting or self._at_work):
            self._pump.end(self.direction, code, reason)

    def go_on(self) -> None:
        """Pass on what waits."""
        if self.target is not None and not self._at_work and (self._waiting or self._end is not None):
            self._at_work = True
            start_task(self._work(), name="tap.lane")

    async def _work(self) -> None:
        try:
            while self._waiting and self.target is not None:
                text = self._waiting.popleft()
                self._waiting_bytes -= len(text)
                self.pace()
                through = await self._pump.hooks.pass_through(Passing(self._pump.overheard.session.session_id, self.direction, text))
                if through is not None and self.target is not None:
                    self.target.send(through)
                    self.pace()
                    self._pump.end_when_answered()
        finally:
            self._at_work = False
        if self._waiting:  # the target went, or there was none
            return
        if self._end is not None:
            self._pump.end(self.direction, *self._end)

    def pace(self) -> None:
        """Read the source while the target takes what comes."""
        target = self.target
        full = (not target.writable if target is not None else bool(self._waiting)) or self._waiting_bytes > LANE_BYTES
        if self.source is not None and full != self._held:
            self._held = full
            (self.source.pause_receiving if full else self.source.resume_receiving)()

    def drop(self) -> None:
        """Nothing passes any more."""
        self._waiting.clear()
        self._waiting_bytes = 0
        self.target = None


class Pump:
    """Between one client and one server.

    Args:
        client: The channel to the client; open it with `receiver`.
        overheard: Hears what passes.
        hooks: May change it.
    """

    def __init__(self, client: Channel, overheard: Overheard, hooks: Hooks) -> None:
        self.overheard = overheard
        self.hooks = hooks
        self._ended = self._closing = False
        self.trouble = ""
        """Why the server's end went, where it did so by itself."""
        self._ends = 1
        self._leaving: asyncio.TimerHandle | None = None
        """The client says nothing more, and still reads: when it is not waited for any longer."""
        self.over = asyncio.Event()
        """Set when it has ended and both ends are gone."""
        self._requests = _Lane(self, Direction.IN)
        self._answers = _Lane(self, Direction.OUT)
        self._requests.source = self._answers.target = self._client = client
        self._server: Channel | None = None

    @property
    def receiver(self) -> _Lane:
        """What the client's channel delivers to."""
        return self._requests

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._ended

    def other(self, lane: _Lane) -> _Lane:
        """The lane in the other direction."""
        return self._answers if lane is self._requests else self._requests

    def note_gone(self) -> None:
        """One end is gone."""
        self._ends -= 1
        self._note_over()

    def _note_over(self) -> None:
        if self._ended and not self._ends:
            self.over.set()

    def said(self) -> str:
        """What a command has said beside the protocol."""
        return "" if self._server is None else self._server.facts.said()

    def join(self, server: Channel) -> None:
        """The server's end is there."""
        if self._ended:
            server.abort()
            return
        self._ends += 1
        self._server = self._requests.target = self._answers.source = server
        server.open(self._answers)
        self._requests.go_on()
        self._requests.pace()

    def fail(self, sentence: str) -> None:
        """There is no server's end to be had."""
        self.end(Direction.OUT, UPSTREAM_GONE, sentence)

    def end_when_answered(self) -> None:
        """End where the client only waited for its last answer, and has it."""
        if self._leaving is not None and not self.overheard.awaits_answers():
            self.end(Direction.IN, NORMAL, "")

    def end(self, direction: Direction, code: int, reason: str) -> None:
        """The end that speaks in this direction is gone: tell the other, once; behind the last answers where it still reads."""
        if self._ended or (direction is Direction.IN and self._still_reads(code)):
            return
        self._ended = True
        if self._leaving is not None:
            self._leaving.cancel()
        if direction is Direction.OUT and code != NORMAL and not self._closing:
            self.trouble = reason
        self._requests.drop()
        self._answers.drop()
        self.overheard.end(code, reason)
        other = self._client if direction is Direction.OUT else self._server
        if other is not None:
            other.close(*told(code, reason, direction))
        self._note_over()

    def _still_reads(self, code: int) -> bool:
        if self._leaving is not None or self._client.facts.transport != STDIO or code != NORMAL or not self.overheard.awaits_answers():
            return False
        loop = asyncio.get_running_loop()
        self._leaving = loop.call_later(LAST_ANSWERS_S, self.end, Direction.IN, NORMAL, "the host has closed its end")
        return True

    def close(self, code: int, reason: str) -> None:
        """End both ends."""
        if self._ended:
            return
        server, self._closing = self._server, True
        self.end(Direction.OUT, code, reason)
        if server is not None:
            server.close(code, reason)


def told(code: int, reason: str, direction: Direction) -> tuple[int, str]:
    """Code and reason for the other end: the same, where they can be sent."""
    if code == VANISHED and direction is Direction.OUT:
        return UPSTREAM_GONE, cut_reason(reason or "the server behind the tap vanished")
    if code == VANISHED:
        return 1001, "the client of the tap vanished"
    return sendable_code(code), cut_reason(reason)

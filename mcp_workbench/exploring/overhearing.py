"""Conversations of which only the texts are heard: this notebook as a client, and taps. They end up in the server's own memory.

Any thread may speak here; one at a time writes into the memory (`telemetry`): the protocol loop's while a server runs, else
whoever looks or follows, or speaks when much has gathered, under a lock. What is heard is only put into a queue on its path; it is paired
to calls beside it.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable

from mcp_workbench.engine import Engine
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.telemetry.pairing import Pairing
from mcp_workbench.telemetry.records import SessionRecord, Side
from mcp_workbench.telemetry.telemetry import Telemetry

GATHERED = 32
"""Messages that may wait for somebody to look while no server runs; writing so many down takes a quarter of a millisecond."""

_NAMES = {Side.CLIENT: "out", Side.TAP: "tap"}


class Overheard:
    """One conversation. Its methods may be called from any thread, each conversation's by one at a time."""

    def __init__(
        self, session: SessionRecord, pairing: Pairing, hear: Callable[[Overheard, Message | None], None], settle: Callable[[], None]
    ) -> None:
        self.session = session
        """Who speaks; filled in as they introduce themselves."""
        self.pairing = pairing
        self._hear, self._settle = hear, settle

    def note(self, direction: Direction, text: bytes) -> None:
        """A text crossed just now."""
        self.hear(self.crossing(direction, text))

    def crossing(self, direction: Direction, text: bytes) -> Message:
        """A text crosses at this moment; `hear` is told of it when there is time, before that of any other."""
        return Message(self.session.session_id, direction, time.perf_counter_ns(), time.time(), len(text), text)

    def hear(self, message: Message) -> None:
        """What `crossing` gave has crossed."""
        self._hear(self, message)

    def awaits_answers(self) -> bool:
        """Whether anything was asked from the other end that is not answered."""
        self._settle()
        return any(call.direction is Direction.IN for call in self.pairing.waiting())

    def end(self, code: int, reason: str) -> None:
        """The connection is gone; nothing may be noted after it."""
        if self.session.until is None:
            self.session.until = time.time()
            self.session.close_code, self.session.close_reason = code, reason
            self._hear(self, None)


class Overhearing:
    """All of them.

    Args:
        telemetry: The memory they end up in; asked for each time, for a server that starts may get a larger one.
    """

    def __init__(self, telemetry: Callable[[], Telemetry]) -> None:
        self._telemetry = telemetry
        self._queue: deque[tuple[Overheard, Message | None]] = deque()
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._asked = False
        """Whether the loop was asked to write down what waits."""
        self.on_waiting: list[Callable[[], None]] = []
        """Called, from whichever thread speaks, when something waits that no server's loop will write down: who follows may `gather`."""
        self._numbers = {side: itertools.count(1) for side in _NAMES}
        self._live: dict[Overheard, None] = {}

    def begin(self, side: Side, principal: str, transport: str, remote: str) -> Overheard:
        """A conversation begins.

        Args:
            side: Where it is heard: `client` or `tap`.
            principal: Whose it is.
            transport: `websocket`, `http`, `stdio` or `memory`.
            remote: The other end, for people; never a secret.
        """
        session = SessionRecord(f"{_NAMES[side]}{next(self._numbers[side])}", transport, remote, principal, time.time(), side=side)
        pairing = Pairing(session, side, lambda call: self._telemetry().record(call))
        overheard = Overheard(session, pairing, self._hear, self.settle)
        self._live[overheard] = None
        return overheard

    def sessions(self) -> list[SessionRecord]:
        """Those that last, oldest first."""
        return [overheard.session for overheard in self._live.copy()]

    def attach(self, engine: Engine) -> None:
        """A server begins: its loop writes from now on. Call it before anything else is written there."""
        with self._lock:
            self._engine, self._asked = engine, False

    def detach(self) -> None:
        """Its loop has ended."""
        with self._lock:
            self._engine = None
        if self._queue:
            self._tell()

    def catch_up(self) -> None:
        """Wait until all that has happened is written down, also by the server itself: an answer may be here before its record."""
        engine = self._engine
        if engine is not None and engine.running and not engine.is_here:
            engine.call(self._write_down)
        else:
            self.settle()

    def settle(self) -> None:
        """Write down what was heard until now, so that whoever looks sees it."""
        if not self._queue:
            return
        engine = self._engine
        if engine is None or not engine.running:
            with self._lock:
                self._write_down()
        elif engine.is_here:
            self._write_down()
        else:
            engine.call(self._write_down)

    def gather(self) -> None:
        """Write down what was heard until now, unless a server's loop does; waits for no loop."""
        if self._queue and self._engine is None:
            with self._lock:
                if self._engine is None:  # a server that begins waits for the lock
                    self._write_down()

    def _hear(self, overheard: Overheard, message: Message | None) -> None:
        self._queue.append((overheard, message))
        engine = self._engine
        if engine is None:
            if message is None or len(self._queue) >= GATHERED:
                self.settle()
            self._tell()
        elif not self._asked:
            self._asked = True
            engine.post(self._write_down)

    def _tell(self) -> None:
        for tell in self.on_waiting:
            tell()

    def _write_down(self) -> None:
        self._asked = False
        telemetry, queue = self._telemetry(), self._queue
        while queue:
            overheard, message = queue.popleft()
            if message is not None:
                overheard.pairing.add(message)  # first, for it reads the text, which may be too long to be kept
                telemetry.messages.add(message)
            elif overheard in self._live:
                del self._live[overheard]
                overheard.pairing.close(time.perf_counter_ns())
                telemetry.record_session(overheard.session)

"""A server and a clock that exist only on paper: what happens in which nanosecond is reckoned, nothing waits."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

from mcp_workbench.telemetry import Histogram


class Clock:
    """Nanoseconds; goes on only when told to."""

    def __init__(self, now: int = 5_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Server:
    """Answers one request after the other, and stands still once: while it works on request number `stalls`.

    Args:
        clock: What it goes by.
        takes_ns: How long it works on one.
        stalls: The request whose tool sleeps; None: none does.
        stall_ns: How long.
    """

    def __init__(self, clock: Clock, takes_ns: int, *, stalls: int | None = None, stall_ns: int = 0) -> None:
        self._clock, self._takes_ns, self._stalls, self._stall_ns = clock, takes_ns, stalls, stall_ns
        self._free_at = self._served = 0
        self.seen = Histogram()
        """As seen by the server: a request that it has not read yet waits nowhere."""

    def take(self) -> int:
        """A request arrives now; when it will be answered."""
        took = self._stall_ns if self._served == self._stalls else self._takes_ns
        self._served += 1
        self._free_at = max(self._free_at, self._clock.now) + took
        self.seen.record(took)
        return self._free_at


class SimulatedWire:
    """Connections to it, for an open loop."""

    def __init__(self, clock: Clock, server: Server, connections: int) -> None:
        self._clock, self._server = clock, server
        self.idle = connections
        self._answers: list[tuple[int, int]] = []

    def send(self, number: int) -> int:
        self.idle -= 1
        heapq.heappush(self._answers, (self._server.take(), number))
        return number

    def wait(self, timeout_ns: int) -> Iterator[int]:
        until = self._clock.now + timeout_ns
        if self._answers and self._answers[0][0] <= until:
            self._clock.now, number = heapq.heappop(self._answers)
            self.idle += 1
            yield number
        else:
            self._clock.now = until


class SimulatedConnection:
    """One connection to it, as the closed loop of `load.py` uses one."""

    def __init__(self, clock: Clock, server: Server) -> None:
        self._clock, self._server = clock, server
        self._answer_at = 0
        self.socket = self
        self.settimeout = self.check = lambda _: None

    def request(self, number: int) -> bytes:
        return b"%d" % number

    def sendall(self, data: Any) -> None:
        self._answer_at = self._server.take()

    def receive(self) -> bytes:
        self._clock.now = self._answer_at
        return b""

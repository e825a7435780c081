"""Calls at a steady rate, on a thread of their own: one connection for each target, called in turn whether or not others answer."""

from __future__ import annotations

import selectors
import threading
from collections import deque
from collections.abc import Sequence
from time import perf_counter_ns

from mcp_workbench.cli.bench.wires import FIRST_ID, Connection, Target

S = 1_000_000_000
LATE_NS = S // 10
"""Who is later than that leaves calls out instead of making them in a burst."""


class Steady:
    """Calls until it is left; `latencies_ns` grows meanwhile."""

    def __init__(self, targets: Sequence[Target], per_s: float) -> None:
        self.latencies_ns: list[int] = []
        self._interval_ns = int(S / per_s) if per_s else 0
        self._connections = [Connection(target) for target in targets]
        self._begun: list[deque[int]] = [deque() for _ in targets]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Steady:
        if self._interval_ns:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._interval_ns:
            self._thread.join()
        for connection in self._connections:
            connection.close()

    def _run(self) -> None:
        due, number = perf_counter_ns(), 0
        with selectors.DefaultSelector() as selector:
            for index, connection in enumerate(self._connections):
                selector.register(connection.socket, selectors.EVENT_READ, index)
            while not self._over.is_set():
                now = perf_counter_ns()
                due = max(due, now - LATE_NS)
                while due <= now:
                    self._call(number)
                    number += 1
                    due += self._interval_ns
                for key, _ in selector.select((due - now) / S):
                    self._hear(key.data)

    def _call(self, number: int) -> None:
        index = number % len(self._connections)
        connection = self._connections[index]
        request = connection.request(FIRST_ID + number)
        self._begun[index].append(perf_counter_ns())
        connection.socket.sendall(request)

    def _hear(self, index: int) -> None:
        connection, begun = self._connections[index], self._begun[index]
        answer = connection.feed(connection.socket.recv(65536))
        now = perf_counter_ns()
        while answer is not None:
            self.latencies_ns.append(now - begun.popleft())
            connection.check(answer)
            answer = connection.feed(b"")

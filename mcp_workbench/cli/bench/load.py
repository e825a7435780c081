"""The client process: keeps 1 to 128 connections busy, one request in flight on each, and times every call.

Started by `rounds.py` as `python -m mcp_workbench.cli.bench.load`; reads one `Order` a line on stdin, prints one
`Answer` a line, ends with its stdin. The same code loads every subject. Orders that name a rate are `paced_load.py`'s.
"""

from __future__ import annotations

import gc
import selectors
import sys
from collections.abc import Sequence
from time import perf_counter_ns

import msgspec

from mcp_workbench.cli.bench.paced_load import PacedOrder, measure_paced
from mcp_workbench.cli.bench.pacing import Paced
from mcp_workbench.cli.bench.wires import FIRST_ID, BadAnswerError, Connection, Target

S = 1_000_000_000


class Order(msgspec.Struct, frozen=True, kw_only=True, tag="closed"):
    """One measurement to make; it ends with the calls or with the time, whichever is first."""

    target: Target
    sessions: int
    seconds: float
    calls: int


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What came out; times in microseconds, seen by the client."""

    calls: int
    calls_per_s: float
    p50_us: float
    p90_us: float
    p99_us: float


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The line that answers an order."""

    measured: Measured | None = None
    paced: Paced | None = None
    reason: str = ""
    """Why there is none."""


def measure(order: Order) -> Measured:
    """Open the sessions, warm up with a tenth of the calls, then measure."""
    connections = [Connection(order.target) for _ in range(order.sessions)]
    try:
        run = _one_session if order.sessions == 1 else _many_sessions
        run(connections, FIRST_ID, max(order.sessions, order.calls // 10), order.seconds / 5)
        begin = perf_counter_ns()
        latencies = run(connections, 2 * FIRST_ID, order.calls, order.seconds)
        elapsed_s = (perf_counter_ns() - begin) / S
    finally:
        for connection in connections:
            connection.close()
    return summarise(latencies, elapsed_s)


def summarise(latencies_ns: Sequence[int], elapsed_s: float) -> Measured:
    """Exact quantiles (nearest rank) of all calls."""
    ordered = sorted(latencies_ns)
    at = {q: ordered[min(len(ordered) - 1, int(len(ordered) * q))] / 1000 for q in (0.5, 0.9, 0.99)}
    return Measured(calls=len(ordered), calls_per_s=len(ordered) / elapsed_s, p50_us=at[0.5], p90_us=at[0.9], p99_us=at[0.99])


def _one_session(connections: list[Connection], first_id: int, calls: int, seconds: float) -> list[int]:
    (connection,) = connections
    connection.socket.settimeout(20)
    send, receive, request = connection.socket.sendall, connection.receive, connection.request
    latencies: list[int] = []
    end = perf_counter_ns() + int(seconds * S)
    for number in range(first_id, first_id + calls):
        data = request(number)
        begin = perf_counter_ns()
        send(data)
        answer = receive()
        now = perf_counter_ns()
        latencies.append(now - begin)
        connection.check(answer)
        if now > end:
            break
    return latencies


def _many_sessions(connections: list[Connection], first_id: int, calls: int, seconds: float) -> list[int]:
    """A closed loop on every connection from one selector: an answer is followed by the next request at once."""
    latencies: list[int] = []
    begun: dict[int, int] = {}
    number = first_id
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        end = perf_counter_ns() + int(seconds * S)
        for connection in connections:
            begun[connection.socket.fileno()] = perf_counter_ns()
            connection.socket.sendall(connection.request(number))
            number += 1
        waiting = len(connections)
        while waiting:
            ready = selector.select(20)
            if not ready:
                raise BadAnswerError("no answer on any session for 20 s")
            for key, _ in ready:
                connection = key.data
                answer = connection.feed(connection.socket.recv(65536))
                if answer is None:
                    continue
                now = perf_counter_ns()
                latencies.append(now - begun[key.fd])
                connection.check(answer)
                if len(latencies) + waiting > calls or now > end:
                    waiting -= 1
                    continue
                begun[key.fd] = now
                connection.socket.sendall(connection.request(number))
                number += 1
    return latencies


def _carry_out(order: Order | PacedOrder) -> Answer:
    return Answer(measured=measure(order)) if isinstance(order, Order) else Answer(paced=measure_paced(order))


def main() -> None:
    """Serve orders until stdin ends."""
    # Nothing here makes cycles, and a collection would count as the server's latency.
    gc.disable()
    for line in sys.stdin.buffer:
        try:
            answer = _carry_out(msgspec.json.decode(line, type=Order | PacedOrder))
        except (BadAnswerError, OSError) as error:
            answer = Answer(reason=str(error) or type(error).__name__)
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

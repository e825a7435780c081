"""One update to 1,000 subscribers: from the request that causes it to the last notification, beside `websockets.broadcast`.

Both send the same notification. One connection asks for the update; 1,000 others wait for it in one selector.
Rounds alternate, further apart than the 250 ms in which the workbench gathers updates.
"""

from __future__ import annotations

import selectors
import sys
import time
from time import perf_counter_ns

from mcp_workbench.cli.bench.processes import Server
from mcp_workbench.cli.bench.wires import FIRST_ID, Connection, Target
from tests.benchmarks.common import MANY, allow_many_files, line, title

ROUNDS = 15
PAUSE_S = 0.6
PEER = [sys.executable, "-m", "tests.benchmarks.peers.updates"]
SUBSCRIBE = '{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"df://table"}}'
UPDATED = b'"notifications/resources/updated"'


class Audience:
    """1,000 subscribers of one server, and the connection that asks for updates."""

    def __init__(self, target: Target) -> None:
        self.asking = Connection(target)
        self.number = FIRST_ID
        self.subscribers = [Connection(target) for _ in range(MANY)]
        self.selector = selectors.DefaultSelector()
        for subscriber in self.subscribers:
            subscriber.send_text(SUBSCRIBE)
            subscriber.receive()
            self.selector.register(subscriber.socket, selectors.EVENT_READ, subscriber)

    def update_ms(self) -> float:
        """Cause one update; milliseconds until the last subscriber has heard of it."""
        self.number += 1
        waiting = set(self.subscribers)
        begin = perf_counter_ns()
        self.asking.socket.sendall(self.asking.request(self.number))
        while waiting:
            for key, _ in self.selector.select(20) or never_came(len(waiting)):
                answer = key.data.feed(key.data.socket.recv(65536))
                if answer is not None and UPDATED in answer:
                    waiting.discard(key.data)
        elapsed = perf_counter_ns() - begin
        self.asking.check(self.asking.receive())
        return elapsed / 1e6

    def close(self) -> None:
        self.selector.close()
        for connection in [self.asking, *self.subscribers]:
            connection.close()


def never_came(waiting: int) -> list[tuple[selectors.SelectorKey, int]]:
    raise TimeoutError(f"{waiting} of {MANY} subscribers heard nothing of an update for 20 s")


def main() -> None:
    allow_many_files()
    title(f"one update to {MANY:,} subscribers, ms until the last one has it")
    samples: dict[str, list[float]] = {"floor": [], "workbench": []}
    with Server([*PEER, "floor"]) as floor, Server([*PEER, "workbench"]) as ours:
        audiences = {"floor": Audience(floor.ready.targets["floor"]), "workbench": Audience(ours.ready.targets["workbench"])}
        for _ in range(ROUNDS):
            for name, audience in audiences.items():
                time.sleep(PAUSE_S)
                samples[name].append(audience.update_ms())
        for audience in audiences.values():
            audience.close()
    line("websockets.broadcast", samples["floor"][1:], "ms")
    line("workbench, resources/updated", samples["workbench"][1:], "ms")
    line("ratio within a round", [ours / base for base, ours in zip(samples["floor"][1:], samples["workbench"][1:], strict=True)], "x")


if __name__ == "__main__":
    main()

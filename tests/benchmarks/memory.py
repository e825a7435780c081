"""Memory of an idle session: what 1,000 sessions add to the server's resident set, ours beside the floor.

Each session has shaken hands, initialized (ours) and made one call. Fresh processes every round, alternating.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

from mcp_workbench.cli.bench.processes import Server
from mcp_workbench.cli.bench.wires import FIRST_ID, Connection, Target
from tests.benchmarks.common import MANY, allow_many_files, floor_server, line, our_server, title

ROUNDS = 3
WARM = 20
"""Sessions opened before the first reading: what is allocated once belongs to none of them."""


def main() -> None:
    allow_many_files()
    title(f"KiB of resident memory per idle session, at {MANY:,} sessions")
    samples: dict[str, list[float]] = {"floor": [], "inline": []}
    starts: dict[str, Callable[[], Server]] = {"floor": floor_server, "inline": our_server}
    for _ in range(ROUNDS):
        for name, start in starts.items():
            with start() as server:
                samples[name].append(per_session_kib(server, server.ready.targets[name]))
    line("floor (websockets, msgspec)", samples["floor"], "KiB")
    line("workbench", samples["inline"], "KiB")


def per_session_kib(server: Server, target: Target) -> float:
    warm = [open_session(target) for _ in range(WARM)]
    before = settled_rss(server.pid)
    sessions = [open_session(target) for _ in range(MANY)]
    grown = settled_rss(server.pid) - before
    for session in warm + sessions:
        session.close()
    return grown / MANY / 1024


def open_session(target: Target) -> Connection:
    session = Connection(target)
    session.socket.sendall(session.request(FIRST_ID))
    session.check(session.receive())
    return session


def settled_rss(pid: int) -> int:
    """The resident set once it has stopped changing for half a second; at most 10 s."""
    process = psutil.Process(pid)
    seen: list[int] = [process.memory_info().rss]
    for _ in range(20):
        time.sleep(0.5)
        seen.append(process.memory_info().rss)
        if seen[-1] == seen[-2]:
            break
    return seen[-1]


if __name__ == "__main__":
    main()

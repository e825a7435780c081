"""30 calls in one reasoning step: what an agent waits until the last of them is answered.

Over one WebSocket all 30 requests are sent at once and answered as they end; over HTTP/1.1 one follows the other, on one
connection that is kept, on a new connection for each, and on a new TLS connection for each. Rounds are interleaved.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns

from mcp_workbench.cli.bench.environments import python_of
from mcp_workbench.cli.bench.processes import Server
from mcp_workbench.cli.bench.subjects import peers_folder
from mcp_workbench.cli.bench.wires import FIRST_ID, Connection, Target
from tests.benchmarks.common import floor_server, line, our_server, title

CALLS = 30
ROUNDS = 25
WARM = 5


def pipelined(connection: Connection, begin_id: int) -> None:
    connection.socket.sendall(b"".join(connection.request(begin_id + number) for number in range(CALLS)))
    for _ in range(CALLS):
        connection.check(connection.receive())


def one_by_one(connection: Connection, begin_id: int) -> None:
    for number in range(CALLS):
        connection.socket.sendall(connection.request(begin_id + number))
        connection.check(connection.receive())


def one_each(target: Target, begin_id: int) -> None:
    for number in range(CALLS):
        connection = Connection(target)
        connection.socket.sendall(connection.request(begin_id + number))
        connection.check(connection.receive())
        connection.close()


def main() -> None:
    title(f"{CALLS} calls in one step, ms until the last is answered")
    rest = [str(python_of("rest")), str(peers_folder() / "rest.py")]
    with (
        tempfile.TemporaryDirectory() as folder,
        floor_server() as floor,
        our_server() as ours,
        Server(rest) as plain,
        Server([*rest, *certificate(Path(folder))]) as tls,
    ):
        measure(floor.ready.targets, ours.ready.targets, plain.ready.targets["rest"], tls.ready.targets["rest"])


def measure(floor: dict[str, Target], ours: dict[str, Target], rest: Target, tls: Target) -> None:
    sessions = {name: Connection(target) for name, target in (floor | ours | {"rest": rest, "tls": tls}).items()}
    steps: dict[str, Callable[[int], None]] = {
        "floor, one WebSocket": lambda number: pipelined(sessions["floor"], number),
        "workbench inline, one WebSocket": lambda number: pipelined(sessions["inline"], number),
        "workbench thread, one WebSocket": lambda number: pipelined(sessions["thread"], number),
        "REST, keep-alive": lambda number: one_by_one(sessions["rest"], number),
        "REST, keep-alive with TLS": lambda number: one_by_one(sessions["tls"], number),
        "REST, a connection per call": lambda number: one_each(rest, number),
        "REST, a TLS connection per call": lambda number: one_each(tls, number),
    }
    samples: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(ROUNDS):
        for name, step in steps.items():
            begin = perf_counter_ns()
            step(FIRST_ID + number * CALLS)
            samples[name].append((perf_counter_ns() - begin) / 1e6)
    for name, taken in samples.items():
        line(name, taken[WARM:], "ms")
    for session in sessions.values():
        session.close()


def certificate(folder: Path) -> tuple[str, str]:
    """A self-signed certificate and its key, made by the openssl command."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    what = ["-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run(["openssl", "req", *what, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    return str(cert), str(key)


if __name__ == "__main__":
    main()

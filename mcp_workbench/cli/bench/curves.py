"""How latency grows with the rate of requests: an open loop at each rate, and what the server itself says of the same calls.

Each rate is warmed up by a fifth of its time, which nobody counts. Every subject gets the same moments. The client's times and the
server's differ by the way between them, and by every wait that a server cannot see: of requests that it has not read yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import msgspec

from mcp_workbench.cli.bench.announce import Seen
from mcp_workbench.cli.bench.paced_load import Arrivals, PacedOrder
from mcp_workbench.cli.bench.pacing import Paced
from mcp_workbench.cli.bench.processes import Load, ProcessFailedError, Server
from mcp_workbench.cli.bench.rounds import Say, Unavailable, start_servers
from mcp_workbench.cli.bench.subjects import Subject


class CurvePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured."""

    rates: tuple[float, ...]
    """Requests a second."""
    seconds: float
    """Of each rate."""
    sessions: int
    """One request in flight on each; what finds none free waits, and the wait counts."""
    arrivals: Arrivals


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One rate of one subject."""

    client: Paced
    saturated: bool
    server: Seen | None
    """None: this server does not say."""


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One subject's results."""

    name: str
    title: str
    versions: dict[str, str]
    points: list[Point]


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """What a run yields."""

    curves: list[Curve]
    unavailable: list[Unavailable]


def run_curves(subjects: Sequence[Subject], plan: CurvePlan, say: Say) -> Curves:
    """Measure each of `subjects` at each rate, one after the other.

    Args:
        subjects: What to measure.
        plan: How much.
        say: Takes sentences about the progress.

    Returns:
        The results, with the subjects that could not be measured beside.
    """
    with ExitStack() as stack:
        running, unavailable = start_servers(subjects, stack, say)
        load = stack.enter_context(Load())
        curves = []
        for subject, server in running.items():
            say(f"measuring {subject.title}")
            try:
                points = [_point(load, server, subject.name, plan, rate) for rate in plan.rates]
            except ProcessFailedError as error:
                unavailable.append(Unavailable(name=subject.name, title=subject.title, reason=str(error)))
                continue
            curves.append(Curve(name=subject.name, title=subject.title, versions=server.ready.versions, points=points))
    return Curves(curves=curves, unavailable=unavailable)


def _point(load: Load, server: Server, name: str, plan: CurvePlan, rate: float) -> Point:
    order = PacedOrder(target=server.ready.targets[name], sessions=plan.sessions, rate=rate, seconds=plan.seconds, arrivals=plan.arrivals)
    load.measure_paced(msgspec.structs.replace(order, seconds=plan.seconds / 5))
    server.seen(name)
    client = load.measure_paced(order)
    return Point(client=client, saturated=client.saturated, server=server.seen(name))

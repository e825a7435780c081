"""Runs the subjects side by side: every round measures each of them once, in the same order, at each number of sessions.

Interleaving is what makes ratios trustworthy on a noisy machine: whatever slows one round slows all subjects in it.
The ratio to the floor is taken within a round, then the median over rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from statistics import median

import msgspec

from mcp_workbench.cli.bench.environments import EnvironmentNotMadeError
from mcp_workbench.cli.bench.load import Measured, Order
from mcp_workbench.cli.bench.processes import Load, ProcessFailedError, Server
from mcp_workbench.cli.bench.subjects import Subject

Say = Callable[[str], None]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured; each measurement ends with its calls or its seconds, whichever is first."""

    rounds: int
    sessions: tuple[int, ...]
    calls: int
    seconds: float


FULL = Plan(rounds=7, sessions=(1, 16, 128), calls=20_000, seconds=1.0)
QUICK = Plan(rounds=3, sessions=(1, 16), calls=1_000, seconds=0.3)


class AtSessions(msgspec.Struct, frozen=True, kw_only=True):
    """One subject at one number of sessions: medians over rounds."""

    p50_us: float
    p90_us: float
    p99_us: float
    calls_per_s: float
    p50_to_floor: float
    """Median of the rounds' ratios of p50; above 1 is slower than the floor."""
    calls_per_s_to_floor: float
    """The same of calls per second; below 1 is slower than the floor."""
    calls: int
    """Calls measured, all rounds together."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One subject's results."""

    name: str
    title: str
    versions: dict[str, str]
    at: dict[int, AtSessions]
    """By number of sessions."""


class Unavailable(msgspec.Struct, frozen=True, kw_only=True):
    """A subject that could not be measured, and why."""

    name: str
    title: str
    reason: str


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """What a run yields."""

    lines: list[Line]
    unavailable: list[Unavailable]


def run(subjects: Sequence[Subject], plan: Plan, say: Say) -> Results:
    """Measure `subjects`, of which the first is the floor.

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
        taken: dict[tuple[str, int], list[Measured]] = {}
        for number in range(plan.rounds):
            say(f"round {number + 1} of {plan.rounds}")
            for sessions in plan.sessions:
                for subject in list(running):
                    order = Order(
                        target=running[subject].ready.targets[subject.name], sessions=sessions, calls=plan.calls, seconds=plan.seconds
                    )
                    try:
                        taken.setdefault((subject.name, sessions), []).append(load.measure(order))
                    except ProcessFailedError as error:
                        del running[subject]
                        unavailable.append(Unavailable(name=subject.name, title=subject.title, reason=str(error)))
    lines = [
        Line(
            name=subject.name,
            title=subject.title,
            versions=server.ready.versions,
            at=_at(subject.name, subjects[0].name, plan.sessions, taken),
        )
        for subject, server in running.items()
    ]
    return Results(lines=lines, unavailable=unavailable)


def start_servers(subjects: Iterable[Subject], stack: ExitStack, say: Say) -> tuple[dict[Subject, Server], list[Unavailable]]:
    """Start one server per distinct command, to be stopped with `stack`; those that do not start are given beside."""
    running: dict[Subject, Server] = {}
    unavailable: list[Unavailable] = []
    servers: dict[tuple[str, ...], Server] = {}
    for subject in subjects:
        say(f"starting {subject.title}")
        try:
            command = tuple(subject.command())
            if command not in servers:
                servers[command] = Server(command)
                stack.callback(servers[command].stop)
            running[subject] = servers[command]
        except (ProcessFailedError, EnvironmentNotMadeError, FileNotFoundError) as error:
            unavailable.append(Unavailable(name=subject.name, title=subject.title, reason=str(error)))
    return running, unavailable


def _at(name: str, floor: str, levels: Iterable[int], taken: dict[tuple[str, int], list[Measured]]) -> dict[int, AtSessions]:
    return {level: _medians(taken[name, level], taken[floor, level]) for level in levels}


def _medians(ours: Sequence[Measured], floor: Sequence[Measured]) -> AtSessions:
    return AtSessions(
        p50_us=median(one.p50_us for one in ours),
        p90_us=median(one.p90_us for one in ours),
        p99_us=median(one.p99_us for one in ours),
        calls_per_s=median(one.calls_per_s for one in ours),
        p50_to_floor=median(one.p50_us / base.p50_us for one, base in zip(ours, floor, strict=True)),
        calls_per_s_to_floor=median(one.calls_per_s / base.calls_per_s for one, base in zip(ours, floor, strict=True)),
        calls=sum(one.calls for one in ours),
    )

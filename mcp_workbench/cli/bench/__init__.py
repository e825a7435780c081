"""`mcp-workbench bench`: the workbench beside the floor, REST and the official SDKs, on this machine, in one run.

Servers and client are separate processes. `subjects.py` says who is compared, `rounds.py` how, `load.py` is the client,
`wires.py` its bytes. With `--rate` requests come at a rate of their own instead (`curves.py`, `pacing.py`), and the client's
curve stands beside what the server says of the same calls. Nothing here asserts a time. What else is measured (memory, fan-out,
kernels) are scripts in `tests/benchmarks`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from typing import Annotated, TypeVar

import msgspec
import typer
from rich.console import Console

from mcp_workbench.cli.bench.curve_report import CurveReport, print_curves
from mcp_workbench.cli.bench.curves import CurvePlan, run_curves
from mcp_workbench.cli.bench.paced_load import Arrivals
from mcp_workbench.cli.bench.report import Report, machine_facts, print_report
from mcp_workbench.cli.bench.rounds import FULL, QUICK, run
from mcp_workbench.cli.bench.subjects import OWN_NAMES, SUBJECTS, Subject

__all__ = ["bench"]

MOST_A_SECOND = 1_000_000
FEWEST = 10
"""Requests at one rate."""

R = TypeVar("R", bound=msgspec.Struct)


def bench(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Seconds instead of minutes; figures are rougher.")] = False,
    only: Annotated[str, typer.Option(help="Names to measure, separated by commas; the floor always is.")] = "",
    rate: Annotated[str, typer.Option(help="Requests a second, separated by commas: an open loop at each.")] = "",
    seconds: Annotated[float, typer.Option(min=0.1, help="With --rate: how long at each.")] = 10.0,
    sessions: Annotated[int, typer.Option(min=1, max=900, help="With --rate: connections, one request in flight on each.")] = 64,
    even: Annotated[bool, typer.Option("--even", help="With --rate: even distances instead of independent callers'.")] = False,
) -> None:
    """Measure latency and throughput beside the floor, REST and the official SDKs, side by side in one run.

    With --rate requests go when they are due, whether or not earlier ones were answered, and each is timed from that moment: the
    latency that callers meet at that rate, beside what the server's own histograms say of the same calls. Where --only names nothing,
    the floor and the workbench are measured.

    Servers of others run in environments that are made once, with pip. Exit code 1: something that was asked for by
    name, or the workbench itself, could not be measured.
    """
    wanted = {name.strip() for name in only.split(",") if name.strip()}
    if unknown := sorted(wanted - {subject.name for subject in SUBJECTS}):
        raise typer.BadParameter(f"no subject {', '.join(unknown)}; there are {', '.join(subject.name for subject in SUBJECTS)}")
    if rate:
        arrivals: Arrivals = "even" if even else "random"
        paced = CurvePlan(rates=_rates(rate, seconds), seconds=seconds, sessions=sessions, arrivals=arrivals)
        curves = run_curves(_chosen(wanted or OWN_NAMES), paced, _say)
        _show(CurveReport(facts=machine_facts(), plan=paced, results=curves), print_curves, as_json=as_json)
        measured = {curve.name for curve in curves.curves}
    else:
        plan = QUICK if quick else FULL
        results = run(_chosen(wanted or {subject.name for subject in SUBJECTS}), plan, _say)
        _show(Report(facts=machine_facts(), plan=plan, results=results), print_report, as_json=as_json)
        measured = {line.name for line in results.lines}
    if not measured >= (wanted or OWN_NAMES):
        raise typer.Exit(1)


def _chosen(names: Collection[str]) -> list[Subject]:
    return [subject for subject in SUBJECTS if subject.name in names or subject is SUBJECTS[0]]


def _say(sentence: str) -> None:
    Console(stderr=True).print(sentence, style="dim", markup=False)


def _show(report: R, print_it: Callable[[R, Console], None], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    else:
        print_it(report, Console())


def _rates(text: str, seconds: float) -> tuple[float, ...]:
    try:
        rates = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        rates = ()
    if not rates or not all(0 < each <= MOST_A_SECOND for each in rates):
        raise typer.BadParameter(f"--rate takes requests a second, above 0 and up to {MOST_A_SECOND:,}, as 500,1000,2000; got {text!r}")
    if min(rates) * seconds < FEWEST:
        raise typer.BadParameter(
            f"expected at least {FEWEST} requests at each rate, for fewer have no quantiles; at {min(rates):g} a second {seconds:g} s have "
            f"{min(rates) * seconds:.2g}: a higher --rate, or more --seconds"
        )
    return rates

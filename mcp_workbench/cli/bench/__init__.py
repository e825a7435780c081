"""`mcp-workbench bench`: the workbench beside the floor, REST and the official SDKs, on this machine, in one run.

Servers and client are separate processes. `subjects.py` says who is compared, `rounds.py` how, `load.py` is the client,
`wires.py` its bytes. Nothing here asserts a time. What else is measured (memory, fan-out, kernels) are scripts in
`tests/benchmarks`.
"""

from __future__ import annotations

import sys
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from mcp_workbench.cli.bench.report import Report, machine_facts, print_report
from mcp_workbench.cli.bench.rounds import FULL, QUICK, run
from mcp_workbench.cli.bench.subjects import OWN_NAMES, SUBJECTS

__all__ = ["bench"]


def bench(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Seconds instead of minutes; figures are rougher.")] = False,
    only: Annotated[str, typer.Option(help="Names to measure, separated by commas; the floor always is.")] = "",
) -> None:
    """Measure latency and throughput beside the floor, REST and the official SDKs, side by side in one run.

    Servers of others run in environments that are made once, with pip. Exit code 1: something that was asked for by
    name, or the workbench itself, could not be measured.
    """
    wanted = {name.strip() for name in only.split(",") if name.strip()}
    if unknown := sorted(wanted - {subject.name for subject in SUBJECTS}):
        raise typer.BadParameter(f"no subject {', '.join(unknown)}; there are {', '.join(subject.name for subject in SUBJECTS)}")
    subjects = [subject for subject in SUBJECTS if not wanted or subject.name in wanted or subject is SUBJECTS[0]]
    progress = Console(stderr=True)
    plan = QUICK if quick else FULL
    results = run(subjects, plan, lambda sentence: progress.print(sentence, style="dim", markup=False))
    report = Report(facts=machine_facts(), plan=plan, results=results)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    else:
        print_report(report, Console())
    measured = {line.name for line in results.lines}
    if not measured >= (wanted or OWN_NAMES):
        raise typer.Exit(1)

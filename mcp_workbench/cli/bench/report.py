"""What a run looks like: a table for people, JSON for programs, and the facts without which a figure means nothing."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import mcp_workbench
from mcp_workbench.cli.bench.rounds import AtSessions, Line, Plan, Results


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The machine and the software."""

    cpu: str
    cores: int
    system: str
    python: str
    mcp_workbench: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything `mcp-workbench bench --json` prints."""

    facts: Facts
    plan: Plan
    results: Results


def machine_facts() -> Facts:
    """Facts of this machine and interpreter."""
    return Facts(
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        mcp_workbench=mcp_workbench.__version__,
    )


def print_facts(facts: Facts, console: Console) -> None:
    """One line."""
    console.print(f"{facts.cpu}, {facts.cores} cores, {facts.system}, {facts.python}, mcp-workbench {facts.mcp_workbench}")


def print_report(report: Report, console: Console) -> None:
    """One table per number of sessions, then what could not be measured."""
    print_facts(report.facts, console)
    console.print(
        f"One trivial tool over loopback, server and client in two processes, medians of {report.plan.rounds} interleaved rounds."
    )
    console.print("µs as the client sees it; x: ratio to the floor, the median of the rounds' ratios.")
    for sessions in report.plan.sessions:
        console.print(_table(sessions, report.results.lines))
    for subject in report.results.unavailable:
        console.print(f"not measured: {subject.title}: {subject.reason}", markup=False)


def _table(sessions: int, lines: list[Line]) -> Table:
    table = Table(
        title=f"{sessions} session{'s' if sessions > 1 else ''}, one call in flight on each", title_justify="left", box=SIMPLE_HEAD
    )
    table.add_column("server")
    for column in ("p50", "p90", "p99", "calls/s", "p50 x", "calls/s x"):
        table.add_column(column, justify="right")
    for line in lines:
        table.add_row(line.title, *_cells(line.at[sessions]))
    return table


def _cells(at: AtSessions) -> list[str]:
    return [
        f"{at.p50_us:,.0f}",
        f"{at.p90_us:,.0f}",
        f"{at.p99_us:,.0f}",
        f"{at.calls_per_s:,.0f}",
        f"{at.p50_to_floor:.2f}",
        f"{at.calls_per_s_to_floor:.2f}",
    ]


def _cpu_model() -> str:
    """The processor's name as Linux knows it, else what Python knows."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()

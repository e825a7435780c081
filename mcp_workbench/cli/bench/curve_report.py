"""What curves look like: one table per subject, the client's times beside the server's; JSON for programs."""

from __future__ import annotations

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mcp_workbench.cli.bench.curves import Curve, CurvePlan, Curves, Point
from mcp_workbench.cli.bench.paced_load import PATIENCE_S
from mcp_workbench.cli.bench.report import Facts, print_facts
from mcp_workbench.wording import counted, duration

SUPPORT_P99 = 100
"""Calls below which p99 is but the slowest."""
ARRIVALS = {"random": "at moments of independent callers (Poisson)", "even": "at even distances"}


class CurveReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything `mcp-workbench bench --rate … --json` prints."""

    facts: Facts
    plan: CurvePlan
    results: Curves


def print_curves(report: CurveReport, console: Console) -> None:
    """One table per subject, then what could not be measured."""
    plan = report.plan
    print_facts(report.facts, console)
    how = f"{plan.seconds:g} s at each rate, {ARRIVALS[plan.arrivals]}, {counted(plan.sessions, 'session')} with one request in flight each"
    console.print(f"Open loop: {how}.", markup=False)
    console.print("Client: from the moment a request was due. Server: the same calls as it sees them, from their arrival.")
    for curve in report.results.curves:
        console.print(_table(curve))
        for point in curve.points:
            for sentence in remarks(point, plan.seconds):
                console.print(f"{point.client.rate:,g}/s: {sentence}", markup=False)
    for subject in report.results.unavailable:
        console.print(f"not measured: {subject.title}: {subject.reason}", markup=False)


def remarks(point: Point, seconds: float) -> list[str]:
    """What a reader would else take for the server's."""
    client, server = point.client, point.server
    said = []
    if client.calls < SUPPORT_P99:
        said.append(f"only {counted(client.calls, 'request')}: p99 is the slowest of them; more --seconds tell more")
    if point.saturated:
        said.append(f"saturated: more was asked than answered, so requests piled up for {seconds:g} s and the client's times grow with it")
    if client.unanswered:
        said.append(f"{counted(client.unanswered, 'request')} given up after {PATIENCE_S:g} s; they count with the time they had waited")
    elif server is not None and server.calls != client.calls:
        said.append(f"the server counts {server.calls:,} calls, the client {client.calls:,}: its figures are of something else too")
    if client.client_late_us > client.p99_us / 2 and not point.saturated:
        said.append(f"the client itself was late by {_shown(client.client_late_us)} (p99), so the machine was too busy to measure this")
    return said


def _table(curve: Curve) -> Table:
    table = Table(title=curve.title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("asked/s", justify="right")
    table.add_column("")
    for column in ("answered/s", "p50", "p90", "p99", "p99.9", "max"):
        table.add_column(column, justify="right")
    for point in curve.points:
        client, server = point.client, point.server
        of_client = client.p50_us, client.p90_us, client.p99_us, client.p999_us, client.max_us
        table.add_row(f"{client.rate:,g}", "client", f"{client.achieved:,.0f}", *map(_shown, of_client))
        if server is not None:
            of_server = server.p50_us, server.p90_us, server.p99_us, server.p999_us, server.max_us
            table.add_row("", "server", "", *map(_shown, of_server))
    return table


def _shown(us: float | None) -> str:
    return duration(None if us is None else round(us * 1000))

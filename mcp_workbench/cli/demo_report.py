"""What the demo leaves behind: one document, and the same as tables for people."""

from __future__ import annotations

import platform
import statistics

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from mcp_workbench.cli.demo_agents import DemoAgent, View
from mcp_workbench.cli.demo_steps import Steps
from mcp_workbench.version import __version__
from mcp_workbench.wording import plain


class StepLine(msgspec.Struct, frozen=True, kw_only=True):
    """One step."""

    step: str
    ok: bool
    seconds: float
    said: str


class RequestLine(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request of one agent, as the agent saw it."""

    era: str
    request: str
    n: int
    p50_ms: float
    max_ms: float


class CallLine(msgspec.Struct, frozen=True, kw_only=True):
    """One tool or method, as the server saw it, from a request's arrival to its answer's departure."""

    name: str
    n: int
    errors: int
    p50_ms: float | None
    p99_ms: float | None


class ChangeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One change that both agents were told of, and what they then read."""

    version: int
    rows_total: int
    summary: str
    header: list[str]
    rows: list[list[str]]
    """The rows concerned, as they are now."""
    before: list[list[str]]
    """The same rows before; empty when they are new."""
    told_after_ms: dict[str, float]
    """Era -> time from sending the cell to the kernel until the notification, the cell's own work included."""


class DemoReport(msgspec.Struct, frozen=True, kw_only=True):
    """The whole demo; `ok` only when every step happened."""

    ok: bool
    seconds: float
    version: str
    python: str
    steps: list[StepLine]
    changes: list[ChangeLine]
    agents: list[RequestLine]
    server: list[CallLine]


def make_report(steps: Steps, agents: list[DemoAgent], changes: list[ChangeLine], server: list[CallLine]) -> DemoReport:
    """Everything that was written down.

    Args:
        steps: All steps taken.
        agents: The agents, connected or not.
        changes: What they were told of.
        server: What the server says.
    """
    return DemoReport(
        ok=steps.failed is None,
        seconds=round(sum(step.seconds for step in steps.taken), 3),
        version=__version__,
        python=platform.python_version(),
        steps=[StepLine(step=step.title, ok=step.ok, seconds=round(step.seconds, 3), said=step.said) for step in steps.taken],
        changes=changes,
        agents=[_request_line(agent.era, what, seconds) for agent in agents for what, seconds in agent.requests.items()],
        server=server,
    )


def _request_line(era: str, what: str, seconds: list[float]) -> RequestLine:
    return RequestLine(era=era, request=what, n=len(seconds), p50_ms=_ms(statistics.median(seconds)), max_ms=_ms(max(seconds)))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def change_line(before: View, head: View, tail: View, summary: str, told_after_s: dict[str, float]) -> ChangeLine:
    """What has changed between two looks.

    Args:
        before: The first rows as they were.
        head: The first rows as they are.
        tail: The rows behind the last one there was before; empty when none was added.
        summary: What the server says of it.
        told_after_s: Era -> seconds.
    """
    added = head.total > before.total
    differing = [] if added else [i for i, row in enumerate(head.rows) if row != before.rows[i]]
    return ChangeLine(
        version=head.version,
        rows_total=head.total,
        summary=summary,
        header=head.header,
        rows=tail.rows if added else [head.rows[i] for i in differing],
        before=[before.rows[i] for i in differing],
        told_after_ms={era: _ms(seconds) for era, seconds in told_after_s.items()},
    )


# --- for people -----------------------------------------------------------------------------------------

INDENT = (0, 0, 0, 12)


def print_code(console: Console, source: str) -> None:
    """A cell, as it was run."""
    console.print(Padding(Syntax(source, "python", theme="ansi_dark", background_color="default", word_wrap=True), INDENT))


def print_change(console: Console, change: ChangeLine) -> None:
    """The rows concerned; a cell that has changed shows both values."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in change.header:
        table.add_column(plain(title), header_style="dim")
    for i, row in enumerate(change.rows):
        old = change.before[i] if change.before else row
        table.add_row(*(_value(was, now) for was, now in zip(old, row, strict=True)))
    console.print(Padding(table, INDENT, expand=False))


def _value(was: str, now: str) -> Text:
    return Text(plain(now)) if was == now else Text(f"{plain(was)} -> {plain(now)}", style="bold yellow")


def print_report(console: Console, report: DemoReport) -> None:
    """Calls and latencies: what agents waited, and what of that was the server's."""
    if report.agents:
        console.print("\nAs the agents saw it, in ms:")
        console.print(_agents_table(report.agents))
    if report.server:
        console.print("\nAs the server saw it, in ms, from a request's arrival to its answer's departure:")
        console.print(_server_table(report.server))


def _agents_table(lines: list[RequestLine]) -> Table:
    table = Table()
    table.add_column("request")
    eras = list(dict.fromkeys(line.era for line in lines))
    for era in eras:
        for column in (f"{era} n", "p50", "max"):
            table.add_column(column, justify="right")
    for what in dict.fromkeys(line.request for line in lines):
        of = {line.era: line for line in lines if line.request == what}
        row = [text for era in eras for text in (_figures(of[era]) if era in of else ("", "", ""))]
        table.add_row(Text(plain(what)), *row)
    return table


def _figures(line: RequestLine) -> tuple[str, str, str]:
    return f"{line.n}", f"{line.p50_ms:.1f}", f"{line.max_ms:.1f}"


def _server_table(lines: list[CallLine]) -> Table:
    table = Table()
    table.add_column("tool or method")
    for column in ("n", "errors", "p50", "p99"):
        table.add_column(column, justify="right")
    for line in lines:
        figures = ("" if value is None else f"{value:.1f}" for value in (line.p50_ms, line.p99_ms))
        table.add_row(Text(plain(line.name)), f"{line.n}", f"{line.errors}", *figures)
    return table

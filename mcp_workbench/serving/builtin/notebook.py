"""`notebook_status`: what is here, and what is new. The first tool an agent calls, and the one it waits with.

Without a cursor it shows everything, in as much detail as fits; with one, the lines that were written into the chronicle
since. The cursor is taken before anything is looked at, so what changes meanwhile is told again rather than missed.
What the kernel is doing comes as `KernelFacts` from whoever knows the host.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mcp_workbench.execution.context import Context
from mcp_workbench.execution.main_thread import Running
from mcp_workbench.hosts import Cell
from mcp_workbench.live.chronicle import Chronicle
from mcp_workbench.primitives.tools import ToolDefinition, Waiting
from mcp_workbench.protocol.wire import Json
from mcp_workbench.serving.builtin import lenient
from mcp_workbench.serving.builtin.fitting import Fitted, call_text, counted, facts, took
from mcp_workbench.serving.builtin.lenient import LONGEST_WAIT_S, Seconds, Text
from mcp_workbench.serving.builtin.own_tools import Group, define
from mcp_workbench.serving.builtin.status_report import Contents, written_contents
from mcp_workbench.serving.job import elapsed
from mcp_workbench.serving.places import NOTEBOOK, PROGRAM, Place

NAME = "notebook_status"


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """What the kernel is doing."""

    notebook: str = "notebook"
    """A short name for people."""
    cell: Cell | None = None
    """The cell at work."""
    work: Running | None = None
    """The call that has the main thread to itself: no cell can run beside it."""
    waiting: int = 0
    """Calls whose turn has not come yet."""
    place: Place = NOTEBOOK
    """What it is, for it may be no kernel."""

    def said(self, now: float) -> str:
        """`kernel busy in cell [12] for 8 s, 2 calls wait`."""
        doing = "idle"
        if self.cell is not None:
            doing = f"busy in cell {self.cell.label} for {elapsed(max(now - self.cell.began, 0))}"
        elif self.work is not None:
            others = "" if self.place is PROGRAM else ", cells wait"
            doing = f"busy with a call of {self.work.name} for {elapsed(max(now - self.work.began, 0))}{others}"
        wait = f", {counted(self.waiting, 'call')} {'waits' if self.waiting == 1 else 'wait'}" if self.waiting else ""
        return f"{self.place.noun} {doing}{wait}"


class NotebookTools:
    """The tool. Its function runs in a thread kept for quick calls; what a call waits for is asked on the protocol loop.

    Args:
        chronicle: What is new.
        kernel: What the kernel is doing; from any thread.
        contents: What is here, for a principal.
        clock: Nanoseconds that only grow.
        now: As `Cell.began`.
    """

    def __init__(
        self,
        chronicle: Chronicle,
        kernel: Callable[[], KernelFacts],
        contents: Callable[[str], Contents],
        *,
        clock: Callable[[], int] = time.perf_counter_ns,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chronicle = chronicle
        self._kernel = kernel
        self._contents = contents
        self._clock = clock
        self._now = now

    def tools(self) -> list[ToolDefinition]:
        """Define it."""
        return [define(self.notebook_status, waits=self._until_news, quick=True)]

    def notebook_status(self, ctx: Context, since: Text = None, wait_s: Seconds = 0) -> Fitted:
        """Start here: published DataFrames, the author's functions, whether it is busy, your jobs. With since: only what is new.

        Args:
            since: The cursor of an earlier call.
            wait_s: Seconds to wait for news, at most 50; with since.
        """
        began, cursor, principal = self._clock(), self._chronicle.cursor(), ctx.principal.name
        if since is None:
            return self._everything(began, cursor, principal, "")
        asked = _bare(since)
        if not self._chronicle.knows(asked):
            why = f"Cursor {asked[:40]!r} is of another kernel or too old, so here is everything."
            return self._everything(began, cursor, principal, why)
        lines = [line.text for line in self._chronicle.since(asked, principal)]
        return Fitted(lambda room: self._news(room, lines, cursor, wait_s, began))

    def _everything(self, began: int, cursor: str, principal: str, why: str) -> Fitted:
        contents = self._contents(principal)

        def write(room: int) -> str:
            kernel = self._kernel()
            head = [facts(kernel.notebook, kernel.said(self._now()), contents.counts, f"cursor {cursor}", took(self._clock() - began))]
            head += [why] if why else []
            tail = self._next(contents, cursor)
            room -= sum(len(line) + 1 for line in [*head, tail])
            return "\n".join([*head, *written_contents(contents, kernel.place.author, room), tail])

        return Fitted(write)

    def _next(self, contents: Contents, cursor: str) -> str:
        news = f"{call_text(NAME, since=cursor, wait_s=int(LONGEST_WAIT_S))} waits for news."
        if contents.dataframes:
            return f"Next: {call_text('df_describe', contents.dataframes[0].name)} says what stands in it; {news}"
        if contents.functions:
            return f"Next: call a function by its name, or {call_text('notebook_call', contents.functions[0].name, {})}; {news}"
        return f"{self._kernel().place.empty} {news}"

    def _news(self, room: int, lines: list[str], cursor: str, waited_s: float, began: int) -> str:
        kernel = self._kernel().said(self._now())
        within = f" within {waited_s:.0f} s" if waited_s and not lines else ""
        count = f"{len(lines):,} new" if lines else f"Nothing new{within}"
        head = facts(count, kernel, f"cursor {cursor}", took(self._clock() - began))
        end = f"Next: {call_text(NAME, since=cursor, wait_s=int(LONGEST_WAIT_S))} waits for more; {NAME}() shows everything."
        room -= len(head) + len(end) + 60
        shown = list(lines)
        while shown and sum(len(line) + 1 for line in shown) > room:
            shown.pop(0)
        left_out = [f"({len(lines) - len(shown):,} earlier ones left out)"] if len(shown) < len(lines) else []
        return "\n".join([head, *left_out, *shown, end])

    # --- waiting -------------------------------------------------------------------------------------------------

    def _until_news(self, arguments: Mapping[str, Json], principal: str) -> Waiting | None:
        wait_s, since = lenient.seconds(arguments.get("wait_s")), lenient.text(arguments.get("since"))
        if not wait_s or not isinstance(since, str) or not self._chronicle.knows(cursor := _bare(since)):
            return None
        return Waiting(lambda: bool(self._chronicle.since(cursor, principal)) or not self._chronicle.knows(cursor), wait_s)


def notebook_tools(chronicle: Chronicle, kernel: Callable[[], KernelFacts], contents: Callable[[str], Contents]) -> Group:
    """The one tool."""
    return Group((NAME,), NotebookTools(chronicle, kernel, contents).tools)


def _bare(cursor: str) -> str:
    """A cursor as it was given, also when it came with its word or in quotes."""
    return cursor.strip().strip("`\"'").removeprefix("cursor").strip(" :=")

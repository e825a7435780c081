"""What `wb.status()` shows: plain facts, as text and as escaped HTML. Never a token."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

from mcp_workbench.telemetry.aggregates import Row
from mcp_workbench.telemetry.records import SessionRecord
from mcp_workbench.wording import counted, duration, plain


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """One open session: who, and the reading of each of its queues."""

    record: SessionRecord
    queues: dict[str, int]


@dataclass(frozen=True, slots=True)
class Status:
    """A moment of one Workbench."""

    name: str
    url: str | None
    """None: not running."""
    http_url: str | None = None
    """Where it is reached over HTTP; None: nowhere."""
    tools: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    dataframes: tuple[str, ...] = ()
    """For instance `flights v3, 336,776 x 19`."""
    sessions: tuple[SessionStatus, ...] = ()
    calls: tuple[Row, ...] = ()
    """One row per tool."""
    execution: dict[str, int] = field(default_factory=dict)
    """Reading of every queue that tools wait in."""
    jobs: dict[str, int] = field(default_factory=dict)
    """Calls that were answered early: how many run, how many have ended and are kept, and the bytes of their results."""
    recordings: tuple[str, ...] = ()
    """What goes on being written into files, a line each; one that cannot write at present says so."""
    waiting_tickets: int = 0
    notices: tuple[str, ...] = ()
    """What the author should know, for instance that a tool was moved from the loop to threads."""
    running: tuple[str, ...] = ()
    """What has not ended, a line each, and whose call has the main thread."""
    failed: int = 0
    """Calls that failed in what the author wrote, since the start."""
    mistakes: int = 0
    """Calls that failed by what callers sent, since the start."""
    last_mistake: str = ""
    """The id of the last of these."""

    def lines(self) -> list[str]:
        """The facts, one per line; control characters, which clients' names may hold, as escapes."""
        if self.url is None:
            lines = [f"mcp_workbench {self.name!r} is not running; wb.start() starts it.", *self._offer_lines()]
        else:
            places = " and ".join(each for each in (self.url, self.http_url) if each is not None)
            lines = [f"mcp_workbench {self.name!r} serves at {places}", *self._offer_lines(), *self._session_lines()]
            lines += [f"  {line}" for line in self.running]
            lines += self._call_lines()
        if self.jobs.get("running") or self.jobs.get("ended"):
            lines.append(f"  jobs: {self.jobs['running']} running, {self.jobs['ended']} ended; wb.jobs lists them")
        lines += [f"  recording {recording}" for recording in self.recordings]
        lines += [f"  note: {notice}" for notice in self.notices]
        if self.failed:
            lines.append(f"  {failures_hint(self.failed)}")
        if self.mistakes:
            lines.append(f"  {mistakes_hint(self.mistakes, self.last_mistake)}")
        return [plain(line) for line in lines]

    def _offer_lines(self) -> list[str]:
        kinds = {"tools": self.tools, "DataFrames": self.dataframes, "resources": self.resources, "prompts": self.prompts}
        return [f"  {kind}: {', '.join(names)}" for kind, names in kinds.items() if names]

    def _session_lines(self) -> list[str]:
        if not self.sessions:
            return ["  no client is connected"]
        return [f"  {_session_line(session)}" for session in self.sessions]

    def _call_lines(self) -> list[str]:
        lines = [f"  {_tool_line(row)}" for row in self.calls]
        if waiting := self.execution.get("main_waiting"):
            lines.append(f"  {'1 call waits' if waiting == 1 else f'{waiting} calls wait'} for the main thread")
        return lines

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        return "<pre>" + html.escape("\n".join(self.lines())) + "</pre>"


def mistakes_hint(mistakes: int, last: str) -> str:
    """What is said of so many mistakes of callers, at least one."""
    count, which = ("1 mistake of a caller", "it") if mistakes == 1 else (f"{mistakes:,} mistakes of callers", "the last one")
    return f"{count}: %mcp error {last} shows {which}"


def failures_hint(failed: int) -> str:
    """What to do about so many failed calls, at least one."""
    calls, which = ("1 call", "it") if failed == 1 else (f"{failed:,} calls", "the last one")
    return f"{calls} failed: %mcp error shows {which}, %mcp debug runs it again in the debugger"


def _session_line(session: SessionStatus) -> str:
    record, queues = session.record, session.queues
    client = f"{record.client_name or 'unknown client'} {record.client_version or ''}".strip()
    calls = counted(record.calls, "call")
    return (
        f"{record.session_id} {client} ({record.protocol_version or 'no handshake yet'}, {record.transport}, {record.principal}): "
        f"{calls}, {queues['running']} running, {queues['backlog']} waiting, {queues['outbox_bytes']:,} bytes unsent"
    )


def _tool_line(row: Row) -> str:
    counts = f"{counted(row.n, 'call')}, {counted(row.errors, 'error')}"
    return f"{row.name}: {counts}, p50 {duration(row.p50_ns)}, p99 {duration(row.p99_ns)}"

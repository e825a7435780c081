"""The facts of this moment, read off a running server and its offer; from any thread.

What is added up over all calls is read anew only when a call has been recorded since, so that looking twice
a second at a quiet server costs microseconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from math import log10

from mcp_workbench.assembly import RunningServer
from mcp_workbench.offer import Offer
from mcp_workbench.telemetry.histogram import Histogram, bucket_bounds_ns
from mcp_workbench.telemetry.records import JOB, CallRecord
from mcp_workbench.telemetry.telemetry import Telemetry
from mcp_workbench.views.facts import BARS, SHORTEST_NS, CallFacts, SessionFacts, ToolFacts, View
from mcp_workbench.views.open_calls import caller, main_thread, open_calls

LAST_CALLS = 8
LOOKED_AT = 500
"""Records among which the last calls are sought: handshakes and lists are records too, and not shown."""
TOOLS = 8
_BARS_PER_DECADE = 2
_SHOWN = frozenset(("tools/call", "resources/read", "prompts/get", JOB))


class Gathering:
    """Looks at one Workbench, again and again.

    Args:
        name: The Workbench's name.
        offer: What it offers.
        running: The server, asked for each time; None: not running.
        dataframes: One line per published DataFrame, asked for each time.
        now: Seconds since 1970; injected by tests.
    """

    def __init__(
        self,
        name: str,
        offer: Offer,
        running: Callable[[], RunningServer | None],
        dataframes: Callable[[], tuple[str, ...]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._offer = offer
        self._running = running
        self._dataframes = dataframes
        self._now = now
        self._sums = _Sums(-1, (), (), 0)

    def look(self) -> View:
        """The facts of this moment."""
        offer, running = self._offer, self._running()
        sums = self._added_up(offer.telemetry)
        going_on = () if running is None else open_calls(running, offer.jobs, self._now())
        return View(
            name=self._name,
            url=None if running is None else running.url,
            since=None if running is None else running.since,
            sessions=() if running is None else _sessions(running),
            running=going_on,
            main_thread="" if running is None else main_thread(running, going_on),
            calls=sums.calls,
            tools=sums.tools,
            offered=len(offer.tools.list()),
            dataframes=self._dataframes(),
            notices=() if running is None else tuple(running.notices),
            failed=sums.failed,
            mistakes=sums.mistakes,
            last_mistake=sums.last_mistake,
            messages=sums.messages,
        )

    def _added_up(self, telemetry: Telemetry) -> _Sums:
        recorded = telemetry.statistics().calls
        if recorded != self._sums.recorded:
            last = next((call.call_id for call in telemetry.mistakes()), "")
            counts = telemetry.failed, telemetry.mistaken, last, telemetry.messages.total
            self._sums = _Sums(recorded, _last_calls(telemetry, self._running()), _tools(telemetry), *counts)
        return self._sums


@dataclass(frozen=True, slots=True)
class _Sums:
    """What only a recorded call changes."""

    recorded: int
    calls: tuple[CallFacts, ...]
    tools: tuple[ToolFacts, ...]
    failed: int
    mistakes: int = 0
    last_mistake: str = ""
    messages: int = 0


def _sessions(running: RunningServer) -> tuple[SessionFacts, ...]:
    return tuple(
        SessionFacts(
            session.id,
            _client(session.record.client_name, session.record.client_version),
            f"{record.protocol_version} {record.era}" if (record := session.record).era else "no handshake yet",
            record.principal,
            record.calls,
            session.running,
        )
        for session in running.sessions
    )


def _client(name: str | None, version: str | None) -> str:
    return " ".join(filter(None, (name or "unknown client", version)))


def _last_calls(telemetry: Telemetry, running: RunningServer | None) -> tuple[CallFacts, ...]:
    records = telemetry.sessions() if running is None else running.sessions.records()
    clients = {record.session_id: record.client_name for record in records}
    shown = (call for call in reversed(telemetry.calls(LOOKED_AT)) if call.method in _SHOWN)
    return tuple(_call(call, clients.get(call.session_id)) for call in islice(shown, LAST_CALLS))


def _call(call: CallRecord, client: str | None) -> CallFacts:
    who = caller(client, call.principal)
    facts = call.call_id, call.received_at, call.target, call.outcome, call.failed, call.total_ns, who
    return CallFacts(*facts, call.error or "", call.queued_behind or "", _job(call), call.session_id, call.failed and not call.is_authors)


def _job(call: CallRecord) -> str:
    """A call that went on as a job is there twice: when it was answered, and when it ended."""
    if call.job is not None:
        return f"→ job {call.job}"
    return "(job)" if call.method == JOB else ""


def _tools(telemetry: Telemetry) -> tuple[ToolFacts, ...]:
    return tuple(
        ToolFacts(row.name, row.n, row.errors, row.p50_ns, row.p99_ns, bars_of(telemetry.histogram(row.name)))
        for row in telemetry.by_tool()[:TOOLS]
    )


def bars_of(histogram: Histogram) -> tuple[int, ...]:
    """A histogram's counts in `BARS` bars of half a decade, from 10 µs on."""
    bars = [0] * BARS
    for index, count in histogram.buckets.items():
        low, high = bucket_bounds_ns(index)
        bar = int(log10((low + high) / 2 / SHORTEST_NS) * _BARS_PER_DECADE)
        bars[min(max(bar, 0), BARS - 1)] += count
    return tuple(bars)

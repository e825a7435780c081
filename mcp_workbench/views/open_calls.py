"""What runs or waits at this moment: calls of clients, and jobs, which have outlived their request; from any thread.

Calls that have only just begun are left out, so that a busy server's display does not flicker. How long a call has taken is
told in steps that grow: equal facts look the same, and nothing is sent for them twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from mcp_workbench.assembly import RunningServer
from mcp_workbench.execution.calls import Call
from mcp_workbench.serving.job import Job, share
from mcp_workbench.serving.jobs import Jobs
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.transports.credentials import DEFAULT_NAME
from mcp_workbench.views.facts import OpenCallFacts

SHORTEST_S = 0.5
"""What is younger is not shown."""

_STEPS = ((120.0, 60), (60.0, 5), (0.0, 1))
"""From so many seconds on, told in steps of so many."""


def open_calls(running: RunningServer, jobs: Jobs, now: float) -> tuple[OpenCallFacts, ...]:
    """Everything that goes on, the oldest first.

    Args:
        running: The server.
        jobs: All jobs.
        now: Seconds since 1970.
    """
    began_before = now - SHORTEST_S
    calls = [
        (record, waits, session.record.client_name)
        for session in running.sessions
        for record, waits in session.open_calls()
        if record.received_at <= began_before
    ]
    going = [job for job in jobs.of(None) if not job.over and job.began_at <= began_before]
    if not calls and not going:
        return ()
    clients = {record.session_id: record.client_name for record in running.sessions.records()} if going else {}
    facts = [_of_call(record, running.execution.find(record.call_id), waits, client, now) for record, waits, client in calls]
    facts += [_of_job(job, clients.get(job.session_id), now) for job in going]
    return tuple(sorted(facts, key=lambda call: -call.seconds))


def main_thread(running: RunningServer, calls: tuple[OpenCallFacts, ...], clock: Callable[[], float] = time.monotonic) -> str:
    """Whose call has the main thread, so that cells wait for it: one sentence; empty where nobody's has.

    Args:
        running: The server.
        calls: What goes on.
        clock: As `Cell.began`.
    """
    work = running.execution.main.at_work
    if work is None or clock() - work.began < SHORTEST_S:
        return ""
    whose = next((f" for {call.who}" for call in calls if call.run_id == work.call_id), "")
    waits = "" if running.identity.kind == "python" else "; cells wait for it, an interrupt ends it"
    return f"main thread: busy with {work.name} ({work.call_id}){whose}{waits}"


def caller(client: str | None, principal: str) -> str:
    """Client and, unless it is the first one, principal."""
    who = client or "unknown client"
    return who if principal == DEFAULT_NAME else f"{who} ({principal})"


def _of_call(record: CallRecord, call: Call | None, waits: str, client: str | None, now: float) -> OpenCallFacts:
    progress = None if call is None else call.progress
    waits = waits or ("" if call is None else _waits_for(call))
    said = "" if progress is None else progress.message or ""
    who, seconds = caller(client, record.principal), _in_steps(now - record.received_at)
    run_id, target = record.call_id, record.target or record.method
    return OpenCallFacts(run_id, target, who, seconds, share(progress), waits, run_id, said, record.session_id)


def _of_job(job: Job, client: str | None, now: float) -> OpenCallFacts:
    waits = job.behind or ("its turn" if job.state == "waiting" else "")
    who, seconds = caller(client, job.principal), _in_steps(now - job.began_at)
    return OpenCallFacts(job.id, job.tool, who, seconds, job.done, waits, job.call_id, job.said, job.session_id)


def _waits_for(call: Call) -> str:
    if call.waiting_for is not None:
        return f"behind {call.waiting_for}"
    return "" if call.started_ns else "its turn"


def _in_steps(seconds: float) -> int:
    step = next(step for least, step in _STEPS if seconds >= least or not least)
    return int(seconds // step) * step

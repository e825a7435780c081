"""What runs or waits at this moment: calls of clients, and jobs, which have outlived their request; from any thread.

Calls that have only just begun are left out, so that a busy server's display does not flicker. How long a call has taken is
told in steps that grow: equal facts look the same, and nothing is sent for them twice.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import isfinite
from operator import itemgetter
from typing import NamedTuple

from mcp_workbench.assembly import RunningServer
from mcp_workbench.execution.calls import Call, Progress
from mcp_workbench.execution.main_thread import MainQueue, Running
from mcp_workbench.serving.job import Job, share
from mcp_workbench.serving.jobs import Jobs
from mcp_workbench.serving.questions import CLIENTS_ANSWER
from mcp_workbench.serving.rounds import Rounds
from mcp_workbench.sessions.session import OpenWork, Session
from mcp_workbench.telemetry.records import JOB
from mcp_workbench.transports.credentials import DEFAULT_NAME
from mcp_workbench.views.facts import OpenCallFacts

SHORTEST_S = 0.5
"""What is younger is not shown."""

_AGE = re.compile(r", running [0-9]+ s")
_STEPS = ((120.0, 60), (60.0, 5), (0.0, 1))
"""From so many seconds on, told in steps of so many."""


@dataclass(frozen=True, slots=True)
class OnGoing:
    """One call or job that has not ended."""

    key: str
    """Names it until it has ended: the session and its number there, `s1.7`, the job, `j3`, or a suspended call, `c12`."""
    id: str
    """`c12`, or the job's `j3`; empty while it waits for a place."""
    call_id: str
    """The run of user code; empty where there is none yet."""
    method: str
    target: str
    session_id: str
    client: str | None
    principal: str
    at: float
    """When it came, in seconds since 1970."""
    started: float
    """When its code began; 0: not yet."""
    progress: Progress | None
    said: str
    waits: str
    """What it waits for; empty when it runs."""


class Oldest(NamedTuple):
    """The beginning of what goes on."""

    calls: list[OnGoing]
    """The oldest first."""
    more: int
    """How many further ones there are."""


def going_on(running: RunningServer, jobs: Jobs, now: float, most: int | None = None) -> Oldest:
    """What goes on.

    Args:
        running: The server.
        jobs: All jobs.
        now: Seconds since 1970.
        most: How many are told; thousands may wait, and the others are only counted. None: all.
    """
    began_before = now - SHORTEST_S
    found: list[tuple[float, Callable[[], OnGoing]]] = [
        (at, partial(_of_call, running, session, work))
        for session in running.sessions
        for work in session.open_calls()
        if (at := work.record.received_at) <= began_before
    ]
    suspended = running.suspended.waiting()
    found += [(at, partial(_of_suspended, rounds)) for rounds in suspended if (at := rounds.work.record.received_at) <= began_before]
    if jobs.running:
        going = [job for job in jobs.of(None) if not job.over and job.began_at <= began_before]
        clients = {record.session_id: record.client_name for record in running.sessions.records()} if going else {}
        found += [(job.began_at, partial(_of_job, running, job, clients.get(job.session_id))) for job in going]
    found.sort(key=itemgetter(0))
    told = found[:most]
    return Oldest([of() for _at, of in told], len(found) - len(told))


def open_calls(running: RunningServer, jobs: Jobs, now: float) -> tuple[OpenCallFacts, ...]:
    """The same as the display shows it.

    Args:
        running: The server.
        jobs: All jobs.
        now: Seconds since 1970.
    """
    return tuple(
        OpenCallFacts(
            one.id,
            one.target,
            caller(one.client, one.principal),
            _in_steps(now - one.at),
            share(one.progress),
            one.waits,
            one.call_id,
            one.said,
            one.session_id,
        )
        for one in going_on(running, jobs, now).calls
    )


def main_thread(running: RunningServer, calls: tuple[OpenCallFacts, ...], clock: Callable[[], float] = time.monotonic) -> str:
    """Whose call has the main thread, so that cells wait for it: one sentence; empty where nobody's has.

    Args:
        running: The server.
        calls: What goes on.
        clock: As `Cell.began`.
    """
    work = main_work(running.execution.main, clock)
    if work is None:
        return ""
    whose = next((f" for {call.who}" for call in calls if call.run_id == work.call_id), "")
    waits = "" if running.identity.kind == "python" else "; cells wait for it, an interrupt ends it"
    return f"main thread: busy with {work.name} ({work.call_id}){whose}{waits}"


def main_work(main: MainQueue, clock: Callable[[], float] = time.monotonic) -> Running | None:
    """The call that has the main thread, unless it has only just got it.

    Args:
        main: The queue of the main thread.
        clock: As `Cell.began`.
    """
    work = main.at_work
    return None if work is None or clock() - work.began < SHORTEST_S else work


def caller(client: str | None, principal: str) -> str:
    """Client and, unless it is the first one, principal."""
    who = client or "unknown client"
    return who if principal == DEFAULT_NAME else f"{who} ({principal})"


def _of_call(running: RunningServer, session: Session, work: OpenWork) -> OnGoing:
    call = running.execution.find(work.record.call_id)
    record, progress = work.record, None if call is None else call.progress
    return OnGoing(
        key=f"{session.id}.{work.number}",
        id=record.call_id,
        call_id=record.call_id,
        method=record.method,
        target=record.target or record.method,
        session_id=session.id,
        client=session.record.client_name,
        principal=record.principal,
        at=record.received_at,
        started=_after(record.received_at, record.received_ns, call),
        progress=progress,
        said="" if progress is None else progress.message or "",
        waits=work.waits or ("" if call is None else _waits_for(call)),
    )


def _of_suspended(rounds: Rounds) -> OnGoing:
    """A call of 2026-07-28 that has no request at the moment: its client has been told what it needs to know."""
    record, session, call = rounds.work.record, rounds.work.session, rounds.call
    return OnGoing(
        key=call.id,
        id=call.id,
        call_id=call.id,
        method=record.method,
        target=record.target,
        session_id=session.id,
        client=session.record.client_name,
        principal=record.principal,
        at=record.received_at,
        started=_after(record.received_at, record.received_ns, call),
        progress=call.progress,
        said="" if call.progress is None else call.progress.message or "",
        waits=CLIENTS_ANSWER,
    )


def _of_job(running: RunningServer, job: Job, client: str | None) -> OnGoing:
    call = running.execution.find(job.call_id)
    return OnGoing(
        key=job.id,
        id=job.id,
        call_id=job.call_id,
        method=JOB,
        target=job.tool,
        session_id=job.session_id,
        client=client,
        principal=job.principal,
        at=job.began_at,
        started=0.0 if call is None else _after(job.began_at, call.queued_ns, call),
        progress=job.progress,
        said=job.said,
        waits=job.waits,
    )


def _after(at: float, at_ns: int, call: Call | None) -> float:
    """When a call's code began, in seconds since 1970; 0: not yet.

    Args:
        at: A moment, in seconds since 1970.
        at_ns: The same by the clock of calls.
        call: The run.
    """
    return 0.0 if call is None or not call.started_ns else at + (call.started_ns - at_ns) / 1e9


def _waits_for(call: Call) -> str:
    if call.questions:
        return CLIENTS_ANSWER
    if call.waiting_for is not None:
        return f"behind {call.waiting_for}"
    return "" if call.started_ns else "its turn"


def ageless(waits: str) -> str:
    """What is waited for without how long that has run: it was said some seconds ago, and a view has a clock for what runs."""
    return _AGE.sub("", waits)


def known(number: float | None) -> float:
    """What code says of its progress may be infinite, no number, or an integer that no float holds; 0: unknown."""
    try:
        return number if number is not None and isfinite(number) else 0
    except OverflowError:
        return 0


def _in_steps(seconds: float) -> int:
    step = next(step for least, step in _STEPS if seconds >= least or not least)
    return int(seconds // step) * step

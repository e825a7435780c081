"""The readings of every queue and counter of a server, each with its bound and what it means.

What is full makes callers wait or be told that the kernel is busy, so a person who wonders why should find the place here.
The sums over sessions take a fraction of a microsecond each; everything else is counted already. Protocol loop only.
"""

from __future__ import annotations

from collections.abc import Iterator

from mcp_workbench.assembly import RunningServer
from mcp_workbench.execution.runner import QUICK_THREADS, ExecutionStatistics
from mcp_workbench.limits import KIB, Limits
from mcp_workbench.live.results import Results
from mcp_workbench.offer import Offer
from mcp_workbench.serving.jobs import Jobs
from mcp_workbench.serving.rounds import Suspended
from mcp_workbench.sessions.registry import Sessions
from mcp_workbench.telemetry.aggregates import MAX_KEYS
from mcp_workbench.telemetry.telemetry import Telemetry
from mcp_workbench.transports.credentials import Tickets
from mcp_workbench.views.messages import Queue


def readings(running: RunningServer, offer: Offer) -> tuple[Queue, ...]:
    """All of them, in the order in which a call meets them."""
    limits = running.settings.limits
    return (
        *of_sessions(running.sessions, limits),
        *of_execution(running.execution.statistics(), limits),
        *of_asking(running.suspended, limits),
        *of_jobs(offer.jobs),
        *of_results(offer.results),
        *of_telemetry(offer.telemetry),
        of_tickets(offer.tickets),
    )


def of_sessions(sessions: Sessions, limits: Limits) -> Iterator[Queue]:
    """What all sessions hold together; their bounds are for each."""
    waiting = sum(session.waiting for session in sessions)
    unread = sum(session.outbox.queued_bytes for session in sessions)
    yield _queue("sessions", len(sessions), limits.sessions, "Clients connected; a further one is refused with 503.")
    each = f"Requests that wait until a call of their session ends; a session may have {limits.backlog_messages:,}."
    yield _queue("backlog", waiting, 0, each)
    each = f"Bytes for clients that read slowly; past {limits.outbox_bytes // KIB:,} KiB a session is not read from until it reads."
    yield _queue("outbox bytes", unread, 0, each)


def of_execution(now: ExecutionStatistics, limits: Limits) -> Iterator[Queue]:
    """Where user code runs and waits."""
    threads = limits.tool_threads + QUICK_THREADS
    yield _queue("thread queue", now.waiting, limits.thread_queue, "Calls in line for a tool thread; past it they are answered busy.")
    yield _queue("threads running", now.running, threads, "Calls in tool threads whose result is wanted.")
    yield _queue("threads", now.threads, 2 * threads, "Tool threads alive, with those whose call was given up.")
    yield _queue("idle threads", now.idle_threads, 0, "Tool threads without work; they end after a while.")
    yield _queue("async running", now.async_running, limits.async_calls, "Async tools that run; past the bound calls are answered busy.")
    yield _queue("main queue", now.main_waiting, limits.main_queue, "Calls in line for the notebook's main thread, behind cells.")
    yield _queue("main running", now.main_running, 0, "Calls on the notebook's main thread whose result is wanted.")
    yield _queue("open calls", now.open_calls, 0, "Calls that have begun or wait for their turn, wherever they run.")
    yield _queue("abandoned", now.abandoned, 0, "Calls that were cancelled or took too long, and whose code still runs.")
    yield _queue("late results", now.late_results, 0, "Results dropped because their call had ended before, since the start.")
    yield _queue("dropped logs", now.dropped_logs, 0, "Log messages dropped because a call said too much at once, since the start.")
    yield _queue("demoted tools", now.demoted_tools, 0, "Inline tools that now run in threads because they were slow.")


def of_asking(suspended: Suspended, limits: Limits) -> Iterator[Queue]:
    """Calls that have asked their client something."""
    questions = suspended.questions
    yield _queue("questions", questions.waiting, 0, "What calls have asked their clients and was not answered yet.")
    blocked = "Tools whose threads wait for a client's answer; past the bound a def tool cannot ask."
    yield _queue("asking threads", questions.blocked, limits.asking_threads, blocked)
    waiting = "Calls without a request, until a retry brings the client's answer; past the bound a tool cannot ask."
    yield _queue("suspended calls", len(suspended), limits.suspended_calls, waiting)


def of_jobs(jobs: Jobs) -> Iterator[Queue]:
    """What goes on after its answer, and what is kept of it."""
    now, limits = jobs.statistics(), jobs.limits
    each = f"Calls that were answered early and go on; a principal may have {limits.running_jobs:,}."
    yield _queue("jobs running", now["running"], 0, each)
    yield _queue("jobs kept", now["ended"], limits.jobs, "Ended jobs whose results can be fetched; the oldest go first.", rolls=True)
    yield _queue("jobs bytes", now["ended_bytes"], limits.jobs_bytes, "Bytes of those results; the oldest go first.", rolls=True)


def of_results(results: Results) -> Iterator[Queue]:
    """What calls returned, kept under `_r1, _r2 …`."""
    yield _queue("results", len(results), results.max_results, "Results kept as _r1, _r2 …; the oldest go first.", rolls=True)
    yield _queue(
        "results bytes", results.nbytes, results.max_bytes, "Memory that those results keep alive; the oldest go first.", rolls=True
    )


def of_telemetry(telemetry: Telemetry) -> Iterator[Queue]:
    """What is remembered of calls."""
    now = telemetry.statistics()
    yield _queue("records", now.calls_kept, telemetry.max_records, "Calls of which a record is kept; the oldest go first.", rolls=True)
    yield _queue("targets", now.keys, MAX_KEYS + 1, "Tools, URIs and methods told apart; later ones are added up together.")


def of_tickets(tickets: Tickets) -> Queue:
    """Who may still come in by a ticket."""
    return _queue("tickets", len(tickets), tickets.limit, "Tickets that were made and not used yet; each opens one connection.")


def _queue(name: str, value: int, bound: int, meaning: str, *, rolls: bool = False) -> Queue:
    return Queue(name=name, value=value, bound=bound, meaning=meaning, rolls=rolls)

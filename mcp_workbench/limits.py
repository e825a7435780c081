"""Every bound of the server, in one frozen value.

Each queue named here has a written policy when full (docs/architecture.md, "Backpressure") and a
reading in `Workbench.status()`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

KIB = 1024
MIB = 1024 * 1024

_LEAST = {
    "sessions": 0,
    "max_result_bytes": 4 * KIB,
    "backlog_messages": 0,
    "backlog_bytes": 0,
    "thread_queue": 0,
    "messages_bytes": 0,
    "results": 0,
    "running_jobs": 0,
    "suspended_calls": 0,
    "asking_threads": 0,
}
"""Smallest sensible values of what is counted; 1 for the others."""
_MAY_BE_ZERO_S = ("stop_grace_s",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one server takes on; every field has a default that suits a notebook."""

    max_message_bytes: int = MIB
    """Largest text accepted from a client; larger ones close the connection with 1009."""
    http_body_bytes: int = 4 * MIB
    """Largest body of an HTTP request; a larger one is refused with 413."""
    max_result_bytes: int = 768 * KIB
    """Largest text sent to a client: the official SDKs' WebSocket clients close at 1 MiB."""
    outbox_bytes: int = MIB
    """Queued output of one session; past it the session's socket is no longer read until the client reads."""
    running_calls: int = 64
    """Calls of one session that are taken on at once; further ones wait in the backlog. This bound and the three below: over HTTP,
    where a session costs its client nothing, of all that a principal asks there."""
    parked_calls: int = 1024
    """Calls of one session that wait for news or for a job, which hold no thread; past it a call is answered busy."""
    backlog_messages: int = 1024
    """Requests of one session that wait for a running call to end."""
    backlog_bytes: int = MIB
    """Bytes of those requests."""
    subscriptions: int = 4096
    """Resource subscriptions and listens of one session."""
    sessions: int = 4096
    """Connections at once, half-open handshakes included; further ones are refused with 503. And sessions over HTTP, of which a principal
    gets another while it holds fewer than are left: then its longest idle one ends, or 503."""
    handshake_timeout_s: float = 5.0
    """A connection that has not completed its handshake by then is closed."""
    body_timeout_s: float = 30.0
    """An HTTP request whose body has not arrived by then is dropped."""
    http_stream_s: float = 3600.0
    """A connection that has been held this long for one answer over HTTP is given back; a client of 2025-11-25 returns for the rest."""
    idle_after_s: float = 1800.0
    """A session over HTTP that nobody has asked anything for this long ends, unless a stream of it is open."""
    channel_every_s: float = 10.0
    """Least seconds between two pieces of news that a session is told by `start(channels=True)`."""
    ping_after_s: float = 20.0
    """A session that was silent this long is sent a ping."""
    dead_after_s: float = 60.0
    """... and closed with 1011 when nothing came back for this long after the ping."""
    slow_consumer_s: float = 30.0
    """A session with queued output of which no byte was taken for this long is closed with 1013."""
    stop_grace_s: float = 2.0
    """How long `stop()` lets calls in flight finish."""
    tool_threads: int = 64
    """Threads for `def` tools, made when needed. A session gets another while its principal holds fewer than are left: one alone gets
    half. Further sessions of the same principal share another quarter; the last quarter is for other principals."""
    thread_queue: int = 4096
    """Calls of all sessions that wait for a tool thread; past it a call is answered busy. Of this bound, `async_calls`, `main_queue`,
    `suspended_calls` and `asking_threads` a principal gets another place while it holds fewer than are left: one alone gets half."""
    async_calls: int = 1024
    """`async def` tools running at once in all sessions; past it a call is answered busy."""
    main_queue: int = 128
    """Calls of all sessions that wait for the notebook's main thread (`run_on="main"`); past it a call is answered busy."""
    main_wait_s: float = 600.0
    """Longest wait of such a call, for instance behind a long cell; then it is answered busy and was not run."""
    answer_wait_s: float = 300.0
    """Longest wait of a call for its client's answer (`ctx.elicit()`, `ctx.sample()`, `ctx.roots()`)."""
    suspended_calls: int = 256
    """Calls of 2026-07-28 that wait, answered `input_required`, for the retry that brings the answer; past it a tool cannot ask."""
    asking_threads: int = 32
    """`def` tools that wait for a client's answer, each holding its thread; past it a `def` tool cannot ask, an `async def` can."""
    batch_entries: int = 64
    """Messages in one 2025-03-26 batch."""
    records: int = 50_000
    """Call records kept."""
    messages: int = 100_000
    """Messages of both directions that are kept."""
    messages_bytes: int = 32 * MIB
    """Bytes of their texts; the oldest go first, and their times and sizes stay. 0: no text is kept."""
    results: int = 50
    """Results of calls kept as `_rN`."""
    results_bytes: int = 256 * MIB
    """Memory of those results; the oldest go first."""
    running_jobs: int = 64
    """Jobs of one principal that run at once; a further call is answered when it ends, as if there were no jobs."""
    jobs: int = 100
    """Ended jobs whose results are kept for `job_wait`; past it the first goes of the principal that keeps most."""
    jobs_bytes: int = 64 * MIB
    """Bytes of those results; past it the same, and the newest stays whatever its size."""

    def __post_init__(self) -> None:
        """Refuse bounds that nothing could work within.

        Raises:
            ValueError: Names the limit, what is expected and what came.
        """
        for each in fields(self):
            value, is_time = getattr(self, each.name), each.name.endswith("_s")
            numeric = isinstance(value, int | float if is_time else int) and not isinstance(value, bool)
            least = 0 if is_time else _LEAST.get(each.name, 1)
            if not numeric or not math.isfinite(value) or value < least or (is_time and not value and each.name not in _MAY_BE_ZERO_S):
                wanted = "seconds, more than 0" if is_time else f"a whole number, at least {least}"
                raise ValueError(f"Limits({each.name}=…) takes {wanted}; got {str(value)[:40]!r}")

"""What the display shows, as plain facts; equal facts look the same, so nothing is sent for them twice."""

from __future__ import annotations

from dataclasses import dataclass

BARS = 14
"""Bars of a small histogram: half a decade each, the same for every tool, so that tools can be compared by eye."""
SHORTEST_NS = 10_000
"""The first bar begins here, 10 µs, and takes what was shorter too; the last ends at 100 s, and takes what was longer."""


OPEN_CALLS = 6
"""Calls and jobs shown that have not ended; of more it is said how many."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """One open session."""

    session_id: str
    client: str
    """Name and version, as the client says."""
    protocol: str
    """Revision and era, for instance `2025-11-25 legacy`."""
    principal: str
    calls: int
    running: int
    """Calls in flight."""


@dataclass(frozen=True, slots=True)
class OpenCallFacts:
    """One call, or job, that has not ended."""

    id: str
    """`c12`, or the job's `j3`; empty while it waits for a place."""
    target: str
    """Tool, prompt or URI."""
    who: str
    """Client and, unless it is the first one, principal."""
    seconds: int
    """Since it came, in steps that grow."""
    done: str = ""
    """How far it is, for instance `62 %`."""
    waits: str = ""
    """What it waits for: `behind cell [12], running 8 s`, `its turn`, `news`, `the client's answer`; empty when it runs."""
    run_id: str = ""
    """The run of user code, as the main thread knows it."""
    said: str = ""
    """What its code said of that last, for instance `epoch 3 of 5`."""
    session_id: str = ""

    @property
    def standing(self) -> str:
        """Where it is, in a few words."""
        if not self.waits:
            return ", ".join(filter(None, ("runs", self.done, self.said)))
        return f"waits {self.waits}" if self.waits.startswith("behind ") else f"waits for {self.waits}"


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One call that has ended."""

    call_id: str
    at: float
    """When it came, in seconds since 1970."""
    target: str
    """Tool, prompt or URI, as the client wrote it."""
    outcome: str
    """`ok`, `tool_error` … as in the call's record."""
    failed: bool
    total_ns: int | None
    who: str
    """Client and, unless it is the first one, principal."""
    error: str = ""
    """One sentence; empty when it ended well."""
    behind: str = ""
    """What had the main thread when it came, for instance `cell [12], running 8 s`; empty when it did not wait for it."""
    job: str = ""
    """`→ job j3`: it went on as that job; `(job)`: it is the end of one."""
    session_id: str = ""
    is_mistake: bool = False
    """Whether it failed by what the caller sent."""

    @property
    def title(self) -> str:
        """Target and job."""
        return f"{self.target} {self.job}".rstrip()


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """The calls of one tool added up."""

    name: str
    calls: int
    errors: int
    p50_ns: int | None
    """Of the calls that ended well; None when none did."""
    p99_ns: int | None
    bars: tuple[int, ...]
    """How many calls that ended well took how long: `BARS` counts."""


@dataclass(frozen=True, slots=True)
class View:
    """One moment of one Workbench."""

    name: str
    url: str | None
    """None: it does not serve."""
    since: float | None = None
    """When the server started, in seconds since 1970."""
    sessions: tuple[SessionFacts, ...] = ()
    calls: tuple[CallFacts, ...] = ()
    """The latest, newest first."""
    tools: tuple[ToolFacts, ...] = ()
    """The most called first."""
    offered: int = 0
    """How many tools are offered."""
    dataframes: tuple[str, ...] = ()
    """For instance `flights v3, 336,776 x 19`."""
    notices: tuple[str, ...] = ()
    failed: int = 0
    """Calls that failed in what the author wrote, since the start."""
    mistakes: int = 0
    """Calls that failed by what callers sent, since the start."""
    last_mistake: str = ""
    """The id of the last of these."""
    messages: int = 0
    """How many had crossed when the last call was recorded, both directions together."""
    running: tuple[OpenCallFacts, ...] = ()
    """What has not ended, the oldest first."""
    main_thread: str = ""
    """Whose call has the main thread, so that cells wait; empty when nobody's has."""
    left_out: bool = False
    """Whether it is less than all that is known, for it is saved with the notebook (`keeping`)."""

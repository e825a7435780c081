"""What is brought before Claude Code's model without its asking: which DataFrames changed, and which of its jobs have ended.

Off unless `wb.start(channels=True)`. One piece of news for each session at most every `Limits.channel_every_s`, in which
everything since the last one stands together, the latest of each DataFrame. It is made of fixed words, published names,
numbers and ids of jobs: names of columns, values and what functions returned are for tools to read, where they are data;
here a model might take them for its person's words. Loop thread only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from mcp_workbench.events import Change, ChangeKind
from mcp_workbench.protocol.claude_channel import channel_text
from mcp_workbench.serving.job import Job
from mcp_workbench.sessions.session import Session

GATHER_S = 0.25
"""What one cell changes is told together."""
NAMED = 20
"""DataFrames, or jobs, named in one piece of news."""


class ChannelNews:
    """Of one server.

    Args:
        loop: The protocol loop, for its clock and timers.
        sessions: Those that are open.
        every_s: Least seconds between two pieces of news.
        own_tools: Whether the workbench's own tools are offered, to look closer with.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sessions: Callable[[], Iterable[Session]], every_s: float, *, own_tools: bool
    ) -> None:
        self._loop = loop
        self._sessions = sessions
        self._every_s = every_s
        self._own_tools = own_tools
        self._changes: dict[str, Change] = {}
        self._jobs: list[Job] = []
        self._timer: asyncio.TimerHandle | None = None
        self._open_at = loop.time()
        """From then on the next piece may be told."""

    def dataframe_changed(self, change: Change) -> None:
        """A DataFrame was published, has changed, or is followed or published no longer."""
        self._changes.pop(change.name, None)
        self._changes[change.name] = change
        self._tell_soon()

    def job_ended(self, job: Job) -> None:
        """A job has ended; its principal is told."""
        self._jobs.append(job)
        self._tell_soon()

    def close(self) -> None:
        """Nothing more is told."""
        if self._timer is not None:
            self._timer.cancel()

    def _tell_soon(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_at(max(self._loop.time() + GATHER_S, self._open_at), self._tell)

    def _tell(self) -> None:
        self._timer = None
        self._open_at = self._loop.time() + self._every_s
        changes, self._changes = list(self._changes.values()), {}
        jobs, self._jobs = self._jobs, []
        for session in self._sessions():
            own = [job for job in jobs if job.principal == session.principal.name]
            if (changes or own) and session.peer.takes_channel:
                session.notify(self._news(changes, own))

    def _news(self, changes: list[Change], jobs: list[Job]) -> bytes:
        sentences: list[str] = []
        meta: dict[str, str] = {}
        if changes:
            sentences += [f"DataFrames: {_joined(list(map(_said, changes)))}.", *self._look_closer(changes)]
            meta["dataframes"] = ",".join(f"{change.name}@{change.version}" for change in changes[:NAMED])
        if jobs:
            ended = [f"{job.id} ({job.state.value})" for job in jobs]
            sentences.append(f'Your jobs ended: {_joined(ended)}. job_wait("{jobs[-1].id}") has the result.')
            meta["jobs"] = ",".join(job.id for job in jobs[:NAMED])
        return channel_text(" ".join(sentences), meta)

    def _look_closer(self, changes: list[Change]) -> list[str]:
        there = [change for change in changes if change.kind not in (ChangeKind.UNPUBLISHED, ChangeKind.LOST)]
        if not there:
            return []
        if not self._own_tools:
            return ["Resources df://NAME have what is in them now."]
        latest = there[-1]
        return [f'df_changes("{latest.name}", since={max(latest.version - 1, 1)}) says what is new, as for each of them.']


def _said(change: Change) -> str:
    if change.kind is ChangeKind.UNPUBLISHED:
        return f"{change.name} is published no longer"
    if change.kind is ChangeKind.LOST:
        return f"{change.name} is not followed any more"
    if change.kind is ChangeKind.PUBLISHED:
        return f"{change.name} is published (v{change.version})"
    return f"{change.name} is now v{change.version}"


def _joined(phrases: list[str]) -> str:
    more = len(phrases) - NAMED
    return ", ".join(phrases[:NAMED]) + (f" and {more:,} more" if more > 0 else "")

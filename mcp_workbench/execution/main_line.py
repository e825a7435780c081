"""The line before the notebook's main thread: who waits there, who is told what, and who has waited too long.

A caller is told at once what it waits for ("queued behind cell [12], running 8 s") and again every few seconds;
that is also when the main thread is woken anew, as a wake-up may have been lost. Knows neither the host nor how
calls run: `main_thread.py` says what stands in the way and takes calls out.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from mcp_workbench.execution.calls import PROGRESS_STEP, Call

logger = logging.getLogger("mcp_workbench")

TELL_EVERY_S = 5.0
"""How often a waiting caller is told what it waits for; the main thread is woken again as often."""


@dataclass(slots=True, eq=False)
class Job:
    """A call on its way to the main thread."""

    call: Call
    is_async: bool
    own: bool
    """Whether a client made it that a cell of this very process has opened."""
    came: float
    """When it was put in line, in seconds of the queue's clock."""
    timer: asyncio.TimerHandle | None = None
    """Ends the waiting."""
    told: int = 0
    """How often its caller was told that it waits."""


class MainLine:
    """Calls that wait for the main thread, oldest first.

    Threads: `take`, `has_own` and the length belong to any; `forget_in_child` to the main thread of a forked child; everything
    else to the protocol loop.

    Args:
        loop: The protocol loop, for its timers.
        obstacle: What a job waits for, without those before it; None: nothing that is known.
        late: Called for a job that has waited too long and is out of the line.
        again: Called as often as the callers are told.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        obstacle: Callable[[Job], str | None],
        late: Callable[[Job], None],
        again: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._obstacle = obstacle
        self._late = late
        self._again = again
        self._lock = threading.Lock()  # held for a few instructions
        self._jobs: dict[str, Job] = {}
        self._teller: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._jobs)

    # --- any thread -----------------------------------------------------------------------------------

    def take(self, fits: Callable[[Job], bool]) -> Job | None:
        """Take the oldest job out that fits, to run it."""
        with self._lock:
            job = next((job for job in self._jobs.values() if fits(job)), None)
            if job is not None:
                del self._jobs[job.call.id]
                job.call.waiting_for = None
            return job

    def waiting_of(self, holder: str) -> int:
        """How many of one principal wait."""
        with self._lock:
            return sum(job.call.holder == holder for job in self._jobs.values())

    def has_own(self) -> bool:
        """Whether a job waits that is `own`."""
        with self._lock:
            return any(job.own for job in self._jobs.values())

    def forget_in_child(self) -> None:
        """After a fork: what waits is the parent's."""
        self._lock = threading.Lock()  # it may have been held by a thread that is not here
        self._jobs = {}

    # --- the protocol loop ----------------------------------------------------------------------------

    def add(self, job: Job, wait_s: float) -> None:
        """Let a job wait, at most so many seconds."""
        # One's own runs at the next turn of the loop where its cell awaits it; where it does not, that is told later.
        obstacle = None if job.own else self._sentence(job, len(self._jobs))
        with self._lock:
            self._jobs[job.call.id] = job
        job.timer = self._loop.call_later(wait_s, self._give_up, job)
        if self._teller is None:
            self._teller = self._loop.call_later(TELL_EVERY_S, self._tell_all)
        if obstacle is not None:
            self._tell(job, obstacle)

    def remove(self, call_id: str) -> Job | None:
        """Nobody waits for this call any more; None: it is not in the line."""
        with self._lock:
            job = self._jobs.pop(call_id, None)
        if job is not None:
            job.call.waiting_for = None
            _forget_timer(job)
        return job

    def remove_all(self, which: Callable[[Job], bool]) -> list[Job]:
        """Take all of these out; each is the caller's to answer."""
        with self._lock:
            ids = [call_id for call_id, job in self._jobs.items() if which(job)]
        return [job for call_id in ids if (job := self.remove(call_id)) is not None]

    def begun(self, job: Job) -> None:
        """A job that was taken out runs; its caller hears of it when it has heard of the waiting."""
        _forget_timer(job)
        if job.told and not job.call.is_over():
            self._say(job, "running")

    def close(self) -> list[Job]:
        """Tell nobody anything any more, and hand over who still waits."""
        if self._teller is not None:
            self._teller.cancel()
            self._teller = None
        return self.remove_all(lambda _: True)

    def _sentence(self, job: Job, ahead: int) -> str | None:
        """What this job waits for; None when it is about to run."""
        obstacle = self._obstacle(job)
        if not ahead:
            return obstacle
        others = f"{ahead} other call{'s' if ahead > 1 else ''}"
        return others if obstacle is None else f"{obstacle}, and {others}"

    def _tell_all(self) -> None:
        with self._lock:
            jobs = list(self._jobs.values())
        self._teller = self._loop.call_later(TELL_EVERY_S, self._tell_all) if jobs else None
        for ahead, job in enumerate(jobs):
            self._tell(job, self._sentence(job, ahead) or "the notebook's main thread, which is at work")
        if jobs:
            self._again()

    def _tell(self, job: Job, obstacle: str) -> None:
        call = job.call
        with self._lock:
            if call.id not in self._jobs:
                return
            call.waiting_for = obstacle
            call.queued_behind = call.queued_behind or obstacle
        self._say(job, f"queued behind {obstacle}")

    def _say(self, job: Job, message: str) -> None:
        port = job.call.port
        if port is None or not port.wants_progress:
            return
        job.told += 1
        try:
            port.send_progress(job.told * PROGRESS_STEP, None, message)
        except Exception:  # the border to serving: news of the waiting must not end it
            logger.exception("the caller of %s could not be told that it waits", job.call.id)

    def _give_up(self, job: Job) -> None:
        if self.remove(job.call.id) is not None:
            self._late(job)


def _forget_timer(job: Job) -> None:
    if job.timer is not None:
        job.timer.cancel()
        job.timer = None

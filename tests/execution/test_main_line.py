"""Who waits for the main thread, and what they are told."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from mcp_workbench.execution.main_line import TELL_EVERY_S, Job, MainLine
from tests.execution.main_rig import Clock, Rig, told


class Line:
    """A line, with an obstacle that the test sets."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.obstacle: str | None = None
        self.late: list[Job] = []
        self.again = 0
        loop: Any = self.clock
        self.line = MainLine(loop, obstacle=lambda _job: self.obstacle, late=self.late.append, again=self._again)
        self._rig = Rig()

    def _again(self) -> None:
        self.again += 1

    def add(self, *, own: bool = False, wait_s: float = 600.0) -> Job:
        job = Job(self._rig.call(lambda: None), is_async=False, own=own, came=0.0)
        self.line.add(job, wait_s)
        return job


def test_the_oldest_that_fits_is_taken() -> None:
    line = Line()
    jobs = [line.add() for _ in range(3)]
    assert line.line.take(lambda job: job is not jobs[0]) is jobs[1]
    assert line.line.take(lambda _: True) is jobs[0]
    assert line.line.take(lambda job: job is jobs[0]) is None
    assert len(line.line) == 1


def test_a_job_that_nothing_stands_in_the_way_of_is_told_nothing() -> None:
    line = Line()
    job = line.add()
    line.line.take(lambda _: True)
    line.line.begun(job)
    assert told(job.call) == []
    assert job.call.queued_behind is None


def test_each_is_told_at_once_what_it_waits_for_and_how_many_come_before_it() -> None:
    line = Line()
    line.obstacle = "cell [12], running 8 s"
    jobs = [line.add() for _ in range(3)]
    assert [told(job.call) for job in jobs] == [
        ["queued behind cell [12], running 8 s"],
        ["queued behind cell [12], running 8 s, and 1 other call"],
        ["queued behind cell [12], running 8 s, and 2 other calls"],
    ]
    line.obstacle = None
    assert told(line.add().call) == ["queued behind 3 other calls"]


def test_the_news_is_renewed_and_the_first_of_it_kept() -> None:
    line = Line()
    line.obstacle = "cell [12], running 0 s"
    job = line.add()
    line.obstacle = "cell [12], running 5 s"
    line.clock.pass_by(TELL_EVERY_S)
    assert (job.call.waiting_for, job.call.queued_behind) == ("cell [12], running 5 s", "cell [12], running 0 s")
    assert (told(job.call)[-1], line.again) == ("queued behind cell [12], running 5 s", 1)
    line.line.take(lambda _: True)
    line.line.begun(job)
    assert (told(job.call)[-1], job.call.waiting_for) == ("running", None)
    line.clock.pass_by(2 * TELL_EVERY_S)
    assert (len(told(job.call)), line.again, line.clock.running) == (3, 1, 0)


def test_a_cells_own_call_is_told_only_when_it_waits_after_all() -> None:
    line = Line()
    line.obstacle = "cell [12], running 0 s"
    job = line.add(own=True)
    assert told(job.call) == []
    assert line.line.has_own()
    line.clock.pass_by(TELL_EVERY_S)
    assert len(told(job.call)) == 1
    line.line.remove(job.call.id)
    assert not line.line.has_own()


def test_who_asked_for_no_progress_is_told_nothing_and_still_known_to_wait() -> None:
    line = Line()
    line.obstacle = "cell [12], running 0 s"
    job = Job(Rig().call(lambda: None), is_async=False, own=False, came=0.0)
    port: Any = job.call.port
    port.wants_progress = False
    line.line.add(job, 600)
    assert (told(job.call), job.call.waiting_for) == ([], "cell [12], running 0 s")


def test_who_waits_too_long_is_handed_over_once() -> None:
    line = Line()
    job, other = line.add(wait_s=3), line.add(wait_s=10)
    line.clock.pass_by(4)
    assert line.late == [job]
    assert line.line.take(lambda _: True) is other
    line.line.begun(other)
    line.clock.pass_by(600)
    assert line.late == [job]


def test_who_was_removed_is_neither_late_nor_told() -> None:
    line = Line()
    line.obstacle = "cell [12], running 0 s"
    job = line.add(wait_s=3)
    assert line.line.remove(job.call.id) is job
    assert line.line.remove(job.call.id) is None
    line.clock.pass_by(600)
    assert (line.late, len(told(job.call)), job.call.waiting_for) == ([], 1, None)


def test_closing_hands_over_who_waits_and_stops_every_timer() -> None:
    line = Line()
    jobs = [line.add() for _ in range(2)]
    assert line.line.close() == jobs
    assert (len(line.line), line.clock.running) == (0, 0)


def test_a_forked_child_forgets_who_waits() -> None:
    line = Line()
    line.add()
    line.line._lock.acquire()  # by a thread that is not there in the child
    line.line.forget_in_child()
    assert line.line.take(lambda _: True) is None


def test_a_caller_that_cannot_be_told_does_not_end_the_telling(caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("no luck")

    line = Line()
    first, second = line.add(), line.add()
    port: Any = first.call.port
    port.send_progress = broken
    with caplog.at_level(logging.ERROR, "mcp_workbench"):
        line.clock.pass_by(TELL_EVERY_S)
    assert "could not be told that it waits" in caplog.text
    assert told(second.call) == ["queued behind 1 other call"] * 2

"""How one job is spoken of."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_workbench.execution.calls import Call, Progress
from mcp_workbench.execution.questions import ask_roots
from mcp_workbench.primitives.tools import define_tool
from mcp_workbench.protocol import wire
from mcp_workbench.serving.job import LONGEST_SAID, Job, JobState, elapsed


def slow() -> None: ...


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def a_job(*, started: bool = True) -> tuple[Job, Call, Clock]:
    call, clock = Call("c1", "slow", "main"), Clock()
    call.started_ns = 1 if started else 0
    return Job(3, define_tool(slow), "default", b"", call, lambda _reason: None, waited_s=45, clock=clock), call, clock


def test_where_it_is_in_one_phrase() -> None:
    job, call, clock = a_job(started=False)
    assert (job.id, job.state, job.standing, job.waits) == ("j3", JobState.WAITING, "waiting, 45 s", "its turn")
    call.waiting_for = "cell [12], running 8 s"
    assert job.waits == "behind cell [12], running 8 s"
    assert job.standing == "waiting, 45 s, behind cell [12], running 8 s"
    call.started_ns = 1
    assert (job.state, job.standing, job.waits) == (JobState.RUNNING, "running, 45 s", "")
    call.questions.append(ask_roots(key=None, timeout_s=None))
    assert (job.waits, job.standing) == ("the client's answer", "running, 45 s")
    call.questions.clear()
    call.progress = Progress(62, 100, "reading\nrows")
    clock.now += 51
    assert (job.standing, job.said) == ("running, 62 %, 96 s", "rows")
    job.end(JobState.DONE, wire.CallToolResult(content=[]))
    clock.now += 1000
    assert (job.state, job.standing, repr(job)) == (JobState.DONE, "done, 96 s", "<Job j3 slow: done, 96 s>")


@pytest.mark.parametrize(
    ("progress", "total", "done"),
    [
        (62, 100, "62 %"),
        (0, 7, "0 %"),
        (9, 3, "100 %"),
        (-1, 3, "0 %"),
        (5, None, "5 so far"),
        (5, 0, "5 so far"),
        (5, float("inf"), "0 %"),
    ],
)
def test_how_much_is_done(progress: float, total: float | None, done: str) -> None:
    job, call, _ = a_job()
    call.progress = Progress(progress, total, None)
    assert job.done == done


class Loud(str):
    """A message whose methods are somebody's code."""

    __slots__ = ()

    def strip(self, *_args: Any) -> str:
        raise RuntimeError("ran")

    def __len__(self) -> int:
        raise RuntimeError("ran")


def test_what_it_says_is_one_bounded_line_of_text_whatever_the_function_gave() -> None:
    job, call, _ = a_job()
    job.hear("first\nlast\x1b[31m\n")
    assert job.said == "last\\x1b[31m"
    for message in (["no", "text"], object(), ""):
        call.progress = Progress(1, 2, cast(str, message))
        assert job.said == "last\\x1b[31m", "what is no text says nothing"
    call.progress = Progress(1, 2, Loud("loud"))
    assert job.said == "loud"


@settings(deadline=None)
@given(st.text(max_size=400))
def test_what_was_cut_ends_in_an_ellipsis(text: str) -> None:
    job, _, _ = a_job()
    job.hear(text)
    assert len(job.said) <= LONGEST_SAID
    assert job.said.isprintable()
    if text.isascii() and text.isprintable() and text == text.strip():
        assert job.said == (text if len(text) <= LONGEST_SAID else f"{text[: LONGEST_SAID - 1]}…")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2.0 h"), (90000, "25.0 h")]
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text


def test_a_result_that_json_cannot_carry_has_no_size_and_is_kept() -> None:
    job, _, _ = a_job()
    job.end(JobState.DONE, wire.CallToolResult(content=[], structured_content=cast(Any, {"a": object()})))
    assert (job.over, job.result_bytes, job.result is None) == (True, 0, False)

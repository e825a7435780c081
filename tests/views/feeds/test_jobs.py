"""What a view is told of jobs."""

from __future__ import annotations

from math import inf

from mcp_workbench.execution.calls import Call, Progress
from mcp_workbench.limits import Limits
from mcp_workbench.primitives.tools import define_tool
from mcp_workbench.protocol import wire
from mcp_workbench.serving.job import KEPT_FETCHED_S, Job, JobState
from mcp_workbench.serving.jobs import Jobs
from mcp_workbench.telemetry import SessionRecord
from mcp_workbench.views import messages
from mcp_workbench.views.feeds.jobs import JobsFeed
from mcp_workbench.views.messages import JobRow


def slow() -> None: ...


TOOL = define_tool(slow)


class Stage:
    def __init__(self) -> None:
        self.clock_s = 100.0
        self.jobs = Jobs(Limits(), clock=lambda: self.clock_s)
        self.asked = 0
        self.feed = JobsFeed(self.jobs, self.sessions)

    def sessions(self) -> list[SessionRecord]:
        self.asked += 1
        return [
            SessionRecord("s1", "memory", "here", "default", 1.7e9, client_name="visitor"),
            SessionRecord("s2", "memory", "here", "default", 1.7e9),
        ]

    def begin(self, session_id: str = "s1") -> tuple[Job, Call]:
        call = Call("c7", "slow", "main")
        job = self.jobs.begin(TOOL, "default", b"", call, lambda reason: None, waited_s=45)
        assert job is not None
        job.session_id = session_id
        return job, call

    def end(self, job: Job, state: JobState = JobState.DONE) -> None:
        self.jobs.end(job, state, wire.CallToolResult(content=[wire.TextContent(text="done")]))

    def look(self) -> messages.Jobs | None:
        told = list(self.feed.look(1.7e9))
        assert len(told) <= 1
        message = told[0] if told else None
        assert message is None or isinstance(message, messages.Jobs)
        return message

    def row(self) -> JobRow:
        """The only row told now."""
        told = self.look()
        assert told is not None
        (row,) = told.rows
        return row


def test_a_job_is_told_from_its_turn_to_its_end_and_each_change_once() -> None:
    stage = Stage()
    assert stage.look() == messages.Jobs(), "that there is none is told at first"
    job, call = stage.begin()
    row = stage.row()
    assert (row.id, row.key, row.tool, row.principal, row.client, row.call_id) == ("j1", "j1", "slow", "default", "visitor", "c7")
    assert (row.state, row.waits, row.at, row.seconds) == ("waiting", "its turn", job.began_at, 0)
    call.waiting_for = "cell [12], running 8 s"
    assert stage.row().waits == "behind cell [12]", "for how long it runs is told beside the cell"
    call.started_ns = 1
    assert (stage.look(), stage.look()) == (messages.Jobs(rows=(stage.feed._told["j1"],)), None)
    call.progress = Progress(3, 5, "epoch 3\nof 5")
    row = stage.row()
    assert (row.state, row.waits, row.progress, row.total, row.message) == ("running", "", 3, 5, "of 5")
    stage.clock_s += 5
    assert stage.look() is None, "that time passes is no change"
    stage.end(job)
    row = stage.row()
    assert (row.state, row.seconds, row.fetched) == ("done", 50, False)
    assert row.result_bytes > 0
    job.note_fetched()
    assert stage.row().fetched
    assert stage.look() is None


def test_jobs_that_are_kept_no_longer_are_gone() -> None:
    stage = Stage()
    job, _ = stage.begin()
    stage.end(job, JobState.TIMED_OUT)
    assert stage.row().state == "timed out"
    job.note_fetched()
    stage.look()
    stage.clock_s += KEPT_FETCHED_S
    assert stage.look() == messages.Jobs(gone=("j1",))
    assert stage.look() is None


def test_sessions_are_asked_only_when_there_is_a_new_job_and_a_client_without_a_name_has_none() -> None:
    stage = Stage()
    stage.look()
    assert stage.asked == 0
    stage.begin("s2")
    assert stage.row().client == ""
    stage.begin()
    assert stage.row().client == "visitor"
    stage.look()
    assert stage.asked == 2


def test_a_total_without_end_is_unknown() -> None:
    stage = Stage()
    _, call = stage.begin()
    call.started_ns = 1
    call.progress = Progress(3, inf, None)
    assert (stage.row().total, stage.look()) == (0, None)
    call.progress = Progress(4, None, None)
    assert stage.row().total == 0

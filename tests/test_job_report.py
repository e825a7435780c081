"""What the notebook's author sees of jobs, and can do."""

from __future__ import annotations

import pytest

from mcp_workbench.execution.calls import Call, Progress
from mcp_workbench.job_report import NONE, JobReports
from mcp_workbench.limits import Limits
from mcp_workbench.primitives.tools import define_tool
from mcp_workbench.protocol import wire
from mcp_workbench.serving.job import Job, JobState
from mcp_workbench.serving.jobs import Jobs


class Desk:
    """Some jobs, and what the author sees of them."""

    def __init__(self) -> None:
        self.now = 100.0
        self.reasons: list[str] = []
        self.jobs = Jobs(Limits(), clock=lambda: self.now)
        self.reports = JobReports(self.jobs)

    def begin(self, name: str, principal: str = "default") -> tuple[Job, Call]:
        call = Call("c", name, "thread")
        call.started_ns = 1

        def cancel(reason: str) -> None:
            self.reasons.append(reason)
            assert job is not None
            self.jobs.end(job, JobState.CANCELLED, wire.CallToolResult(content=[], is_error=True))

        job = self.jobs.begin(define_tool(slow, name=name), principal, b"", call, cancel, waited_s=45)
        assert job is not None
        return job, call


def slow() -> None: ...


def test_jobs_of_everybody_are_listed_oldest_first_with_what_they_say() -> None:
    desk = Desk()
    assert (repr(desk.reports), len(desk.reports), list(desk.reports)) == (NONE, 0, [])
    ended, _ = desk.begin("forecast")
    _, call = desk.begin("slow", "alice")
    call.progress = Progress(62, 100, "reading")
    desk.now += 51
    desk.jobs.end(ended, JobState.DONE, wire.CallToolResult(content=[]))
    assert repr(desk.reports) == "j1  forecast  as default  done, 96 s\nj2  slow  as alice  running, 62 %, 96 s: reading"
    assert [report.id for report in desk.reports] == ["j1", "j2"]


def test_one_job_has_its_facts_and_when_it_has_ended_its_result() -> None:
    desk = Desk()
    job, call = desk.begin("slow", "alice")
    call.progress = Progress(1, 2, None)
    report = desk.reports["j1"]
    facts = (report.id, report.tool, report.principal, report.state, report.seconds, report.progress)
    assert facts == ("j1", "slow", "alice", "running", 45.0, Progress(1, 2, None))
    assert report.result is None
    image = wire.ImageContent(data="AAAA", mime_type="image/png")
    result = wire.CallToolResult(content=[wire.TextContent(text="the end"), image], structured_content={"n": 1}, meta={"a": 1})
    desk.jobs.end(job, JobState.DONE, result)
    assert report.result is not None
    assert (report.state, report.result.text, report.result.structured, report.result.is_error) == ("done", "the end", {"n": 1}, False)
    assert (report.result.images, report.result.meta) == ([b"\x00\x00\x00"], {"a": 1})
    assert job.fetched is None, "a look of the author's does not shorten the time in which an agent may fetch it"


def test_a_job_is_found_by_name_or_number_and_others_are_told_which_there_are() -> None:
    desk = Desk()
    with pytest.raises(KeyError, match="no job 'j1'; there are none"):
        desk.reports["j1"]
    desk.begin("slow")
    desk.begin("slow")
    assert repr(desk.reports["j2"]) == repr(desk.reports[2])
    for absent in ("j3", 3, "2j", "j2 "):
        with pytest.raises(KeyError, match="there are j1, j2"):
            desk.reports[absent]


def test_the_author_can_cancel_it_and_is_told_what_became_of_it() -> None:
    desk = Desk()
    desk.begin("slow")
    told = desk.reports["j1"].cancel()
    assert told.startswith("j1 is cancelled. Its code was asked to stop and may still be running")
    assert (desk.reasons, desk.reports["j1"].state) == (["the notebook's author cancelled it"], "cancelled")
    assert desk.reports["j1"].cancel() == "j1 had ended already: cancelled, 45 s."


def test_other_peoples_texts_are_shown_as_plain_escaped_text() -> None:
    desk = Desk()
    _, call = desk.begin("slow", "<b>al\x1bice</b>")
    call.progress = Progress(1, 2, "<script>\x1b[31m</script>")
    assert "\x1b" not in repr(desk.reports)
    for html in (desk.reports._repr_html_(), desk.reports["j1"]._repr_html_()):
        assert html.startswith("<pre>j1  slow  as &lt;b&gt;al\\x1bice&lt;/b&gt;")
        assert "<script>" not in html

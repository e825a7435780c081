"""Jobs and the ends of what they outlive or belong to: their server, their principal; and the author beside them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import mcp_workbench as wb
from mcp_workbench.tasks import start_task
from tests.support.stage import happened, running, server_of, talking, within
from tests.support.talk import Talk, text_of

EARLY_S = 0.001


class Slow:
    """A Workbench with a tool that takes its time, and is answered early almost at once."""

    def __init__(self) -> None:
        self.workbench = wb.Workbench(name="jobs")
        self.began = threading.Event()
        self.gate = threading.Event()

        @self.workbench.tool(background_after_s=EARLY_S)
        def slow(ctx: wb.Context) -> str:
            ctx.report_progress(62, 100, "<b>reading</b>")
            self.began.set()
            self.gate.wait()
            return "the end"

    async def early(self, talk: Talk) -> None:
        assert "as job j" in text_of(await talk.called("slow"))
        await happened(self.began)


@pytest.fixture
def slow() -> Any:
    made = Slow()
    yield made
    made.gate.set()


def test_a_job_has_the_time_of_a_stop_to_end_and_its_result_is_fetched_from_the_next_server(slow: Slow) -> None:
    workbench = slow.workbench

    async def before() -> None:
        async with talking(workbench) as talk:
            await slow.early(talk)
            server = server_of(workbench)
            stopping = start_task(asyncio.to_thread(workbench.stop), name="stop")
            assert await talk.closed == (1001, "server is shutting down")
            assert server.execution.statistics().open_calls == 1, "it has no session to be waited for, and is waited for"
            slow.gate.set()
            await stopping

    async def after() -> None:
        async with talking(workbench) as talk:
            assert text_of(await talk.called("job_wait", job="j1")) == "the end"

    with running(workbench, limits=wb.Limits(stop_grace_s=8.0)):
        within(before)
    report = workbench.jobs["j1"]
    assert report.result is not None
    assert (report.state, report.result.text) == ("done", "the end")
    with running(workbench):
        within(after)


def test_a_revoked_principal_loses_its_jobs_and_has_none_when_it_is_let_in_again(slow: Slow) -> None:
    workbench = slow.workbench
    workbench.tokens.add("alice")

    async def main() -> None:
        async with talking(workbench, principal="alice") as alice:
            await slow.early(alice)
            [report] = workbench.jobs
            await asyncio.to_thread(workbench.tokens.revoke, "alice")
            assert (await alice.closed)[0] == 1008
        assert (report.state, len(workbench.jobs)) == ("cancelled", 0)
        workbench.tokens.add("alice")
        async with talking(workbench, principal="alice") as alice:
            assert "You have none." in text_of(await alice.called("job_wait", job="j1"))
            await slow.early(alice)
            assert [job.id for job in workbench.jobs] == ["j2"]
            slow.gate.set()
            assert text_of(await alice.called("job_wait", job="j2")) == "the end"

    with running(workbench):
        within(main)


def test_the_author_sees_jobs_while_they_run_and_can_cancel_them_from_a_cell(slow: Slow) -> None:
    workbench = slow.workbench
    assert repr(workbench.jobs).startswith("No jobs: ")

    async def main() -> None:
        async with talking(workbench) as talk:
            await slow.early(talk)
            assert repr(workbench.jobs).startswith("j1  slow  as default  running, 62 %, ")
            assert "&lt;b&gt;reading" in workbench.jobs._repr_html_()
            assert "  jobs: 1 running, 0 ended; wb.jobs lists them" in workbench.status().lines()
            waiting = talk.call("job_wait", job="j1")
            await talk.fence()
            # On this thread, as a cell would: the protocol thread does it, and this one waits for it.
            told = workbench.jobs["j1"].cancel()
            assert told.startswith("j1 is cancelled. Its code was asked to stop and may still be running")
            answer = text_of((await talk.answer(waiting))["result"])
            assert answer.startswith("Job j1 (slow) was cancelled: the notebook's author cancelled it.")
            assert "  jobs: 0 running, 1 ended; wb.jobs lists them" in workbench.status().lines()

    with running(workbench):
        within(main)


def test_without_the_workbenchs_own_tools_no_call_is_answered_early(slow: Slow) -> None:
    async def main() -> None:
        async with talking(slow.workbench) as talk:
            call = talk.call("slow")
            await happened(slow.began)
            await talk.fence()
            slow.gate.set()
            assert text_of((await talk.answer(call))["result"]) == "the end"
            assert len(slow.workbench.jobs) == 0

    with running(slow.workbench, builtin_tools=False):
        within(main)

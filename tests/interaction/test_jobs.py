"""Calls that take long, over the wire: answered early, gone on as jobs, waited for, fetched, cancelled.

The server's clock is pushed ahead; nobody waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import mcp_workbench as wb
from mcp_workbench.protocol.versions import V2024_11_05, V2025_03_26
from mcp_workbench.tasks import start_task
from tests.interaction.requirements import requirement
from tests.support.clock import Later
from tests.support.stage import Stage, happened, server_of
from tests.support.talk import Talk, text_of


class Slow:
    """A tool that takes its time, and the server's clock."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.began = threading.Event()
        self.gate = threading.Event()
        self.seen_cancelled = threading.Event()
        self.runs = 0
        self.later: Later

        @stage.workbench.tool
        def slow(ctx: wb.Context, n: int = 0) -> str:
            self.runs += 1
            ctx.report_progress(62, 100, "reading")
            self.began.set()
            self.gate.wait()
            ctx.report_progress(99, 100, "writing")
            if ctx.cancelled:
                self.seen_cancelled.set()
            return f"the end of {n}"

        @stage.workbench.tool
        def quick() -> str:
            return "quick"

    def play(self, main: Callable[[Talk], Awaitable[None]]) -> None:
        async def act(talk: Talk) -> None:
            self.later = Later(self.stage.workbench)
            try:
                await main(talk)
            finally:
                self.gate.set()

        self.stage.play(act, builtin_tools=True)

    async def pass_(self, seconds: float) -> None:
        """Let time pass on the server."""
        await asyncio.to_thread(self.later.let_pass, seconds)

    async def early(self, talk: Talk, **meta: str) -> tuple[str | int, str]:
        """Call it, and hear its early answer."""
        call = talk.ask("tools/call", {"name": "slow", "arguments": {"n": 3}}, **meta)
        await happened(self.began)
        await self.pass_(44)
        await talk.fence()
        assert [message for message in talk.inbox if message.get("id") == call] == [], "not before its time"
        await self.pass_(2)
        return call, text_of((await talk.answer(call))["result"])


@requirement("job-early-answer")
@requirement("job-silence")
def test_a_call_that_takes_long_is_answered_early_and_its_result_is_fetched(stage: Stage) -> None:
    slow = Slow(stage)

    async def main(talk: Talk) -> None:
        call, text = await slow.early(talk, progressToken="p")
        assert text.startswith('Running as job j1 (62 %): call job_wait("j1") for its result; do not repeat this call. Running ')
        assert text.endswith("It said last: reading")
        assert [progress["progress"] for progress in talk.heard("notifications/progress")] == [62]
        waiting = talk.call("job_wait", job="j1")
        await talk.fence()
        await slow.pass_(51)
        assert text_of((await talk.answer(waiting))["result"]).startswith("j1: still running, 62 %, 9")
        waiting = talk.call("job_wait", job="j1")
        await talk.fence()
        slow.gate.set()
        assert text_of((await talk.answer(waiting))["result"]) == "the end of 3"
        await talk.fence()
        assert talk.inbox == [], "the early answer was the last word of the request"
        assert sum(message.get("id") == call for message in talk.history) == 1

    slow.play(main)


@requirement("job-stop")
def test_who_waits_for_a_job_when_the_server_stops_is_not_asked_to_wait_again(stage: Stage) -> None:
    slow = Slow(stage)

    async def main(talk: Talk) -> None:
        await slow.early(talk)
        waiting = talk.call("job_wait", job="j1")
        await talk.fence()
        stopping = start_task(asyncio.to_thread(stage.workbench.stop), name="stop")
        text = text_of((await talk.answer(waiting))["result"])
        slow.gate.set()
        await stopping
        assert text.startswith("j1: still running, 62 %")
        assert "The notebook's server is stopping: if its kernel is restarted, the job is gone with its result" in text
        assert "again." not in text

    slow.play(main)


@requirement("job-same")
def test_a_call_repeated_while_it_runs_is_told_of_its_job(stage: Stage) -> None:
    slow = Slow(stage)

    async def main(talk: Talk) -> None:
        await slow.early(talk)
        again = text_of(await talk.called("slow", n=3))
        assert again.startswith('Already running as job j1 (62 %): call job_wait("j1") for its result')
        async with stage.client() as other:
            assert text_of(await other.called("slow", n=3)) == again
        assert slow.runs == 1
        slow.began.clear()
        different = talk.call("slow", n=4)
        await happened(slow.began)
        slow.gate.set()
        assert text_of((await talk.answer(different))["result"]) == "the end of 4"
        await talk.called("job_wait", job="j1")
        assert text_of(await talk.called("slow", n=3)) == "the end of 3"
        assert slow.runs == 3

    slow.play(main)


@requirement("job-cancel-late")
def test_a_cancel_after_the_early_answer_is_ignored(stage: Stage) -> None:
    slow = Slow(stage)

    async def main(talk: Talk) -> None:
        call, _ = await slow.early(talk)
        talk.cancel(call, "I have given up")
        await talk.fence()
        [session] = stage.workbench.sessions
        assert session.record.ignored == {"cancel of an unknown or finished request": 1}
        slow.gate.set()
        assert text_of(await talk.called("job_wait", job="j1")) == "the end of 3"
        assert not slow.seen_cancelled.is_set()

    slow.play(main)


@requirement("job-cancel")
def test_a_job_is_cancelled_by_a_tool_that_says_whether_code_may_still_run(stage: Stage) -> None:
    slow = Slow(stage)

    async def main(talk: Talk) -> None:
        await slow.early(talk)
        waiting = talk.call("job_wait", job="j1")
        await talk.fence()
        told = await talk.called("job_cancel", job="j1")
        assert text_of(told).startswith("j1 is cancelled. Its code was asked to stop and may still be running")
        waited = (await talk.answer(waiting))["result"]
        assert waited["isError"]
        assert text_of(waited).startswith("Job j1 (slow) was cancelled: its client asked for it with job_cancel.")
        slow.gate.set()
        await happened(slow.seen_cancelled)
        assert text_of(await talk.called("job_cancel", job="j1")).startswith("j1 had ended already: cancelled")

    slow.play(main)


@requirement("job-own")
def test_a_job_outlives_its_connection_and_belongs_to_its_principal_alone(stage: Stage) -> None:
    slow = Slow(stage)
    stage.workbench.tokens.add("alice")

    async def main(talk: Talk) -> None:
        async with stage.client() as gone:
            await slow.early(gone)
        async with stage.client(principal="alice") as alice:
            for tool in ("job_wait", "job_cancel"):
                strange, never = [await alice.called(tool, job=job) for job in ("j1", "j9")]
                assert strange["isError"]
                assert text_of(strange) == text_of(never).replace("j9", "j1")
            slow.began.clear()
            hers = alice.call("slow", n=3)
            await happened(slow.began)
            slow.gate.set()
            assert text_of((await alice.answer(hers))["result"]) == "the end of 3", "it is not the same call when somebody else makes it"
        assert text_of(await talk.called("job_wait", job="j1")) == "the end of 3"

    slow.play(main)


@requirement("job-wait")
def test_a_hundred_that_wait_for_a_job_hold_no_thread_and_hinder_nothing(stage: Stage) -> None:
    slow = Slow(stage)

    async def main(talk: Talk) -> None:
        await slow.early(talk)
        waiting = [talk.call("job_wait", job="j1") for _ in range(100)]
        assert text_of(await talk.called("quick")) == "quick"
        [session] = stage.workbench.sessions
        assert (session.queues["parked"], session.queues["running"], session.queues["backlog"]) == (100, 0, 0)
        execution = server_of(stage.workbench).execution.statistics()
        assert (execution.running, execution.open_calls) == (1, 1)
        slow.gate.set()
        assert {text_of((await talk.answer(call))["result"]) for call in waiting} == {"the end of 3"}

    slow.play(main)


@requirement("job-structure")
def test_an_early_answer_lacks_promised_structure_only_as_an_error(stage: Stage) -> None:
    slow = Slow(stage)

    @stage.workbench.tool
    def totals() -> dict[str, int]:
        slow.began.set()
        slow.gate.wait()
        return {"n": 1}

    async def main(talk: Talk) -> None:
        call = talk.call("totals")
        await happened(slow.began)
        await slow.pass_(46)
        early = (await talk.answer(call))["result"]
        assert early["isError"]
        assert "structuredContent" not in early
        assert text_of(early).startswith("Running as job j1: ")
        slow.gate.set()
        result = await talk.called("job_wait", job="j1")
        assert not result.get("isError", False)
        if stage.version not in (V2024_11_05, V2025_03_26):
            assert result["structuredContent"] == {"n": 1}

    slow.play(main)

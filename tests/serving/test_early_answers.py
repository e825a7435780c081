"""`tools/call` that takes long, on a clock that leaps: answered early, once, and gone on as a job.

The races: an early answer, a cancel, the end of the call, of its session, of its principal, of the server.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mcp_workbench.execution.calls import CallState
from mcp_workbench.execution.context import AsyncContext, Context
from mcp_workbench.limits import Limits
from mcp_workbench.serving.job import JobState
from mcp_workbench.telemetry.records import Outcome
from tests.support.clock import SimulatedLoop, in_simulated_time
from tests.support.house import House, house
from tests.support.oracle import Message
from tests.support.talk import Talk, text_of

BOTH_ERAS = pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
HOST_TIMEOUT_S = 60.0


class Slow:
    """A tool that takes its time: it says how far it is, and ends when the test opens the gate."""

    def __init__(self, here: House, name: str = "slow", **options: Any) -> None:
        self.gate = here.gate()
        self.began = asyncio.Event()
        self.runs = 0
        self.seen_cancelled: bool | None = None
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimulatedLoop)
        # Its thread has a moment to say how far it is, and to end when it may.
        loop.holds.append(
            lambda: any(call.state is CallState.RUNNING and (call.progress is None or self.gate.is_set()) for call in here.open_calls(name))
        )

        def slow(ctx: Context, n: int = 0) -> str:
            self.runs += 1
            ctx.report_progress(62, 100, "reading")
            loop.call_soon_threadsafe(self.began.set)
            self.gate.wait()
            self.seen_cancelled = ctx.cancelled
            return f"the end of {n}"

        here.tool(slow, name=name, **options)


async def until(loop: SimulatedLoop, when: float) -> None:
    await asyncio.sleep(when - loop.now)


async def settled(here: House, gate: threading.Event, tool: str | None = None) -> None:
    """Open the gate and wait for the end of the calls of a tool, of all tools, while the clock stands still."""
    await held(lambda: bool(here.open_calls(tool)), gate)


async def held(at_work: Callable[[], bool], gate: threading.Event) -> None:
    """Open the gate and wait until nothing is at work any more."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedLoop)
    loop.holds.append(at_work)
    gate.set()
    await asyncio.sleep(1e-6)  # which pass when nothing holds the clock any more
    loop.holds.remove(at_work)


def asked_for(here: House, method: str) -> list[Any]:
    return [record for record in here.offer.telemetry.calls(None) if record.method == method]


# --- the main case ------------------------------------------------------------------------------------------------


@BOTH_ERAS
def test_a_client_that_gives_up_after_60_s_gets_the_result_of_a_call_that_takes_200(version: str) -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client(version) as talk:
            slow = Slow(here)
            loop.call_at(200, slow.gate.set)
            texts, times = [], []

            async def asked(tool: str, **arguments: object) -> str:
                async with asyncio.timeout(HOST_TIMEOUT_S):
                    result = await talk.called(tool, **arguments)
                texts.append(text_of(result))
                times.append(round(loop.now))
                return texts[-1]

            text = await asked("slow", n=3)
            while "job_wait" in text:
                text = await asked("job_wait", job="j1")
            assert text == "the end of 3"
            assert times == [45, 95, 145, 195, 200]
            advice = 'call job_wait("j1") for its result; do not repeat this call.'
            assert texts[0] == f"Running as job j1 (62 %): {advice} Running 45 s so far. It said last: reading"
            assert texts[1] == 'j1: still running, 62 %, 95 s; call job_wait("j1") again. It said last: reading'
            assert (slow.runs, slow.seen_cancelled) == (1, False)

    in_simulated_time(main)


def test_a_call_that_ends_in_time_is_answered_as_if_there_were_no_jobs() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client() as talk:
            slow = Slow(here)
            call = talk.call("slow")
            await slow.began.wait()
            await until(loop, 44)
            await settled(here, slow.gate)
            assert text_of((await talk.answer(call))["result"]) == "the end of 0"
            await until(loop, 500)
            assert here.offer.jobs.of(None) == ()
            assert (len(here.background), talk.inbox) == (0, [])

    in_simulated_time(main)


@pytest.mark.parametrize(("after_s", "answered_at"), [(5, 5), (None, 300)])
def test_a_tool_says_after_how_long_it_is_answered_early_if_at_all(after_s: float | None, answered_at: float) -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client() as talk:
            slow = Slow(here, background_after_s=after_s)
            loop.call_at(300, slow.gate.set)
            await talk.called("slow")
            assert round(loop.now) == answered_at

    in_simulated_time(main)


def test_a_tool_that_promises_structure_is_answered_early_with_an_error_that_says_what_it_is() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client() as talk:
            gate = here.gate()

            def totals(n: int) -> dict[str, int]:
                gate.wait()
                return {"n": n}

            here.tool(totals)
            early = await talk.called("totals", n=7)
            assert (early["isError"], "structuredContent" in early) == (True, False)
            assert text_of(early).startswith('Running as job j1: call job_wait("j1") for its result')
            again = await talk.called("totals", n=7)
            assert (again["isError"], text_of(again)[:25]) == (True, "Already running as job j1")
            await settled(here, gate)
            result = await talk.called("job_wait", job="j1")
            assert (result["structuredContent"], result.get("isError", False)) == ({"n": 7}, False)

    in_simulated_time(main)


def test_an_async_tool_is_answered_early_too() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client() as talk:

            async def forever(ctx: AsyncContext) -> None:
                await asyncio.Event().wait()

            here.tool(forever)
            assert text_of(await talk.called("forever")).startswith("Running as job j1: ")
            told = text_of(await talk.called("job_cancel", job="j1"))
            assert told == "j1 is cancelled. Its code is told so where it next awaits something, and may still be running."

    in_simulated_time(main)


# --- waiting for its turn -------------------------------------------------------------------------------------------


def test_a_call_that_waits_for_a_thread_is_answered_early_and_says_that_it_waits() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house(Limits(tool_threads=1)) as here, here.client() as talk:
            first, second = Slow(here, "first", background_after_s=None), Slow(here, "second")
            talk.call("first")
            await first.began.wait()
            early = text_of(await talk.called("second"))
            assert early == (
                'Waiting as job j1: call job_wait("j1") for its result; do not repeat this call. It has waited 45 s for its turn.'
            )
            assert text_of(await talk.called("job_cancel", job="j1")) == "j1 is cancelled. Its code had not begun."
            await settled(here, first.gate)
            assert (first.runs, second.runs) == (1, 0)

    in_simulated_time(main)


def test_what_a_waiting_call_waits_for_is_said_wherever_it_is_spoken_of() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house(Limits(tool_threads=1)) as here, here.client() as talk:
            first = Slow(here, "first", background_after_s=None)
            Slow(here, "second")
            talk.call("first")
            await first.began.wait()
            second = talk.call("second")
            await talk.fence()
            [call] = here.open_calls("second")
            call.waiting_for = "cell [12], running 8 s"
            assert text_of((await talk.answer(second))["result"]).startswith(
                "Waiting as job j1 behind cell [12], running 8 s: call job_wait"
            )
            assert text_of(await talk.called("second")).startswith("Already waiting as job j1 behind cell [12], running 8 s: ")
            waited = text_of(await talk.called("job_wait", job="j1", wait_s=0))
            assert waited == 'j1: still waiting, 45 s, behind cell [12], running 8 s; call job_wait("j1") again.'

    in_simulated_time(main)


def test_a_call_in_the_backlog_counts_its_seconds_from_its_arrival() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house(Limits(running_calls=1)) as here, here.client() as talk:
            slow = Slow(here)
            calls = [talk.call("slow", n=n) for n in range(3)]
            texts = [text_of((await talk.answer(call))["result"]) for call in calls]
            assert [text[:17] for text in texts] == ["Running as job j1", "Running as job j2", "Running as job j3"]
            assert round(loop.now) <= 45 + 2 * 45, "each place in the session came free with an early answer"
            await settled(here, slow.gate)
            assert [text_of(await talk.called("job_wait", job=f"j{n + 1}")) for n in range(3)] == [f"the end of {n}" for n in range(3)]

    in_simulated_time(main)


# --- no room ------------------------------------------------------------------------------------------------------------


def test_past_the_bound_of_running_jobs_a_call_waits_for_its_end_or_for_room() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house(Limits(running_jobs=1)) as here, here.client() as talk, here.client(principal="alice") as alice:
            slow, other = Slow(here), Slow(here, "other")
            first = talk.call("slow", n=1)
            await until(loop, 1)
            second, hers = talk.call("other"), alice.call("slow", n=1)
            await until(loop, 2)
            third = talk.call("slow", n=2)
            assert "as job" in text_of((await talk.answer(first))["result"])
            assert "as job" in text_of((await alice.answer(hers))["result"]), "the bound is each principal's own"
            await until(loop, 300)
            assert talk.inbox == []
            await talk.called("job_cancel", job="j1")
            await talk.fence()
            assert round(loop.now) == 300, "at once, not at the next look"
            early = text_of((await talk.answer(second))["result"])
            assert early.startswith("Running as job j3")
            assert "Running 5 min so far" in early
            await settled(here, slow.gate, "slow")
            assert text_of((await talk.answer(third))["result"]) == "the end of 2"
            await settled(here, other.gate)

    in_simulated_time(main)


def test_where_job_wait_is_not_offered_nobody_is_sent_to_it() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client() as talk:
            here.offer.own_tools.offer(offered=False)
            slow = Slow(here)
            call = talk.call("slow")
            await until(loop, 300)
            assert [message for message in talk.inbox if "id" in message] == []
            await settled(here, slow.gate)
            assert text_of((await talk.answer(call))["result"]) == "the end of 0"

    in_simulated_time(main)


# --- races ----------------------------------------------------------------------------------------------------------------


async def _early(talk: Talk, slow: Slow) -> Message:
    """Call it and hear its early answer."""
    call = talk.call("slow")
    await slow.began.wait()
    message = await talk.answer(call)
    assert text_of(message["result"]).startswith("Running as job j1 (62 %)")
    return message


@BOTH_ERAS
def test_a_cancel_after_the_early_answer_is_ignored_and_the_job_goes_on(version: str) -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client(version) as talk:
            slow = Slow(here)
            message = await _early(talk, slow)
            talk.cancel(message["id"])
            await talk.fence()
            [session] = here.sessions
            assert session.record.ignored == {"cancel of an unknown or finished request": 1}
            await settled(here, slow.gate)
            assert text_of(await talk.called("job_wait", job="j1")) == "the end of 0"

    in_simulated_time(main)


def test_a_cancel_before_the_early_answer_ends_the_call_and_no_job_is_made() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client() as talk:
            slow = Slow(here)
            call = talk.call("slow")
            await slow.began.wait()
            await until(loop, 44.999)
            talk.cancel(call)
            await until(loop, 100)
            assert (talk.inbox, here.offer.jobs.of(None), len(here.background)) == ([], (), 0)
            await held(lambda: slow.seen_cancelled is None, slow.gate)
            assert slow.seen_cancelled is True
            [record] = asked_for(here, "tools/call")
            assert (record.outcome, record.job) == (Outcome.CANCELLED, None)

    in_simulated_time(main)


def test_what_a_job_says_is_told_to_nobody_and_its_last_words_stand_with_it() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client("2025-11-25") as talk:
            await talk.result("logging/setLevel", {"level": "debug"})
            gate, said = here.gate(), asyncio.Event()

            def slow(ctx: Context) -> int | str | None:
                before = ctx.request_id
                gate.wait()
                ctx.report_progress(1, 4)
                ctx.log({"rows": 7})
                loop.call_soon_threadsafe(said.set)
                again.wait()
                return f"{before} {ctx.request_id}"

            again = here.gate()
            here.tool(slow)
            call = talk.ask("tools/call", {"name": "slow", "arguments": {}}, progressToken="p")
            assert "as job j1: " in text_of((await talk.answer(call))["result"])
            loop.holds.append(lambda: not said.is_set())
            gate.set()
            await said.wait()
            await asyncio.sleep(1)
            told = text_of(await talk.called("job_wait", job="j1", wait_s=0))
            assert told == 'j1: still running, 25 %, 46 s; call job_wait("j1") again. It said last: {"rows":7}'
            await settled(here, again)
            assert text_of(await talk.called("job_wait", job="j1")) == f"{call} None"
            assert talk.inbox == []

    in_simulated_time(main)


@BOTH_ERAS
def test_a_session_that_ends_leaves_its_job_to_its_principal_next_one(version: str) -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here:
            slow = Slow(here)
            async with here.client(version) as talk:
                await _early(talk, slow)
            async with here.client(version) as talk:
                assert slow.seen_cancelled is None
                waiting = talk.call("job_wait", "w", job="j1")
                await talk.fence()
                await settled(here, slow.gate)
                assert text_of((await talk.answer(waiting))["result"]) == "the end of 0"

    in_simulated_time(main)


def test_a_call_whose_session_is_closing_is_not_made_a_job() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client() as talk:
            slow = Slow(here)
            talk.call("slow")
            await slow.began.wait()
            [session] = here.sessions
            session._ending = True  # closing: nothing has come back from the channel yet
            await until(loop, 50)
            assert here.offer.jobs.of(None) == ()
            session._ending = False
            talk.channel.abort()
            await talk.closed
            await until(loop, 60)
            assert (here.offer.jobs.of(None), len(here.background)) == ((), 0)

    in_simulated_time(main)


def test_a_revoked_principal_has_no_jobs_and_what_ran_is_cancelled() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client() as talk, here.client() as waiting:
            slow = Slow(here)
            await _early(talk, slow)
            wait = waiting.call("job_wait", job="j1")
            await waiting.fence()
            later = talk.call("slow", n=1)
            here.offer.jobs.forget("default")
            assert here.offer.jobs.of(None) == ()
            said = (await waiting.answer(wait))["result"]
            assert (said["isError"], text_of(said)[:25]) == (True, "No job 'j1'. You have non")
            await until(loop, 200)
            assert here.offer.jobs.of(None) == (), "it gets no more of them"
            await settled(here, slow.gate)
            assert text_of((await talk.answer(later))["result"]) == "the end of 1"
            [record] = asked_for(here, "job")
            assert record.error == (
                "Job j1 (slow) was cancelled: the credential of its principal was revoked. "
                "Its code was asked to stop and may still be running: Python code in a thread cannot be made to."
            )

    in_simulated_time(main)


def test_when_the_server_stops_a_job_that_runs_is_cancelled_and_says_so_afterwards() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client() as talk:
            slow = Slow(here)
            await _early(talk, slow)
            waiting = talk.call("job_wait", job="j1")
            await talk.fence()
            await here.stop()
            assert "still running" in text_of((await talk.answer(waiting))["result"]), "who waited was not left without an answer"
            [job] = here.offer.jobs.of("default")
            assert job.state is JobState.CANCELLED
            assert job.result is not None
            assert "the server is shutting down" in job.result.content[0].text  # type: ignore[union-attr]  # it is a text
            assert here.offer.jobs.running == 0

    in_simulated_time(main)


def test_a_timeout_ends_a_job_as_it_would_have_ended_the_call() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client() as talk:
            gate = here.gate()
            here.tool(lambda: gate.wait(), name="slow", timeout_s=100)
            assert "as job j1" in text_of(await talk.called("slow"))
            result = await talk.called("job_wait", job="j1", wait_s=50)
            while "still running" in text_of(result):
                here.execution._clock_ns = lambda: 10**15  # the clock that stamps calls is not the loop's
                result = await talk.called("job_wait", job="j1", wait_s=50)
            assert (result["isError"], text_of(result)[:30]) == (True, "slow did not finish within 100")
            [job] = here.offer.jobs.of("default")
            assert job.state is JobState.TIMED_OUT
            [record] = asked_for(here, "job")
            assert record.outcome is Outcome.TIMEOUT
            gate.set()

    in_simulated_time(main)


def test_a_call_of_a_definition_that_was_replaced_since_is_run_and_not_taken_for_the_same() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client() as talk:
            old = Slow(here)
            await _early(talk, old)
            here.offer.tools.remove("slow")
            new = Slow(here)
            new.gate.set()
            assert text_of(await talk.called("slow")) == "the end of 0"
            assert (old.runs, new.runs) == (1, 1)

    in_simulated_time(main)


# --- what is written down -------------------------------------------------------------------------------------------------


def test_the_request_and_the_job_have_a_record_each_and_the_run_is_counted_once() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client() as talk:
            slow = Slow(here)
            await _early(talk, slow)
            await talk.called("slow")
            await settled(here, slow.gate)
            await talk.called("job_wait", job="j1")
            early, again, fetched = asked_for(here, "tools/call")
            [job] = asked_for(here, "job")
            assert [(record.target, record.job, record.outcome, record.notes) for record in (early, again)] == [
                ("slow", "j1", Outcome.OK, ("job j1",))
            ] * 2
            assert (fetched.target, fetched.job, fetched.outcome) == ("job_wait", None, Outcome.OK)
            assert (job.target, job.job, job.outcome, job.notes, job.call_id) == ("slow", None, Outcome.OK, ("job j1",), early.call_id)
            assert (job.tool_version, job.received_ns, job.bytes_out) == (early.tool_version, early.received_ns, 0)
            assert early.started_ns == job.started_ns is not None
            assert early.returned_ns is None
            assert job.returned_ns is not None
            [row] = [row for row in here.offer.telemetry.by_tool() if row.name == "slow"]
            assert (row.n, row.errors) == (2, 0)
            assert here.offer.telemetry.histogram("slow").count == 1

    in_simulated_time(main)


def test_a_job_that_fails_is_told_as_the_call_would_have_been_and_its_author_finds_it() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client() as talk:
            gate = here.gate()

            def slow(n: int) -> None:
                gate.wait()
                raise ValueError(f"no {n}")

            here.tool(slow)
            assert "as job j1" in text_of(await talk.called("slow", n=5))
            await settled(here, gate)
            result = await talk.called("job_wait", job="j1")
            assert (result["isError"], text_of(result)[:16]) == (True, "ValueError: no 5")
            [job] = here.offer.jobs.of(None)
            assert job.state is JobState.FAILED
            [record] = asked_for(here, "job")
            assert (record.outcome, record.arguments, "no 5" in (record.traceback_text or "")) == (Outcome.TOOL_ERROR, b'{"n":5}', True)
            [row] = [row for row in here.offer.telemetry.by_tool() if row.name == "slow"]
            assert (row.n, row.errors) == (1, 1)

    in_simulated_time(main)


def test_what_a_call_held_is_let_go_when_its_job_has_ended() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client() as talk:
            slow = Slow(here)
            await _early(talk, slow)
            await settled(here, slow.gate)
            [job] = here.offer.jobs.of(None)
            call: Any = job._call
            held: list[Callable[..., Any] | None] = [job._cancel, call.work, call.port, call.function, call.context]
            assert held == [None] * 5
            assert (job._tool, job._arguments) == (None, b"")

    in_simulated_time(main)

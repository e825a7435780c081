"""`job_wait` and `job_cancel`, called by agents that write what they are asked for in their own ways."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mcp_workbench.execution.calls import Call
from mcp_workbench.limits import Limits
from mcp_workbench.primitives.tools import define_tool
from mcp_workbench.protocol import wire
from mcp_workbench.serving.job import Job, JobState
from tests.support.clock import SimulatedLoop, in_simulated_time
from tests.support.house import House, house
from tests.support.talk import Talk, text_of


def slow() -> None: ...


def begin(here: House, principal: str = "default", *, started: bool = True) -> Job:
    """A job whose call ends when the test says so, or when it is cancelled."""
    call = Call("c1", "slow", "thread")
    call.started_ns = 1 if started else 0

    def cancel(reason: str) -> None:
        assert job is not None
        here.offer.jobs.end(job, JobState.CANCELLED, result(f"cancelled: {reason}", is_error=True))

    job = here.offer.jobs.begin(define_tool(slow), principal, b"", call, cancel, waited_s=45)
    assert job is not None
    return job


def result(text: str, *, is_error: bool = False) -> wire.CallToolResult:
    return wire.CallToolResult(content=[wire.TextContent(text=text)], is_error=is_error)


def end(here: House, job: Job, text: str = "the end") -> None:
    here.offer.jobs.end(job, JobState.DONE, result(text))


def conversation(act: Callable[[House, Talk, SimulatedLoop], Awaitable[None]], **limits: Any) -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house(Limits(**limits)) as here, here.client() as talk:
            await act(here, talk, loop)

    in_simulated_time(main)


@pytest.mark.parametrize("written", ["j1", 1, "1", "J1", " j1 ", '"j1"', "job j1", "job 1", "#1"])
def test_a_job_is_named_as_models_name_it(written: object) -> None:
    async def act(here: House, talk: Talk, loop: SimulatedLoop) -> None:
        end(here, begin(here))
        assert text_of(await talk.called("job_wait", job=written)) == "the end"
        assert text_of(await talk.called("job_cancel", job=written)) == 'j1 had ended already: done, 45 s. job_wait("j1") has its result.'

    conversation(act)


@pytest.mark.parametrize(
    "written", ["j2", "", "the job", "j1 and j2", "j" + "1" * 40, -1, 10**18, " " * 100_000 + "x", "j1" + " " * 100_000]
)
def test_what_names_no_job_is_told_which_there_are_and_how_long_they_are_kept(written: object) -> None:
    async def act(here: House, talk: Talk, loop: SimulatedLoop) -> None:
        begin(here)
        end(here, begin(here, "alice"))
        for tool in ("job_wait", "job_cancel"):
            answer = await talk.called(tool, job=written)
            assert answer["isError"]
            assert text_of(answer) == (
                f"No job {str(written)[:40]!r}. Yours: j1 (slow, running). "
                "Results are kept for an hour after they were fetched, for a day at most, and not beyond a restart of the kernel."
            )
        assert round(loop.now) == 0, "nobody waits for what is not there"

    conversation(act)


def test_only_the_latest_ten_of_many_jobs_are_named() -> None:
    async def act(here: House, talk: Talk, loop: SimulatedLoop) -> None:
        for _ in range(12):
            begin(here)
        text = text_of(await talk.called("job_wait", job="j99"))
        assert ("j2 " in text, "j3 (slow, running), j4" in text, "j12 (slow, running)." in text) == (False, True, True)

    conversation(act)


def test_a_job_of_somebody_else_is_as_unknown_as_one_that_never_was() -> None:
    async def act(here: House, talk: Talk, loop: SimulatedLoop) -> None:
        job = begin(here, "alice")
        for tool in ("job_wait", "job_cancel"):
            strange, never = [await talk.called(tool, job=name) for name in ("j1", "j7")]
            assert text_of(strange).replace("'j1'", "") == text_of(never).replace("'j7'", "")
            assert strange["isError"] is never["isError"] is True
        assert not job.over

    conversation(act)


@pytest.mark.parametrize(
    ("wait_s", "waits"),
    [
        (None, 50),
        (7, 7),
        ("7", 7),
        ("7 s", 7),
        ("7.5 seconds", 7.5),
        (0, 0),
        (-3, 0),
        (10**30, 50),
        (1e300, 50),
        ("long", 50),
        ("9" * 9, 50),
    ],
)
def test_it_waits_as_long_as_it_is_asked_to_and_never_longer_than_hosts_do(wait_s: object, waits: float) -> None:
    async def act(here: House, talk: Talk, loop: SimulatedLoop) -> None:
        begin(here)
        arguments = {} if wait_s is None else {"wait_s": wait_s}
        await talk.called("job_wait", job="j1", **arguments)
        assert loop.now == pytest.approx(waits)

    conversation(act)


def test_all_who_wait_for_a_job_get_its_result_when_it_ends() -> None:
    async def act(here: House, talk: Talk, loop: SimulatedLoop) -> None:
        job, other = begin(here), begin(here)
        waits = [talk.call("job_wait", job="j1") for _ in range(5)]
        another = talk.call("job_wait", job="j2")
        await asyncio.sleep(10)
        [session] = here.sessions
        assert session.statistics()["parked"] == 6
        end(here, job)
        assert [text_of((await talk.answer(wait))["result"]) for wait in waits] == ["the end"] * 5
        assert round(loop.now) == 10
        assert session.statistics()["parked"] == 1
        end(here, other, "another end")
        assert text_of((await talk.answer(another))["result"]) == "another end"

    conversation(act)


def test_one_that_is_taken_back_or_whose_client_is_gone_waits_no_longer() -> None:
    async def act(here: House, talk: Talk, loop: SimulatedLoop) -> None:
        job = begin(here)
        wait = talk.call("job_wait", job="j1")
        async with here.client() as other:
            other.call("job_wait", job="j1")
            await other.fence()
            assert len(here.news) == 2
            talk.cancel(wait)
            await talk.fence()
            assert len(here.news) == 1
        assert len(here.news) == 0
        end(here, job)
        assert talk.inbox == []

    conversation(act)


def test_a_cancel_ends_the_waiting_of_others_and_says_whether_code_may_still_run() -> None:
    async def act(here: House, talk: Talk, loop: SimulatedLoop) -> None:
        begin(here)
        begin(here, started=False)
        wait = talk.call("job_wait", job="j1")
        told = [text_of(await talk.called("job_cancel", job=name)) for name in ("j1", "j2")]
        assert told == [
            "j1 is cancelled. Its code was asked to stop and may still be running: Python code in a thread cannot be made to.",
            "j2 is cancelled. Its code had not begun.",
        ]
        answer = (await talk.answer(wait))["result"]
        assert (answer["isError"], text_of(answer)) == (True, "cancelled: its client asked for it with job_cancel")
        assert text_of(await talk.called("job_cancel", job="j1")).startswith("j1 had ended already: cancelled, 45 s.")

    conversation(act)


def test_a_fetched_result_is_kept_for_another_hour() -> None:
    async def act(here: House, talk: Talk, loop: SimulatedLoop) -> None:
        end(here, begin(here))
        await asyncio.sleep(3600 * 23)
        assert text_of(await talk.called("job_wait", job="j1")) == "the end"
        await asyncio.sleep(1800)
        assert text_of(await talk.called("job_wait", job="j1")) == "the end"
        await asyncio.sleep(1800)
        assert "No job" in text_of(await talk.called("job_wait", job="j1"))

    conversation(act, dead_after_s=1e6, ping_after_s=1e6)


def test_a_result_too_long_for_a_message_is_read_on_from_where_it_ended() -> None:
    async def act(here: House, talk: Talk, loop: SimulatedLoop) -> None:
        end(here, begin(here), "x" * 9_000 + "y" * 9_000)
        first = text_of(await talk.called("job_wait", job="j1"))
        assert first.endswith('More: job_wait("j1", offset=1365).')
        second = text_of(await talk.called("job_wait", job="j1", offset=17_000))
        assert second.split("\n")[1] == "y" * 1000

    conversation(act, max_result_bytes=10_240)


def test_both_are_described_in_few_words_and_only_one_of_them_acts() -> None:
    async def act(here: House, talk: Talk, loop: SimulatedLoop) -> None:
        listed = {tool["name"]: tool for tool in (await talk.result("tools/list"))["tools"]}
        wait, cancel = listed["job_wait"], listed["job_cancel"]
        assert (wait["annotations"]["readOnlyHint"], cancel.get("annotations", {}).get("readOnlyHint")) == (True, None)
        assert "outputSchema" not in wait
        assert len(wait["description"]) + len(cancel["description"]) < 250

    conversation(act)

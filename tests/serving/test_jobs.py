"""The memory of jobs: whose they are, how many, how long; and every order of events a hypothesis can think of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, precondition, rule

from mcp_workbench.execution.calls import Call
from mcp_workbench.limits import Limits
from mcp_workbench.primitives.tools import ToolDefinition, define_tool
from mcp_workbench.protocol import wire
from mcp_workbench.serving.job import KEPT_FETCHED_S, KEPT_S, Job, JobState
from mcp_workbench.serving.jobs import Jobs


def slow() -> None: ...


TOOL = define_tool(slow)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def said(text: str = "done") -> wire.CallToolResult:
    return wire.CallToolResult(content=[wire.TextContent(text=text)])


class Desk:
    """A memory of jobs, and calls that end when they are cancelled, as those of `Execution` do."""

    def __init__(self, **limits: Any) -> None:
        self.clock = Clock()
        self.jobs = Jobs(Limits(**limits), clock=self.clock)
        self.reasons: list[str] = []

    def begin(self, principal: str = "default", arguments: bytes = b"", tool: ToolDefinition = TOOL) -> Job:
        job = self.try_begin(principal, arguments, tool)
        assert job is not None
        return job

    def try_begin(self, principal: str = "default", arguments: bytes = b"", tool: ToolDefinition = TOOL) -> Job | None:
        def cancel(reason: str) -> None:
            self.reasons.append(reason)
            assert job is not None
            self.jobs.end(job, JobState.CANCELLED, said(reason))

        call = Call("c", "slow", "thread")
        call.started_ns = 1
        job = self.jobs.begin(tool, principal, arguments, call, cancel, waited_s=45)
        return job

    def end(self, job: Job, text: str = "done") -> None:
        self.jobs.end(job, JobState.DONE, said(text))


def test_nobody_else_finds_a_job_but_the_notebooks_author() -> None:
    desk = Desk()
    job = desk.begin("alice")
    assert (job.id, desk.jobs.of("alice"), desk.jobs.of(None)) == ("j1", (job,), (job,))
    assert (desk.jobs.of("bob"), desk.jobs.find("bob", 1), desk.jobs.find("alice", 2)) == ((), None, None)
    assert desk.jobs.find("alice", 1) is desk.jobs.find(None, 1) is job


def test_the_same_call_is_the_same_principal_definition_and_arguments_while_it_runs() -> None:
    desk, twin = Desk(), define_tool(slow)
    job = desk.begin(arguments=b"a")
    assert desk.jobs.same(TOOL, "default", b"a") is job
    assert desk.jobs.same(TOOL, "default", b"b") is desk.jobs.same(TOOL, "alice", b"a") is desk.jobs.same(twin, "default", b"a") is None
    desk.end(job)
    assert desk.jobs.same(TOOL, "default", b"a") is None


def test_each_principal_has_so_many_running_and_no_more() -> None:
    desk = Desk(running_jobs=2)
    first = desk.begin()
    desk.begin()
    assert desk.try_begin() is None
    desk.begin("alice")
    desk.end(first)
    assert desk.try_begin() is not None
    assert desk.jobs.statistics()["running"] == 3


def test_a_result_is_kept_for_a_day_or_for_an_hour_after_it_was_fetched() -> None:
    desk = Desk()
    kept, fetched, runs = desk.begin(), desk.begin(), desk.begin()
    desk.end(kept)
    desk.end(fetched)
    desk.clock.now = 1000
    fetched.note_fetched()
    desk.clock.now += KEPT_FETCHED_S - 1
    fetched.note_fetched()
    assert desk.jobs.find("default", 2) is fetched
    desk.clock.now += 1
    assert desk.jobs.of("default") == (kept, runs)
    desk.clock.now = KEPT_S
    assert desk.jobs.of("default") == (runs,)
    desk.begin()
    assert desk.jobs.statistics() == {"running": 2, "ended": 0, "ended_bytes": 0}


def test_the_first_that_ended_goes_when_there_are_too_many_and_the_newest_stays_whatever_its_size() -> None:
    desk = Desk(jobs=2, jobs_bytes=1000)
    jobs = [desk.begin() for _ in range(4)]
    for number in (3, 0, 2):
        desk.end(jobs[number])
    assert desk.jobs.of(None) == (jobs[0], jobs[1], jobs[2])
    desk.end(jobs[1], "x" * 5000)
    assert desk.jobs.of(None) == (jobs[1],)
    assert desk.jobs.statistics()["ended_bytes"] == jobs[1].result_bytes > 5000


def test_one_principals_results_do_not_push_out_those_of_another_that_keeps_less() -> None:
    desk = Desk(jobs=4)
    for principal in ("alice", "alice", *("bob",) * 9):
        desk.end(desk.begin(principal))
    assert [[job.id for job in desk.jobs.of(name)] for name in ("alice", "bob")] == [["j1", "j2"], ["j10", "j11"]]
    full = Desk(jobs_bytes=3_000)
    for principal, size in (("alice", 500), ("bob", 900), ("bob", 900), ("bob", 900), ("bob", 20_000)):
        full.end(full.begin(principal), "x" * size)
    assert [[job.id for job in full.jobs.of(name)] for name in ("alice", "bob")] == [[], ["j5"]], (
        "what is larger than the bound stays alone"
    )
    few = Desk(jobs_bytes=3_000)
    for principal, size in (("alice", 500), ("bob", 900), ("bob", 900), ("bob", 900)):
        few.end(few.begin(principal), "x" * size)
    assert [[job.id for job in few.jobs.of(name)] for name in ("alice", "bob")] == [["j1"], ["j3", "j4"]]


def test_a_cancel_says_what_became_of_it_and_an_ended_job_stays_as_it_is() -> None:
    desk = Desk()
    job = desk.begin()
    told = desk.jobs.cancel(job, "somebody asked")
    assert told == "j1 is cancelled. Its code was asked to stop and may still be running: Python code in a thread cannot be made to."
    assert (job.state, desk.reasons) == (JobState.CANCELLED, ["somebody asked"])
    assert desk.jobs.cancel(job, "again") == "j1 had ended already: cancelled, 45 s."
    assert desk.reasons == ["somebody asked"]


def test_a_cancel_reaches_the_loop_through_the_server_that_runs() -> None:
    desk, crossed = Desk(), []
    job = desk.begin()

    def run_on_loop(function: Any) -> Any:
        crossed.append(job.over)
        return function()

    desk.jobs.run_on_loop = run_on_loop
    desk.jobs.cancel(job, "somebody asked")
    desk.jobs.forget("default")
    assert crossed == [False, True]


def test_a_revoked_principal_loses_everything_until_it_is_let_in_again() -> None:
    desk = Desk()
    ended, runs, others = desk.begin(), desk.begin(), desk.begin("alice")
    desk.end(ended)
    desk.jobs.forget("default")
    assert (desk.jobs.of(None), runs.state, desk.try_begin()) == ((others,), JobState.CANCELLED, None)
    assert desk.reasons == ["the credential of its principal was revoked"]
    assert desk.jobs.statistics() == {"running": 1, "ended": 0, "ended_bytes": 0}
    desk.jobs.admit("default")
    assert desk.begin().id == "j4", "numbers are not used again"


def test_a_job_forgotten_while_its_call_cannot_be_stopped_leaves_nothing_when_it_ends() -> None:
    desk = Desk()
    call = Call("c", "slow", "thread")
    job = desk.jobs.begin(TOOL, "default", b"", call, lambda _reason: None, waited_s=1)
    assert job is not None
    desk.jobs.forget("default")
    desk.end(job)
    assert desk.jobs.statistics() == {"running": 0, "ended": 0, "ended_bytes": 0}


def test_the_end_is_told_to_all_even_if_one_of_them_fails(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    told: list[str] = []

    def fail(_job: Job) -> None:
        raise RuntimeError("no luck")

    desk.jobs.on_end += [fail, lambda job: told.append(job.id)]
    desk.end(desk.begin())
    assert told == ["j1"]
    assert "the end of job j1 could not be told" in caplog.text


PRINCIPALS = st.sampled_from(["alice", "bob"])
LIMITS = {"running_jobs": 2, "jobs": 3, "jobs_bytes": 2000}


class Life(RuleBasedStateMachine):
    """Jobs begin, say something, end, are cancelled, fetched, revoked, expire; a plain model says who may see what."""

    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(**LIMITS)
        self.running: list[Job] = []
        self.ended: list[Job] = []
        self.last: Job | None = None
        """The one that ended last, unless its principal was revoked."""
        self.revoked: set[str] = set()
        self.told: list[Job] = []
        self.desk.jobs.on_end.append(self.told.append)

    @rule(target=jobs, principal=PRINCIPALS, arguments=st.sampled_from([b"1", b"2"]))
    def begin(self, principal: str, arguments: bytes) -> Any:
        room = sum(job.principal == principal for job in self.running) < LIMITS["running_jobs"]
        job = self.desk.try_begin(principal, arguments)
        assert (job is not None) == (room and principal not in self.revoked)
        if job is None:
            return multiple()
        assert job.id not in {each.id for each in (*self.running, *self.ended)}
        self.running.append(job)
        return job

    @rule(job=jobs, text=st.text(max_size=20))
    def say(self, job: Job, text: str) -> None:
        job.hear(text)

    @rule(job=consumes(jobs), text=st.sampled_from(["", "x" * 500, "x" * 3000]))
    def end(self, job: Job, text: str) -> None:
        if job in self.running:
            self.desk.end(job, text)
            self._over(job)

    @rule(job=jobs, asks=PRINCIPALS)
    def cancel(self, job: Job, asks: str) -> None:
        found = self.desk.jobs.find(asks, job.number)
        assert found is None or asks == job.principal
        if found is None:
            return
        ran = not job.over
        told = self.desk.jobs.cancel(found, "asked")
        assert told.startswith(f"{job.id} is cancelled." if ran else f"{job.id} had ended already")
        if ran:
            self._over(job)

    @rule(job=jobs)
    def fetch(self, job: Job) -> None:
        found = self.desk.jobs.find(job.principal, job.number)
        if found is not None and found.over:
            assert found.result is not None
            found.note_fetched()

    @rule(seconds=st.sampled_from([1.0, KEPT_FETCHED_S, KEPT_S / 2]))
    def time_passes(self, seconds: float) -> None:
        self.desk.clock.now += seconds

    @rule(principal=PRINCIPALS)
    def revoke(self, principal: str) -> None:
        self.revoked.add(principal)
        self.desk.jobs.forget(principal)
        self.running, self.ended = ([job for job in jobs if job.principal != principal] for jobs in (self.running, self.ended))
        if self.last is not None and self.last.principal == principal:
            self.last = None

    @precondition(lambda self: self.revoked)
    @rule(principal=PRINCIPALS)
    def let_in_again(self, principal: str) -> None:
        self.revoked.discard(principal)
        self.desk.jobs.admit(principal)

    def _over(self, job: Job) -> None:
        self.running.remove(job)
        self.ended.append(job)
        self.last = job

    @invariant()
    def each_principal_sees_its_own_and_only_those(self) -> None:
        everybodys = self.desk.jobs.of(None)
        for principal in ("alice", "bob"):
            own = self.desk.jobs.of(principal)
            assert own == tuple(job for job in everybodys if job.principal == principal)
            assert all(self.desk.jobs.find(principal, job.number) is (job if job in own else None) for job in everybodys)
        assert [job for job in everybodys if not job.over] == self.running
        assert {job.id for job in everybodys if job.over} <= {job.id for job in self.ended}

    @invariant()
    def bounds_hold(self) -> None:
        reading = self.desk.jobs.statistics()
        ended = [job for job in self.desk.jobs.of(None) if job.over]
        assert reading["running"] == len(self.running)
        assert len(ended) <= reading["ended"] <= LIMITS["jobs"]
        assert reading["ended_bytes"] <= LIMITS["jobs_bytes"] or reading["ended"] == 1
        assert sum(job.result_bytes for job in ended) <= reading["ended_bytes"]

    @invariant()
    def what_ended_last_is_kept_and_each_end_is_told_once(self) -> None:
        assert len(self.told) == len({job.id for job in self.told})
        assert all(job.over and job.result is not None for job in self.told)
        if self.last is not None and not self.last.expired():
            assert self.desk.jobs.find(self.last.principal, self.last.number) is self.last

    @invariant()
    def the_same_call_is_found_while_it_runs(self) -> None:
        for job in self.running:
            same = self.desk.jobs.same(TOOL, job.principal, job._arguments)
            assert same is not None
            assert (same.principal, same._arguments, same.over) == (job.principal, job._arguments, False)


Life.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
test_any_order_of_events = Life.TestCase

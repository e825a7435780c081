"""Which tasks there are, and whose."""

from __future__ import annotations

from mcp_workbench.protocol import wire
from mcp_workbench.serving.job import JobState
from tests.serving.test_task import House


def test_nobody_can_guess_an_id() -> None:
    here = House()
    ids = {here.task().id for _ in range(60)}
    assert len(ids) == 60
    assert {len(each) for each in ids} == {24}


def test_a_foreign_task_is_as_none() -> None:
    here = House()
    task = here.task("ada")
    assert here.memory.find("ada", task.id) is task
    assert [here.memory.find("bob", task.id), here.memory.find("ada", task.job.id), here.memory.find("ada", "")] == [None, None, None]


def test_a_job_has_one_task_whoever_asks_for_it() -> None:
    here = House()
    job = here.job()
    task = here.memory.of(job)
    assert here.memory.of(job) is task
    assert here.memory.of(here.job()) is not task


def test_what_its_jobs_memory_gives_up_is_given_up_here_too() -> None:
    here = House(jobs=2)
    ended = [here.task() for _ in range(4)]
    for task in ended:
        here.end(task)
    assert [here.memory.find("ada", task.id) is task for task in ended] == [False, False, True, True]
    here.task()
    assert len(here.memory) == 3, "two that have ended, and the one that runs"


def test_a_revoked_principals_tasks_are_gone() -> None:
    here = House()
    mine, others = here.task("ada"), here.task("bob")
    here.jobs.forget("ada")
    assert (here.memory.find("ada", mine.id), here.memory.find("bob", others.id)) == (None, others)


def test_each_change_of_a_task_is_told_and_those_of_a_job_without_one_are_not() -> None:
    here = House()
    task, job = here.task(), here.job()
    here.end(task)
    assert here.told == ["completed"]
    here.jobs.end(job, JobState.DONE, wire.CallToolResult(content=[]))
    assert here.told == ["completed"]

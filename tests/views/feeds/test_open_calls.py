from __future__ import annotations

import asyncio
import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mcp_workbench import Context, Workbench
from mcp_workbench.execution.calls import Progress
from mcp_workbench.views.feeds import open_calls
from mcp_workbench.views.feeds.open_calls import OpenCallsFeed, row_of
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import OpenCalls
from mcp_workbench.views.open_calls import Oldest, OnGoing
from tests.support.stage import acquired, on_loop, running, server_of, talking, within


def look(workbench: Workbench, feed: OpenCallsFeed, later_s: float = 7.0) -> OpenCalls | None:
    told = on_loop(workbench, feed.look, time.time() + later_s)
    return told[0] if told else None


def test_what_runs_and_what_goes_on_as_a_job_is_told_when_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    workbench = Workbench("open")
    begun, go_on = threading.Semaphore(0), threading.Event()

    def fit(ctx: Context) -> None:
        ctx.report_progress(3, 4, "epoch 3")
        begun.release()
        go_on.wait(20)

    workbench.tool(fit)
    workbench.tool(name="long", background_after_s=0.01)(fit)
    workbench.tool(name="other")(fit)

    async def main() -> None:
        feed = OpenCallsFeed(Sources(server_of(workbench), workbench._offer))
        assert await asyncio.to_thread(look, workbench, feed) == OpenCalls()
        async with talking(workbench) as talk:
            talk.call("long", 1)
            await talk.answer(1)
            talk.call("fit", 2)
            await acquired(begun, 2)
            assert await asyncio.to_thread(look, workbench, feed, 0) is None, "what has only just begun is left out"
            told: Any = await asyncio.to_thread(look, workbench, feed)
            job, call = told.rows
            assert (job.key, job.job, job.method, job.target, job.session) == ("j1", "j1", "job", "long", "s1")
            assert (call.key, call.job, call.method, call.target) == ("s1.2", "", "tools/call", "fit")
            for row in told.rows:
                assert (row.progress, row.total, row.message, row.waits, row.principal) == (3, 4, "epoch 3", "", "default")
                assert row.at <= row.started <= time.time()
                assert row.call_id
                assert row.client
            assert await asyncio.to_thread(look, workbench, feed) is None
            talk.call("other", 3)
            await acquired(begun, 1)
            monkeypatch.setattr(open_calls, "MOST", 2)
            told = await asyncio.to_thread(look, workbench, feed)
            assert ([row.key for row in told.rows], told.more) == (["j1", "s1.2"], 1)
            go_on.set()
            await talk.answer(2)
            await talk.answer(3)

    with running(workbench):
        within(main)


def test_views_that_look_at_the_same_moment_have_one_look_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    def looked(running: object, jobs: object, now: float, most: int) -> Oldest:
        looks.append(now)
        return Oldest([], len(looks))

    monkeypatch.setattr(open_calls, "going_on", looked)
    sources = Sources(cast(Any, None), cast(Any, SimpleNamespace(jobs=None)))
    feeds = [OpenCallsFeed(sources) for _ in range(10)]
    for now in (1.0, 2.0):
        assert [list(feed.look(now)) for feed in feeds] == [[OpenCalls(more=int(now))]] * 10
    assert looks == [1.0, 2.0]


@pytest.mark.parametrize("said", [float("inf"), float("nan"), 10**400])
def test_a_progress_that_is_no_number_is_unknown(said: float) -> None:
    call = OnGoing("s1.1", "c1", "c1", "tools/call", "fit", "s1", None, "default", 1.0, 1.0, Progress(said, said, "on"), "on", "")
    row = row_of(call)
    assert (row.progress, row.total, row.message) == (0, 0, "on")


def test_of_what_is_waited_for_the_age_is_left_to_the_view() -> None:
    waits = "behind cell [9], running 4 s, and 2 other calls"
    call = OnGoing("s1.1", "c1", "", "tools/call", "fit", "s1", None, "default", 1.0, 0.0, None, "", waits)
    assert row_of(call).waits == "behind cell [9], and 2 other calls"

"""What goes on at this moment, as a view tells of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from mcp_workbench.assembly import RunningServer
from mcp_workbench.client import ClientSession
from mcp_workbench.execution.context import Context
from mcp_workbench.protocol.wire import Implementation
from mcp_workbench.tasks import start_task
from mcp_workbench.views.facts import OpenCallFacts
from mcp_workbench.views.open_calls import _in_steps, main_thread, open_calls
from mcp_workbench.workbench import Workbench

CLIENT = Implementation(name="visitor", version="1")
SOON: dict[str, Any] = {"background_after_s": 0.01}


@pytest.fixture
def workbench() -> Iterator[Workbench]:
    workbench = Workbench("trips")
    yield workbench.start()
    workbench.stop()


def running(workbench: Workbench) -> RunningServer:
    assert workbench._running is not None
    return workbench._running


async def called(session: ClientSession, tool: str, **arguments: Any) -> None:
    await session.call_tool(tool, arguments)


def look(workbench: Workbench, *, later_s: float = 7.0) -> tuple[OpenCallFacts, ...]:
    return open_calls(running(workbench), workbench._offer.jobs, time.time() + later_s)


def test_calls_and_jobs_are_named_with_client_and_progress_until_they_end(workbench: Workbench) -> None:
    begun, go_on = threading.Barrier(2), threading.Event()

    def fit(ctx: Context) -> None:
        ctx.report_progress(62, 100, "epoch 3 of 5")
        begun.wait(20)
        go_on.wait(20)

    workbench.tool(fit)
    workbench.tool(name="long", **SOON)(fit)

    async def visit() -> None:
        bob = workbench.tokens.add("bob")
        async with asyncio.timeout(30), workbench.connect(token=bob, client_info=CLIENT, tasks=False) as session:
            assert "j1" in (await session.call_tool("long")).text
            await asyncio.to_thread(begun.wait, 20)
            call = start_task(called(session, "fit"), name="fit")
            await asyncio.to_thread(begun.wait, 20)
            assert look(workbench, later_s=0) == (), "what has only just begun is left out"
            job, other = sorted(look(workbench), key=lambda one: one.id, reverse=True)
            assert (job.id, job.target, job.standing, job.who) == ("j1", "long", "runs, 62 %, epoch 3 of 5", "visitor (bob)")
            assert (other.target, other.standing, other.who) == ("fit", "runs, 62 %, epoch 3 of 5", "visitor (bob)")
            assert 6 <= other.seconds <= job.seconds
            go_on.set()
            await call
            await session.call_tool("job_wait", job="j1", wait_s=20)
            await session.list_tools()
            assert look(workbench) == ()

    asyncio.run(visit())


def test_what_waits_for_news_says_so(workbench: Workbench) -> None:
    async def visit() -> None:
        async with asyncio.timeout(30), workbench.connect(client_info=CLIENT) as session:
            text = (await session.call_tool("notebook_status")).text
            cursor = text.split("cursor ")[1].split()[0].rstrip(",·")
            waits = start_task(called(session, "notebook_status", since=cursor, wait_s=20), name="waits")
            for _ in range(2):  # the first may have left before the task began
                await session.list_tools()
            [call] = look(workbench)
            assert (call.id, call.target, call.standing) == ("", "notebook_status", "waits for news")
            workbench.tool(len_of)
            await waits

    asyncio.run(visit())


def test_the_call_that_has_the_main_thread_is_named_and_who_waits_behind_it(workbench: Workbench) -> None:
    seen: list[object] = []

    def draw() -> None:
        server = running(workbench)
        calls = look(workbench)
        seen.extend([main_thread(server, calls, lambda: time.monotonic() + 5), main_thread(server, calls)])

    workbench.tool(run_on="main")(draw)
    done: Future[None] = Future()

    async def visit() -> None:
        async with workbench.connect(client_info=CLIENT) as session:
            await session.call_tool("draw")

    def run() -> None:
        try:
            asyncio.run(visit())
        finally:
            done.set_result(None)

    thread = threading.Thread(target=run)
    thread.start()
    workbench._wait_for(done, 20)
    thread.join(20)
    [busy, just_begun] = seen
    assert str(busy).startswith("main thread: busy with draw (c1) for visitor")
    assert just_begun == ""
    assert main_thread(running(workbench), ()) == ""


def test_the_longer_it_takes_the_coarser_it_is_told() -> None:
    assert [_in_steps(seconds) for seconds in (0.6, 59.9, 61, 119, 130, 7300)] == [0, 59, 60, 115, 120, 7260]


def len_of(text: str) -> int:
    """Length."""
    return len(text)

"""A call, or a job, ended from a view, as its client and the record tell of it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from mcp_workbench import Context, Workbench
from mcp_workbench.limits import Limits
from mcp_workbench.telemetry.records import Outcome
from mcp_workbench.views.messages import Stop
from tests.support.stage import acquired, happened, running, server_of, talking, within
from tests.support.talk import Talk, text_of
from tests.views.visitor import Visitor, visiting

SAID = "The call was stopped by the notebook's author."


async def stopped(visitor: Visitor, key: str) -> tuple[bool, str]:
    visitor_answer = await visitor.ask(Stop(id=1, key=key))
    return visitor_answer["ok"], visitor_answer["sentence"]


async def refused(talk: Talk, request_id: str | int) -> str:
    answer = await talk.answer(request_id)
    assert answer["result"]["isError"] is True
    return text_of(answer["result"])


def test_calls_that_run_wait_or_are_parked_are_stopped_and_their_clients_told() -> None:
    workbench = Workbench("stop", limits=Limits(running_calls=2))
    begun, go_on, seen = threading.Semaphore(0), threading.Event(), threading.Event()

    @workbench.tool
    def hold(ctx: Context) -> str:
        begun.release()
        go_on.wait(20)
        if ctx.cancelled:
            seen.set()
        return "late"

    @workbench.tool
    async def sleep() -> None:
        begun.release()
        await asyncio.sleep(3600)

    @workbench.tool(run_on="main")
    def draw() -> None: ...

    async def main() -> None:
        async with visiting(workbench) as visitor, talking(workbench) as talk, talking(workbench) as other:
            talk.call("hold", 1)
            talk.call("sleep", 2)
            await acquired(begun, 2)
            talk.call("hold", 3)
            cursor = text_of(await other.called("notebook_status")).split("cursor ")[1].split()[0].rstrip(",·")
            other.call("notebook_status", 4, since=cursor, wait_s=50)
            await other.fence()
            await talk.fence()
            assert await stopped(visitor, "s1.3") == (True, f"{SAID} Its code had not begun.")
            ok, sentence = await stopped(visitor, "s1.1")
            assert (ok, sentence.startswith(SAID), "may still be running" in sentence) == (True, True, True)
            assert await stopped(visitor, "s1.2") == (
                True,
                f"{SAID} Its code is told so where it next awaits something, and may still be running.",
            )
            assert (await stopped(visitor, "s2.2"))[0] is True
            for client, request_id in ((talk, 1), (talk, 2), (talk, 3), (other, 4)):
                said = await refused(client, request_id)
                assert said.startswith(SAID)
                assert said.endswith("Ask them before you repeat it.")
            go_on.set()
            await happened(seen)
            other.call("draw", 5)
            await other.fence()
            assert (await stopped(visitor, "s2.3"))[0] is True
            assert SAID in await refused(other, 5)
            for key in ("s1.1", "s1.99", "s9.1", "j7"):
                assert await stopped(visitor, key) == (False, "It had ended already.")
            for key in ("", "x", "s1", "s1.1.1", "s01.1", "j0", "s1.1\n"):
                ok, sentence = await stopped(visitor, key)
                assert (ok, "names no call" in sentence) == (False, True)
        assert (workbench.telemetry.failed, workbench.telemetry.mistaken) == (0, 0)
        records = {record.request_id: record for record in workbench.telemetry.calls()}
        for request_id in (1, 2, 3, 4, 5):
            record = records[request_id]
            assert (record.outcome, record.is_authors, record.arguments) == (Outcome.CANCELLED, False, None)
            assert (record.error or "").startswith(SAID)

    with running(workbench):
        within(main)


def test_a_job_is_stopped_and_one_that_fetches_it_is_told() -> None:
    workbench = Workbench("jobs")
    begun, go_on = threading.Event(), threading.Event()

    @workbench.tool(background_after_s=0.01)
    def fit() -> None:
        begun.set()
        go_on.wait(20)

    async def main() -> None:
        async with visiting(workbench) as visitor, talking(workbench) as talk:
            talk.call("fit", 1)
            await happened(begun)
            await talk.answer(1)
            ok, sentence = await stopped(visitor, "j1")
            assert (ok, sentence.startswith("j1 is cancelled. ")) == (True, True)
            assert await stopped(visitor, "j1") == (False, "It had ended already.")
            assert "the notebook's author stopped it" in text_of(await talk.called("job_wait", job="j1"))
            go_on.set()

    with running(workbench):
        within(main)


def test_what_is_no_tool_is_answered_with_an_error_that_says_it() -> None:
    workbench = Workbench("reads")
    begun, go_on = threading.Event(), threading.Event()

    @workbench.resource("note://x")
    def note() -> str:
        begun.set()
        go_on.wait(20)
        return "late"

    async def main() -> None:
        async with visiting(workbench) as visitor, talking(workbench) as talk:
            talk.ask("resources/read", {"uri": "note://x"}, request_id=1)
            await happened(begun)
            assert (await stopped(visitor, "s1.1"))[0] is True
            error: Any = (await talk.answer(1))["error"]
            assert (error["code"], error["data"], SAID in error["message"]) == (-32603, {"reason": "stopped"}, True)
            go_on.set()

    with running(workbench):
        within(main)


def test_a_call_whose_session_has_ended_is_over() -> None:
    workbench = Workbench("ends")
    begun, go_on = threading.Event(), threading.Event()

    @workbench.tool
    def hold() -> None:
        begun.set()
        go_on.wait(20)

    async def main() -> None:
        async with visiting(workbench) as visitor:
            async with talking(workbench) as talk:
                talk.call("hold", 1)
                await happened(begun)
            while len(server_of(workbench).sessions):
                await visitor.ask(Stop(id=2, key="x"))
            assert await stopped(visitor, "s1.1") == (False, "It had ended already.")
            go_on.set()

    with running(workbench):
        within(main)

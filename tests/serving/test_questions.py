"""What asking means for the rest of the house: jobs, forwarded calls, time, views, the main thread, the end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import mcp_workbench as wb
from mcp_workbench.client import ElicitRequest, SampleRequest
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from mcp_workbench.telemetry.records import Outcome
from mcp_workbench.views.messages import Stop
from mcp_workbench.views.open_calls import open_calls
from tests.support.clock import Later
from tests.support.oracle import Message
from tests.support.stage import happened, running, server_of, talking, within
from tests.support.talk import Talk, text_of
from tests.views.visitor import visiting

ROOTS: Message = {"roots": {}}
GIVEN: Message = {"roots": [{"uri": "file:///a"}]}
VERSIONS = pytest.mark.parametrize("version", [LATEST_LEGACY, LATEST_MODERN])


def asking_tool(workbench: wb.Workbench, **options: Any) -> threading.Event:
    """A tool that asks for the roots; the event says that it was cancelled."""
    ended = threading.Event()

    @workbench.tool(**options)
    def folders(ctx: wb.Context, again: int = 1) -> str:
        try:
            return str([ctx.roots()[0].uri for _ in range(again)])
        except wb.Cancelled:
            ended.set()
            raise

    return ended


async def asked(talk: Talk, tool: str = "folders", **arguments: Any) -> Message:
    """Call a tool until it asks; returns what the answer needs."""
    request = talk.call(tool, **arguments)
    if not talk.modern:
        return {"request": request} | await talk.question("roots/list")
    result: Message = (await talk.answer(request))["result"]
    return {"name": tool, "arguments": arguments} | result


async def answered(talk: Talk, question: Message) -> Message:
    """Answer the question, and hear the response to the call."""
    if not talk.modern:
        talk.respond(question, GIVEN)
        return await talk.answer(question["request"])
    responses = dict.fromkeys(question["inputRequests"], GIVEN)
    retry = {"name": question["name"], "arguments": question["arguments"], "requestState": question["requestState"]}
    return await talk.request("tools/call", retry | {"inputResponses": responses})


@VERSIONS
def test_waiting_for_an_answer_makes_no_job_and_counts_for_no_timeout(version: str) -> None:
    workbench = wb.Workbench("time")
    asking_tool(workbench, background_after_s=45, timeout_s=100)

    async def main() -> None:
        async with talking(workbench, version, capabilities=ROOTS) as talk:
            later = Later(workbench)
            question = await asked(talk)
            await asyncio.to_thread(later.let_pass, 200)
            await talk.fence()
            assert text_of((await answered(talk, question))["result"]) == "['file:///a']"
            assert len(workbench.jobs) == 0

    with running(workbench):
        within(main)


@VERSIONS
def test_a_call_that_waits_is_shown_and_can_be_stopped(version: str) -> None:
    workbench = wb.Workbench("views")
    ended = asking_tool(workbench)

    async def main() -> None:
        async with visiting(workbench) as visitor, talking(workbench, version, capabilities=ROOTS) as talk:
            question = await asked(talk)
            [call] = open_calls(server_of(workbench), workbench._offer.jobs, 4e9)
            assert (call.id, call.target, call.standing, call.who) == ("c1", "folders", "waits for the client's answer", "scripted")
            assert workbench.status().execution["asking_threads"] == 1
            answer = await visitor.ask(Stop(id=1, key="c1" if talk.modern else "s1.1"))
            assert answer["ok"], answer
            await happened(ended)
            if talk.modern:
                assert (await visitor.ask(Stop(id=2, key="c1")))["sentence"] == "It had ended already."
                stopped = await answered(talk, question)
            else:
                stopped = await talk.answer(question["request"])
            assert text_of(stopped["result"]).startswith("The call was stopped by the notebook's author.")
            assert open_calls(server_of(workbench), workbench._offer.jobs, 4e9) == ()
            outcomes = [record.outcome for record in workbench.telemetry.calls(9) if record.method == "tools/call"]
            assert Outcome.CANCELLED in outcomes

    with running(workbench):
        within(main)


def test_a_forwarded_call_is_taken_up_again_by_the_same_forwarded_call() -> None:
    workbench = wb.Workbench("forwarded")
    asking_tool(workbench)

    async def main() -> None:
        async with talking(workbench, LATEST_MODERN, capabilities=ROOTS) as talk:
            question = await asked(talk, "notebook_call", function="folders", arguments={"again": 2})
            question |= (await answered(talk, question))["result"]
            assert text_of((await answered(talk, question))["result"]) == "['file:///a', 'file:///a']"
            await talk.fence()
            targets = [record.target for record in workbench.telemetry.calls(9) if record.method == "tools/call"]
            assert targets == ["folders"] * 3

    with running(workbench):
        within(main)


def test_a_result_that_is_there_before_the_retry_waits_for_it() -> None:
    workbench = wb.Workbench("held")
    gone = threading.Event()

    @workbench.tool
    async def hasty(ctx: wb.AsyncContext) -> str:
        try:
            return str(await ctx.roots(timeout_s=0.01))
        except wb.NotAnswered as error:
            gone.set()
            return f"without: {error}"

    async def main() -> None:
        async with talking(workbench, LATEST_MODERN, capabilities=ROOTS) as talk:
            question = await asked(talk, "hasty")
            await happened(gone)
            await talk.until(lambda: server_of(workbench).suspended.waiting() == [])
            said = text_of((await answered(talk, question))["result"])
            assert said.startswith("without: hasty asked the client for its roots and got no answer within 0.01 s")

    with running(workbench):
        within(main)


@VERSIONS
def test_revoking_a_principal_ends_its_waiting_calls(version: str) -> None:
    workbench = wb.Workbench("revoked")
    ended = asking_tool(workbench)
    workbench.tokens.add("alice")

    async def main() -> None:
        async with talking(workbench, version, principal="alice", capabilities=ROOTS) as talk:
            await asked(talk)
            await asyncio.to_thread(workbench.tokens.revoke, "alice")
            await happened(ended)
            await talk.closed

    with running(workbench):
        within(main)


@VERSIONS
def test_stopping_ends_what_waits_for_an_answer(version: str) -> None:
    workbench = wb.Workbench("stopped")
    ended = asking_tool(workbench)

    async def main() -> None:
        async with talking(workbench, version, capabilities=ROOTS) as talk:
            await asked(talk)
            await asyncio.to_thread(workbench.stop)
            await happened(ended)

    with running(workbench, limits=wb.Limits(stop_grace_s=0.05)):
        within(main)


def test_a_lost_connection_ends_a_legacy_call_and_leaves_a_modern_one() -> None:
    workbench = wb.Workbench("lost")
    ended = asking_tool(workbench)

    async def main() -> None:
        async with talking(workbench, LATEST_LEGACY, capabilities=ROOTS) as talk:
            await asked(talk)
        await happened(ended)
        ended.clear()
        async with talking(workbench, LATEST_MODERN, capabilities=ROOTS) as talk:
            question = await asked(talk)
        async with talking(workbench, LATEST_MODERN, capabilities=ROOTS) as talk:
            assert "file:///a" in text_of((await answered(talk, question))["result"])
        assert not ended.is_set()

    with running(workbench):
        within(main)


@VERSIONS
def test_a_tool_on_the_main_thread_asks_its_client(version: str) -> None:
    workbench = wb.Workbench("main")
    asking_tool(workbench, run_on="main")

    @workbench.tool(run_on="main", name="folders_async")
    async def folders_async(ctx: wb.AsyncContext) -> str:
        return str((await ctx.roots())[0].uri)

    heard: list[str] = []

    def play() -> None:
        async def main() -> None:
            async with talking(workbench, version, capabilities=ROOTS) as talk:
                for tool in ("folders", "folders_async"):
                    question = await asked(talk, tool)
                    heard.append(text_of((await answered(talk, question))["result"]))

        try:
            within(main)
        finally:
            workbench.stop()

    with running(workbench):
        client = threading.Thread(target=play)
        client.start()
        workbench.wait(timeout_s=20)
        client.join(20)
    assert heard == ["['file:///a']", "file:///a"]


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_our_own_client_answers_by_its_handlers(era: Any) -> None:
    workbench = wb.Workbench("client")

    @workbench.tool
    async def plan(ctx: wb.AsyncContext) -> str:
        first = await ctx.elicit("Where to?", {"where": str})
        told, roots = await asyncio.gather(ctx.sample([f"One word on {first.data['where']}"], max_tokens=5), ctx.roots())
        last = await ctx.elicit("Sure?")
        return f"{first.data['where']}: {told.text} by {told.model}, {roots[0].name} {roots[0].uri}, {last.action}"

    questions: list[str] = []

    async def on_elicit(request: ElicitRequest) -> Any:
        questions.append(request.message)
        return {"where": "Oslo"} if "Where" in request.message else "decline"

    def on_sample(request: SampleRequest) -> str:
        assert request.max_tokens == 5
        return "fjords"

    def on_roots() -> list[Any]:
        return [{"uri": "file:///work", "name": "work"}]

    async def main() -> None:
        async with workbench.connect(era=era, on_elicit=on_elicit, on_sample=on_sample, on_roots=on_roots) as session:
            result = await session.call_tool("plan")
            assert result.text == "Oslo: fjords by unnamed, work file:///work, decline"
            assert questions == ["Where to?", "Sure?"]

    with running(workbench):
        within(main)

"""Tasks over the wire (SEP-2663): made of calls that take long, looked at, answered, cancelled, listened to."""

from __future__ import annotations

import asyncio
import threading

import mcp_workbench as wb
from mcp_workbench.protocol import wire
from tests.interaction.requirements import MODERN, requirement, versions
from tests.support.oracle import Message
from tests.support.stage import Stage
from tests.support.talk import Talk, text_of

TAKES: Message = {"extensions": {wire.TASKS: {}}}
ABLE: Message = TAKES | {"elicitation": {"form": {}}}
NEEDED: Message = {"requiredCapabilities": TAKES}
OVER = frozenset({"completed", "failed", "cancelled"})


def yes(**content: object) -> Message:
    return {"action": "accept", "content": content}


def add_slow(stage: Stage) -> threading.Event:
    """A tool that becomes a task at once; it ends when the event is set."""
    gate = threading.Event()

    @stage.workbench.tool(background_after_s=0.01)
    def slow(n: int = 0) -> str:
        gate.wait(10)
        return f"the end of {n}"

    return gate


def add_choosing(stage: Stage) -> list[int]:
    """An `async def` that is a task from its beginning and asks two things at once; returns the list of its runs."""
    runs: list[int] = []

    @stage.workbench.tool(needs_task=True)
    async def choose(ctx: wb.AsyncContext) -> str:
        runs.append(1)
        name, sure = await asyncio.gather(ctx.elicit("Who?", {"name": str}), ctx.elicit("Sure?", {"sure": bool}))
        return f"{name.data['name']}: {sure.data['sure']}"

    return runs


async def look(talk: Talk, task: Message) -> Message:
    return await talk.result("tasks/get", {"taskId": task["taskId"]})


async def until(talk: Talk, task: Message, *statuses: str) -> Message:
    """Look until it stands so."""
    while (seen := await look(talk, task))["status"] not in statuses:
        await talk.fence()
    return seen


async def update(talk: Talk, task: Message, **responses: Message) -> None:
    ack = await talk.result("tasks/update", {"taskId": task["taskId"], "inputResponses": responses})
    assert ack.keys() == {"resultType", "_meta"}


@requirement("task-declared")
@versions(*MODERN)
def test_only_a_request_that_declares_the_extension_is_answered_with_a_task(stage: Stage) -> None:
    gate = add_slow(stage)

    async def main(talk: Talk) -> None:
        discovered = await talk.result("server/discover")
        assert discovered["capabilities"]["extensions"] == {wire.TASKS: {}}
        call = talk.call("slow", n=1)
        task = await talk.result("tools/call", {"name": "slow", "arguments": {"n": 2}}, **{wire.META_CAPABILITIES: TAKES})
        assert task["resultType"] == "task"
        gate.set()
        assert text_of((await talk.answer(call))["result"]) == "the end of 1"

    stage.play(main)


@requirement("task-needed")
@versions(*MODERN)
def test_what_needs_a_task_is_refused_to_who_takes_none(stage: Stage) -> None:
    runs = add_choosing(stage)

    async def main(talk: Talk) -> None:
        error = await talk.error("tools/call", {"name": "choose", "arguments": {}})
        assert (error["code"], error["data"], runs) == (-32021, NEEDED, [])

    stage.play(main)


@requirement("task-created")
@requirement("task-completed")
@versions(*MODERN)
def test_a_task_is_asked_for_until_it_brings_the_result(stage: Stage) -> None:
    gate = add_slow(stage)

    async def main(talk: Talk) -> None:
        task = await talk.called("slow", n=3)
        seen = await look(talk, task)
        assert (task["status"], seen["status"], seen["taskId"], seen["ttlMs"]) == ("working", "working", task["taskId"], None)
        gate.set()
        seen = await until(talk, task, *OVER)
        assert (seen["status"], seen["result"]) == ("completed", {"content": [{"type": "text", "text": "the end of 3"}]})
        async with stage.client(capabilities=TAKES) as other:
            assert (await look(other, task))["result"] == seen["result"], "on any connection of the principal"

    stage.play(main, capabilities=TAKES)


@requirement("task-tool-error")
@requirement("task-failed")
@versions(*MODERN)
def test_a_tools_error_completes_a_task_and_an_error_of_the_protocol_fails_it(stage: Stage) -> None:
    @stage.workbench.tool(needs_task=True)
    async def fail(kind: str, ctx: wb.AsyncContext) -> None:
        if kind == "tool":
            raise ValueError("no such station")
        await ctx.roots()

    async def main(talk: Talk) -> None:
        seen = await until(talk, await talk.called("fail", kind="tool"), *OVER)
        assert (seen["status"], seen["result"]["isError"]) == ("completed", True)
        assert text_of(seen["result"]).startswith("ValueError: no such station")
        seen = await until(talk, await talk.called("fail", kind="protocol"), *OVER)
        assert (seen["status"], seen["error"]["code"], "result" in seen) == ("failed", -32021, False)

    stage.play(main, capabilities=TAKES)


@requirement("task-input")
@requirement("task-input-partial")
@versions(*MODERN)
def test_a_task_asks_and_goes_on_with_the_answers(stage: Stage) -> None:
    runs = add_choosing(stage)

    async def main(talk: Talk) -> None:
        task = await talk.called("choose")
        seen = await until(talk, task, "input_required")
        while len(seen["inputRequests"]) < 2:
            seen = await look(talk, task)
        who, sure = sorted(seen["inputRequests"], key=lambda key: str(seen["inputRequests"][key]["params"]["message"]), reverse=True)
        await update(talk, task, **{who: yes(name="Ada"), "unheard": yes()})
        seen = await look(talk, task)
        assert (seen["status"], [*seen["inputRequests"]]) == ("input_required", [sure])
        await update(talk, task, **{sure: yes(sure="perhaps")})
        seen = await look(talk, task)
        [again] = seen["inputRequests"]
        assert again not in (who, sure), "what did not fit is asked anew, under another key"
        await update(talk, task, **{again: yes(sure=True)})
        assert text_of((await until(talk, task, *OVER))["result"]) == "Ada: True"
        assert runs == [1]

    stage.play(main, capabilities=ABLE)


@requirement("task-cancel")
@versions(*MODERN)
def test_a_task_is_cancelled_once(stage: Stage) -> None:
    gate = add_slow(stage)

    async def main(talk: Talk) -> None:
        task = await talk.called("slow")
        for _ in range(2):
            ack = await talk.result("tasks/cancel", {"taskId": task["taskId"]})
            assert ack.keys() == {"resultType", "_meta"}
            seen = await until(talk, task, *OVER)
            assert (seen["status"], "result" in seen) == ("cancelled", False)
        assert "its client asked for it with tasks/cancel" in seen["statusMessage"]
        gate.set()
        assert (await look(talk, task))["status"] == "cancelled"

    stage.play(main, capabilities=TAKES)


@requirement("task-unknown")
@requirement("task-undeclared")
@requirement("task-removed")
@versions(*MODERN)
def test_tasks_are_their_principals_and_their_declared_clients_alone(stage: Stage) -> None:
    gate = add_slow(stage)

    async def main(talk: Talk) -> None:
        task = await talk.called("slow")
        stage.workbench.tokens.add("bob")
        async with stage.client(principal="bob", capabilities=TAKES) as bob, stage.client() as plain:
            for method in ("tasks/get", "tasks/update", "tasks/cancel"):
                params = {"taskId": task["taskId"], "inputResponses": {}}
                assert (await bob.error(method, params))["code"] == -32602
                assert (await talk.error(method, params | {"taskId": "none"}))["code"] == -32602
                error = await plain.error(method, params)
                assert (error["code"], error["data"]) == (-32021, NEEDED)
            error = await plain.error("subscriptions/listen", {"notifications": {"taskIds": [task["taskId"]]}})
            assert (error["code"], error["data"]) == (-32021, NEEDED)
            for method in ("tasks/result", "tasks/list"):
                assert (await talk.error(method, {"taskId": task["taskId"]}))["code"] == -32601
        assert (await look(talk, task))["status"] == "working"
        gate.set()

    stage.play(main, capabilities=TAKES)


@requirement("task-listen")
@versions(*MODERN)
def test_a_listen_hears_how_its_tasks_stand(stage: Stage) -> None:
    gate = add_slow(stage)

    async def main(talk: Talk) -> None:
        task, unheard = await talk.called("slow", n=1), await talk.called("slow", n=2)
        listen = talk.ask("subscriptions/listen", {"notifications": {"taskIds": [task["taskId"], "none"]}})
        acknowledged = await talk.news("notifications/subscriptions/acknowledged")
        assert acknowledged["notifications"] == {"taskIds": [task["taskId"]]}
        told = [await talk.news("notifications/tasks")]
        gate.set()
        while told[-1]["status"] == "working":
            told.append(await talk.news("notifications/tasks"))
        assert [(each["taskId"], each["status"]) for each in told] == [(task["taskId"], "working"), (task["taskId"], "completed")]
        assert {each["_meta"][wire.META_SUBSCRIPTION] for each in told} == {listen}
        seen = await look(talk, task)
        assert seen["result"] == told[-1]["result"]
        await until(talk, unheard, "completed")
        assert talk.heard("notifications/tasks") == []

    stage.play(main, capabilities=TAKES)

"""Calls that become tasks, on a clock that leaps: when, for whom, and how they are looked at, answered, cancelled and listened to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mcp_workbench.errors import NotAnswered
from mcp_workbench.execution.calls import CallState
from mcp_workbench.execution.context import Context
from mcp_workbench.execution.questions import ask_roots
from mcp_workbench.limits import Limits
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from mcp_workbench.serving.failures import UNWRITABLE
from mcp_workbench.serving.job import KEPT_S
from mcp_workbench.serving.tasks import SAID_EVERY_S
from mcp_workbench.telemetry.records import Outcome
from tests.support.clock import SimulatedLoop, in_simulated_time
from tests.support.house import House, house
from tests.support.oracle import Message
from tests.support.talk import Talk, text_of

TAKES: Message = {"extensions": {wire.TASKS: {}}}
ABLE: Message = TAKES | {"elicitation": {"form": {}}}
YES: Message = {"action": "accept", "content": {"sure": True}}
NO: Message = {"action": "accept", "content": {"sure": False}}
NEEDED: Message = {"requiredCapabilities": TAKES}


class Long:
    """A tool that says how far it is, ends when it is time, and perhaps asks first and last.

    Args:
        here: Where it is offered, as `long`.
        ends: Seconds on the loop's clock at which its calls end, by their `n`; 100 for the others.
        asks: Whether it asks when it is time.
        asks_first: Whether it asks before it begins.
        gives: What it returns; default: which of its calls has ended.
    """

    def __init__(
        self,
        here: House,
        ends: dict[int, float] | None = None,
        *,
        asks: bool = False,
        asks_first: bool = False,
        gives: Any = None,
        **options: Any,
    ) -> None:
        self.runs = 0
        self.answers: list[Any] = []
        self._here = here
        self._waiting: list[int] = []
        self._gates = {n: here.gate() for n in range(4)}
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimulatedLoop)
        for n, gate in self._gates.items():
            loop.call_at((ends or {}).get(n, 100), gate.set)
        loop.holds.append(self._is_at_work)

        def ask(ctx: Context) -> None:
            self.answers.append(ctx.elicit("Go on?", {"sure": bool}, key="go").data)

        def long(ctx: Context, n: int = 0) -> Any:
            self.runs += 1
            if asks_first:
                ask(ctx)
            ctx.report_progress(62, 100, "reading")
            self._waiting.append(n)
            self._gates[n].wait()
            if asks:
                ask(ctx)
            return f"the end of {n}" if gives is None else gives

        if isinstance(gives, dict):
            long.__annotations__["return"] = dict[str, int]
        here.tool(long, **options)

    def _is_at_work(self) -> bool:
        """Whether a thread does something for which time must stand still: it neither waits for its end nor for an answer."""
        busy = [call for call in self._here.open_calls("long") if call.state is CallState.RUNNING and not call.questions]
        return len(busy) > sum(not self._gates[n].is_set() for n in self._waiting)


@asynccontextmanager
async def talking(here: House, capabilities: Message = TAKES, *, principal: str = "default") -> AsyncIterator[Talk]:
    async with here.client(LATEST_MODERN, principal=principal, capabilities=capabilities) as talk:
        yield talk


async def look(talk: Talk, task: Message) -> Message:
    return await talk.result("tasks/get", {"taskId": task["taskId"]})


async def listening(talk: Talk, *tasks: Message) -> tuple[str | int, Message]:
    """A listen for these tasks, and its acknowledgement."""
    listen = talk.ask("subscriptions/listen", {"notifications": {"taskIds": [task["taskId"] for task in tasks]}})
    return listen, (await talk.news("notifications/subscriptions/acknowledged"))["notifications"]


# --- which calls become tasks ------------------------------------------------------------------------------------


def test_a_call_that_takes_long_is_answered_with_a_task_that_is_looked_at_until_it_has_ended() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk:
            long = Long(here)
            task = await talk.called("long", n=3)
            assert (round(loop.now), task["resultType"], task["status"], task["ttlMs"]) == (45, "task", "working", None)
            assert task["statusMessage"] == "j1 (long): running, 62 %, 45 s. It said last: reading"
            seen = await look(talk, task)
            assert seen | {"resultType": "task"} == task
            await asyncio.sleep(56)
            seen = await look(talk, task)
            assert (seen["status"], text_of(seen["result"]), long.runs) == ("completed", "the end of 3", 1)
            assert (seen["createdAt"], seen["ttlMs"]) == (task["createdAt"], (56 + 3600) * 1000), "an hour from now"
            assert await look(talk, task) == seen, "again"

    in_simulated_time(main)


def test_a_call_that_ends_in_time_is_answered_as_if_there_were_no_tasks() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk:
            Long(here, {0: 44})
            result = await talk.called("long")
            assert (result["resultType"], text_of(result), len(here.offer.tasks)) == ("complete", "the end of 0", 0)

    in_simulated_time(main)


@pytest.mark.parametrize("version", [LATEST_LEGACY, LATEST_MODERN])
def test_a_client_that_declares_nothing_is_answered_early_as_ever(version: str) -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client(version) as talk:
            Long(here)
            assert text_of(await talk.called("long")).startswith("Running as job j1 (62 %): call job_wait")
            assert len(here.offer.tasks) == 0

    in_simulated_time(main)


def test_each_request_declares_for_itself() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here, {}) as talk:
            Long(here)
            meta = {wire.META_CAPABILITIES: TAKES}
            task = await talk.result("tools/call", {"name": "long", "arguments": {"n": 1}}, **meta)
            assert task["resultType"] == "task"
            error = await talk.error("tasks/get", {"taskId": task["taskId"]})
            assert (error["code"], error["data"]) == (-32021, NEEDED)
            assert (await talk.result("tasks/get", {"taskId": task["taskId"]}, **meta))["status"] == "working"
            assert "as job j2" in text_of(await talk.called("long", n=2))

    in_simulated_time(main)


def test_tasks_need_no_tool_to_be_fetched_with() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk, here.client(LATEST_MODERN) as other:
            here.offer.own_tools.offer(offered=False)
            Long(here)
            plain = other.call("long", n=2)
            assert (await talk.called("long", n=1))["resultType"] == "task"
            early_would_be_of_no_use = (await other.answer(plain))["result"]
            assert (text_of(early_would_be_of_no_use), round(loop.now)) == ("the end of 2", 100)

    in_simulated_time(main)


def test_a_call_repeated_while_it_runs_is_answered_with_the_same_task() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk, here.client(LATEST_MODERN) as plain:
            long = Long(here)
            task = await talk.called("long")
            again = await talk.called("long")
            assert (again["taskId"], long.runs) == (task["taskId"], 1)
            assert text_of(await plain.called("long")).startswith("Already running as job j1")

    in_simulated_time(main)


def test_a_job_of_a_client_without_tasks_is_followed_by_one_with() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk, here.client(LATEST_MODERN) as plain:
            Long(here)
            await plain.called("long")
            task = await talk.called("long")
            assert (round(loop.now), (await look(talk, task))["status"]) == (45, "working")
            await asyncio.sleep(56)
            assert text_of(await plain.called("job_wait", job="j1")) == "the end of 0"
            assert (await look(talk, task))["status"] == "completed"

    in_simulated_time(main)


def test_where_no_job_can_be_had_a_call_is_answered_when_it_ends_or_becomes_a_task_as_soon_as_one_can() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house(Limits(running_jobs=1)) as here, talking(here) as talk:
            Long(here, {2: 200})
            first = await talk.called("long", n=1)
            second = talk.call("long", 7, n=2)
            result = (await talk.answer(second))["result"]
            assert (result["resultType"], round(loop.now)) == ("task", 100), "when the first has ended"
            assert (await look(talk, first))["status"] == "completed"

    in_simulated_time(main)


# --- tools whose calls are tasks from their beginning ------------------------------------------------------------------


def test_a_call_that_needs_a_task_is_one_at_once() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk:
            Long(here, needs_task=True)
            task = await talk.called("long")
            assert (task["resultType"], loop.now) == ("task", 0)
            await asyncio.sleep(101)
            assert text_of((await look(talk, task))["result"]) == "the end of 0"

    in_simulated_time(main)


def test_a_call_that_needs_a_task_is_refused_to_who_takes_none() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, here.client(LATEST_MODERN) as modern, here.client(LATEST_LEGACY) as legacy:
            long = Long(here, needs_task=True)
            error = await modern.error("tools/call", {"name": "long", "arguments": {}})
            assert (error["code"], error["data"]) == (-32021, NEEDED)
            assert "long runs as a task only, and this client has not declared that it takes tasks" in error["message"]
            result = await legacy.called("long")
            assert (result["isError"], "Use a host that does" in text_of(result), long.runs) == (True, True, 0)
            by_name = await modern.error("tools/call", {"name": "notebook_call", "arguments": {"function": "long", "arguments": {}}})
            assert by_name["code"] == -32021

    in_simulated_time(main)


def test_a_call_that_needs_a_task_waits_for_one_while_none_can_be_had() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house(Limits(running_jobs=1)) as here, talking(here) as talk:
            Long(here, {2: 200}, needs_task=True)
            await talk.called("long", n=1)
            second = talk.call("long", 7, n=2)
            assert ((await talk.answer(second))["result"]["resultType"], round(loop.now)) == ("task", 100)

    in_simulated_time(main)


# --- what a task asks --------------------------------------------------------------------------------------------------


def test_a_task_asks_its_client_and_goes_on_with_the_answer() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here, ABLE) as talk:
            long = Long(here, asks=True)
            task = await talk.called("long")
            await asyncio.sleep(56)
            seen = await look(talk, task)
            assert seen["status"] == "input_required"
            assert seen["statusMessage"].endswith("It asks the person. It said last: reading")
            [(key, request)] = seen["inputRequests"].items()
            assert (request["method"], request["params"]["message"], "elicitationId" in request["params"]) == (
                "elicitation/create",
                "Go on?",
                False,
            )
            ack = await talk.result("tasks/update", {"taskId": task["taskId"], "inputResponses": {key: YES, "unheard": {}}})
            assert ack.keys() == {"resultType", "_meta"}
            await talk.until(lambda: not here.open_calls("long"))
            assert text_of((await look(talk, task))["result"]) == "the end of 0"
            assert (long.runs, long.answers) == (1, [{"sure": True}])
            [record] = [record for record in here.offer.telemetry.calls(None) if record.method == "job"]
            assert record.notes == ("job j1", "asked the person: accepted after 0 s")

    in_simulated_time(main)


def test_what_its_client_has_not_declared_a_task_does_not_ask_and_fails_with_the_error_of_the_protocol() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk:
            Long(here, asks=True)
            task = await talk.called("long")
            await asyncio.sleep(56)
            seen = await look(talk, task)
            assert (seen["status"], seen["error"]["code"], "result" in seen) == ("failed", -32021, False)
            assert seen["error"]["data"] == {"requiredCapabilities": {"elicitation": {"form": {}}}}
            assert seen["statusMessage"] == seen["error"]["message"]
            assert (await talk.called("job_wait", job="j1"))["isError"] is True

    in_simulated_time(main)


def test_a_question_that_nobody_answers_is_given_up() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here, ABLE) as talk:
            Long(here, asks=True)
            task = await talk.called("long")
            await asyncio.sleep(356)
            seen = await look(talk, task)
            assert (seen["status"], seen["result"]["isError"]) == ("completed", True)
            assert "asked the person and got no answer within 300 s" in text_of(seen["result"])

    in_simulated_time(main)


def test_what_is_asked_before_the_call_is_a_task_is_asked_in_its_answer_and_the_task_comes_after() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here, ABLE) as talk:
            long = Long(here, asks=True, asks_first=True)
            params: Message = {"name": "long", "arguments": {}}
            asked = await talk.result("tools/call", params)
            assert (asked["resultType"], "taskId" in asked) == ("input_required", False)
            retry = {"requestState": asked["requestState"], "inputResponses": {"go": YES}}
            task = await talk.result("tools/call", params | retry)
            assert (task["resultType"], "requestState" in task, round(loop.now)) == ("task", False, 45)
            await asyncio.sleep(56)
            [key] = (await look(talk, task))["inputRequests"]
            await talk.result("tasks/update", {"taskId": task["taskId"], "inputResponses": {key: NO}})
            await talk.until(lambda: not here.open_calls("long"))
            assert (text_of((await look(talk, task))["result"]), long.runs) == ("the end of 0", 1)
            assert long.answers == [{"sure": True}, {"sure": False}]

    in_simulated_time(main)


# --- whose it is, and what there is not ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
def test_a_foreign_task_and_none_are_the_same(method: str) -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk, talking(here, principal="bob") as bob:
            Long(here)
            task = await talk.called("long")
            foreign = await bob.error(method, {"taskId": task["taskId"], "inputResponses": {}})
            none = await bob.error(method, {"taskId": "x" * len(task["taskId"]), "inputResponses": {}})
            assert (foreign["code"], none["code"]) == (-32602, -32602)
            assert foreign["message"].replace(task["taskId"], "") == none["message"].replace("x" * len(task["taskId"]), "")
            assert "Make the call again." in none["message"]
            assert (await look(talk, task))["status"] == "working"

    in_simulated_time(main)


def test_a_task_is_found_on_any_connection_of_its_principal_also_when_its_own_has_ended() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here, ABLE) as other:
            Long(here, asks=True)
            async with talking(here, ABLE) as talk:
                task = await talk.called("long")
            await asyncio.sleep(56)
            [key] = (await look(other, task))["inputRequests"]
            await other.result("tasks/update", {"taskId": task["taskId"], "inputResponses": {key: YES}})
            await other.until(lambda: not here.open_calls("long"))
            assert (await look(other, task))["status"] == "completed"

    in_simulated_time(main)


def test_a_task_that_has_been_kept_its_time_is_gone() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk:
            Long(here)
            task = await talk.called("long")
            await asyncio.sleep(56 + KEPT_S)
            assert (await talk.error("tasks/get", {"taskId": task["taskId"]}))["code"] == -32602

    in_simulated_time(main)


def test_the_methods_and_results_of_2025_11_25_are_none() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk, here.client(LATEST_LEGACY) as legacy:
            for method in ("tasks/result", "tasks/list"):
                assert (await talk.error(method, {"taskId": "x"}))["code"] == -32601
            for method in ("tasks/get", "tasks/result", "tasks/list", "tasks/cancel"):
                assert (await legacy.error(method, {"taskId": "x"}))["code"] == -32601

            def quick() -> str:
                return "quick"

            here.tool(quick)
            assert text_of(await talk.result("tools/call", {"name": "quick", "task": {"ttl": 60000}})) == "quick"

    in_simulated_time(main)


# --- cancelling ------------------------------------------------------------------------------------------------------


def test_a_cancelled_task_ends_and_says_so_and_one_that_has_ended_stays_as_it_is() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk:
            Long(here)
            task = await talk.called("long")
            assert (await talk.result("tasks/cancel", {"taskId": task["taskId"]})).keys() == {"resultType", "_meta"}
            await talk.until(lambda: not here.open_calls("long"))
            seen = await look(talk, task)
            assert seen["status"] == "cancelled"
            assert seen["statusMessage"].startswith("Job j1 (long) was cancelled: its client asked for it with tasks/cancel.")
            await talk.result("tasks/cancel", {"taskId": task["taskId"]})
            assert await look(talk, task) == seen

    in_simulated_time(main)


def test_a_task_that_asks_can_be_cancelled() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here, ABLE) as talk:
            long = Long(here, asks=True)
            task = await talk.called("long")
            await asyncio.sleep(56)
            await talk.result("tasks/cancel", {"taskId": task["taskId"]})
            await talk.until(lambda: not here.open_calls("long"))
            seen = await look(talk, task)
            assert (seen["status"], "inputRequests" in seen, long.answers) == ("cancelled", False, [])
            await talk.result("tasks/update", {"taskId": task["taskId"], "inputResponses": {"q1": YES}})

    in_simulated_time(main)


def test_the_cancel_of_its_request_is_late_and_changes_nothing() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk:
            Long(here)
            task = (await talk.answer(talk.call("long", 9)))["result"]
            talk.cancel(9)
            assert (await look(talk, task))["status"] == "working"

    in_simulated_time(main)


def test_when_the_server_stops_its_tasks_are_cancelled_and_can_be_asked_for_when_it_is_back() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk:
            Long(here)
            task = await talk.called("long")
            await here.stop()
            kept = here.offer.tasks.find("default", task["taskId"])
            assert kept is not None
            assert (kept.status, here.offer.tasks.on_change) == ("cancelled", [])

    in_simulated_time(main)


# --- listening --------------------------------------------------------------------------------------------------------


def test_a_listen_is_told_how_its_tasks_stand_at_once_and_each_time_that_changes() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here, ABLE) as talk, talking(here, ABLE) as silent:
            Long(here, asks=True)
            task = await talk.called("long")
            listen, honoured = await listening(talk, task, {"taskId": "unheard"})
            assert honoured == {"taskIds": [task["taskId"]]}
            news = [await talk.news("notifications/tasks")]
            await asyncio.sleep(56)
            news.append(await talk.news("notifications/tasks"))
            [key] = news[-1]["inputRequests"]
            await talk.result("tasks/update", {"taskId": task["taskId"], "inputResponses": {key: YES}})
            news += [await talk.news("notifications/tasks") for _ in range(2)]
            assert [each["status"] for each in news] == ["working", "input_required", "working", "completed"]
            assert {each["_meta"][wire.META_SUBSCRIPTION] for each in news} == {listen}
            seen = await look(talk, task)
            assert {name: news[-1][name] for name in ("result", "createdAt", "lastUpdatedAt", "ttlMs")} == {
                name: seen[name] for name in ("result", "createdAt", "lastUpdatedAt", "ttlMs")
            }, "what is told is what a look gives, and counts as fetched"
            assert (talk.inbox, silent.inbox) == ([], [])

    in_simulated_time(main)


def test_what_changes_together_is_told_once() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk:
            Long(here)
            sent = await talk.called("long")
            await listening(talk, sent)
            await talk.fence()
            talk.heard("notifications/tasks")
            task = here.offer.tasks.find("default", sent["taskId"])
            assert task is not None
            questions = [ask_roots(key=None, timeout_s=None) for _ in range(3)]
            for question in questions:
                task.ask(question)
            await talk.fence()
            [told] = talk.heard("notifications/tasks")
            assert [*told["inputRequests"]] == ["q1", "q2", "q3"]
            await talk.result("tasks/update", {"taskId": sent["taskId"], "inputResponses": {"q1": {"roots": []}, "q3": {"roots": []}}})
            await talk.fence()
            [told] = talk.heard("notifications/tasks")
            assert [*told["inputRequests"]] == ["q2"]
            questions[1].fail(NotAnswered("nobody answers"))

    in_simulated_time(main)


def test_a_listen_is_told_what_the_function_says_twice_a_second_at_most_and_nobody_else_is() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk, talking(here) as silent:
            Long(here, {0: 200})
            sent = await talk.called("long")
            await listening(talk, sent)
            assert (await talk.news("notifications/tasks"))["_meta"][wire.META_PROGRESS] == {
                "progress": 62,
                "total": 100,
                "message": "reading",
            }
            [call] = here.open_calls("long")
            assert call.context is not None
            for percent in range(63, 80):
                call.context.report_progress(percent, 100, f"page {percent}")
            call.context.log("by the way")
            before, told = loop.time(), await talk.news("notifications/tasks")
            assert loop.time() - before == SAID_EVERY_S
            assert told["_meta"][wire.META_PROGRESS]["message"] == "page 79"
            assert told["statusMessage"].endswith("It said last: page 79")
            seen = await look(talk, sent)
            assert seen["_meta"][wire.META_PROGRESS] == told["_meta"][wire.META_PROGRESS], "what is told is what a look gives"
            call.context.report_progress(90, 100)
            await talk.result("tasks/cancel", {"taskId": sent["taskId"]})
            ended = await talk.news("notifications/tasks")
            assert (ended["status"], wire.META_PROGRESS in ended["_meta"]) == ("cancelled", False)
            await asyncio.sleep(10)
            assert (talk.inbox, silent.inbox) == ([], []), "the end is the last word"

    in_simulated_time(main)


def test_a_cancelled_listen_hears_nothing_more_and_another_one_still_does() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk:
            Long(here)
            task = await talk.called("long")
            first, _ = await listening(talk, task)
            second, _ = await listening(talk, task)
            talk.cancel(first)
            await talk.fence()
            talk.heard("notifications/tasks")
            await asyncio.sleep(56)
            [told] = talk.heard("notifications/tasks")
            assert (told["status"], told["_meta"][wire.META_SUBSCRIPTION]) == ("completed", second)
            talk.cancel(second)
            await talk.fence()
            assert not here.sessions.task_followed(task["taskId"])
            async with talking(here) as other:
                await listening(other, task)
                assert here.sessions.task_followed(task["taskId"])
            assert not here.sessions.task_followed(task["taskId"])

    in_simulated_time(main)


def test_nobody_listens_to_a_foreign_task_or_without_having_declared_it() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk, talking(here, principal="bob") as bob, talking(here, {}) as plain:
            Long(here)
            task = await talk.called("long")
            assert (await listening(bob, task))[1] == {"taskIds": []}
            error = await plain.error("subscriptions/listen", {"notifications": {"taskIds": [task["taskId"]]}})
            assert (error["code"], error["data"]) == (-32021, NEEDED)
            await asyncio.sleep(56)
            assert (bob.inbox, plain.inbox) == ([], [])

    in_simulated_time(main)


def test_tasks_that_are_listened_to_count_among_the_subscriptions_of_a_connection() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house(Limits(subscriptions=2)) as here, talking(here) as talk:
            Long(here)
            task = await talk.called("long")
            await listening(talk, task)
            error = await talk.error("subscriptions/listen", {"notifications": {"taskIds": [task["taskId"]]}})
            assert (error["code"], error["data"]) == (-32603, {"reason": "too many subscriptions"})

    in_simulated_time(main)


# --- results ----------------------------------------------------------------------------------------------------------


def test_a_promised_structure_comes_with_the_task() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk:
            Long(here, gives={"rows": 3})
            task = await talk.called("long")
            assert task["resultType"] == "task", "which breaks no promise"
            await asyncio.sleep(56)
            assert (await look(talk, task))["result"]["structuredContent"] == {"rows": 3}

    in_simulated_time(main)


def test_a_result_that_no_json_carries_is_told_to_be_one_to_who_looks_and_who_listens() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk:
            Long(here, gives=wire.TextContent(text="\ud800"))
            task = await talk.called("long")
            await listening(talk, task)
            await asyncio.sleep(56)
            told = talk.heard("notifications/tasks")[-1]
            assert text_of(told["result"]) == text_of((await look(talk, task))["result"]) == UNWRITABLE

    in_simulated_time(main)


def test_records_name_the_job_and_never_the_task() -> None:
    async def main(loop: SimulatedLoop) -> None:
        async with house() as here, talking(here) as talk:
            Long(here)
            task = await talk.called("long")
            await look(talk, task)
            await talk.error("tasks/get", {"taskId": "unheard"})
            records = {record.method: record for record in here.offer.telemetry.calls(None)}
            assert (records["tools/call"].job, records["tools/call"].outcome) == ("j1", Outcome.OK)
            assert [record.target for record in here.offer.telemetry.calls(None) if record.method == "tasks/get"] == ["j1", ""]
            assert task["taskId"] not in str([(record.target, record.notes, record.error) for record in records.values()])

    in_simulated_time(main)

"""All that is known of one call, as a view is told it over a real socket."""

from __future__ import annotations

import json
import threading
from typing import Any

import pandas as pd
import pytest

from mcp_workbench import Context, Workbench
from mcp_workbench.limits import Limits
from mcp_workbench.views.messages import GetDetail
from tests.support.stage import acquired, running, talking, within
from tests.views.visitor import Visitor, visiting


async def detail(visitor: Visitor, seq: int) -> dict[str, Any]:
    answer = await visitor.ask(GetDetail(id=100 + seq, seq=seq))
    assert answer["type"] == "detail", answer
    return answer


def test_request_answer_notifications_output_and_the_line_for_a_cell() -> None:
    workbench = Workbench("detail")
    workbench.publish(flights=pd.DataFrame({"a": [1, 2]}))

    @workbench.tool
    def count(flights: pd.DataFrame, ctx: Context, n: int = 1) -> int:
        ctx.report_progress(1, 2, "half")
        print("counted")
        return len(flights) + n

    @workbench.tool
    def add(flights: pd.DataFrame, n: int = 1) -> int:
        return len(flights) + n

    @workbench.tool
    def fail() -> None:
        raise ValueError("<b>no</b>")

    async def main() -> None:
        async with visiting(workbench) as visitor, talking(workbench) as talk:
            request_id = talk.ask("tools/call", {"name": "count", "arguments": {"n": 3}}, progressToken="p")
            answer = await talk.answer(request_id)
            told = await detail(visitor, 3)
            assert json.loads(told["request"]["text"])["params"]["arguments"] == {"n": 3}
            assert (json.loads(told["answer"]["text"]), told["answer"]["size"]) == (answer, told["row"]["bytesOut"])
            assert [json.loads(sent["text"])["params"]["message"] for sent in told["meanwhile"]] == ["half"]
            assert (told["output"], told["notes"], "asCell" in told) == ("counted\n", ["flights v1"], False)
            assert told["toolVersion"].startswith("v1@")
            assert "test_detail.py" in told["definedAt"]
            await talk.called("add", flights="flights", n=2)
            assert (await detail(visitor, 4))["asCell"] == "add(flights, n=2)"
            await talk.request("tools/call", {"name": "fail"})
            told = await detail(visitor, 5)
            assert 'raise ValueError("<b>no</b>")' in told["traceback"]
            assert "function_work.py" not in told["traceback"], "the workbench's own way there is nobody's business"
            assert (told["row"]["outcome"], told["asCell"]) == ("tool_error", "fail()")
            parts = [told["row"][f"{phase}Us"] for phase in ("wait", "run", "send")]
            assert sum(parts) == pytest.approx(told["row"]["totalUs"]), "what raised has run too"
            await talk.result("tools/list")
            told = await detail(visitor, 6)
            assert (told["row"]["method"], "tools" in json.loads(told["answer"]["text"])["result"]) == ("tools/list", True)
            for seq in (0, -1, 99):
                refused = await visitor.ask(GetDetail(id=7, seq=seq))
                assert (refused["type"], refused["ok"], "the oldest is 1" in refused["sentence"]) == ("done", False, True)

    with running(workbench):
        within(main)


def test_of_a_callers_mistake_there_is_no_traceback_for_none_of_the_authors_code_was_reached() -> None:
    workbench = Workbench("mistake")

    @workbench.tool
    def add(n: int) -> int:
        return n

    async def main() -> None:
        async with visiting(workbench) as visitor, talking(workbench) as talk:
            await talk.request("tools/call", {"name": "add", "arguments": {"nn": 1}})
            told = await detail(visitor, 3)
            assert (told["row"]["outcome"], "nn" in told["row"]["error"], "traceback" in told) == ("tool_error", True, False)

    with running(workbench):
        within(main)


def test_what_its_client_was_asked_stands_between_with_the_reply() -> None:
    workbench = Workbench("asks")

    @workbench.tool
    def book(ctx: Context) -> str:
        return ctx.elicit("Really?", {"ok": bool}).action

    async def main() -> None:
        async with visiting(workbench) as visitor, talking(workbench, capabilities={"elicitation": {}}) as talk:
            request_id = talk.call("book")
            question = await talk.question("elicitation/create")
            talk.respond(question, {"action": "accept", "content": {"ok": True}})
            await talk.answer(request_id)
            await detail(visitor, 1)  # a turn of the loop, in which the record is made
            seq = next(call.seq for call in workbench.telemetry.calls(None) if call.target == "book")
            said = [json.loads(text["text"]) for text in (await detail(visitor, seq))["meanwhile"]]
            assert [one.get("method") for one in said] == ["elicitation/create", None]
            assert said[1]["result"] == {"action": "accept", "content": {"ok": True}}

    with running(workbench):
        within(main)


def test_of_a_call_that_went_on_as_a_job_both_ends_are_told() -> None:
    workbench = Workbench("job")
    begun, go_on = threading.Semaphore(0), threading.Event()

    @workbench.tool(background_after_s=0.01)
    def fit(epochs: int) -> str:
        begun.release()
        go_on.wait(20)
        return "fitted"

    async def main() -> None:
        async with visiting(workbench) as visitor, talking(workbench) as talk:
            request_id = talk.call("fit", epochs=3)
            await acquired(begun, 1)
            await talk.answer(request_id)
            go_on.set()
            await talk.called("job_wait", job="j1")
            early, late = await detail(visitor, 3), await detail(visitor, 4)
            assert (early["row"]["job"], "job_wait" in early["answer"]["text"]) == ("j1", True)
            assert (late["row"]["method"], "fitted" in late["answer"]["text"], late["asCell"]) == ("job", True, "fit(epochs=3)")
            assert late["request"] == early["request"]

    with running(workbench):
        within(main)


@pytest.mark.parametrize("limits", [Limits(messages_bytes=0), Limits(messages_bytes=1)])
def test_without_texts_the_record_is_still_told(limits: Limits) -> None:
    workbench = Workbench("bare", limits=limits)

    async def main() -> None:
        async with visiting(workbench) as visitor, talking(workbench) as talk:
            await talk.result("tools/list")
            told = await detail(visitor, 3)
            assert (told["row"]["outcome"], "request" in told, "answer" in told) == ("ok", False, False)

    with running(workbench, limits=limits):
        within(main)


def test_before_any_call_has_ended_there_is_none() -> None:
    workbench = Workbench("quiet")

    async def main() -> None:
        async with visiting(workbench) as visitor:
            assert (await visitor.ask(GetDetail(id=1, seq=1)))["sentence"] == "No call has ended yet."

    with running(workbench):
        within(main)

"""Calls made again, as a view asks for it over a real socket."""

from __future__ import annotations

import json
from typing import Any

from mcp_workbench import Workbench
from mcp_workbench.telemetry import Side
from mcp_workbench.views.actions import resend as module
from mcp_workbench.views.messages import GetDetail, GetText, Resend
from tests.support.stage import running, talking, within
from tests.views.rig import no_server
from tests.views.visitor import Visitor, visiting
from tests.views.wire_log import WireLog


async def detail(visitor: Visitor, seq: int) -> dict[str, Any]:
    return await visitor.ask(GetDetail(id=1_000 + seq, seq=seq))


def test_a_call_is_made_again_with_other_arguments_and_is_a_call_of_its_own() -> None:
    workbench = Workbench("resend")
    wiped: list[str] = []

    @workbench.tool
    def add(a: int, b: int = 1) -> int:
        return a + b

    @workbench.tool(destructive=True)
    def wipe(name: str) -> str:
        wiped.append(name)
        return name

    async def main() -> None:
        async with visiting(workbench) as visitor, talking(workbench) as talk:
            await talk.called("add", a=1, b=2)
            first = await detail(visitor, 3)
            assert (first["resend"], json.loads(first["arguments"])) == ("yes", {"a": 1, "b": 2})

            answer = await visitor.ask(Resend(id=1, seq=3, arguments='{"a": 40}'))
            assert answer["type"] == "resent", answer
            made = await detail(visitor, answer["seq"])
            assert (made["row"]["principal"], made["row"]["session"] != first["row"]["session"]) == ("notebook", True)
            assert json.loads(made["answer"]["text"])["result"]["content"][0]["text"] == "41"

            await talk.called("wipe", name="x")
            await detail(visitor, 3)  # a turn of the loop, in which the record is made
            seq = next(call.seq for call in workbench.telemetry.calls(None) if call.target == "wipe")
            assert (await detail(visitor, seq))["resend"] == "asks"
            refused = await visitor.ask(Resend(id=2, seq=seq, arguments='{"name": "y"}'))
            assert "destroys" in refused["sentence"]
            assert wiped == ["x"]
            done = await visitor.ask(Resend(id=3, seq=seq, arguments='{"name": "y"}', sure=True))
            assert (done["type"], wiped) == ("resent", ["x", "y"])

            failed = await visitor.ask(Resend(id=4, seq=3, arguments='{"c": 40}'))
            assert (await detail(visitor, failed["seq"]))["row"]["outcome"] == "tool_error", "an error is an answer"
            for arguments in ("[1]", "{no", ""):
                refused = await visitor.ask(Resend(id=5, seq=3, arguments=arguments))
                assert "one JSON object" in refused["sentence"]
            for gone in (0, 99_999):
                assert not (await visitor.ask(Resend(id=6, seq=gone, arguments="{}")))["ok"]

            text = await visitor.ask(GetText(id=7, seq=first["requestSeq"]))
            assert (json.loads(text["text"]["text"])["params"]["name"], text["call"]) == ("add", 3)

    with running(workbench):
        within(main)


def test_what_went_to_another_server_or_opens_a_conversation_or_has_lost_its_text_is_not_offered_again() -> None:
    log = WireLog()
    elsewhere, opening, lost = log.call("add"), log.call("add"), log.call("add")
    elsewhere.side, opening.method, lost.request = Side.CLIENT, "initialize", None
    assert [module.offered(call, no_server()) for call in (elsewhere, opening, lost)] == [("", "")] * 3


def test_one_that_takes_long_is_said_to_run(monkeypatch: Any) -> None:
    workbench = Workbench("resend long")
    monkeypatch.setattr(module, "PATIENCE_S", 0.0)

    @workbench.tool
    def add(a: int) -> int:
        return a

    async def main() -> None:
        async with visiting(workbench, "calls") as visitor, talking(workbench) as talk:
            await talk.called("add", a=1)
            answer = await visitor.ask(Resend(id=1, seq=3, arguments='{"a": 2}'))
            assert (answer["type"], answer["ok"]) == ("done", True)
            assert "runs" in answer["sentence"]
            while workbench.telemetry.calls(1)[0].principal != "notebook" or workbench.telemetry.calls(1)[0].target != "add":
                await visitor.hear()

    with running(workbench):
        within(main)

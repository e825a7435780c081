"""What tools print, warn of and log, as a client hears it: when it has asked, and only then."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

import pytest

import mcp_workbench as wb
from mcp_workbench.protocol import wire
from tests.interaction.requirements import LEGACY, MODERN, requirement, versions
from tests.support.oracle import Message
from tests.support.stage import Stage
from tests.support.talk import Talk, text_of

LOG = "notifications/message"
SAID = [
    {"level": "info", "logger": "stdout", "data": "begins"},
    {"level": "warning", "logger": "stderr", "data": "a complaint"},
    {"level": "error", "logger": "loader", "data": "3 rows lost"},
    {"level": "info", "data": "through the context"},
    {"level": "info", "logger": "stdout", "data": "no end of line"},
]
RECORD = "begins\na complaint\nERROR:loader:3 rows lost\nno end of line"


def speak(ctx: wb.Context | wb.AsyncContext) -> None:
    print("begins")
    print("a complaint", file=sys.stderr)
    logging.getLogger("loader").error("%d rows lost", 3)
    ctx.log("through the context")
    print("no end of line", end="")


@pytest.fixture(autouse=True)
def silent_loader() -> Any:
    """The author's handler, which writes nowhere."""
    logger = logging.getLogger("loader")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    yield
    logger.propagate = True
    logger.handlers.clear()


def _speaking(stage: Stage) -> None:
    @stage.workbench.tool
    def in_thread(ctx: wb.Context) -> str:
        speak(ctx)
        return "said"

    @stage.workbench.tool
    async def in_task(ctx: wb.AsyncContext) -> str:
        await asyncio.to_thread(speak, ctx)
        return "said"

    @stage.workbench.tool(run_on="inline")
    def inline(ctx: wb.Context) -> str:
        speak(ctx)
        return "said"

    @stage.workbench.resource("speaking://x")
    def speaking() -> str:
        print("begins")
        return "text"


TOOLS = ("in_thread", "in_task", "inline")


def _outputs(stage: Stage) -> list[str]:
    return [record.output for record in stage.workbench.telemetry.calls() if record.method in ("tools/call", "resources/read")]


@requirement("logging-level")
@versions(*LEGACY)
def test_a_client_that_set_a_level_hears_lines_of_that_level_before_the_answer(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    _speaking(stage)

    async def main(talk: Talk) -> None:
        for level, heard in (("info", SAID), ("warning", SAID[1:3]), ("critical", [])):
            await talk.result("logging/setLevel", {"level": level})
            for tool in TOOLS:
                assert text_of(await talk.called(tool)) == "said"
                assert talk.heard(LOG) == heard
        await talk.result("logging/setLevel", {"level": "info"})
        await talk.result("resources/read", {"uri": "speaking://x"})
        assert talk.heard(LOG) == SAID[:1]

    stage.play(main)
    assert _outputs(stage) == [RECORD] * 9 + ["begins\n"]
    assert capfd.readouterr() == ("", "")


@requirement("logging-level")
@versions(*LEGACY)
def test_a_client_that_set_no_level_hears_what_the_tool_sends_and_nothing_it_prints(stage: Stage) -> None:
    _speaking(stage)

    async def main(talk: Talk) -> None:
        for tool in TOOLS:
            await talk.called(tool)
        await talk.fence()
        assert talk.heard(LOG) == [SAID[3]] * 3

    stage.play(main)
    assert _outputs(stage) == [RECORD] * 3


@requirement("logging-request")
@versions(*MODERN)
def test_only_the_request_that_names_a_level_hears_what_its_call_prints(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    _speaking(stage)

    async def main(talk: Talk) -> None:
        async def heard(tool: str, **meta: Any) -> list[Message]:
            await talk.result("tools/call", {"name": tool}, **meta)
            return talk.heard(LOG)

        for tool in TOOLS:
            assert await heard(tool, **{wire.META_LOG_LEVEL: "info"}) == SAID
            assert await heard(tool) == []
            assert await heard(tool, **{wire.META_LOG_LEVEL: "error"}) == SAID[2:3]
        await talk.fence()
        assert talk.inbox == []

    stage.play(main)
    assert _outputs(stage) == [RECORD] * 9
    assert capfd.readouterr() == ("", "")


@requirement("tools-call-none")
def test_a_function_that_prints_and_returns_nothing_is_answered_with_what_it_printed(stage: Stage) -> None:
    @stage.workbench.tool
    def report() -> None:
        print("3 routes")
        print("a complaint", file=sys.stderr)

    @stage.workbench.tool
    async def report_async() -> None:
        print("3 routes")

    @stage.workbench.tool
    def value() -> int:
        print("not shown")
        return 3

    async def main(talk: Talk) -> None:
        assert text_of(await talk.called("report")) == "Printed:\n3 routes"
        assert text_of(await talk.called("report_async")) == "Printed:\n3 routes"
        assert text_of(await talk.called("value")) == "3"

    stage.play(main)


@requirement("tools-call-image")
def test_figures_that_a_tool_draws_with_pyplot_follow_its_value(stage: Stage) -> None:
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    mine = plt.figure()

    @stage.workbench.tool
    def draw() -> str:
        plt.plot([1, 2])
        plt.show()
        plt.subplots(1, 2)
        return "two"

    @stage.workbench.tool
    async def draw_async() -> None:
        await asyncio.sleep(0)
        plt.plot([1, 2])

    async def main(talk: Talk) -> None:
        assert [item["type"] for item in (await talk.called("draw"))["content"]] == ["text", "image", "image"]
        assert [item["type"] for item in (await talk.called("draw_async"))["content"]] == ["image"]

    stage.play(main)
    assert (plt.gcf() is mine, plt.get_fignums(), mine.axes) == (True, [1], [])
    plt.close("all")

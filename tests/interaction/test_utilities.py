"""Pages, cancelling, progress and logging."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import mcp_workbench as wb
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.cursors import PAGE_SIZE
from mcp_workbench.protocol.versions import V2025_11_25
from tests.interaction.requirements import LEGACY, MODERN, requirement, versions
from tests.support.stage import Stage, happened
from tests.support.talk import CLIENT, Talk, text_of

PROGRESS = "notifications/progress"
LOG = "notifications/message"


@requirement("pagination")
@requirement("pagination-cursor")
def test_pages_join_to_the_whole(stage: Stage) -> None:
    names = [f"tool_{number:04}" for number in range(PAGE_SIZE + 3)]

    def nothing() -> None: ...

    for name in names:
        stage.workbench.tool(name=name)(nothing)

    async def main(talk: Talk) -> None:
        first = await talk.result("tools/list")
        stage.workbench.unpublish(names[PAGE_SIZE - 1])
        second = await talk.result("tools/list", {"cursor": first["nextCursor"]})
        assert [tool["name"] for tool in first["tools"] + second["tools"]] == names
        assert "nextCursor" not in second
        for cursor in ("nonsense", "", first["nextCursor"][:-2], "dG9vbHM="):
            assert (await talk.error("tools/list", {"cursor": cursor}))["code"] == -32602
        assert (await talk.error("prompts/list", {"cursor": first["nextCursor"]}))["code"] == -32602

    stage.play(main)


@requirement("pagination")
@requirement("cache-pages")
@versions(*MODERN)
def test_every_kind_of_list_comes_in_pages_of_one_scope(stage: Stage) -> None:
    _long_lists(stage)

    async def main(talk: Talk) -> None:
        for pages in [await _pages(talk, *kind) for kind in KINDS]:
            assert len({page["cacheScope"] for page in pages}) == 1

    stage.play(main)


@requirement("pagination")
@versions(V2025_11_25)
def test_every_kind_of_list_comes_in_pages(stage: Stage) -> None:
    _long_lists(stage)

    async def main(talk: Talk) -> None:
        for kind in KINDS:
            await _pages(talk, *kind)

    stage.play(main)


KINDS = (("prompts", "prompts"), ("resources", "resources"), ("resources/templates", "resourceTemplates"))


def _long_lists(stage: Stage) -> None:
    def nothing() -> None: ...

    for number in range(PAGE_SIZE + 1):
        stage.workbench.prompt(name=f"n{number:04}")(nothing)
        stage.workbench.resource(f"n://{number:04}", name=f"n{number:04}")(nothing)
        stage.workbench.resource(f"t{number:04}://{{x}}", name=f"t{number:04}")(lambda x: x)


async def _pages(talk: Talk, kind: str, key: str) -> list[dict[str, Any]]:
    """The pages of a list, once they are seen to join to a whole."""
    pages = [await talk.result(f"{kind}/list")]
    while (cursor := pages[-1].get("nextCursor")) is not None:
        pages.append(await talk.result(f"{kind}/list", {"cursor": cursor}))
    names = [entry.get("uri", entry.get("uriTemplate", entry["name"])) for page in pages for entry in page[key]]
    assert (len(pages), len(names), names) == (2, len(set(names)), sorted(names))
    assert len(names) > PAGE_SIZE
    return pages


@requirement("cancel")
def test_after_a_cancel_nothing_more_is_sent(stage: Stage) -> None:
    begun, told = threading.Event(), threading.Event()

    @stage.workbench.tool
    def count(ctx: wb.Context) -> str:
        begun.set()
        number = 0
        while not ctx.cancelled:
            number += 1
            ctx.report_progress(number)
            ctx.log(f"{number}")
        told.set()
        ctx.report_progress(number + 1)
        return "too late"

    @stage.workbench.tool
    async def sleep() -> str:
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            told.set()
        return "never"

    async def main(talk: Talk) -> None:
        for tool in ("count", "sleep"):
            begun.clear()
            told.clear()
            call = talk.ask("tools/call", {"name": tool}, progressToken="p", **_wants_logs(talk))
            await happened(begun)
            talk.cancel(call, "changed my mind")
            await talk.fence()
            talk.inbox.clear()
            await happened(told)
            await talk.until(lambda: stage.workbench.status().execution["abandoned"] == 0)
            assert talk.inbox == []
        assert [record.outcome for record in stage.workbench.telemetry.calls() if record.method == "tools/call"] == ["cancelled"] * 2

    stage.play(main)


def _wants_logs(talk: Talk) -> dict[str, Any]:
    return {wire.META_LOG_LEVEL: "info"} if talk.modern else {}


@requirement("cancel-waiting")
def test_a_waiting_call_can_be_cancelled_and_is_never_run(stage: Stage) -> None:
    release, ran = threading.Event(), []

    @stage.workbench.tool
    def hold(n: int) -> int:
        ran.append(n)
        release.wait()
        return n

    async def main(talk: Talk) -> None:
        first, second, third = [talk.call("hold", n=number) for number in range(3)]
        talk.cancel(second)
        await talk.fence()
        release.set()
        await talk.answer(first)
        await talk.answer(third)
        assert (ran, talk.inbox) == ([0, 2], [])

    stage.play(main, limits=wb.Limits(running_calls=1))


@requirement("cancel-late")
def test_a_cancel_of_nothing_is_ignored(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        finished = talk.ask("tools/list")
        await talk.answer(finished)
        for params in ({"requestId": finished}, {"requestId": "nope"}, {"requestId": 2**63}, {"requestId": 1, "reason": "x" * 100_000}):
            talk.notify("notifications/cancelled", params)
        for broken in ({"requestId": None}, {"requestId": {"a": 1}}, {"requestId": 1.5}, {}):
            talk.notify("notifications/cancelled", broken)
        await talk.fence()
        assert talk.inbox == []
        [session] = stage.workbench.sessions
        assert session.record.ignored == {"cancel of an unknown or finished request": 4, "broken notification": 4}

    stage.play(main)


@requirement("cancel-initialize")
@versions(*LEGACY)
def test_initialize_cannot_be_cancelled(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        opening = talk.ask("initialize", {"protocolVersion": stage.version, "capabilities": {}, "clientInfo": CLIENT})
        talk.cancel(opening)
        assert (await talk.answer(opening))["result"]["protocolVersion"] == stage.version

    stage.play(main, opened=False)


@requirement("progress")
def test_progress_comes_under_its_token_increasing_and_before_the_answer(stage: Stage) -> None:
    @stage.workbench.tool
    def work(ctx: wb.Context) -> str:
        for number in (1, 2, 2, 1, float("nan"), 3):
            ctx.report_progress(number, 3, f"step {number}")
        return "done"

    @stage.workbench.tool
    async def work_async(ctx: wb.AsyncContext) -> str:
        await ctx.report_progress(1, 1)
        return "done"

    async def main(talk: Talk) -> None:
        for tool, token in (("work", "t"), ("work_async", 77)):
            call = talk.ask("tools/call", {"name": tool}, progressToken=token)
            reports = []
            while True:
                message = await talk.take(lambda message: True)
                if "method" not in message:
                    break
                reports.append(message["params"])
            assert message["id"] == call
            assert {report["progressToken"] for report in reports} == {token}
            values = [report["progress"] for report in reports]
            assert values == sorted(set(values))
            assert values[-1] == (3 if tool == "work" else 1)

    stage.play(main)


@requirement("progress-token")
def test_a_token_is_a_text_or_an_integer(stage: Stage) -> None:
    @stage.workbench.tool
    def work(ctx: wb.Context) -> str:
        ctx.report_progress(1)
        return "done"

    async def main(talk: Talk) -> None:
        no_tokens: tuple[Any, ...] = (None, True, 1.5, [], {})
        for token in no_tokens:
            assert (await talk.error("tools/call", {"name": "work"}, progressToken=token))["code"] == -32602, token
        for token in ("", 0, -1, 2**53):
            await talk.result("tools/call", {"name": "work"}, progressToken=token)
            assert [report["progressToken"] for report in talk.heard(PROGRESS)] == [token]

    stage.play(main)


@requirement("progress-ended")
def test_who_reports_on_behind_the_answer_is_not_heard(stage: Stage) -> None:
    release, reported = threading.Event(), threading.Event()

    @stage.workbench.tool
    def work(ctx: wb.Context) -> str:
        def go_on() -> None:
            release.wait()
            ctx.report_progress(2)
            ctx.log("too late")
            reported.set()

        threading.Thread(target=go_on, daemon=True).start()
        ctx.report_progress(1)
        return "done"

    async def main(talk: Talk) -> None:
        if not talk.modern:
            await talk.result("logging/setLevel", {"level": "debug"})
        await talk.result("tools/call", {"name": "work"}, progressToken="p", **_wants_logs(talk))
        assert [report["progress"] for report in talk.heard(PROGRESS)] == [1]
        release.set()
        await happened(reported)
        await talk.fence()
        assert talk.inbox == []

    stage.play(main)


@requirement("progress-unasked")
def test_without_a_token_there_is_no_progress(stage: Stage) -> None:
    @stage.workbench.tool
    def work(ctx: wb.Context) -> str:
        ctx.report_progress(1)
        return "done"

    async def main(talk: Talk) -> None:
        assert text_of(await talk.called("work")) == "done"
        await talk.fence()
        assert talk.inbox == []

    stage.play(main)


def _chatty(stage: Stage) -> None:
    @stage.workbench.tool
    def chat(ctx: wb.Context) -> str:
        ctx.log("small", level="debug")
        ctx.log({"rows": 3}, level="warning", logger="loader")
        return "done"


@requirement("logging-level")
@versions(*LEGACY)
def test_the_level_decides_which_messages_come(stage: Stage) -> None:
    _chatty(stage)

    async def main(talk: Talk) -> None:
        for level, expected in (("debug", ["debug", "warning"]), ("warning", ["warning"]), ("error", [])):
            assert await talk.result("logging/setLevel", {"level": level}) == {}
            await talk.called("chat")
            heard = talk.heard(LOG)
            assert [message["level"] for message in heard] == expected
        assert talk.inbox == []

    stage.play(main)


@requirement("logging-request")
@versions(*MODERN)
def test_only_a_request_that_names_a_level_gets_messages(stage: Stage) -> None:
    _chatty(stage)

    async def main(talk: Talk) -> None:
        await talk.called("chat")
        assert talk.heard(LOG) == []
        await talk.result("tools/call", {"name": "chat"}, **{wire.META_LOG_LEVEL: "info"})
        assert talk.heard(LOG) == [{"level": "warning", "logger": "loader", "data": {"rows": 3}}]

    stage.play(main)


LEVELS: tuple[wire.LogLevel, ...] = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")


def _all_levels(stage: Stage) -> None:
    @stage.workbench.tool
    def everything(ctx: wb.Context) -> None:
        for level in LEVELS:
            ctx.log(level, level=level)


@requirement("logging-level")
@versions(*LEGACY)
def test_the_eight_levels_are_in_order(stage: Stage) -> None:
    _all_levels(stage)

    async def main(talk: Talk) -> None:
        for position, level in enumerate(LEVELS):
            assert await talk.result("logging/setLevel", {"level": level}) == {}
            await talk.called("everything")
            assert tuple(message["level"] for message in talk.heard(LOG)) == LEVELS[position:]

    stage.play(main)


@requirement("logging-request")
@versions(*MODERN)
def test_each_request_gets_messages_from_its_own_level_on(stage: Stage) -> None:
    _all_levels(stage)

    async def main(talk: Talk) -> None:
        for position, level in enumerate(LEVELS):
            await talk.result("tools/call", {"name": "everything"}, **{wire.META_LOG_LEVEL: level})
            assert tuple(message["level"] for message in talk.heard(LOG)) == LEVELS[position:]

    stage.play(main)


@requirement("logging-invalid-level")
def test_an_unknown_level_is_invalid_params(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        if stage.modern:
            error = await talk.error("tools/list", **{wire.META_LOG_LEVEL: "loud"})
        else:
            error = await talk.error("logging/setLevel", {"level": "loud"})
        assert (error["code"], "loud" in error["message"]) == (-32602, False)

    stage.play(main)

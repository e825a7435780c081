"""docs/errors.md, row by row: each situation is made to happen on a running server.

A row without a scene here fails, and so does a scene without a row; the outcome and the words told to the
client are compared with what the page says.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import mcp_workbench as wb
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from mcp_workbench.sessions.session import Session
from mcp_workbench.tasks import start_task
from tests.support.clock import Later
from tests.support.oracle import Message
from tests.support.stage import on_loop, running, server_of, talking, within
from tests.support.talk import CLIENT, META, Talk, text_of

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


@dataclass(frozen=True)
class Row:
    """One line of the page's table."""

    situation: str
    outcome: str
    words: str


def _rows() -> list[Row]:
    table = re.findall(r"^\| ([^|]+) \| ([^|]+) \|([^|]*)\|$", PAGE.read_text(), re.MULTILINE)
    return [Row(situation, outcome, words.strip()) for situation, outcome, words in table if situation != "situation"]


Act = Callable[[wb.Workbench, Talk], Awaitable[Message | None]]


@dataclass(frozen=True)
class Scene:
    """How a situation is brought about."""

    act: Act
    version: str
    opened: bool
    capabilities: Message
    limits: wb.Limits = field(default_factory=wb.Limits)


SCENES: dict[str, Scene] = {}


def scene(
    situation: str, version: str = LATEST_LEGACY, *, opened: bool = True, capabilities: Message | None = None, **limits: Any
) -> Callable[[Act], Act]:
    """Name the row; the function plays it and returns the answer, None where none is due."""

    def note(act: Act) -> Act:
        assert situation not in SCENES, f"{situation} is played twice"
        SCENES[situation] = Scene(act, version, opened, capabilities or {}, wb.Limits(**limits))
        return act

    return note


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.situation.replace(" ", "_"))
def test_what_the_page_says_happens(row: Row) -> None:
    assert row.situation in SCENES, "this row has no scene"
    scene = SCENES[row.situation]
    workbench = wb.Workbench(name="errors")

    async def main() -> None:
        async with talking(workbench, scene.version, opened=scene.opened, capabilities=scene.capabilities) as talk:
            answer = await scene.act(workbench, talk)
            if row.outcome == "ignored":
                await _compare_ignored(workbench, talk, row, answer)
            else:
                _compare(row, answer)

    with running(workbench, limits=scene.limits):
        within(main)


def _compare(row: Row, answer: Message | None) -> None:
    assert answer is not None
    if row.outcome in ("isError", "result"):
        assert answer["result"].get("isError", False) is (row.outcome == "isError")
        said = text_of(answer["result"])
    elif row.outcome == "task":
        assert answer["result"]["resultType"] == "task"
        said = answer["result"]["statusMessage"]
    else:
        assert f"error {answer['error']['code']}" == row.outcome
        said = answer["error"]["message"]
    assert row.words == "the author's words" or row.words in said, said
    assert row.words != "the author's words" or said == "the author's words"


async def _compare_ignored(workbench: wb.Workbench, talk: Talk, row: Row, answer: Message | None) -> None:
    assert answer is None
    await talk.fence()
    talk.heard("notifications/tools/list_changed")
    assert talk.inbox == []
    [session] = workbench.sessions
    assert session.record.ignored == ({row.words: 1} if row.words else {})


def test_every_scene_has_its_row() -> None:
    assert SCENES.keys() - {row.situation for row in _rows()} == set()


def test_the_page_names_no_situation_twice() -> None:
    situations = [row.situation for row in _rows()]
    assert len(situations) > 40
    assert len(set(situations)) == len(situations)


# --- texts and messages ---------------------------------------------------------------------------------


@scene("text that is no JSON")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    talk.say(b"{nonsense")
    return await talk.answer(None)


@scene("JSON that is no message")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    talk.say(b'{"jsonrpc":"2.0"}')
    return await talk.answer(None)


@scene("nested deeper than 128 levels")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    talk.say(b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":' + b"[" * 127 + b"]" * 127 + b"}}")
    return await talk.answer(1)


@scene("batch on a connection without batches")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    talk.channel.send(b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]')
    return await talk.answer(None)


@scene("batch of more than 64", "2025-03-26")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    talk.channel.send(b"[" + b",".join([b'{"jsonrpc":"2.0","id":1,"method":"ping"}'] * 65) + b"]")
    return await talk.answer(None)


@scene("id of a request still in flight")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    release = threading.Event()

    @workbench.tool
    def hold() -> None:
        release.wait()

    talk.call("hold", "x")
    talk.ask("ping", request_id="x")
    answer = await talk.answer("x")
    release.set()
    await talk.answer("x")
    return answer


# --- opening ----------------------------------------------------------------------------------------------


@scene("request before initialize", opened=False)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("tools/list")


@scene("second initialize")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("initialize", {"protocolVersion": LATEST_LEGACY, "capabilities": {}, "clientInfo": CLIENT})


@scene("enveloped request after initialize")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("tools/list", {"_meta": META})


@scene("initialize on a modern connection", LATEST_MODERN)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    params = {"protocolVersion": LATEST_LEGACY, "capabilities": {}, "clientInfo": CLIENT}
    talk.say({"jsonrpc": "2.0", "id": 90, "method": "initialize", "params": params})
    return await talk.answer(90)


@scene("modern request with an unknown version", LATEST_MODERN)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("tools/list", None, **{wire.META_VERSION: "2031-01-01"})


@scene("modern request without _meta", LATEST_MODERN)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    talk.say({"jsonrpc": "2.0", "id": 90, "method": "tools/list"})
    return await talk.answer(90)


# --- methods and what they name ---------------------------------------------------------------------------


@scene("unknown method")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("tools/destroy")


@scene("method of another era")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("server/discover")


@scene("params of the wrong shape")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("tools/call", {"name": 7})


@scene("foreign cursor")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("tools/list", {"cursor": "mine"})


@scene("unknown tool")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("tools/call", {"name": "absent"})


@scene("df URI with a part that there is not")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    workbench.publish(flights=pd.DataFrame({"dep_delay": [1]}))
    return await talk.request("resources/read", {"uri": "df://flights/descrbe"})


@scene("unknown prompt")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("prompts/get", {"name": "absent"})


@scene("wrong prompt arguments")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.prompt
    def ask(topic: str) -> str:
        return topic

    return await talk.request("prompts/get", {"name": "ask", "arguments": {"subject": "x"}})


@scene("completion of nothing")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("completion/complete", {"ref": {"type": "ref/prompt", "name": "x"}, "argument": {"name": "a", "value": ""}})


@scene("unknown resource, legacy")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("resources/read", {"uri": "note://absent"})


@scene("unknown resource, modern", LATEST_MODERN)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("resources/read", {"uri": "note://absent"})


@scene("unknown published name")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    workbench.publish(flights=pd.DataFrame({"a": [1]}))
    return await talk.request("resources/read", {"uri": "df://fligths"})


@scene("template variable that does not fit")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.resource("day://{number}")
    def day(number: int) -> str:
        return str(number)

    return await talk.request("resources/read", {"uri": "day://monday"})


@scene("bad parameter of a df URI")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    workbench.publish(flights=pd.DataFrame({"delay": [1]}))
    return await talk.request("resources/read", {"uri": "df://flights/rows?columns=dely"})


@scene("result that is not kept")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("resources/read", {"uri": "result://_r7"})


@scene("bad parameter of a result URI")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("resources/read", {"uri": "result://_r7?ofset=3"})


@scene("too many subscriptions", subscriptions=1)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    workbench.publish(flights=pd.DataFrame({"a": [1]}))
    await talk.result("resources/subscribe", {"uri": "df://flights"})
    return await talk.request("resources/subscribe", {"uri": "df://flights/schema"})


# --- the author's functions that are no tools -----------------------------------------------------------------


def _boom(*_args: object) -> Any:
    raise ValueError("boom")


@scene("resource function raises")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.resource("note://x")
    def note() -> str:
        raise ValueError("boom")

    return await talk.request("resources/read", {"uri": "note://x"})


@scene("prompt function raises")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.prompt
    def ask() -> str:
        raise ValueError("boom")

    return await talk.request("prompts/get", {"name": "ask"})


@scene("completer raises")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.prompt(completions={"topic": _boom})
    def ask(topic: str) -> str:
        return topic

    return await talk.request(
        "completion/complete", {"ref": {"type": "ref/prompt", "name": "ask"}, "argument": {"name": "topic", "value": ""}}
    )


@scene("resource too large", max_result_bytes=10_000)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.resource("note://x")
    def note() -> str:
        return "x" * 20_000

    return await talk.request("resources/read", {"uri": "note://x"})


@scene("too many reads on one connection", running_calls=1, backlog_messages=0)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    release = threading.Event()

    @workbench.resource("note://x")
    def note() -> str:
        release.wait()
        return "x"

    first = talk.ask("resources/read", {"uri": "note://x"})
    answer = await talk.request("resources/read", {"uri": "note://x"})
    release.set()
    await talk.answer(first)
    return answer


@scene("fault of the server itself")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    def fault(*_args: object) -> None:
        raise RuntimeError("injected")

    server_of(workbench).sessions._handler._table["prompts/list"] = fault  # type: ignore[attr-defined]  # the Handler behind the protocol
    return await talk.request("prompts/list")


# --- tools ------------------------------------------------------------------------------------------------------


async def _called(talk: Talk, tool: str, **arguments: object) -> Message:
    return await talk.answer(talk.call(tool, **arguments))


@scene("wrong tool arguments")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.tool
    def add(a: int) -> int:
        return a

    return await _called(talk, "add", a="x")


@scene("function that notebook_call does not find")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await _called(talk, "notebook_call", function="absent")


@scene("function's arguments beside those of notebook_call")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await _called(talk, "notebook_call", function="absent", n=1)


@scene("column that a DataFrame does not have")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    workbench.publish(flights=pd.DataFrame({"dep_delay": [1]}))
    return await _called(talk, "df_read", name="flights", where="depdelay > 60")


@scene("tool raises")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    workbench.tool(name="boom")(_raise)
    return await _called(talk, "boom")


def _raise() -> None:
    raise ValueError("boom")


@scene("tool raises ToolError")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.tool
    def refuse() -> None:
        raise wb.ToolError("the author's words")

    return await _called(talk, "refuse")


@scene("tool exits")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.tool
    def leave() -> None:
        raise SystemExit(3)

    return await _called(talk, "leave")


@scene("tool returns what has no JSON form")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.tool
    def thing() -> object:
        return object()

    return await _called(talk, "thing")


@scene("tool returns a lazy table that cannot be read")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.tool
    def lazily() -> pl.LazyFrame:
        return pl.LazyFrame({"a": [1]}).select("b")

    return await _called(talk, "lazily")


@scene("tool result breaks its annotation")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.tool
    def totals() -> dict[str, int]:
        return {"a": "one"}  # type: ignore[dict-item]  # that is the mistake

    return await _called(talk, "totals")


@scene("tool result too large", max_result_bytes=10_000)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.tool
    def much() -> wire.TextContent:
        return wire.TextContent(text="x" * 20_000)

    return await _called(talk, "much")


@scene("promised tool result too large", max_result_bytes=10_000)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.tool
    def much() -> dict[str, str]:
        return {"a": "x" * 20_000}

    return await _called(talk, "much")


@scene("tool result that JSON cannot carry")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.tool
    def broken() -> wire.TextContent:
        return wire.TextContent(text="\ud800")

    return await _called(talk, "broken")


@scene("tool runs longer than its timeout")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    release = threading.Event()

    @workbench.tool(timeout_s=0.01)
    def hold() -> None:
        release.wait()

    answer = await _called(talk, "hold")
    release.set()
    return answer


@scene("too many calls on one connection", running_calls=1, backlog_messages=1)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    release = threading.Event()

    @workbench.tool
    def hold() -> None:
        release.wait()

    waiting = [talk.call("hold") for _ in range(2)]
    answer = await _called(talk, "hold")
    release.set()
    for request_id in waiting:
        assert "result" in await talk.answer(request_id)
    return answer


# --- calls that take long ---------------------------------------------------------------------------------------


@scene("too many waiting calls on one connection", parked_calls=1, stop_grace_s=0.01)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    await _long_call(workbench, talk)
    talk.call("job_wait", job="j1")
    return await _called(talk, "job_wait", job="j1")


@scene("call that takes long", stop_grace_s=0.01)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await _long_call(workbench, talk)


@scene("call that takes long, of a tool with an output schema", stop_grace_s=0.01)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    @workbench.tool(background_after_s=0.001)
    async def totals() -> dict[str, int]:
        await asyncio.Event().wait()
        return {}

    return await _called(talk, "totals")


@scene("call that takes long while as many jobs run as may", running_jobs=0)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    release = _held(workbench, background_after_s=45)
    call, later = talk.call("hold"), Later(workbench)
    await talk.fence()
    await asyncio.to_thread(later.let_pass, 100)
    await talk.fence()
    release.set()
    return await talk.answer(call)


TAKES: Message = {"extensions": {wire.TASKS: {}}}


@scene("call that takes long, of a client that takes tasks", LATEST_MODERN, capabilities=TAKES, stop_grace_s=0.01)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await _long_call(workbench, talk)


async def _needing(workbench: wb.Workbench, talk: Talk) -> Message:
    @workbench.tool(needs_task=True)
    async def needing() -> None: ...

    return await _called(talk, "needing")


@scene("call that needs a task, modern", LATEST_MODERN)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await _needing(workbench, talk)


@scene("call that needs a task, legacy")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await _needing(workbench, talk)


@scene("tasks/* or a listen for tasks by a client that takes none", LATEST_MODERN)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    error = await talk.error("subscriptions/listen", {"notifications": {"taskIds": ["t1"]}})
    assert error["code"] == -32021
    return await talk.request("tasks/get", {"taskId": "t1"})


@scene("task that there is not, or somebody else's", LATEST_MODERN, capabilities=TAKES, stop_grace_s=0.01)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    workbench.tokens.add("alice")
    async with talking(workbench, LATEST_MODERN, principal="alice", capabilities=TAKES) as alice:
        hers = (await _long_call(workbench, alice))["result"]["taskId"]
        return await talk.request("tasks/cancel", {"taskId": hers})


@scene("call repeated while it runs as a job", stop_grace_s=0.01)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    await _long_call(workbench, talk)
    return await _called(talk, "forever")


@scene("job_wait of a job that goes on", stop_grace_s=0.01)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    await _long_call(workbench, talk)
    return await _called(talk, "job_wait", job="j1", wait_s=0)


@scene("unknown job, or somebody else's", stop_grace_s=0.01)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    workbench.tokens.add("alice")
    async with talking(workbench, principal="alice") as alice:
        await _long_call(workbench, alice)
        unknown, hers = [text_of((await _called(talk, "job_wait", job=job))["result"]) for job in ("j7", "j1")]
        assert unknown.replace("j7", "j1") == hers
        return await _called(talk, "job_cancel", job="j1")


@scene("job that was cancelled")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    await _long_call(workbench, talk)
    await _called(talk, "job_cancel", job="j1")
    return await _called(talk, "job_wait", job="j1")


@scene("job that ran when the server stopped", stop_grace_s=0.01)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    await _long_call(workbench, talk)
    await asyncio.to_thread(workbench.stop)
    await asyncio.to_thread(workbench.start)
    async with talking(workbench) as again:
        return await _called(again, "job_wait", job="j1")


@scene("job result too large", max_result_bytes=10_000)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    begun = threading.Event()

    @workbench.tool(background_after_s=0.001, max_chars=100_000)
    def much() -> str:
        begun.wait()
        return "x" * 20_000

    early = await _called(talk, "much")
    assert "job_wait" in text_of(early["result"])
    begun.set()
    return await _called(talk, "job_wait", job="j1")


async def _long_call(workbench: wb.Workbench, talk: Talk) -> Message:
    """The early answer of a call that never ends by itself."""

    @workbench.tool(background_after_s=0.001)
    async def forever() -> str:
        await asyncio.Event().wait()
        return "never"

    answer = await _called(talk, "forever")
    # Answered early it was in any case; that its code has begun is another matter.
    while "running" not in text_of((await _called(talk, "job_wait", job="j1", wait_s=0))["result"]):
        await talk.fence()
    return answer


# --- the end of the server ------------------------------------------------------------------------------------


def _held(workbench: wb.Workbench, **options: Any) -> threading.Event:
    release = threading.Event()

    @workbench.tool(**options)
    def hold() -> str:
        release.wait()
        return "held to the end"

    return release


@scene("call that comes while the server stops", stop_grace_s=8.0)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    release = _held(workbench)
    first = talk.call("hold")
    await talk.fence()
    server = server_of(workbench)
    stopping = start_task(asyncio.to_thread(workbench.stop), name="stop")
    while not server.sessions.closing:
        await talk.fence()
    answer = await _called(talk, "hold")
    release.set()
    assert text_of((await talk.answer(first))["result"]) == "held to the end"
    await stopping
    return answer


@scene("call that waits when the server stops", running_calls=1, stop_grace_s=8.0)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    release = _held(workbench)
    first, second = talk.call("hold"), talk.call("hold")
    await talk.fence()
    stopping = start_task(asyncio.to_thread(workbench.stop), name="stop")
    answer = await talk.answer(second)
    release.set()
    assert text_of((await talk.answer(first))["result"]) == "held to the end"
    await stopping
    return answer


@scene("call that still runs when the server has waited", stop_grace_s=0.01)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    release = _held(workbench)
    call = talk.call("hold")
    await talk.fence()
    stopping = start_task(asyncio.to_thread(workbench.stop), name="stop")
    answer = await talk.answer(call)
    release.set()
    await stopping
    assert await talk.closed == (1001, "server is shutting down")
    return answer


# --- the main thread, which this process lends to nobody -----------------------------------------------------------


def _for_main(workbench: wb.Workbench) -> None:
    @workbench.tool(run_on="main")
    def window() -> None:
        raise AssertionError("nobody lends the main thread")


@scene("too many calls wait for the main thread", main_queue=1)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    _for_main(workbench)
    talk.call("window")
    return await _called(talk, "window")


@scene("call that waits too long for the main thread", main_wait_s=0.01)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    _for_main(workbench)
    assert workbench.wait(timeout_s=0) is False  # it has been lent, and may be again
    return await _called(talk, "window")


@scene("call for a main thread that nobody lends", main_wait_s=0.01)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    _for_main(workbench)
    return await _called(talk, "window")


@scene("call that waits for the main thread when the server stops", stop_grace_s=8.0)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    _for_main(workbench)
    call = talk.call("window")
    await talk.fence()
    await asyncio.to_thread(workbench.stop)
    return await talk.answer(call)


# --- what is ignored ---------------------------------------------------------------------------------------------


@scene("cancelled call")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    release = _held(workbench)
    call = talk.call("hold")
    talk.cancel(call)
    await talk.fence()
    release.set()
    await talk.until(lambda: workbench.status().execution["abandoned"] == 0)
    return None


@scene("cancel of an unknown request")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    talk.cancel("never sent")
    return None


@scene("unknown notification")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    talk.notify("notifications/weather")
    return None


@scene("broken notification")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    talk.notify("notifications/cancelled", {"requestId": {}})
    return None


@scene("response to an unknown request")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    talk.say({"jsonrpc": "2.0", "id": 400, "result": {}})
    return None


@scene("call that the notebook's author stops")
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    release = _held(workbench)
    request_id = talk.call("hold")
    await talk.fence()
    [session] = server_of(workbench).sessions
    on_loop(workbench, session.stop, 1)
    answer = await talk.answer(request_id)
    release.set()
    return answer


# --- what a call asks its client ------------------------------------------------------------------------


ROOTS: Message = {"roots": {}}
NO_ROOTS: Message = {"roots": []}


def _asks(workbench: wb.Workbench, **options: Any) -> None:
    @workbench.tool(**options)
    def folders(ctx: wb.Context) -> str:
        return str(ctx.roots())


@scene("tool that asks a client which cannot be asked, legacy")
@scene("tool that asks a client which cannot be asked, modern", LATEST_MODERN)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    _asks(workbench)
    return await _called(talk, "folders")


@scene("inline tool that asks its client", capabilities=ROOTS)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    _asks(workbench, run_on="inline")
    return await _called(talk, "folders")


@scene("answer of a client that does not fit, legacy", capabilities=ROOTS)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    _asks(workbench)
    call = talk.call("folders")
    talk.respond(await talk.question("roots/list"), {"roots": [7]})
    return await talk.answer(call)


@scene("client that answers a question with an error", capabilities=ROOTS)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    _asks(workbench)
    call = talk.call("folders")
    question = await talk.question("roots/list")
    talk.say({"jsonrpc": "2.0", "id": question["id"], "error": {"code": -32601, "message": "no roots"}})
    return await talk.answer(call)


@scene("client that does not answer a question in time, legacy", capabilities=ROOTS, answer_wait_s=0.01)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    _asks(workbench)
    return await _called(talk, "folders")


@scene("tool that asks while too many wait in threads", capabilities=ROOTS, asking_threads=1)
@scene("tool that asks while too many calls are suspended", LATEST_MODERN, capabilities=ROOTS, suspended_calls=1)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    _asks(workbench)
    first = talk.call("folders")
    await (talk.answer(first) if talk.modern else talk.question("roots/list"))
    return await _called(talk, "folders")


@scene("job that asks its client", capabilities=ROOTS)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    go_on = threading.Event()

    @workbench.tool(background_after_s=0.01)
    def late(ctx: wb.Context) -> str:
        go_on.wait(20)
        return str(ctx.roots())

    assert "j1" in text_of((await _called(talk, "late"))["result"])
    go_on.set()
    return await _called(talk, "job_wait", job="j1")


async def _suspended(workbench: wb.Workbench, talk: Talk) -> Message:
    """The params of the retry."""
    _asks(workbench)
    result = (await _called(talk, "folders"))["result"]
    responses = dict.fromkeys(result["inputRequests"], NO_ROOTS)
    return {"name": "folders", "arguments": {}, "inputResponses": responses, "requestState": result["requestState"]}


@scene("requestState that is not of this call", LATEST_MODERN, capabilities=ROOTS)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    return await talk.request("tools/call", await _suspended(workbench, talk) | {"arguments": {"other": 1}})


@scene("requestState that was used already", LATEST_MODERN, capabilities=ROOTS)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    retry = await _suspended(workbench, talk)
    await talk.request("tools/call", retry)
    return await talk.request("tools/call", retry)


@scene("requestState whose time is up", LATEST_MODERN, capabilities=ROOTS)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    later = Later(workbench)
    retry = await _suspended(workbench, talk)
    await asyncio.to_thread(later.let_pass, 301)
    return await talk.request("tools/call", retry)


@scene("retry of a call that the notebook's author stopped", LATEST_MODERN, capabilities=ROOTS)
async def _(workbench: wb.Workbench, talk: Talk) -> Message | None:
    retry = await _suspended(workbench, talk)
    [rounds] = server_of(workbench).suspended.waiting()
    await asyncio.to_thread(on_loop, workbench, rounds.work.stop)
    return await talk.request("tools/call", retry)


def test_a_fault_of_the_server_is_found_in_the_record(caplog: pytest.LogCaptureFixture) -> None:
    workbench = wb.Workbench()

    async def main() -> None:
        async with talking(workbench) as talk:
            await SCENES["fault of the server itself"].act(workbench, talk)
            assert await talk.result("ping") == {}

    with running(workbench):
        within(main)
    [record] = [record for record in workbench.telemetry.calls() if record.method == "prompts/list"]
    assert "injected" in (record.traceback_text or "")
    assert "answering prompts/list failed" in caplog.text


def test_a_crash_of_a_session_ends_it_alone_and_is_kept(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    workbench = wb.Workbench()

    def fault(session: Session, exchange: object) -> None:
        raise RuntimeError("injected into the driver")

    async def main() -> None:
        async with talking(workbench) as other:
            async with talking(workbench) as talk:
                monkeypatch.setattr(Session, "_handle", fault)
                talk.ask("tools/list")
                assert (await talk.closed)[0] == 1011
                monkeypatch.undo()
            assert await other.result("ping") == {}
            [ended] = workbench.telemetry.sessions()
            assert "injected into the driver" in (ended.crash or "")
            assert ended.close_code == 1011

    with running(workbench):
        within(main)
        on_loop(workbench, lambda: None)
    assert capfd.readouterr().err == ""

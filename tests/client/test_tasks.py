"""A call that its server answers with a task, as `call_tool` lives through it: listened to, looked at, answered, taken back."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mcp_workbench as wb
from mcp_workbench.client import connect, tasks
from mcp_workbench.errors import ConnectionClosed, PeerError, RemoteProtocolError
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.tasks import start_task
from tests.client.scripted import Answer, Listener, said
from tests.support.stage import server_of

MOMENT = "2026-11-28T12:00:00Z"
ASKS = {"q1": {"method": "elicitation/create", "params": {"message": "Go on?", "requestedSchema": {"type": "object"}}}}
OK: dict[str, Any] = {"content": [{"type": "text", "text": "the end"}]}


FIELDS: dict[str, Any] = {
    "task_id": "t1",
    "status": "working",
    "created_at": MOMENT,
    "last_updated_at": MOMENT,
    "ttl_ms": None,
    "poll_interval_ms": 1,
}


def task(status: wire.TaskStatus = "working", **more: Any) -> wire.Task:
    return wire.Task(**FIELDS | {"status": status} | more)


class Server:
    """Answers a call with a task, and looks at it with what comes next; `listens` says whether it tells by itself too."""

    def __init__(self, *looks: wire.Task | RemoteProtocolError, listens: bool = False) -> None:
        self.looks = list(looks)
        self.listens = listens
        self.listen: Exchange | None = None
        self.asked: list[str] = []
        self.listener = Listener(self.answer)

    def answer(self, exchange: Exchange) -> Answer:
        if exchange.method != "subscriptions/listen":
            self.asked.append(exchange.method)
        if exchange.method == "tools/call":
            return wire.CreateTaskResult(**FIELDS)
        if exchange.method == "tasks/get":
            return self.looks.pop(0)
        if exchange.method == "subscriptions/listen":
            return self._listen(exchange)
        return wire.EmptyResult()

    def _listen(self, exchange: Exchange) -> Answer:
        if not self.listens:
            return RemoteProtocolError(ErrorCode.METHOD_NOT_FOUND, "Method not found")
        server = self.listener.server
        server.channel.send(server.peer.acknowledge(exchange, exchange.params.notifications))
        self.listen = exchange
        self.tell(task())
        return None

    def tell(self, told: wire.Task) -> None:
        server = self.listener.server
        for text in server.peer.task_changed(told).values():
            server.channel.send(text)


def within(main: Callable[[], Any]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await main()

    asyncio.run(bounded())


def test_where_a_server_tells_nothing_a_task_is_looked_at_until_it_has_ended() -> None:
    async def main() -> None:
        server = Server(task(), task(), task("completed", result=OK))
        async with connect(server.listener) as session:
            assert (await session.call_tool("t")).text == "the end"
        assert server.asked == ["tools/call", "tasks/get", "tasks/get", "tasks/get"]
        [first, *_] = server.listener.server.sent("tasks/get")
        assert first["params"]["taskId"] == "t1"
        assert first["params"]["_meta"][wire.META_CAPABILITIES] == {"extensions": {wire.TASKS: {}}}

    within(main)


def test_where_a_server_tells_nothing_is_looked_at() -> None:
    async def main() -> None:
        server = Server(listens=True)
        async with connect(server.listener) as session:
            call = start_task(session.call_tool("t"), name="call")
            await server.listener.server.until(lambda: server.listen is not None)
            server.tell(task("completed", result=OK))
            assert (await call).text == "the end"
            await server.listener.server.until(lambda: bool(server.listener.server.sent("notifications/cancelled")))
        assert server.asked == ["tools/call"]

    within(main)


def test_a_listen_that_ends_or_is_silent_for_long_is_helped_by_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "LONGEST_SILENCE_S", 0.01)

    async def main() -> None:
        server = Server(task(), task("completed", result=OK), listens=True)
        async with connect(server.listener) as session:
            assert (await session.call_tool("t")).text == "the end"
        assert server.asked == ["tools/call", "tasks/get", "tasks/get"]
        server = Server(task("completed", result=OK), listens=True)
        async with connect(server.listener) as session:
            call = start_task(session.call_tool("t"), name="call")
            await server.listener.server.until(lambda: server.listen is not None)
            assert server.listen is not None
            server.listener.server.channel.send(server.listener.server.peer.end_listen(server.listen) or b"")
            assert (await call).text == "the end"

    within(main)


def test_what_a_task_asks_is_answered_once_by_the_handlers_of_the_session() -> None:
    async def main() -> None:
        waits = task("input_required", input_requests=ASKS)
        server = Server(waits, waits, task("completed", result=OK))
        asked: list[str] = []

        def elicit(request: Any) -> dict[str, bool]:
            asked.append(request.message)
            return {"sure": True}

        async with connect(server.listener, on_elicit=elicit) as session:
            assert (await session.call_tool("t")).text == "the end"
        assert (asked, server.asked) == (["Go on?"], ["tools/call", "tasks/get", "tasks/update", "tasks/get", "tasks/get"])
        [update] = server.listener.server.sent("tasks/update")
        assert update["params"]["inputResponses"] == {"q1": {"action": "accept", "content": {"sure": True}}}

    within(main)


def test_progress_is_told_on_when_the_call_is_a_task_each_time_it_is_another() -> None:
    def at(progress: float, message: str, **more: Any) -> wire.Task:
        told = {"progress": progress, "total": 4, "message": message}
        return task(meta={wire.META_PROGRESS: told}, status_message=f"running: {message}", **more)

    async def main() -> None:
        looks = at(1, "reading"), at(1, "reading"), at(3, "writing"), task("completed", result=OK)
        server = Server(*looks)
        told: list[Any] = []

        async def note(*values: Any) -> None:
            told.append(values)

        async with connect(server.listener) as session:
            assert (await session.call_tool("t", on_progress=note)).text == "the end"
        assert told == [(1.0, 4.0, "reading"), (3.0, 4.0, "writing")]

    within(main)


@pytest.mark.parametrize("meta", [{}, {wire.META_PROGRESS: 3}, {wire.META_PROGRESS: {"progress": "far"}}])
def test_of_a_server_that_tells_no_numbers_the_words_are_told(meta: Any) -> None:
    async def main() -> None:
        server = Server(task(meta=meta, status_message="nearly there"), task("completed", result=OK))
        told: list[Any] = []
        async with connect(server.listener) as session:
            await session.call_tool("t", on_progress=lambda *values: told.append(values))
        assert told == [(0.0, None, "nearly there")]

    within(main)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [(ASKS, "has no handler for it"), ({"q1": {"method": "tasks/get", "params": {}}}, "needs tasks/get"), ({"q1": 3}, "wrong shape")],
)
def test_what_cannot_be_answered_ends_the_call_and_its_task(asked: Any, sentence: str) -> None:
    async def main() -> None:
        server = Server(task("input_required", input_requests=asked))
        async with connect(server.listener) as session:
            with pytest.raises(RemoteProtocolError, match=sentence):
                await session.call_tool("t")
            await server.listener.server.until(lambda: "tasks/cancel" in server.asked)

    within(main)


def test_who_stops_waiting_takes_the_task_back() -> None:
    async def main() -> None:
        server = Server(listens=True)
        async with connect(server.listener) as session:
            call = start_task(session.call_tool("t"), name="call")
            await server.listener.server.until(lambda: server.listen is not None)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await server.listener.server.until(lambda: "tasks/cancel" in server.asked)
            assert server.listener.server.sent("tasks/cancel")[0]["params"]["taskId"] == "t1"

    within(main)


def test_a_task_that_failed_raises_its_error_and_is_not_taken_back() -> None:
    async def main() -> None:
        server = Server(task("failed", error=wire.RpcError(code=-32603, message="broken", data={"reason": "x"})))
        async with connect(server.listener) as session:
            with pytest.raises(PeerError, match="broken") as caught:
                await session.call_tool("t")
            await session.list_changes().aclose()
        assert (caught.value.code, caught.value.data) == (-32603, {"reason": "x"})
        assert server.asked == ["tools/call", "tasks/get"]

    within(main)


def test_a_task_that_was_cancelled_elsewhere_is_an_error_of_the_tool() -> None:
    async def main() -> None:
        server = Server(task("cancelled", status_message="the author stopped it"))
        async with connect(server.listener) as session:
            result = await session.call_tool("t")
        assert (result.is_error, result.text) == (True, "the author stopped it")

    within(main)


@pytest.mark.parametrize(
    ("look", "error", "sentence"),
    [
        (RemoteProtocolError(-32602, "no such task"), PeerError, "no such task"),
        (task("completed"), RemoteProtocolError, "without a result"),
        (task("failed"), PeerError, "without an error"),
    ],
)
def test_a_server_that_breaks_its_promise_is_a_clear_error(look: Any, error: type[Exception], sentence: str) -> None:
    async def main() -> None:
        server = Server(look)
        async with connect(server.listener) as session:
            with pytest.raises(error, match=sentence):
                await session.call_tool("t")

    within(main)


def test_the_end_of_the_connection_ends_the_waiting() -> None:
    async def main() -> None:
        server = Server(listens=True)
        async with connect(server.listener) as session:
            call = start_task(session.call_tool("t"), name="call")
            await server.listener.server.until(lambda: server.listen is not None)
            server.listener.server.channel.close(1001, "gone")
            with pytest.raises(ConnectionClosed):
                await call

    within(main)


def test_a_session_without_tasks_declares_none_and_takes_none() -> None:
    async def main() -> None:
        server = Server()
        async with connect(server.listener, tasks=False) as session:
            with pytest.raises(RemoteProtocolError, match="resultType task"):
                await session.call_tool("t")
        [call] = server.listener.server.sent("tools/call")
        assert call["params"]["_meta"][wire.META_CAPABILITIES] == {}

    within(main)


def test_only_a_call_may_be_answered_with_a_task() -> None:
    async def main() -> None:
        async with connect(Listener(lambda exchange: wire.CreateTaskResult(**FIELDS))) as session:
            with pytest.raises(RemoteProtocolError, match="resultType task"):
                await session.read_resource("df://a")

    within(main)


@pytest.mark.parametrize("over", ["websocket", "http"])
def test_calls_of_this_kernels_own_tools_are_followed_to_their_results(over: str) -> None:
    workbench = wb.Workbench(name="tasks")

    is_a_task = asyncio.Event()

    @workbench.tool(background_after_s=0.01)
    async def slow(ctx: wb.AsyncContext) -> str:
        await ctx.report_progress(1, 2, "half")
        await is_a_task.wait()
        answer = await ctx.elicit("Who?", {"name": str})
        return f"Hello, {answer.data['name']}"

    @workbench.tool
    async def let_go() -> None:
        is_a_task.set()

    @workbench.tool(needs_task=True)
    async def forever() -> None:
        await asyncio.Event().wait()

    told: list[Any] = []

    async def main() -> None:
        address = workbench.url if over == "websocket" else workbench.http_url
        assert address is not None
        async with workbench.connect(address, token=workbench.token, on_elicit=lambda request: {"name": "Ada"}) as session:
            kept, sessions = workbench._offer.tasks, server_of(workbench).sessions
            call = start_task(session.call_tool("slow", on_progress=lambda *values: told.append(values)), name="slow")
            while not workbench.jobs:
                await session.list_tools()
            await session.call_tool("let_go")
            assert (await call).text == "Hello, Ada"
            assert told[-1] == (1.0, 2.0, "half")
            call = start_task(session.call_tool("forever"), name="forever")
            while not (len(kept) == 2 and sessions.task_followed([*kept._tasks][1])):
                await session.list_tools()
            call.cancel()
            while workbench.jobs["j2"].state != "cancelled":
                await session.list_tools()
            assert [job.state.value for job in workbench.jobs] == ["done", "cancelled"]

    workbench.start(http=over == "http")
    try:
        within(main)
    finally:
        workbench.stop()


SCRIPT = """
import mcp_workbench as wb

@wb.tool(needs_task=True)
async def slow(ctx: wb.AsyncContext) -> str:
    answer = await ctx.elicit("Who?", {"name": str})
    return f"Hello, {answer.data['name']}"

wb.run_stdio(builtin_tools=False)
"""


def test_calls_of_a_command_are_followed_over_its_pipes(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")

    async def main() -> None:
        command = [sys.executable, str(script)]
        async with wb.connect(command, env=os.environ, era="modern", on_elicit=lambda request: {"name": "Ada"}) as session:
            assert (await session.call_tool("slow")).text == "Hello, Ada"

    within(main)


def test_a_raw_request_gives_the_task_as_it_is() -> None:
    async def main() -> None:
        server = Server()
        async with connect(server.listener) as session:
            result = await session.request("tools/call", {"name": "t", "arguments": {}})
        assert (result["resultType"], result["taskId"], server.asked) == ("task", "t1", ["tools/call"])

    within(main)


def test_a_result_that_is_complete_is_no_task() -> None:
    async def main() -> None:
        async with connect(Listener(lambda exchange: said("at once"))) as session:
            assert (await session.call_tool("t")).text == "at once"

    within(main)

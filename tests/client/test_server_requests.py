"""Requests of a legacy server: each answered exactly once, never in the way of anything else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_workbench.client import ElicitRequest, connect
from mcp_workbench.client.conversation import MAX_ANSWER_BYTES
from mcp_workbench.client.server_requests import MAX_AT_ONCE
from mcp_workbench.jsonrpc import encode_notification, encode_request
from tests.client.scripted import Listener, ScriptedServer, said

ASK = {"message": "Run on 10M rows?", "requestedSchema": {"type": "object"}}


async def ask(server: ScriptedServer, method: str = "elicitation/create", params: dict[str, Any] | None = None) -> None:
    await server.saw("notifications/initialized")
    _, text = server.peer.request(method, ASK if params is None else params)
    server.send(text)


async def answers(server: ScriptedServer, count: int = 1) -> list[Any]:
    await server.until(lambda: len(server.responses) >= count)
    return [response.error or response.result for response in server.responses]


def test_a_question_is_answered_while_a_call_of_ours_is_open() -> None:
    async def main() -> None:
        listen = Listener()
        asked: list[ElicitRequest] = []

        async def on_elicit(request: ElicitRequest) -> dict[str, Any]:
            asked.append(request)
            return {"ok": True}

        async with asyncio.timeout(5), connect(listen, era="legacy", on_elicit=on_elicit) as session, asyncio.TaskGroup() as group:
            call = group.create_task(session.call_tool("run"))
            await listen.server.saw("tools/call")
            await ask(listen.server)
            assert await answers(listen.server) == [{"action": "accept", "content": {"ok": True}}]
            listen.server.reply(listen.server.open[0], said("ran"))
            assert (await call).text == "ran"
        assert asked == [ElicitRequest("Run on 10M rows?", {"type": "object"}, ASK)]

    asyncio.run(main())


def test_while_we_answer_the_server_our_own_request_does_not_time_out() -> None:
    async def main() -> None:
        listen = Listener()
        told = asyncio.Event()

        async def on_elicit(request: ElicitRequest) -> dict[str, Any]:
            await told.wait()
            return {"ok": True}

        async with asyncio.timeout(1_000), connect(listen, era="legacy", on_elicit=on_elicit) as session, asyncio.TaskGroup() as group:
            loop = asyncio.get_running_loop()
            real, ahead_s = loop.time, 0.0
            loop.time = lambda: real() + ahead_s  # type: ignore[method-assign]  # the test's clock
            call = group.create_task(session.call_tool("run", timeout_s=100))
            await listen.server.saw("tools/call")
            await ask(listen.server)
            ahead_s = 150.0
            await session.ping()
            assert not call.done()
            told.set()
            await answers(listen.server)
            listen.server.reply(listen.server.open[0], said("ran"))
            assert (await call).text == "ran"

    asyncio.run(main())


def test_without_a_handler_the_method_is_not_found() -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen, era="legacy"):
            for method in ("elicitation/create", "sampling/createMessage", "roots/list"):
                await ask(listen.server, method)
            errors = await answers(listen.server, 3)
            assert [error.code for error in errors] == [-32601] * 3

    asyncio.run(main())


def test_a_raising_handler_is_an_internal_error_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        listen = Listener()

        def on_elicit(request: ElicitRequest) -> dict[str, Any]:
            raise ValueError("the password is 1234")

        async with asyncio.timeout(5), connect(listen, era="legacy", on_elicit=on_elicit, on_sample=lambda request: None):  # type: ignore[arg-type,return-value]
            await ask(listen.server)
            await ask(listen.server, "sampling/createMessage", {"messages": []})
            errors = await answers(listen.server, 2)
            assert [error.code for error in errors] == [-32603] * 2
            assert "1234" not in str(listen.server.messages)
            assert "Traceback" not in str(listen.server.messages)

    asyncio.run(main())
    assert "the handler for elicitation/create failed" in caplog.text


def test_params_of_the_wrong_shape_are_refused() -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen, era="legacy", on_elicit=lambda request: {}):
            await ask(listen.server, params={"message": 3})
            assert [error.code for error in await answers(listen.server)] == [-32602]

    asyncio.run(main())


def test_an_answer_too_large_or_not_json_is_an_error_instead(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        listen = Listener()
        contents: list[dict[str, Any]] = [{"x": "y" * MAX_ANSWER_BYTES}, {"x": object()}]
        async with asyncio.timeout(5), connect(listen, era="legacy", on_elicit=lambda request: contents.pop(0)):
            await ask(listen.server)
            await ask(listen.server)
            errors = await answers(listen.server, 2)
            assert "too large" in errors[0].message
            assert [error.code for error in errors] == [-32603] * 2

    asyncio.run(main())


def test_a_question_the_server_takes_back_is_not_answered() -> None:
    async def main() -> None:
        listen = Listener()
        begun, cancelled = asyncio.Event(), asyncio.Event()

        async def on_elicit(request: ElicitRequest) -> dict[str, Any]:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            return {}

        async with asyncio.timeout(5), connect(listen, era="legacy", on_elicit=on_elicit) as session:
            await listen.server.saw("notifications/initialized")
            pending, text = listen.server.peer.request("elicitation/create", ASK)
            listen.server.send(text)
            await begun.wait()
            listen.server.send(encode_notification("notifications/cancelled", {"requestId": pending.id}))
            await cancelled.wait()
            await session.ping()
            assert not listen.server.responses

    asyncio.run(main())


def test_the_end_of_the_session_cancels_its_handlers() -> None:
    async def main() -> None:
        listen = Listener()
        begun, cancelled = asyncio.Event(), asyncio.Event()

        async def on_elicit(request: ElicitRequest) -> dict[str, Any]:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            return {}

        async with asyncio.timeout(5):
            async with connect(listen, era="legacy", on_elicit=on_elicit):
                await ask(listen.server)
                await begun.wait()
            await cancelled.wait()

    asyncio.run(main())


def test_only_so_many_questions_are_answered_at_once() -> None:
    async def main() -> None:
        listen = Listener()
        go = asyncio.Event()

        async def on_elicit(request: ElicitRequest) -> dict[str, Any]:
            await go.wait()
            return {}

        async with asyncio.timeout(5), connect(listen, era="legacy", on_elicit=on_elicit):
            for _ in range(MAX_AT_ONCE + 1):
                await ask(listen.server)
            busy = (await answers(listen.server))[0]
            assert busy.code == -32603
            assert busy.message.startswith("Busy")
            go.set()
            await answers(listen.server, MAX_AT_ONCE + 1)

    asyncio.run(main())


def test_a_modern_server_must_not_ask() -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen, on_elicit=lambda request: {}):
            listen.server.send(encode_request(5, "elicitation/create", ASK))
            await listen.server.until(lambda: "error" in listen.server.messages[-1])
            assert listen.server.messages[-1]["error"]["code"] == -32600

    asyncio.run(main())


def test_questions_in_a_batch_are_answered_in_one_array() -> None:
    async def main() -> None:
        def intercept(server: ScriptedServer, message: Any) -> bool:
            if isinstance(message, list):
                return True
            if message.get("method") != "initialize":
                return False
            result = {"protocolVersion": "2025-03-26", "capabilities": {}, "serverInfo": {"name": "old", "version": "1"}}
            server.send({"jsonrpc": "2.0", "id": message["id"], "result": result})
            return True

        listen = Listener(intercept=intercept)
        async with asyncio.timeout(5), connect(listen, era="legacy", on_roots=lambda: ["file:///a"]) as session:
            assert session.protocol_version == "2025-03-26"
            listen.server.send(b"[" + encode_request(1, "roots/list") + b"," + encode_request(2, "ping") + b"]")
            await listen.server.until(lambda: isinstance(listen.server.messages[-1], list))
            array: Any = listen.server.messages[-1]
            assert sorted((entry["id"], entry["result"]) for entry in array) == [(1, {"roots": [{"uri": "file:///a"}]}), (2, {})]

    asyncio.run(main())

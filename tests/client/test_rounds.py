"""Input-required results: answered by the session's handlers, retried with a new id and the exact state, a bounded number of times."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_workbench.client import ElicitRequest, connect, rounds
from mcp_workbench.client.handlers import Handlers
from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.jsonrpc import encode
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from tests.client.scripted import Answer, Listener, said


def input_required(requests: Any = None, state: Any = None) -> bytes:
    asked = {"resultType": "input_required"}
    return encode(asked | ({} if requests is None else {"inputRequests": requests}) | ({} if state is None else {"requestState": state}))


ELICIT = {"method": "elicitation/create", "params": {"mode": "form", "message": "Run?", "requestedSchema": {"type": "object"}}}
SAMPLE = {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 5}}
ROOTS = {"method": "roots/list"}


def test_the_handlers_answers_and_the_exact_state_go_back_under_a_new_id() -> None:
    state = 'blob "ü\\'

    def answer(exchange: Exchange) -> Answer:
        if not exchange.params.input_responses:
            return input_required({"ok": ELICIT, "s": SAMPLE, "r": ROOTS}, state)
        return said(encode([exchange.params.input_responses, exchange.params.arguments]).decode())

    async def main() -> None:
        asked: list[ElicitRequest] = []

        async def on_elicit(request: ElicitRequest) -> dict[str, Any]:
            asked.append(request)
            return {"ok": True}

        listen = Listener(answer)
        options: dict[str, Any] = {"on_elicit": on_elicit, "on_sample": lambda request: "hm", "on_roots": lambda: ["file:///a"]}
        async with asyncio.timeout(5), connect(listen, **options) as session:
            result = await session.call_tool("run", n=1)
        assert (
            result.text
            == encode(
                [
                    {
                        "ok": {"action": "accept", "content": {"ok": True}},
                        "s": {"role": "assistant", "content": {"type": "text", "text": "hm"}, "model": "unnamed", "stopReason": "endTurn"},
                        "r": {"roots": [{"uri": "file:///a"}]},
                    },
                    {"n": 1},
                ]
            ).decode()
        )
        assert asked[0].message == "Run?"
        first, second = listen.server.sent("tools/call")
        assert first["id"] != second["id"]
        assert "requestState" not in first["params"]
        assert second["params"]["requestState"] == state

    asyncio.run(main())


def test_a_state_without_questions_is_sent_back_alone() -> None:
    def answer(exchange: Exchange) -> Answer:
        return said("done") if exchange.params.request_state else input_required(state="later")

    async def main() -> None:
        listen = Listener(answer)
        async with asyncio.timeout(5), connect(listen) as session:
            assert (await session.call_tool("t")).text == "done"
        assert "inputResponses" not in listen.server.sent("tools/call")[1]["params"]

    asyncio.run(main())


def test_prompts_and_resources_may_need_input_too() -> None:
    def answer(exchange: Exchange) -> Answer:
        if not exchange.params.input_responses:
            return input_required({"ok": ELICIT})
        if exchange.method == "prompts/get":
            return wire.GetPromptResult(messages=[])
        return wire.ReadResourceResult(contents=[])

    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener(answer), on_elicit=lambda request: "decline") as session:
            assert (await session.get_prompt("p")).messages == []
            assert (await session.read_resource("df://x")).contents == ()

    asyncio.run(main())


def test_a_server_that_asks_for_ever_is_left_after_ten_answers() -> None:
    async def main() -> None:
        listen = Listener(lambda exchange: input_required({"ok": ELICIT}))
        async with asyncio.timeout(5), connect(listen, on_elicit=lambda request: "cancel") as session:
            with pytest.raises(RemoteProtocolError, match="after 10 answers"):
                await session.call_tool("t")
        assert len(listen.server.sent("tools/call")) == 11

    asyncio.run(main())


def test_the_tenth_answer_may_be_the_one_that_does() -> None:
    rounds_asked = 0

    def answer(exchange: Exchange) -> Answer:
        nonlocal rounds_asked
        rounds_asked += 1
        return said("done") if rounds_asked == 11 else input_required(state=str(rounds_asked))

    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener(answer)) as session:
            assert (await session.call_tool("t")).text == "done"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (input_required({"ok": ELICIT}), "needs elicitation/create and this session has no handler"),
        (input_required({"ok": {"method": "tasks/get"}}), "needs tasks/get"),
        (input_required({"ok": 3}), "wrong shape"),
        (input_required(state=3), "wrong shape"),
        (input_required(), "neither inputRequests nor requestState"),
        (b'{"resultType":"task","content":[]}', "wrong shape"),
        (b'{"resultType":"news","content":[]}', "resultType news"),
        (b'{"resultType":7,"content":[]}', "something that is no text"),
    ],
)
def test_what_cannot_be_answered_is_a_clear_error(raw: bytes, sentence: str) -> None:
    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener(lambda exchange: raw)) as session:
            with pytest.raises(RemoteProtocolError, match=sentence):
                await session.call_tool("t")

    asyncio.run(main())


def test_a_question_with_broken_params_is_a_clear_error() -> None:
    async def main() -> None:
        broken = {"method": "elicitation/create", "params": {"message": 7}}
        listen = Listener(lambda exchange: input_required({"ok": broken}))
        async with asyncio.timeout(5), connect(listen, on_elicit=lambda request: {}) as session:
            with pytest.raises(RemoteProtocolError, match="message"):
                await session.call_tool("t")

    asyncio.run(main())


def test_a_list_may_not_need_input() -> None:
    async def main() -> None:
        listen = Listener(lambda exchange: input_required({"ok": ELICIT}))
        async with asyncio.timeout(5), connect(listen, on_elicit=lambda request: {}) as session:
            with pytest.raises(RemoteProtocolError, match="complete result of tools/list"):
                await session.list_tools()

    asyncio.run(main())


def test_what_a_handler_raises_ends_the_call() -> None:
    async def main() -> None:
        listen = Listener(lambda exchange: input_required({"ok": ELICIT}))
        async with asyncio.timeout(5), connect(listen, on_elicit=lambda request: 1 / 0) as session:  # type: ignore[arg-type,return-value]
            with pytest.raises(ZeroDivisionError):
                await session.call_tool("t")

    asyncio.run(main())


def test_a_legacy_result_has_no_type_whatever_it_says() -> None:
    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener(lambda exchange: b'{"resultType":"odd","content":[]}'), era="legacy") as session:
            assert (await session.call_tool("t")).content == ()

    asyncio.run(main())


@settings(deadline=None)
@given(st.lists(st.sampled_from(["state", "ask", "both"]), max_size=14))
def test_each_round_is_answered_once_until_the_result_is_complete(script: list[str]) -> None:
    sent: list[dict[str, Any]] = []

    async def send(params: dict[str, Any]) -> dict[str, Any]:
        number = len(sent)
        sent.append(params)
        if number == len(script):
            return {"resultType": "complete"}
        asked: dict[str, Any] = {"resultType": "input_required"}
        if script[number] != "ask":
            asked["requestState"] = str(number)
        if script[number] != "state":
            asked["inputRequests"] = {f"q{number}": ROOTS}
        return asked

    async def main() -> None:
        handlers = Handlers(roots=list)
        if len(script) > rounds.MAX_ROUNDS:
            with pytest.raises(RemoteProtocolError):
                await rounds.complete("tools/call", {"name": "t"}, send, handlers)
            assert len(sent) == rounds.MAX_ROUNDS + 1
        else:
            await rounds.complete("tools/call", {"name": "t"}, send, handlers)
            assert len(sent) == len(script) + 1
        for number, params in enumerate(sent[1:]):
            assert params["name"] == "t"
            assert params.get("requestState") == (None if script[number] == "ask" else str(number))
            assert set(params.get("inputResponses", {})) == (set() if script[number] == "state" else {f"q{number}"})

    asyncio.run(main())

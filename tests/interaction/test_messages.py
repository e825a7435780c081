"""JSON-RPC as this server speaks it: ids, errors, notifications, order, batches."""

from __future__ import annotations

import threading
from typing import Any

from tests.interaction.requirements import BATCHES, NO_BATCHES, requirement, versions
from tests.support.oracle import CODES
from tests.support.stage import Stage
from tests.support.talk import META, Talk

EXACT_IDS: tuple[str | int, ...] = ("7", 7, 0, -5, 2**53 + 1, -(2**63), "", "ä \u2028 \U0001f600", "x" * 1024)
NO_IDS: tuple[Any, ...] = (None, True, 1.5, [1], {"a": 1})
NO_JSON = (b"", b"{", b"nonsense", b'{"jsonrpc":"2.0"', b"\xef\xbb\xbf{}", b'{"a":NaN}', b'{"a":Infinity}', b'{"a":"\\ud800"}', b"{} {}")
NO_MESSAGES = (b"42", b'"x"', b"null", b"true", b"1.5", b"{}", b'{"jsonrpc":"2.0","id":1}', b'{"id":1,"method":"ping"}')


@requirement("id-exact")
def test_an_id_comes_back_as_it_was(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        for request_id in EXACT_IDS:
            talk.ask("tools/list", request_id=request_id)
            answer = await talk.answer(request_id)
            assert (type(answer["id"]), answer["id"]) == (type(request_id), request_id)

    stage.play(main)


@requirement("id-invalid")
def test_an_id_of_another_kind_is_refused(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        for request_id in NO_IDS:
            talk.say({"jsonrpc": "2.0", "id": request_id, "method": "tools/list", "params": {"_meta": META} if talk.modern else {}})
            error = (await talk.answer(None))["error"]
            assert (error["code"], "id" in error["message"]) == (-32600, True)

    stage.play(main)


@requirement("id-unique")
def test_an_id_in_flight_cannot_be_used_again(stage: Stage) -> None:
    release = threading.Event()

    @stage.workbench.tool
    def hold() -> str:
        release.wait()
        return "first"

    async def main(talk: Talk) -> None:
        talk.call("hold", 5)
        talk.ask("tools/list", request_id=5)
        error = (await talk.answer(5))["error"]
        assert (error["code"], "still in flight" in error["message"]) == (-32600, True)
        release.set()
        assert (await talk.answer(5))["result"]["content"][0]["text"] == "first"
        assert "result" in await talk.answer(talk.ask("tools/list", request_id=5))

    stage.play(main)


@requirement("parse-error")
def test_text_that_is_no_json_is_answered_and_forgotten(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        for text in NO_JSON:
            if not text and stage.transport == "stdio":
                continue  # a blank line is no text
            talk.say(text)
            assert (await talk.answer(None))["error"]["code"] == -32700, text
        await talk.result("tools/list")

    stage.play(main)


@requirement("invalid-request")
def test_json_that_is_no_message_is_answered_and_forgotten(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        for text in NO_MESSAGES:
            talk.say(text)
            answer = await talk.take(lambda message: "error" in message)
            assert answer["error"]["code"] == -32600, text
        await talk.result("tools/list")

    stage.play(main)


@requirement("unknown-method")
def test_an_unknown_method_is_said_to_be_unknown(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        for method in ("", "tools", "tools/List", "rpc.discover", "x" * 500, "__init__"):
            error = await talk.error(method)
            assert error["code"] == -32601
            assert len(error["message"]) < 200

    stage.play(main)


@requirement("params-shape")
def test_params_of_a_wrong_shape_are_refused(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        no_params: tuple[Any, ...] = ([], "x", 1, True)
        for params in no_params:
            talk.say({"jsonrpc": "2.0", "id": "p", "method": "tools/list", "params": params})
            assert (await talk.answer("p"))["error"]["code"] == -32600
        wrong: tuple[tuple[str, dict[str, Any]], ...] = (
            ("tools/call", {}),
            ("tools/call", {"name": 7}),
            ("tools/call", {"name": "x", "arguments": []}),
            ("tools/call", {"name": "x", "arguments": "y"}),
            ("tools/list", {"cursor": 7}),
            ("resources/read", {}),
            ("resources/read", {"uri": None}),
            ("resources/read", {"uri": ["a"]}),
            ("prompts/get", {"name": "x", "arguments": {"a": 1}}),
            ("completion/complete", {"ref": {"type": "nonsense"}, "argument": {"name": "a", "value": "b"}}),
        )
        for method, members in wrong:
            error = await talk.error(method, members)
            assert (error["code"], error["message"].startswith("Invalid params")) == (-32602, True), (method, members, error)

    stage.play(main)


@requirement("notification-silent")
def test_a_notification_is_never_answered(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        silent = ("nonsense", "cancelled", "progress")
        for method in ("tools/list", "tools/call", "initialize", *(f"notifications/{name}" for name in silent)):
            talk.notify(method)
            talk.notify(method, {"requestId": {"a": 1}})
            talk.say({"jsonrpc": "2.0", "method": method, "params": [1]})
        await talk.fence()
        assert talk.inbox == []
        [session] = stage.workbench.sessions
        assert sum(session.record.ignored.values()) == 18

    stage.play(main)


@requirement("response-ignored")
def test_responses_nobody_waits_for_are_ignored(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        for request_id in (0, 1, "x", None):
            talk.say({"jsonrpc": "2.0", "id": request_id, "error": {"code": 1, "message": "no"}})
        for request_id in (0, "x"):
            talk.say({"jsonrpc": "2.0", "id": request_id, "result": {"roots": []}})
        await talk.fence()
        assert talk.inbox == []
        [session] = stage.workbench.sessions
        assert session.record.ignored == {"response to an unknown request": 6}

    stage.play(main)


@requirement("order")
def test_answers_without_user_code_come_in_order(stage: Stage) -> None:
    methods = ("tools/list", "nonsense", "resources/list", "prompts/list", "tools/call", "resources/templates/list") * 20

    async def main(talk: Talk) -> None:
        asked = [talk.ask(method, {"name": "absent"} if method == "tools/call" else None) for method in methods]
        answered = [(await talk.take(lambda message: "id" in message))["id"] for _ in methods]
        assert answered == asked

    stage.play(main)


@requirement("pipelining")
def test_five_hundred_requests_at_once_get_one_answer_each(stage: Stage) -> None:
    @stage.workbench.tool
    def twice(n: int) -> int:
        return 2 * n

    async def main(talk: Talk) -> None:
        asked = {talk.call("twice", n=number): number for number in range(500)}
        answers = [await talk.take(lambda message: "id" in message) for _ in asked]
        assert {answer["id"]: answer["result"]["content"][0]["text"] for answer in answers} == {
            request_id: str(2 * number) for request_id, number in asked.items()
        }
        await talk.fence()
        assert talk.inbox == []

    stage.play(main)


def _message(request_id: int, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params or {}}


@requirement("batch")
@requirement("batch-notifications")
@versions(*BATCHES)
def test_a_batch_is_answered_by_one_array(stage: Stage) -> None:
    @stage.workbench.tool
    def slow(n: int) -> int:
        return n

    async def main(talk: Talk) -> None:
        before = talk.texts
        talk.say([{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}}])
        talk.say(
            [
                _message(1, "tools/call", {"name": "slow", "arguments": {"n": 3}}),
                {"jsonrpc": "2.0", "method": "notifications/nonsense"},
                _message(2, "ping"),
                _message(3, "nonsense"),
                {"jsonrpc": "2.0", "id": 4, "method": 5},
            ]
        )
        answers = {request_id: await talk.answer(request_id) for request_id in (1, 2, 3, 4)}
        assert talk.texts == before + 1
        assert answers[1]["result"]["content"][0]["text"] == "3"
        assert answers[2]["result"] == {}
        assert (answers[3]["error"]["code"], answers[4]["error"]["code"]) == (-32601, -32600)

    stage.play(main)


@requirement("batch-no-initialize")
@versions(*BATCHES)
def test_initialize_in_a_batch_is_refused(stage: Stage) -> None:
    params = {"protocolVersion": stage.version, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}

    async def main(talk: Talk) -> None:
        talk.say([_message(50, "initialize", params), _message(51, "ping")])
        assert (await talk.answer(50))["error"]["code"] == -32600
        assert "result" in await talk.answer(51)
        async with stage.client(opened=False) as fresh:
            fresh.say([_message(50, "initialize", params)])
            assert (await fresh.answer(None))["error"]["code"] == -32600
            await fresh.open()

    stage.play(main)


@requirement("no-batch")
@versions(*NO_BATCHES)
def test_an_array_is_refused_where_there_are_no_batches(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        for array in ([], [_message(1, "tools/list")], [1, 2]):
            talk.channel.send(str(array).replace("'", '"').encode())
            assert (await talk.answer(None))["error"]["code"] == -32600
        await talk.fence()
        assert talk.inbox == []

    stage.play(main)


@requirement("error-codes")
def test_every_error_has_its_requests_id_a_sentence_and_a_code_of_the_specification(stage: Stage) -> None:
    @stage.workbench.resource("broken://x")
    def broken() -> str:
        raise RuntimeError("no")

    @stage.workbench.prompt
    def failing() -> str:
        raise RuntimeError("no")

    refused: tuple[tuple[str, dict[str, Any]], ...] = (
        ("no/such/method", {}),
        ("tools/call", {"name": "absent"}),
        ("tools/list", {"cursor": "x"}),
        ("resources/read", {"uri": "x://absent"}),
        ("resources/read", {"uri": "broken://x"}),
        ("prompts/get", {"name": "absent"}),
        ("prompts/get", {"name": "failing"}),
        ("completion/complete", {}),
    )

    async def main(talk: Talk) -> None:
        for number, (method, params) in enumerate(refused):
            answer = await talk.answer(talk.ask(method, params, request_id=f"r{number}"))
            error = answer["error"]
            assert error.keys() <= {"code", "message", "data"}
            assert type(error["code"]) is int
            assert error["code"] in CODES
            assert error["message"]
            assert "Traceback" not in str(error)

    stage.play(main)

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from mcp_workbench.events import Era
from mcp_workbench.exploring.reading import Kind, arguments_of, read, result_of, text_of
from mcp_workbench.jsonrpc import Malformed, decode
from mcp_workbench.telemetry import CallRecord, Direction, Message, Outcome
from tests.exploring.strategies import calls, messages


def message(value: Any) -> Message:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Message("s1", Direction.IN, 1, 1.0, len(raw), raw)


def request(request_id: str | int | None, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params} | ({} if request_id is None else {"id": request_id})


def result(request_id: str | int, **members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "result": members}


def call(asked: Any, answered: Any = None, request_id: str | int = 1) -> CallRecord:
    record = CallRecord("", "s1", "default", Era.LEGACY, "tools/call", "sum", request_id, 1, 1.0, 1)
    record.request, record.answer = message(asked), None if answered is None else message(answered)
    return record


def test_a_request_says_what_it_wants_of_whom() -> None:
    reading = read(message(request(7, "tools/call", name="sum", arguments={"a": 1})))
    assert (reading.kind, reading.id, reading.method, reading.target) == (Kind.REQUEST, 7, "tools/call", "sum")
    assert (reading.params, reading.arguments) == ({"name": "sum", "arguments": {"a": 1}}, {"a": 1})
    assert (reading.result, reading.code, reading.error, reading.outcome) == (None, None, None, None)


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (result("a", x=1), Outcome.OK),
        (result("a", isError=True), Outcome.TOOL_ERROR),
        (result("a", resultType="input_required"), "input_required"),
    ],
)
def test_an_answer_says_how_it_went_and_not_what_was_asked(value: Any, outcome: str) -> None:
    reading = read(message(value))
    assert (reading.kind, reading.id, reading.method, reading.target, reading.outcome) == (Kind.RESPONSE, "a", "", "", outcome)
    assert (reading.result, reading.params, reading.arguments) == (value["result"], None, None)


def test_an_error_says_its_code_and_sentence() -> None:
    reading = read(message({"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "Unknown tool"}}))
    assert (reading.kind, reading.code, reading.error, reading.outcome) == (Kind.ERROR, -32602, "Unknown tool", Outcome.RPC_ERROR)


def test_a_notification_names_the_resource_it_is_about() -> None:
    reading = read(message(request(None, "notifications/resources/updated", uri="df://flights")))
    assert (reading.kind, reading.id, reading.target, reading.arguments) == (
        Kind.NOTIFICATION,
        None,
        "df://flights",
        {"uri": "df://flights"},
    )
    assert read(message(request(None, "notifications/initialized"))).target == ""


def test_a_batch_is_one_message_and_nonsense_none() -> None:
    assert read(message([request(1, "ping"), request(2, "ping")])).kind is Kind.BATCH
    for raw in (b"", b"{", b"\xff", b"[]", b'{"jsonrpc": "2.0", "id": 7}', b"[" * 100_000):
        assert read(message(raw)).kind is Kind.MALFORMED
    assert read(message({"jsonrpc": "2.0", "id": 7})).id == 7


def test_what_was_pushed_out_of_memory_says_nothing() -> None:
    gone = Message("s1", Direction.IN, 1, 1.0, 10, b"")
    reading = read(gone)
    assert (reading.kind, reading.id, reading.method, reading.target, reading.params) == (None, None, "", "", None)
    assert text_of(gone) is None
    assert text_of(None) is None
    assert text_of(message(b"a\xff")) == "a\ufffd"


def test_the_arguments_of_a_call_are_as_they_were_sent() -> None:
    assert arguments_of(call(request(1, "tools/call", name="sum", arguments={"a": 1}))) == '{"a": 1}'
    assert arguments_of(call(request(1, "resources/read", uri="df://x"))) == '{"uri": "df://x"}'
    assert arguments_of(call(request(1, "tools/call", name="sum"))) is None
    assert arguments_of(call({"jsonrpc": "2.0", "id": 1, "method": "ping"})) is None
    assert result_of(call(request(1, "ping"), result(1, a=2))) == '{"a": 2}'
    assert result_of(call(request(1, "ping"))) is None


def test_in_a_batch_each_call_finds_its_own_request_and_answer() -> None:
    asked = [result(1, stray=True), request("1", "ping"), request(1, "tools/call", name="sum", arguments={"n": 3})]
    answered = [request(1, "elicitation/create"), result("1"), result(1, total=4)]
    both = call(asked, answered)
    assert (arguments_of(both), result_of(both)) == ('{"n": 3}', '{"total": 4}')
    assert arguments_of(call(asked, answered, request_id=9)) is None


def test_of_a_failed_call_the_kept_arguments_stand_in_for_a_text_that_is_gone() -> None:
    record = call(request(1, "tools/call", name="sum", arguments={"a": 1}))
    record.request, record.arguments = Message("s1", Direction.IN, 1, 1.0, 10, b""), b'{"a": 2}'
    assert arguments_of(record) == '{"a": 2}'


@given(messages())
def test_every_message_has_a_kind_and_reading_it_never_raises(heard: Message) -> None:
    reading = read(heard)
    assert (reading.kind is None) is not heard.kept
    assert (reading.kind is Kind.MALFORMED) is (heard.kept and isinstance(decode(heard.raw), Malformed))
    assert isinstance(reading.target, str)
    assert (reading.outcome is not None) is (reading.kind in (Kind.RESPONSE, Kind.ERROR))


@given(calls())
def test_what_a_call_was_asked_and_answered_is_json_again(record: CallRecord) -> None:
    for text in (arguments_of(record), result_of(record)):
        if text not in (None, "nonsense") and "\ufffd" not in text:
            json.loads(text)

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Direction, Message, Outcome, SessionRecord, Side
from mcp_workbench.telemetry.pairing import MAX_OPEN, Pairing


class Heard:
    """A conversation, told text by text."""

    def __init__(self) -> None:
        self.ended: list[CallRecord] = []
        self.session = SessionRecord("tap1", "websocket", "there", "default", 0.0)
        self.pairing = Pairing(self.session, Side.TAP, self.ended.append)
        self.now = 0

    def crosses(self, direction: Direction, value: Any) -> Message:
        self.now += 10
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        message = Message("tap1", direction, self.now, float(self.now), len(text), text)
        self.pairing.add(message)
        return message

    def asks(self, request_id: str | int, method: str, direction: Direction = Direction.IN, **params: Any) -> Message:
        return self.crosses(direction, {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})

    def tells(self, method: str, direction: Direction = Direction.OUT, **params: Any) -> Message:
        return self.crosses(direction, {"jsonrpc": "2.0", "method": method, "params": params})

    def answers(self, request_id: str | int, direction: Direction = Direction.OUT, **result: Any) -> Message:
        return self.crosses(direction, {"jsonrpc": "2.0", "id": request_id, "result": result})

    def fails(self, request_id: str | int, code: int, message: str) -> Message:
        return self.crosses(Direction.OUT, {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}})


def test_an_answer_finds_its_request_and_the_call_knows_both() -> None:
    heard = Heard()
    request = heard.asks(1, "tools/call", name="add", arguments={"a": 1})
    heard.asks("1", "resources/read", uri="df://flights")
    answer = heard.answers(1, content=[])
    [call] = heard.ended
    assert (call.method, call.target, call.request, call.answer) == ("tools/call", "add", request, answer)
    assert (call.outcome, call.side, call.direction, call.total_ns, call.bytes_out) == (Outcome.OK, Side.TAP, Direction.IN, 20, answer.size)
    assert [waiting.target for waiting in heard.pairing.waiting()] == ["df://flights"]


@pytest.mark.parametrize(
    ("result", "outcome"),
    [({"isError": True, "content": []}, Outcome.TOOL_ERROR), ({"resultType": "input_required"}, Outcome.INPUT_REQUIRED), ({}, Outcome.OK)],
)
def test_a_result_says_how_the_call_ended(result: dict[str, Any], outcome: Outcome) -> None:
    heard = Heard()
    heard.asks(1, "tools/call", name="add")
    heard.answers(1, **result)
    assert heard.ended[0].outcome is outcome


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([{"type": "image", "data": ""}, {"type": "text", "text": "no such column"}, {"type": "text", "text": "more"}], "no such column"),
        ([{"type": "text", "text": "x" * 2000}], "x" * 1000),
        ([{"type": "text", "text": ""}, "text", {"text": 5}], None),
        ("no such column", None),
    ],
)
def test_what_a_tool_says_of_its_failure_is_the_calls_error(content: Any, sentence: str | None) -> None:
    heard = Heard()
    heard.asks(1, "tools/call", name="df_read")
    heard.answers(1, isError=True, content=content)
    assert heard.ended[0].error == sentence


def test_an_error_is_told_with_its_code() -> None:
    heard = Heard()
    heard.asks(1, "prompts/get", name="nope")
    heard.fails(1, -32602, "no such prompt")
    call = heard.ended[0]
    assert (call.outcome, call.code, call.error, call.target) == (Outcome.RPC_ERROR, -32602, "no such prompt", "nope")


def test_what_is_no_64_bit_number_is_no_code() -> None:
    for code, kept in ((2**63 - 1, 2**63 - 1), (2**63, None), (-(2**63), -(2**63)), (-(10**30), None)):
        heard = Heard()
        heard.asks(1, "ping")
        heard.fails(1, code, "no")
        [call] = heard.ended
        assert (call.outcome, call.code, call.error) == (Outcome.RPC_ERROR, kept, "no")


def test_each_side_counts_its_own_ids() -> None:
    heard = Heard()
    heard.asks(1, "tools/call", name="ask")
    heard.asks(1, "elicitation/create", Direction.OUT, message="Sure?")
    heard.answers(1, Direction.IN, action="accept")
    heard.answers(1)
    assert [(call.method, call.direction) for call in heard.ended] == [("elicitation/create", "out"), ("tools/call", "in")]


def test_progress_and_what_a_listen_is_told_belong_to_their_request() -> None:
    heard = Heard()
    heard.asks(1, "tools/call", name="slow", _meta={"progressToken": "t"})
    heard.asks(2, "subscriptions/listen")
    progress = heard.tells("notifications/progress", progressToken="t", progress=1)
    news = heard.tells("notifications/resources/updated", uri="df://x", _meta={"io.modelcontextprotocol/subscriptionId": 2})
    heard.tells("notifications/message", level="info", data="to nobody")
    heard.answers(1)
    heard.answers(2)
    assert [call.said_meanwhile() for call in heard.ended] == [[progress], [news]]


def test_a_cancelled_request_ends_and_its_late_answer_belongs_to_nobody() -> None:
    heard = Heard()
    heard.asks(1, "tools/call", name="slow")
    cancel = heard.tells("notifications/cancelled", Direction.IN, requestId=1)
    heard.answers(1)
    [call] = heard.ended
    assert (call.outcome, call.said_meanwhile(), call.answer) == (Outcome.CANCELLED, [cancel], None)
    assert heard.session.ignored == {"response to an unknown id": 1}


def test_what_waits_when_the_connection_ends_is_dropped() -> None:
    heard = Heard()
    heard.asks(1, "ping")
    heard.asks(1, "ping")
    assert [call.outcome for call in heard.ended] == [Outcome.DROPPED]
    heard.pairing.close(99)
    assert [call.sent_ns for call in heard.ended] == [20, 99]
    assert heard.pairing.waiting() == []


def test_requests_nobody_answers_are_bounded() -> None:
    heard = Heard()
    for number in range(MAX_OPEN + 1):
        heard.asks(number, "ping")
    assert [call.request_id for call in heard.ended] == [0]


def test_names_are_kept_only_so_far_and_an_endless_id_makes_no_call() -> None:
    heard = Heard()
    heard.asks(1, "m" * 5000)
    heard.asks(2, "resources/read", uri="u" * 5000, _meta={"progressToken": "t" * 5000})
    heard.asks("i" * 5000, "ping")
    assert [(len(call.method), len(call.target)) for call in heard.pairing.waiting()] == [(300, 0), (14, 1000)]
    assert heard.session.ignored == {"not a message of JSON-RPC": 1}


def test_a_legacy_client_introduces_itself_once_and_a_modern_one_in_each_request() -> None:
    legacy, modern = Heard(), Heard()
    legacy.asks(1, "initialize", protocolVersion="2025-11-25", clientInfo={"name": "old", "version": "1"})
    legacy.answers(1, protocolVersion="2025-06-18")
    modern.asks(
        1,
        "tools/call",
        name="add",
        _meta={"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientInfo": {"name": "new"}},
    )
    modern.answers(1)
    assert (legacy.session.client_name, legacy.session.protocol_version, legacy.session.era) == ("old", "2025-06-18", Era.LEGACY)
    assert (modern.session.client_name, modern.session.protocol_version, modern.ended[0].era) == ("new", "2026-07-28", Era.MODERN)


def test_a_batch_is_several_messages() -> None:
    heard = Heard()
    batch = heard.crosses(Direction.IN, [{"jsonrpc": "2.0", "id": n, "method": "ping"} for n in (1, 2)])
    heard.crosses(Direction.OUT, [{"jsonrpc": "2.0", "id": n, "result": {}} for n in (2, 1)])
    assert [(call.request_id, call.request) for call in heard.ended] == [(2, batch), (1, batch)]


MEMBERS = st.sampled_from(["id", "method", "params", "result", "_meta"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(st.tuples(st.sampled_from(Direction), JSON | st.binary(max_size=20)), max_size=20))
def test_whatever_crosses_is_counted_and_nothing_ends_twice(texts: list[tuple[Direction, Any]]) -> None:
    heard = Heard()
    for direction, value in texts:
        heard.crosses(direction, value)
    heard.pairing.close(10_000)
    assert heard.session.messages_in + heard.session.messages_out == len(texts)
    assert len({id(call) for call in heard.ended}) == len(heard.ended)
    assert all(call.outcome is not Outcome.PENDING for call in heard.ended)

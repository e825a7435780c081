from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import Era
from mcp_workbench.exploring.replaying.tape import NotRecordedError, Tape
from mcp_workbench.telemetry import CallRecord, Direction, Message, Outcome, Side

MARK = "‹redacted:7f3a91c204d1›"


def call(
    arguments: Any,
    result: Any,
    tool: str = "add",
    *,
    side: Side = Side.SERVER,
    direction: Direction = Direction.IN,
    method: str = "tools/call",
) -> CallRecord:
    params = {"name": tool, "arguments": arguments, "_meta": {"progressToken": 3}}
    record = CallRecord("", "s1", "default", Era.LEGACY, method, tool, 7, 1, 1.0, 1, outcome=Outcome.OK, sent_ns=5)
    record.side, record.direction = side, direction
    record.request = said({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
    record.answer = said({"jsonrpc": "2.0", "id": 7, **({"error": result} if "code" in result else {"result": result})})
    return record


def said(value: Any) -> Message:
    text = json.dumps(value).encode()
    return Message("s1", Direction.IN, 1, 1.0, len(text), text)


def ask(tape: Tape, arguments: Any, tool: str = "add", method: str = "tools/call") -> Any:
    return tape.take(method, {"name": tool, "arguments": arguments, "_meta": {"other": 1}}).result


def test_a_request_is_answered_as_an_equal_one_was_whatever_the_order_of_its_members() -> None:
    tape = Tape([call({"a": 1, "b": {"c": 2, "d": 3}}, {"r": 1}), call({"a": 2}, {"r": 2})])
    assert ask(tape, {"b": {"d": 3, "c": 2}, "a": 1}) == {"r": 1}
    assert ask(tape, {"a": 2}) == {"r": 2}


def test_equal_requests_are_answered_in_their_order_and_then_no_more() -> None:
    tape = Tape([call({"a": 1}, {"r": number}) for number in range(3)])
    assert [ask(tape, {"a": 1})["r"] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(NotRecordedError, match="3 times, and each of them was given"):
        ask(tape, {"a": 1})


def test_the_last_answer_is_given_again_to_what_only_reads_or_when_told_so() -> None:
    reads = Tape([call({"a": 1}, {"r": 1}, method="prompts/get")])
    told = Tape([call({"a": 1}, {"r": 1})], repeat=True)
    never = Tape([call({"a": 1}, {"r": 1}, method="prompts/get")], repeat=False)
    assert [ask(reads, {"a": 1}, method="prompts/get") for _ in range(2)] == [{"r": 1}] * 2
    assert [ask(told, {"a": 1}) for _ in range(2)] == [{"r": 1}] * 2
    ask(never, {"a": 1}, method="prompts/get")
    with pytest.raises(NotRecordedError):
        ask(never, {"a": 1}, method="prompts/get")


def test_what_was_never_asked_is_no_success_and_names_what_comes_nearest() -> None:
    tape = Tape([call({"a": 1}, {"r": 1}), call({"x": 1}, {"r": 1}, "multiply")])
    with pytest.raises(NotRecordedError, match=r'none to .*"a":5.*Nearest: .*"a":1'):
        ask(tape, {"a": 5})
    with pytest.raises(NotRecordedError, match=r"never asked there\. Nearest: multiply"):
        ask(tape, {"x": 1}, "multiplyy")


def test_what_is_volatile_is_not_compared() -> None:
    tape = Tape([call({"now": "10:00", "rows": [{"id": 1, "v": 2}]}, {"r": 1})], ["arguments.now", "$.arguments.rows[*].id"])
    assert ask(tape, {"now": "11:59", "rows": [{"id": 99, "v": 2}]}) == {"r": 1}
    with pytest.raises(NotRecordedError):
        ask(tape, {"now": "11:59", "rows": [{"id": 99, "v": 3}]})
    with pytest.raises(ValueError, match="expected a name or a path"):
        Tape([], ["a..b["])


def test_what_was_redacted_stands_for_any_value_and_nothing_else_does() -> None:
    tape = Tape([call({"key": MARK, "url": f"https://x/?token={MARK}&a=1", "n": 1}, {"r": 1})])
    assert ask(tape, {"key": "s3cret", "url": "https://x/?token=abc&a=1", "n": 1}) == {"r": 1}
    for wrong in (
        {"key": "k", "url": "https://y/?token=abc&a=1", "n": 1},
        {"key": 5, "url": "https://x/?token=&a=1", "n": 1},
        {"key": "k"},
    ):
        with pytest.raises(NotRecordedError):
            ask(Tape([call({"key": MARK, "url": f"https://x/?token={MARK}&a=1", "n": 1}, {"r": 1})]), wrong)


def test_numbers_texts_and_truth_are_not_the_same() -> None:
    for recorded, asked in ((1, True), (1, "1"), (0, False), (None, "")):
        with pytest.raises(NotRecordedError):
            ask(Tape([call({"a": recorded}, {"r": 1})]), {"a": asked})


def test_only_what_a_server_was_asked_and_has_answered_is_on_the_tape() -> None:
    question = call({"a": 1}, {"r": 1}, direction=Direction.OUT)
    as_client = call({"a": 2}, {"r": 2}, side=Side.CLIENT, direction=Direction.OUT)
    unanswered = call({"a": 3}, {"r": 3})
    unanswered.answer = None
    job = call({"a": 4}, {"r": 4})
    job.method = "job"
    tape = Tape([question, as_client, unanswered, job])
    assert (len(tape), tape.missing, ask(tape, {"a": 2})) == (1, 1, {"r": 2})


def test_errors_are_given_as_they_were_and_what_nobody_asked_for_is_told() -> None:
    tape = Tape([call({"a": 1}, {"code": -32000, "message": "no", "data": {"x": 1}}), call({"a": 2}, {"r": 2})])
    recorded = tape.take("tools/call", {"name": "add", "arguments": {"a": 1}})
    assert (recorded.error, recorded.result) == ((-32000, "no", {"x": 1}), None)
    assert [one.params["arguments"] for one in tape.unused()] == [{"a": 2}]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), min_size=1, max_size=8), st.data())
def test_whatever_was_recorded_each_is_answered_exactly_once(asked: list[dict[str, Any]], data: st.DataObject) -> None:
    tape = Tape([call(arguments, {"r": number}) for number, arguments in enumerate(asked)])
    given_numbers = [ask(tape, arguments)["r"] for arguments in data.draw(st.permutations(asked))]
    assert sorted(given_numbers) == list(range(len(asked)))
    assert tape.unused() == []

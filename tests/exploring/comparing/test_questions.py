"""What clients were asked, read off calls that were made by hand."""

from __future__ import annotations

from typing import Any

from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.comparing.questions import Question, Questions, with_what_was_asked
from mcp_workbench.telemetry import Direction, Side
from tests.exploring.comparing.rig import made

ASKED = {"q1": {"method": "elicitation/create", "params": {"message": "Where?"}}}


def round_of(result: dict[str, Any], **added: Any) -> Call:
    return made("tools/call", {"name": "book", "arguments": {"n": 1}, **added}, result)


def needs(asked: dict[str, Any], state: str | None = None) -> dict[str, Any]:
    return {"resultType": "input_required", "inputRequests": asked} | ({} if state is None else {"requestState": state})


def question(message: str, at_ns: int, **answer: Any) -> Call:
    """Asked by the server, up to 2025-11-25."""
    call = made("elicitation/create", {"message": message}, **answer)
    call.record.direction, call.record.received_ns = Direction.OUT, at_ns
    return call


def told(questions: list[Question]) -> list[tuple[str, Any, Any]]:
    return [(each.params["message"], each.result, each.error) for each in questions]


def test_rounds_are_one_call_whose_last_exchange_has_all_that_was_asked() -> None:
    again = {"q2": {"method": "elicitation/create", "params": {"message": "When?"}}}
    first = round_of(needs(ASKED, "s1"))
    second = round_of(needs(again, "s2"), inputResponses={"q1": {"action": "accept"}}, requestState="s1")
    last = round_of({"content": []}, inputResponses={"q2": {"action": "decline"}}, requestState="s2")
    questions = Questions([first, second, last])
    assert (questions.went_on(first), questions.went_on(second), questions.went_on(last)) == (True, True, False)
    assert told(questions.of(last)) == [("Where?", {"action": "accept"}, None), ("When?", {"action": "decline"}, None)]
    assert questions.behind(last.record) == [first.record, second.record]
    assert with_what_was_asked([last.record], [first, second, last]) == [first.record, second.record, last.record]


def test_calls_that_wait_at_once_are_told_apart_by_their_state_and_without_one_by_what_they_asked() -> None:
    one, other = round_of(needs(ASKED, "a")), round_of(needs(ASKED, "b"))
    of_other = round_of({"content": []}, inputResponses={"q1": {"action": "cancel"}}, requestState="b")
    questions = Questions([one, other, of_other])
    assert (questions.went_on(one), questions.went_on(other)) == (False, True)
    stateless = round_of(needs(ASKED))
    answer = round_of({"content": []}, inputResponses={"q1": {"action": "accept"}})
    assert Questions([stateless, answer]).went_on(stateless)
    elsewhere = made("tools/call", {"name": "other", "inputResponses": {"q1": {}}}, {"content": []})
    assert not Questions([stateless, elsewhere]).went_on(stateless)


def test_what_broken_clients_and_servers_say_is_no_question() -> None:
    broken: tuple[Any, ...] = (None, [], {"q1": None}, {"q1": {"method": 7}})
    for asked in broken:
        first = round_of(needs(asked, "s"))
        last = round_of({"content": []}, inputResponses=[], requestState="s")
        assert Questions([first, last]).of(last) == []


def test_a_request_of_the_servers_belongs_to_the_call_that_says_so_else_to_those_that_were_open() -> None:
    said, open_then, later = (made("tools/call", {"name": name, "arguments": {}}, {"content": []}) for name in ("a", "b", "c"))
    for call, begin in ((said, 0), (open_then, 10), (later, 500)):
        call.record.received_ns, call.record.sent_ns = begin, begin + 100
    first, second = question("First?", 20, result={"action": "accept"}), question("Second?", 30, error=(-1, "no"))
    assert first.record.request is not None
    said.record.note(first.record.request)
    questions = Questions([first, second, said, open_then, later])
    assert told(questions.of(said)) == [("First?", {"action": "accept"}, None), ("Second?", None, (-1, "no", None))]
    assert told(questions.of(open_then)) == [("Second?", None, (-1, "no", None))]
    assert questions.of(later) == []
    assert questions.methods() == {"elicitation/create"}


def test_a_question_that_goes_the_way_of_requests_is_none() -> None:
    call = made("tools/call", {"name": "a", "arguments": {}}, {"content": []}, side=Side.CLIENT)
    odd = made("elicitation/create", {"message": "?"}, {"action": "accept"}, side=Side.CLIENT)
    assert Questions([call, odd]).methods() == set()

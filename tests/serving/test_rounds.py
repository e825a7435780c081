"""Suspended calls in any order of questions, retries, stale states and time: each runs once and each state is good once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from mcp_workbench.errors import Cancelled, NotAnswered, RemoteProtocolError
from mcp_workbench.events import Era
from mcp_workbench.execution.calls import Call
from mcp_workbench.execution.questions import Question, ask_person, ask_roots
from mcp_workbench.limits import Limits
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import ClientFacts, Exchange
from mcp_workbench.serving.questions import MAX_AT_ONCE, Questions
from mcp_workbench.serving.rounds import OVER, UNKNOWN, USED, Rounds, Suspended
from mcp_workbench.sessions.session import Session
from mcp_workbench.sessions.work import Answer
from tests.support.clock import SimulatedLoop

ABLE = wire.ClientCapabilities(elicitation={}, sampling={}, roots={})
YES: dict[str, Any] = {"action": "accept", "content": {}}


def exchange(request_id: int = 1, state: str | None = None, responses: dict[str, Any] | None = None, **params: Any) -> Exchange:
    sent = wire.CallToolParams(**({"name": "tool", "arguments": {"n": 1}} | params))
    if state is not None:
        sent = wire.CallToolParams(name=sent.name, arguments=sent.arguments, request_state=state, input_responses=responses or {})
    return Exchange(request_id, "tools/call", sent, ClientFacts(Era.MODERN, "2026-07-28", ABLE), 100)


def session_of(principal: str = "default", room: int = 700_000) -> Session:
    peer = SimpleNamespace(room=lambda _: room)
    return cast(Session, SimpleNamespace(principal=SimpleNamespace(name=principal), peer=peer))


class Work:
    """What a suspended call looks like to its rounds; keeps what its requests were answered with."""

    def __init__(self, house: House, call_id: str = "c1", principal: str = "default") -> None:
        self.call = Call(call_id, "tool", "async")
        self.session = session_of(principal)
        self.exchange = exchange()
        self.record: Any = None
        self.has_exchange = True
        self.answers: list[Answer | None] = []
        self.given_up = ""
        self.rounds = Rounds(house.suspended, self.call, self, self.exchange.params)
        self.house = house

    def ask(self, question: Question | None = None, **other: Any) -> Question:
        question = question or ask_roots(key=None, timeout_s=None, **other)
        self.call.questions.append(question)
        question.on_settled.append(self.call.questions.remove)
        self.house.suspended.questions.ask(question, self.call, self, self.rounds)
        return question

    def suspend(self, answer: wire.InputRequiredResult) -> None:
        assert self.has_exchange
        self.has_exchange = False
        self.answers.append(answer)

    def resume(self, session: Session, exchange: Exchange, record: Any, done: Callable[[Answer | None], None]) -> None:
        assert not self.has_exchange, "a call has one exchange at most"
        self.session, self.exchange, self.has_exchange = session, exchange, True

    def give_up(self, reason: str, *, timed_out: bool) -> None:
        self.given_up = reason
        for question in tuple(self.call.questions):
            question.fail(Cancelled(reason))

    def cancel(self, reason: str) -> None:
        self.give_up(reason, timed_out=False)

    def stop(self) -> Answer | None:
        raise AssertionError("not stopped here")

    @property
    def required(self) -> wire.InputRequiredResult:
        last = self.answers[-1]
        assert isinstance(last, wire.InputRequiredResult)
        return last


class House:
    """The registry on a loop whose time passes when a test says so."""

    def __init__(self, **limits: Any) -> None:
        self.loop = SimulatedLoop()
        self.suspended = Suspended(Questions(self.loop, Limits(**limits), lambda record: None))

    def turn(self, seconds: float = 0.0) -> None:
        """Let what is due be done."""
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def retry(self, state: str, responses: dict[str, Any] | None = None, principal: str = "default", **params: Any) -> list[Answer | None]:
        """What a retry is answered with at once."""
        heard: list[Answer | None] = []
        session, sent = session_of(principal), exchange(2, state, responses, **params)
        work = self.suspended.retry(session, sent, cast(Any, SimpleNamespace(target="")))
        assert work is not None
        work.start(heard.append)
        return heard


@pytest.fixture
def house() -> Any:
    house = House(suspended_calls=4, asking_threads=1)
    yield house
    house.loop.close()


def refused(answers: list[Answer | None]) -> str:
    [error] = answers
    assert isinstance(error, RemoteProtocolError)
    assert error.code == -32602
    return error.message


def sentence_of(question: Question) -> str:
    error = question.future.exception(0)
    assert isinstance(error, NotAnswered), error
    return str(error)


def test_an_answer_that_is_there_before_the_retry_is_kept_for_it_until_the_time_is_up(house: House) -> None:
    work = Work(house)
    work.ask()
    house.turn()
    state = work.required.request_state
    done = wire.CallToolResult(content=[])
    assert work.rounds.hold(done)
    assert house.suspended.waiting() == []
    assert house.retry(state) == [done]
    assert refused(house.retry(state)) == USED

    late = Work(house, "c2")
    late.ask()
    house.turn()
    late.rounds.hold(done)
    house.turn(301)
    assert refused(house.retry(late.required.request_state)) == OVER
    assert late.given_up == "", "it had ended"


def test_a_revoked_principal_and_a_stopping_server_end_their_calls(house: House) -> None:
    alice, bob = Work(house, "c1", "alice"), Work(house, "c2", "bob")
    asked = [alice.ask(), bob.ask()]
    house.turn()
    house.suspended.forget("alice")
    assert (alice.given_up, bob.given_up) == ("the credential of its principal was revoked", "")
    house.suspended.close()
    assert bob.given_up == "the server is shutting down"
    assert [type(question.future.exception(0)) for question in asked] == [Cancelled, Cancelled]
    assert "shutting down" in sentence_of(bob.ask())
    assert len(house.suspended) == house.suspended.questions.waiting == 0


def test_past_its_bounds_nothing_more_is_asked(house: House) -> None:
    works = [Work(house, f"c{number}") for number in (1, 2, 3)]
    asked = [work.ask() for work in works]
    house.turn()
    assert "2 calls of this client wait for answers already" in sentence_of(asked[2])
    assert works[2].has_exchange
    blocking = ask_roots(key=None, timeout_s=None)
    blocking.blocks = True
    works[0].ask(blocking)
    second = ask_roots(key=None, timeout_s=None)
    second.blocks = True
    works[2].ask(second)
    assert "make it an async def" in sentence_of(second)
    assert house.suspended.questions.blocked == 1
    for _ in range(MAX_AT_ONCE):
        last = works[1].ask()
    assert "too much at once" in sentence_of(last)
    small = Work(house, "c4")
    small.session = session_of(room=2_100)
    assert "this connection takes" in sentence_of(small.ask(ask_person("x" * 400, None, url=None, key=None, timeout_s=None)))


def test_two_questions_of_one_name_at_once_are_the_authors_mistake(house: House) -> None:
    work = Work(house)
    first, second = (ask_person("Sure?", None, url=None, key="sure", timeout_s=None) for _ in range(2))
    work.ask(first)
    work.ask(second)
    assert "a key of its own" in sentence_of(second)


def test_what_one_message_does_not_hold_is_asked_in_the_next_round(house: House) -> None:
    work = Work(house)
    work.session = session_of(room=5_000)
    questions = [work.ask(ask_person("x" * 2_000, None, url=None, key=None, timeout_s=None)) for _ in range(2)]
    house.turn()
    assert list(work.required.input_requests) == ["q1"]
    house.retry(work.required.request_state, {"q1": YES})
    work.session = session_of(room=5_000)
    house.turn()
    assert list(work.required.input_requests) == ["q2"]
    assert [question.future.done() for question in questions] == [True, False]


class RoundsMachine(RuleBasedStateMachine):
    """Calls that ask, retries that answer or do not, states old and new, and time."""

    states: Bundle[tuple[Work, str]] = Bundle("states")

    def __init__(self) -> None:
        super().__init__()
        self.house = House(suspended_calls=6)
        self.works: list[Work] = []
        self.good: dict[str, Work] = {}
        """The states that are good now."""

    def teardown(self) -> None:
        self.house.loop.close()

    def _note(self, work: Work) -> tuple[Work, str] | None:
        """The state that a call was answered with in this turn."""
        self.house.turn()
        if work.has_exchange or not work.answers:
            return None
        state = work.required.request_state
        self.good[state] = work
        return (work, state)

    @rule(target=states)
    def begin(self) -> Any:
        work = Work(self.house, f"c{len(self.works) + 1}")
        self.works.append(work)
        question = work.ask()
        noted = self._note(work)
        if noted is None:
            assert len(self.house.suspended) == 3
            assert question.future.done()
            return multiple()
        return noted

    @rule(target=states, held=states, fits=st.booleans(), asks_more=st.booleans())
    def retry(self, held: tuple[Work, str], fits: bool, asks_more: bool) -> Any:  # hypothesis passes by name
        work, state = held
        was_good = self.good.pop(state, None) is not None
        open_before = set(work.required.input_requests) if was_good else set()
        responses: dict[str, Any] = {key: {"roots": []} if fits else {"roots": "?"} for key in open_before}
        heard = self.house.retry(state, responses)
        if not was_good:
            assert refused(heard) in (USED, OVER)
            return multiple()
        assert heard == [], "it is answered by the call"
        assert work.has_exchange
        if fits and asks_more:
            work.ask()
        return self._note(work) or multiple()

    @rule(held=states, how=st.sampled_from(["principal", "arguments", "name", "state"]))
    def steal(self, held: tuple[Work, str], how: str) -> None:
        _, state = held
        ways: dict[str, dict[str, Any]] = {
            "principal": {"principal": "mallory"},
            "arguments": {"arguments": {"n": 2}},
            "name": {"name": "other"},
            "state": {"state": state[:-1] + ("A" if state[-1] != "A" else "B")},
        }
        other: dict[str, Any] = {"state": state} | ways[how]
        assert refused(self.house.retry(**other)) == UNKNOWN

    @rule(held=consumes(states))
    def wait_too_long(self, held: tuple[Work, str]) -> None:
        self.house.turn(301)
        self.good.clear()
        assert refused(self.house.retry(held[1])) in (USED, OVER)

    @invariant()
    def what_waits_is_what_has_a_good_state(self) -> None:
        assert {rounds.call.id for rounds in self.house.suspended.waiting()} == {work.call.id for work in self.good.values()}
        assert len(self.house.suspended) <= 3
        assert all(not work.has_exchange for work in self.good.values())

    @invariant()
    def a_call_that_has_an_exchange_and_asks_nothing_waits_for_nothing(self) -> None:
        waiting = sum(len(work.call.questions) for work in self.works)
        assert self.house.suspended.questions.waiting == waiting


TestRounds = RoundsMachine.TestCase
TestRounds.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)

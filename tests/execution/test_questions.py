"""Questions: what is put on the wire, what of an answer is taken, and how a tool waits and stops waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator

from mcp_workbench.errors import Cancelled, NotAnswered
from mcp_workbench.events import Principal
from mcp_workbench.execution.calls import Call, CallState
from mcp_workbench.execution.context import AsyncContext, Context
from mcp_workbench.execution.portal import Portal
from mcp_workbench.execution.questions import MAX_QUESTION_BYTES, Elicited, Question, Root, ask_person, ask_roots
from mcp_workbench.execution.sampling import ask_model
from tests.support.calls import ListeningPort

REST: dict[str, Any] = {"key": None, "timeout_s": None}
MODEL: dict[str, Any] = {
    "max_tokens": 9,
    "system_prompt": None,
    "temperature": None,
    "stop_sequences": None,
    "model_preferences": None,
    "tools": None,
    "tool_choice": None,
    **REST,
}


class Picky(BaseModel):
    name: str

    @field_validator("name")
    @classmethod
    def short(cls, name: str) -> str:
        if len(name) > 3:
            raise ValueError("too long: secret")
        return name


class AskedPort(ListeningPort):
    """Answers, or keeps, what is asked; on the loop."""

    def __init__(self, answer: Callable[[Question], None] = lambda question: None) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[Question] = []

    def ask(self, question: Question) -> None:
        self.asked.append(question)
        self.answer(question)


def a_call(port: AskedPort, run_on: Any = "thread", *, own: bool = False) -> Call:
    call = Call("c1", "tool", run_on)
    call.state = CallState.RUNNING
    call.port = port
    call.principal = Principal("notebook", own=own)
    return call


def test_what_is_asked_stands_on_the_wire_as_the_specification_wants_it() -> None:
    form = ask_person("Sure?", {"rows": int}, url=None, **REST)
    assert form.params == {
        "mode": "form",
        "message": "Sure?",
        "requestedSchema": {"type": "object", "properties": {"rows": {"type": "integer"}}, "required": ["rows"]},
    }
    page = ask_person("Sign in", None, url="https://example.org", **REST)
    assert page.params.keys() == {"mode", "message", "url", "elicitationId"}
    assert page.needs == {"elicitation": {"url": {}}}
    asked = ask_model(["Hi", {"role": "assistant", "content": "Yes?"}], **MODEL | {"temperature": 0.5, "model_preferences": ["a", "b"]})
    assert asked.params == {
        "messages": [
            {"role": "user", "content": {"type": "text", "text": "Hi"}},
            {"role": "assistant", "content": {"type": "text", "text": "Yes?"}},
        ],
        "maxTokens": 9,
        "temperature": 0.5,
        "modelPreferences": {"hints": [{"name": "a"}, {"name": "b"}]},
    }


@pytest.mark.parametrize(
    "ask",
    [
        lambda: ask_person("", None, url=None, **REST),
        lambda: ask_person("x" * 4_001, None, url=None, **REST),
        lambda: ask_person("x", {"rows": int}, url="https://example.org", **REST),
        lambda: ask_person("x", None, url="javascript:alert(1)", **REST),
        lambda: ask_roots(key=None, timeout_s=0),
        lambda: ask_model([], **MODEL),
        lambda: ask_model([{"role": "system", "content": "x"}], **MODEL),
        lambda: ask_model("x", **MODEL | {"max_tokens": 0}),
        lambda: ask_model("x" * MAX_QUESTION_BYTES, **MODEL),
    ],
)
def test_what_is_no_question_is_refused_where_it_is_asked(ask: Callable[[], Question]) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        ask()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(
    st.dictionaries(st.sampled_from(["action", "content", "roots", "model", "role", "uri"]), JSON | st.sampled_from(["accept", "decline"])),
)
def test_whatever_a_client_answers_fits_and_has_a_value_or_does_not(result: dict[str, Any]) -> None:
    for question in (ask_person("x", {"a": str}, url=None, **REST), ask_model("x", **MODEL), ask_roots(**REST)):
        if question.misfit(result) is None:
            question.answer(result)
            assert question.outcome
            assert question.value(result) is not None


def test_the_first_end_of_a_question_counts_and_tells_once() -> None:
    told: list[str] = []
    question = ask_roots(**REST)
    question.on_settled.append(lambda question: told.append(question.outcome))
    question.answer({"roots": [{"uri": "file:///a"}]})
    question.fail(NotAnswered("late"))
    question.answer({"roots": []})
    assert told == ["1 given"]
    assert question.value(question.future.result()) == [Root("file:///a", None)]


def test_an_answer_that_the_authors_types_refuse_says_so_without_repeating_it() -> None:
    question = ask_person("x", Picky, url=None, **REST)
    result = {"action": "accept", "content": {"name": "secret"}}
    assert question.misfit(result) is None
    with pytest.raises(NotAnswered, match='"name" do not fit') as refused:
        question.value(result)
    assert "secret" not in str(refused.value)


def in_a_thread(main: Callable[[Portal], Any]) -> None:
    """Run a test on a loop, as the protocol loop."""

    async def act() -> None:
        async with asyncio.timeout(10):
            await main(Portal(asyncio.get_running_loop()))

    asyncio.run(act())


def test_a_def_waits_in_its_thread_and_an_async_def_without_one() -> None:
    async def main(portal: Portal) -> None:
        port = AskedPort(lambda question: question.answer({"action": "accept", "content": {"value": True}}))
        call = a_call(port)
        yes = Elicited("accept", data=True)
        assert await asyncio.to_thread(lambda: Context(call, portal).elicit("Sure?", bool)) == yes
        assert (port.asked[0].blocks, call.questions) == (True, [])
        # Its loop is another one than the protocol's.
        assert await asyncio.to_thread(lambda: asyncio.run(AsyncContext(call, portal).elicit("Sure?", bool))) == yes
        assert port.asked[1].blocks is False
        on_main = a_call(port, "main")
        assert await asyncio.to_thread(lambda: Context(on_main, portal).elicit("Sure?", bool)) == yes

    in_a_thread(main)


def test_who_would_wait_for_itself_is_refused() -> None:
    async def main(portal: Portal) -> None:
        port = AskedPort()
        with pytest.raises(NotAnswered, match="runs inline"):
            Context(a_call(port, "inline"), portal).roots()
        with pytest.raises(NotAnswered, match="both have the notebook's main thread"):
            await asyncio.to_thread(Context(a_call(port, "main", own=True), portal).roots)
        with pytest.raises(NotAnswered, match="runs inline"):
            await AsyncContext(a_call(port), portal).roots()
        again = a_call(port)
        again.state = CallState.NEW
        with pytest.raises(NotAnswered, match="has nobody to ask: it runs again without its client"):
            await asyncio.to_thread(Context(again, portal).roots)
        assert port.asked == []

    in_a_thread(main)


def test_a_call_that_is_over_or_a_server_that_is_gone_ends_the_waiting() -> None:
    async def main(portal: Portal) -> None:
        call = a_call(AskedPort())
        call.cancelled, call.cancel_reason = True, "enough"
        with pytest.raises(Cancelled, match="enough"):
            await asyncio.to_thread(Context(call, portal).roots)
        portal.close()
        with pytest.raises(Cancelled, match="has stopped"):
            await asyncio.to_thread(Context(a_call(AskedPort()), portal).roots)

        def by_itself() -> None:
            asyncio.run(AsyncContext(a_call(AskedPort()), portal).roots())

        with pytest.raises(Cancelled, match="has stopped"):
            await asyncio.to_thread(by_itself)

    in_a_thread(main)


def test_an_async_def_that_waits_no_longer_takes_its_question_back() -> None:
    async def main(portal: Portal) -> None:
        taken_back = asyncio.Event()

        def keep(question: Question) -> None:
            question.on_settled.append(lambda _: taken_back.set())

        call = a_call(AskedPort(keep))

        async def impatient() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await AsyncContext(call, portal).roots()

        await asyncio.to_thread(lambda: asyncio.run(impatient()))
        await taken_back.wait()
        assert call.questions == []
        assert call.asked_ns > 0

    in_a_thread(main)


def test_many_threads_of_one_call_may_ask() -> None:
    async def main(portal: Portal) -> None:
        port = AskedPort(lambda question: question.answer({"roots": []}))
        ctx = Context(a_call(port), portal)
        together = threading.Barrier(4)

        def ask() -> list[Root]:
            together.wait(10)
            return ctx.roots()

        answers = await asyncio.gather(*(asyncio.to_thread(ask) for _ in range(4)))
        assert answers == [[]] * 4
        assert len(port.asked) == 4

    in_a_thread(main)

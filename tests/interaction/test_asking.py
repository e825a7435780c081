"""Tools that ask their client: the person, the model, the roots; in both eras, from the client's side."""

from __future__ import annotations

import asyncio
import threading
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

import mcp_workbench as wb
from tests.interaction.requirements import ALL, BY_URL, ELICITING, LEGACY, MODERN, requirement, versions
from tests.support.clock import Later
from tests.support.oracle import Message
from tests.support.stage import Stage, happened, server_of
from tests.support.talk import Talk, text_of

ABLE: Message = {"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}
ANSWERS: dict[str, Message] = {
    "sampling/createMessage": {"role": "assistant", "content": {"type": "text", "text": "Paris"}, "model": "m", "stopReason": "endTurn"},
    "roots/list": {"roots": [{"uri": "file:///work", "name": "work"}]},
}


class Wish(BaseModel):
    """What the person wants."""

    rows: Annotated[int, Field(ge=1, le=100)]
    why: str = "because"


def accepted(**content: Any) -> Message:
    return {"action": "accept", "content": content}


class Asked:
    """One call and what its tool asks, answered in whichever way the revision has."""

    def __init__(self, talk: Talk, method: str, params: Message) -> None:
        self.talk = talk
        self.method = method
        self.params = params
        self.request = talk.ask(method, params)
        self.state = ""
        self.open: dict[str, Message] = {}

    async def question(self, method: str = "elicitation/create") -> Message:
        """The params of the next question."""
        if not self.talk.modern:
            question = await self.talk.question(method)
            self.open = {"": question}
            return question.get("params") or {}
        result = (await self.talk.answer(self.request))["result"]
        assert result["resultType"] == "input_required", result
        self.state, self.open = result["requestState"], result["inputRequests"]
        [asked] = self.open.values()
        assert asked["method"] == method
        params: Message = asked["params"]
        return params

    def answer(self, result: Message) -> None:
        [(key, question)] = self.open.items()
        if self.talk.modern:
            self.retry({key: result})
        else:
            self.talk.respond(question, result)

    def retry(self, responses: Message, **other: Any) -> None:
        self.request = self.talk.ask(self.method, self.params | {"inputResponses": responses, "requestState": self.state} | other)

    async def result(self) -> Message:
        message = await self.talk.answer(self.request)
        assert "result" in message, message
        result: Message = message["result"]
        return result

    async def error(self) -> Message:
        error: Message = (await self.talk.answer(self.request))["error"]
        return error


def asking(talk: Talk, tool: str, **arguments: Any) -> Asked:
    return Asked(talk, "tools/call", {"name": tool, "arguments": arguments})


def add_chooser(stage: Stage) -> list[str]:
    """A tool that runs once and asks; returns the list of its runs."""
    runs: list[str] = []

    @stage.workbench.tool
    def choose(ctx: wb.Context, what: str = "rows") -> str:
        runs.append(what)
        answer = ctx.elicit(f"How many {what}?", Wish)
        return f"{answer.action} {answer.data!r}"

    return runs


@requirement("elicit-form")
@versions(*ELICITING)
def test_a_tool_goes_on_with_what_the_person_answered(stage: Stage) -> None:
    runs = add_chooser(stage)

    @stage.workbench.tool
    async def choose_async(ctx: wb.AsyncContext) -> str:
        colour = await ctx.elicit("Colour?", Literal["red", "blue"])
        size = await ctx.elicit("Size?", {"size": int, "name": str | None})
        return f"{colour.data} {size.data}"

    async def main(talk: Talk) -> None:
        call = asking(talk, "choose")
        asked = await call.question()
        assert asked["message"] == "How many rows?"
        assert asked["requestedSchema"]["required"] == ["rows"]
        assert asked["requestedSchema"]["properties"]["rows"] == {"maximum": 100, "minimum": 1, "type": "integer"}
        call.answer(accepted(rows=7))
        assert text_of(await call.result()) == "accept Wish(rows=7, why='because')"
        assert runs == ["rows"]
        call = asking(talk, "choose_async")
        assert (await call.question())["requestedSchema"]["properties"]["value"]["enum"] == ["red", "blue"]
        call.answer(accepted(value="blue"))
        await call.question()
        call.answer(accepted(size=3))
        assert text_of(await call.result()) == "blue {'size': 3, 'name': None}"
        notes = [note for record in stage.workbench.telemetry.calls(9) for note in record.notes]
        assert "asked the person: accepted after 0 s" in notes
        assert not any("7" in note or "blue" in note for note in notes), "what was answered is nobody's business"
        assert server_of(stage.workbench).suspended.questions.waiting == 0

    stage.play(main, capabilities=ABLE)


@requirement("elicit-actions")
@versions(*ELICITING)
def test_no_and_no_answer_are_told_apart(stage: Stage) -> None:
    add_chooser(stage)

    async def main(talk: Talk) -> None:
        for action in ("decline", "cancel"):
            call = asking(talk, "choose")
            await call.question()
            call.answer({"action": action})
            assert text_of(await call.result()) == f"{action} None"

    stage.play(main, capabilities={"elicitation": {}})


@requirement("elicit-url")
@versions(*BY_URL)
def test_a_person_is_sent_to_a_page(stage: Stage) -> None:
    @stage.workbench.tool
    def sign_in(ctx: wb.Context) -> str:
        return ctx.elicit("Sign in", url="https://example.org/in").action

    async def main(talk: Talk) -> None:
        call = asking(talk, "sign_in")
        asked = await call.question()
        assert (asked["mode"], asked["url"]) == ("url", "https://example.org/in")
        assert ("elicitationId" in asked) is not stage.modern
        call.answer({"action": "accept"})
        assert text_of(await call.result()) == "accept"

    stage.play(main, capabilities=ABLE)


@requirement("elicit-form")
@versions(*(version for version in ELICITING if version not in BY_URL))
def test_a_revision_without_pages_is_sent_none(stage: Stage) -> None:
    @stage.workbench.tool
    def sign_in(ctx: wb.Context) -> str:
        return ctx.elicit("Sign in", url="https://example.org/in").action

    async def main(talk: Talk) -> None:
        assert "has not declared" in text_of(await talk.called("sign_in"))

    stage.play(main, capabilities=ABLE)


@requirement("elicit-misfit")
@versions(*(version for version in ELICITING if version not in MODERN))
def test_an_answer_that_does_not_fit_is_an_error_of_the_tool(stage: Stage) -> None:
    add_chooser(stage)

    async def main(talk: Talk) -> None:
        cases = ((accepted(rows="secret-9"), "a whole number"), (accepted(rows=101), "at most 100"), ({"action": "yes"}, "action"))
        for wrong, told in cases:
            call = asking(talk, "choose")
            await call.question()
            call.answer(wrong)
            result = await call.result()
            assert result["isError"]
            assert told in text_of(result)
            assert "secret-9" not in text_of(result)

    stage.play(main, capabilities=ABLE)


@requirement("elicit-misfit")
@requirement("mrtr-missing")
@versions(*MODERN)
def test_what_is_missing_or_does_not_fit_is_asked_again(stage: Stage) -> None:
    runs = add_chooser(stage)

    async def main(talk: Talk) -> None:
        call = asking(talk, "choose")
        await call.question()
        states = {call.state}
        for responses in ({}, {"other": accepted(rows=1)}, {"q1": 12345}, {"q1": accepted(rows="x")}):
            call.retry(responses)
            assert (await call.question())["message"] == "How many rows?"
            states.add(call.state)
        assert len(states) == 5, "each round has a state of its own"
        call.retry({"q1": accepted(rows=2), "extra": 1})
        assert text_of(await call.result()).startswith("accept")
        assert runs == ["rows"]

        call = asking(talk, "choose")
        for _ in range(10):
            await call.question()
            call.retry({})
        result = await call.result()
        assert result["isError"]
        assert "10 times" in text_of(result)

    stage.play(main, capabilities=ABLE)


@requirement("sampling")
@requirement("roots")
@versions(*ALL)
def test_the_model_and_the_roots_are_asked(stage: Stage) -> None:
    @stage.workbench.tool
    def capital(ctx: wb.Context) -> str:
        answer = ctx.sample("Capital of France?", max_tokens=9, system_prompt="Be short.", model_preferences="m")
        return f"{answer.text} by {answer.model}, {answer.stop_reason}"

    @stage.workbench.tool
    async def folders(ctx: wb.AsyncContext) -> str:
        return ", ".join(f"{root.name}={root.uri}" for root in await ctx.roots())

    async def main(talk: Talk) -> None:
        call = asking(talk, "capital")
        asked = await call.question("sampling/createMessage")
        assert asked["messages"] == [{"role": "user", "content": {"type": "text", "text": "Capital of France?"}}]
        assert (asked["maxTokens"], asked["systemPrompt"]) == (9, "Be short.")
        assert not {"tools", "toolChoice", "includeContext"} & asked.keys(), "for which a client would have to declare more"
        call.answer(ANSWERS["sampling/createMessage"])
        assert text_of(await call.result()) == "Paris by m, endTurn"
        call = asking(talk, "folders")
        await call.question("roots/list")
        call.answer(ANSWERS["roots/list"])
        assert text_of(await call.result()) == "work=file:///work"

    stage.play(main, capabilities=ABLE)


def add_calculator(stage: Stage) -> None:
    """A tool whose model may use another one, until it says something."""

    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @stage.workbench.tool
    def calculate(ctx: wb.Context) -> str:
        messages: list[Any] = ["2 + 3?"]
        answer = ctx.sample(messages, tools=[add], tool_choice="auto")
        while answer.tool_uses:
            results = [use.result(str(add(**use.input))) for use in answer.tool_uses]
            messages += [answer.message, {"role": "user", "content": results}]
            answer = ctx.sample(messages, tools=[add])
        return answer.text


@requirement("sampling-tools")
@versions(*BY_URL)
def test_the_model_is_offered_tools_and_goes_on_with_their_results(stage: Stage) -> None:
    add_calculator(stage)
    uses = [{"type": "tool_use", "id": f"u{a}", "name": "add", "input": {"a": a, "b": 3}} for a in (2, 4)]

    async def main(talk: Talk) -> None:
        call = asking(talk, "calculate")
        asked = await call.question("sampling/createMessage")
        assert [tool["name"] for tool in asked["tools"]] == ["add"]
        assert asked["toolChoice"] == {"mode": "auto"}
        call.answer({"role": "assistant", "content": uses, "model": "m", "stopReason": "toolUse"})
        asked = await call.question("sampling/createMessage")
        assert asked["messages"][1] == {"role": "assistant", "content": uses}
        assert [(each["toolUseId"], each["content"][0]["text"]) for each in asked["messages"][2]["content"]] == [("u2", "5"), ("u4", "7")]
        call.answer(ANSWERS["sampling/createMessage"])
        assert text_of(await call.result()) == "Paris"

        call = asking(talk, "calculate")
        await call.question("sampling/createMessage")
        call.answer({"role": "assistant", "content": uses[0] | {"name": "drop"}, "model": "m"})
        if talk.modern:
            await call.question("sampling/createMessage")  # asked again
        else:
            assert "a tool that it may not use: 'drop'" in text_of(await call.result())

    stage.play(main, capabilities={"sampling": {"tools": {}}})


@requirement("sampling-tools-undeclared")
@versions(*ALL)
def test_a_client_without_sampling_tools_is_sent_none(stage: Stage) -> None:
    add_calculator(stage)

    async def main(talk: Talk) -> None:
        message = await talk.request("tools/call", {"name": "calculate"})
        if talk.modern:
            assert message["error"]["data"] == {"requiredCapabilities": {"sampling": {"tools": {}}}}
        else:
            assert "has not declared that it can: sampling (tools)" in text_of(message["result"])

    # Of revisions before 2025-11-25 even a client that says so cannot mean it.
    before = stage.version < BY_URL[0]
    stage.play(main, capabilities={"sampling": {"tools": {}} if before else {}})


@requirement("ask-undeclared")
@versions(*ALL)
def test_who_cannot_be_asked_is_not_asked(stage: Stage) -> None:
    @stage.workbench.tool
    def careful(ctx: wb.Context) -> str:
        refusals = []
        for ask in (lambda: ctx.elicit("Sure?"), lambda: ctx.sample("x"), lambda: ctx.elicit("Sign in", url="https://example.org")):
            try:
                ask()
            except wb.NotAnswered as error:
                refusals.append(sorted(error.required_capabilities or {}))
        return str(refusals)

    @stage.workbench.tool(run_on="inline")
    def hasty(ctx: wb.Context) -> str:
        return ctx.elicit("Sure?").action

    async def main(talk: Talk) -> None:
        assert text_of(await talk.called("careful")) == "[['elicitation'], ['sampling'], ['elicitation']]"
        inline = await talk.called("hasty")
        assert inline["isError"]
        assert "runs inline" in text_of(inline)

    stage.play(main, capabilities={"roots": {}})


@requirement("ask-undeclared")
@versions(*BY_URL)
def test_who_takes_forms_only_is_sent_to_no_page(stage: Stage) -> None:
    @stage.workbench.tool
    def sign_in(ctx: wb.Context) -> str:
        try:
            return ctx.elicit("Sign in", url="https://example.org/in").action
        except wb.NotAnswered as error:
            return str(error.required_capabilities)

    async def main(talk: Talk) -> None:
        assert text_of(await talk.called("sign_in")) == "{'elicitation': {'url': {}}}"

    for_forms: tuple[Message, ...] = ({}, {"form": {}})
    for declared in for_forms:
        stage.play(main, capabilities={"elicitation": declared})


@requirement("ask-undeclared-code")
@versions(*MODERN)
def test_a_call_that_needs_what_was_not_declared_is_an_error_that_names_it(stage: Stage) -> None:
    @stage.workbench.tool
    def capital(ctx: wb.Context) -> str:
        return ctx.sample("Capital of France?").text

    add_chooser(stage)

    async def main(talk: Talk) -> None:
        error = await talk.error("tools/call", {"name": "capital"})
        assert (error["code"], error["data"]) == (-32021, {"requiredCapabilities": {"sampling": {}}})
        error = await talk.error("tools/call", {"name": "choose"})
        assert error["data"] == {"requiredCapabilities": {"elicitation": {"form": {}}}}

    stage.play(main, capabilities={"elicitation": {"url": {}}})


@requirement("ask-error")
@versions(*LEGACY)
def test_a_client_that_refuses_is_quoted(stage: Stage) -> None:
    @stage.workbench.tool
    def capital(ctx: wb.Context) -> str:
        return ctx.sample("Capital of France?").text

    async def main(talk: Talk) -> None:
        call = talk.call("capital")
        question = await talk.question("sampling/createMessage")
        talk.say({"jsonrpc": "2.0", "id": question["id"], "error": {"code": -1, "message": "User rejected\x1b sampling"}})
        result = (await talk.answer(call))["result"]
        assert result["isError"]
        assert r"User rejected\x1b sampling (code -1)" in text_of(result)

    stage.play(main, capabilities=ABLE)


@requirement("ask-cancel")
@requirement("ask-taken-back")
@versions(*LEGACY)
def test_a_waiting_call_is_cancelled_and_its_question_taken_back(stage: Stage) -> None:
    ended = threading.Event()

    @stage.workbench.tool
    def folders(ctx: wb.Context) -> str:
        try:
            return str(ctx.roots())
        except wb.Cancelled:
            ended.set()
            raise

    @stage.workbench.tool
    def impatient(ctx: wb.Context) -> str:
        return str(ctx.roots(timeout_s=0.01))

    async def main(talk: Talk) -> None:
        call = talk.call("folders")
        question = await talk.question("roots/list")
        talk.cancel(call)
        assert (await talk.news("notifications/cancelled"))["requestId"] == question["id"]
        await happened(ended)
        talk.respond(question, ANSWERS["roots/list"])
        await talk.fence()
        assert talk.inbox == []
        call = talk.call("impatient")
        question = await talk.question("roots/list")
        assert (await talk.news("notifications/cancelled"))["requestId"] == question["id"]
        result = (await talk.answer(call))["result"]
        assert result["isError"]
        assert "no answer within 0.01 s" in text_of(result)

    stage.play(main, capabilities=ABLE)


@requirement("ask-cancel")
@versions(*MODERN)
def test_a_retry_can_be_cancelled(stage: Stage) -> None:
    ended, resumed = threading.Event(), threading.Event()

    @stage.workbench.tool
    async def folders(ctx: wb.AsyncContext) -> None:
        await ctx.roots()
        resumed.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def main(talk: Talk) -> None:
        call = asking(talk, "folders")
        await call.question("roots/list")
        call.answer(ANSWERS["roots/list"])
        await happened(resumed)
        talk.cancel(call.request)
        await happened(ended)

    stage.play(main, capabilities=ABLE)


@requirement("mrtr-resumed")
@requirement("mrtr-elsewhere")
@versions(*MODERN)
def test_a_retry_on_another_connection_goes_on_with_the_same_run(stage: Stage) -> None:
    runs = add_chooser(stage)

    async def main(talk: Talk) -> None:
        async with stage.client(capabilities=ABLE) as first:
            call = asking(first, "choose")
            await call.question()
            fellow = server_of(stage.workbench).suspended
            assert [rounds.call.name for rounds in fellow.waiting()] == ["choose"]
            assert fellow.questions.blocked == 1
        call.talk = talk
        call.retry({"q1": accepted(rows=4)})
        assert text_of(await call.result()).startswith("accept Wish(rows=4")
        assert runs == ["rows"]
        assert len(fellow) == fellow.questions.blocked == 0

    stage.play(main, capabilities=ABLE)


@requirement("mrtr-state")
@versions(*MODERN)
def test_a_state_is_good_once_for_the_same_call_of_the_same_principal(stage: Stage) -> None:
    runs = add_chooser(stage)
    stage.workbench.tokens.add("alice")

    async def main(talk: Talk) -> None:
        call = asking(talk, "choose", what="rows")
        await call.question()
        good = call.state
        yes = {"q1": accepted(rows=4)}

        async def refused(sentence: str, **other: Any) -> None:
            call.retry(yes, **other)
            error = await call.error()
            assert error["code"] == -32602
            assert sentence in error["message"]

        await refused("not valid here", arguments={"what": "columns"})
        await refused("not valid here", name="absent")
        await refused("not valid here", requestState=good + "-TAMPERED")
        await refused("not valid here", requestState="")
        async with stage.client(principal="alice", capabilities=ABLE) as alice:
            call.talk = alice
            await refused("not valid here")
        call.talk = talk
        call.retry(yes, arguments={"what": "rows"})
        assert text_of(await call.result()).startswith("accept")
        await refused("used already")
        assert runs == ["rows"]

    stage.play(main, capabilities=ABLE)


@requirement("mrtr-late")
@versions(*MODERN)
def test_a_call_that_nobody_comes_back_for_ends(stage: Stage) -> None:
    ended = threading.Event()

    @stage.workbench.tool
    def folders(ctx: wb.Context) -> str:
        try:
            return str(ctx.roots())
        except wb.Cancelled:
            ended.set()
            raise

    async def main(talk: Talk) -> None:
        later = Later(stage.workbench)
        call = asking(talk, "folders")
        await call.question("roots/list")
        await asyncio.to_thread(later.let_pass, 301)
        await happened(ended)
        call.answer(ANSWERS["roots/list"])
        error = await call.error()
        assert error["code"] == -32602
        assert "too late" in error["message"]
        [record] = [record for record in stage.workbench.telemetry.calls(9) if record.outcome == "timeout"]
        assert "nobody answered within 300 s" in (record.error or "")

    stage.play(main, capabilities=ABLE)


@requirement("mrtr-several")
@versions(*MODERN)
def test_questions_side_by_side_are_one_round(stage: Stage) -> None:
    @stage.workbench.tool
    async def everything(ctx: wb.AsyncContext) -> str:
        name, model, roots = await asyncio.gather(ctx.elicit("Name?", str), ctx.sample("Hi"), ctx.roots())
        return f"{name.data} {model.text} {len(roots)}"

    async def main(talk: Talk) -> None:
        request = talk.call("everything")
        result = (await talk.answer(request))["result"]
        asked = result["inputRequests"]
        assert [each["method"] for each in asked.values()] == ["elicitation/create", "sampling/createMessage", "roots/list"]
        answers = ANSWERS | {"elicitation/create": accepted(value="Ada")}
        responses = {key: answers[each["method"]] for key, each in asked.items()}
        params = {"name": "everything", "arguments": {}, "inputResponses": responses, "requestState": result["requestState"]}
        assert text_of(await talk.result("tools/call", params)) == "Ada Paris 1"

    stage.play(main, capabilities=ABLE)


@requirement("mrtr-brought")
@versions(*MODERN)
def test_an_answer_may_come_with_the_call(stage: Stage) -> None:
    @stage.workbench.tool
    def greet(ctx: wb.Context) -> str:
        return f"hello {ctx.elicit('Name?', {'name': str}, key='user_name').data['name']}"

    async def main(talk: Talk) -> None:
        params = {"name": "greet", "inputResponses": {"user_name": accepted(name="Ada"), "extra": {}}}
        assert text_of(await talk.result("tools/call", params)) == "hello Ada"
        assert (await talk.result("tools/call", {"name": "greet", "inputResponses": {"user_name": 1}}))["inputRequests"].keys() == {
            "user_name"
        }
        assert (await talk.error("tools/call", {"name": "greet", "inputResponses": None}))["code"] == -32602

    stage.play(main, capabilities=ABLE)


@requirement("mrtr-others")
@versions(*MODERN)
def test_prompts_and_resources_ask_too(stage: Stage) -> None:
    @stage.workbench.prompt
    def brief(ctx: wb.Context) -> str:
        return f"about {ctx.elicit('What?', str).data}"

    @stage.workbench.resource("note://{day}")
    async def note(day: str, ctx: wb.AsyncContext) -> str:
        return f"{day}: {(await ctx.elicit('Which?', str)).data}"

    async def main(talk: Talk) -> None:
        prompt = Asked(talk, "prompts/get", {"name": "brief"})
        await prompt.question()
        prompt.answer(accepted(value="delays"))
        assert (await prompt.result())["messages"][0]["content"]["text"] == "about delays"
        read = Asked(talk, "resources/read", {"uri": "note://monday"})
        await read.question()
        read.answer(accepted(value="b"))
        assert (await read.result())["contents"][0]["text"] == "monday: b"

    stage.play(main, capabilities=ABLE)


@requirement("mrtr-progress")
@versions(*MODERN)
def test_progress_goes_to_the_request_that_is_open(stage: Stage) -> None:
    @stage.workbench.tool
    def staged(ctx: wb.Context) -> str:
        ctx.report_progress(1, 2)
        ctx.roots()
        ctx.report_progress(2, 2)
        return str(ctx.request_id)

    async def main(talk: Talk) -> None:
        first = talk.ask("tools/call", {"name": "staged"}, progressToken="one")
        assert (await talk.news("notifications/progress"))["progressToken"] == "one"
        state = (await talk.answer(first))["result"]["requestState"]
        params = {"name": "staged", "inputResponses": {"q1": ANSWERS["roots/list"]}, "requestState": state}
        second = talk.ask("tools/call", params, progressToken="two")
        assert (await talk.news("notifications/progress"))["progressToken"] == "two"
        assert text_of((await talk.answer(second))["result"]) == str(second)

    stage.play(main, capabilities=ABLE)


@requirement("roots-changed")
@versions(*LEGACY)
def test_roots_that_have_changed_are_asked_for_anew(stage: Stage) -> None:
    @stage.workbench.tool
    def folders(ctx: wb.Context) -> str:
        return ", ".join(root.uri for root in ctx.roots())

    async def main(talk: Talk) -> None:
        for uri in ("file:///one", "file:///two"):
            call = asking(talk, "folders")
            await call.question("roots/list")
            call.answer({"roots": [{"uri": uri}]})
            assert text_of(await call.result()) == uri
            talk.notify("notifications/roots/list_changed")
            await talk.fence()
            assert talk.inbox == []

    stage.play(main, capabilities={"roots": {"listChanged": True}})


@requirement("ask-within-call")
@versions(*ELICITING)
def test_nobody_is_asked_once_the_call_is_answered(stage: Stage) -> None:
    release, refused = threading.Event(), threading.Event()
    said: list[str] = []

    @stage.workbench.tool
    def hasty(ctx: wb.Context) -> str:
        def ask_later() -> None:
            release.wait()
            try:
                ctx.elicit("Still there?")
            except wb.WorkbenchError as error:
                said.append(type(error).__name__)
            refused.set()

        threading.Thread(target=ask_later, daemon=True).start()
        return "done"

    async def main(talk: Talk) -> None:
        assert text_of(await talk.called("hasty")) == "done"
        release.set()
        await happened(refused)
        await talk.fence()
        assert (len(said), talk.inbox) == (1, [])

    stage.play(main, capabilities=ABLE)


@requirement("mrtr-no-requests")
@versions(*MODERN)
def test_the_server_asks_within_results_alone(stage: Stage) -> None:
    @stage.workbench.tool
    async def everything(ctx: wb.AsyncContext) -> str:
        await ctx.elicit("Sure?")
        await ctx.sample("Hi")
        return str(len(await ctx.roots()))

    async def main(talk: Talk) -> None:
        call = asking(talk, "everything")
        answers = ANSWERS | {"elicitation/create": accepted(value=True)}
        for method in ("elicitation/create", "sampling/createMessage", "roots/list"):
            await call.question(method)
            call.answer(answers[method])
        assert text_of(await call.result()) == "1"
        assert [message for message in talk.history if "method" in message] == []

    stage.play(main, capabilities=ABLE)


FORM: Message = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "title": "Name", "minLength": 1, "maxLength": 50, "default": "Ada"},
        "mail": {"type": "string", "format": "email"},
        "age": {"type": "integer", "minimum": 0, "default": 30},
        "score": {"type": "number", "maximum": 1, "default": 0.5},
        "sure": {"type": "boolean", "default": True},
        "colour": {"type": "string", "enum": ["red", "blue"], "default": "red"},
    },
    "required": ["mail"],
}
TITLED: Message = {
    "size": {"type": "string", "oneOf": [{"const": "s", "title": "Small"}, {"const": "l", "title": "Large"}]},
    "days": {"type": "array", "items": {"type": "string", "enum": ["mon", "tue"]}, "minItems": 1},
    "tags": {"type": "array", "items": {"anyOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}]}},
}


@requirement("elicit-schema")
@versions(*ELICITING)
def test_a_form_is_flat_and_is_sent_as_it_was_written(stage: Stage) -> None:
    form = FORM if stage.version not in BY_URL else FORM | {"properties": FORM["properties"] | TITLED}

    @stage.workbench.tool
    def fill(ctx: wb.Context) -> str:
        return str(ctx.elicit("Please", form).data)

    @stage.workbench.tool
    def nest(ctx: wb.Context) -> str:
        return str(ctx.elicit("Please", {"type": "object", "properties": {"deep": {"type": "object", "properties": {}}}}))

    async def main(talk: Talk) -> None:
        call = asking(talk, "fill")
        assert (await call.question())["requestedSchema"] == form
        call.answer(accepted(mail="a@example.org"))
        filled = text_of(await call.result())
        assert "'mail': 'a@example.org'" in filled
        refused = await talk.called("nest")
        assert refused["isError"]
        assert [message for message in talk.inbox if "method" in message] == []

    stage.play(main, capabilities=ABLE)

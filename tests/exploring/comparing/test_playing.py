"""What a recording's client answered, given again: both eras recorded, both eras asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from mcp_workbench import Context, Workbench
from mcp_workbench.client.handlers import ElicitRequest, SampleRequest
from mcp_workbench.exploring.comparing.playing import NOT_HELD, read_answer
from mcp_workbench.exploring.comparing.verification import Verification
from mcp_workbench.exploring.traffic import Traffic
from tests.exploring.rig import calling

Era = Literal["legacy", "modern"]
ERAS: tuple[Era, ...] = ("legacy", "modern")
WITHIN_S = 20
SECRET = "correct horse battery staple"
FORM = {"type": "object", "properties": {"city": {"type": "string"}, "seats": {"type": "integer", "default": 2}}}


def offering(question: str = "Where to?") -> Workbench:
    """A server whose tools ask, and which say what they were answered."""
    workbench = Workbench("asking", builtin_tools=False)

    @workbench.tool(read_only=True)
    def book(times: int, ctx: Context) -> list[Any]:
        """Ask for a form, several times."""
        answers = (ctx.elicit(question, schema=FORM) for _ in range(times))
        return [[answer.action, answer.data] for answer in answers]

    @workbench.tool(read_only=True)
    def write(ctx: Context) -> str:
        """Ask a model."""
        return ctx.sample("Write a line.", max_tokens=50).text

    @workbench.tool(read_only=True)
    def login(ctx: Context) -> str:
        """Ask for what is withheld."""
        content = ctx.elicit("Password?", schema={"type": "object", "properties": {"password": {"type": "string"}}}).data or {}
        return f"{len(str(content.get('password')))} characters"

    return workbench


async def visit(workbench: Workbench, era: Era) -> None:
    places = iter([{"city": "Rome"}, {"city": "Oslo", "seats": 1}, {"city": "Bern"}])

    def fill(asked: ElicitRequest) -> Any:
        return {"password": SECRET} if "Password" in asked.message else next(places, "decline")

    def say(asked: SampleRequest) -> str:
        return "Fog, then sun."

    async with workbench.connect(era=era, on_elicit=fill, on_sample=say) as session:
        for times in (1, 2, 1):
            await session.call_tool("book", times=times)
        await session.call_tool("write")
        await session.call_tool("login")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[Era, Path]:
    """A recording of each era, as the server wrote it down."""
    folder = tmp_path_factory.mktemp("asking")
    found: dict[Era, Path] = {}
    for era in ERAS:
        workbench, found[era] = offering(), folder / f"{era}.mcptraffic.jsonl"
        with calling(workbench), workbench.record(found[era]):
            asyncio.run(visit(workbench, era))
        assert {call.outcome for call in workbench.traffic.calls("method:tools/call")} <= {"ok", "input_required"}
    assert not any(SECRET in path.read_text(encoding="utf-8") for path in found.values())
    return found


@pytest.fixture
def live() -> Iterator[Workbench]:
    workbench = offering()
    with calling(workbench):
        yield workbench


def verified(recorded: Any, against: Any, **options: Any) -> Verification:
    async def bounded() -> Verification:
        async with asyncio.timeout(WITHIN_S):
            return await Workbench("elsewhere").traffic.verify(recorded, against=against, destructive="run", **options)

    return asyncio.run(bounded())


@pytest.mark.parametrize("asked", ERAS)
@pytest.mark.parametrize("era", ERAS)
def test_a_server_that_asks_is_answered_as_it_was(recorded: dict[Era, Path], live: Workbench, era: Era, asked: Era) -> None:
    found = verified(recorded[era], live.connect(era=asked))
    assert found.payloads.ok, found
    assert [(diff.what, diff.a.target if diff.a else "") for diff in found.payloads] == [
        *[("tools/call book", "book")] * 3,
        ("tools/call write", "write"),
    ]
    [left] = found.skipped
    assert (left.call.target, left.open, found.ok) == ("login", True, False), "a password was withheld, and nobody makes one up"
    assert left.reason == f"{NOT_HELD}, to elicitation/create Password?"
    assert not found.latency, "how long people took says nothing of the server"


@pytest.mark.parametrize("era", ERAS)
def test_a_question_that_was_never_asked_is_not_answered_and_said(recorded: dict[Era, Path], era: Era) -> None:
    changed = offering("Which town?")
    with calling(changed):
        found = verified(recorded[era], changed.connect(era=era))
        again = verified(recorded[era], changed.connect(era=era), volatile=["message"])
    assert [each.reason for each in found.skipped if each.call.target == "book"] == [
        f"{NOT_HELD}, to elicitation/create Which town?",
    ] * 3
    assert [diff.what for diff in found.payloads] == ["tools/call write"]
    assert len(again.payloads) == 4, "what is volatile is not compared in questions either"


def test_functions_of_the_session_answer_what_the_recording_does_not_hold(recorded: dict[Era, Path], live: Workbench) -> None:
    found = verified(recorded["modern"], live.connect(on_elicit=lambda asked: {"password": SECRET}))
    assert [each.call.target for each in found.skipped] == ["login"], "what is known to be withheld is not begun"
    changed = offering("Which town?")
    with calling(changed):
        found = verified(recorded["modern"], changed.connect(on_elicit=lambda asked: "decline"))
    assert [diff.what for diff in found.payloads.differing] == ["tools/call book"] * 2, "the third was declined then, too"


def test_an_open_session_gets_its_functions_back_and_one_that_cannot_be_asked_is_said(recorded: dict[Era, Path], live: Workbench) -> None:
    async def main() -> tuple[Verification, Verification, str]:
        traffic = Traffic.load(recorded["modern"])
        async with live.connect(era="modern", on_elicit=lambda asked: {"city": "Ulm"}) as session, live.connect(era="legacy") as mute:
            found = await traffic.verify(recorded["modern"], against=session)
            said = await traffic.verify(recorded["modern"], against=mute)
            return found, said, (await session.call_tool("book", times=1)).text

    found, said, after = asyncio.run(main())
    assert found.payloads.ok, found
    assert "Ulm" in after
    assert {each.reason.partition(",")[0] for each in said.skipped if each.call.target == "book"} == {
        "asks its client (elicitation/create)"
    }


@pytest.mark.parametrize("era", ERAS)
def test_calls_alone_take_what_their_client_was_asked_with_them(
    recorded: dict[Era, Path], live: Workbench, tmp_path: Path, era: Era
) -> None:
    traffic = Traffic.load(recorded[era])
    some = traffic.calls("tool:book outcome:ok")
    assert len(verified(some, live.connect()).payloads) == 3
    saved = some.save(tmp_path / "some")
    assert len(verified(saved, live.connect()).payloads) == 3
    compared = asyncio.run(traffic.ab(some, b=live.connect(), destructive="run"))
    assert (compared.ok, len(compared)) == (True, 3)


def test_what_is_no_answer_is_none() -> None:
    assert read_answer("elicitation/create", {"action": "accept", "content": {"a": 1}, "_meta": {}}) is not None
    assert read_answer("elicitation/create", {"action": "decline", "content": None}) is not None
    for method, result in (
        ("elicitation/create", {"content": {}}),
        ("elicitation/create", {"action": "accept", "content": {"a": "‹redacted:1›"}}),
        ("elicitation/create", None),
        ("ping", {}),
    ):
        assert read_answer(method, result) is None

"""A notebook is recorded, and its recording answers in its place."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mcp_workbench as wb
from mcp_workbench import Context, Workbench
from mcp_workbench.client.connect import connect
from mcp_workbench.client.session import ClientSession
from mcp_workbench.errors import HandshakeRefused, PeerError
from mcp_workbench.exploring.recording.format import RecordingError
from mcp_workbench.exploring.replaying.replay import Replay, replay
from tests.exploring.recording.rig import message_line, written
from tests.exploring.rig import calling

WITHIN_S = 20


@pytest.fixture(scope="module", params=["legacy", "modern"])
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a client of this era."""
    path = tmp_path_factory.mktemp("recordings") / f"{request.param}.mcptraffic.jsonl"
    workbench = Workbench("recorded")

    @workbench.tool
    def add(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    @workbench.tool
    def slow(n: int, ctx: Context) -> int:
        """Tell how it goes."""
        ctx.report_progress(n, n)
        return n

    @workbench.tool
    def fails(text: str) -> int:
        """Fail."""
        raise ValueError(text)

    @workbench.prompt
    def greeting(name: str) -> str:
        """Greet."""
        return f"Greet {name}."

    workbench.publish(flights=pd.DataFrame({"delay": [1, 2]}))

    async def main() -> None:
        async with workbench.connect(era=request.param) as session:
            await visit(session)

    with calling(workbench), workbench.record(path):
        asyncio.run(main())
    return path


async def visit(session: ClientSession) -> list[Any]:
    """Everything once; what was seen."""
    reports: list[Any] = []
    seen: list[Any] = [sorted(tool.name for tool in await session.list_tools())]
    seen += [(await session.call_tool("add", a=1)).text, (await session.call_tool("add", a=2, b=5)).text]
    seen += [(await session.call_tool("slow", n=3, on_progress=lambda *report: reports.append(report[:2]))).text, reports]
    failed = await session.call_tool("fails", text="no")
    seen += [failed.is_error, failed.text]
    seen += [(await session.read_resource("df://flights/rows")).text, [str(each.uri) for each in await session.list_resources()]]
    seen += [str((await session.get_prompt("greeting", name="Zoë")).messages)]
    return seen


def within(coroutine: Any) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(WITHIN_S):
            return await coroutine

    return asyncio.run(bounded())


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_a_client_of_either_era_sees_what_was_seen(recorded: Path, era: Any) -> None:
    async def main(replaying: Replay) -> list[Any]:
        async with replaying.connect(era=era) as session:
            assert session.server_info is not None
            assert session.server_info.title == "Replay of recorded"
            return await visit(session)

    with wb.replay(recorded) as replaying:
        assert {one.method for one in replaying.unused()} & {"server/discover", "initialize"}
        seen = within(main(replaying))
        assert replaying.unanswered == []
        assert replaying.unused() == []
    assert seen[1:5] == ["3", "7", "3", [(3, 3)]]
    assert (seen[5], "ValueError: no" in seen[6], seen[7]) == (True, True, "delay\n1\n2\n")
    assert "Greet Zoë." in seen[9]


def test_what_was_never_asked_is_an_error_and_is_kept_for_the_person(recorded: Path) -> None:
    async def main(replaying: Replay) -> None:
        async with replaying.connect() as session:
            with pytest.raises(PeerError, match="none to"):
                await session.call_tool("add", a=1_000)
            with pytest.raises(PeerError, match="never asked there"):
                await session.read_resource("df://nowhere")

    with replay(recorded) as replaying:
        within(main(replaying))
        assert len(replaying.unanswered) == 2


def test_it_is_guarded_as_every_server(recorded: Path) -> None:
    async def main(replaying: Replay) -> None:
        with pytest.raises(HandshakeRefused):
            await connect(replaying.url)
        async with connect(replaying.ticket_url()) as session:
            await session.list_tools()

    with replay(recorded) as replaying:
        within(main(replaying))
        assert replaying.token not in repr(replaying)


def test_answers_take_as_long_as_they_took_when_told_so(recorded: Path) -> None:
    async def main(replaying: Replay) -> None:
        async with replaying.connect() as session:
            assert (await session.call_tool("add", a=1)).text == "3"

    with replay(recorded, speed=1000.0) as replaying:
        within(main(replaying))
    for wrong in (0, -1.0):
        with pytest.raises(ValueError, match="speed is how many times faster"):
            replay(recorded, speed=wrong)


def test_a_call_that_asked_its_client_is_answered_as_it_was_in_the_end(tmp_path: Path) -> None:
    path, workbench = tmp_path / "asked", Workbench("asking")

    @workbench.tool
    def ask(ctx: Context) -> str:
        """Ask."""
        return str(ctx.elicit("Sure?", schema={"type": "object", "properties": {}}).action)

    @workbench.tool(needs_task=True)
    def long(n: int) -> int:
        """A task from its beginning."""
        return 2 * n

    async def main() -> None:
        async with workbench.connect(era="modern", on_elicit=lambda question: "decline") as session:
            assert (await session.call_tool("ask")).text == "decline"
            assert (await session.call_tool("long", n=21)).text == "42"

    async def again(replaying: Replay) -> None:
        for era in ("legacy", "modern"):
            async with replaying.connect(era=era) as session:
                assert (await session.call_tool("ask")).text == "decline"
                assert (await session.call_tool("long", n=21)).text == "42"

    with calling(workbench), workbench.record(path):
        asyncio.run(main())
    with replay(path, repeat=True) as replaying:
        within(again(replaying))


def test_a_recording_in_which_nothing_was_answered_is_refused(tmp_path: Path) -> None:
    with Workbench("silent").record(tmp_path / "silent"):
        pass
    with pytest.raises(ValueError, match="nothing to replay"):
        replay(tmp_path / "silent")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", "empty|header"), ("not json\n", "header|JSON"), (json.dumps({"format": "mcptraffic", "version": 99}) + "\n", "version")],
)
def test_a_file_that_is_no_recording_says_so(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "broken.mcptraffic.jsonl"
    path.write_text(text)
    with pytest.raises(RecordingError, match=expected):
        replay(path)


@pytest.mark.parametrize("said", [{"tools": [1]}, {"tools": {"listChanged": 5}}, {"logging": None}, [1], "x"])
def test_capabilities_that_mcp_does_not_know_are_passed_over(tmp_path: Path, said: Any) -> None:
    asked = message_line(1, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}, session="s1")
    told = message_line(2, {"jsonrpc": "2.0", "id": 1, "result": {"capabilities": said}}, direction="out", session="s1")
    with replay(written(tmp_path / "x.jsonl", asked, told)) as served:
        assert within(opened(served)) == "replay"


async def opened(served: Replay) -> str:
    async with served.connect(era="legacy") as session:
        assert session.server_info is not None
        return session.server_info.name


def test_closing_twice_is_no_harm(recorded: Path) -> None:
    replaying = replay(recorded)
    replaying.close()
    replaying.close()
    assert "closed" in repr(replaying)

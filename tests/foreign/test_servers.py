"""Our client as the guest of other people's servers, over WebSocket and Streamable HTTP, in both eras."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from mcp_workbench.cli.bench.processes import LineProcess
from mcp_workbench.client.connect import connect
from mcp_workbench.client.handlers import ElicitOutcome, ElicitRequest, SampleRequest
from mcp_workbench.client.opening import EraChoice
from mcp_workbench.client.session import ClientSession
from mcp_workbench.errors import PeerError, RemoteProtocolError, RequestRefused
from mcp_workbench.events import Era
from mcp_workbench.protocol import wire
from mcp_workbench.tasks import start_task
from tests.foreign.judging import LINE_WITHIN_S, SCRIPTS

pytest_plugins = ["tests.foreign.fixtures"]
# Making an environment takes minutes, once; what a test waits for has a bound of its own.
pytestmark = [pytest.mark.foreign, pytest.mark.timeout(900)]
WITHIN_S = 30
PROBE_S = 10
"""A command has to start first."""

Steps = Callable[[ClientSession], Awaitable[None]]


@pytest.fixture(scope="module")
def mcp1(mcp1_python: Path) -> Iterator[str]:
    yield from _served(mcp1_python, "mcp1_server.py")


@pytest.fixture(scope="module")
def mcp2(mcp2_python: Path) -> Iterator[str]:
    yield from _served(mcp2_python, "mcp2_server.py")


@pytest.fixture(scope="module")
def mcp1_http(mcp1: str) -> str:
    return mcp1.replace("ws://", "http://")


@pytest.fixture(scope="module")
def mcp2_http(mcp2: str) -> str:
    return mcp2.replace("ws://", "http://")


def _served(python: Path, script: str) -> Iterator[str]:
    with LineProcess([str(python), str(SCRIPTS / script)]) as process:
        ready = process.hear(dict[str, Any], LINE_WITHIN_S)
        yield f"ws://127.0.0.1:{ready['targets']['server']['port']}/mcp"


@pytest.fixture(scope="module")
def everything_http(everything: list[str]) -> Iterator[str]:
    """The address of the reference server, `@modelcontextprotocol/server-everything`, which by itself listens for every machine."""
    node, program, _ = everything
    command = [node, "--import", (SCRIPTS / "on_loopback.mjs").as_uri(), program, "streamableHttp"]
    with subprocess.Popen(command, env=os.environ | {"PORT": "0"}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            said = next(line for line in process.stdout if line.startswith("{"))
            yield f"http://127.0.0.1:{json.loads(said)['port']}/mcp"
        finally:
            process.kill()  # it has sessions open, and would wait for them


class Guest:
    """Our client, its handlers, and what they were asked and told."""

    def __init__(self, url: str | list[str], era: EraChoice = "auto") -> None:
        self.url = url
        self.asked_for = era
        self.wish: ElicitOutcome = {"city": "Oslo", "nights": 2}
        self.elicited: list[ElicitRequest] = []
        self.sampled: list[SampleRequest] = []
        self.logs: list[tuple[str, Any]] = []
        self.warned = asyncio.Event()
        """Set with the first warning among the logs."""

    def visit(self, steps: Steps) -> None:
        """Open a session, take the steps, close."""

        async def main() -> None:
            async with asyncio.timeout(WITHIN_S), self.session() as session:
                await steps(session)

        asyncio.run(main())

    @asynccontextmanager
    async def session(self) -> AsyncIterator[ClientSession]:
        async with connect(
            self.url,
            era=self.asked_for,
            on_elicit=self._elicit,
            on_sample=self._sample,
            on_roots=lambda: ["file:///lent"],
            on_log=self._log,
            timeout_s=10,
            probe_timeout_s=PROBE_S,
        ) as session:
            yield session

    async def _elicit(self, request: ElicitRequest) -> ElicitOutcome:
        self.elicited.append(request)
        return self.wish

    def _log(self, params: wire.LogParams) -> None:
        self.logs.append((params.level, params.data))
        if params.level == "warning":
            self.warned.set()

    def _sample(self, request: SampleRequest) -> str:
        self.sampled.append(request)
        return "42"


OVER_HTTP = [("mcp1_http", "auto"), ("mcp2_http", "auto"), ("mcp2_http", "legacy")]
ALL = [("mcp1", "auto"), ("mcp1", "legacy"), ("mcp2", "auto"), ("mcp2", "modern"), ("mcp2", "legacy"), *OVER_HTTP]
SUBSCRIBING = [each for each in ALL if each[0][:4] == "mcp1" or each[1] != "legacy"]
"""`MCPServer` of 2.x has no subscriptions for legacy clients."""


@pytest.fixture(params=ALL, ids=" ".join)
def guest(request: pytest.FixtureRequest) -> Guest:
    server, era = request.param
    return Guest(request.getfixturevalue(server), era)


def test_the_era_is_found_out(guest: Guest, request: pytest.FixtureRequest) -> None:
    async def steps(session: ClientSession) -> None:
        modern = "mcp2" in request.node.name and guest.asked_for != "legacy"
        assert session.era is (Era.MODERN if modern else Era.LEGACY)
        assert session.protocol_version == ("2026-07-28" if modern else "2025-11-25")
        assert session.server_info is not None
        assert (session.server_info.name, session.instructions) == ("foreign", "Ask me anything.")

    guest.visit(steps)


def test_who_insists_on_modern_is_told_when_the_server_is_not(mcp1: str) -> None:
    async def steps(session: ClientSession) -> None:
        raise AssertionError("mcp 1.30 is not modern")

    with pytest.raises(RemoteProtocolError, match="does not speak 2026-07-28"):
        Guest(mcp1, "modern").visit(steps)


def test_everything_listed_is_read(guest: Guest) -> None:
    async def steps(session: ClientSession) -> None:
        tools = {tool.name: tool for tool in await session.list_tools()}
        assert tools["totals"].output_schema
        assert tools["book"].input_schema.get("required", []) == []
        assert [resource.uri for resource in await session.list_resources()] == ["note://a"]
        assert [template.uri_template for template in await session.list_resource_templates()] == ["note://by/{author}"]
        assert [prompt.name for prompt in await session.list_prompts()] == ["plan"]
        assert (await session.read_resource("note://a")).text == "the note"
        assert (await session.read_resource("note://by/Ada")).text == "a note by Ada"
        (message,) = (await session.get_prompt("plan", city="Rome")).messages
        assert message.content == wire.TextContent(text="Plan a journey to Rome.")
        assert (await session.complete("plan", "city", "R")).values == ["Rome"]
        assert (await session.complete("note://by/{author}", "author", "O")).values == ["Oslo"]
        with pytest.raises(PeerError):
            await session.read_resource("note://by/nobody/at/all")

    guest.visit(steps)


def test_calls_bring_text_structure_and_errors(guest: Guest) -> None:
    async def steps(session: ClientSession) -> None:
        assert (await session.call_tool("shout", text="hé")).text == "HÉ"
        assert (await session.call_tool("totals")).structured == {"Oslo": 3, "Rome": 4}
        failed = await session.call_tool("break_down")
        assert failed.is_error
        assert "break_down" in failed.text

    guest.visit(steps)


def test_progress_and_log_messages_arrive_in_order(guest: Guest) -> None:
    reports: list[tuple[float, float | None, str | None]] = []

    async def steps(session: ClientSession) -> None:
        # Legacy servers of 2.x send every message and take no level.
        if session.era is Era.MODERN or session.server_capabilities.logging is not UNSET:
            await session.set_log_level("warning")
        result = await session.call_tool("countdown", on_progress=lambda *report: reports.append(report))
        assert result.text == "zero"
        await guest.warned.wait()
        # Before 2026-07-28 these SDKs leave the choice of messages to the author of the server.
        chosen = [] if session.era is Era.MODERN else [("debug", "fine print")]
        assert guest.logs == [*chosen, ("warning", "careful")]

    guest.visit(steps)
    assert reports == [(done, 3, f"step {done}") for done in (1, 2, 3)]


def test_the_servers_questions_are_answered_by_our_handlers(guest: Guest) -> None:
    async def steps(session: ClientSession) -> None:
        assert (await session.call_tool("book")).text == "accept Oslo 2"
        assert (await session.call_tool("think")).text == "unnamed: 42"
        assert (await session.call_tool("folders")).text == "file:///lent"

    guest.visit(steps)
    (asked,) = guest.elicited
    assert asked.message == "Where to?"
    assert set(asked.schema["properties"]) == {"city", "nights"}
    (sampled,) = guest.sampled
    assert (sampled.max_tokens, sampled.system_prompt) == (10, "Be brief.")
    assert sampled.messages[0]["content"]["text"] == "What is 6 x 7?"


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_person_may_say_no(guest: Guest, action: ElicitOutcome) -> None:
    async def steps(session: ClientSession) -> None:
        assert (await session.call_tool("book")).text == action

    guest.wish = action
    guest.visit(steps)


def test_a_cancelled_call_ends_there_too_and_the_session_goes_on(guest: Guest) -> None:
    async def steps(session: ClientSession) -> None:
        waits = asyncio.Event()

        async def linger() -> None:
            await session.call_tool("linger", on_progress=lambda *_: waits.set())

        call = start_task(linger(), name="linger")
        await waits.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert (await session.call_tool("await_cancelled")).text == "cancelled"

    guest.visit(steps)


@pytest.mark.parametrize("guest", SUBSCRIBING, ids=" ".join, indirect=True)
def test_we_are_told_that_a_resource_has_changed(guest: Guest) -> None:
    async def steps(session: ClientSession) -> None:
        async with session.subscribe("note://a") as updates:
            await session.call_tool("change_note")
            assert (await anext(updates)).uri == "note://a"
        assert (await session.call_tool("change_note")).text in ("0 subscribed", "told")

    guest.visit(steps)


def test_we_are_told_that_the_tools_have_changed(guest: Guest) -> None:
    async def steps(session: ClientSession) -> None:
        async with session.list_changes() as changes:
            await session.call_tool("grow")
            assert await anext(changes) == "tools"
        assert "late" in {tool.name for tool in await session.list_tools()}

    guest.visit(steps)


def test_the_reference_server_is_listed_called_read_and_subscribed_over_http(everything_http: str) -> None:
    guest = Guest(everything_http)
    reports: list[tuple[float, float | None, str | None]] = []

    async def steps(session: ClientSession) -> None:
        assert (session.era, session.protocol_version) == (Era.LEGACY, "2025-11-25")
        assert {"echo", "get-sum", "trigger-url-elicitation"} - {tool.name for tool in await session.list_tools()} == {
            "trigger-url-elicitation"
        }
        assert (await session.call_tool("echo", message="hé 🛫")).text == "Echo: hé 🛫"
        assert "5" in (await session.call_tool("get-sum", a=2, b=3)).text
        assert (await session.call_tool("get-sum", a="x", b=3)).is_error
        weather = await session.call_tool("get-structured-content", location="Chicago")
        assert weather.structured is not None
        assert {"temperature", "conditions"} <= weather.structured.keys()
        assert len((await session.call_tool("get-tiny-image")).images) == 1
        await session.call_tool("trigger-long-running-operation", duration=0.2, steps=4, on_progress=lambda *report: reports.append(report))
        assert [report[:2] for report in reports] == [(1, 4), (2, 4), (3, 4), (4, 4)]
        resource, *_ = await session.list_resources()
        assert (await session.read_resource(resource.uri)).text
        uri = "demo://resource/dynamic/text/1"
        async with session.subscribe(uri) as updates:
            await session.call_tool("toggle-subscriber-updates")
            assert (await anext(updates)).uri == uri
        (message,) = (await session.get_prompt("args-prompt", city="Oslo")).messages
        assert "Oslo" in str(message.content)
        assert (await session.complete("completable-prompt", "department", "E")).values == ["Engineering"]
        await session.ping()

    guest.visit(steps)


@pytest.mark.parametrize("over", ["everything", "everything_http"])
def test_the_reference_server_asks_our_handlers(over: str, request: pytest.FixtureRequest) -> None:
    guest = Guest(request.getfixturevalue(over))
    guest.wish = {"name": "Ada", "check": True, "email": "ada@example.org", "integer": 7, "untitledMultipleSelectEnum": ["Piano"]}

    async def steps(session: ClientSession) -> None:
        accepted = (await session.call_tool("trigger-elicitation-request")).text
        assert "Ada" in accepted
        assert "Piano" in accepted
        guest.wish = "decline"
        assert "declined" in (await session.call_tool("trigger-elicitation-request")).text
        guest.wish = "cancel"
        assert "cancel" in (await session.call_tool("trigger-elicitation-request")).text
        assert "42" in (await session.call_tool("trigger-sampling-request", prompt="What is 6 x 7?", maxTokens=9)).text
        assert "file:///lent" in (await session.call_tool("get-roots-list")).text

    guest.visit(steps)
    asked, _, _ = guest.elicited
    assert {"name", "check", "integer", "untitledMultipleSelectEnum"} <= asked.schema["properties"].keys()
    (sampled,) = guest.sampled
    assert (sampled.max_tokens, sampled.system_prompt) == (9, "You are a helpful test server.")
    assert "What is 6 x 7?" in sampled.messages[0]["content"]["text"]


def test_a_path_where_it_is_not_is_said_to_be_empty(everything_http: str) -> None:
    async def main() -> None:
        with pytest.raises(RequestRefused, match=r"has no MCP server at this path \(HTTP 404\)"):
            await connect(everything_http + "/other")

    asyncio.run(main())

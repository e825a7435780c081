"""stdio both ways: other people's servers as commands of our client, and a script of ours as a command of their clients."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench.client.connect import connect
from mcp_workbench.client.session import ClientSession
from mcp_workbench.events import Era
from mcp_workbench.protocol import wire
from tests.foreign.judging import SCRIPTS

pytest_plugins = ["tests.foreign.fixtures"]
# Making an environment takes minutes, once; what a test waits for has a bound of its own.
pytestmark = [pytest.mark.foreign, pytest.mark.timeout(900)]
WITHIN_S = 60

Steps = Callable[[ClientSession], Awaitable[None]]


class Guest:
    """Our client, and what it was told."""

    def __init__(self) -> None:
        self.logs: list[Any] = []
        self.logged = asyncio.Event()
        self.reports: list[tuple[float, float | None, str | None]] = []

    async def visit(self, command: list[str], steps: Steps, **options: Any) -> None:
        """Open a session, take the steps, close."""
        async with asyncio.timeout(WITHIN_S):
            handlers: dict[str, Any] = {
                "on_elicit": lambda request: "decline",
                "on_sample": lambda request: "42",
                "on_roots": lambda: ["file:///lent"],
                "on_log": self._log,
            }
            # What a machine at work needs until it has started is no part of these tests.
            async with connect(command, probe_timeout_s=30, timeout_s=30, **handlers, **options) as session:
                await steps(session)

    def report(self, done: float, total: float | None, message: str | None) -> None:
        self.reports.append((done, total, message))

    def _log(self, params: wire.LogParams) -> None:
        self.logs.append(params.data)
        self.logged.set()


def test_the_reference_server_is_listed_called_read_subscribed_and_asked_back(
    everything: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")
    guest = Guest()

    async def steps(session: ClientSession) -> None:
        assert (session.era, session.protocol_version) == (Era.LEGACY, "2025-11-25")
        assert {"echo", "get-sum"} <= {tool.name for tool in await session.list_tools()}
        assert (await session.call_tool("echo", message="hé")).text == "Echo: hé"
        assert "5" in (await session.call_tool("get-sum", a=2, b=3)).text
        weather = await session.call_tool("get-structured-content", location="Chicago")
        assert weather.structured is not None
        assert {"temperature", "conditions"} <= weather.structured.keys()
        assert len((await session.call_tool("get-tiny-image")).images) == 1
        assert (await session.call_tool("get-sum", a="x", b=3)).is_error
        variables = (await session.call_tool("get-env")).text
        assert '"MINE": "1"' in variables
        assert "SOME_API_KEY" not in variables
        await session.call_tool("trigger-long-running-operation", duration=0.2, steps=4, on_progress=guest.report)
        assert [report[:2] for report in guest.reports] == [(1, 4), (2, 4), (3, 4), (4, 4)]
        assert "declined" in (await session.call_tool("trigger-elicitation-request")).text
        assert "42" in (await session.call_tool("trigger-sampling-request", prompt="What is 6 x 7?")).text
        assert "file:///lent" in (await session.call_tool("get-roots-list")).text
        resource, *_ = await session.list_resources()
        assert (await session.read_resource(resource.uri)).text
        uri = "demo://resource/dynamic/text/1"
        async with session.subscribe(uri) as updates:
            await session.call_tool("toggle-subscriber-updates")
            assert (await anext(updates)).uri == uri
        (message,) = (await session.get_prompt("args-prompt", city="Oslo")).messages
        assert "Oslo" in str(message.content)
        assert (await session.complete("completable-prompt", "department", "E")).values == ["Engineering"]
        await session.set_log_level("debug")
        await session.call_tool("toggle-simulated-logging")
        await guest.logged.wait()
        await session.ping()
        assert "STDIO" in session.stderr

    asyncio.run(guest.visit(everything, steps, env={"MINE": "1"}))


@pytest.mark.parametrize(
    ("sdk", "era", "version"),
    [("mcp1", "auto", "2025-11-25"), ("mcp2", "auto", "2026-07-28"), ("mcp2", "legacy", "2025-11-25")],
    ids=["mcp1", "mcp2", "mcp2 legacy"],
)
def test_servers_of_the_python_sdks_are_spoken_with(sdk: str, era: str, version: str, request: pytest.FixtureRequest) -> None:
    guest = Guest()

    async def steps(session: ClientSession) -> None:
        assert session.protocol_version == version
        assert session.instructions == "Ask me anything."
        assert (await session.call_tool("shout", text="hé")).text == "HÉ"
        assert (await session.call_tool("totals")).structured == {"Oslo": 3, "Rome": 4}
        assert (await session.call_tool("break_down")).is_error
        assert (await session.call_tool("book")).text == "decline"
        assert (await session.call_tool("think")).text == "unnamed: 42"
        assert (await session.call_tool("folders")).text == "file:///lent"
        assert (await session.call_tool("countdown", on_progress=guest.report)).text == "zero"
        assert (await session.read_resource("note://by/Ada")).text == "a note by Ada"
        assert (await session.complete("plan", "city", "R")).values == ["Rome"]
        async with session.list_changes() as changes:
            await session.call_tool("grow")
            assert await anext(changes) == "tools"

    python: Path = request.getfixturevalue(f"{sdk}_python")
    asyncio.run(guest.visit([str(python), str(SCRIPTS / f"{sdk}_server.py"), "stdio"], steps, era=era))
    assert guest.reports == [(done, 3, f"step {done}") for done in (1, 2, 3)]


OURS = """
import mcp_workbench as wb

@wb.tool
def shout(text: str, ctx: wb.Context) -> str:
    print("thinking")
    ctx.report_progress(1, 2, "half")
    return text.upper()

@wb.resource("note://a")
def note() -> str:
    return "the note"

wb.run_stdio("ours", builtin_tools=False)
"""


@pytest.fixture
def ours(tmp_path: Path) -> list[str]:
    """How our server is started."""
    script = tmp_path / "ours.py"
    script.write_text(OURS)
    return [sys.executable, str(script)]


def run(command: list[str], tmp_path: Path) -> Any:
    """What a client saw of our server, as one document."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("sdk", "version"), [("mcp1", "2025-11-25"), ("mcp2", "2026-07-28")])
def test_the_python_sdks_speak_with_a_script_of_ours(
    sdk: str, version: str, ours: list[str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    python: Path = request.getfixturevalue(f"{sdk}_python")
    assert run([str(python), str(SCRIPTS / f"{sdk}_stdio.py"), *ours], tmp_path) == {
        "version": version,
        "tools": ["shout"],
        "shout": "HÉ",
        "progress": [[1.0, 2.0, "half"]],
        "logs": ["thinking"],
        "resource": "the note",
    }


def test_inspector_speaks_with_a_script_of_ours(inspector: list[str], ours: list[str], tmp_path: Path) -> None:
    called = ["--method", "tools/call", "--tool-name", "shout", "--tool-arg", "text=hi"]
    variables = ["-e", f"PYTHONPATH={Path(__file__).parents[2]}", "-e", f"JUPYTER_RUNTIME_DIR={tmp_path}"]
    shown = run([*inspector, *ours, *variables, *called], tmp_path)
    assert shown["content"] == [{"type": "text", "text": "HI"}]

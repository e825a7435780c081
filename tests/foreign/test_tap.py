"""A tap between other people's clients and other people's servers."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench import Workbench
from mcp_workbench.client.connect import connect
from mcp_workbench.client.session import ClientSession
from mcp_workbench.exploring.recording.reader import Recording, read
from mcp_workbench.telemetry import Direction, Outcome
from tests.foreign.notebook import Notebook
from tests.foreign.recordings import DATA, record_claude_code, visit_everything
from tests.foreign.test_programs import run
from tests.foreign.test_servers import everything_http  # noqa: F401  # a fixture

pytest_plugins = ["tests.foreign.fixtures"]
# Making an environment takes minutes, once; what a test waits for has a bound of its own.
pytestmark = [pytest.mark.foreign, pytest.mark.timeout(900)]
WITHIN_S = 60
TAP = [sys.executable, "-m", "mcp_workbench", "tap"]


async def visit(url: str, token: str) -> None:
    """What the reference server offers, its questions to the client included."""
    reports: list[Any] = []
    handlers: dict[str, Any] = {"on_elicit": lambda request: "decline", "on_sample": lambda request: "42", "on_roots": list}
    async with asyncio.timeout(WITHIN_S), connect(url, token=token, probe_timeout_s=30, timeout_s=30, **handlers) as session:
        await _steps(session, reports)
    assert [report[:2] for report in reports] == [(1, 4), (2, 4), (3, 4), (4, 4)]


async def _steps(session: ClientSession, reports: list[Any]) -> None:
    assert {"echo", "get-sum"} <= {tool.name for tool in await session.list_tools()}
    assert (await session.call_tool("echo", message="hé")).text == "Echo: hé"
    assert (await session.call_tool("get-sum", a="x", b=3)).is_error
    await session.call_tool("trigger-long-running-operation", duration=0.2, steps=4, on_progress=lambda *seen: reports.append(seen))
    assert "declined" in (await session.call_tool("trigger-elicitation-request")).text
    assert "42" in (await session.call_tool("trigger-sampling-request", prompt="how many")).text


def check_what_was_heard(workbench: Workbench) -> None:
    calls = workbench.traffic.calls("side:tap")
    assert {"echo", "get-sum", "trigger-elicitation-request"} <= {call.target for call in calls}
    assert [str(call.record.outcome) for call in calls.where("tool:get-sum")] == [Outcome.TOOL_ERROR]
    asked = [call.method for call in calls if call.record.direction is Direction.OUT]
    assert {"elicitation/create", "sampling/createMessage"} <= set(asked)
    [slow] = calls.where("tool:trigger-long-running-operation")
    assert len(slow.notifications) == 4


def test_the_reference_server_behind_a_websocket(everything: list[str]) -> None:
    workbench = Workbench("tapping")
    with workbench.tap(everything) as tap:
        asyncio.run(visit(tap.url, workbench.token))
    check_what_was_heard(workbench)


def test_the_reference_server_over_http(everything_http: str) -> None:  # noqa: F811  # the fixture
    workbench = Workbench("tapping")
    with workbench.tap(everything_http) as tap:
        asyncio.run(visit(tap.url, workbench.token))
    check_what_was_heard(workbench)


def test_inspector_sees_the_reference_server_through_a_tap_in_its_place(
    inspector: list[str], everything: list[str], tmp_path: Path
) -> None:
    shown = run([*inspector, *TAP, *everything, "--method", "tools/call", "--tool-name", "echo", "--tool-arg", "message=hi"], tmp_path)
    result = json.JSONDecoder().raw_decode(shown[shown.index("{") :])[0]
    assert result["content"] == [{"type": "text", "text": "Echo: hi"}]


def test_inspector_sees_a_notebook_over_http_through_a_tap(inspector: list[str], tmp_path: Path) -> None:
    workbench = Workbench("tapping")
    with Notebook() as notebook, workbench.tap(str(notebook.workbench.http_url), token=notebook.workbench.token) as tap:
        # It has no other way to be given a header; nobody else reads this process's arguments in a test.
        way = ["--transport", "http", tap.url, "--header", f"Authorization: Bearer {workbench.token}"]
        shown = run([*inspector, *way, "--method", "tools/call", "--tool-name", "greet", "--tool-arg", "name=Zoë"], tmp_path)
    assert json.JSONDecoder().raw_decode(shown[shown.index("{") :])[0]["content"] == [{"type": "text", "text": "Hello, Zoë!"}]
    assert [call.arguments for call in workbench.traffic.calls("tool:greet")] == [{"name": "Zoë"}]


def asked(recording: Recording) -> list[tuple[str, str, str]]:
    """Method, target and outcome of what a client asked."""
    return [(call.method, call.target, call.outcome.value) for call in recording.calls() if call.direction is Direction.IN]


def test_inspector_is_recorded_in_its_servers_place_and_asks_the_recording_again(
    inspector: list[str], everything: list[str], tmp_path: Path
) -> None:
    request = ["--method", "tools/call", "--tool-name", "echo", "--tool-arg", "message=hi"]
    file = tmp_path / "inspector.mcptraffic.jsonl"
    run([*inspector, *TAP, "--record", str(file), *everything, *request], tmp_path)
    recording = read(file)
    assert ("tools/call", "echo", "ok") in asked(recording)
    [session] = recording.sessions()
    assert (session.client_name or "").startswith("inspector"), session
    assert str(tmp_path) not in file.read_text()
    with Workbench.replay(recording) as replay:
        # A tap gives Inspector, which speaks stdio here, the WebSocket of the replay.
        shown = run([*inspector, "-e", f"MCP_TAP_TOKEN={replay.token}", *TAP, "--listen", "stdio", replay.url, *request], tmp_path)
        assert replay.unanswered == []
    assert json.JSONDecoder().raw_decode(shown[shown.index("{") :])[0]["content"] == [{"type": "text", "text": "Echo: hi"}]


def test_claude_code_is_recorded_in_its_servers_place_as_the_tutorial_has_it(claude_code: list[str], tmp_path: Path) -> None:
    file = tmp_path / "claude.mcptraffic.jsonl"
    assert "11,262" in record_claude_code(claude_code, file, tmp_path)
    tutorial = read(DATA / "claude-code.mcptraffic.jsonl")
    assert sorted(asked(read(file))) == sorted(asked(tutorial))


def test_the_reference_server_is_recorded_as_the_tutorial_has_it(everything: list[str], tmp_path: Path) -> None:
    file = tmp_path / "everything.mcptraffic.jsonl"
    asyncio.run(visit_everything(everything, file))
    assert asked(read(file)) == asked(read(DATA / "server-everything.mcptraffic.jsonl"))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the program is a shell script here")
def test_the_tutorial_taps_the_reference_server_itself_where_it_is_installed(everything: list[str], tmp_path: Path) -> None:
    program, started = tmp_path / "mcp-server-everything", tmp_path / "started"
    program.write_text(f'#!/bin/sh\ntouch {started}\nexec {shlex.join(everything[:-1])} "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(DATA.parents[1])}
    command = [sys.executable, "-m", "pytest", "--nbmake", "-p", "no:cacheprovider", "-q", "--override-ini=addopts="]
    tutorial = DATA.parent / "04-explore-traffic.ipynb"
    done = subprocess.run([*command, str(tutorial)], env=environment, capture_output=True, text=True, timeout=WITHIN_S * 2, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert started.exists()

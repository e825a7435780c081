"""Programs that people use, as they are set up: MCP Inspector's command line and Claude Code, without an account.

Each gets a home folder of its own, and nothing of this process's environment that it could find its owner's in.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench.pasting import config
from tests.foreign.judging import through_the_bridge
from tests.foreign.notebook import Notebook

pytest_plugins = ["tests.foreign.fixtures"]
pytestmark = [pytest.mark.foreign, pytest.mark.timeout(900)]

ENDS_WITHIN_S = 60.0
VARIABLE = "MCP_WORKBENCH_TOKEN"


@pytest.fixture
def notebook() -> Iterator[Notebook]:
    with Notebook() as notebook:
        yield notebook


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def run(command: list[str], home: Path, **variables: str) -> str:
    """Run a program to its end; what it printed."""
    environment = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
    environment |= {"HOME": str(home), "USERPROFILE": str(home), "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"} | variables
    done = subprocess.run(
        command,
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=ENDS_WITHIN_S,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def inspect(inspector: list[str], notebook: Notebook, home: Path, *arguments: str) -> dict[str, Any]:
    """What Inspector shows of one request through the bridge."""
    visit = through_the_bridge("", notebook)
    variables = [part for name, value in visit.environment.items() for part in ("-e", f"{name}={value}")]
    shown = run([*inspector, *variables, *visit.command, *arguments], home)
    result: dict[str, Any] = json.JSONDecoder().raw_decode(shown[shown.index("{") :])[0]
    return result


def test_inspector_lists_and_calls_tools_through_the_bridge(inspector: list[str], notebook: Notebook, home: Path) -> None:
    listed = inspect(inspector, notebook, home, "--method", "tools/list")
    assert {"greet", "add", "worst"} <= {tool["name"] for tool in listed["tools"]}
    called = inspect(inspector, notebook, home, "--method", "tools/call", "--tool-name", "greet", "--tool-arg", "name=Zoë")
    assert called["content"] == [{"type": "text", "text": "Hello, Zoë!"}]


def test_inspector_lists_and_calls_tools_over_http(inspector: list[str], notebook: Notebook, home: Path) -> None:
    # It has no other way to be given a header; nobody else reads this process's arguments in a test.
    way = ["--transport", "http", str(notebook.workbench.http_url), "--header", f"Authorization: Bearer {notebook.workbench.token}"]
    shown = run([*inspector, *way, "--method", "tools/list"], home)
    listed = json.JSONDecoder().raw_decode(shown[shown.index("{") :])[0]
    assert {"greet", "add", "worst"} <= {tool["name"] for tool in listed["tools"]}
    shown = run([*inspector, *way, "--method", "tools/call", "--tool-name", "greet", "--tool-arg", "name=Zoë"], home)
    assert json.JSONDecoder().raw_decode(shown[shown.index("{") :])[0]["content"] == [{"type": "text", "text": "Hello, Zoë!"}]
    notebook.workbench.stop()  # it leaves without a word: its sessions end here
    assert {record.transport for record in notebook.ended_sessions()} == {"http"}


def test_inspector_is_told_how_to_start_a_notebook_when_there_is_none(inspector: list[str], home: Path) -> None:
    notebook = Notebook()
    with notebook:
        gone = through_the_bridge("", notebook)
    variables = [part for name, value in gone.environment.items() for part in ("-e", f"{name}={value}")]
    strict = run([*inspector, *variables, *gone.command, "--strict", "--method", "tools/list"], home)
    assert '"notebook_status"' in strict
    assert "Warning" not in strict, "its schema is one that every model provider takes"
    shown = run([*inspector, *variables, *gone.command, "--method", "tools/call", "--tool-name", "notebook_status"], home)
    assert "wb.start()" in shown


def add_to_claude(claude_code: list[str], home: Path, server: dict[str, Any]) -> None:
    run([*claude_code, "mcp", "add-json", "--scope", "user", "notebook", json.dumps(server)], home)


def test_claude_code_connects_through_the_bridge_with_and_without_a_notebook(
    claude_code: list[str], notebook: Notebook, home: Path
) -> None:
    visit = through_the_bridge("", notebook)
    add_to_claude(claude_code, home, {"type": "stdio", "command": visit.command[0], "args": visit.command[1:], "env": visit.environment})
    assert "✔ Connected" in run([*claude_code, "mcp", "list"], home)
    notebook.workbench.stop()
    sessions = notebook.ended_sessions()
    assert {session.client_name for session in sessions} == {"claude-code"}
    assert "✔ Connected" in run([*claude_code, "mcp", "list"], home)
    assert len(notebook.ended_sessions()) == len(sessions)


def test_claude_code_goes_to_a_revision_with_channels_when_the_bridge_brings_one(
    claude_code: list[str], notebook: Notebook, home: Path
) -> None:
    visit = through_the_bridge("", notebook)
    arguments = [*visit.command[1:], "--channel"]
    add_to_claude(claude_code, home, {"type": "stdio", "command": visit.command[0], "args": arguments, "env": visit.environment})
    assert "✔ Connected" in run([*claude_code, "mcp", "list"], home)
    notebook.workbench.stop()
    assert {(session.client_name, session.protocol_version) for session in notebook.ended_sessions()} == {("claude-code", "2025-11-25")}


@pytest.mark.skipif(os.name == "nt", reason="its program is a batch file there, which is not used")
def test_claude_code_is_set_up_by_its_own_program_and_connects(claude_code: list[str], notebook: Notebook, home: Path) -> None:
    program = home / "bin" / "claude"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(claude_code)} "$@"\n')
    program.chmod(0o755)
    bridge = through_the_bridge("", notebook).environment
    variables = {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": bridge["PYTHONPATH"]}

    def setting_up(*options: str) -> str:
        return run([sys.executable, "-m", "mcp_workbench", "config", "claude-code", *options], home, **variables)

    assert "claude mcp add-json --scope user notebook" in setting_up("--install", "--dry-run")
    assert setting_up("--install").startswith(f"Installed: server 'notebook' in {home / '.claude.json'}")
    assert "Nothing to do" in setting_up("--install")
    assert "✔ Connected" in run([*claude_code, "mcp", "list"], home, **bridge)
    assert setting_up("--uninstall").startswith("Removed")
    assert "notebook" not in run([*claude_code, "mcp", "list"], home, **bridge)


def test_claude_code_connects_over_websocket_with_the_token_from_the_environment(
    claude_code: list[str], notebook: Notebook, home: Path
) -> None:
    pasted = config("claude-code").by("ws").pastes[-1].text
    assert f"Bearer ${{{VARIABLE}}}" in pasted, "what is tried here is what people are told"
    server = {"type": "ws", "url": notebook.workbench.url, "headers": {"Authorization": f"Bearer ${{{VARIABLE}}}"}}
    add_to_claude(claude_code, home, server)
    assert "✔ Connected" in run([*claude_code, "mcp", "list"], home, **{VARIABLE: notebook.workbench.token})
    assert "✔ Connected" not in run([*claude_code, "mcp", "list"], home, **{VARIABLE: "another"})
    notebook.workbench.stop()
    assert {session.client_name for session in notebook.ended_sessions()} == {"claude-code"}
    kept = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert not any(notebook.workbench.token.encode() in content for content in kept)


def test_claude_code_connects_over_http_with_the_token_from_the_environment(claude_code: list[str], notebook: Notebook, home: Path) -> None:
    server = {"type": "http", "url": notebook.workbench.http_url, "headers": {"Authorization": f"Bearer ${{{VARIABLE}}}"}}
    add_to_claude(claude_code, home, server)
    assert "✔ Connected" in run([*claude_code, "mcp", "list"], home, **{VARIABLE: notebook.workbench.token})
    assert "✔ Connected" not in run([*claude_code, "mcp", "list"], home, **{VARIABLE: "another"})
    notebook.workbench.stop()
    assert {(session.client_name, session.transport) for session in notebook.ended_sessions()} == {("claude-code", "http")}

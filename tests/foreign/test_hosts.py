"""Hosts that need an account to think, but none to connect, and the TypeScript SDK of today: set up by what people are told.

What `mcp-workbench config HOST --install` writes is held against what the host's own command writes, and the host
is asked what it makes of it.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench.pasting import config, stdio_server
from tests.foreign.judging import SCRIPTS, through_the_bridge
from tests.foreign.node import NodeSdk
from tests.foreign.notebook import Notebook
from tests.foreign.test_programs import ENDS_WITHIN_S, run

pytest_plugins = ["tests.foreign.fixtures"]
pytestmark = [pytest.mark.foreign, pytest.mark.timeout(900)]

TRUSTED = {"GEMINI_CLI_TRUST_WORKSPACE": "true"}
"""Gemini CLI starts no servers in a folder that nobody has trusted yet."""


@pytest.fixture
def notebook() -> Iterator[Notebook]:
    with Notebook() as notebook:
        yield notebook


def install(client: str, home: Path, notebook: Notebook, *options: str) -> str:
    """`mcp-workbench config CLIENT --install` at this home; what it said."""
    package = through_the_bridge("", notebook).environment["PYTHONPATH"]
    return run([sys.executable, "-m", "mcp_workbench", "config", client, "--install", *options], home, PYTHONPATH=package)


def own_command(client: str, program: list[str]) -> list[str]:
    """The line for a shell that `config` shows, with the host's program where it is here."""
    return [*program, *shlex.split(config(client).pastes[0].text)[1:]]


def test_codex_reads_what_is_installed_which_is_what_its_own_command_writes(codex: list[str], notebook: Notebook, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for home in (ours, theirs):
        (home / ".codex").mkdir(parents=True)
    assert install("codex", ours, notebook).startswith("Installed")
    run(own_command("codex", codex), theirs)
    assert (ours / ".codex/config.toml").read_text() == (theirs / ".codex/config.toml").read_text()
    shown = run([*codex, "mcp", "list", "--json"], ours)
    (server,) = json.loads(shown[shown.index("[\n") :])
    assert (server["name"], server["enabled"]) == ("notebook", True)
    assert {key: server["transport"][key] for key in ("command", "args")} == stdio_server()


def test_gemini_cli_connects_by_what_is_installed_which_is_what_its_own_command_writes(
    gemini: list[str], notebook: Notebook, tmp_path: Path
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for home in (ours, theirs):
        (home / ".gemini").mkdir(parents=True)
    assert install("gemini-cli", ours, notebook).startswith("Installed")
    run(own_command("gemini-cli", gemini), theirs, **TRUSTED)
    servers: list[Any] = [json.loads((home / ".gemini/settings.json").read_text())["mcpServers"] for home in (ours, theirs)]
    assert servers[0] == servers[1] == {"notebook": stdio_server()}
    environment = through_the_bridge("", notebook).environment
    assert "✓ notebook" in run([*gemini, "mcp", "list"], ours, **TRUSTED, **environment)
    notebook.workbench.stop()
    assert {session.transport for session in notebook.ended_sessions()} == {"websocket"}


def test_the_typescript_client_2_speaks_both_eras_over_http(typescript_2: NodeSdk, notebook: Notebook) -> None:
    command = [typescript_2.node, str(SCRIPTS / "typescript2_client.mjs"), str(typescript_2.folder)]
    line = json.dumps({"url": notebook.workbench.http_url, "token": notebook.workbench.token})
    done = subprocess.run(command, input=f"{line}\n", capture_output=True, text=True, check=False, timeout=ENDS_WITHIN_S)
    assert done.returncode == 0, done.stderr
    saw = json.loads(done.stdout)
    assert {mode: visit["version"] for mode, visit in saw.items()} == {"legacy": "2025-11-25", "auto": "2026-07-28"}
    for visit in saw.values():
        assert visit["said"] == "Hello, Zoë!"
        assert {"greet", "add", "worst"} <= set(visit["tools"])
        assert visit["rows"].splitlines()[0] == "tail,seats"

"""The lines and programs on docs/connecting.md, run as they stand there; only addresses, interpreter and token are the test's own."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.foreign.judging import through_the_bridge
from tests.foreign.node import NodeSdk
from tests.foreign.notebook import Notebook
from tests.foreign.test_hosts import TRUSTED
from tests.foreign.test_programs import ENDS_WITHIN_S, VARIABLE, run

pytest_plugins = ["tests.foreign.fixtures"]
pytestmark = [pytest.mark.foreign, pytest.mark.timeout(900)]

PAGE = (Path(__file__).parents[2] / "docs" / "connecting.md").read_text(encoding="utf-8")
ADDRESS, WS_ADDRESS = "http://127.0.0.1:8802/mcp", "ws://127.0.0.1:8801/mcp"
STATUS = "worst(flights"
"""What the status of the notebook says, among other things."""


@pytest.fixture
def notebook() -> Iterator[Notebook]:
    with Notebook() as notebook:
        yield notebook


def line(host: str, command: list[str], notebook: Notebook) -> list[str]:
    """The line for this host, for this notebook, with the host's program where it is here."""
    found = re.search(rf"^\| {re.escape(host)} \| `(.*?)`", PAGE, re.MULTILINE)
    assert found is not None, f"no line for {host}"
    words = [
        word.replace(ADDRESS, str(notebook.workbench.http_url)).replace(WS_ADDRESS, notebook.workbench.url)
        for word in shlex.split(found[1])
    ]
    assert any(notebook.workbench.url in word or str(notebook.workbench.http_url) in word for word in words)
    return [*command, *words[2 if words[0] == "npx" else 1 :]]


def program(title: str, notebook: Notebook) -> str:
    """The program under this line of the page, for this notebook."""
    found = re.search(rf"^{re.escape(title)}:\n```\w+\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None, f"no program under {title!r}"
    assert ADDRESS in found[1]
    return found[1].replace(ADDRESS, str(notebook.workbench.http_url))


def output(command: list[str], notebook: Notebook, folder: Path) -> str:
    """What it prints."""
    environment = os.environ | {VARIABLE: notebook.workbench.token}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=ENDS_WITHIN_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("host", "command", "connected", "transport"),
    [
        ("Claude Code, HTTP", "claude_code", "✔ Connected", "http"),
        ("Claude Code, WebSocket", "claude_code", "✔ Connected", "websocket"),
        ("Gemini CLI, HTTP", "gemini", "✓ notebook", "http"),
    ],
)
def test_a_host_connects_by_its_line_with_the_token_from_the_environment(
    host: str, command: str, connected: str, transport: str, notebook: Notebook, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    program: list[str] = request.getfixturevalue(command)
    run(line(host, program, notebook), tmp_path, **TRUSTED)
    assert connected in run([*program, "mcp", "list"], tmp_path, **TRUSTED, **{VARIABLE: notebook.workbench.token})
    assert connected not in run([*program, "mcp", "list"], tmp_path, **TRUSTED, **{VARIABLE: "another"})
    notebook.workbench.stop()
    assert {session.transport for session in notebook.ended_sessions()} == {transport}
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(notebook.workbench.token.encode() in content for content in kept)


def test_codex_keeps_the_address_and_where_the_token_is(codex: list[str], notebook: Notebook, tmp_path: Path) -> None:
    (tmp_path / ".codex").mkdir()
    run(line("Codex, HTTP", codex, notebook), tmp_path)
    shown = run([*codex, "mcp", "get", "notebook", "--json"], tmp_path)
    transport = json.loads(shown[shown.index("{\n") :])["transport"]
    assert (transport["url"], transport["bearer_token_env_var"]) == (notebook.workbench.http_url, VARIABLE)


def test_inspector_lists_by_its_line(inspector: list[str], notebook: Notebook, tmp_path: Path) -> None:
    words = line("Inspector, HTTP", inspector, notebook)
    words.remove("--cli")  # it stands in how it is started here
    shown = run([word.replace(f"${VARIABLE}", notebook.workbench.token) for word in words], tmp_path)
    assert '"worst"' in shown


@pytest.mark.parametrize(("title", "python"), [("Python, `mcp` 2.x", "mcp2_python"), ("Python, `mcp` 1.x", "mcp1_python")])
def test_the_python_programs_reach_the_notebook_over_stdio_and_http(
    title: str, python: str, notebook: Notebook, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    bridge = through_the_bridge("", notebook)
    interpreter, *arguments = bridge.command
    text = program(title, notebook)
    # The SDKs give a server only few of the variables: what finds this checkout and this notebook is said beside the command.
    as_on_page = 'command="/path/to/python", args=["-m", "mcp_workbench", "bridge"]'
    assert as_on_page in text
    script = tmp_path / "program.py"
    script.write_text(text.replace(as_on_page, f"command={interpreter!r}, args={arguments!r}, env={bridge.environment!r}"))
    shown = output([str(request.getfixturevalue(python)), str(script)], notebook, tmp_path)
    assert shown.count(STATUS) == 2, shown


@pytest.mark.parametrize(
    ("title", "sdk"),
    [("TypeScript, `@modelcontextprotocol/client` 2.x", "typescript_2"), ("TypeScript, `@modelcontextprotocol/sdk` 1.x", "typescript_sdk")],
)
def test_the_typescript_programs_reach_the_notebook_over_http(
    title: str, sdk: str, notebook: Notebook, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    installed: NodeSdk = request.getfixturevalue(sdk)
    (tmp_path / "node_modules").symlink_to(installed.folder / "node_modules")
    script = tmp_path / "program.mjs"
    script.write_text(program(title, notebook))
    assert STATUS in output([installed.node, str(script)], notebook, tmp_path)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_a_shell_will_do(notebook: Notebook, tmp_path: Path) -> None:
    line = program("With nothing but a shell, in the revision that needs no handshake", notebook)
    assert STATUS in output(["sh", "-c", line], notebook, tmp_path)

"""`config HOST --install` from the command line to the file and back."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mcp_workbench.addresses import address_entry
from mcp_workbench.cli.app import app
from mcp_workbench.cli.install import places
from mcp_workbench.cli.install.places import place_of
from mcp_workbench.pasting import CLIENTS, stdio_server

HOSTS = [client for client in CLIENTS if client != "json"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has started every host once, and has Claude Code's program nowhere."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for client in HOSTS:
        place_of(client).path.parent.mkdir(parents=True, exist_ok=True)
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    """Exit code, and what was printed."""
    ran = CliRunner().invoke(app, ["config", *arguments])
    return ran.exit_code, ran.output


@pytest.mark.parametrize("client", HOSTS)
def test_installed_twice_and_uninstalled_twice(client: str) -> None:
    place = place_of(client)
    before = "[tui]\na = 1\n" if place.path.suffix == ".toml" else f'{{\n    "{place.section}": {{\n        "other": {{}}\n    }}\n}}\n'
    place.path.write_bytes(before.encode())
    code, said = run(client, "--install")
    assert (code, said.startswith(f"Installed: server 'notebook' in {place.path}. What it was is kept in ")) == (0, True)
    assert place.form.read_entry(place.path.read_text(), place.section, "notebook") == place.entry
    (copy,) = place.path.parent.glob("*.bak")
    assert copy.read_bytes() == before.encode()
    assert run(client, "--install") == (0, f"Nothing to do: {place.path} has it already.\n")
    assert run(client, "--uninstall")[0] == 0
    assert place.path.read_bytes() == before.encode()
    assert run(client, "--uninstall") == (0, f"Nothing to do: {place.path} has no such server.\n")
    assert len([*place.path.parent.glob("*.bak")]) == 2


def test_a_dry_run_shows_the_lines_and_writes_nothing(home: Path) -> None:
    code, said = run("cursor", "--install", "--dry-run")
    assert code == 0
    assert said.startswith(f"--- {home / '.cursor/mcp.json'}\n")
    assert said.endswith("Nothing was written.\n")
    assert [*(home / ".cursor").iterdir()] == []


def test_another_file_may_be_named_and_json_tells_what_was_done(home: Path) -> None:
    workspace = home / "mcp.json"
    code, said = run("vscode", "--install", "--file", str(workspace), "--json")
    facts: dict[str, Any] = json.loads(said)
    assert (code, facts["outcome"], facts["file"], facts["copy"]) == (0, "installed", str(workspace), None)
    assert json.loads(workspace.read_text()) == {"servers": {"notebook": {"type": "stdio", **stdio_server()}}}


def test_what_is_refused_is_exit_code_1_and_what_makes_no_sense_2(home: Path) -> None:
    (home / ".cursor/mcp.json").write_text("{oops")
    code, said = run("cursor", "--install")
    assert code == 1
    assert said.startswith(f"mcp-workbench config: nothing was changed: {home / '.cursor/mcp.json'}: line 1 is not understood")
    assert run("json", "--install")[0] == 1
    assert run("emacs", "--install")[0] == 2
    assert run("cursor", "--install", "--uninstall")[0] == 2
    assert run("cursor", "--dry-run")[0] == 2


def test_a_folder_that_cannot_be_written_to_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied", str(home / ".cursor"))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    code, said = run("cursor", "--install")
    assert (code, said) == (1, f"mcp-workbench config: nothing was changed: {home / '.cursor'}: Permission denied\n")


@pytest.fixture
def claude(home: Path) -> Path:
    """A program on the PATH that does what Claude Code's does with its arguments, and writes them down."""
    program = home / "bin" / "claude"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\n"
        + textwrap.dedent(f"""
        import json, pathlib, sys
        settings = pathlib.Path({str(home / ".claude.json")!r})
        with open({str(home / "told")!r}, "a") as told:
            told.write(" ".join(sys.argv[1:6]) + "\\n")
        if pathlib.Path({str(home / "broken")!r}).exists():
            sys.exit()
        data = json.loads(settings.read_text()) if settings.exists() else {{}}
        servers = data.setdefault("mcpServers", {{}})
        if sys.argv[2] == "remove":
            del servers[sys.argv[5]]
        else:
            servers[sys.argv[5]] = json.loads(sys.argv[6])
        settings.write_text(json.dumps(data))
    """)
    )
    program.chmod(0o755)
    return home / "told"


@pytest.mark.skipif(sys.platform == "win32", reason="its program is a batch file there, which is not used")
def test_claude_code_edits_its_settings_itself(home: Path, claude: Path) -> None:
    settings = home / ".claude.json"
    settings.write_text('{"mcpServers": {"notebook": {"url": "x"}}, "theme": "dark"}')
    assert run("claude-code", "--install")[0] == 1
    code, said = run("claude-code", "--install", "--replace", "--dry-run")
    assert (code, said.count("claude mcp "), said.endswith("Nothing was run.\n")) == (0, 2, True)
    assert not claude.exists()
    code, said = run("claude-code", "--install", "--replace")
    assert (code, "What it was is kept in .claude.json." in said) == (0, True)
    assert json.loads(settings.read_text()) == {"mcpServers": {"notebook": {"type": "stdio", **stdio_server()}}, "theme": "dark"}
    assert run("claude-code", "--install")[1].startswith("Nothing to do")
    assert run("claude-code", "--uninstall")[0] == 0
    remove, add = "mcp remove --scope user notebook", "mcp add-json --scope user notebook"
    assert claude.read_text().splitlines() == [remove, add, remove]
    (home / "broken").touch()
    code, said = run("claude-code", "--install")
    assert (code, "Claude Code said it was done, but" in said) == (1, True)


@pytest.mark.parametrize("client", ["claude-code", "cursor", "codex", "gemini-cli", "windsurf"])
def test_the_address_of_a_server_is_installed_as_the_host_writes_it_and_taken_out_again(client: str) -> None:
    place = place_of(client)
    code, said = run(client, "--install", "--transport", "http", "--port", "8123")
    assert (code, "The notebook runs wb.start(http=True, http_port=8123), MCP_WORKBENCH_TOKEN set for both." in said) == (0, True)
    assert place.form.read_entry(place.path.read_text(), place.section, "notebook") == address_entry(client, "http", 8123)
    assert run(client, "--install", "--transport", "http", "--port", "8123")[1].startswith("Nothing to do")
    code, said = run(client, "--install")
    assert (code, "is something else: --replace puts this one in its place" in said) == (1, True)
    assert run(client, "--uninstall")[0] == 0
    assert place.form.read_entry(place.path.read_text(), place.section, "notebook") is None


def test_a_way_that_a_host_does_not_go_is_refused() -> None:
    code, said = run("claude-desktop", "--install", "--transport", "http")
    assert (code, "Claude Desktop is not led to a notebook by http: leave out --transport" in said) == (1, True)
    code, said = run("cursor", "--install", "--transport", "ws")
    assert (code, "Cursor is not led to a notebook by ws" in said) == (1, True)
    code, said = run("vscode", "--install", "--transport", "http")
    assert (code, "paste what `mcp-workbench config vscode` shows" in said) == (1, True)
    assert run("claude-code", "--install", "--transport", "ws")[0] == 0
    assert run("claude-code", "--install", "--transport", "pigeon")[0] == 2


def test_no_token_is_written(home: Path) -> None:
    run("cursor", "--install")
    assert json.loads((home / ".cursor/mcp.json").read_text()) == {"mcpServers": {"notebook": stdio_server()}}
    assert "token" not in json.dumps(places.place_of("cursor").entry).lower()
